"""Receipts of incoming payments."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from omachemainproj.money import format_kes
from omachemainproj.phones import shown_as
from orders.models import PaymentStatus
from payments.banks import registered_banks

from .order_payments import OrderPayment
from .transfers import TransferStatus


class Provider(models.TextChoices):
    """Who received the money: M-Pesa, or a bank by its key (``payments.banks``)."""

    MPESA = "mpesa", "M-Pesa"


def provider_choices() -> list[tuple[str, str]]:
    """M-Pesa and every bank: key and display name."""
    return [*Provider.choices, *((bank.key, bank.name) for bank in registered_banks())]


class ReceiptSource(models.TextChoices):
    """Sources that report a receipt, first or later."""

    CALLBACK = "callback", "callback of the prompt"
    QUERY = "query", "status query"
    C2B = "c2b", "M-Pesa's confirmation of a payment to the pay bill"
    STATEMENT = "statement", "M-Pesa's statement"
    BANK = "bank", "a bank's notification"
    STAFF = "staff", "entered by staff"
    STATUS = "status", "transaction status query"
    EARLIER = "earlier", "from before sources were recorded"
    RETURNED = "returned", "M-Pesa's portal: a payment of the shop that came back"


#: A provider's own word for how much came under a number. The status query of a prompt names none,
#: and a person's word is not the provider's.
AMOUNT_REPORTING_SOURCES = (
    ReceiptSource.CALLBACK,
    ReceiptSource.C2B,
    ReceiptSource.STATEMENT,
    ReceiptSource.BANK,
    ReceiptSource.STATUS,
    ReceiptSource.RETURNED,
)


class Verification(models.TextChoices):
    """How certain it is that a payment arrived."""

    REPORTED = "told", "not confirmed yet"  # by one source; no money leaves on that
    CONFIRMED = "confirmed", "confirmed"  # two sources agree, one of them the gateway itself
    DOUBTED = "doubted", "in doubt"  # M-Pesa knows no such payment, or a different one
    NEVER_CAME = "never_came", "never arrived"  # as staff found; what an order lacks is written off


#: A payment with one of these pays no order and is not refunded.
DOUBTFUL = (Verification.DOUBTED, Verification.NEVER_CAME)


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def unmatched(self) -> ReceiptQuerySet:
        """Money without an order that is not fully refunded: staff must decide."""
        owed = Q(refunds__replaced_by__isnull=True) & ~Q(refunds__status=TransferStatus.DROPPED)
        going = Coalesce(Sum("refunds__amount", filter=owed), 0)
        return self.filter(order__isnull=True).alias(going=going).filter(amount__gt=F("going"))

    def to_match(self) -> ReceiptQuerySet:
        """Unmatched money to be decided on its own.

        Not money in doubt, as it is first decided whether it arrived at all; nor what came back
        from an open withdrawal, as both are decided together.
        """
        certain = self.unmatched().exclude(verification__in=DOUBTFUL)
        return certain.exclude(returned_withdrawal__state="open")

    def paid_from(self, phone: str) -> ReceiptQuerySet:
        """Money from this phone (12 digits), if the provider shows it in full or hashed."""
        return self.filter(phone__in=shown_as(phone)).exclude(phone="")

    def partial_of_closed_orders(self) -> ReceiptQuerySet:
        """Partial payments whose order is no longer waiting for the rest."""
        return self.filter(waiting=True).exclude(order__payment_status=PaymentStatus.REQUESTED)

    def numbered(self, provider: str, number: str | OuterRef) -> ReceiptQuerySet:
        """A provider's receipt with this number, one at most; none if the number is empty.

        The index leaves empty numbers out, and is used only where the query does so too.
        """
        return self.filter(provider=provider, number=number).exclude(number="")

    def with_number(self, *numbers: str) -> ReceiptQuerySet:
        """Receipts with one of these numbers, of any provider; none if the number is empty."""
        # Both conditions let the index be used: its first column is the provider, without empty
        # numbers.
        named = self.filter(provider__in=dict(provider_choices()), number__in=numbers)
        return named.exclude(number="")

    def without_number(self) -> ReceiptQuerySet:
        """Receipts whose M-Pesa receipt number is not known yet.

        Not those whose number turned out to be another order's payment: they keep the source that
        named it, and a status query names none.
        """
        moved = Q(verification=Verification.NEVER_CAME) & ~Q(source=ReceiptSource.QUERY)
        return self.filter(~moved, number="", same_as__isnull=True)

    def unidentified_payments(self) -> ReceiptQuerySet:
        """M-Pesa payments without an order that may belong to a prompt.

        Not those that staff found to be separate payments, nor returned transfers.
        """
        unnamed = self.filter(
            order__isnull=True,
            provider=Provider.MPESA,
            is_separate_payment=False,
            same_as__isnull=True,
        )
        return unnamed.exclude(number="").exclude(source=ReceiptSource.RETURNED)

    def in_doubt(self) -> ReceiptQuerySet:
        """Payments M-Pesa does not know, or knows differently: staff must decide."""
        return self.filter(verification=Verification.DOUBTED)

    def unanswered(self) -> ReceiptQuerySet:
        """Unconfirmed payments that M-Pesa was queried about for a day."""
        return self.filter(
            verification=Verification.REPORTED,
            same_as__isnull=True,
            question__isnull=False,
            question__next_check_at__isnull=True,
        )

    def bank_payments_to_verify(self) -> ReceiptQuerySet:
        """Bank payments, which cannot be queried: staff have to check the bank's statement."""
        return self.filter(verification=Verification.REPORTED, amount__gt=0).exclude(
            provider=Provider.MPESA
        )

    def unacknowledged(self) -> ReceiptQuerySet:
        """Receipts with a correction or difference that staff have not acknowledged."""
        return self.filter(unacknowledged=True)

    def awaiting_the_rest(self) -> ReceiptQuerySet:
        """Partial payments whose order is still waiting for the rest."""
        return self.filter(waiting=True, order__payment_status=PaymentStatus.REQUESTED)


class Receipt(models.Model):
    """One payment that arrived, recorded once, whichever source reports it.

    With an ``order`` it is credited to that order. Without one it is in suspense until staff
    decide, and ``note`` says why. ``number`` is empty while only a status query has reported the
    payment: the query proves it but does not name its receipt.
    """

    provider = models.CharField(max_length=8, choices=provider_choices, default=Provider.MPESA)
    number = models.CharField(max_length=40, blank=True)
    amount = models.PositiveIntegerField(
        help_text="Whole Kenyan shillings, as reported by the provider."
    )
    #: The part of the order's price that is written off, because less arrived than first recorded.
    written_off = models.PositiveIntegerField(
        default=0, db_column="borne", help_text="Whole Kenyan shillings."
    )
    payment = models.OneToOneField(
        OrderPayment, null=True, on_delete=models.PROTECT, related_name="receipt"
    )
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="receipts"
    )
    #: The source that reported it first, or that named its number.
    source = models.CharField(max_length=9, choices=ReceiptSource, db_column="door")
    #: The payer's, as the provider shows it: in full (12 digits), as SHA-256, or masked.
    phone = models.CharField(max_length=64, blank=True)
    #: The staff member who typed that number, if no provider has shown it.
    phone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    payer = models.CharField(max_length=100, blank=True, help_text="The payer's name, if known.")
    reference = models.CharField(max_length=40, blank=True, help_text="What the payer typed.")
    #: Credited to an order whose price is not covered yet.
    waiting = models.BooleanField(default=False)
    paid_at = models.DateTimeField(null=True, help_text="As reported by the provider.")
    note = models.CharField(max_length=200, blank=True)
    #: The note reports a difference that staff have not acknowledged yet.
    unacknowledged = models.BooleanField(default=False, db_column="unseen")
    #: The receipt this was found to be a duplicate of. It counts there; the amount here is 0.
    same_as = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="reported_as"
    )
    #: Staff found that it is not the payment of a prompt whose receipt number is missing.
    is_separate_payment = models.BooleanField(default=False, db_column="stands_alone")
    #: No money of it leaves before it is confirmed (payments.evidence).
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
            models.Index(
                fields=["amount", "created_at"],
                name="receipt_in_suspense_by_amount",
                condition=Q(order__isnull=True),
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
            # The payer's phone is not always the order's.
            models.Index(fields=["phone", "-id"], name="receipt_by_phone", condition=~Q(phone="")),
        ]
        permissions = [("decide_money", "Can decide about money that waits for a person")]

    def __str__(self) -> str:
        return f"{self.number or 'number not known yet'}: {format_kes(self.amount)}"

    @property
    def is_returned_transfer(self) -> bool:
        """Whether it is a transfer of the shop's that came back, and not a payment."""
        return self.source == ReceiptSource.RETURNED

    @property
    def is_not_from_prompt(self) -> bool:
        """Whether it cannot be a prompt's payment: staff found so, or it is a returned transfer."""
        return self.is_separate_payment or self.is_returned_transfer

    @property
    def is_confirmed(self) -> bool:
        """Whether it is confirmed, so that money of it may leave."""
        return self.verification == Verification.CONFIRMED

    @property
    def is_in_doubt(self) -> bool:
        """Whether M-Pesa does not know it, or knows it differently, and staff have not decided."""
        return self.verification == Verification.DOUBTED
