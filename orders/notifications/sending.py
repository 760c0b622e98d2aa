"""Sending messages, each at most once.

As with money, a message is claimed and the claim committed before its provider is called, no lock
is held during the call, and an unclear answer is never followed by a second try.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.contact_budgets import Budget, release, take
from accounts.contacts import mail_budgets, sms_budgets, talk_budgets
from omachemainproj.background import enqueue
from omachemainproj.compiled_queries import compiled
from omachemainproj.rounds import do_each
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
from .composing import OF_A_PROBLEM, compose, compose_for_order
from .outdated import is_outdated

logger = logging.getLogger(__name__)

#: Delays before each retry of a message that was definitely not sent. After the last it has failed.
RETRY_DELAYS = tuple(timedelta(seconds=n) for n in (30, 120, 600, 3600, 6 * 3600))
#: Notifications without an order that one task writes; the clock writes the rest.
COMPOSED_PER_TASK = 200
#: Reason for not sending a message that is no longer true (orders.notifications.outdated).
OUTDATED = "The order moved on."
#: Reason for not sending a message whose recipient's budget is used up (accounts.contacts).
TOO_MANY = "Its recipient has had too many messages."


@background_task()
def deliver_notifications(order_id: int) -> None:
    """Write and send an order's due notifications; with 0, those without an order.

    If nothing that is written now is to be sent, messages from before are left to the clock. Safe
    to repeat, concurrently.
    """
    order = order_id or None
    if order is not None:
        if compose_for_order(order) == 0:
            return
    else:
        due = Notice.objects.to_compose().filter(order=None).order_by("pk")
        do_each(compose, due.values_list("pk", flat=True), at_most=COMPOSED_PER_TASK)
    for message_id in _due_messages(order, timezone.now()):
        send_message(message_id)


@compiled
def _due_messages(order: int | None, now: datetime) -> QuerySet[Message, int]:
    due = Message.objects.to_send(now).filter(notice__order=order)
    return due.order_by("pk").values_list("pk", flat=True)


@background_task(calls="mail and SMS")
def send_message(message_id: int) -> None:
    """Send a message that is due. Safe to repeat, concurrently.

    One caller claims it, and it is ``unknown`` until a clear answer arrives. A message that was
    definitely not sent is retried later if that may help, and fails in the end.
    """
    message = _claim(message_id, timezone.now())
    if message is None:
        return
    claimed = Message.objects.filter(pk=message.pk, state=MessageState.UNKNOWN, tries=message.tries)
    try:
        provider_id = _send(message)
    except NotSent as error:
        logger.warning("message %s was not accepted: %s", message.pk, error)
        claimed.update(**_after_refusal(message, error), reason=str(error)[:200])
        release(*_budgets(message, timezone.now()), now=timezone.now())
    except MaybeSent as error:
        logger.warning("message %s: no clear answer: %s", message.pk, error)
        claimed.update(reason=str(error)[:200])
    else:
        claimed.update(
            state=MessageState.SENT,
            # Never before tried_at: the clock of the machine that set it may have been ahead.
            sent_at=Greatest(timezone.now(), F("tried_at")),
            provider_id=provider_id or UNNAMED,
            reason="",
        )


def send_again(message_id: int) -> bool:
    """Send a message again that failed, whose state is unknown, or that was not delivered.

    Staff decide this, as its recipient may get it twice. Returns whether it could be sent again.
    """
    due = {"state": MessageState.DUE, "next_try_at": timezone.now(), "reason": ""}
    # Delivery reports are about the try before: a new try gets a new id.
    due |= {"sent_at": None, "provider_id": ""}
    unsent = Message.objects.resendable().filter(pk=message_id)
    if not (
        unsent.update(**due) or Message.objects.undelivered().filter(pk=message_id).update(**due)
    ):
        return False
    enqueue(send_message, message_id)
    return True


def _claim(message_id: int, now: datetime) -> Message | None:
    """Mark a due message as unknown, so that only this caller sends it. Committed on return."""
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
