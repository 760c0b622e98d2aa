"""Sending messages, each at most once.

As with money: a message is claimed and committed before its provider is called, no lock is held
meanwhile, and an unclear answer is never followed by a second try.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.contact_budgets import Budget, give_back, take
from accounts.contacts import mail_budgets, sms_budgets, talk_budgets
from omachemainproj.background import enqueue
from omachemainproj.compiled_queries import compiled
from omachemainproj.sms.errors import MaybeSent, NotSent
from omachemainproj.task_registry import background_task
from orders.models.notifications import (
    UNNAMED,
    Message,
    MessageChannel,
    MessageState,
    Notice,
)

from . import channels
from .channels import smtp
from .outdated import is_outdated
from .rendering import OF_A_PROBLEM, compose, compose_for_order

logger = logging.getLogger(__name__)

#: Before each new try of a message that was definitely not sent; after the last it has failed.
RETRY_DELAYS = tuple(timedelta(seconds=n) for n in (30, 120, 600, 3600, 6 * 3600))
#: Why a message is not sent that is not true any more (orders.notifications.outdated).
OUTDATED = "The order moved on."
#: Why one is not sent whose receiver has got as many as anybody may (accounts.contacts).
TOO_MANY = "Its receiver has had too many messages."


@background_task()
def deliver_notifications(order_id: int) -> None:
    """Write and send what is due of an order's notifications; with 0, of those of no order.

    Where nothing is to be sent of what was written now, what waits from before is the clock's.
    Safe to repeat, anywhere, at once.
    """
    order = order_id or None
    if order is not None:
        if compose_for_order(order) == 0:
            return
    else:
        for notice_id in list(
            Notice.objects.to_compose().filter(order=None).values_list("pk", flat=True)
        ):
            compose(notice_id)
    for message_id in _due_messages(order, timezone.now()):
        send_message(message_id)


@compiled
def _due_messages(order: int | None, now: datetime) -> QuerySet[Message, int]:
    due = Message.objects.to_send(now).filter(notice__order=order)
    return due.order_by("pk").values_list("pk", flat=True)


@background_task(calls="mail and SMS")
def send_message(message_id: int) -> None:
    """Send a message that is due. Safe to repeat, anywhere, at once.

    One caller claims it, and from then on it is ``unknown`` until a clear answer. One that was
    definitely not sent is tried again later where that may help, and fails in the end.
    """
    message = _claim(message_id, timezone.now())
    if message is None:
        return
    claimed = Message.objects.filter(pk=message.pk, state=MessageState.UNKNOWN, tries=message.tries)
    try:
        provider_id = _send(message)
    except NotSent as error:
        logger.warning("message %s was not taken: %s", message.pk, error)
        claimed.update(**_after_refusal(message, error), reason=str(error)[:200])
        give_back(*_budgets(message, timezone.now()), now=timezone.now())
    except MaybeSent as error:
        logger.warning("message %s: no clear answer: %s", message.pk, error)
        claimed.update(reason=str(error)[:200])
    else:
        claimed.update(
            state=MessageState.SENT,
            # Not before it was tried: another machine's clock may have been ahead.
            sent_at=Greatest(timezone.now(), F("tried_at")),
            provider_id=provider_id or UNNAMED,
            reason="",
        )


def send_again(message_id: int) -> bool:
    """Send a message again that failed, whose state is unknown, or that did not arrive, because a
    person decided so.

    Its reader may get it twice: the person accepts that. Returns whether it could be sent again.
    """
    due = {"state": MessageState.DUE, "next_try_at": timezone.now(), "reason": ""}
    # What is reported of it is of the try before: a new one gets an id of its own.
    due |= {"sent_at": None, "provider_id": ""}
    unsent = Message.objects.resendable().filter(pk=message_id)
    if not (
        unsent.update(**due) or Message.objects.undelivered().filter(pk=message_id).update(**due)
    ):
        return False
    enqueue(send_message, message_id)
    return True


def _claim(message_id: int, now: datetime) -> Message | None:
    """Mark a due message as unknown, for this caller alone to send. Committed on return."""
    with transaction.atomic(durable=True):
        due = Message.objects.to_send(now).filter(pk=message_id)
        if not due.update(
            state=MessageState.UNKNOWN, next_try_at=None, tries=F("tries") + 1, tried_at=now
        ):
            return None
        message = Message.objects.select_related("notice").get(pk=message_id)
        if is_outdated(message.notice, reader_id=message.user_id):
            reason = OUTDATED
        elif not take(*_budgets(message, now), now=now):
            reason = TOO_MANY
        else:
            return message
        Message.objects.filter(pk=message_id).update(state=MessageState.FAILED, reason=reason)
        return None


def _budgets(message: Message, now: datetime) -> list[Budget]:
    talk = talk_budgets(message.channel, message.contact) if message.kind in OF_A_PROBLEM else []
    if message.channel == MessageChannel.SMS:
        return sms_budgets(message.user_id, message.contact, now) + talk
    return mail_budgets(message.contact) + talk


def _send(message: Message) -> str:
    if message.channel == MessageChannel.SMS:
        return channels.sms_provider().send(phone=message.contact, text=message.text)
    return smtp.send(address=message.contact, subject=message.subject, text=message.text)


def _after_refusal(message: Message, error: NotSent) -> dict[str, object]:
    if not error.retryable or message.tries > len(RETRY_DELAYS):
        return {"state": MessageState.FAILED}
    wait = RETRY_DELAYS[message.tries - 1]
    return {"state": MessageState.DUE, "next_try_at": timezone.now() + wait}
