"""What a seller may give up who closes their account: money too little for M-Pesa to send."""

from __future__ import annotations

from collections import Counter

from django.db.models import F, QuerySet

from omachemainproj.mpesa_limits import MIN_B2C
from orders.models import Order
from payments.ledger import post_renouncement
from payments.models import Payout, SellerShare, TransferStatus, with_confirmed_cover

from .allocation import create_payouts
from .balances import balance_of

#: The note of payouts that carry what was given up: nothing is sent.
RENOUNCED = "The seller gave it up when they closed their account."


def renounceable_amount(seller_id: int) -> int:
    """KES a seller may give up: all they are owed, if it is too little to be sent; otherwise 0.

    It is too little if no number of theirs can be sent MIN_B2C. Money that is being sent, that a
    problem or staff hold back, or whose payment is not confirmed, is decided about first.
    """
    balance = balance_of(seller_id)
    if balance.in_transit or balance.owed <= 0:
        return 0
    dropped = Payout.objects.dropped().filter(seller=seller_id)
    shares = SellerShare.objects.to_pay().filter(seller=seller_id)
    shares |= SellerShare.objects.dropped_with(dropped)
    free = SellerShare.objects.payable().filter(pk__in=shares.values("pk"))
    due_to: Counter[str] = Counter()
    for share in free:
        due_to[share.phone] += share.due
    if due_to.total() != balance.pending or _is_unconfirmed(free):
        return 0
    # A debt leaves of all numbers together only what is owed.
    most = max(due_to.values(), default=0) if balance.unallocated >= 0 else balance.owed
    is_too_little = most < MIN_B2C and balance.unallocated < MIN_B2C
    return balance.owed if is_too_little else 0


def _is_unconfirmed(shares: QuerySet[SellerShare]) -> bool:
    orders = Order.objects.filter(tracks__seller_share__in=shares)
    return with_confirmed_cover(orders).filter(confirmed_amount__lt=F("price_due")).exists()


def renounce(seller_id: int, amount: int) -> None:
    """Post that a seller gives up ``amount`` KES, which is all they are owed.

    Their earnings are then in payouts of which nothing is left to send. Call inside the transaction
    that closes the account, with the seller locked and ``amount`` just read.
    """
    before = set(Payout.objects.filter(seller=seller_id).values_list("pk", flat=True))
    post_renouncement(seller_id, amount)
    create_payouts(seller_id)
    made = Payout.objects.filter(seller=seller_id, status=TransferStatus.DONE, amount=0)
    made.exclude(pk__in=before).update(note=RENOUNCED)
