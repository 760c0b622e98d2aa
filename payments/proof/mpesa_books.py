"""Compares the shop's books with M-Pesa's statement of the last two days and with its balances.

Pull Transactions shows incoming payments only, which are compared one by one, both ways. Outgoing
money is only visible in the balance, which M-Pesa sends as a result.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, F, PositiveIntegerField, Q, Sum, When
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from payments import gateway
from payments.daraja.errors import DarajaUnknown
from payments.daraja.results import Result, read_transfer_callback
from payments.daraja.statement import StatementRow
from payments.daraja.transaction_types import Direction
from payments.daraja.values import UnreadableCallback
from payments.ledger import balance
from payments.models import (
    Account,
    EventState,
    GatewayEvent,
    Payout,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    RefundMethod,
    StatementPull,
    TransferStatus,
    Verification,
)
from payments.models.transfers import UNDER_WAY
from payments.shortcodes import receiving_shortcode

from .prove import one_moment

#: How far back M-Pesa's statement goes, minus a margin for clocks that differ.
_STATEMENT_PERIOD = timedelta(hours=47, minutes=50)
#: A payment younger than this may not be in the books yet.
_SETTLED = timedelta(minutes=10)
#: Margin at the far end, since a payment's time is M-Pesa's and its receipt's is ours.
_EDGE = timedelta(hours=1)
#: A receipt without a number gets it from the statement within this time, or never.
_NUMBERED_WITHIN = timedelta(hours=25)
MAX_PAGES = 400
#: Accounts that hold no money, only charges paid.
NO_MONEY = {"Charges Paid Account"}
#: Seconds to wait for the result of a balance query, and between two looks.
BALANCE_WITHIN, LOOK_EVERY = 60.0, 0.2


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sentence for each difference, and one about what was compared."""

    differences: list[str]
    summary: str


def compare_with_mpesa(
    *, opening_balance: int | None = None, patience: float = BALANCE_WITHIN
) -> Comparison:
    """Compare with M-Pesa's statement and, given ``opening_balance`` (KES), with its balances.

    The opening balance is what M-Pesa holds in addition to the ledger: deposits minus withdrawals
    and charges. ``patience`` is how many seconds to wait for the balances. The books are not
    changed, and no transaction is open during calls to M-Pesa.

    Raises DarajaRefused and DarajaUnknown if M-Pesa cannot be queried.
    """
    now = timezone.now()
    start, settled = now - _STATEMENT_PERIOD, now - _SETTLED
    rows = [row for number in _numbers_read(now) for row in _statement(number, start, now)]
    numbers = sorted({receiving_shortcode(), _paying_number()})
    held = {number: _query_balance(number, patience) for number in numbers if number}
    with one_moment():
        known = _receipts([row.receipt for row in rows])
        differences = [
            *_differences_of_rows(rows, known, settled),
            *_differences_of_receipts({row.receipt for row in rows}, start, settled),
        ]
        differences += [
            f"M-Pesa did not report the balance of {number} within {patience:.0f} seconds, "
            "so it was not compared."
            for number, amount in held.items()
            if amount is None
        ]
        balances = "its balance is not known"
        if all(amount is not None for amount in held.values()):
            total = sum((amount for amount in held.values() if amount is not None), Decimal(0))
            balances = f"it holds KES {total:,.2f}, the ledger says KES "
            balances += f"{balance(Account.MPESA_CLEARING):,}"
            if opening_balance is not None:
                differences += _differences_of_balance(total, opening_balance, rows, known)
                balances += f", plus an opening balance of KES {opening_balance:,}"
    incoming = [row for row in rows if row.direction == Direction.IN and not row.is_reversal]
    since = f"{start.astimezone(NAIROBI):%d %b %Y %H:%M}"
    amount = sum(row.amount for row in incoming)
    return Comparison(
        differences,
        f"M-Pesa's statement since {since} was compared: {len(incoming)} payments, KES {amount:,} "
        f"in; {balances}.",
    )


def _paying_number() -> str:
    number: str = settings.DARAJA_B2C_SHORTCODE
    return number if settings.DARAJA_INITIATOR_NAME else ""


def _numbers_read(now: datetime) -> list[str]:
    """The number that is paid to, and former ones, to which something may have been paid lately."""
    receiving = receiving_shortcode()
    former = StatementPull.objects.exclude(shortcode=receiving).order_by("pk")
    read = former.filter(read_until__gte=now - _STATEMENT_PERIOD)
    return [receiving, *read.values_list("shortcode", flat=True)]


def _statement(shortcode: str, start: datetime, end: datetime) -> Iterator[StatementRow]:
    offset = 0
    for _ in range(MAX_PAGES):
        page = gateway.daraja().pull_transactions(
            start=start, end=end, offset=offset, shortcode=shortcode
        )
        if page.is_last:
            return
        yield from page.rows
        offset += page.size
    raise DarajaUnknown(f"the statement has more than {MAX_PAGES} pages")


def _receipts(numbers: list[str]) -> dict[str, int]:
    """Our amount in KES for each of these receipt numbers; 0 for one written off as never
    arrived."""
    never = When(verification=Verification.NEVER_CAME, then=0)
    counted = Case(never, default=F("amount"), output_field=PositiveIntegerField())
    amounts: dict[str, int] = {}
    for begin in range(0, len(numbers), 500):
        some = Receipt.objects.filter(
            provider=Provider.MPESA, number__in=numbers[begin : begin + 500]
        )
        amounts |= dict(some.values_list("number", counted))
    return amounts


def _differences_of_rows(
    rows: list[StatementRow], known: dict[str, int], settled: datetime
) -> Iterator[str]:
    for row in rows:
        if row.paid_at is not None and row.paid_at > settled:
            continue
        if row.is_reversal:
            yield from _difference_of_reversal(row)
        elif row.direction != Direction.IN:
            continue
        elif row.receipt not in known:
            yield (
                f"M-Pesa received KES {row.amount} as {row.receipt}; the shop has no record of it."
            )
        elif known[row.receipt] != row.amount:
            yield (
                f"M-Pesa received KES {row.amount} as {row.receipt}; "
                f"the shop recorded KES {known[row.receipt]}."
            )


def _difference_of_reversal(row: StatementRow) -> Iterator[str]:
    of_payment = Q(receipt__number=row.reverses or row.receipt)
    back = Refund.objects.filter(
        of_payment | Q(number=row.receipt),
        status=TransferStatus.DONE,
        way__in=[RefundMethod.OUTSIDE, RefundMethod.REVERSAL],
    )
    if not back.exists():
        payment = row.reverses or row.receipt
        yield f"M-Pesa reversed KES {row.amount} of {payment}; the shop has no record of it."


def _differences_of_receipts(shown: set[str], start: datetime, settled: datetime) -> Iterator[str]:
    ours = Receipt.objects.filter(
        Q(paid_at__isnull=True) | Q(paid_at__gte=start + _EDGE, paid_at__lte=settled),
        provider=Provider.MPESA,
        amount__gt=0,
        created_at__gte=start + _EDGE,
        created_at__lte=settled,
    ).order_by("pk")
    # Returned transfers go to the number that pays out, which Pull Transactions does not show; and
    # what was written off, or moved to another order, is not expected there.
    ours = ours.exclude(source=ReceiptSource.RETURNED)
    ours = ours.exclude(verification=Verification.NEVER_CAME)
    for number, amount in ours.exclude(number="").values_list("number", "amount"):
        if number not in shown:
            yield (
                f"The shop recorded {number} of KES {amount}; M-Pesa's statement does not show it."
            )
    without_number = ours.filter(number="", created_at__lte=timezone.now() - _NUMBERED_WITHIN)
    for receipt_id, amount in without_number.values_list("pk", "amount"):
        yield f"Receipt {receipt_id} of KES {amount} has no number yet, so it cannot be compared."


def _differences_of_balance(
    held: Decimal, opening_balance: int, rows: list[StatementRow], known: dict[str, int]
) -> Iterator[str]:
    ours = balance(Account.MPESA_CLEARING) + opening_balance
    # Payments of the last minutes are in M-Pesa's balance but not yet in our books.
    coming = sum(
        row.amount
        for row in rows
        if row.direction == Direction.IN and not row.is_reversal and row.receipt not in known
    )
    leaving = sum(
        model.objects.filter(status__in=UNDER_WAY).aggregate(total=Sum("amount"))["total"] or 0
        for model in (Refund, Payout)
    )
    if not ours + coming - leaving <= held <= ours + coming:
        under_way = f", of which KES {leaving:,} may have been sent" if leaving else ""
        yield (
            f"M-Pesa holds KES {held:,.2f}; our books say KES {ours + coming:,}{under_way}. "
            "Charges, deposits and withdrawals on the portal are not in our books."
        )


def _query_balance(number: str, patience: float) -> Decimal | None:
    """The balance of a number in KES; None if M-Pesa does not send it in time."""
    token = gateway.new_balance_token()
    address = gateway.callback_url(token)
    gateway.daraja().account_balance(
        shortcode=number, result_url=address, queue_timeout_url=address
    )
    give_up = time.monotonic() + patience
    while (found := _read_balance(token)) is None and time.monotonic() < give_up:
        time.sleep(LOOK_EVERY)
    return found


def _read_balance(token: str) -> Decimal | None:
    """The balance that was posted to the address of a query, or None."""
    for event in GatewayEvent.objects.filter(token=token).order_by("pk"):
        try:
            result = read_transfer_callback(bytes(event.body))
        except UnreadableCallback:
            continue
        if isinstance(result, Result) and result.succeeded and result.holdings:
            GatewayEvent.objects.filter(pk=event.pk).update(
                state=EventState.APPLIED,
                note="The balance that prove queried.",
                applied_at=timezone.now(),
            )
            counted = (amount for name, amount in result.holdings.items() if name not in NO_MONEY)
            return sum(counted, Decimal(0))
    return None
