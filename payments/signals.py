"""What payments do when an order, a payment or a line is saved.

The map of all receivers is in orders.signals.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from orders.lifecycle import mark_order_paid
from orders.models import Order, OrderTrack, PaymentStatus

from .checkout.stk_push import request_payment
from .models import OrderPayment, SettlementContext
from .payouts.earnings import follow_problem, follow_reductions, update_seller_earnings
from .refunds.external_reversals import close_if_taken_back


@receiver(post_save, sender=Order, dispatch_uid="payments.request_payment_of_new_order")
def request_payment_of_new_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """An order was placed: record the payment to request from its buyer.

    Or its money is due back: it is refunded, if M-Pesa took all of it back by itself.
    """
    if created and instance.is_unpaid and not raw:
        request_payment(instance)
    elif instance.payment_status == PaymentStatus.REFUND_DUE and not raw:
        close_if_taken_back(instance)


@receiver(post_save, sender=OrderPayment, dispatch_uid="payments.pay_order_of_confirmed_payment")
def pay_order_of_confirmed_payment(instance: OrderPayment, raw: bool, **kwargs: Any) -> None:
    """A payment is confirmed: its order is paid, if all that was credited to it covers it."""
    if instance.is_confirmed and not raw:
        of = instance.settlement or SettlementContext(instance.order_id)
        mark_order_paid(of.order_id, credited=of.amount_credited, locked=of.order)


@receiver(post_save, sender=OrderTrack, dispatch_uid="payments.money_follows_line")
def money_follows_line(
    instance: OrderTrack,
    created: bool,
    raw: bool,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """A line was fetched, delivered, or cancelled or reduced after it was paid, or there is a
    problem with it or no more: its seller's earnings change, or wait, and whose the fee of its
    parcel is.

    ``update_fields`` only says what need not be looked at; each call looks at the state it is in.
    """
    if created or raw:
        return
    saved = update_fields or {"track_status", "reduced", "disputed"}
    if "reduced" in saved and instance.reduced and not instance.returned:
        follow_reductions(instance)
    if "track_status" in saved:
        update_seller_earnings(instance)
    elif "disputed" in saved:
        follow_problem(instance)
