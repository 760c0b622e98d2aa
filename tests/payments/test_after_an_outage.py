"""After a day without the clock, missed status queries are made up for."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from payments import clock
from payments.checkout.stk_push import send_stk_push
from payments.models import (
    STK_QUERIES,
    TRANSFER_QUERIES,
    OrderPayment,
    Payout,
    PayoutDay,
    PayoutStop,
    Refund,
    RefundDay,
    StopCause,
)
from tests.orders.lines import line_at
from tests.threads import at_once

from .bodies import post, success
from .fakes import CANCELLED

MINUTE, HOUR = 60, 3600
#: Seconds from one question to the next where all of a schedule is made up for.
PROMPT_STEPS = [30, MINUTE, 3 * MINUTE, 10 * MINUTE, 45 * MINUTE, *[HOUR] * 4]
TRANSFER_STEPS = [90, 8 * MINUTE, 20 * MINUTE, 30 * MINUTE, *[HOUR] * 5]


@pytest.fixture
def rung(order, daraja):
    """An attempt M-Pesa took, and said no more of."""
    send_stk_push(order.pk)
    return order.payments.get()


@pytest.fixture
def payout(buyer, kettle, daraja):
    """A payout M-Pesa took 50 hours ago, and said no more of."""
    line_at("fetched", buyer=buyer, product=kettle)
    clock.run_periodic(timezone.now() + timedelta(minutes=1))
    sent_at = timezone.now() - timedelta(hours=50)
    Payout.objects.update(sent_at=sent_at, next_check_at=sent_at + timedelta(seconds=30))
    PayoutDay.objects.update(day=sent_at.astimezone(NAIROBI).date())
    return Payout.objects.get()


def at(when, seconds=0):
    return time_machine.travel(when + timedelta(seconds=seconds), tick=False)


def asked_from(row, since, seconds, ask):
    """The clock is back ``seconds`` after ``since``: when it asks, in seconds from then on."""
    began, asked = seconds, []
    while row.next_check_at is not None:
        with at(since, seconds):
            ask(timezone.now())
        asked.append(seconds - began)
        row.refresh_from_db()
        if row.next_check_at is not None:
            seconds = (row.next_check_at - since).total_seconds()
    return asked


def sums(steps):
    return [sum(steps[:n]) for n in range(len(steps) + 1)]


def next_in(schedule, seconds, asked):
    """Seconds from the ``asked``-th question, so long after a request was sent, to the next."""
    sent_at = timezone.now()
    now = sent_at + timedelta(seconds=seconds)
    later = schedule.next_at(sent_at, now, asked)
    return None if later is None else (later - now).total_seconds()


@pytest.mark.parametrize(
    ("hours", "asked", "wait"),
    [
        # In time, and late by less than an hour, it goes by age.
        (3, 7, 3 * HOUR),
        (12, 9, 12 * HOUR),
        (1.9, 6, 1.1 * HOUR),
        # Held up for an hour and more it goes by how often it was asked.
        (2, 6, HOUR),
        (13, 1, 30),
        (13, 5, 45 * MINUTE),
        # But not later than the age alone would have it.
        (5.9, 6, 0.1 * HOUR),
        (30, 1, 30),
        (30, 4, 10 * MINUTE),
        (30, 9, HOUR),
        (30, 10, None),
        (24, 10, None),
    ],
)
def test_the_next_question_is_as_far_off_as_it_would_have_been_an_hour_at_most(hours, asked, wait):
    assert next_in(STK_QUERIES, hours * HOUR, asked) == (
        wait if wait is None else pytest.approx(wait)
    )


@pytest.mark.parametrize("schedule", [STK_QUERIES, TRANSFER_QUERIES])
def test_timely_queries_follow_the_schedule(schedule):
    waits = [
        next_in(schedule, seconds, asked) for asked, seconds in enumerate(schedule.seconds, start=1)
    ]

    after = zip(schedule.seconds, schedule.seconds[1:], strict=False)
    assert waits == [*(later - sooner for sooner, later in after), None]


@pytest.mark.parametrize(
    ("days", "asked", "is_put_again"), [(6.9, 100, True), (8, 23, True), (8, 24, False)]
)
def test_a_question_that_was_not_put_is_put_again_for_a_week_and_twenty_four_times(
    days, asked, is_put_again
):
    sent_at = timezone.now()
    now = sent_at + timedelta(days=days)

    again = STK_QUERIES.query_again_at(sent_at, now, asked)

    assert again == (now + timedelta(hours=1) if is_put_again else None)


def test_a_prompt_nobody_was_asked_about_for_a_day_is_asked_about_ten_times(rung, daraja):
    asked = asked_from(rung, rung.rung_at, 26 * HOUR, clock.query_silent_payments)

    assert asked == sums(PROMPT_STEPS)
    assert (rung.status, rung.checks, len(daraja.queries)) == ("submitted", 10, 10)
    assert list(OrderPayment.objects.unresolved()) == [rung]


def test_queries_before_the_outage_count_towards_the_total(rung, daraja):
    for seconds in (30, 60, 120, 300, 900):
        with at(rung.rung_at, seconds):
            clock.query_silent_payments(timezone.now())
    rung.refresh_from_db()

    asked = asked_from(rung, rung.rung_at, 26 * HOUR, clock.query_silent_payments)

    assert asked == sums(PROMPT_STEPS[5:])
    assert (rung.checks, len(daraja.queries)) == (10, 10)


def test_an_outage_within_the_day_leaves_no_hours_without_a_question(rung, daraja):
    asked = asked_from(rung, rung.rung_at, 13 * HOUR, clock.query_silent_payments)

    assert asked == [*sums(PROMPT_STEPS), 11 * HOUR]


def test_an_answer_to_the_second_query_needs_no_staff(rung, daraja):
    with at(rung.rung_at, 26 * HOUR):
        clock.query_silent_payments(timezone.now())
    rung.refresh_from_db()
    daraja.answer = CANCELLED

    with at(rung.next_check_at):
        clock.query_silent_payments(timezone.now())

    rung.refresh_from_db()
    assert (rung.status, rung.next_check_at, len(daraja.queries)) == ("failed", None, 2)


def test_two_clocks_after_an_outage_ask_once(rung, daraja):
    with at(rung.rung_at, 26 * HOUR):
        for _ in range(2):
            clock.query_silent_payments(timezone.now())

    rung.refresh_from_db()
    assert (rung.checks, len(daraja.queries)) == (1, 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_four_clocks_at_the_same_moment_after_an_outage_ask_once(rung, daraja):
    with at(rung.rung_at, 26 * HOUR):
        at_once(*[lambda: clock.query_silent_payments(timezone.now())] * 4)

    rung.refresh_from_db()
    assert (rung.checks, len(daraja.queries)) == (1, 1)


def test_a_prompt_without_an_id_to_ask_by_is_left_to_staff_immediately(rung, daraja):
    OrderPayment.objects.update(checkout_request_id="", status="unknown")
    rung.refresh_from_db()

    assert asked_from(rung, rung.rung_at, 26 * HOUR, clock.query_silent_payments) == [0]
    assert daraja.queries == []


def test_a_doubtful_message_is_asked_about_after_an_outage_of_more_than_a_week(
    client, rung, daraja
):
    post(client, rung, success(rung), token="")
    OrderPayment.objects.update(status="failed", live=False, checks=10, checked_at=None)
    rung.refresh_from_db()

    asked = asked_from(rung, rung.rung_at, 9 * 24 * HOUR, clock.query_silent_payments)

    assert asked == [n * HOUR for n in range(14)]
    OrderPayment.objects.update(checked_at=None)


def test_a_payout_nobody_was_asked_about_for_two_days_is_asked_about_ten_times(payout, daraja):
    asked = asked_from(payout, payout.sent_at, 50 * HOUR, clock.process_due_payouts)

    assert asked == sums(TRANSFER_STEPS)
    assert (payout.status, payout.checks, len(daraja.questions)) == ("sent", 10, 10)
    assert list(Payout.objects.unresolved()) == [payout]


def test_a_stop_of_two_days_is_an_outage_too(payout, daraja):
    stop = PayoutStop.objects.create(cause=StopCause.INITIATOR, reason="Locked.")
    with at(payout.sent_at, 40 * HOUR):
        clock.process_due_payouts(timezone.now())
    payout.refresh_from_db()
    assert (payout.checks, daraja.questions) == (0, [])
    PayoutStop.objects.filter(pk=stop.pk).update(is_open=False, ended_at=timezone.now())

    asked = asked_from(payout, payout.sent_at, 50 * HOUR, clock.process_due_payouts)

    assert asked == sums(TRANSFER_STEPS)


def test_two_clocks_ask_once_about_a_payout(payout, daraja):
    with at(payout.sent_at, 50 * HOUR):
        for _ in range(2):
            clock.process_due_payouts(timezone.now())

    payout.refresh_from_db()
    assert (payout.checks, len(daraja.questions)) == (1, 1)


def test_a_reversal_nobody_was_asked_about_for_two_days_is_asked_about_ten_times(
    buyer, kettle, daraja
):
    line_at("cancelled", buyer=buyer, product=kettle)
    sent_at = timezone.now() - timedelta(hours=50)
    refund = Refund.objects.get()
    RefundDay.objects.create(day=sent_at.astimezone(NAIROBI).date(), sent=refund.amount)
    Refund.objects.update(
        status="sent", sent_at=sent_at, next_check_at=sent_at, reversal_conversation_id="ours-9"
    )
    refund.refresh_from_db()

    asked = asked_from(refund, sent_at, 50 * HOUR, clock.process_due_refunds)

    assert asked == sums(TRANSFER_STEPS)
    assert [question["originator_conversation_id"] for question in daraja.questions] == (
        ["ours-9"] * 10
    )
