"""Attempts to collect an order's money."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q

from omachemainproj.money import format_kes
from omachemainproj.phones import write_phone
from orders.models import PaymentStatus


def new_callback_token() -> str:
    """32 hexadecimal digits: unguessable, and cannot spell a word Daraja refuses in a URL."""
    return secrets.token_hex(16)


class Channel(models.TextChoices):
    STK = "stk", "prompt"
    PAY_BILL = "pay_bill", "pay bill, without a prompt"
    BANK = "bank", "bank payment"


class AttemptStatus(models.TextChoices):
    REQUESTED = "requested", "to be sent"  # not sent to M-Pesa yet
    UNKNOWN = "unknown", "no clear answer"  # may have been sent; only evidence ends this
    SUBMITTED = "submitted", "sent"  # accepted by M-Pesa: the phone is prompted
    CONFIRMED = "confirmed", "confirmed"  # paid; final
    FAILED = "failed", "failed"  # not paid; a late success still overrides it


#: Attempts whose outcome is not known.
OPEN = (AttemptStatus.REQUESTED, AttemptStatus.UNKNOWN, AttemptStatus.SUBMITTED)
#: Those that M-Pesa may have received.
PROMPTS_UNDER_WAY = (AttemptStatus.UNKNOWN, AttemptStatus.SUBMITTED)
#: Attempts whose outcome is known.
ENDED = (AttemptStatus.CONFIRMED, AttemptStatus.FAILED)


class OrderPaymentQuerySet(models.QuerySet["OrderPayment"]):
    def unsent(self) -> OrderPaymentQuerySet:
        """Attempts that were not sent to M-Pesa yet."""
        return self.filter(status=AttemptStatus.REQUESTED, live=True)

    def locked_with_orders(self) -> OrderPaymentQuerySet:
        """Attempts with their orders, locked until the transaction ends, attempt before order."""
        rows = self.select_related("order")
        return rows.select_for_update(no_key=True, of=("self", "order"))

    def to_send(self, *, created_before: datetime, tried_before: datetime) -> OrderPaymentQuerySet:
        """Unsent attempts whose task was lost, or that M-Pesa did not accept a while ago."""
        untried = Q(rung_at__isnull=True, created_at__lt=created_before)
        return self.unsent().filter(untried | Q(rung_at__lt=tried_before))

    def due_for_check(self, now: datetime) -> OrderPaymentQuerySet:
        """Attempts due for a status query, longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at")

    def unsynced(self) -> OrderPaymentQuerySet:
        """Confirmed attempts of the full amount whose order still waits for payment."""
        return self._of_full_amount().filter(order__payment_status=PaymentStatus.REQUESTED)

    def unsynced_since(self, since: datetime) -> OrderPaymentQuerySet:
        """Confirmed attempts of the full amount whose order is closed, without a refund due.

        Only attempts created since then: all closed orders are too many for each of the clock's
        rounds (``prove`` reads them).
        """
        closed = (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)
        # The index is of attempts with any of these statuses.
        ended = self.ended_since(since)._of_full_amount()
        return ended.filter(order__payment_status__in=closed)

    def _of_full_amount(self) -> OrderPaymentQuerySet:
        return self.filter(status=AttemptStatus.CONFIRMED, receipt__amount__gte=F("order__amount"))

    def unresolved(self) -> OrderPaymentQuerySet:
        """Attempts without an outcome that are no longer queried: staff must look."""
        return self.under_way().filter(next_check_at__isnull=True)

    def under_way(self) -> OrderPaymentQuerySet:
        """Attempts that M-Pesa may have received and whose outcome is not known."""
        return self.filter(status__in=PROMPTS_UNDER_WAY)

    def ended_since(self, since: datetime) -> OrderPaymentQuerySet:
        """Attempts created since then whose outcome is known."""
        return self.filter(status__in=ENDED, created_at__gte=since)

    def update(self, **kwargs: Any) -> int:
        """Refuse to set ``confirmed``: ``update()`` sends no signals, so no order would be paid."""
        status = kwargs.get("status", "")
        if not isinstance(status, str) or status == AttemptStatus.CONFIRMED:
            raise TypeError(
                "Confirm payments one by one, "
                "with payments.reconciliation.outcomes.record_outcome()."
            )
        return super().update(**kwargs)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Refuse to create confirmed attempts, for the same reason."""
        payments = list(objs)
        if any(payment.is_confirmed for payment in payments):
            raise TypeError("Save confirmed payments one by one: bulk_create() wakes nobody.")
        return super().bulk_create(payments, *args, **kwargs)


class OrderPayment(models.Model):
    """One attempt to collect an order's money.

    The row is committed before the request is sent and becomes ``unknown`` just before the call, so
    that after a crash it never claims more than is known. A manual payment is an attempt too,
    created as confirmed. Saving one as ``confirmed`` makes its order paid (see payments.signals),
    once the money credited covers its price; so do corrections of what was credited, all of them
    by ``orders.lifecycle.mark_order_paid``.
    """

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.STK)
    #: The phone that is prompted; empty for manual payments.
    phone = models.CharField(max_length=12, blank=True)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings requested.")
    status = models.CharField(max_length=9, choices=AttemptStatus, default=AttemptStatus.REQUESTED)
    #: True while the phone may be showing this attempt's prompt, or it is still to be sent.
    live = models.BooleanField(default=True)
    #: Secret part of the attempt's callback URL: Daraja does not sign its callbacks.
    callback_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    merchant_request_id = models.CharField(max_length=64, blank=True)
    checkout_request_id = models.CharField(max_length=64, blank=True)
    result_code = models.CharField(max_length=32, blank=True)
    result_text = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: The short code its prompt is paid to: the one of the settings when it was sent.
    shortcode = models.CharField(
        max_length=12, blank=True, default="", db_default="", editable=False
    )
    rung_at = models.DateTimeField(null=True, help_text="When M-Pesa was asked to show the prompt.")
    #: When the clock queries its status next; None if it is not to be queried.
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    #: The ``SettlementContext`` that ``save_with_settlement`` passes to the receiver of its save;
    #: None at all other times.
    settlement: Any = None

    objects = OrderPaymentQuerySet.as_manager()

    class Meta:
        verbose_name = "payment attempt"
        verbose_name_plural = "payment attempts"
        constraints = [
            # Our own rule: one prompt at a time.
            models.UniqueConstraint(
                name="order_has_one_live_prompt", fields=["order"], condition=Q(live=True)
            ),
            # Across orders and accounts: a second prompt can cancel the first one on the phone.
            models.UniqueConstraint(
                name="phone_rings_for_one_attempt",
                fields=["phone"],
                condition=Q(live=True, rung_at__isnull=False),
            ),
            # Promised by Daraja: an id names one request. Never looked up when empty.
            models.UniqueConstraint(
                name="checkout_request_id_names_one_attempt",
                fields=["checkout_request_id"],
                condition=~Q(checkout_request_id=""),
            ),
            # Deliberately missing: "one confirmed payment per order". Money that arrives twice has
            # to be recorded twice.
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="payment_to_check",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(fields=["phone", "rung_at"], name="payment_by_phone"),
            models.Index(
                fields=["id"],
                name="payment_without_end",
                condition=Q(status__in=PROMPTS_UNDER_WAY),
            ),
            # Few rows, compared with prompts.
            models.Index(fields=["id"], name="payment_by_hand", condition=~Q(channel=Channel.STK)),
            # Covers the statistics of outcomes, reasons and durations.
            models.Index(
                fields=["created_at", "status", "result_code", "rung_at", "confirmed_at"],
                name="payment_ended_by_time",
                condition=Q(status__in=ENDED),
            ),
        ]

    def __str__(self) -> str:
        payer = write_phone(self.phone) or self.get_channel_display()
        return f"{format_kes(self.amount)} from {payer}, {self.get_status_display()}"

    def save_with_settlement(self, settlement: Any, *, update_fields: Iterable[str]) -> None:
        """Save it as ``save()`` does, and pass its receiver what the caller knows of its order, a
        ``SettlementContext``.

        The receiver (payments.signals.pay_order_of_confirmed_payment) then need not lock and read
        the order again, and leaves the balance it read in ``settlement``. No later save sees it.
        """
        self.settlement = settlement
        try:
            self.save(update_fields=update_fields)
        finally:
            self.settlement = None

    @property
    def is_confirmed(self) -> bool:
        """Whether it was paid."""
        return self.status == AttemptStatus.CONFIRMED

    @property
    def is_open(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.status in OPEN
