"""Reports of a payment from each source, and the status queries about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from .order_payments import new_callback_token
from .receipts import Provider, Receipt, ReceiptSource

#: Sources in which the gateway itself answers about a receipt number.
AUTHORITATIVE_SOURCES = (ReceiptSource.STATEMENT, ReceiptSource.STATUS)
#: Sources that say of a prompt that it was paid; "earlier" is from before sources were recorded.
PROVES_PROMPT = (ReceiptSource.CALLBACK, ReceiptSource.QUERY, ReceiptSource.EARLIER)
#: Delay before the next status query of a payment, as long as no answer comes.
RECEIPT_QUERIES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60, 180, 360, 720))


class ReceiptEvidence(models.Model):
    """A source's report of a payment: its amount, number and short code. Append-only.

    ``number`` is empty if the source names none, as the status query of a prompt does not;
    ``shortcode`` is empty for banks and staff. ``told_by`` is the staff member who reported it.
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
        """Whether it reports the receipt's own number and amount."""
        names_it = self.number == receipt.number or (
            self.source == ReceiptSource.QUERY and not self.number
        )
        return names_it and self.amount == receipt.amount and receipt.amount > 0


def is_enough(receipt: Receipt, reports: list[ReceiptEvidence]) -> bool:
    """Whether reports confirm a receipt: two sources agree with it in amount and number.

    One of them has to be the gateway's own answer: its statement, or a status query of the number.
    Callbacks and what staff typed are not proof, and no money leaves on them alone. A bank cannot
    be queried: its notification needs a staff member who has checked, or two of them.
    """
    agreeing = [each for each in reports if each.agrees_with(receipt)]
    sources = {each.source for each in agreeing}
    if receipt.provider == Provider.MPESA:
        return len(sources) > 1 and not sources.isdisjoint(AUTHORITATIVE_SOURCES)
    people = {each.told_by_id for each in agreeing if each.source == ReceiptSource.STAFF}
    return len(people) > 1 or (ReceiptSource.BANK in sources and bool(people))


class ReceiptQuestionQuerySet(models.QuerySet["ReceiptQuestion"]):
    def due(self, now: datetime) -> ReceiptQuestionQuerySet:
        """Receipts to query M-Pesa about now, longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")


class ReceiptQuestion(models.Model):
    """When M-Pesa is queried about one payment by its number, as a transfer is waiting for it."""

    receipt = models.OneToOneField(Receipt, on_delete=models.PROTECT, related_name="question")
    #: The secret part of the callback URL for the answer. Only Daraja knows it.
    token = models.CharField(max_length=32, default=new_callback_token, unique=True, editable=False)
    #: How many queries were sent.
    queries = models.PositiveSmallIntegerField(default=0, db_column="asked")
    #: When the clock sends the next; None once M-Pesa has answered, or was queried for a day.
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
        return f"about {self.receipt_id}, asked {self.queries} times"
