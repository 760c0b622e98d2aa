"""The clock: when it queries, what it leaves out, and that no failure stops its duties."""

import signal
from datetime import timedelta
from io import StringIO
from threading import Event
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from omachemainproj import rounds
from omachemainproj.heartbeats import beat
from omachemainproj.models import Heartbeat
from orders import lifecycle
from payments import clock, tasks
from payments.checkout.stk_push import send_stk_push
from payments.daraja.connection import LONGEST_FETCH_SECONDS
from payments.models import GatewayEvent, OrderPayment
from payments.webhooks.inbox import process_event, store_event
from tests.factories import UserFactory
from tests.shopping import an_order, stock_of
from tests.threads import PATIENCE

from .fakes import CANCELLED, PAID

DUTIES = [
    "correct_times_ahead",
    "process_stored_events",
    "sync_unsynced_orders",
    "send_forgotten_stk_pushes",
    "expire_stk_pushes",
    "query_silent_payments",
    "pull_and_apply_statement",
    "expire_unpaid_orders",
    "refund_uncovered_money",
    "query_due_receipts",
    "process_due_refunds",
    "auto_confirm_deliveries",
    "remind_of_waiting_goods",
    "release_unfetched_parcels",
    "create_due_payouts",
    "process_due_payouts",
    "compose_notifications",
    "send_due_messages",
    "follow_reports",
    "delete_expired_cache_entries",
    "apply_listing_count_changes",
    "draw_missing_sizes",
]


@pytest.fixture
def rung(order, daraja):
    """An attempt M-Pesa took, and said no more of."""
    send_stk_push(order.pk)
    return order.payments.get()


def at(payment, seconds):
    return time_machine.travel(payment.rung_at + timedelta(seconds=seconds), tick=False)


def test_a_silent_payment_is_asked_about_less_and_less_often(rung, daraja):
    asked = []
    while rung.next_check_at is not None:
        due = (rung.next_check_at - rung.rung_at).total_seconds()
        asked.append(due)
        for seconds in (due - 1, due):
            with at(rung, seconds):
                clock.query_silent_payments(timezone.now())
        rung.refresh_from_db()

    assert asked == [30, 60, 120, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400]
    assert (rung.status, rung.checks, len(daraja.queries)) == ("submitted", 10, 10)


def test_an_answer_ends_the_asking(rung, daraja):
    daraja.answer = CANCELLED

    for seconds in (31, 61, 121):
        with at(rung, seconds):
            clock.run_periodic()

    rung.refresh_from_db()
    assert (rung.status, rung.result_code, daraja.queries) == (
        "failed",
        "1032",
        [rung.checkout_request_id],
    )


def test_a_minute_asks_about_five_at_most_and_the_next_about_the_rest(buyer, kettle, daraja):
    minute = timezone.now().replace(second=0, microsecond=0)
    with time_machine.travel(minute + timedelta(seconds=40), tick=False):
        for n in range(5):
            order = an_order(UserFactory(), (kettle, 1), phone=f"25471234567{n}")
            send_stk_push(order.pk)
    last = OrderPayment.objects.order_by("pk").last()
    OrderPayment.objects.create(
        order=order, phone="1", amount=1, live=False, status="submitted",
        checkout_request_id="ws_CO_6", rung_at=last.rung_at,
        next_check_at=last.next_check_at + timedelta(seconds=1),
    )  # fmt: skip
    asked = []

    with time_machine.travel(minute + timedelta(minutes=1), tick=False) as now:
        for seconds in (60, 1, 58, 1):
            now.shift(seconds)
            clock.query_silent_payments(timezone.now())
            asked.append(len(daraja.queries))

    # A minute's budget is five; what found none is still due, and comes first in the next.
    assert asked == [5, 5, 5, 10]
    assert (daraja.queries.index("ws_CO_6"), daraja.queries.count("ws_CO_6")) == (5, 1)


def test_prompts_are_let_go_after_two_minutes_and_still_asked_about(rung):
    with at(rung, 121):
        closed = clock.expire_stk_pushes(timezone.now())

    rung.refresh_from_db()
    assert (closed, rung.live, rung.status) == (1, False, "submitted")
    assert rung.next_check_at is not None


def test_unpaid_orders_expire(order, kettle):
    done = clock.run_periodic(now=order.expires_at)

    order.refresh_from_db()
    assert (done["expire_unpaid_orders"], order.payment_status) == (1, "expired")
    assert stock_of(kettle) == (5, 0)


def test_money_that_is_there_is_found_before_an_order_expires(rung, order, daraja):
    daraja.answer = PAID

    with at(rung, 901):
        clock.run_periodic()

    order.refresh_from_db()
    assert order.payment_status == "paid"
    assert order.tracks.get().events.get().track_status == "paid"


@pytest.mark.parametrize("broken", DUTIES)
def test_a_duty_that_breaks_does_not_keep_the_others_from_running(
    order, monkeypatch, broken, caplog
):
    def bug(*args):
        raise ZeroDivisionError

    bug.__name__ = broken
    monkeypatch.setattr(clock, broken, bug)

    done = clock.run_periodic(now=order.expires_at)

    assert list(done) == DUTIES
    assert done[broken] == 0
    assert f"the clock could not {broken}" in caplog.text
    if broken != "expire_unpaid_orders":
        assert done["expire_unpaid_orders"] == 1


def test_a_row_that_breaks_does_not_keep_the_others_waiting(buyer, kettle, monkeypatch):
    orders = [an_order(UserFactory(), (kettle, 1)) for _ in range(3)]
    rung = []

    def ring(order_id):
        if order_id == orders[0].pk:
            raise ZeroDivisionError
        rung.append(order_id)

    monkeypatch.setattr(clock, "send_stk_push", ring)

    done = clock.send_forgotten_stk_pushes(timezone.now() + timedelta(seconds=6))

    assert (done, sorted(rung)) == (2, [orders[1].pk, orders[2].pk])


def test_an_m_pesa_that_hangs_does_not_keep_orders_from_expiring(buyer, kettle, monkeypatch):
    orders = [an_order(UserFactory(), (kettle, 1)) for _ in range(3)]
    with time_machine.travel(timezone.now(), tick=False) as now:
        monkeypatch.setattr(clock.time, "monotonic", lambda: timezone.now().timestamp())
        monkeypatch.setattr(clock, "send_stk_push", lambda order_id: now.shift(35))

        rung = clock.send_forgotten_stk_pushes(timezone.now() + timedelta(seconds=6))

    assert (rung, len(orders)) == (1, 3)


def test_a_message_that_breaks_is_tried_ten_times_and_then_left_to_staff(db, monkeypatch):
    def bug(body):
        raise ZeroDivisionError

    monkeypatch.setattr("payments.webhooks.stk_callback.read_stk_callback", bug)
    event_id = store_event(body=b"{}", token="", remote_address=None, headers={})

    for _ in range(12):
        clock.run_periodic(now=timezone.now() + timedelta(seconds=6))

    event = GatewayEvent.objects.get(pk=event_id)
    assert (event.state, event.tries) == ("failed", 10)


def test_messages_that_failed_before_come_after_the_others(db, monkeypatch):
    ids = [store_event(body=b"{}", token="", remote_address=None, headers={}) for _ in range(3)]
    GatewayEvent.objects.filter(pk=ids[0]).update(tries=3)
    applied = []
    monkeypatch.setattr(clock, "process_event", applied.append)

    clock.process_stored_events(timezone.now() + timedelta(seconds=6))

    assert applied == [ids[1], ids[2], ids[0]]


def test_applying_a_message_twice_acts_once(db):
    event_id = store_event(body=b"{}", token="", remote_address=None, headers={})

    process_event(event_id)
    applied_at = GatewayEvent.objects.get().applied_at
    process_event(event_id)

    assert GatewayEvent.objects.get().applied_at == applied_at


def test_clock_once_reports_what_each_duty_did(order, kettle):
    said = StringIO()
    with time_machine.travel(order.expires_at + timedelta(seconds=1)):
        call_command("clock", "--once", stdout=said)

    order.refresh_from_db()
    assert order.payment_status == "expired"
    # The kettle came to its shelf, and nobody had counted it yet.
    assert said.getvalue().strip() == (
        "send_forgotten_stk_pushes 1, expire_unpaid_orders 1, apply_listing_count_changes 1"
    )


def test_rounds_go_on_while_what_is_done_daily_takes_long(db, monkeypatch):
    """Payments do not wait until all that a night brings is deleted, nor does the heartbeat."""
    module, handlers, rounds = "payments.management.commands.clock", {}, []
    third_round, daily_over, in_time = Event(), Event(), []

    def a_round(**_):
        rounds.append(len(rounds))
        if len(rounds) == 3:
            third_round.set()
            daily_over.wait(PATIENCE)
            handlers[signal.SIGTERM]()
        return {}

    def daily():
        in_time.append(third_round.wait(PATIENCE))
        daily_over.set()

    monkeypatch.setattr(f"{module}.signal.signal", handlers.__setitem__)
    monkeypatch.setattr(f"{module}.close_old_connections", lambda: None)
    monkeypatch.setattr(f"{module}.check_for_incidents", lambda: None)
    monkeypatch.setattr(clock, "run_periodic", a_round)
    monkeypatch.setattr(clock, "run_daily", daily)
    monkeypatch.setattr(clock, "prove_tonight", lambda: 0)

    call_command("clock", "--every", "0")

    assert (in_time, rounds) == ([True], [0, 1, 2])


@pytest.fixture
def seconds(monkeypatch):
    """The time as the clock and the expiry see it: set, not waited for."""
    passed = SimpleNamespace(now=0.0)
    fake = SimpleNamespace(monotonic=lambda: passed.now)
    monkeypatch.setattr(clock, "time", fake)
    monkeypatch.setattr(rounds, "time", fake)
    return passed


@pytest.mark.django_db
def test_a_clock_that_waits_for_m_pesa_is_not_taken_for_dead(seconds, monkeypatch):
    """Each duty waits as long as it may; an alarm looks after every one."""

    def slow(now=None):
        seconds.now += clock.MAX_SECONDS
        return 0

    for name in DUTIES:
        monkeypatch.setattr(clock, name, slow)
    heard = []

    clock.run_periodic(report_alive=lambda: heard.append(seconds.now))

    assert heard == [clock.MAX_SECONDS * (number + 1) for number in range(len(DUTIES))]


def test_a_workers_round_comes_to_its_last_duty_though_everything_outside_hangs():
    outside = 7  # pushes, queries, the statement, receipts, refunds, payouts, messages
    call = sum((5.0, 30.0)) + LONGEST_FETCH_SECONDS

    longest = len(DUTIES) * clock.MAX_SECONDS + outside * call

    assert longest < tasks.tick.time_limit


@pytest.mark.django_db
def test_a_short_round_says_nothing_in_between(seconds):
    heard = []

    clock.run_periodic(report_alive=lambda: heard.append(seconds.now))

    assert heard == []


def test_the_clocks_sign_of_life_comes_from_between_its_duties(seconds, monkeypatch, db):
    def slow(now):
        seconds.now += clock.MAX_SECONDS
        return 0

    def seen(now):
        ages.append(timezone.now() - Heartbeat.objects.get(process="clock").at)
        return 0

    ages = []
    beat("clock")
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=90))
    monkeypatch.setattr(clock, "process_stored_events", slow)
    monkeypatch.setattr(clock, "draw_missing_sizes", seen)

    tasks.tick()

    assert ages[0] < timedelta(seconds=60)


def test_orders_are_expired_for_so_long_in_a_round_and_no_longer(order, seconds, monkeypatch):
    others = [
        an_order(UserFactory(), (order.tracks.get().product, 1), phone=f"25473300011{n}")
        for n in range(2)
    ]
    expire = lifecycle.expire_order

    def slow(order_id, *, now):
        seconds.now += lifecycle.EXPIRING_SECONDS + 1
        return expire(order_id, now=now)

    monkeypatch.setattr(lifecycle, "expire_order", slow)
    later = timezone.now() + timedelta(days=1)

    assert [lifecycle.expire_unpaid_orders(later) for _ in range(4)] == [1, 1, 1, 0]
    assert len(others) == 2
