"""Guests' orders become those of the account whose person proved the phone.

Proved is a code that was sent there and typed (``PhoneLogin``), after the order was placed. That
anybody wrote the phone into an account, or a cash-out, gives them nothing.

What a proof finds, it takes: what is paid or was, and what still waits for its money. Orders that
lapsed stay with the guest: anybody can place them. Where money comes for one after all, it is asked
again whether the phone was proved. The locks are an order, then the account; as an order that is
held again locks its buyer (orders.lifecycle), and before anything of it is held. So of a proof and
a payment at once, whichever comes second finds what the first has done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.contacts import record_paid_from
from accounts.models import Guest, PhoneLogin, PhoneProof, User
from accounts.phone_login import THEIRS_FOR, may_use_phone
from omachemainproj.locking import locked_row

from .models import InboxNotice, JoinedOrder, Message, Order, OrderTrack, PaymentStatus

#: Money for an order that lapsed can still come, at this moment too (orders.lifecycle).
_LATE = timedelta(days=2)
_LAPSED_STATUSES = (PaymentStatus.EXPIRED, PaymentStatus.CANCELLED)


@transaction.atomic
def join_orders(phone: str, now: datetime) -> int:
    """Give what guests ordered with this phone to the account that it opens; return how many.

    Not what is so old that the phone may have been another's then. Safe to repeat, at once.
    """
    found = Guest.objects.filter(phone=phone).values_list("user", flat=True).first()
    if found is None:
        return 0
    orders = Order.objects.of_guests().filter(guest=found, created_at__gt=now - THEIRS_FOR)
    # Those that may be being paid wait for each other here, and are looked at again.
    orders = orders.filter(~Q(payment_status__in=_LAPSED_STATUSES) | Q(created_at__gt=now - _LATE))
    locked = list(orders.order_by("pk").select_for_update(no_key=True))
    return _join(
        [each for each in locked if each.payment_status not in _LAPSED_STATUSES], phone, now
    )


def join_if_proved(order: Order) -> None:
    """Let a guest's order, for which all of its money has come, join the account whose person
    proved its phone since it was placed; if anybody did.

    Call inside a transaction that holds the order's lock, and before anything of it is held.
    """
    if not order.is_of_guest:
        return
    phone = Guest.objects.filter(user=order.guest_id).values_list("phone", flat=True).first()
    if phone:
        _join([order], phone, timezone.now())


def _join(orders: Sequence[Order], phone: str, now: datetime) -> int:
    found = PhoneLogin.objects.filter(phone=phone).values_list("user", flat=True).first()
    if not orders or found is None:
        return 0
    account = locked_row(User, found)
    # The account may have been closed, and the phone taken away from it, while this waited.
    proof = PhoneLogin.objects.filter(user=account, phone=phone).first()
    if proof is None or not account.is_active or not may_use_phone(account):
        return 0
    theirs = [order for order in orders if now - THEIRS_FOR < order.created_at <= proof.proved_at]
    for order in theirs:
        _give(order, account)
    if theirs:
        _take_over_proof(theirs[0].guest_id or 0, account, phone)
    return len(theirs)


def _give(order: Order, account: User) -> None:
    JoinedOrder.objects.create(order=order, account=account)
    Order.objects.filter(pk=order.pk).update(buyer=account)
    OrderTrack.objects.filter(order=order).update(buyer=account)
    for told in (Message, InboxNotice):
        told.objects.filter(notice__order=order, user=order.guest_id).update(user=account)
    order.buyer = account


def _take_over_proof(guest_id: int, account: User, phone: str) -> None:
    """Let a phone that paid for the guest be one that paid for the account: SMS may go there."""
    paid = PhoneProof.objects.filter(phone=phone, paid_at__isnull=False)
    paid_at = paid.filter(user=guest_id).values_list("paid_at", flat=True).first()
    if paid_at and not paid.filter(user=account, paid_at__gte=paid_at).exists():
        record_paid_from(account.pk, phone, paid_at)
