"""Whether what a seller gives back is covered by what the shop has of theirs."""

from __future__ import annotations

from django.conf import settings

from orders.models import OrderTrack
from orders.problems.seller_refund_limit import checks_seller_refund
from payments.models import SellerShare, TransferStatus

from .balances import balance_of

#: A payout of one of these has not left: what it carries is the shop's to give back.
_NOT_LEFT = (TransferStatus.DUE, TransferStatus.REFUSED, TransferStatus.DROPPED)


@checks_seller_refund
def is_within_limit(line: OrderTrack, amount: int) -> bool:
    """Whether ``amount`` KES of a line's price have not left to its seller, or the debt it makes is
    within SELLER_REFUND_ON_CREDIT with all they owe already."""
    share = SellerShare.objects.owed().select_related("payout").filter(track=line).first()
    if share is None or share.payout is None or share.payout.status in _NOT_LEFT:
        return True
    debt = -min(balance_of(line.seller_id).unallocated, 0)
    limit: int = settings.SELLER_REFUND_ON_CREDIT
    return debt + amount <= limit
