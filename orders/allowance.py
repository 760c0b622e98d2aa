"""How much a buyer may hold in unpaid orders, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import User
from accounts.tokens import refuse
from omachemainproj.compiled_queries import Fixed, compiled
from products.models import hold_time

from . import hold_locks
from .models import Order, PaymentStatus

#: Maximum number of unpaid orders per buyer.
MAX_UNPAID_ORDERS = 3
#: Maximum number of different products held by a newcomer, and by a buyer who has paid before.
NEWCOMER_GOODS, CUSTOMER_GOODS = 10, 40
#: Maximum value held, in KES: more than one payment, and M-Pesa's daily limit of one phone.
NEWCOMER_VALUE, CUSTOMER_VALUE = 300_000, 500_000
#: The smallest payment, in KES, that makes a newcomer a customer and clears earlier lapses.
TRUSTED_PAYMENT = 100
#: How long a lapsed order counts against its buyer and its phone.
LAPSES_COUNT_FOR = timedelta(days=3)
#: The number of lapses without consequences. Each further one halves the limits and the hold time.
FORGIVEN_LAPSES = 1
#: From this number of lapses on, a buyer's holds can be preempted at any time.
LAPSES_UNTIL_PREEMPTIBLE = 4
#: The minimum hold time, however many orders lapsed.
SHORTEST_HOLD = timedelta(minutes=5)


class HoldRequest(NamedTuple):
    """Identifies who wants to hold goods: buyer id, paying phone, and network, if known."""

    buyer: int
    phone: str
    network: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a buyer may hold; ``lapses`` is the number of lapsed orders since the last payment."""

    has_paid: bool
    lapses: int

    @property
    def _halvings(self) -> int:
        return min(max(0, self.lapses - FORGIVEN_LAPSES), 8)

    @property
    def orders(self) -> int:
        return max(1, MAX_UNPAID_ORDERS - self._halvings)

    @property
    def goods(self) -> int:
        """Different goods in all unpaid orders."""
        return max(1, (CUSTOMER_GOODS if self.has_paid else NEWCOMER_GOODS) >> self._halvings)

    @property
    def value(self) -> int:
        """KES in all unpaid orders."""
        return CUSTOMER_VALUE if self.has_paid else NEWCOMER_VALUE

    @property
    def hold(self) -> timedelta:
        """How long an order holds its goods; up to twice as long while its buyer retries to pay."""
        return min(hold_time(), max(SHORTEST_HOLD, hold_time() / 2**self._halvings))

    @property
    def is_exclusive(self) -> bool:
        """Whether other buyers cannot preempt the goods while a prompt is open."""
        return self.lapses < LAPSES_UNTIL_PREEMPTIBLE


def lock_and_read_allowance(hold_request: HoldRequest) -> Allowance:
    """Lock a buyer and, on PostgreSQL, the phone; return the buyer's allowance. One query.

    After this, what they hold can be counted. Call inside a transaction, before any other lock.
    For newcomers the phone's lapses count, too; buyers who have paid are not affected by what
    strangers do with their phone. Refuses (401) a buyer whose account was closed while waiting for
    the lock.
    """
    rows = _locked_buyer(
        hold_request.buyer,
        hold_request.phone,
        hold_locks.name_of_phone(hold_request.phone),
        timezone.now() - LAPSES_COUNT_FOR,
        connection.vendor,
    )
    if not rows:
        refuse("user_inactive")
    [(_, has_paid, own, of_phone)] = rows
    return Allowance(has_paid, own if has_paid else max(own, of_phone))


def read_allowance(hold_request: HoldRequest) -> Allowance:
    """Like ``lock_and_read_allowance``, without locks."""
    since = timezone.now() - LAPSES_COUNT_FOR
    [(has_paid, own, of_phone)] = _buyer(hold_request.buyer, hold_request.phone, since)
    return Allowance(has_paid, own if has_paid else max(own, of_phone))


@compiled
def _locked_buyer(
    buyer: int, phone: str, lock_name: str, since: datetime, vendor: Fixed[str]
) -> QuerySet[Any, Any]:
    people = _allowance_of(buyer, phone, since).filter(is_active=True)
    row = people.select_for_update(no_key=True)
    return row.values_list(hold_locks.lock_in_query(lock_name, vendor), *_ALLOWANCE)


@compiled
def _buyer(buyer: int, phone: str, since: datetime) -> QuerySet[Any, Any]:
    return _allowance_of(buyer, phone, since).values_list(*_ALLOWANCE)


_ALLOWANCE = ("has_paid", "own_lapses", "phone_lapses")


_OF_AN_ACCOUNT = Q(guest__isnull=True) | ~Q(guest=F("buyer"))


def _allowance_of(buyer: int, phone: str, since: datetime) -> QuerySet[User]:
    """The buyer, annotated with the columns of an allowance."""
    paid = Order.objects.filter(payment_status=PaymentStatus.PAID, amount__gte=TRUSTED_PAYMENT)
    lapsed, later = Order.objects.lapsed().filter(created_at__gte=since), OuterRef("created_at")
    # Payments of a guest's phone do not make anyone who enters it a customer until it is verified;
    # and orders that strangers let lapse with a phone do not count against its verified owner.
    own = lapsed.filter(buyer=OuterRef("pk"), guest__isnull=True).exclude(
        Exists(paid.filter(buyer=OuterRef("buyer"), created_at__gt=later))
    )
    of_phone = lapsed.filter(mpesa_number=phone).exclude(
        Exists(paid.filter(mpesa_number=OuterRef("mpesa_number"), created_at__gt=later))
    )
    return User.objects.filter(pk=buyer).annotate(
        has_paid=Exists(paid.filter(_OF_AN_ACCOUNT, buyer=OuterRef("pk"))),
        own_lapses=_count(own),
        phone_lapses=_count(of_phone),
    )


def _count(orders: QuerySet[Order]) -> Subquery:
    # COUNT without GROUP BY always returns a row.
    return Subquery(orders.annotate(n=Func(F("pk"), function="COUNT")).values("n"))
