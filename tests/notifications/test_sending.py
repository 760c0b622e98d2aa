"""Sending: at most once, and failed or tried again for a reason."""

import smtplib
import time
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.fulfilment import move_line
from orders.lifecycle import cancel_order
from orders.models.notifications import Message, Notice
from orders.notifications import sending
from orders.notifications.composing import compose
from orders.notifications.sending import RETRY_DELAYS, send_again, send_message
from payments import clock
from tests.shopping import an_order
from tests.threads import at_once

from .conftest import NEVER, NOT_NOW, SILENCE, a_message, fail, pay

pytestmark = pytest.mark.django_db


def look(message):
    message.refresh_from_db()
    return message.state, message.reason


def test_an_accepted_message_is_sent_and_has_an_id(order, carrier):
    message = a_message(order)

    send_message(message.pk)

    assert carrier.sent == [("254712345678", "Paid.")]
    assert look(message) == ("sent", "")
    assert (message.provider_id, message.tries) == ("ATXid_1", 1)
    assert message.sent_at is not None


def test_a_sent_message_is_not_sent_again(order, carrier):
    message = a_message(order)

    send_message(message.pk)
    send_message(message.pk)
    clock.send_due_messages(timezone.now() + timedelta(days=9))

    assert len(carrier.sent) == 1


def test_nothing_is_sent_before_its_time(order, carrier):
    message = a_message(order, next_try_at=timezone.now() + timedelta(minutes=1))

    send_message(message.pk)

    assert carrier.sent == []


def test_silence_is_followed_by_nothing(order, carrier):
    carrier.trouble = SILENCE
    message = a_message(order)

    send_message(message.pk)
    clock.send_due_messages(timezone.now() + timedelta(days=9))

    assert look(message) == ("unknown", "no answer (ReadTimeout)")
    assert len(carrier.sent) == 1


def test_a_crash_between_claim_and_sending_leaves_it_unknown_and_unsent(
    order, carrier, monkeypatch
):
    message = a_message(order)

    def die(*_):
        raise SystemExit

    monkeypatch.setattr(sending, "_send", die)
    with pytest.raises(SystemExit):
        send_message(message.pk)
    monkeypatch.undo()
    clock.send_due_messages(timezone.now() + timedelta(days=9))

    assert (look(message), carrier.sent) == (("unknown", ""), [])


def test_a_refusal_for_good_is_given_up_with_its_reason(order, carrier):
    carrier.trouble = NEVER
    message = a_message(order)

    send_message(message.pk)

    assert look(message) == ("failed", "403 InvalidPhoneNumber")


def test_a_refusal_that_may_pass_is_tried_again_less_and_less_often_and_then_given_up(
    order, carrier
):
    carrier.trouble = NOT_NOW
    message, waited = a_message(order), []
    with time_machine.travel(timezone.now(), tick=False) as now:
        while message.next_try_at is not None:
            now.move_to(message.next_try_at)
            at = timezone.now()
            send_message(message.pk)
            message.refresh_from_db()
            if message.next_try_at:
                waited.append(message.next_try_at - at)

    assert tuple(waited) == RETRY_DELAYS
    assert look(message) == ("failed", "HTTP 503")
    assert len(carrier.sent) == len(RETRY_DELAYS) + 1


def test_a_prompts_failure_is_not_sent_once_the_order_was_given_up(order, carrier):
    message = a_message(order, kind="prompt_failed")
    cancel_order(order.pk, cancelled_by="staff")

    send_message(message.pk)

    assert (look(message), carrier.sent) == (("failed", "The order moved on."), [])


def test_a_prompts_failure_is_not_sent_once_the_buyer_paid_for_the_same_goods(
    order, buyer, kettle, carrier
):
    message = a_message(order, kind="prompt_failed")
    pay(an_order(buyer, (kettle, 1)))
    sent_before = len(carrier.sent)

    send_message(message.pk)

    assert look(message) == ("failed", "The order moved on.")
    assert len(carrier.sent) == sent_before


@pytest.mark.parametrize("kind", ["paid", "sold"])
def test_no_late_message_about_a_sale_that_was_cancelled(order, buyer, carrier, kind):
    pay(order)
    message = a_message(order, kind=kind, user=order.tracks.get().seller)
    move_line(order.tracks.get().pk, "cancelled", actor=buyer)

    send_message(message.pk)

    assert look(message) == ("failed", "The order moved on.")


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_a_person_may_have_it_sent_again(order, carrier, state):
    message = a_message(order, state=state, next_try_at=None, tries=6, reason="x")

    assert send_again(message.pk)

    assert (look(message), len(carrier.sent)) == (("sent", ""), 1)


def test_staff_cannot_resend_a_sent_message(order, carrier):
    message = a_message(order)
    send_message(message.pk)
    carrier.sent.clear()

    assert not send_again(message.pk)
    assert carrier.sent == []


@pytest.mark.parametrize("wrong", [{"next_try_at": None}, {"state": "sent"}, {"state": "failed"}])
def test_only_a_message_that_is_due_has_a_next_try(order, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        a_message(order, **wrong)


def test_the_clock_tells_what_a_crash_after_the_commit_left_untold(order, carrier):
    pay(order)
    later = timezone.now() + timedelta(seconds=6)

    done = clock.compose_notifications(later), clock.send_due_messages(later)

    assert done == (2, 4)
    assert len(carrier.sent) == 2
    assert len(mail.outbox) == 2
    assert not Notice.objects.to_compose().exists()


def test_the_clock_leaves_a_fresh_commit_to_whoever_made_it(order):
    pay(order)

    assert clock.compose_notifications(timezone.now()) == 0


class Server(EmailBackend):
    """A mail server with a bad day."""

    on_open = None
    on_send = None

    def open(self):
        if self.on_open:
            raise self.on_open

    def send_messages(self, messages):
        if self.on_send:
            raise self.on_send
        return super().send_messages(messages)


@pytest.mark.parametrize(
    ("when", "trouble", "ends"),
    [
        ("on_open", ConnectionRefusedError("no"), "due"),
        ("on_open", smtplib.SMTPAuthenticationError(535, b"no"), "due"),
        ("on_send", smtplib.SMTPRecipientsRefused({"a@b.c": (450, b"later")}), "due"),
        ("on_send", smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"no such user")}), "failed"),
        ("on_send", smtplib.SMTPDataError(451, b"greylisted"), "due"),
        ("on_send", smtplib.SMTPDataError(554, b"spam"), "failed"),
        ("on_send", smtplib.SMTPServerDisconnected("gone"), "unknown"),
        ("on_send", TimeoutError("slow"), "unknown"),
    ],
)
def test_a_mail_servers_trouble_is_told_apart(order, settings, monkeypatch, when, trouble, ends):
    settings.EMAIL_BACKEND = f"{__name__}.Server"
    monkeypatch.setattr(Server, when, trouble)
    message = a_message(order, channel="email", contact="wanjiku@example.com", subject="Paid")

    send_message(message.pk)

    assert look(message)[0] == ends
    assert mail.outbox == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_message_send_it_once(order, carrier):
    message = a_message(order)
    send = carrier.send
    carrier.send = lambda **what: (time.sleep(0.05), send(**what))[1]

    ended = at_once(*[lambda: send_message(message.pk)] * 8)

    assert (ended, len(carrier.sent)) == ([None] * 8, 1)
    assert look(message) == ("sent", "")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_thing_to_tell_write_it_once(order, carrier, monkeypatch):
    monkeypatch.setattr("omachemainproj.background.run_task", lambda *_: None)
    pay(order)

    notices = list(Notice.objects.order_by("pk").values_list("pk", flat=True))

    written = at_once(*[lambda: sum(map(compose, notices))] * 8)

    # Those that came second waited, and found nothing left to do.
    assert sum(written) == 4
    assert Message.objects.count() == 4
    assert not Notice.objects.to_compose().exists()


def test_a_failed_prompt_and_its_messages_survive_whoever_sends_them(order, carrier):
    carrier.trouble = RuntimeError("a bug")
    fail(order)
    later = timezone.now() + timedelta(seconds=6)

    clock.run_periodic(now=later)

    sms = Message.objects.get(channel="sms")
    assert (sms.state, len(carrier.sent), len(mail.outbox)) == ("unknown", 1, 1)
