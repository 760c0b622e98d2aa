"""Guests' orders join the account of the user who verifies their phone.

Verified means that the user entered a code sent to the phone (``PhoneLogin``) after the order was
placed. Merely typing a phone into an account or a cash-out gives no access to orders.

Orders that are or were paid, or still wait for payment, join. Lapsed orders stay with the guest,
because anyone can place them; if money arrives for one later, verification is checked again.
Locks: the order, then the account, before any goods are reserved (as when orders.lifecycle
reserves goods again). Of a concurrent verification and payment, the second sees what the first did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.contacts import record_paid_from
from accounts.models import Guest, PhoneLogin, PhoneProof, User
from accounts.phone_login import PHONE_OWNERSHIP_PERIOD, may_use_phone
from omachemainproj.locking import lock_row

from .models import InboxNotice, JoinedOrder, Message, Order, OrderTrack, PaymentStatus

#: A lapsed order placed within this time may be being paid right now: one day for late money after
#: it was closed (orders.lifecycle, which imports this module), and one for how long it was open.
_LATE = timedelta(days=2)
_LAPSED_STATUSES = (PaymentStatus.EXPIRED, PaymentStatus.CANCELLED)


@transaction.atomic
def join_orders(phone: str, now: datetime) -> int:
    """Join guests' orders with this phone to its account; return how many.

    Not orders so old that the phone may have had another owner. Safe to repeat and to run
    concurrently.
    """
    found = Guest.objects.filter(phone=phone).values_list("user", flat=True).first()
    if found is None:
        return 0
    orders = Order.objects.of_guests().filter(
        guest=found, created_at__gt=now - PHONE_OWNERSHIP_PERIOD
    )
    # Lapsed orders may be being paid right now: lock them too, and check their status again below.
    orders = orders.filter(~Q(payment_status__in=_LAPSED_STATUSES) | Q(created_at__gt=now - _LATE))
    locked = list(orders.order_by("pk").select_for_update(no_key=True))
    return _join(
        [each for each in locked if each.payment_status not in _LAPSED_STATUSES], phone, now
    )


def join_if_proved(order: Order) -> None:
    """Join a fully paid guest's order to the account that verified its phone since, if any.

    Call inside a transaction that holds the order's lock, before its goods are reserved.
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
    account = lock_row(User, found)
    # The account may have been closed, or have lost the phone, while waiting for the lock.
    proof = PhoneLogin.objects.filter(user=account, phone=phone).first()
    if proof is None or not account.is_active or not may_use_phone(account):
        return 0
    theirs = [
        order
        for order in orders
        if now - PHONE_OWNERSHIP_PERIOD < order.created_at <= proof.proved_at
    ]
    for order in theirs:
        _move_to_account(order, account)
    if theirs:
        _take_over_proof(theirs[0].guest_id or 0, account, phone)
    return len(theirs)


def _move_to_account(order: Order, account: User) -> None:
    JoinedOrder.objects.create(order=order, account=account)
    Order.objects.filter(pk=order.pk).update(buyer=account)
    OrderTrack.objects.filter(order=order).update(buyer=account)
    for model in (Message, InboxNotice):
        model.objects.filter(notice__order=order, user=order.guest_id).update(user=account)
    order.buyer = account


def _take_over_proof(guest_id: int, account: User, phone: str) -> None:
    """Record the guest's paying phone as one that paid for the account, so SMS may go there."""
    paid = PhoneProof.objects.filter(phone=phone, paid_at__isnull=False)
    paid_at = paid.filter(user=guest_id).values_list("paid_at", flat=True).first()
    if paid_at and not paid.filter(user=account, paid_at__gte=paid_at).exists():
        record_paid_from(account.pk, phone, paid_at)
