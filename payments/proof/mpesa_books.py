"""The shop's books against M-Pesa's: its statement of the last two days, and what it holds of ours.

Pull Transactions shows what came in, so that is compared payment by payment, both ways. What went
out is on no statement that can be pulled: it is in the balance, which M-Pesa tells by a result.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, Sum
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
    TransferStatus,
)
from payments.models.transfers import UNDER_WAY

from .prove import one_moment

#: How far back M-Pesa's statement goes, less a little for clocks that differ.
REACH = timedelta(hours=47, minutes=50)
#: News may be on its way for so long: what is younger is in nobody's books for sure.
SETTLED = timedelta(minutes=10)
#: A payment's time is M-Pesa's, its receipt's is ours: so far apart they may be at the far end.
EDGE = timedelta(hours=1)
#: Until a receipt without a number is on the statement under one, or never.
NAMED_WITHIN = timedelta(hours=25)
MAX_PAGES = 400
#: Accounts that hold no money: what was paid for the others' movements.
NO_MONEY = {"Charges Paid Account"}
#: How long the result of a balance query is waited for, in seconds, and how often it is looked for.
BALANCE_WITHIN, LOOK_EVERY = 60.0, 0.2


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, a sentence each, and what was compared, in one."""

    differences: list[str]
    summary: str


def compare_with_mpesa(
    *, opening_balance: int | None = None, patience: float = BALANCE_WITHIN
) -> Comparison:
    """Compare with M-Pesa's statement and, given ``opening_balance`` (KES), with what it holds.

    The opening balance is what M-Pesa holds beside the ledger: what was put in, less what was taken
    out and its charges. ``patience`` is how many seconds the balance is waited for. Nothing of the
    books is written; no transaction is open while M-Pesa is asked.

    Raises DarajaRefused and DarajaUnknown where M-Pesa cannot be asked.
    """
    now = timezone.now()
    start, settled = now - REACH, now - SETTLED
    rows = list(_statement(start, now))
    numbers = sorted({settings.DARAJA_PARTY_B or settings.DARAJA_SHORTCODE, _paying_number()})
    held = {number: _ask_balance(number, patience) for number in numbers if number}
    with one_moment():
        known = _receipts([row.receipt for row in rows])
        differences = [
            *_differences_of_rows(rows, known, settled),
            *_differences_of_receipts({row.receipt for row in rows}, start, settled),
        ]
        differences += [
            f"M-Pesa did not say what {number} holds within {patience:.0f} seconds: "
            "nothing was compared with it."
            for number, amount in held.items()
            if amount is None
        ]
        said = "its balance is not known"
        if all(amount is not None for amount in held.values()):
            total = sum((amount for amount in held.values() if amount is not None), Decimal(0))
            said = f"it holds KES {total:,.2f}, the ledger says KES "
            said += f"{balance(Account.MPESA_CLEARING):,}"
            if opening_balance is not None:
                differences += _differences_of_balance(total, opening_balance, rows, known)
                said += f" and KES {opening_balance:,} lay beside it"
    came = [row for row in rows if row.direction == Direction.IN and not row.is_reversal]
    since = f"{start.astimezone(NAIROBI):%d %b %Y %H:%M}"
    amount = sum(row.amount for row in came)
    return Comparison(
        differences,
        f"M-Pesa's statement since {since} was compared: {len(came)} payments, KES {amount:,} in; "
        f"{said}.",
    )


def _paying_number() -> str:
    number: str = settings.DARAJA_B2C_SHORTCODE
    return number if settings.DARAJA_INITIATOR_NAME else ""


def _statement(start: datetime, end: datetime) -> Iterator[StatementRow]:
    offset = 0
    for _ in range(MAX_PAGES):
        page = gateway.daraja().pull_transactions(start=start, end=end, offset=offset)
        if page.is_last:
            return
        yield from page.rows
        offset += page.size
    raise DarajaUnknown(f"the statement has more than {MAX_PAGES} pages")


def _receipts(numbers: list[str]) -> dict[str, int]:
    """What we say came under each of these numbers, in KES."""
    found: dict[str, int] = {}
    for begin in range(0, len(numbers), 500):
        some = Receipt.objects.filter(
            provider=Provider.MPESA, number__in=numbers[begin : begin + 500]
        )
        found |= dict(some.values_list("number", "amount"))
    return found


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
            yield f"M-Pesa took KES {row.amount} under {row.receipt}; we know nothing of it."
        elif known[row.receipt] != row.amount:
            yield (
                f"M-Pesa took KES {row.amount} under {row.receipt}; "
                f"we say KES {known[row.receipt]}."
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
        yield f"M-Pesa took KES {row.amount} of {payment} back; we know nothing of it."


def _differences_of_receipts(shown: set[str], start: datetime, settled: datetime) -> Iterator[str]:
    ours = Receipt.objects.filter(
        Q(paid_at__isnull=True) | Q(paid_at__gte=start + EDGE, paid_at__lte=settled),
        provider=Provider.MPESA,
        amount__gt=0,
        created_at__gte=start + EDGE,
        created_at__lte=settled,
    ).order_by("pk")
    # What the shop had sent came back to the number that pays out: Pull Transactions shows none.
    ours = ours.exclude(source=ReceiptSource.RETURNED)
    for number, amount in ours.exclude(number="").values_list("number", "amount"):
        if number not in shown:
            yield f"We say that {number} brought KES {amount}; M-Pesa's statement does not show it."
    unnamed = ours.filter(number="", created_at__lte=timezone.now() - NAMED_WITHIN)
    for receipt_id, amount in unnamed.values_list("pk", "amount"):
        yield f"Receipt {receipt_id} of KES {amount} is on no statement: it has no number yet."


def _differences_of_balance(
    held: Decimal, opening_balance: int, rows: list[StatementRow], known: dict[str, int]
) -> Iterator[str]:
    ours = balance(Account.MPESA_CLEARING) + opening_balance
    # What came a moment ago is there already, and in no book of ours.
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
        under_way = f", of which KES {leaving:,} may have left" if leaving else ""
        yield (
            f"M-Pesa holds KES {held:,.2f}; by our books it is KES {ours + coming:,}{under_way}. "
            "Charges, and what was put in or taken out on the portal, are in no book of ours."
        )


def _ask_balance(number: str, patience: float) -> Decimal | None:
    """What a number holds, in KES; None where M-Pesa does not say so in time."""
    token = gateway.new_balance_token()
    address = gateway.callback_url(token)
    gateway.daraja().account_balance(
        shortcode=number, result_url=address, queue_timeout_url=address
    )
    give_up = time.monotonic() + patience
    while (told := _told(token)) is None and time.monotonic() < give_up:
        time.sleep(LOOK_EVERY)
    return told


def _told(token: str) -> Decimal | None:
    """What came to the address of a question, which is no refund's and no payout's."""
    for event in GatewayEvent.objects.filter(token=token).order_by("pk"):
        try:
            result = read_transfer_callback(bytes(event.body))
        except UnreadableCallback:
            continue
        if isinstance(result, Result) and result.succeeded and result.holdings:
            GatewayEvent.objects.filter(pk=event.pk).update(
                state=EventState.APPLIED,
                note="What M-Pesa holds, as prove asked.",
                applied_at=timezone.now(),
            )
            counted = (amount for name, amount in result.holdings.items() if name not in NO_MONEY)
            return sum(counted, Decimal(0))
    return None
