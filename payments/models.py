"""How money came: attempts to collect it, what arrived, whose it is, what the gateway said."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q

from .querysets import GatewayEventQuerySet, OrderPaymentQuerySet


def new_callback_token() -> str:
    """32 hexadecimal letters: unguessable, and unable to spell a word Daraja refuses in a URL."""
    return secrets.token_hex(16)


class Channel(models.TextChoices):
    STK = "stk", "STK prompt"
    PAY_BILL = "pay_bill", "by hand through the pay bill"


class AttemptStatus(models.TextChoices):
    REQUESTED = "requested"  # nobody has asked M-Pesa yet
    UNKNOWN = "unknown"  # M-Pesa may have been asked; only evidence ends this
    SUBMITTED = "submitted"  # M-Pesa took the request: the phone rings
    CONFIRMED = "confirmed"  # the money is here; nothing ever leaves this
    FAILED = "failed"  # it ended without money; a late success still overturns it


class OrderPayment(models.Model):
    """One attempt to collect an order's money.

    The row is committed before the gateway hears of it and turns ``unknown`` just before the
    call, so that whatever dies in between, the row never claims more than is known. Saving it
    as ``confirmed`` is the one way an order becomes paid (see orders.signals).
    """

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.STK)
    phone = models.CharField(max_length=12)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
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


class Provider(models.TextChoices):
    MPESA = "mpesa", "M-Pesa"


class Door(models.TextChoices):
    """Where the shop first heard of a receipt."""

    CALLBACK = "callback", "callback at the attempt's own address"
    QUERY = "query", "status query"
    CHECKED = "checked", "callback at another address, borne out by the status query"


class Receipt(models.Model):
    """One real movement of money in. Counted once, whichever door the news came through.

    With an ``order`` it is credited to that order; without one it waits in suspense for a person,
    and ``note`` says why. ``number`` is empty while only a status query has told of the money:
    the query proves a payment but does not name its receipt.
    """

    provider = models.CharField(max_length=8, choices=Provider, default=Provider.MPESA)
    number = models.CharField(max_length=20, blank=True)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings, as the provider says.")
    payment = models.OneToOneField(
        OrderPayment, null=True, on_delete=models.PROTECT, related_name="receipt"
    )
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="receipts"
    )
    door = models.CharField(max_length=8, choices=Door)
    paid_at = models.DateTimeField(null=True, help_text="As the provider says.")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="receipt_counts_once",
                fields=["provider", "number"],
                condition=~Q(number=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="receipt_in_suspense", condition=Q(order__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number or 'number to come'}: {self.amount} KES"


class Account(models.TextChoices):
    """Whose money it is. The first is what the shop has, the rest is what it owes, and to whom."""

    MPESA_CLEARING = "mpesa_clearing", "M-Pesa: what came in"
    BUYERS_HELD = "buyers_held", "held for buyers until their goods are handed over"
    SELLERS_PAYABLE = "sellers_payable", "owed to sellers"
    COMMISSION = "commission", "the shop's own share"
    REFUNDS_PAYABLE = "refunds_payable", "owed back to buyers"
    SUSPENSE = "suspense", "nobody's yet: a person must find out"


class Side(models.TextChoices):
    DEBIT = "debit"
    CREDIT = "credit"


class LedgerPosting(models.Model):
    """One event that moved money, as a balanced set of entries. Never changed or deleted.

    Written by ``payments.ledger.post()`` alone. The unique event is what keeps it from being
    posted twice; triggers refuse every change, and on PostgreSQL a posting that does not balance.
    """

    event = models.CharField(max_length=64, unique=True, help_text="Like “receipt:12”.")
    #: The receipt whose money this is, where it is one receipt's.
    receipt = models.ForeignKey(
        Receipt, null=True, on_delete=models.PROTECT, related_name="postings"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.event


class LedgerEntry(models.Model):
    """One side of a posting: so many shillings on one account. Never changed or deleted."""

    posting = models.ForeignKey(LedgerPosting, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=16, choices=Account)
    side = models.CharField(max_length=6, choices=Side)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    #: The order the money is for; None where it is not one order's.
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="ledger_entries"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(name="ledger_entry_is_one_or_more", condition=Q(amount__gte=1)),
            models.CheckConstraint(
                name="ledger_entry_is_debit_or_credit", condition=Q(side__in=["debit", "credit"])
            ),
            # What lies at M-Pesa or in suspense is of no order; what is owed for goods is of one.
            models.CheckConstraint(
                name="ledger_account_says_whether_of_an_order",
                condition=Q(account__in=["mpesa_clearing", "suspense"], order__isnull=True)
                | Q(
                    account__in=["buyers_held", "sellers_payable", "commission"],
                    order__isnull=False,
                )
                | Q(account="refunds_payable"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.account} {self.amount} KES"


class EventState(models.TextChoices):
    NEW = "new"  # kept, not acted on yet
    APPLIED = "applied"  # acted on, or found to change nothing
    CHECKING = "checking"  # not to be believed alone: the status query decides
    UNMATCHED = "unmatched"  # readable, but about no attempt of ours
    UNREADABLE = "unreadable"  # not a message we understand; kept for a person
    FAILED = "failed"  # acting on it broke again and again: a person must look


class GatewayEvent(models.Model):
    """What somebody posted to the webhook, kept as raw bytes before it is read.

    UNTRUSTED. ``state`` and ``note`` say what became of it; nothing else ever changes.
    """

    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    #: The secret part of the address it came to; empty at the bare address.
    token = models.CharField(max_length=64, blank=True)
    remote_address = models.GenericIPAddressField(null=True)
    headers = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True)
    payment = models.ForeignKey(
        OrderPayment, null=True, on_delete=models.PROTECT, related_name="events"
    )
    state = models.CharField(max_length=10, choices=EventState, default=EventState.NEW)
    note = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)

    objects = GatewayEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                name="event_to_apply",
                condition=Q(state__in=["new", "checking"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}, {len(self.body)} bytes, {self.received_at:%d %b %Y %H:%M:%S}"
