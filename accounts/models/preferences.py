"""Notification preferences, verified phones, and counts of contacts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .users import User


class Language(models.TextChoices):
    ENGLISH = "en", "English"
    SWAHILI = "sw", "Kiswahili"


class MessagePreferences(models.Model):
    """Which notifications a user wants, how, and in which language. Without a row: all."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="message_preferences"
    )
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    #: About what they buy: paid, on the way, delivered, refunded.
    buying_email = models.BooleanField(default=True)
    buying_sms = models.BooleanField(default=True)
    #: That an STK push failed, and what to do next.
    prompts_email = models.BooleanField(default=True)
    prompts_sms = models.BooleanField(default=True)
    #: About what they sell: sold, paid out.
    selling_email = models.BooleanField(default=True)
    selling_sms = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "message preferences"

    def __str__(self) -> str:
        return f"what {self.user} wants to be told"


class PhoneProof(models.Model):
    """A verified phone of a user: it paid an order of theirs, or received a payout.

    A phone without one only gets payment prompts (accounts.contacts).
    """

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="proven_phones",
        db_index=False,  # phone_is_proven_once_a_person begins with it
    )
    phone = models.CharField(max_length=12)
    #: When it last paid an order of theirs, which takes its M-Pesa PIN.
    paid_at = models.DateTimeField(null=True)
    #: When a payout of theirs last arrived on it, which its owner need not have requested.
    received_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="phone_is_proven_once_a_person", fields=["user", "phone"]),
            models.CheckConstraint(
                name="phone_is_proven_by_something",
                condition=Q(paid_at__isnull=False) | Q(received_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.phone} of {self.user_id}"


class ContactCount(models.Model):
    """How often a contact was reached, or a source reached others, within a time window.

    Counted by accounts.contact_budgets; deleted once the window is over.
    """

    #: A keyed digest of contact, kind and window, so that no phone is stored.
    key = models.CharField(max_length=64, primary_key=True)
    used = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.used} until {self.ends_at}"
