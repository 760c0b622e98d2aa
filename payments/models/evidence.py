"""Who told of a payment that came, in what words, and what M-Pesa is asked about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from .order_payments import new_callback_token
from .receipts import Provider, Receipt, ReceiptSource, Verification

#: What the gateway itself answers where it is asked about a payment by its number.
ANSWERS = (ReceiptSource.STATEMENT, ReceiptSource.STATUS)
#: After each question about a payment: how long until the next, where no answer came.
RECEIPT_QUERIES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60, 180, 360, 720))


class ReceiptEvidence(models.Model):
    """What one source said of a payment: its amount, number and short code. Only added to.

    ``number`` is empty where the source names none, as the status query of a prompt does, and
    ``shortcode`` where a bank or a person does not say. ``told_by`` is the person, where one told.
    """

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="evidence")
    source = models.CharField(max_length=9, choices=ReceiptSource)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    number = models.CharField(max_length=40, blank=True)
    shortcode = models.CharField(max_length=12, blank=True)
    told_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    told_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "evidence of a receipt"
        verbose_name_plural = "evidence of receipts"
        constraints = [
            models.UniqueConstraint(
                name="evidence_is_kept_once",
                fields=["receipt", "source", "amount", "number", "shortcode"],
                condition=Q(told_by__isnull=True),
            ),
            models.UniqueConstraint(
                name="evidence_of_a_person_is_kept_once",
                fields=["receipt", "source", "amount", "number", "shortcode", "told_by"],
                condition=Q(told_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()}: {self.amount} KES"

    def agrees_with(self, receipt: Receipt) -> bool:
        """Whether it says of a receipt what that says of itself."""
        names_it = self.number == receipt.number or (
            self.source == ReceiptSource.QUERY and not self.number
        )
        return names_it and self.amount == receipt.amount and receipt.amount > 0


def is_enough(receipt: Receipt, said: list[ReceiptEvidence]) -> bool:
    """Whether what was said confirms a receipt: two sources agree with it in amount and number.

    One of them is the gateway itself, asked: its statement or its answer about the number. What
    was posted to us and what a person typed are news, and news alone moves nothing out. A bank
    cannot be asked: there a person, or a second one, has to have looked.
    """
    agreeing = [each for each in said if each.agrees_with(receipt)]
    sources = {each.source for each in agreeing}
    if receipt.provider == Provider.MPESA:
        return len(sources) > 1 and not sources.isdisjoint(ANSWERS)
    people = {each.told_by_id for each in agreeing if each.source == ReceiptSource.STAFF}
    return len(people) > 1 or (ReceiptSource.BANK in sources and bool(people))


class ReceiptQuestionQuerySet(models.QuerySet["ReceiptQuestion"]):
    def due(self, now: datetime) -> ReceiptQuestionQuerySet:
        """What it is time to ask, longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")

    def unanswered(self) -> ReceiptQuestionQuerySet:
        """What was asked for a day, and M-Pesa does not say."""
        return self.filter(
            next_check_at__isnull=True,
            receipt__verification=Verification.REPORTED,
            receipt__same_as__isnull=True,
        )


class ReceiptQuestion(models.Model):
    """M-Pesa is asked about one payment, by its number: something that is to leave waits for it."""

    receipt = models.OneToOneField(Receipt, on_delete=models.PROTECT, related_name="question")
    #: The address of the answer. Only Daraja knows it.
    token = models.CharField(max_length=32, default=new_callback_token, unique=True, editable=False)
    asked = models.PositiveSmallIntegerField(default=0)
    #: When the clock asks; None once it was answered, or asked for a day.
    next_check_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReceiptQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = "question about a receipt"
        verbose_name_plural = "questions about receipts"
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="question_to_ask",
                condition=Q(next_check_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"about {self.receipt_id}, asked {self.asked} times"
