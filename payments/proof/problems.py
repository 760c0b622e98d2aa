"""Problems: what they hold back, how they ended, and what they took off prices."""

from __future__ import annotations

from datetime import datetime

from django.db.models import (
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Concat

from accounts.models import Audit
from orders.models import (
    OrderTrack,
    Outcome,
    Party,
    PriceReduction,
    Problem,
    ProblemMessage,
    ProblemState,
    TrackEvent,
    TrackStatus,
    commission_left,
)
from payments.models import LedgerPosting, Payout, SellerShare, TransferStatus
from payments.models.totals import total

from .rule import rule
from .staff import audit_of


@rule("A line is disputed while a problem with it is undecided, and at no other time")
def _disputed(now: datetime) -> QuerySet[OrderTrack]:
    undecided = Exists(Problem.objects.undecided().filter(track=OuterRef("pk")))
    return OrderTrack.objects.annotate(undecided=undecided).exclude(disputed=F("undecided"))


@rule("A problem is of its line's seller, and was reported by its line's buyer")
def _whose(now: datetime) -> QuerySet[Problem]:
    reported = ProblemMessage.objects.filter(
        problem=OuterRef("pk"), author=OuterRef("track__buyer"), party=Party.BUYER
    )
    return Problem.objects.filter(~Q(seller=F("track__seller")) | ~Exists(reported))


@rule("What is said about a problem is said by its line's buyer or seller, or by neither as shop")
def _who_says(now: datetime) -> QuerySet[ProblemMessage]:
    buyer, seller = Q(author=F("problem__track__buyer")), Q(author=F("problem__track__seller"))
    rightly = Q(party=Party.BUYER) & buyer | Q(party=Party.SELLER) & seller
    rightly |= Q(party=Party.SHOP) & ~buyer & ~seller
    return ProblemMessage.objects.exclude(rightly)


@rule("How a problem ended stands in its thread, by whom it was decided")
def _said(now: datetime) -> QuerySet[Problem]:
    said = ProblemMessage.objects.filter(
        problem=OuterRef("pk"),
        decided=OuterRef("outcome"),
        author=OuterRef("decided_by"),
        party=OuterRef("ended_by"),
    )
    decided = Problem.objects.filter(decided_by__isnull=False)
    return decided.filter(~Exists(said))


@rule("What a problem says was refunded whole was cancelled, by whom it was decided")
def _cancelled(now: datetime) -> QuerySet[Problem]:
    step = TrackEvent.objects.filter(
        track=OuterRef("track"), track_status=TrackStatus.CANCELLED, cause=""
    )
    decided = Q(outcome__in=[Outcome.REFUNDED, Outcome.RETURNED])
    return Problem.objects.filter(
        (decided & ~Exists(step.filter(actor=OuterRef("decided_by"))))
        | (Q(outcome=Outcome.CANCELLED) & ~Exists(step))
    )


@rule("What goes back by a problem is all that was left of the line's price, or its reduction")
def _refunded(now: datetime) -> QuerySet[Problem]:
    reduced = PriceReduction.objects.filter(problem=OuterRef("pk"), track=OuterRef("track"))
    whole = Q(outcome__in=[Outcome.REFUNDED, Outcome.RETURNED, Outcome.CANCELLED])
    part = Q(outcome=Outcome.REDUCED)
    return Problem.objects.filter(
        (whole & ~Q(refunded=F("track__amount") - F("track__reduced")))
        | (part & ~Exists(reduced.filter(amount=OuterRef("refunded"))))
        | (~part & Exists(reduced))
    )


@rule("A line's price is reduced by what its reductions come to")
def _reduced(now: datetime) -> QuerySet[OrderTrack]:
    reductions = PriceReduction.objects.filter(track=OuterRef("pk"))
    return OrderTrack.objects.exclude(reduced=total(reductions, group_by="track", of=Sum("amount")))


@rule("What the shop gives back of its commission is what its part of the price that is left says")
def _commission(now: datetime) -> QuerySet[OrderTrack]:
    reductions = PriceReduction.objects.filter(track=OuterRef("pk"))
    return (
        OrderTrack.objects.filter(Exists(reductions))
        .annotate(
            given=total(reductions, group_by="track", of=Sum("commission")), left=commission_left()
        )
        .exclude(commission=F("given") + F("left"))
    )


@rule("A share is less by what its line's reductions take from its seller and from the shop")
def _share(now: datetime) -> QuerySet[SellerShare]:
    reductions = PriceReduction.objects.filter(track=OuterRef("track"))
    return SellerShare.objects.annotate(
        sellers=total(reductions, group_by="track", of=Sum(F("amount") - F("commission"))),
        shops=total(reductions, group_by="track", of=Sum("commission")),
    ).exclude(reduced=F("sellers"), commission_reduced=F("shops"))


@rule("What is held back is in no payout that is still to be sent")
def _held_back(now: datetime) -> QuerySet[Payout]:
    held = SellerShare.objects.owed().filter(
        Q(track__disputed=True) | ~Q(withheld_why=""), payout=OuterRef("pk")
    )
    # One that M-Pesa did not take after all is dropped when it is to be sent again.
    return Payout.objects.filter(Exists(held), status=TransferStatus.DUE, sent_at__isnull=True)


@rule("A share in a payout that may have left was carried by it, and one in none by none")
def _carried(now: datetime) -> QuerySet[SellerShare]:
    return SellerShare.objects.filter(
        (Q(payout__isnull=True) & ~Q(carried=0)) | (Q(payout__isnull=False) & Q(carried=0))
    )


@rule("What was decided about a problem for the shop was decided on the console")
def _on_the_console(now: datetime) -> QuerySet[Problem]:
    did: QuerySet[Audit] = audit_of(Problem, actor=OuterRef("decided_by"))
    return Problem.objects.filter(~Exists(did), ended_by=Party.SHOP)


@rule("Goods that come back first were asked back in the thread")
def _asked_back(now: datetime) -> QuerySet[Problem]:
    asked = ProblemMessage.objects.filter(
        problem=OuterRef("pk"), decided=ProblemState.RETURNING, party__in=[Party.SELLER, Party.SHOP]
    )
    back = Q(state=ProblemState.RETURNING) | Q(outcome=Outcome.RETURNED)
    return Problem.objects.filter(back, ~Exists(asked))


@rule("A payout that is kept back is so by a person")
def _kept_back(now: datetime) -> QuerySet[Payout]:
    return Payout.objects.filter(~Exists(audit_of(Payout)), held_at__isnull=False)


@rule("A posting of a reduction names one of its share's line")
def _named(now: datetime) -> QuerySet[LedgerPosting]:
    name = Concat(Value("reduction:"), Cast(F("pk"), TextField()), output_field=TextField())
    reductions = PriceReduction.objects.annotate(event=name)
    named = reductions.filter(event=OuterRef("event"), track=OuterRef("share__track"))
    return LedgerPosting.objects.filter(~Exists(named), event__startswith="reduction:")
