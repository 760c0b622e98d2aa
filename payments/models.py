"""How money came and went: attempts to collect it, what arrived, what went back, whose it is."""

from __future__ import annotations

import secrets
import uuid
from functools import cache
from typing import NamedTuple

from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from omachemainproj.statements import NUMBERS, Statement, compile_rows
from orders.models import Order

from .querysets import (
    GatewayEventQuerySet,
    OrderPaymentQuerySet,
    PayoutStopQuerySet,
    ReceiptQuerySet,
    RefundQuerySet,
)


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

    def credited_to_order(self) -> int:
        """KES that came for its order, through whatever attempt, and is not owed back."""
        return credited_to(self.order_id)


#: Attempts whose end is not known.
OPEN = (AttemptStatus.REQUESTED, AttemptStatus.UNKNOWN, AttemptStatus.SUBMITTED)


class Provider(models.TextChoices):
    MPESA = "mpesa", "M-Pesa"
    EQUITY = "equity", "Equity Bank"


class Door(models.TextChoices):
    """Where the shop first heard of a receipt."""

    CALLBACK = "callback", "callback at the attempt's own address"
    QUERY = "query", "status query"
    C2B = "c2b", "M-Pesa's confirmation of a payment to the pay bill"
    STATEMENT = "statement", "M-Pesa's statement"
    BANK = "bank", "a bank's notification"
    STAFF = "staff", "written down by a person"


class Receipt(models.Model):
    """One real movement of money in. Counted once, whichever door the news came through.

    With an ``order`` it is credited to that order; without one it waits in suspense for a person,
    and ``note`` says why. ``number`` is empty while only a status query has told of the money:
    the query proves a payment but does not name its receipt.
    """

    provider = models.CharField(max_length=8, choices=Provider, default=Provider.MPESA)
    number = models.CharField(max_length=40, blank=True)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings, as the provider says.")
    #: What of the order's price the shop bears, because less came than was counted at first.
    borne = models.PositiveIntegerField(default=0, help_text="Whole Kenyan shillings.")
    payment = models.OneToOneField(
        OrderPayment, null=True, on_delete=models.PROTECT, related_name="receipt"
    )
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="receipts"
    )
    door = models.CharField(max_length=9, choices=Door)
    #: Of the payer, as the provider shows it: nowadays often masked.
    phone = models.CharField(max_length=20, blank=True)
    payer = models.CharField(max_length=100, blank=True, help_text="The payer's name, if told.")
    reference = models.CharField(max_length=40, blank=True, help_text="What the payer typed.")
    #: Credited to an order that is not covered yet.
    waiting = models.BooleanField(default=False)
    paid_at = models.DateTimeField(null=True, help_text="As the provider says.")
    note = models.CharField(max_length=200, blank=True)
    #: Its note is about a difference, and no person has acknowledged it yet.
    unseen = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReceiptQuerySet.as_manager()

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
            models.Index(fields=["id"], name="receipt_waiting", condition=Q(waiting=True)),
            models.Index(
                fields=["created_at"], name="receipt_without_number", condition=Q(number="")
            ),
            models.Index(fields=["id"], name="receipt_unseen", condition=Q(unseen=True)),
        ]
        permissions = [("decide_money", "Can decide about money that waits for a person")]

    def __str__(self) -> str:
        return f"{self.number or 'number to come'}: {self.amount} KES"


class Way(models.TextChoices):
    """How money goes back."""

    REVERSAL = "reversal", "reversal of the payment"
    B2C = "b2c", "payment to the phone"
    PORTAL = "portal", "a person, on M-Pesa's portal"


class Cause(models.TextChoices):
    """Why money goes back."""

    GOODS_GONE = "goods_gone", "it came after the goods were gone"
    SHORT = "short", "it never covered the order"
    EXCESS = "excess", "it was more than the order's price"
    STAFF = "staff", "a person decided so"


class RefundStatus(models.TextChoices):
    DUE = "due"  # owed; M-Pesa has not been asked
    UNKNOWN = "unknown"  # M-Pesa may have been asked; only evidence ends this
    SENT = "sent"  # M-Pesa took the request
    DONE = "done"  # the buyer has it
    REFUSED = "refused"  # M-Pesa said no: another refund follows, or a person decides
    DROPPED = "dropped"  # never sent, and no longer needed


def new_conversation_id() -> str:
    """The id by which M-Pesa knows a payout again: ours, fixed, unique."""
    return f"omache-{uuid.uuid4().hex}"


class Refund(models.Model):
    """One try to give money of one receipt back, by one way, under one fixed id.

    The row is committed before M-Pesa hears of it and keeps its id on every resend. Only when
    M-Pesa has definitely refused does another row follow (``replaces``), with an id of its own;
    so a shilling is never on two ways at once. What a chain of rows owes is its last row's.
    """

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="refunds")
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="refunds"
    )
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    cause = models.CharField(max_length=10, choices=Cause)
    way = models.CharField(max_length=8, choices=Way)
    phone = models.CharField(max_length=12, blank=True, help_text="For a payment to a phone.")
    status = models.CharField(max_length=7, choices=RefundStatus, default=RefundStatus.DUE)
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    originator_conversation_id = models.CharField(
        max_length=64, default=new_conversation_id, unique=True, editable=False
    )
    #: Two addresses only Daraja is told: for the result, and for what a status query finds.
    callback_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    status_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    #: Daraja's own names of the request, from its answer.
    conversation_id = models.CharField(max_length=64, blank=True)
    reversal_conversation_id = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=20, blank=True, help_text="M-Pesa's receipt for it.")
    result_code = models.CharField(max_length=32, blank=True)
    result_text = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=200, blank=True)
    #: Its note is about a difference, and no person has acknowledged it yet.
    unseen = models.BooleanField(default=False)
    #: When the clock sends it, or asks what became of it; None when there is nothing to do.
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    #: How many rows before it M-Pesa refused.
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="refund_is_one_or_more", condition=Q(amount__gte=1)),
            # A payment is reversed whole, and once.
            models.UniqueConstraint(
                name="receipt_is_reversed_once",
                fields=["receipt"],
                condition=Q(way="reversal", status__in=["due", "unknown", "sent", "done"]),
            ),
            models.UniqueConstraint(
                name="payout_number_is_of_one_refund",
                fields=["number"],
                condition=~Q(number=""),
            ),
            models.CheckConstraint(
                name="payment_to_a_phone_names_it", condition=~Q(way="b2c", phone="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="refund_to_look_after",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(fields=["status"], name="refund_refused", condition=Q(status="refused")),
            models.Index(
                fields=["id"], name="refund_under_way", condition=Q(status__in=["unknown", "sent"])
            ),
            models.Index(fields=["id"], name="refund_unseen", condition=Q(unseen=True)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} KES back by {self.get_way_display()}, {self.status}"

    @property
    def is_under_way(self) -> bool:
        """Whether M-Pesa may know of it and its end is not known."""
        return self.status in {RefundStatus.UNKNOWN, RefundStatus.SENT}


class PayoutStop(models.Model):
    """Nothing leaves the shop while one of these is open.

    Made when M-Pesa does not accept the initiator: every further try would lock it. A person ends
    it, once the password or the certificate is right.
    """

    reason = models.CharField(max_length=200)
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = PayoutStopQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payouts_are_stopped_once", fields=["is_open"], condition=Q(is_open=True)
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class StatementPull(models.Model):
    """How far M-Pesa's statement has been read: one row a short code."""

    shortcode = models.CharField(max_length=12, unique=True)
    #: Nothing between these two is missing.
    read_from = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True)
    #: When one process may read on; another waits for it.
    next_pull_at = models.DateTimeField()
    result_text = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"statement of {self.shortcode}"


class QueryBudget(models.Model):
    """How many status queries were asked in a minute, by all workers together."""

    minute = models.DateTimeField(unique=True)
    used = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.used} in {self.minute:%H:%M}"


class OrderMoney(NamedTuple):
    """What stands for an order: KES that count for it, and whether some wait for the rest."""

    credited: int
    waiting: bool


def credited_to(order_id: int) -> int:
    """KES that is counted for an order: what came, what the shop bears, less what is owed back."""
    return money_of(order_id).credited


def money_of(order_id: int) -> OrderMoney:
    """How an order's money stands. One query."""
    came, owed, waiting = _money_of(connection.vendor).rows({NUMBERS[0]: order_id})[0]
    return OrderMoney(int(came) - int(owed), bool(waiting))


@cache
def _money_of(vendor: str) -> Statement:
    """Asked whenever money comes and while a buyer waits, so it is compiled once."""
    came = Receipt.objects.filter(order=OuterRef("pk")).values("order")
    waiting = Receipt.objects.filter(order=OuterRef("pk"), waiting=True)
    owed = Refund.objects.owed().filter(order=OuterRef("pk")).values("order")
    orders = Order.objects.filter(pk=NUMBERS[0]).values_list(
        Coalesce(Subquery(came.values(total=Sum(F("amount") + F("borne")))), 0),
        Coalesce(Subquery(owed.values(total=Sum("amount"))), 0),
        Exists(waiting),
    )
    return compile_rows(orders, ["came", "owed", "waiting"])


class Account(models.TextChoices):
    """Whose money it is. The first two are what the shop has, the rest what it owes, and whom."""

    MPESA_CLEARING = "mpesa_clearing", "at M-Pesa"
    EQUITY_CLEARING = "equity_clearing", "at Equity Bank"
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
    #: The refund whose money this is, where it is one refund's.
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="postings")
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
            # What a provider has or lies in suspense is of no order; what is owed for goods is of
            # one.
            models.CheckConstraint(
                name="ledger_account_says_whether_of_an_order",
                condition=Q(
                    account__in=["mpesa_clearing", "equity_clearing", "suspense"],
                    order__isnull=True,
                )
                | Q(
                    account__in=["buyers_held", "sellers_payable", "commission"],
                    order__isnull=False,
                )
                | Q(account="refunds_payable"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.account} {self.amount} KES"


class Source(models.TextChoices):
    """Which of the webhook's addresses a message came to."""

    PROMPT = "prompt", "a prompt's or a refund's own address"
    C2B = "c2b", "the address for payments to the pay bill"
    EQUITY = "equity", "Equity Bank's address"
    STATEMENT = "statement", "no address: a row of M-Pesa's statement"


class EventState(models.TextChoices):
    NEW = "new"  # kept, not acted on yet
    APPLIED = "applied"  # acted on, or found to change nothing
    CHECKING = "checking"  # not to be believed alone: the status query decides
    UNMATCHED = "unmatched"  # readable, but about no attempt of ours
    UNREADABLE = "unreadable"  # not a message we understand; kept for a person
    FAILED = "failed"  # acting on it broke again and again: a person must look
    ASIDE = "aside"  # a person has looked, and nothing is to be done


class GatewayEvent(models.Model):
    """What somebody posted to the webhook, kept as raw bytes before it is read.

    UNTRUSTED. ``state`` and ``note`` say what became of it; nothing else ever changes.
    """

    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=9, choices=Source, default=Source.PROMPT)
    #: The secret part of the address it came to; empty at the bare address.
    token = models.CharField(max_length=64, blank=True)
    remote_address = models.GenericIPAddressField(null=True)
    headers = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True)
    payment = models.ForeignKey(
        OrderPayment, null=True, on_delete=models.PROTECT, related_name="events"
    )
    receipt = models.ForeignKey(Receipt, null=True, on_delete=models.PROTECT, related_name="events")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="events")
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
            models.Index(
                fields=["id"],
                name="event_for_a_person",
                condition=Q(state="failed")
                | Q(state__in=["unmatched", "unreadable"], source__in=["c2b", "equity"]),
            ),
            models.Index(
                fields=["id"],
                name="event_of_strangers",
                condition=Q(state__in=["unmatched", "unreadable"], source="prompt"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}, {len(self.body)} bytes, {self.received_at:%d %b %Y %H:%M:%S}"

    def become(self, state: str, note: str) -> None:
        """Write down what became of the message, and whom it was about."""
        self.state, self.note, self.applied_at = state, note[:200], timezone.now()
        self.save(update_fields=["state", "note", "applied_at", "payment", "receipt", "refund"])
