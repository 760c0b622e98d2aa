"""Delivery reports: kept, held against the message they are about, and followed where it failed.

Locks: the report. What follows one is a message of its own, made once: a constraint sees to that.
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
from .sending import send_message
from .templates import render_instead

logger = logging.getLogger(__name__)

#: How far along its way an SMS is. Of two reports the one that is further counts, whichever comes
#: first; and that it is on the phone counts most: part of a long one may have failed before.
_ORDER: list[str] = [
    ReportedStatus.SENT,
    ReportedStatus.SUBMITTED,
    ReportedStatus.BUFFERED,
    ReportedStatus.REJECTED,
    ReportedStatus.FAILED,
    ReportedStatus.SUCCESS,
]
#: What is sent by e-mail too where the SMS did not arrive, also to who wants no e-mail of its kind:
#: their goods wait for them, or their money has moved. All else waits in the app.
MATTERS = frozenset(
    {
        NotificationKind.PAID,
        NotificationKind.ARRIVED,
        NotificationKind.ATTEMPTED,
        NotificationKind.WAITING,
        NotificationKind.UNCOLLECTED,
        NotificationKind.GOES_BACK,
        NotificationKind.REFUNDED,
        NotificationKind.PAID_OUT,
    }
)


@transaction.atomic
def record_report(said: DeliveryReport) -> SmsReport:
    """Keep what a provider says of one SMS, whether it is known here or not. Returns what counts.

    Safe to repeat, and in any order. One that names another phone than the message went to is kept
    too: it is the provider's id that says what it is about. Raises UnreadableReport for what stands
    in the place of an id where a message has none: it would be about all of those.
    """
    if said.provider_id in WITHOUT_ID:
        raise UnreadableReport("It names no message.")
    now = timezone.now()
    report, is_new = SmsReport.objects.get_or_create(
        provider_id=said.provider_id,
        defaults={"status": said.status, "reason": said.reason, "reported_at": now},
    )
    if not is_new:
        report = lock_row(SmsReport, report.pk)
        if _ORDER.index(said.status) <= _ORDER.index(report.status):
            return report
        report.status, report.reason, report.reported_at = said.status, said.reason, now
        report.save(update_fields=["status", "reason", "reported_at"])
    if report.status in NOT_DELIVERED:
        logger.warning(
            "an SMS to %s was not delivered: %s %s",
            mask_phone(said.phone) or "somebody",
            report.status,
            report.reason,
        )
        enqueue_after_commit(follow_report, report.pk)
    return report


@background_task()
def follow_report(report_id: int) -> None:
    """See to it that who did not get an SMS hears of it otherwise, where it matters.

    Safe to repeat, anywhere, at once. Where its message does not know its id yet, nothing is done:
    the clock comes again.
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
    """Say by e-mail what an SMS said, once; None where nothing is to be said, or nobody to write
    to: it is left to a person then (Message.objects.untold)."""
    told = Message.objects.filter(notice=sms.notice_id, user=sms.user_id)
    if sms.kind not in MATTERS or told.filter(channel=MessageChannel.EMAIL).exists():
        return None
    # What was forgotten is too old to be said (orders.retention).
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
