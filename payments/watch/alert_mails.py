"""Alert e-mails about incidents, sent to ALERT_EMAIL.

They are sent like all mail (orders.notifications.channels.smtp) and retried. Unlike a mail to a
buyer, one that may have been sent is retried too: two alerts are better than none.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from omachemainproj.sms.errors import MaybeSent, NotSent
from orders.notifications.channels import smtp
from payments.models import AlertMail

logger = logging.getLogger(__name__)

#: The delay before each retry. After the last one no more are made.
_RETRY_DELAYS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60, 6 * 60))
#: A try without a result after this time has ended with its process.
_TRY_WITHIN = timedelta(minutes=5)


def send_alert(mail_id: int) -> None:
    """Send one due mail. Safe to repeat and to run concurrently: one caller claims each try."""
    now = timezone.now()
    due = AlertMail.objects.to_send(now).filter(pk=mail_id)
    if not settings.ALERT_EMAIL:
        due.update(next_try_at=None, reason="ALERT_EMAIL is no longer set.")
        return
    if not due.update(tries=F("tries") + 1, next_try_at=now + _TRY_WITHIN):
        return
    mail = AlertMail.objects.select_related("trouble").get(pk=mail_id)
    mine = AlertMail.objects.filter(pk=mail_id, tries=mail.tries)
    try:
        smtp.send(address=settings.ALERT_EMAIL, subject=subject_of(mail), text=text_of(mail))
    except (NotSent, MaybeSent) as error:
        logger.error("alert mail (%s) was not sent: %s", mail, error)
        again = mail.tries <= len(_RETRY_DELAYS)
        mine.update(
            next_try_at=now + _RETRY_DELAYS[mail.tries - 1] if again else None,
            reason=str(error)[:200],
        )
    else:
        mine.update(next_try_at=None, sent_at=timezone.now(), reason="")


def subject_of(mail: AlertMail) -> str:
    """The kind of incident, and whether it is over."""
    kind = mail.trouble.kind.replace("-", " ")
    return f"O-Mache: {kind}{' is over' if mail.is_over else ''}"


def text_of(mail: AlertMail) -> str:
    """What is wrong, since when, and where to look."""
    incident = mail.trouble
    lines = [f"Since {_at(incident.began_at)}: {incident.says}."]
    if mail.is_over and incident.over_at is not None:
        lines = [
            f"It is over: {incident.says}.",
            f"{_at(incident.began_at)} to {_at(incident.seen_at)}.",
        ]
    return "\n\n".join(
        [
            *lines,
            f"What to do: docs/night.md#{incident.kind}",
            f"The console: {settings.DARAJA_CALLBACK_BASE_URL}/admin/payments/console/",
        ]
    )


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(NAIROBI):%-d %b %Y, %H:%M} in Nairobi"
