"""Sending messages, each at most once as far as its provider allows.

As with money: a message is claimed and committed before the provider hears of it, no lock is held
meanwhile, and an unclear answer is never followed by a second try.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from omachemainproj.background import background_task, enqueue
from orders.models import Order
from orders.models.notifications import Channel, Kind, Message, MessageState, Notice

from . import channels
from .channels import smtp as mail
from .channels.errors import MaybeSent, NotSent
from .rendering import compose

logger = logging.getLogger(__name__)

#: Until a message that was definitely not sent is tried again; after the last it is given up.
RETRY_DELAYS = tuple(timedelta(seconds=n) for n in (30, 120, 600, 3600, 6 * 3600))
#: Said of a prompt that failed, when its order waits for no money any more.
MAX_AGE = "The order moved on."


@background_task
def deliver_notifications(order_id: int) -> None:
    """Compose and send what is to be told of an order; with 0, of what is no order's.

    Safe to repeat, anywhere, at once.
    """
    of = order_id or None
    for notice_id in list(
        Notice.objects.to_compose().filter(order=of).values_list("pk", flat=True)
    ):
        compose(notice_id)
    due = Message.objects.to_send(timezone.now()).filter(notice__order=of)
    for message_id in list(due.order_by("pk").values_list("pk", flat=True)):
        send_message(message_id)


@background_task
def send_message(message_id: int) -> None:
    """Send a message whose time has come. Safe to repeat, anywhere, at once.

    One caller claims it, and from then on it is ``unknown`` until an answer says otherwise. A
    definite no is tried again after a while where that may help, and given up in the end.
    """
    message = _claim(message_id, timezone.now())
    if message is None:
        return
    claimed = Message.objects.filter(pk=message.pk, state=MessageState.UNKNOWN, tries=message.tries)
    try:
        provider_id = _send(message)
    except NotSent as refusal:
        logger.warning("message %s was not taken: %s", message.pk, refusal)
        claimed.update(**_after(message, refusal), reason=str(refusal)[:200])
    except MaybeSent as silence:
        logger.warning("message %s: no clear answer: %s", message.pk, silence)
        claimed.update(reason=str(silence)[:200])
    else:
        claimed.update(
            state=MessageState.SENT, sent_at=timezone.now(), provider_id=provider_id, reason=""
        )


def send_again(message_id: int) -> bool:
    """Send a message that failed, or of which nothing is known, at a person's word.

    Who was told before without our knowing is told twice: that is the person's to weigh. Returns
    whether it was one to send again.
    """
    again = Message.objects.stranded().filter(pk=message_id)
    if not again.update(state=MessageState.DUE, next_try_at=timezone.now(), reason=""):
        return False
    enqueue(send_message, message_id)
    return True


def _claim(message_id: int, now: datetime) -> Message | None:
    """Take a message for one caller to send; committed before this returns."""
    with transaction.atomic(durable=True):
        due = Message.objects.to_send(now).filter(pk=message_id)
        if not due.update(
            state=MessageState.UNKNOWN, next_try_at=None, tries=F("tries") + 1, tried_at=now
        ):
            return None
        message = Message.objects.select_related("notice").get(pk=message_id)
        if _is_too_late(message):
            Message.objects.filter(pk=message_id).update(state=MessageState.FAILED, reason=MAX_AGE)
            return None
        return message


def _is_too_late(message: Message) -> bool:
    if message.kind != Kind.PROMPT_FAILED:
        return False
    return not Order.objects.unpaid().filter(notices=message.notice).exists()


def _send(message: Message) -> str:
    if message.channel == Channel.SMS:
        return channels.sms().send(phone=message.contact, text=message.text)
    mail.send(address=message.contact, subject=message.subject, text=message.text)
    return ""


def _after(message: Message, refusal: NotSent) -> dict[str, object]:
    if not refusal.again or message.tries > len(RETRY_DELAYS):
        return {"state": MessageState.FAILED}
    wait = RETRY_DELAYS[message.tries - 1]
    return {"state": MessageState.DUE, "next_try_at": timezone.now() + wait}
