"""Imports statements of our short codes that were downloaded from M-Pesa's portal.

Any of them can be read at any time: payments and transfers that no row shows are recorded. After a
restore they have to be: the restored rows do not show what was sent since the backup, sending it
again would use other ids, and M-Pesa would pay it twice. So nothing leaves (PayoutStop) until the
statements of all our short codes were read from the backup's time to after the restore, every
withdrawal on them is explained, and staff lift the stop.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from omachemainproj.money import format_kes
from payments.daraja.portal_statement import Movement, PortalFile, read_portal_file
from payments.evidence import record_on_statement
from payments.models import (
    EventState,
    PayoutStop,
    PortalStatement,
    Provider,
    Receipt,
    ReceiptSource,
    StatementPull,
    StopCause,
    Withdrawal,
)
from payments.shortcodes import receiving_shortcode, was_our_shortcode

from .incoming import IncomingPayment, may_name_its_order, record_receipt
from .receipts import find_receipt
from .returns import record_returned_payment
from .statement_rows import store_row
from .withdrawals import settle_again, take_in_withdrawal

logger = logging.getLogger(__name__)


class CannotBeRead(ValueError):
    """A statement cannot be read. Its text can be shown to staff."""


@transaction.atomic
def stop_after_restore(*, lost_since: datetime, now: datetime) -> PayoutStop:
    """Stop all transfers of a shop that was restored from a backup taken at ``lost_since``.

    Pull Transactions is read immediately. Safe to repeat: of two backups the older one's time
    counts, and portal statements read before now do not cover the end of the gap.
    """
    at = f"{lost_since.astimezone(NAIROBI):%d %b %Y %H:%M}"
    stop, is_new = PayoutStop.objects.get_or_create(
        cause=StopCause.RESTORE,
        is_open=True,
        defaults={
            "lost_since": lost_since,
            "reason": f"The database was restored from a backup of {at}.",
        },
    )
    if not is_new and stop.lost_since is not None and lost_since < stop.lost_since:
        stop.lost_since, stop.reason = lost_since, f"It was restored from a backup of {at}."
        stop.save(update_fields=["lost_since", "reason"])
    StatementPull.objects.update(next_pull_at=now)
    logger.critical("transfers are stopped: %s", stop.reason)
    return stop


@dataclass(frozen=True, slots=True)
class Statement:
    """A downloaded statement, with its short code and the period it was requested for."""

    file: PortalFile
    shortcode: str
    begins: datetime
    ends: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading statements: counts of payments, withdrawals and returned transfers, of
    those that were new, of withdrawals not explained yet, and of incoming money that is neither a
    payment nor a returned transfer."""

    payments: int
    new_payments: int
    withdrawals: int
    unexplained: int
    returned: int = 0
    unclear: int = 0


def open_statement(
    content: bytes, *, shortcode: str = "", begins: datetime | None = None, ends: datetime | None
) -> Statement:
    """Parse a downloaded file; the arguments supply what it does not say itself.

    Raises UnreadableStatement, and CannotBeRead if it is not of one of our short codes, now or
    formerly, or its period is unknown or not over.
    """
    file = read_portal_file(content)
    named = file.shortcode or shortcode
    if not named:
        raise CannotBeRead("It does not name its short code: pass it as --shortcode.")
    is_ours = named in our_shortcodes() or was_our_shortcode(named)
    if not is_ours or (shortcode and shortcode != named):
        raise CannotBeRead(f"It is of {named}, not of {' or '.join(our_shortcodes())}.")
    first, last = begins or file.begins, ends or file.ends
    if first is None or last is None:
        raise CannotBeRead("It does not state its period: pass it as --from and --to.")
    last = min(last, timezone.now())
    outside = [one for one in file.movements if not first <= one.at <= last]
    if first >= last or outside:
        raise CannotBeRead("It shows movements outside its stated period.")
    return Statement(file, named, first, last, hashlib.sha256(content).hexdigest())


def read_statements(statements: Iterable[Statement]) -> Reading:
    """Record what statements show: first all payments, then withdrawals, then returned transfers.

    Safe to repeat. Known movements change nothing.
    """
    statements = list(statements)
    payments = new = withdrawals = returned = unclear = 0
    for statement in statements:
        came = [one for one in statement.file.movements if one.is_payment]
        payments += len(came)
        new += sum(_take_in_payment(one, statement.shortcode) for one in came)
    for statement in statements:
        for one in statement.file.movements:
            if not one.came_in:
                withdrawals += 1
                take_in_withdrawal(one, shortcode=statement.shortcode)
            elif one.is_unclear:
                unclear += 1
                _store_for_staff(one, statement.shortcode)
    for statement in statements:
        for one in statement.file.movements:
            if one.is_returned_transfer:
                returned += record_returned_payment(one, shortcode=statement.shortcode)
        PortalStatement.objects.get_or_create(
            shortcode=statement.shortcode,
            sha256=statement.sha256,
            read_from=statement.begins,
            read_until=statement.ends,
            defaults={"rows": len(statement.file.movements) + statement.file.others},
        )
    unexplained = [
        pk
        for pk in Withdrawal.objects.still_open().values_list("pk", flat=True)
        if not settle_again(pk)
    ]
    return Reading(payments, new, withdrawals, len(unexplained), returned, unclear)


def _take_in_payment(one: Movement, shortcode: str) -> bool:
    """Record a payment; return whether it is new."""
    known = Receipt.objects.filter(provider=Provider.MPESA, number=one.receipt)
    same = known.filter(amount=one.amount).first()
    if same is not None and not may_name_its_order(same, one.reference):
        if shortcode != settings.DARAJA_B2C_SHORTCODE:
            record_on_statement([same], shortcode=shortcode)
        return False
    is_new = not known.exists()
    record_receipt(
        IncomingPayment(
            provider=Provider.MPESA,
            number=one.receipt,
            amount=one.amount,
            source=ReceiptSource.STATEMENT,
            reference=one.reference,
            phone=one.phone,
            paid_at=one.at,
            shortcode=shortcode,
        )
    )
    return is_new


def _store_for_staff(one: Movement, shortcode: str) -> None:
    """Store incoming money that credits nothing for staff, like such a row of Pull Transactions."""
    note = (
        f"{one.reason}: {format_kes(one.amount)} to {shortcode}, not known to be a payment to us."
    )
    if find_receipt(one.receipt) is not None:
        note = f"{one.reason}: about receipt {one.receipt}, which is recorded as a payment."
    line = json.dumps(asdict(one) | {"shortcode": shortcode}, default=str)
    store_row(line, EventState.FAILED, note)


def our_shortcodes() -> list[str]:
    """The short codes that receive and send the shop's money."""
    paying = settings.DARAJA_B2C_SHORTCODE if settings.DARAJA_INITIATOR_NAME else ""
    return [number for number in dict.fromkeys((receiving_shortcode(), paying)) if number]


def reasons_not_to_resume(stop: PayoutStop) -> list[str]:
    """What is still to be done after a restore before transfers may resume, one sentence each."""
    if stop.lost_since is None:
        return []
    missing = []
    for number in our_shortcodes():
        until = PortalStatement.objects.covered_until(number, stop.lost_since)
        if until is None or until < stop.created_at:
            begin = until or stop.lost_since
            missing.append(
                f"M-Pesa's statement of {number} has to be read from {_shown(begin)} to "
                f"{_shown(stop.created_at)} or later: python manage.py read_statement."
            )
    count = Withdrawal.objects.still_open().count()
    if count:
        missing.append(
            f"{count} withdrawal{'s' if count > 1 else ''} on it {'are' if count > 1 else 'is'} "
            "not explained by any refund or payout. Explain every one on the console."
        )
    return missing


def _shown(when: datetime) -> str:
    return f"{when.astimezone(NAIROBI):%d %b %Y %H:%M:%S}"
