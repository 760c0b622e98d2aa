"""Problems that buyers report with order lines: their messages, pictures and outcomes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import User

from .lines import OrderTrack, price_left

if TYPE_CHECKING:
    from datetime import datetime

#: The longest text of one message.
MAX_TEXT = 2000
#: After a seller's own partial refund, how long the rest of the price is held: the buyer may report
#: the problem again if it is not enough.
PARTIAL_REFUND_HOLD = timedelta(days=1)
#: Maximum number of pictures per message.
MAX_PICTURES = 3


class ProblemKind(models.TextChoices):
    NOT_RECEIVED = "not_received", "not received"
    DAMAGED = "damaged", "damaged"
    WRONG_GOODS = "wrong_goods", "wrong goods"
    NOT_AS_DESCRIBED = "not_as_described", "not as described"


class ProblemState(models.TextChoices):
    OPEN = "open", "open"
    RETURNING = "returning", "goods being returned"  # the refund follows
    CLOSED = "closed", "closed"


class Outcome(models.TextChoices):
    """How a problem ended."""

    REFUNDED = "refunded", "refunded in full"
    REDUCED = "reduced", "partly refunded"
    RETURNED = "returned", "goods returned and refunded"
    DISMISSED = "dismissed", "closed without a refund"
    WITHDRAWN = "withdrawn", "withdrawn by the buyer"
    CANCELLED = "cancelled", "the line was cancelled"


#: Outcomes with a refund.
REFUNDING = (Outcome.REFUNDED, Outcome.REDUCED, Outcome.RETURNED, Outcome.CANCELLED)


class Party(models.TextChoices):
    """The party someone speaks or decides for. The shop's staff are never named to the others."""

    BUYER = "buyer"
    SELLER = "seller"
    SHOP = "shop"


class Undecided(models.Func):
    """1 for an undecided problem, 0 for a closed one: the first sort key of lists, indexed."""

    template = f"(CASE WHEN %(expressions)s = '{ProblemState.CLOSED}' THEN 0 ELSE 1 END)"
    output_field = models.IntegerField()

    def __init__(self, expression: Any = "state", **extra: Any) -> None:
        super().__init__(expression, **extra)


class ProblemQuerySet(models.QuerySet["Problem"]):
    def undecided(self) -> ProblemQuerySet:
        """Problems not closed yet; their sellers' earnings are held."""
        return self.exclude(state=ProblemState.CLOSED)

    def of_seller(self, seller: User | int) -> ProblemQuerySet:
        """Problems with a seller's sales. All seller views start from this queryset."""
        return self.filter(seller=seller)

    def not_settled_yet(self, now: datetime) -> ProblemQuerySet:
        """Problems closed by the seller with a partial refund within PARTIAL_REFUND_HOLD.

        The buyer was not asked, and may report the problem again.
        """
        return self.filter(
            outcome=Outcome.REDUCED,
            ended_by=Party.SELLER,
            closed_at__gt=now - PARTIAL_REFUND_HOLD,
        )

    def to_answer(self) -> ProblemQuerySet:
        """Undecided problems that wait for the buyer: the seller or the shop wrote last."""
        return self.undecided().filter(waiting_since__isnull=True)

    def end_with_line(self, line: OrderTrack, *, refunded: int) -> int:
        """Close the undecided problems of a line that is cancelled for another reason.

        ``refunded`` is KES. Call inside a transaction that holds the order's lock. Returns how
        many were closed.
        """
        return (
            self.undecided()
            .filter(track=line.pk)
            .update(
                state=ProblemState.CLOSED,
                outcome=Outcome.CANCELLED,
                refunded=refunded,
                closed_at=timezone.now(),
                waiting_since=None,
            )
        )


class Problem(models.Model):
    """A problem a buyer reports with one line. One at a time; its outcome is final.

    While it is undecided its line is ``disputed``. Changed under the lock of the line's order.
    """

    track = models.ForeignKey(OrderTrack, on_delete=models.PROTECT, related_name="problems")
    #: Of the line: their list of problems begins with it.
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="problems",
        db_index=False,  # problem_of_seller_newest begins with it
    )
    kind = models.CharField(max_length=16, choices=ProblemKind)
    state = models.CharField(max_length=9, choices=ProblemState, default=ProblemState.OPEN)
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True, default="")
    #: Who ended it; empty while it is undecided, and where its line was cancelled otherwise.
    ended_by = models.CharField(max_length=6, choices=Party, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    refunded = models.PositiveIntegerField(
        default=0, help_text="Whole Kenyan shillings refunded to the buyer."
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    #: Since when the buyer waits for an answer of seller or shop; None once there is one.
    waiting_since = models.DateTimeField(null=True, default=timezone.now)
    #: When each party was last notified of new messages (orders.problems.services).
    buyer_told_at = models.DateTimeField(null=True)
    seller_told_at = models.DateTimeField(null=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        verbose_name = "problem with goods"
        verbose_name_plural = "problems with goods"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                name="line_has_one_undecided_problem",
                fields=["track"],
                condition=~Q(state=ProblemState.CLOSED),
            ),
            models.CheckConstraint(
                name="problem_is_of_a_kind_there_is", condition=Q(kind__in=ProblemKind.values)
            ),
            models.CheckConstraint(
                name="problem_is_undecided_or_has_ended_somehow",
                condition=Q(
                    state__in=[ProblemState.OPEN, ProblemState.RETURNING],
                    outcome="",
                    ended_by="",
                    refunded=0,
                    closed_at__isnull=True,
                    decided_by__isnull=True,
                )
                | Q(
                    state=ProblemState.CLOSED,
                    outcome__in=REFUNDING,
                    refunded__gte=1,
                    closed_at__isnull=False,
                )
                | Q(
                    state=ProblemState.CLOSED,
                    outcome__in=[Outcome.DISMISSED, Outcome.WITHDRAWN],
                    refunded=0,
                    closed_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="problem_was_ended_by_somebody_who_may",
                condition=Q(outcome__in=["", Outcome.CANCELLED], ended_by="")
                | Q(
                    outcome__in=[Outcome.REFUNDED, Outcome.REDUCED, Outcome.RETURNED],
                    ended_by__in=[Party.SELLER, Party.SHOP],
                    decided_by__isnull=False,
                )
                | Q(outcome=Outcome.DISMISSED, ended_by=Party.SHOP, decided_by__isnull=False)
                | Q(outcome=Outcome.WITHDRAWN, ended_by=Party.BUYER, decided_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="problem_of_seller_newest"),
            models.Index(
                "seller", Undecided().desc(), F("id").desc(), name="problem_of_seller_undecided"
            ),
            models.Index(
                fields=["waiting_since"],
                name="problem_undecided",
                condition=~Q(state=ProblemState.CLOSED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, problem {self.pk}"

    @property
    def is_undecided(self) -> bool:
        """Whether it is not closed yet."""
        return self.state != ProblemState.CLOSED


class ProblemMessage(models.Model):
    """A message or a decision in the thread of a problem. Never changed or deleted."""

    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    party = models.CharField(max_length=6, choices=Party)
    #: For a decision: the outcome, or that the goods are returned first. Empty for a message.
    decided = models.CharField(
        max_length=9,
        choices=[*Outcome.choices, (ProblemState.RETURNING, "return requested")],
        blank=True,
        default="",
    )
    text = models.CharField(max_length=MAX_TEXT, blank=True)
    #: The request's Idempotency-Key, if any.
    idempotency_key = models.CharField(max_length=255, null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "message about a problem"
        verbose_name_plural = "messages about problems"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="problem_message_is_written_once_per_key",
                fields=["problem", "author", "idempotency_key"],
            ),
            models.CheckConstraint(
                name="problem_message_is_of_a_party", condition=Q(party__in=Party.values)
            ),
            models.CheckConstraint(
                name="problem_message_says_something", condition=~Q(text="") | ~Q(decided="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party}, {self.created_at:%d %b %Y %H:%M}"


class ProblemPicture(models.Model):
    """A picture attached to a message, re-encoded as WebP (omachemainproj.images).

    Stored in the database, not under /media/, where anyone who knows the name could fetch it:
    these pictures may show people's homes. Deleted when no longer needed (orders.retention).
    """

    message = models.ForeignKey(ProblemMessage, on_delete=models.PROTECT, related_name="pictures")
    image = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "picture of a problem"
        verbose_name_plural = "pictures of problems"
        default_permissions = ()

    def __str__(self) -> str:
        return f"picture {self.pk}"


class PriceReduction(models.Model):
    """A permanent reduction of a paid line's price.

    ``commission`` is the shop's part of the reduction, in KES; the seller bears the rest.
    """

    track = models.ForeignKey(OrderTrack, on_delete=models.PROTECT, related_name="reductions")
    problem = models.OneToOneField(Problem, on_delete=models.PROTECT, related_name="reduction")
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    commission = models.PositiveIntegerField(help_text="The shop's part of it.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="reduction_is_one_or_more_and_the_shops_part_is_part_of_it",
                condition=Q(amount__gte=1, commission__lte=F("amount")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} KES off line {self.track_id}"


def commission_of_reduction(line: OrderTrack, amount: int) -> int:
    """Return by how many KES the commission falls when a line's price is reduced by ``amount``.

    The remaining commission is proportional to the remaining price, rounded down as at the sale:
    in the seller's favour, and independent of the number of reductions.
    """
    if not line.commission:
        return 0
    return _commission_left(line, line.reduced) - _commission_left(line, line.reduced + amount)


def _commission_left(line: OrderTrack, reduced: int) -> int:
    return line.commission * (line.amount - reduced) // line.amount


def commission_left() -> CombinedExpression:
    """Database expression: a line's commission after its reductions, in KES."""
    # 250,000 times 250,000 overflows an integer column.
    return Cast(F("commission"), models.BigIntegerField()) * price_left() / F("amount")


def latest_problem_of(track: Any) -> models.QuerySet[Problem, Any]:
    """The ids of a line's problems, newest first; ``track`` may be an OuterRef."""
    return Problem.objects.filter(track=track).order_by("-pk").values("pk")
