"""Receivers of payments: what happens when an order, a payment or a line is saved.

orders.signals lists the receivers of all apps.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from orders.lifecycle import mark_order_paid
from orders.models import Order, OrderTrack, PaymentStatus

from .checkout.stk_push import request_payment
from .models import OrderPayment, SettlementContext
from .payouts.earnings import follow_problem, follow_reductions, settle_moved_line
from .refunds.services import mark_refunded_if_reversed


@receiver(post_save, sender=Order, dispatch_uid="payments.request_payment_of_new_order")
def request_payment_of_new_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """An order was placed: record the payment to request from its buyer."""
    if created and instance.is_unpaid and not raw:
        request_payment(instance)


@receiver(post_save, sender=Order, dispatch_uid="payments.close_order_reversed_by_mpesa")
def close_order_reversed_by_mpesa(instance: Order, raw: bool, **kwargs: Any) -> None:
    """A refund became due: the order is refunded already, if M-Pesa reversed all of its money."""
    if instance.payment_status == PaymentStatus.REFUND_DUE and not raw:
        mark_refunded_if_reversed(instance)


@receiver(post_save, sender=OrderPayment, dispatch_uid="payments.pay_order_of_confirmed_payment")
def pay_order_of_confirmed_payment(instance: OrderPayment, raw: bool, **kwargs: Any) -> None:
    """A payment was confirmed: its order is paid, if everything credited to it covers the price."""
    if instance.is_confirmed and not raw:
        # Only a caller that holds the order's lock passes it
        # (``OrderPayment.save_with_settlement``).
        settlement = instance.settlement or SettlementContext(instance.order_id)
        mark_order_paid(
            settlement.order_id, credited=settlement.amount_credited, locked=settlement.order
        )


@receiver(post_save, sender=OrderTrack, dispatch_uid="payments.settle_saved_line")
def settle_saved_line(
    instance: OrderTrack,
    created: bool,
    raw: bool,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """A paid line moved, was reduced, or has a problem: update earnings and the parcel's fee.

    ``update_fields`` is only used to skip what cannot have changed; each function called reads the
    line's state, not what changed.
    """
    if created or raw:
        return
    saved = update_fields or {"track_status", "reduced", "disputed"}
    if "reduced" in saved and instance.reduced and not instance.returned:
        follow_reductions(instance)
    if "track_status" in saved:
        settle_moved_line(instance)
    if "disputed" in saved and not instance.returned:
        follow_problem(instance)
