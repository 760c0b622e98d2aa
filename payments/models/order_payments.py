"""Attempts to collect an order's money."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q

from payments.querysets import OrderPaymentQuerySet


def new_callback_token() -> str:
    """32 hexadecimal letters: unguessable, and unable to spell a word Daraja refuses in a URL."""
    return secrets.token_hex(16)


class Channel(models.TextChoices):
    STK = "stk", "STK prompt"
    PAY_BILL = "pay_bill", "by hand through the pay bill"
    BANK = "bank", "by hand through a bank"


class AttemptStatus(models.TextChoices):
    REQUESTED = "requested"  # nobody has asked M-Pesa yet
    UNKNOWN = "unknown"  # M-Pesa may have been asked; only evidence ends this
    SUBMITTED = "submitted"  # M-Pesa took the request: the phone rings
    CONFIRMED = "confirmed"  # the money is here; nothing ever leaves this
    FAILED = "failed"  # it ended without money; a late success still overturns it


class OrderPayment(models.Model):
    """One attempt to collect an order's money.

    The row is committed before the gateway hears of it and turns ``unknown`` just before the
    call, so that whatever dies in between, the row never claims more than is known. Money paid by
    hand is an attempt too, born confirmed. Saving one as ``confirmed`` is the one way an order
    becomes paid (see orders.signals), once what came covers it.
    """

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.STK)
    #: The phone that is rung; empty for money paid by hand.
    phone = models.CharField(max_length=12, blank=True)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings that were asked for.")
    status = models.CharField(max_length=9, choices=AttemptStatus, default=AttemptStatus.REQUESTED)
    #: True while the phone may be ringing for this attempt.
    live = models.BooleanField(default=True)
    #: Daraja does not sign its callbacks. Only it is told this attempt's address.
    callback_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    merchant_request_id = models.CharField(max_length=64, blank=True)
    checkout_request_id = models.CharField(max_length=64, blank=True)
    result_code = models.CharField(max_length=32, blank=True)
    result_text = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    rung_at = models.DateTimeField(null=True, help_text="When M-Pesa was asked.")
    #: When the clock asks M-Pesa what became of it; None when there is nothing left to ask.
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    objects = OrderPaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            # The shop's to decide: one prompt at a time.
            models.UniqueConstraint(
                name="order_has_one_live_prompt", fields=["order"], condition=Q(live=True)
            ),
            # Whoever asks: a second prompt can kill the first one on the phone.
            models.UniqueConstraint(
                name="phone_rings_for_one_attempt",
                fields=["phone"],
                condition=Q(live=True, rung_at__isnull=False),
            ),
            # Daraja's to promise: an id names one request. Never looked up when empty.
            models.UniqueConstraint(
                name="checkout_request_id_names_one_attempt",
                fields=["checkout_request_id"],
                condition=~Q(checkout_request_id=""),
            ),
            # Missing on purpose: "one confirmed payment per order". Money that came twice has
            # to be written down twice.
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
                condition=Q(status__in=["unknown", "submitted"]),
            ),
            # Few, among the prompts.
            models.Index(fields=["id"], name="payment_by_hand", condition=~Q(channel="stk")),
            # How attempts ended, why and how fast is counted from it alone.
            models.Index(
                fields=["created_at", "status", "result_code", "rung_at", "confirmed_at"],
                name="payment_ended_by_time",
                condition=Q(status__in=["confirmed", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} KES from {self.phone}, {self.status}"

    @property
    def is_confirmed(self) -> bool:
        """Whether its money is here."""
        return self.status == AttemptStatus.CONFIRMED

    @property
    def is_open(self) -> bool:
        """Whether its end is not known yet."""
        return self.status in OPEN


#: Attempts whose end is not known.
OPEN = (AttemptStatus.REQUESTED, AttemptStatus.UNKNOWN, AttemptStatus.SUBMITTED)
