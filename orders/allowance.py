"""How much unpaid goods a buyer may hold, and for how long.

Also the locks under which it is read and what is held already is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.utils import timezone

from accounts.models import User
from accounts.tokens import refuse
from omachemainproj.compiled_queries import Fixed, compiled

from .models import Order, PaymentStatus

#: Unpaid orders of one buyer.
MAX_UNPAID_ORDERS = 3
#: Different goods that one buyer may hold: who has never paid here, and who has.
NEWCOMER_GOODS, CUSTOMER_GOODS = 10, 40
#: And KES: more than one payment's worth, and what M-Pesa lets one phone pay in a day.
NEWCOMER_VALUE, CUSTOMER_VALUE = 300_000, 500_000
#: The least payment, in KES, that makes a customer of a newcomer and wipes out what lapsed before.
TRUSTED_PAYMENT = 100
#: How long a lapsed order counts against who placed it, and whose phone it named.
LAPSES_COUNT_FOR = timedelta(days=3)
#: So many of them harm nobody. Each one more halves what one may hold, and how long.
FORGIVEN_LAPSES = 1
#: From so many on, whatever is held yields at once to whoever wants it.
LAPSES_UNTIL_PREEMPTIBLE = 4
#: How long a hold is at least, however many lapsed.
SHORTEST_HOLD = timedelta(minutes=5)


def hold_time() -> timedelta:
    """How long goods are held for an unpaid order."""
    return timedelta(minutes=settings.ORDER_HOLD_MINUTES)


class HoldRequest(NamedTuple):
    """Who wants to hold goods: the buyer's id, the phone that pays, and the network, if known."""

    buyer: int
    phone: str
    network: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one may hold: ``lapses`` is how many orders lapsed since the last payment."""

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
        """How long an order holds its goods; twice as long where its buyer keeps trying to pay."""
        return min(hold_time(), max(SHORTEST_HOLD, hold_time() / 2**self._halvings))

    @property
    def is_exclusive(self) -> bool:
        """Whether nobody else can have the goods while the phone rings."""
        return self.lapses < LAPSES_UNTIL_PREEMPTIBLE


def lock_and_read_allowance(hold_request: HoldRequest) -> Allowance:
    """Lock a buyer, and on PostgreSQL whoever else places an order for this phone.

    What they hold can be counted from here on. Call inside a transaction, before anything else is
    locked. One query. Who has never paid answers for the phone's lapses too: whose phone a stranger
    names can still buy, and who has paid is no worse off at all. Refuses (401) a buyer whose
    account was closed while they waited.
    """
    rows = _locked_buyer(
        hold_request.buyer,
        hold_request.phone,
        _lock_name("phone", hold_request.phone),
        timezone.now() - LAPSES_COUNT_FOR,
        connection.vendor,
    )
    if not rows:
        refuse("user_inactive")
    [(_, has_paid, own, of_phone)] = rows
    return Allowance(has_paid, own if has_paid else max(own, of_phone))


def read_allowance(hold_request: HoldRequest) -> Allowance:
    """The same without a lock."""
    since = timezone.now() - LAPSES_COUNT_FOR
    [(has_paid, own, of_phone)] = _buyer(hold_request.buyer, hold_request.phone, since)
    return Allowance(has_paid, own if has_paid else max(own, of_phone))


def lock_phone(phone: str) -> None:
    """On PostgreSQL, wait for whoever places an order for this phone at this moment.

    On SQLite transactions come one after the other anyway.
    """
    _wait_for(_lock_name("phone", phone))


def lock_network(network: str) -> None:
    """The same for whoever places an order from this network.

    Thousands may share one, so call it late in a transaction: right before the goods are locked.
    """
    _wait_for(_lock_name("network", network))


def _lock_name(kind: str, value: str) -> str:
    return f"hold:{kind}:{value}"


def _wait_for(name: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


@compiled
def _locked_buyer(
    buyer: int, phone: str, lock_name: str, since: datetime, vendor: Fixed[str]
) -> QuerySet[Any, Any]:
    people = _allowance_of(buyer, phone, since).filter(is_active=True)
    row = people.select_for_update(no_key=True)
    name = Value(lock_name)
    lock = _advisory_lock(name) if vendor == "postgresql" else name
    return row.values_list(lock, *_ALLOWANCE)


def _advisory_lock(name: Value) -> Func:
    # What it returns is void, which reads as an empty text.
    return Func(
        Func(name, Value(0), function="hashtextextended"),
        template="pg_advisory_xact_lock(%(expressions)s)::text",
        output_field=TextField(),
    )


@compiled
def _buyer(buyer: int, phone: str, since: datetime) -> QuerySet[Any, Any]:
    return _allowance_of(buyer, phone, since).values_list(*_ALLOWANCE)


_ALLOWANCE = ("has_paid", "own_lapses", "phone_lapses")


_OF_AN_ACCOUNT = Q(guest__isnull=True) | ~Q(guest=F("buyer"))


def _allowance_of(buyer: int, phone: str, since: datetime) -> QuerySet[User]:
    """The buyer with what their allowance goes by."""
    paid = Order.objects.filter(payment_status=PaymentStatus.PAID, amount__gte=TRUSTED_PAYMENT)
    lapsed, later = Order.objects.lapsed().filter(created_at__gte=since), OuterRef("created_at")
    # What a guest's phone paid vouches for nobody who types it, until it is proved; and what
    # strangers ordered with a phone and let lapse speaks against nobody who proves it.
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
    # No GROUP BY: then there is always one row.
    return Subquery(orders.annotate(n=Func(F("pk"), function="COUNT")).values("n"))
