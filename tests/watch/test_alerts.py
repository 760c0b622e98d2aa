"""Incidents: found, alerted once, and once when they are over."""

import smtplib
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.db import OperationalError
from django.utils import timezone

from omachemainproj import heartbeats
from omachemainproj.dates import NAIROBI
from omachemainproj.heartbeats import beat
from omachemainproj.models import Heartbeat
from orders.models import Order
from orders.models.notifications import Message, Notice
from orders.notifications.channels import smtp
from payments import clock
from payments.evidence import SourceReport, record
from payments.models import (
    AlertMail,
    GatewayEvent,
    NightlyProof,
    OrderPayment,
    PayoutStop,
    Trouble,
)
from payments.watch import alerts
from payments.watch.alerts import watch
from tests.factories import ProductFactory, UserFactory
from tests.shopping import paid_line
from tests.threads import at_once

pytestmark = pytest.mark.django_db

KINDS = alerts.KINDS
OPS = "ops@example.co.ke"


@pytest.fixture(autouse=True)
def _alerts(settings, monkeypatch):
    settings.ALERT_EMAIL = OPS
    beat("clock")
    at_first_look = [
        replace(kind, patience=timedelta(0)) if kind.patience == alerts.SILENT_FOR else kind
        for kind in alerts.KINDS
    ]
    monkeypatch.setattr(alerts, "KINDS", at_first_look)


@pytest.fixture
def patient(monkeypatch):
    """Require two silent checks, as in production."""
    monkeypatch.setattr(alerts, "KINDS", KINDS)


def later(minutes):
    """Let so much time go by for all that is kept of incidents and their mails."""
    for row in Trouble.objects.all():
        row.began_at -= timedelta(minutes=minutes)
        row.seen_at -= timedelta(minutes=minutes)
        row.save()
    for row in AlertMail.objects.filter(next_try_at__isnull=False):
        row.next_try_at -= timedelta(minutes=minutes)
        row.save()


def silence(process="clock", seconds=600):
    beat(process)
    Heartbeat.objects.filter(process=process).update(at=timezone.now() - timedelta(seconds=seconds))


def open_incidents():
    return set(Trouble.objects.still_open().values_list("kind", flat=True))


def subjects():
    return [each.subject for each in mail.outbox]


def test_without_incidents_no_alert_is_sent():
    watch(0)

    assert (open_incidents(), subjects()) == (set(), [])


def test_an_incident_is_alerted_once():
    silence()
    for _ in range(3):
        watch(0)
        later(2)

    assert subjects() == ["O-Mache: clock silent"]
    [told] = mail.outbox
    assert told.to == [OPS]
    assert "the clock last ran 60" in told.body
    assert "docs/night.md#clock-silent" in told.body
    assert "/admin/payments/console/" in told.body


def test_the_end_of_an_incident_is_alerted_once():
    silence()
    watch(0)
    beat("clock")
    later(6)
    for _ in range(3):
        watch(0)

    assert subjects() == ["O-Mache: clock silent", "O-Mache: clock silent is over"]
    assert open_incidents() == set()


def test_a_flapping_incident_is_one_incident():
    for _ in range(3):
        silence()
        watch(0)
        beat("clock")
        watch(0)
        later(4)

    assert subjects() == ["O-Mache: clock silent"]


def test_an_incident_that_returns_is_alerted_again():
    for _ in range(2):
        silence()
        watch(0)
        beat("clock")
        later(6)
        watch(0)

    assert subjects() == ["O-Mache: clock silent", "O-Mache: clock silent is over"] * 2


def test_an_incident_with_patience_is_alerted_after_it():
    PayoutStop.objects.stop_transfers("the initiator")
    watch(0)
    assert open_incidents() == {"money-stopped", "money-stuck"}
    assert subjects() == ["O-Mache: money stopped"]

    later(24 * 60)
    watch(0)

    assert subjects() == ["O-Mache: money stopped", "O-Mache: money stuck"]


def test_an_incident_without_an_alert_ends_without_one():
    PayoutStop.objects.stop_transfers("the initiator")
    watch(0)
    PayoutStop.objects.update(is_open=False, ended_at=timezone.now())
    later(6)
    watch(0)

    assert subjects() == ["O-Mache: money stopped", "O-Mache: money stopped is over"]


def test_without_an_address_incidents_are_kept_and_nobody_is_mailed(settings, client):
    settings.ALERT_EMAIL = ""
    silence()
    watch(0)

    assert (open_incidents(), AlertMail.objects.count(), subjects()) == ({"clock-silent"}, 0, [])
    assert 'omache_trouble{kind="clock-silent"} 1.0' in client.get("/metrics/").content.decode()


def test_an_unsent_alert_is_retried(monkeypatch):
    tries = []

    def refuse(**how):
        tries.append(how)
        raise smtp.NotSent("the mail server: ConnectionRefusedError", retryable=True)

    silence()
    with monkeypatch.context() as patched:
        patched.setattr("payments.watch.alert_mails.smtp.send", refuse)
        watch(0)
        watch(0)
    assert (len(tries), subjects()) == (1, [])

    later(2)
    watch(0)

    assert subjects() == ["O-Mache: clock silent"]
    assert AlertMail.objects.get().sent_at is not None


def test_an_alert_that_may_have_been_sent_is_retried(monkeypatch):
    def unclear(**how):
        raise smtp.MaybeSent("SMTPServerDisconnected")

    silence()
    with monkeypatch.context() as patched:
        patched.setattr("payments.watch.alert_mails.smtp.send", unclear)
        watch(0)
    later(2)
    watch(0)

    assert subjects() == ["O-Mache: clock silent"]


def test_a_process_that_dies_while_it_sends_leaves_the_mail_to_the_next(monkeypatch):
    class Killed(BaseException):
        pass

    def kill(**how):
        raise Killed

    silence()
    with monkeypatch.context() as patched:
        patched.setattr("payments.watch.alert_mails.smtp.send", kill)
        with pytest.raises(Killed):
            watch(0)
    watch(0)
    assert subjects() == []

    later(6)
    watch(0)

    assert subjects() == ["O-Mache: clock silent"]


def test_a_mail_server_that_is_gone_for_good_is_given_up_in_the_end(monkeypatch):
    def refuse(**how):
        raise smtp.NotSent(str(smtplib.SMTPConnectError(421, "busy")), retryable=True)

    monkeypatch.setattr("payments.watch.alert_mails.smtp.send", refuse)
    silence()
    for _ in range(10):
        watch(0)
        later(7 * 60)

    mailed = AlertMail.objects.get()
    assert (mailed.tries, mailed.next_try_at) == (6, None)
    assert "busy" in mailed.reason


def test_a_failed_check_neither_starts_nor_ends_an_incident(monkeypatch, caplog):
    silence()
    watch(0)
    later(30)

    def gone(now):
        raise OperationalError("canceling statement due to statement timeout")

    broken = alerts.IncidentKind("clock-silent", gone)
    monkeypatch.setattr(alerts, "KINDS", (broken, *alerts.KINDS[1:]))
    watch(0)

    assert open_incidents() == {"clock-silent"}
    assert "trouble (clock-silent) could not be checked" in caplog.messages


def test_books_that_the_night_found_broken_are_an_incident_until_a_night_finds_nothing():
    now = timezone.now()
    night = {"digest": "", "rules": 2, "asked": 2, "ended_at": now}
    NightlyProof.objects.create(night="2026-11-28", broken=["Two: not so for order 7."], **night)
    watch(0)

    assert subjects() == ["O-Mache: books broken"]
    assert "1 of 2 rules broken: Two: not so for order 7." in mail.outbox[0].body

    NightlyProof.objects.create(night="2026-11-29", **night)
    later(6)
    watch(0)
    assert subjects()[1:] == ["O-Mache: books broken is over"]


@pytest.mark.parametrize(("hours", "told"), [(29, []), (31, ["O-Mache: books unproven"])])
def test_a_verdict_that_is_older_than_a_night_is_an_incident(hours, told):
    ended = timezone.now() - timedelta(hours=hours)
    NightlyProof.objects.create(night="2026-11-28", digest="", rules=0, ended_at=ended)
    watch(0)

    assert subjects() == told


def test_unchecked_rules_are_an_incident():
    NightlyProof.objects.create(
        night="2026-11-28", digest="", rules=0, ended_at=timezone.now(), unanswered=["It ends"]
    )
    watch(0)

    assert subjects() == ["O-Mache: books unproven"]


@pytest.mark.parametrize(("minutes", "told"), [(4, []), (6, ["O-Mache: messages waiting"])])
def test_a_message_of_mpesas_that_waits_is_an_incident(minutes, told):
    event = GatewayEvent.objects.create(body=b"{}", sha256="0" * 64)
    GatewayEvent.objects.filter(pk=event.pk).update(
        received_at=timezone.now() - timedelta(minutes=minutes)
    )
    watch(0)

    assert subjects() == told


def test_workers_that_are_silent_are_told_of_where_there_is_a_broker(settings):
    silence("worker")
    watch(0)
    assert subjects() == []

    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    watch(0)

    assert subjects() == ["O-Mache: worker silent"]


def test_a_process_silent_at_one_check_only_is_not_alerted(patient, settings):
    """A worker that was started a moment ago; everybody, when the database comes back."""
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    silence("clock")
    watch(0)
    assert (open_incidents(), subjects()) == ({"clock-silent", "worker-silent"}, [])

    later(1)
    beat("clock", "worker")
    watch(0)
    later(6)
    watch(0)

    assert (open_incidents(), subjects()) == (set(), [])


def test_a_process_silent_at_two_checks_is_alerted(patient):
    silence("clock")
    watch(0)
    later(1)
    watch(0)

    assert subjects() == ["O-Mache: clock silent"]


def since(began):
    """How a mail begins, a minute after."""
    return f"Since {(began - timedelta(minutes=1)).astimezone(NAIROBI):%-d %b %Y, %H:%M}"


def test_an_unalerted_incident_starts_again_when_it_returns(patient):
    """A restart at 14:00 is not when a clock fell silent that died at 14:04."""
    silence("clock")
    watch(0)
    later(1)
    beat("clock")
    watch(0)
    later(3)
    began_after = timezone.now()
    silence("clock")
    watch(0)
    assert subjects() == []

    later(1)
    watch(0)

    assert subjects() == ["O-Mache: clock silent"]
    told = mail.outbox[0].body.partition(" in Nairobi:")[0]
    assert told in {since(began_after), since(timezone.now())}


def test_a_web_process_that_is_asked_for_a_silent_clock_tells_of_it(client, settings, monkeypatch):
    monkeypatch.setattr(heartbeats, "_known", heartbeats._LastResult())
    settings.HEARTBEATS_MAX_AGE = 0.0
    silence()

    for _ in range(3):
        client.get("/readyz/clock/")

    assert subjects() == ["O-Mache: clock silent"]


def attempts(count, *, minutes=5, **fields):
    """A number of prompts, sent the given minutes ago."""
    at = timezone.now() - timedelta(minutes=minutes)
    later = timezone.now() + timedelta(hours=1)
    for number in range(count):
        order = Order.objects.create(
            buyer=UserFactory(),
            mpesa_number=f"2547123456{number:02}",
            amount=10,
            expires_at=later,
            held_until=later,
        )
        OrderPayment.objects.filter(order=order).update(
            rung_at=at, live=False, **{name: read(number) for name, read in fields.items()}
        )


def told_after(minutes):
    watch(0)
    later(minutes)
    beat("clock")
    watch(0)
    return subjects()


def fixed(value):
    return lambda number: value


@pytest.mark.parametrize(
    ("count", "code", "told"),
    [
        (5, "refused.unreachable", ["O-Mache: gateway down"]),
        (4, "refused.unreachable", []),
        (9, "refused.busy_phone", []),
    ],
)
def test_prompts_that_mpesa_does_not_accept_are_an_incident(count, code, told):
    attempts(count, status=fixed("failed"), result_code=fixed(code))

    assert told_after(3) == told


def test_one_prompt_that_was_taken_is_a_gateway_that_is_there():
    attempts(9, status=fixed("failed"), result_code=fixed("refused.unreachable"))
    OrderPayment.objects.filter(pk=OrderPayment.objects.last().pk).update(
        checkout_request_id="ws_CO_1"
    )

    assert told_after(3) == []


@pytest.mark.parametrize(("count", "told"), [(5, ["O-Mache: gateway down"]), (4, [])])
def test_prompts_since_the_last_that_was_taken_show_an_outage_in_a_busy_shop(count, told):
    attempts(
        20,
        status=fixed("failed"),
        result_code=fixed("1032"),
        checkout_request_id=lambda number: f"ws_CO_{number}",
    )
    attempts(count, minutes=4, status=fixed("unknown"))

    assert told_after(3) == told


def test_prompts_that_mpesa_may_still_accept_are_no_outage():
    attempts(9, minutes=0.5, status=fixed("unknown"))

    assert told_after(0) == []


@pytest.mark.parametrize(
    ("count", "minutes", "told"),
    [(5, 4, ["O-Mache: prompts silent"]), (4, 4, []), (5, 2, []), (5, 90, [])],
)
def test_accepted_prompts_without_a_result_are_an_incident(count, minutes, told):
    attempts(
        count,
        minutes=minutes,
        status=fixed("submitted"),
        checkout_request_id=lambda number: f"ws_CO_{number}",
    )

    assert told_after(3) == told


def unseen_by_hand(minutes):
    """What is said of payments by hand so many minutes from now."""
    [kind] = (kind for kind in KINDS if kind.name == "manual-payments-unseen")
    return kind.find(timezone.now() + timedelta(minutes=minutes))


def pay_by_prompt(count, *, is_confirmed=False):
    """Payments by prompt; M-Pesa confirms each of them at the registered address, or none."""
    product = ProductFactory(item_number=count)
    for _ in range(count):
        line = paid_line(UserFactory(), product)
        receipt = line.order.receipts.get()
        if is_confirmed:
            record(receipt, SourceReport("c2b", receipt.amount, receipt.number))


@pytest.mark.parametrize(
    ("count", "minutes", "told"),
    [
        (
            5,
            16,
            "M-Pesa confirmed none of the last 5 payments at the address for payments by hand",
        ),
        (4, 16, ""),
        (5, 14, ""),
        (5, 3 * 24 * 60, ""),
    ],
)
def test_payments_never_confirmed_at_the_registered_address_are_an_incident(count, minutes, told):
    pay_by_prompt(count)

    assert unseen_by_hand(minutes) == told


def test_payments_that_mpesa_confirms_at_the_registered_address_are_no_incident():
    pay_by_prompt(5, is_confirmed=True)

    assert unseen_by_hand(16) == ""


def test_one_confirmation_is_an_address_that_is_registered():
    pay_by_prompt(5)
    pay_by_prompt(1, is_confirmed=True)

    assert unseen_by_hand(16) == ""


@pytest.mark.parametrize(
    "setting", [{"DARAJA_C2B_TOKEN": ""}, {"DARAJA_TRANSACTION_TYPE": "CustomerBuyGoodsOnline"}]
)
def test_a_shop_that_offers_no_payment_by_hand_needs_no_registered_address(setting, settings):
    pay_by_prompt(5)
    for name, value in setting.items():
        setattr(settings, name, value)

    assert unseen_by_hand(16) == ""


@pytest.mark.parametrize(("minutes", "told"), [(16, ["O-Mache: people not told"]), (14, [])])
def test_a_message_to_somebody_that_does_not_leave_is_an_incident(minutes, told):
    notice = Notice.objects.create(key="paid:order:1", kind="paid")
    message = Message.objects.create(
        notice=notice,
        user=UserFactory(),
        kind="paid",
        channel="email",
        language="en",
        contact="juma@example.com",
        text="Paid.",
        next_try_at=timezone.now(),
    )
    at = timezone.now() - timedelta(minutes=minutes)
    Message.objects.filter(pk=message.pk).update(created_at=at)

    assert told_after(6)[:1] == told


@pytest.mark.django_db(transaction=True)
def test_concurrent_checks_send_one_alert():
    silence()
    at_once(*[lambda: watch(0)] * 4)

    assert subjects() == ["O-Mache: clock silent"]
    assert Trouble.objects.count() == AlertMail.objects.count() == 1


def fail(*args, **kwargs):
    raise OSError("no space left on device")


def rounds_for(minutes):
    """A round of the clock and a look for incidents in each of these minutes."""
    for _ in range(minutes):
        clock.run_periodic()
        watch(0)
        later(1)


def test_a_duty_of_the_clock_that_fails_in_every_round_is_alerted_once(monkeypatch):
    beat("clock")
    monkeypatch.setattr("payments.clock.pull_statement", fail)
    rounds_for(9)

    assert subjects() == ["O-Mache: clock failing"]
    assert "the clock cannot pull_and_apply_statement; its log says why" in mail.outbox[0].body


def test_a_row_that_fails_in_every_round_is_alerted_with_its_duty(monkeypatch):
    beat("clock")
    monkeypatch.setattr("payments.clock._covered", lambda: [7])
    monkeypatch.setattr("payments.clock.sync_order_with_payment", fail)
    rounds_for(9)

    assert subjects() == ["O-Mache: clock failing"]
    assert "the clock cannot sync_unsynced_orders" in mail.outbox[0].body


def test_a_duty_that_failed_once_is_not_alerted(monkeypatch):
    beat("clock")
    with monkeypatch.context() as once:
        once.setattr("payments.clock.pull_statement", fail)
        rounds_for(1)
    rounds_for(9)

    assert (open_incidents(), subjects()) == (set(), [])
