"""What must be true of the books at any moment, and the question whether it is.

Each rule asks the database for the rows that break it, and a healthy shop has none. What a
constraint forbids is not asked again. Nothing is locked and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils import timezone

from orders.models import Order, OrderTrack, PaymentStatus, TrackStatus
from products.models import Product, Review, SellerRating, StockMovement

from .enquiry import CHECK_AFTER, LEAST_BETWEEN
from .ledger import CLEARING, net
from .models import (
    OPEN,
    Account,
    AttemptStatus,
    EventState,
    GatewayEvent,
    LedgerEntry,
    LedgerPosting,
    OrderPayment,
    Receipt,
    Refund,
    Side,
    TransferStatus,
)
from .sending import CHECK_AFTER as REFUND_CHECK_AFTER
from .sending import LEAST_BETWEEN as LEAST_BETWEEN_QUESTIONS

#: Rows named for a broken rule; the rest is counted.
SHOWN = 20
#: The clock comes every ten seconds: what it has left alone for so long, it will not find.
FORGOTTEN = timedelta(minutes=5)
OVERDUE = timedelta(minutes=10)

#: Unpaid, or closed without money: nothing may have come for these, and nothing left the shelf.
_WITHOUT_MONEY = (PaymentStatus.REQUESTED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)
#: Where a line may be while its order stands so; anywhere, where an order's status is missing.
_LINES_OF = {
    PaymentStatus.REQUESTED: [TrackStatus.CREATED],
    PaymentStatus.PAID: [status for status in TrackStatus if status != TrackStatus.CREATED],
    PaymentStatus.CANCELLED: [TrackStatus.CANCELLED],
    PaymentStatus.EXPIRED: [TrackStatus.CANCELLED],
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule, and the rows that break it: the first of them, and how many more there are."""

    rule: str
    rows: str
    ids: list[int]
    more: int

    def __str__(self) -> str:
        named = ", ".join(map(str, self.ids)) + (f" and {self.more} more" if self.more else "")
        return f"{self.rule}: not so for {self.rows} {named}."


@dataclass(frozen=True, slots=True)
class Proof:
    """What was asked, of how much, and what is broken."""

    broken: list[Broken]
    rules: int
    orders: int
    receipts: int
    refunds: int


def prove(now: datetime | None = None) -> Proof:
    """Ask every rule of the database as it stands at one moment.

    Inside a transaction it is asked as that transaction sees it.
    """
    now = now or timezone.now()
    with one_moment():
        return Proof(
            broken=[broken for rule in RULES if (broken := _ask(rule, now))],
            rules=len(RULES),
            orders=Order.objects.count(),
            receipts=Receipt.objects.count(),
            refunds=Refund.objects.count(),
        )


@contextmanager
def one_moment() -> Iterator[None]:
    """Let all that is read inside belong to one moment, without a lock and without writing."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Five seconds are for a page; a whole shop takes longer.
            cursor.execute("SET LOCAL statement_timeout = '10min'")
            yield
    else:
        # Not Django's block, which takes the write lock on SQLite.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


@dataclass(frozen=True, slots=True)
class _Rule:
    says: str
    breaking: Callable[[datetime], QuerySet[Any]]


RULES: list[_Rule] = []

_Breaking = Callable[[datetime], QuerySet[Any]]


def _rule(says: str) -> Callable[[_Breaking], _Breaking]:
    """Enter a question into the list; what it finds breaks the rule."""

    def enter(breaking: _Breaking) -> _Breaking:
        RULES.append(_Rule(says, breaking))
        return breaking

    return enter


def _ask(rule: _Rule, now: datetime) -> Broken | None:
    breaking = rule.breaking(now)
    ids = list(breaking.order_by("pk").values_list("pk", flat=True)[:SHOWN])
    if not ids:
        return None
    more = breaking.count() - SHOWN if len(ids) == SHOWN else 0
    return Broken(rule.says, str(breaking.model._meta.verbose_name), ids, more)


def _total(rows: QuerySet[Any], *, by: str, of: Any) -> Coalesce:
    """Per row outside, the total of the rows inside that belong to it."""
    totals = rows.order_by().values(by).annotate(total=of).values("total")
    return Coalesce(Subquery(totals), 0, output_field=BigIntegerField())


# --- Goods -----------------------------------------------------------------------------------


@_rule("What a product holds is what its unpaid orders were promised")
def _held(now: datetime) -> QuerySet[Product]:
    promised = OrderTrack.objects.filter(
        product=OuterRef("pk"), order__payment_status=PaymentStatus.REQUESTED
    )
    return Product.objects.exclude(held=_total(promised, by="product", of=Sum("number")))


@_rule("What stands on the shelf is what its movements add up to")
def _moved(now: datetime) -> QuerySet[Product]:
    moves = StockMovement.objects.filter(product=OuterRef("pk"))
    return Product.objects.exclude(item_number=_total(moves, by="product", of=Sum("quantity")))


def _goods_left() -> Exists:
    reference = Concat(Value("order:"), Cast(OuterRef("order_id"), TextField()))
    return Exists(
        StockMovement.objects.filter(
            product=OuterRef("product_id"), reference=reference, quantity=-OuterRef("number")
        )
    )


@_rule("The goods of a paid order left the shelf, as many as were bought")
def _taken(now: datetime) -> QuerySet[OrderTrack]:
    return OrderTrack.objects.filter(~_goods_left(), order__payment_status=PaymentStatus.PAID)


@_rule("Nothing leaves the shelf for an order that is unpaid, cancelled or expired")
def _not_taken(now: datetime) -> QuerySet[OrderTrack]:
    return OrderTrack.objects.filter(_goods_left(), order__payment_status__in=_WITHOUT_MONEY)


# --- Reviews ---------------------------------------------------------------------------------


def _astray(rated: QuerySet[Any], *, by: str) -> QuerySet[Any]:
    """The rows whose sum or count is not that of their shown reviews."""
    shown = Review.objects.shown().filter(**{by: OuterRef("pk")})
    return rated.filter(
        ~Q(review_stars=_total(shown, by=by, of=Sum("stars")))
        | ~Q(review_count=_total(shown, by=by, of=Count("pk")))
    )


@_rule("A product's stars and reviews are those of its shown reviews")
def _rated(now: datetime) -> QuerySet[Product]:
    return _astray(Product.objects.all(), by="product")


@_rule("A seller's stars and reviews are those of the shown reviews of their goods")
def _sellers_rated(now: datetime) -> QuerySet[SellerRating]:
    return _astray(SellerRating.objects.all(), by="seller")


@_rule("A shown review counts for a seller")
def _counted(now: datetime) -> QuerySet[Review]:
    rating = SellerRating.objects.filter(pk=OuterRef("seller_id"))
    return Review.objects.shown().filter(~Exists(rating))


@_rule("A review is by the buyer of its line, of that product, and not of their own goods")
def _of_its_line(now: datetime) -> QuerySet[Review]:
    return Review.objects.exclude(
        ~Q(buyer=F("seller")),
        buyer=F("line__buyer"),
        product=F("line__product"),
        seller=F("line__seller"),
    )


# --- Orders ----------------------------------------------------------------------------------


@_rule("An order's amount is the sum of its lines")
def _sums(now: datetime) -> QuerySet[Order]:
    lines = OrderTrack.objects.filter(order=OuterRef("pk"))
    return Order.objects.exclude(amount=_total(lines, by="order", of=Sum("amount")))


@_rule("A line is where its order's status lets it be")
def _lines(now: datetime) -> QuerySet[OrderTrack]:
    astray = Q()
    for status, allowed in _LINES_OF.items():
        astray |= Q(order__payment_status=status) & ~Q(track_status__in=allowed)
    return OrderTrack.objects.filter(astray)


def _credited() -> Coalesce:
    """What came for an order, and what the shop bears of it."""
    receipts = Receipt.objects.filter(order=OuterRef("pk"))
    return _total(receipts, by="order", of=Sum(F("amount") + F("borne")))


def _owed() -> Coalesce:
    """What of that is owed back or went back."""
    refunds = Refund.objects.owed().filter(order=OuterRef("pk"))
    return _total(refunds, by="order", of=Sum("amount"))


def _with_money(orders: QuerySet[Order]) -> Any:
    return orders.annotate(credited=_credited(), owed=_owed())


@_rule("A paid order is covered by what came for it, and what is beyond that is owed back")
def _covered(now: datetime) -> QuerySet[Order]:
    paid = Order.objects.filter(payment_status=PaymentStatus.PAID)
    return _with_money(paid).exclude(credited=F("amount") + F("owed"))


@_rule("An order whose money is due back or went back has had money, and owes all of it back")
def _refundable(now: datetime) -> QuerySet[Order]:
    status = [PaymentStatus.REFUND_DUE, PaymentStatus.REFUNDED]
    due = _with_money(Order.objects.filter(payment_status__in=status))
    return due.filter(Q(credited=0) | ~Q(credited=F("owed")))


@_rule("An unpaid order has less than its amount, and owes nothing of it back")
def _waiting(now: datetime) -> QuerySet[Order]:
    credited = Receipt.objects.filter(order=OuterRef("pk"))
    unpaid = Order.objects.filter(Exists(credited), payment_status=PaymentStatus.REQUESTED)
    return _with_money(unpaid).filter(Q(credited__gte=F("amount")) | ~Q(owed=0))


@_rule("What came for a cancelled or expired order is owed back within five minutes")
def _uncredited(now: datetime) -> QuerySet[Order]:
    credited = Receipt.objects.filter(order=OuterRef("pk"), created_at__lt=now - FORGOTTEN)
    closed = (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)
    # One that closes with money in hand is looked after by the clock's next round.
    long_ago = Q(payment_status=PaymentStatus.CANCELLED) | Q(expires_at__lt=now - OVERDUE)
    return Order.objects.filter(Exists(credited), long_ago, payment_status__in=closed)


@_rule("An order is refunded when all that is owed back for it went back, and not before")
def _refunded(now: datetime) -> QuerySet[Order]:
    going = Refund.objects.owed().filter(order=OuterRef("pk")).exclude(status=TransferStatus.DONE)
    return Order.objects.annotate(is_going=Exists(going)).filter(
        Q(payment_status=PaymentStatus.REFUNDED, is_going=True)
        | Q(payment_status=PaymentStatus.REFUND_DUE, is_going=False)
    )


# --- Payments --------------------------------------------------------------------------------


@_rule("A confirmed attempt has a receipt, credited to its order")
def _proven(now: datetime) -> QuerySet[OrderPayment]:
    credited = Receipt.objects.filter(payment=OuterRef("pk"), order=OuterRef("order"))
    return OrderPayment.objects.filter(~Exists(credited), status=AttemptStatus.CONFIRMED)


@_rule("A receipt is credited through a confirmed attempt of its order")
def _attempted(now: datetime) -> QuerySet[Receipt]:
    attempt = OrderPayment.objects.filter(
        pk=OuterRef("payment_id"), order=OuterRef("order_id"), status=AttemptStatus.CONFIRMED
    )
    return Receipt.objects.filter(~Exists(attempt), order__isnull=False)


@_rule("A receipt without an order says why")
def _explained(now: datetime) -> QuerySet[Receipt]:
    return Receipt.objects.filter(order__isnull=True, note="")


@_rule("A prompt is live only while its end is unknown")
def _live(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(live=True).exclude(status__in=OPEN)


@_rule("A submitted attempt has the request id M-Pesa gave it")
def _named(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(status=AttemptStatus.SUBMITTED, checkout_request_id="")


# --- The ledger ------------------------------------------------------------------------------


@_rule("Every posting balances, of two entries or more")
def _balanced(now: datetime) -> QuerySet[LedgerPosting]:
    totals = LedgerPosting.objects.annotate(
        count=Count("entries"), difference=Coalesce(_difference(), 0)
    )
    return totals.filter(Q(count__lt=2) | ~Q(difference=0))


def _difference() -> Sum:
    """The debits of a posting less its credits."""
    amount = F("entries__amount")
    return Sum(Case(When(entries__side=Side.DEBIT, then=amount), default=-amount))


def _posted(account: Account, side: Side) -> Coalesce:
    entries = LedgerEntry.objects.filter(posting__receipt=OuterRef("pk"), account=account)
    return _total(entries, by="posting__receipt", of=net(side))


@_rule("Every receipt is in the ledger with its amount, at the provider that has it")
def _in_ledger(now: datetime) -> QuerySet[Receipt]:
    astray = Q()
    for provider, account in CLEARING.items():
        astray |= Q(provider=provider) & ~Q(amount=_posted(account, Side.DEBIT))
    return Receipt.objects.filter(astray)


@_rule("What the ledger has at a provider came with a receipt and went with a refund")
def _of_a_receipt(now: datetime) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        account__in=CLEARING.values(), posting__receipt__isnull=True, posting__refund__isnull=True
    )


@_rule("A receipt's money is in suspense as long as it has no order and does not go back")
def _in_suspense(now: datetime) -> QuerySet[Receipt]:
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"), order__isnull=True)
    owed = _total(refunds, by="receipt", of=Sum("amount"))
    waiting = Case(When(order__isnull=True, then=F("amount") - owed), default=0)
    receipts = Receipt.objects.annotate(waiting_in_suspense=waiting)
    return receipts.exclude(waiting_in_suspense=_posted(Account.SUSPENSE, Side.CREDIT))


# --- Money that goes back --------------------------------------------------------------------


def _of_refund(account: Account, side: Side) -> Coalesce:
    entries = LedgerEntry.objects.filter(posting__refund=OuterRef("pk"), account=account)
    return _total(entries, by="posting__refund", of=net(side))


@_rule("A refund has left M-Pesa in the ledger when it is done, once, and not before")
def _given(now: datetime) -> QuerySet[Refund]:
    given = Case(When(status=TransferStatus.DONE, then=F("amount")), default=0)
    refunds = Refund.objects.annotate(given=given)
    return refunds.exclude(given=_of_refund(Account.MPESA_CLEARING, Side.CREDIT))


@_rule("What is owed back, and is not back, is what the ledger says is owed for the order")
def _payable(now: datetime) -> QuerySet[Order]:
    refunds = Refund.objects.owed().filter(order=OuterRef("pk"))
    open_ones = refunds.exclude(status=TransferStatus.DONE)
    entries = LedgerEntry.objects.filter(order=OuterRef("pk"), account=Account.REFUNDS_PAYABLE)
    orders = Order.objects.annotate(
        owed=_total(open_ones, by="order", of=Sum("amount")),
        posted=_total(entries, by="order", of=net(Side.CREDIT)),
    )
    return orders.exclude(owed=F("posted"))


@_rule("No more of a receipt goes back than came")
def _not_too_much(now: datetime) -> QuerySet[Receipt]:
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"))
    return Receipt.objects.annotate(back=_total(refunds, by="receipt", of=Sum("amount"))).filter(
        back__gt=F("amount") + F("borne")
    )


@_rule("Money goes back one way only")
def _one_way(now: datetime) -> QuerySet[Refund]:
    after = Refund.objects.filter(replaces=OuterRef("pk"))
    return Refund.objects.filter(Exists(after)).exclude(status=TransferStatus.REFUSED)


# --- Nothing waits without a date or a person --------------------------------------------------


@_rule("A message is acted on within five minutes")
def _acted_on(now: datetime) -> QuerySet[GatewayEvent]:
    return GatewayEvent.objects.filter(state=EventState.NEW, received_at__lt=now - FORGOTTEN)


@_rule("An attempt is sent or given up within five minutes")
def _sent(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(
        status=AttemptStatus.REQUESTED, created_at__lt=now - FORGOTTEN
    )


@_rule("A refund that is due is sent, or asked about, when it is time to")
def _looked_after(now: datetime) -> QuerySet[Refund]:
    return Refund.objects.due(now - OVERDUE)


@_rule("A refund without a next time has ended, or was asked about for two days")
def _refund_asked_about(now: datetime) -> QuerySet[Refund]:
    # After the last question a person looks (the console).
    last = timedelta(seconds=REFUND_CHECK_AFTER[-1]) - LEAST_BETWEEN_QUESTIONS
    undated = Refund.objects.filter(
        status__in=[TransferStatus.DUE, TransferStatus.UNKNOWN, TransferStatus.SENT],
        next_check_at__isnull=True,
        note="",
    )
    return undated.filter(
        Q(status=TransferStatus.DUE) | Q(sent_at__gt=now - last) | Q(sent_at__isnull=True)
    )


@_rule("An attempt that was sent is asked about until it ends, or for a day")
def _asked_about(now: datetime) -> QuerySet[OrderPayment]:
    # After the last check a person looks (docs/money.md, "At night").
    last = timedelta(seconds=CHECK_AFTER[-1]) - LEAST_BETWEEN
    sent = OrderPayment.objects.filter(
        status__in=[AttemptStatus.UNKNOWN, AttemptStatus.SUBMITTED], next_check_at__isnull=True
    )
    return sent.filter(Q(checked_at__isnull=True) | Q(checked_at__lt=F("rung_at") + last))


@_rule("An unpaid order is expired within ten minutes of its time")
def _expired(now: datetime) -> QuerySet[Order]:
    return Order.objects.overdue(now - OVERDUE)
