"""Which refund or payout a withdrawal on M-Pesa's statement was: finds it, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from omachemainproj.phones import PhoneMatch, match_phone, normalise_phone
from payments.models import (
    Payout,
    PayoutStop,
    Refund,
    RefundMethod,
    Transfer,
    TransferStatus,
    Unnumbered,
    Withdrawal,
)
from payments.models.transfers import UNDER_WAY

#: Statuses of rows that may have been sent: staff may send a rejected one on the portal.
POSSIBLY_SENT = (*UNDER_WAY, TransferStatus.REFUSED)
#: By how much M-Pesa's clock and ours may differ.
CLOCKS_DIFFER = timedelta(minutes=2)


def find_by_number(withdrawal: Withdrawal) -> Transfer | None:
    """The payout or refund that was recorded under its number since it was read, as when staff say
    that they made it on the portal."""
    payout = Payout.objects.numbered(withdrawal.number).first()
    return payout or Refund.objects.numbered(withdrawal.number).first()


def find_by_request(ids: tuple[str, ...], amount: int) -> Transfer | None:
    """The row of the request that caused it, unless it has its number already."""
    if not ids:
        return None
    named = Q(originator_conversation_id__in=ids) | Q(conversation_id__in=ids)
    found: list[Transfer] = [
        row
        for model in (Payout, Refund)
        for row in model._default_manager.filter(named, amount=amount)
        .exclude(~Q(number=""), status=TransferStatus.DONE)
        .order_by("pk")
    ]
    return found[0] if len(found) == 1 else None


def find_only_candidate(withdrawal: Withdrawal) -> Transfer | None:
    """The row it fits by phone and amount; of a seller's equal payouts the oldest.

    None if it fits two people, or a refund as well as a payout.
    """
    if not is_full_number(withdrawal.phone):
        return None
    rows: list[Transfer] = list(candidates(withdrawal))
    payouts = [row for row in rows if isinstance(row, Payout)]
    of_one_seller = len({row.seller_id for row in payouts}) == 1 and len(payouts) == len(rows)
    return rows[0] if len(rows) == 1 or of_one_seller else None


def candidates(withdrawal: Withdrawal) -> Iterator[Payout | Refund]:
    """Refunds and payouts of this amount that may have been sent, to a phone it may have gone to.

    First those that M-Pesa reported as done without naming a receipt. None that was sent later: two
    payments were made then. No refund of a later payment: that may be the same money, which came
    back.
    """
    yield from _done_without_number(withdrawal)
    statuses, later = _possibly_sent(), withdrawal.left_at + CLOCKS_DIFFER
    payouts = Payout.objects.filter(amount=withdrawal.amount, status__in=statuses)
    payouts = payouts.exclude(pk__in=Payout.objects.sent_after(later))
    refunds = Refund.objects.owed().filter(
        amount=withdrawal.amount, status__in=statuses, way=RefundMethod.B2C
    )
    refunds = refunds.exclude(pk__in=Refund.objects.sent_after(later))
    refunds = refunds.exclude(receipt__paid_at__gte=withdrawal.left_at)
    for row in (*payouts.order_by("pk"), *refunds.order_by("pk")):
        if match_phone(withdrawal.phone, row.phone) == PhoneMatch.AGREES:
            yield row


def _possibly_sent() -> tuple[TransferStatus, ...]:
    """Statuses of transfers that may have been sent. After a restore that includes due ones, as the
    backup does not show what was sent since; otherwise a due one was not sent, and another payment
    of that amount to that phone is not it.
    """
    if PayoutStop.objects.after_a_restore().exists():
        return (TransferStatus.DUE, *POSSIBLY_SENT)
    return POSSIBLY_SENT


def _done_without_number(withdrawal: Withdrawal) -> Iterator[Payout | Refund]:
    """Transfers of this amount to this phone, done without a number, that were in transit then."""
    if not is_full_number(withdrawal.phone):
        return
    rows = {
        "amount": withdrawal.amount,
        "phone": withdrawal.phone,
        "status": TransferStatus.DONE,
        "number": "",
        "unnumbered": Unnumbered.NOT_TOLD,
        "sent_at__lte": withdrawal.left_at + CLOCKS_DIFFER,
        "done_at__gte": withdrawal.left_at - CLOCKS_DIFFER,
    }
    yield from Payout.objects.filter(**rows).order_by("pk")
    yield from Refund.objects.owed().filter(**rows, way=RefundMethod.B2C).order_by("pk")


def is_full_number(phone: str) -> bool:
    try:
        return normalise_phone(phone) == phone
    except ValueError:
        return False
