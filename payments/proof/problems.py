"""Problems: withheld earnings, outcomes and price reductions."""

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


@rule("A line is disputed exactly while a problem with it is undecided")
def disputed_line_has_problem(now: datetime) -> QuerySet[OrderTrack]:
    undecided = Exists(Problem.objects.undecided().filter(track=OuterRef("pk")))
    return OrderTrack.objects.annotate(undecided=undecided).exclude(disputed=F("undecided"))


@rule("A problem belongs to its line's seller and was reported by its line's buyer")
def problem_names_parties(now: datetime) -> QuerySet[Problem]:
    reported = ProblemMessage.objects.filter(
        problem=OuterRef("pk"), author=OuterRef("track__buyer"), party=Party.BUYER
    )
    return Problem.objects.filter(~Q(seller=F("track__seller")) | ~Exists(reported))


@rule("A message about a problem is by its line's buyer or seller, or by the shop")
def problem_message_has_author(now: datetime) -> QuerySet[ProblemMessage]:
    buyer, seller = Q(author=F("problem__track__buyer")), Q(author=F("problem__track__seller"))
    rightly = Q(party=Party.BUYER) & buyer | Q(party=Party.SELLER) & seller
    rightly |= Q(party=Party.SHOP) & ~buyer & ~seller
    return ProblemMessage.objects.exclude(rightly)


@rule("The decision about a problem is in its thread, with who made it")
def decision_is_in_thread(now: datetime) -> QuerySet[Problem]:
    announced = ProblemMessage.objects.filter(
        problem=OuterRef("pk"),
        decided=OuterRef("outcome"),
        author=OuterRef("decided_by"),
        party=OuterRef("ended_by"),
    )
    decided = Problem.objects.filter(decided_by__isnull=False)
    return decided.filter(~Exists(announced))


@rule("A problem refunded in full has its line cancelled, by the person who decided")
def full_refund_cancelled_line(now: datetime) -> QuerySet[Problem]:
    step = TrackEvent.objects.filter(
        track=OuterRef("track"), track_status=TrackStatus.CANCELLED, cause=""
    )
    decided = Q(outcome__in=[Outcome.REFUNDED, Outcome.RETURNED])
    return Problem.objects.filter(
        (decided & ~Exists(step.filter(actor=OuterRef("decided_by"))))
        | (Q(outcome=Outcome.CANCELLED) & ~Exists(step))
    )


@rule("A problem's refund is the rest of the line's price, or its reduction")
def problem_refund_matches_price(now: datetime) -> QuerySet[Problem]:
    reduced = PriceReduction.objects.filter(problem=OuterRef("pk"), track=OuterRef("track"))
    whole = Q(outcome__in=[Outcome.REFUNDED, Outcome.RETURNED, Outcome.CANCELLED])
    part = Q(outcome=Outcome.REDUCED)
    return Problem.objects.filter(
        (whole & ~Q(refunded=F("track__amount") - F("track__reduced")))
        | (part & ~Exists(reduced.filter(amount=OuterRef("refunded"))))
        | (~part & Exists(reduced))
    )


@rule("A line's reduction is the sum of its price reductions")
def line_reduction_is_sum(now: datetime) -> QuerySet[OrderTrack]:
    reductions = PriceReduction.objects.filter(track=OuterRef("pk"))
    return OrderTrack.objects.exclude(reduced=total(reductions, group_by="track", of=Sum("amount")))


@rule("The commission is reduced in proportion to the price")
def commission_falls_with_price(now: datetime) -> QuerySet[OrderTrack]:
    reductions = PriceReduction.objects.filter(track=OuterRef("pk"))
    return (
        OrderTrack.objects.filter(Exists(reductions))
        .annotate(
            given=total(reductions, group_by="track", of=Sum("commission")), left=commission_left()
        )
        .exclude(commission=F("given") + F("left"))
    )


@rule("A seller's earnings are reduced by their part of the price reductions")
def earnings_fall_with_price(now: datetime) -> QuerySet[SellerShare]:
    reductions = PriceReduction.objects.filter(track=OuterRef("track"))
    return SellerShare.objects.annotate(
        sellers=total(reductions, group_by="track", of=Sum(F("amount") - F("commission"))),
        shops=total(reductions, group_by="track", of=Sum("commission")),
    ).exclude(reduced=F("sellers"), commission_reduced=F("shops"))


@rule("Withheld earnings are in no payout that is still to be sent")
def withheld_earnings_are_not_sent(now: datetime) -> QuerySet[Payout]:
    held = SellerShare.objects.owed().filter(
        Q(track__disputed=True) | ~Q(withheld_why=""), payout=OuterRef("pk")
    )
    # One that M-Pesa did not accept is dropped when it would be sent again.
    return Payout.objects.filter(Exists(held), status=TransferStatus.DUE, sent_at__isnull=True)


@rule("Earnings have a carried amount exactly while they are in a payout")
def sent_earnings_have_amount(now: datetime) -> QuerySet[SellerShare]:
    return SellerShare.objects.filter(
        (Q(payout__isnull=True) & ~Q(carried=0)) | (Q(payout__isnull=False) & Q(carried=0))
    )


@rule("A decision by the shop about a problem was made on the console")
def shop_decision_is_audited(now: datetime) -> QuerySet[Problem]:
    audited: QuerySet[Audit] = audit_of(Problem, actor=OuterRef("decided_by"))
    return Problem.objects.filter(~Exists(audited), ended_by=Party.SHOP)


@rule("A return was requested in the thread before the goods came back")
def return_was_requested(now: datetime) -> QuerySet[Problem]:
    requested = ProblemMessage.objects.filter(
        problem=OuterRef("pk"), decided=ProblemState.RETURNING, party__in=[Party.SELLER, Party.SHOP]
    )
    back = Q(state=ProblemState.RETURNING) | Q(outcome=Outcome.RETURNED)
    return Problem.objects.filter(back, ~Exists(requested))


@rule("A payout on hold was put on hold by staff")
def payout_hold_is_audited(now: datetime) -> QuerySet[Payout]:
    return Payout.objects.filter(~Exists(audit_of(Payout)), on_hold_since__isnull=False)


@rule("The posting of a price reduction names one of its line")
def reduction_posting_matches(now: datetime) -> QuerySet[LedgerPosting]:
    name = Concat(Value("reduction:"), Cast(F("pk"), TextField()), output_field=TextField())
    reductions = PriceReduction.objects.annotate(event=name)
    named = reductions.filter(event=OuterRef("event"), track=OuterRef("share__track"))
    return LedgerPosting.objects.filter(~Exists(named), event__startswith="reduction:")
