"""The mails that tell of trouble, to ALERT_EMAIL.

They leave as all mail does (orders.notifications.channels.smtp) and are tried again. Unlike a mail
to a buyer, one of which nobody knows whether it left is sent again too: to be told twice is better
than never.
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

#: Before each further try; after the last it is given up.
RETRY_DELAYS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60, 6 * 60))
#: A try that says nothing for so long has ended with its process.
TRY_WITHIN = timedelta(minutes=5)


def send_alert(mail_id: int) -> None:
    """Send one mail that is due. Safe to repeat, anywhere, at once: one caller claims each try."""
    now = timezone.now()
    due = AlertMail.objects.to_send(now).filter(pk=mail_id)
    if not settings.ALERT_EMAIL:
        due.update(next_try_at=None, reason="ALERT_EMAIL is not set any more.")
        return
    if not due.update(tries=F("tries") + 1, next_try_at=now + TRY_WITHIN):
        return
    mail = AlertMail.objects.select_related("trouble").get(pk=mail_id)
    mine = AlertMail.objects.filter(pk=mail_id, tries=mail.tries)
    try:
        smtp.send(address=settings.ALERT_EMAIL, subject=subject_of(mail), text=text_of(mail))
    except (NotSent, MaybeSent) as error:
        logger.error("the mail about trouble (%s) was not sent: %s", mail, error)
        again = mail.tries <= len(RETRY_DELAYS)
        mine.update(
            next_try_at=now + RETRY_DELAYS[mail.tries - 1] if again else None,
            reason=str(error)[:200],
        )
    else:
        mine.update(next_try_at=None, sent_at=timezone.now(), reason="")


def subject_of(mail: AlertMail) -> str:
    """What is wrong, in a few words; of what is over, that it is."""
    begun = mail.trouble.kind.replace("-", " ")
    return f"O-Mache: {begun}{' is over' if mail.is_over else ''}"


def text_of(mail: AlertMail) -> str:
    """What is wrong, since when, and where to look."""
    trouble = mail.trouble
    lines = [f"Since {_at(trouble.began_at)}: {trouble.says}."]
    if mail.is_over and trouble.over_at is not None:
        lines = [
            f"It is over: {trouble.says}.",
            f"{_at(trouble.began_at)} to {_at(trouble.seen_at)}.",
        ]
    return "\n\n".join(
        [
            *lines,
            f"What to do: docs/night.md#{trouble.kind}",
            f"The console: {settings.DARAJA_CALLBACK_BASE_URL}/admin/payments/console/",
        ]
    )


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(NAIROBI):%-d %b %Y, %H:%M} in Nairobi"
