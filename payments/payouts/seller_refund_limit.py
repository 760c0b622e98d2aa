"""Checks whether a refund offered by a seller is covered by their earnings."""

from __future__ import annotations

from django.conf import settings

from orders.models import OrderTrack
from orders.problems.seller_refund_limit import checks_seller_refund
from payments.models import SellerShare, TransferStatus

from .balances import balance_of

#: A payout with one of these was not sent: its shares can still be reduced.
_NOT_LEFT = (TransferStatus.DUE, TransferStatus.REFUSED, TransferStatus.DROPPED)


@checks_seller_refund
def is_within_limit(line: OrderTrack, amount: int) -> bool:
    """Whether a seller may give back ``amount`` KES of a line's price.

    Either that much of it is not paid out yet, or the debt it makes, with all they owe already, is
    within SELLER_REFUND_ON_CREDIT.
    """
    share = SellerShare.objects.owed().select_related("payout").filter(track=line).first()
    if share is None or share.payout is None or share.payout.status in _NOT_LEFT:
        return True
    debt = -min(balance_of(line.seller_id).unallocated, 0)
    limit: int = settings.SELLER_REFUND_ON_CREDIT
    return debt + amount <= limit
