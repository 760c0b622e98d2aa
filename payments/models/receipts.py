"""Receipts of what came in, and how far the shop has looked for them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from omachemainproj.money import format_kes
from omachemainproj.phones import shown_as
from orders.models import PaymentStatus
from payments.banks import registered_banks

from .order_payments import OrderPayment
from .transfers import TransferStatus


class Provider(models.TextChoices):
    """Who received the money: M-Pesa, or else a bank, by its key (``payments.banks``)."""

    MPESA = "mpesa", "M-Pesa"


def provider_choices() -> list[tuple[str, str]]:
    """M-Pesa and every bank: key, and name for people."""
    return [*Provider.choices, *((bank.key, bank.name) for bank in registered_banks())]


class ReceiptSource(models.TextChoices):
    """What reports a receipt to the shop, first or afterwards."""

    CALLBACK = "callback", "callback at the attempt's own address"
    QUERY = "query", "status query"
    C2B = "c2b", "M-Pesa's confirmation of a payment to the pay bill"
    STATEMENT = "statement", "M-Pesa's statement"
    BANK = "bank", "a bank's notification"
    STAFF = "staff", "written down by a person"
    STATUS = "status", "transaction status query"
    EARLIER = "earlier", "money of it left before it was kept who told of it"
    RETURNED = "returned", "M-Pesa's portal: what the shop had sent came back"


#: A provider's own word for how much came under a number. The status query of a prompt names none,
#: and a person's word is not the provider's.
TELL_AMOUNTS = (
    ReceiptSource.CALLBACK,
    ReceiptSource.C2B,
    ReceiptSource.STATEMENT,
    ReceiptSource.BANK,
    ReceiptSource.STATUS,
    ReceiptSource.RETURNED,
)


class Verification(models.TextChoices):
    """How far a payment is known to have come."""

    REPORTED = "told", "not confirmed yet"  # somebody said so; nothing leaves on that
    CONFIRMED = "confirmed", "confirmed"  # two sources agree, the gateway itself among them
    DOUBTED = "doubted", "in doubt"  # M-Pesa says that there is no such payment, or another
    NEVER_CAME = "never_came", "never came"  # a person has found so; it is written off


#: Of a payment of which this is known, no order is paid and nothing is given back.
DOUBTFUL = (Verification.DOUBTED, Verification.NEVER_CAME)


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def unmatched(self) -> ReceiptQuerySet:
        """Money of no order, of which some is not on its way back: a person must decide."""
        owed = Q(refunds__replaced_by__isnull=True) & ~Q(refunds__status=TransferStatus.DROPPED)
        going = Coalesce(Sum("refunds__amount", filter=owed), 0)
        return self.filter(order__isnull=True).alias(going=going).filter(amount__gt=F("going"))

    def to_match(self) -> ReceiptQuerySet:
        """Of it what is to be decided by itself: not what is in doubt, as whether it came at all is
        decided first, nor what had left as a withdrawal that is open, with which it is."""
        certain = self.unmatched().exclude(verification__in=DOUBTFUL)
        return certain.exclude(left_as__state="open")

    def paid_from(self, phone: str) -> ReceiptQuerySet:
        """Money from a phone of 12 digits, where its provider shows it in full or hashed."""
        return self.filter(phone__in=shown_as(phone)).exclude(phone="")

    def left_waiting(self) -> ReceiptQuerySet:
        """Money that waited for the rest of its order's price, and the order waits no longer."""
        return self.filter(waiting=True).exclude(order__payment_status=PaymentStatus.REQUESTED)

    def without_number(self) -> ReceiptQuerySet:
        """M-Pesa's money whose receipt number has not come yet."""
        return self.filter(number="", same_as__isnull=True)

    def unnamed_movements(self) -> ReceiptQuerySet:
        """M-Pesa's money of no order that no person has found to be a payment of its own, and that
        is somebody's payment."""
        unnamed = self.filter(
            order__isnull=True,
            provider=Provider.MPESA,
            is_separate_payment=False,
            same_as__isnull=True,
        )
        return unnamed.exclude(number="").exclude(source=ReceiptSource.RETURNED)

    def in_doubt(self) -> ReceiptQuerySet:
        """Money M-Pesa does not know, or knows otherwise: a person must decide."""
        return self.filter(verification=Verification.DOUBTED)

    def to_look_up(self) -> ReceiptQuerySet:
        """A bank's money, which no query confirms: a person has to look at the bank's statement."""
        return self.filter(verification=Verification.REPORTED, amount__gt=0).exclude(
            provider=Provider.MPESA
        )

    def unacknowledged(self) -> ReceiptQuerySet:
        """Money whose amount had to be corrected, and nobody has acknowledged that yet."""
        return self.filter(unacknowledged=True)

    def awaiting_the_rest(self) -> ReceiptQuerySet:
        """Money that waits for the rest of its order's price, while the order still waits too."""
        return self.filter(waiting=True, order__payment_status=PaymentStatus.REQUESTED)


class Receipt(models.Model):
    """One payment that arrived. Counted once, whichever source reports it.

    With an ``order`` it is credited to that order; without one it is held in suspense for a person,
    and ``note`` says why. ``number`` is empty while only a status query has reported the payment:
    the query proves it but does not name its receipt.
    """

    provider = models.CharField(max_length=8, choices=provider_choices, default=Provider.MPESA)
    number = models.CharField(max_length=40, blank=True)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings, as the provider says.")
    #: What of the order's price is written off, because less came than was counted at first.
    written_off = models.PositiveIntegerField(
        default=0, db_column="borne", help_text="Whole Kenyan shillings."
    )
    payment = models.OneToOneField(
        OrderPayment, null=True, on_delete=models.PROTECT, related_name="receipt"
    )
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="receipts"
    )
    #: Its source: what reported it first, or what named its number.
    source = models.CharField(max_length=9, choices=ReceiptSource, db_column="door")
    #: Of the payer, as the provider shows it: in full (12 digits), as SHA-256, or masked.
    phone = models.CharField(max_length=64, blank=True)
    #: Who typed that number, where no provider has shown it.
    phone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    payer = models.CharField(max_length=100, blank=True, help_text="The payer's name, if told.")
    reference = models.CharField(max_length=40, blank=True, help_text="What the payer typed.")
    #: Credited to an order that is not covered yet.
    waiting = models.BooleanField(default=False)
    paid_at = models.DateTimeField(null=True, help_text="As the provider says.")
    note = models.CharField(max_length=200, blank=True)
    #: Its note is about a difference, and no person has acknowledged it yet.
    unacknowledged = models.BooleanField(default=False, db_column="unseen")
    #: It was another receipt's payment all the time, and is counted there: its amount is 0 now.
    same_as = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="reported_as"
    )
    #: A person has found that it is no prompt's whose receipt number has not come.
    is_separate_payment = models.BooleanField(default=False, db_column="stands_alone")
    #: Money of it leaves only once it is confirmed (payments.evidence).
    verification = models.CharField(
        max_length=10,
        choices=Verification,
        default=Verification.REPORTED,
        db_default=Verification.REPORTED,
        db_column="standing",
    )
    doubted_at = models.DateTimeField(null=True)
    doubt = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="receipt_counts_once",
                fields=["provider", "number"],
                condition=~Q(number=""),
            ),
            models.CheckConstraint(
                name="receipt_that_is_another_counts_nothing",
                condition=Q(same_as__isnull=True)
                | Q(amount=0, written_off=0, number="", order__isnull=True),
            ),
            models.CheckConstraint(
                name="receipt_waits_for_the_rest_of_an_order",
                condition=Q(waiting=False) | Q(order__isnull=False),
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
            models.Index(fields=["id"], name="receipt_unseen", condition=Q(unacknowledged=True)),
            models.Index(
                fields=["id"], name="receipt_told", condition=Q(verification=Verification.REPORTED)
            ),
            models.Index(
                fields=["id"],
                name="receipt_in_doubt",
                condition=Q(verification=Verification.DOUBTED),
            ),
            models.Index(
                fields=["id"],
                name="receipt_of_a_bank_to_look_up",
                condition=Q(verification=Verification.REPORTED) & ~Q(provider=Provider.MPESA),
            ),
            # Who paid is not always whom the order's phone belongs to.
            models.Index(fields=["phone", "-id"], name="receipt_by_phone", condition=~Q(phone="")),
        ]
        permissions = [("decide_money", "Can decide about money that waits for a person")]

    def __str__(self) -> str:
        return f"{self.number or 'number not known yet'}: {format_kes(self.amount)}"

    @property
    def came_back(self) -> bool:
        """Whether it is money that the shop had sent, and nobody's payment."""
        return self.source == ReceiptSource.RETURNED

    @property
    def is_no_prompts(self) -> bool:
        """Whether no prompt can have been paid with it: a person has found so, or it came back."""
        return self.is_separate_payment or self.came_back

    @property
    def is_confirmed(self) -> bool:
        """Whether enough sources agree on it for its money to leave."""
        return self.verification == Verification.CONFIRMED

    @property
    def is_in_doubt(self) -> bool:
        """Whether M-Pesa does not know it, or knows it otherwise, and nobody has decided."""
        return self.verification == Verification.DOUBTED


class StatementPull(models.Model):
    """How far M-Pesa's statement has been read: one row a short code."""

    shortcode = models.CharField(max_length=12, unique=True)
    #: Nothing between these two is missing.
    read_from = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True)
    #: When one process may read on; another waits for it.
    next_pull_at = models.DateTimeField()
    result_text = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "M-Pesa’s statement"

    def __str__(self) -> str:
        return f"statement of {self.shortcode}"


class QueryBudget(models.Model):
    """How many status queries were asked in a minute, by all workers together."""

    minute = models.DateTimeField(unique=True)
    used = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.used} in {self.minute:%H:%M}"
