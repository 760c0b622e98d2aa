"""What people are to be told, and each message that says so: rows that survive a crash."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q


class Kind(models.TextChoices):
    PAID = "paid", "order paid"
    PROMPT_FAILED = "prompt_failed", "prompt failed"
    SHIPPED = "shipped", "on the way"
    DELIVERED = "delivered", "delivered"
    REFUNDED = "refunded", "money sent back"
    SOLD = "sold", "goods sold"
    PAID_OUT = "paid_out", "seller paid"


class Channel(models.TextChoices):
    EMAIL = "email", "e-mail"
    SMS = "sms", "SMS"


class MessageState(models.TextChoices):
    DUE = "due"  # to be sent at next_try_at
    UNKNOWN = "unknown"  # somebody took it to send it; nobody knows whether it left
    SENT = "sent"  # the provider took it
    FAILED = "failed"  # it was definitely not sent, and will not be


class NoticeQuerySet(models.QuerySet["Notice"]):
    def to_compose(self) -> NoticeQuerySet:
        """Things to tell that nobody has put into words yet."""
        return self.filter(composed_at__isnull=True)


class Notice(models.Model):
    """A notification that is due, stored in the transaction of what it is about.

    Its recipients, channels and texts are decided after commit (orders.notifications.rendering).
    """

    key = models.CharField(max_length=64, unique=True, help_text="Like “paid:order:12”.")
    kind = models.CharField(max_length=13, choices=Kind)
    #: None: whom the kind is for, the buyer of the order or each of its sellers.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="notices"
    )
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="notices"
    )
    track = models.ForeignKey(
        "orders.OrderTrack", null=True, on_delete=models.PROTECT, related_name="notices"
    )
    #: Where an SMS goes; empty: the number of the order, or of the seller's line.
    phone = models.CharField(max_length=12, blank=True)
    #: What the row cannot be asked for later: amounts in KES, reasons in both languages.
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    composed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], name="notice_to_compose", condition=Q(composed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.key


class MessageQuerySet(models.QuerySet["Message"]):
    def to_send(self, now: datetime) -> MessageQuerySet:
        """Messages whose time to be sent has come."""
        return self.filter(next_try_at__lte=now)

    def stranded(self) -> MessageQuerySet:
        """Messages that are not known to have been sent, and that nobody will send by itself."""
        return self.filter(state__in=[MessageState.UNKNOWN, MessageState.FAILED])


class Message(models.Model):
    """One message to one person over one channel, in the words it has.

    The row turns ``unknown`` before the provider hears of it, so that whatever dies in between, it
    is never sent twice by itself.
    """

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="messages")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages"
    )
    kind = models.CharField(max_length=13, choices=Kind)
    channel = models.CharField(max_length=5, choices=Channel)
    language = models.CharField(max_length=2)
    contact = models.CharField(max_length=254, help_text="An e-mail address, or 2547….")
    subject = models.CharField(max_length=100, blank=True)
    text = models.TextField()
    state = models.CharField(max_length=7, choices=MessageState, default=MessageState.DUE)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    #: The name the provider gave it.
    provider_id = models.CharField(max_length=64, blank=True)
    #: Why it was not sent, or not known to be.
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="person_is_told_once_per_channel", fields=["notice", "user", "channel"]
            ),
            models.CheckConstraint(
                name="message_has_a_next_try_while_it_is_due",
                condition=Q(state=MessageState.DUE, next_try_at__isnull=False)
                | Q(
                    state__in=[MessageState.UNKNOWN, MessageState.SENT, MessageState.FAILED],
                    next_try_at__isnull=True,
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="message_to_send",
                condition=Q(next_try_at__isnull=False),
            ),
            models.Index(fields=["contact"], name="message_by_contact"),
            models.Index(
                fields=["id"],
                name="message_for_a_person",
                condition=Q(state__in=[MessageState.UNKNOWN, MessageState.FAILED]),
            ),
        ]
        permissions = [("resend_message", "Can have messages sent again")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel} to {self.contact}"
