"""After a restore: what happened since the backup is found on M-Pesa's own statement.

The restored rows do not know what was sent since. Sent again, it would be under other ids, and
M-Pesa would pay it twice. So nothing leaves (PayoutStop) until the portal's statements of all our
numbers were read from the backup's time to after the restore, every withdrawal on them is
explained, and a person lets money leave.
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
from payments.daraja.portal_statement import Movement, PortalFile, read_portal_file
from payments.evidence import is_our_number, receiving_number, record_on_statement
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

from .receipts import IncomingPayment, find_receipt, may_name_its_order, record_receipt
from .returns import take_in_returned
from .statement_rows import store_row
from .withdrawals import settle_again, take_in_withdrawal

logger = logging.getLogger(__name__)


class CannotBeRead(ValueError):
    """A statement cannot be taken in. Its text is a plain sentence."""


@transaction.atomic
def stop_after_restore(*, lost_since: datetime, now: datetime) -> PayoutStop:
    """Let nothing leave the shop that was restored from a backup taken at ``lost_since``.

    Pull Transactions is read at once. Safe to repeat: of two backups the older one's time counts,
    and what was read of the portal's statements before this moment does not show the end of it.
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
    logger.critical("payouts are stopped: %s", stop.reason)
    return stop


@dataclass(frozen=True, slots=True)
class Statement:
    """A downloaded statement: of which number of ours, and the period it was asked for."""

    file: PortalFile
    shortcode: str
    begins: datetime
    ends: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading statements: payments and withdrawals on them, how many of each were new
    to us, how many withdrawals nobody has explained yet, how many that came back are new to us, and
    how much came in that is neither a payment by M-Pesa's word for it nor came back.
    """

    payments: int
    new_payments: int
    withdrawals: int
    unexplained: int
    returned: int = 0
    unclear: int = 0


def open_statement(
    content: bytes, *, shortcode: str = "", begins: datetime | None = None, ends: datetime | None
) -> Statement:
    """Read a downloaded file; what it does not say itself is given.

    Raises UnreadableStatement, and CannotBeRead where it is not of a number of ours, or its period
    is not known or not over.
    """
    file = read_portal_file(content)
    named = file.shortcode or shortcode
    if not named:
        raise CannotBeRead("It does not say of which number it is: name it with --shortcode.")
    if named not in our_numbers() or (shortcode and shortcode != named):
        raise CannotBeRead(f"It is of {named}, not of {' or '.join(our_numbers())}.")
    first, last = begins or file.begins, ends or file.ends
    if first is None or last is None:
        raise CannotBeRead(
            "It does not say from when until when it was asked for: name that with --from and --to."
        )
    last = min(last, timezone.now())
    outside = [one for one in file.movements if not first <= one.at <= last]
    if first >= last or outside:
        raise CannotBeRead("It shows movements outside of the period it is said to be of.")
    return Statement(file, named, first, last, hashlib.sha256(content).hexdigest())


def read_statements(statements: Iterable[Statement]) -> Reading:
    """Take in what statements show: first what came, of all of them, then what left, and what of
    that came back.

    Safe to repeat. What is known already changes nothing.
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
                _keep_for_a_person(one, statement.shortcode)
    for statement in statements:
        for one in statement.file.movements:
            if one.came_back:
                returned += take_in_returned(one, shortcode=statement.shortcode)
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
    """Record a payment; whether it is new to us."""
    known = Receipt.objects.filter(provider=Provider.MPESA, number=one.receipt)
    same = known.filter(amount=one.amount).first()
    if same is not None and not may_name_its_order(same, one.reference):
        if is_our_number(shortcode):
            record_on_statement([same])
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


def _keep_for_a_person(one: Movement, shortcode: str) -> None:
    """Keep money that came in and credits nothing, as a row of Pull Transactions of its kind is."""
    note = f"{one.reason}: KES {one.amount} came to {shortcode}, not known to be a payment to us."
    if find_receipt(one.receipt) is not None:
        note = f"{one.reason}: about receipt {one.receipt}, which is counted as a payment."
    line = json.dumps(asdict(one) | {"shortcode": shortcode}, default=str)
    store_row(line, EventState.FAILED, note)


def our_numbers() -> list[str]:
    """The short codes money of the shop comes to and leaves from."""
    paying = settings.DARAJA_B2C_SHORTCODE if settings.DARAJA_INITIATOR_NAME else ""
    return [number for number in dict.fromkeys((receiving_number(), paying)) if number]


def what_is_missing(stop: PayoutStop) -> list[str]:
    """What is still to be done before money may leave after a restore, a sentence each."""
    if stop.lost_since is None:
        return []
    missing = []
    for number in our_numbers():
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
            "explained by no refund and no payout: say on the console what they were."
        )
    return missing


def _shown(when: datetime) -> str:
    return f"{when.astimezone(NAIROBI):%d %b %Y %H:%M:%S}"
