"""The outbox: notifications that are due, and the messages that send them.

Both are stored before anything is sent, so that a crash neither loses nor repeats one.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery

from accounts.models import User
from omachemainproj.phones import write_phone
from omachemainproj.sms import LOGGED


class NotificationKind(models.TextChoices):
    PAID = "paid", "order paid"
    PROMPT_FAILED = "prompt_failed", "prompt failed"
    SHIPPED = "shipped", "on the way"
    ARRIVED = "arrived", "at the pick-up point"
    ATTEMPTED = "attempted", "delivery attempted"
    WAITING = "waiting", "still at the pick-up point"
    UNCOLLECTED = "uncollected", "not collected"
    DELIVERED = "delivered", "delivered"
    GOES_BACK = "goes_back", "refund started"
    REFUNDED = "refunded", "refund sent"
    SOLD = "sold", "goods sold"
    PAID_OUT = "paid_out", "seller paid"
    PAYOUT_FAILED = "payout_failed", "seller could not be paid"
    PROBLEM = "problem", "problem reported"
    PROBLEM_REPLY = "problem_reply", "message about a problem"
    PROBLEM_ENDED = "problem_ended", "problem decided"
    PROBLEM_SHOP = "problem_shop", "problem reported to support"


#: Kinds for staff: sent by e-mail only, not shown in the app.
TO_STAFF = frozenset({NotificationKind.PROBLEM_SHOP})
#: Kinds for buyers and sellers: sent by e-mail and SMS, and shown in the app.
TO_PEOPLE = [(kind.value, kind.label) for kind in NotificationKind if kind not in TO_STAFF]


class MessageChannel(models.TextChoices):
    EMAIL = "email", "e-mail"
    SMS = "sms", "SMS"


class MessageState(models.TextChoices):
    DUE = "due", "to be sent"  # at next_try_at
    UNKNOWN = "unknown", "possibly sent"  # claimed for sending; the result is not known
    SENT = "sent", "sent"  # the provider accepted it
    FAILED = "failed", "not sent"  # definitely, and not tried again


class ReportedStatus(models.TextChoices):
    """A provider's report about an accepted SMS. The latest counts, and a final one wins."""

    SENT = "sent", "sent by the provider"
    SUBMITTED = "submitted", "submitted to the network"
    BUFFERED = "buffered", "queued by the network"
    REJECTED = "rejected", "refused by the network"
    FAILED = "failed", "not delivered"
    SUCCESS = "success", "delivered"


#: Reports that an SMS will never reach the phone.
NOT_DELIVERED = (ReportedStatus.REJECTED, ReportedStatus.FAILED)


#: Placeholders for a provider's id: when SMS are only logged, and when the provider returned none.
UNNAMED = "unnamed"
WITHOUT_ID = (LOGGED, UNNAMED)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def to_compose(self) -> NoticeQuerySet:
        """Notifications whose messages are not written yet."""
        return self.filter(composed_at__isnull=True)


class Notice(models.Model):
    """A notification, stored in the transaction of the event it reports.

    Its recipients, channels and texts are decided after commit (orders.notifications.composing).
    """

    key = models.CharField(max_length=64, unique=True, help_text="Like “paid:order:12”.")
    kind = models.CharField(max_length=13, choices=NotificationKind)
    #: The recipient. None: the order's buyer, for ``sold`` its sellers, for ``problem_shop``
    #: everyone in support.
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
    #: - amount (KES): goes_back, refunded, paid_out, payout_failed, problem_ended; prompt_failed
    #:   where less than all is missing
    #: - receipt (M-Pesa's number): refunded, paid_out
    #: - why ({"en": ..., "sw": ...}): prompt_failed, goes_back, attempted; refunded, where a price
    #:   was reduced
    #: - by_hand (how to pay without a prompt): prompt_failed
    #: - to ("buyer" or "seller"): problem, problem_reply, problem_ended
    #: - about (a kind of problem, or what was decided): problem, problem_ended, problem_shop
    #: - problem (its id): problem_shop
    #: - until (the last day it waits, as 5/12/2026): waiting, uncollected
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
        """A user's notifications. All views of them start from this queryset."""
        return self.filter(user=user)

    def unread(self) -> InboxNoticeQuerySet:
        """Unread ones; slice before counting (``[:100].count()``) to read no more than that."""
        return self.filter(read_at__isnull=True)


class InboxNotice(models.Model):
    """A notification as one user sees it in the app, whichever other channels they chose.

    Written with the messages of its notification, in both languages and without collection codes,
    which the order shows while they are valid. Deleted with old messages (orders.retention).
    """

    notice = models.ForeignKey(
        Notice,
        on_delete=models.PROTECT,
        related_name="in_app",
        db_index=False,  # person_finds_it_once begins with it
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="inbox",
        db_index=False,  # inbox_newest begins with it
    )
    kind = models.CharField(max_length=13, choices=TO_PEOPLE)
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: Set if it is about a single line.
    track = models.ForeignKey(
        "orders.OrderTrack", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: By language (``en``, ``sw``): its title and its text.
    said = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    read_at = models.DateTimeField(null=True)

    objects = InboxNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "notice in the app"
        verbose_name_plural = "notices in the app"
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
        """Messages due for sending."""
        return self.filter(next_try_at__lte=now)

    def resendable(self) -> MessageQuerySet:
        """Messages not known to have been sent; only staff can send them again."""
        return self.filter(state__in=[MessageState.UNKNOWN, MessageState.FAILED])

    def undelivered(self) -> MessageQuerySet:
        """Sent SMS that the provider reports as not delivered."""
        failed = SmsReport.objects.filter(status__in=NOT_DELIVERED).values("provider_id")
        return self.filter(
            channel=MessageChannel.SMS, state=MessageState.SENT, provider_id__in=failed
        )

    def undelivered_without_email(self) -> MessageQuerySet:
        """Undelivered SMS without an e-mail of the same content: staff have to tell the reader."""
        by_mail = Message.objects.filter(
            notice=OuterRef("notice"), user=OuterRef("user"), channel=MessageChannel.EMAIL
        ).exclude(state=MessageState.FAILED)
        return self.undelivered().filter(~Exists(by_mail))

    def with_delivery(self) -> MessageQuerySet:
        """Annotate the provider's report: ``reported`` and ``reported_why``, None without one."""
        report = SmsReport.objects.filter(provider_id=OuterRef("provider_id"))
        return self.annotate(
            reported=Subquery(report.values("status")[:1]),
            reported_why=Subquery(report.values("reason")[:1]),
        )


class SmsReportQuerySet(models.QuerySet["SmsReport"]):
    def to_follow(self) -> SmsReportQuerySet:
        """Reports of undelivered messages that have not been handled yet.

        A report is handled once its message's row has the provider's id.
        """
        about = Message.objects.filter(
            provider_id=OuterRef("provider_id"), channel=MessageChannel.SMS
        )
        return self.filter(Exists(about), status__in=NOT_DELIVERED, followed_at__isnull=True)


class SmsReport(models.Model):
    """The provider's latest report about one SMS, by the provider's id.

    It may arrive before the message's row has that id, and sign-in codes have no message. It has
    neither the phone number nor the text. Deleted with old messages (orders.retention).
    """

    provider_id = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=9, choices=ReportedStatus)
    #: The provider's reason for a failed delivery; often empty.
    reason = models.CharField(max_length=60, blank=True)
    reported_at = models.DateTimeField(db_index=True)
    #: For a failed delivery: when the e-mail in its place was arranged.
    followed_at = models.DateTimeField(null=True)

    objects = SmsReportQuerySet.as_manager()

    class Meta:
        verbose_name = "report of an SMS"
        verbose_name_plural = "reports of SMS"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="sms_report_has_a_status_there_is",
                condition=Q(status__in=ReportedStatus.values),
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider_id"],
                name="sms_report_of_failure",
                condition=Q(status__in=NOT_DELIVERED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.status}"


class Message(models.Model):
    """One message to one person over one channel, with its text.

    Its state is set to ``unknown`` and committed before the provider is called: after a crash in
    between it is not sent again, unless staff decide so.
    """

    notice = models.ForeignKey(
        Notice,
        on_delete=models.PROTECT,
        related_name="messages",
        db_index=False,  # person_is_told_once_per_channel begins with it
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="messages",
        db_index=False,  # message_to_person_newest begins with it
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
    #: The provider's id; for an e-mail its Message-ID.
    provider_id = models.CharField(max_length=64, blank=True)
    #: Why it was not sent, or why that is not known.
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = "message to a person"
        verbose_name_plural = "messages to people"
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
            # Until its retention period is over.
            models.Index(
                fields=["created_at"],
                name="message_with_text",
                condition=Q(state=MessageState.SENT) & ~Q(text=""),
            ),
            models.Index(fields=["contact", "-id"], name="message_to_contact_newest"),
            models.Index(
                fields=["provider_id"],
                name="mail_by_provider_id",
                condition=Q(channel=MessageChannel.EMAIL) & ~Q(provider_id__in=["", *WITHOUT_ID]),
            ),
            models.Index(fields=["user", "-id"], name="message_to_person_newest"),
            # For the admin's filters by kind and channel: some kinds are rare among millions.
            models.Index(fields=["kind", "-id"], name="message_of_kind_newest"),
            models.Index(
                fields=["id"], name="message_by_mail", condition=Q(channel=MessageChannel.EMAIL)
            ),
            models.Index(
                fields=["provider_id"],
                name="message_by_provider_id",
                condition=Q(channel=MessageChannel.SMS),
            ),
            models.Index(
                fields=["id"],
                name="message_for_a_person",
                condition=Q(state__in=[MessageState.UNKNOWN, MessageState.FAILED]),
            ),
        ]
        permissions = [("resend_message", "Can have messages sent again")]

    def __str__(self) -> str:
        to = write_phone(self.contact)
        return f"{self.get_kind_display()}, by {self.get_channel_display()} to {to}"
