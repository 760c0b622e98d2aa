"""SMS delivery reports: storing them, and sending an e-mail instead of an SMS that failed.

Locks: the report. A constraint ensures that the e-mail is created only once.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.contacts import has_proven_email
from omachemainproj.background import enqueue, enqueue_after_commit
from omachemainproj.locking import lock_row
from omachemainproj.phones import mask_phone
from omachemainproj.sms.reports import DeliveryReport, UnreadableReport
from omachemainproj.task_registry import background_task
from orders.models.notifications import (
    NOT_DELIVERED,
    WITHOUT_ID,
    InboxNotice,
    Message,
    MessageChannel,
    NotificationKind,
    ReportedStatus,
    SmsReport,
)

from .outdated import is_outdated
from .rendering import render_instead
from .sending import send_message

logger = logging.getLogger(__name__)

#: An SMS's progress. Of two reports the further one counts, in whatever order they come. Delivery
#: to the phone counts most: a part of a long SMS may have been reported as failed before.
_ORDER: list[str] = [
    ReportedStatus.SENT,
    ReportedStatus.SUBMITTED,
    ReportedStatus.BUFFERED,
    ReportedStatus.REJECTED,
    ReportedStatus.FAILED,
    ReportedStatus.SUCCESS,
]
#: Kinds that are also sent by e-mail if the SMS was not delivered, even to users who turned e-mail
#: of that kind off: their goods are waiting, or their money has moved. Others are in the app only.
IMPORTANT_KINDS = frozenset(
    {
        NotificationKind.PAID,
        NotificationKind.ARRIVED,
        NotificationKind.ATTEMPTED,
        NotificationKind.WAITING,
        NotificationKind.UNCOLLECTED,
        NotificationKind.GOES_BACK,
        NotificationKind.REFUNDED,
        NotificationKind.PAID_OUT,
        NotificationKind.PAYOUT_FAILED,
    }
)


@transaction.atomic
def record_report(reported: DeliveryReport) -> SmsReport:
    """Store a provider's report of one SMS, known here or not. Returns the report that counts.

    Safe to repeat, in any order. A report is matched by the provider's id only, even if it names
    another phone than the message was sent to. Raises UnreadableReport for a placeholder id: it
    would match every message without an id.
    """
    if reported.provider_id in WITHOUT_ID:
        raise UnreadableReport("It names no message.")
    now = timezone.now()
    report, is_new = SmsReport.objects.get_or_create(
        provider_id=reported.provider_id,
        defaults={"status": reported.status, "reason": reported.reason, "reported_at": now},
    )
    if not is_new:
        report = lock_row(SmsReport, report.pk)
        if _ORDER.index(reported.status) <= _ORDER.index(report.status):
            return report
        report.status, report.reason, report.reported_at = reported.status, reported.reason, now
        report.save(update_fields=["status", "reason", "reported_at"])
    if report.status in NOT_DELIVERED:
        logger.warning(
            "an SMS to %s was not delivered: %s %s",
            mask_phone(reported.phone) or "somebody",
            report.status,
            report.reason,
        )
        enqueue_after_commit(follow_report, report.pk)
    return report


@background_task()
def follow_report(report_id: int) -> None:
    """Send an e-mail instead of an SMS that was not delivered, if its kind is in IMPORTANT_KINDS.

    Safe to repeat, concurrently. If no message has the report's id yet, nothing is done: the clock
    retries.
    """
    message_id = _follow(report_id, timezone.now())
    if message_id is not None:
        enqueue(send_message, message_id)


@transaction.atomic
def _follow(report_id: int, now: datetime) -> int | None:
    """The id of the e-mail that was written instead, if one was."""
    report = lock_row(SmsReport, report_id)
    if report.followed_at is not None or report.status not in NOT_DELIVERED:
        return None
    of_sms = Message.objects.filter(channel=MessageChannel.SMS)
    message = of_sms.select_related("notice", "user").filter(provider_id=report.provider_id).first()
    if message is None:
        return None
    report.followed_at = now
    report.save(update_fields=["followed_at"])
    return _write_by_mail(message, now)


def _write_by_mail(sms: Message, now: datetime) -> int | None:
    """Create an e-mail with the content of an SMS, once, and return its id.

    None if there is nothing to send, or no confirmed address: then it is left to staff
    (Message.objects.undelivered_without_email).
    """
    others = Message.objects.filter(notice=sms.notice_id, user=sms.user_id)
    if sms.kind not in IMPORTANT_KINDS or others.filter(channel=MessageChannel.EMAIL).exists():
        return None
    # A text that was erased is too old to send (orders.retention).
    if not sms.text or not has_proven_email(sms.user):
        return None
    if is_outdated(sms.notice, reader_id=sms.user_id):
        return None
    in_app = InboxNotice.objects.filter(notice=sms.notice_id, user=sms.user_id).first()
    subject, text = render_instead(
        sms.language,
        name=sms.user.first_name or sms.user.username,
        title=in_app.said[sms.language]["title"] if in_app else sms.get_kind_display(),
        text=sms.text,
    )
    written = Message.objects.create(
        notice=sms.notice,
        user=sms.user,
        kind=sms.kind,
        channel=MessageChannel.EMAIL,
        language=sms.language,
        contact=sms.user.email,
        subject=subject[:100],
        text=text,
        next_try_at=now,
    )
    return written.pk
