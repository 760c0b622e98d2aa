"""The outbox: notifications that are due, and the messages in which they are sent.

Both are rows before anything is sent, so that neither is lost in a crash or sent twice.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from omachemainproj.sms import LOGGED


class NotificationKind(models.TextChoices):
    PAID = "paid", "order paid"
    PROMPT_FAILED = "prompt_failed", "prompt failed"
    SHIPPED = "shipped", "on the way"
    ARRIVED = "arrived", "at the pick-up point"
    DELIVERED = "delivered", "delivered"
    GOES_BACK = "goes_back", "money is going back"
    REFUNDED = "refunded", "money sent back"
    SOLD = "sold", "goods sold"
    PAID_OUT = "paid_out", "seller paid"
    PROBLEM = "problem", "problem reported"
    PROBLEM_REPLY = "problem_reply", "message about a problem"
    PROBLEM_ENDED = "problem_ended", "problem decided"


class MessageChannel(models.TextChoices):
    EMAIL = "email", "e-mail"
    SMS = "sms", "SMS"


class MessageState(models.TextChoices):
    DUE = "due"  # to be sent at next_try_at
    UNKNOWN = "unknown"  # claimed for sending; whether it was sent is not known
    SENT = "sent"  # the provider accepted it
    FAILED = "failed"  # definitely not sent, and not tried again


#: In the place of a provider's id: of a shop that only logs, and where the provider named none.
UNNAMED = "unnamed"
WITHOUT_ID = (LOGGED, UNNAMED)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def to_compose(self) -> NoticeQuerySet:
        """Notifications whose messages are not written yet."""
        return self.filter(composed_at__isnull=True)


class Notice(models.Model):
    """A notification that is due, stored in the transaction of what it is about.

    Its recipients, channels and texts are decided after commit (orders.notifications.rendering).
    """

    key = models.CharField(max_length=64, unique=True, help_text="Like “paid:order:12”.")
    kind = models.CharField(max_length=13, choices=NotificationKind)
    #: The recipient; None for the buyer of the order or, of goods sold, each of its sellers.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="notices"
    )
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="notices"
    )
    track = models.ForeignKey(
        "orders.OrderTrack", null=True, on_delete=models.PROTECT, related_name="notices"
    )
    #: Where an SMS goes, 12 digits; empty for the number of the order, or of the seller's line.
    phone = models.CharField(max_length=12, blank=True)
    #: What cannot be read from the order later:
    #: - amount (KES): goes_back, refunded, paid_out, problem_ended; prompt_failed where less than
    #:   all is missing
    #: - receipt (M-Pesa's number): refunded, paid_out
    #: - why ({"en": ..., "sw": ...}): prompt_failed, goes_back; refunded, where a price was reduced
    #: - by_hand (how to pay without a prompt): prompt_failed
    #: - to ("buyer" or "seller"): problem, problem_reply, problem_ended
    #: - about (a kind of problem, or what was decided): problem, problem_ended
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


class InboxNoticeQuerySet(models.QuerySet["InboxNotice"]):
    def of(self, user: User | int) -> InboxNoticeQuerySet:
        """What a person was told. Their views start here and nowhere else."""
        return self.filter(user=user)

    def unread(self) -> InboxNoticeQuerySet:
        """What they have not read yet; ``[:100].count()`` of it looks at no more than that."""
        return self.filter(read_at__isnull=True)


class InboxNotice(models.Model):
    """What one person was told, as it waits for them in the app, whatever else they get.

    Written with the messages of its notification, in both languages and without collection codes:
    those stand on the order, for as long as they are of use. Deleted when messages are forgotten
    (orders.retention).
    """

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="in_app")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="inbox",
        db_index=False,  # inbox_newest begins with it
    )
    kind = models.CharField(max_length=13, choices=NotificationKind)
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: Where it is about one line alone.
    track = models.ForeignKey(
        "orders.OrderTrack", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: By language (``en``, ``sw``): its title and its text.
    said = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    read_at = models.DateTimeField(null=True)

    objects = InboxNoticeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="person_finds_it_once", fields=["notice", "user"]),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="inbox_newest"),
            models.Index(fields=["user"], name="inbox_unread", condition=Q(read_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class MessageQuerySet(models.QuerySet["Message"]):
    def to_send(self, now: datetime) -> MessageQuerySet:
        """Messages whose time to be sent has come."""
        return self.filter(next_try_at__lte=now)

    def resendable(self) -> MessageQuerySet:
        """Messages not known to have been sent, which are sent again only by a person."""
        return self.filter(state__in=[MessageState.UNKNOWN, MessageState.FAILED])


class Message(models.Model):
    """One message to one person over one channel, with its text.

    Its state is ``unknown``, and committed, before the provider is called: whatever crashes in
    between, it is not sent twice unless a person decides so.
    """

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="messages")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages"
    )
    kind = models.CharField(max_length=13, choices=NotificationKind)
    channel = models.CharField(max_length=5, choices=MessageChannel)
    language = models.CharField(max_length=2)
    contact = models.CharField(max_length=254, help_text="An e-mail address, or 2547….")
    subject = models.CharField(max_length=100, blank=True)
    text = models.TextField()
    state = models.CharField(max_length=7, choices=MessageState, default=MessageState.DUE)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    #: The provider's id of it; the e-mail's own.
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
            models.CheckConstraint(
                name="message_that_was_sent_says_when_and_under_which_id",
                condition=Q(
                    ~Q(provider_id=""),
                    state=MessageState.SENT,
                    tries__gte=1,
                    tried_at__isnull=False,
                    sent_at__isnull=False,
                    sent_at__gte=F("tried_at"),
                )
                | Q(~Q(state=MessageState.SENT), sent_at__isnull=True),
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
