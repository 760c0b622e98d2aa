"""What was planned or read while the host's clock was days ahead is done once it is right again."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.models.notifications import Message, Notice
from payments import clock
from payments.daraja.statement import StatementPage, StatementRow
from payments.evidence import request_confirmation
from payments.models import (
    AccessToken,
    AlertMail,
    NightlyProof,
    OrderPayment,
    Payout,
    Receipt,
    ReceiptQuestion,
    Refund,
    StatementPull,
    Trouble,
)
from payments.payouts.allocation import create_payouts
from payments.reconciliation.statement_pull import fail_attempts_not_on_statement, pull_statement
from payments.refunds.services import refund_unmatched
from payments.watch.clock_skew import correct_times_ahead
from tests.invariants import check_books
from tests.orders.lines import line_at

from .bodies import by_hand, post_c2b
from .conftest import ringing

NOW = timezone.now().replace(microsecond=0)
HOUR, DAYS = timedelta(hours=1), timedelta(days=2)
NOTHING = StatementPage((), ())


@pytest.fixture(autouse=True)
def balanced_books(db):
    """Stop the clock until the books are checked: this file may have been imported long before."""
    with time_machine.travel(NOW, tick=False):
        yield
        check_books()


def read():
    return [
        (pull.read_from - NOW, pull.read_until - NOW, pull.next_pull_at - NOW)
        for pull in StatementPull.objects.all()
    ]


def test_a_statement_read_while_the_clock_was_ahead_is_read_again_from_its_start(order, daraja):
    paid = StatementRow(
        "SGL7654321", 3000, NOW - HOUR, "2547*****678", order.reference, "c2b-pay-bill-debit"
    )
    pull_statement(NOW + DAYS)
    daraja.on_pull = lambda pull: NOTHING if pull["offset"] else StatementPage((paid,), ())

    pull_statement(NOW)

    assert daraja.pulls[-1]["start"] == NOW - timedelta(hours=47, minutes=50)
    assert read() == [(timedelta(hours=-47, minutes=-50), timedelta(0), 6 * HOUR)]
    assert Receipt.objects.get().number == "SGL7654321"


def test_a_statement_read_by_a_host_two_minutes_ahead_has_no_gap(db, daraja):
    pull_statement(NOW)
    pull_statement(NOW + 6 * HOUR + timedelta(minutes=2))
    StatementPull.objects.update(next_pull_at=NOW + 6 * HOUR)

    pull_statement(NOW + 6 * HOUR)

    assert read() == [(timedelta(hours=-47, minutes=-50), 6 * HOUR, 12 * HOUR)]


def test_a_statement_read_while_the_clock_was_ahead_ends_no_prompt(payment, daraja):
    OrderPayment.objects.update(rung_at=NOW - HOUR, live=False, next_check_at=None)
    pull_statement(NOW + 24 * HOUR)
    assert StatementPull.objects.get().read_until == NOW + 24 * HOUR
    StatementPull.objects.update(read_from=NOW - 30 * HOUR)

    assert fail_attempts_not_on_statement(NOW) == 0
    assert fail_attempts_not_on_statement(NOW + 24 * HOUR) == 1


@pytest.fixture
def planned(client, buyer, kettle, payment, daraja):
    """Rows of each kind whose next step was planned by the clock."""
    line_at("fetched", buyer=buyer, product=kettle)
    create_payouts(kettle.seller_id)
    post_c2b(client, by_hand("NOBODY", 700, receipt="SGL7654321"))
    receipt = Receipt.objects.get(number="SGL7654321")
    refund_unmatched(receipt.pk)
    request_confirmation([receipt])
    notice = Notice.objects.create(key="x", kind="paid_out", user=buyer, facts={})
    Notice.objects.update(composed_at=NOW)
    Message.objects.create(
        notice=notice, user=buyer, kind="paid_out", channel="sms", language="en", text="x",
        contact="254712345678", next_try_at=NOW,
    )  # fmt: skip
    incident = Trouble.objects.create(kind="books-broken", says="x", began_at=NOW, seen_at=NOW)
    AlertMail.objects.create(trouble=incident, is_over=False, next_try_at=NOW)
    AccessToken.objects.create(account="0" * 64, claimed_until=NOW)
    NightlyProof.objects.create(night=NOW.date(), digest="0" * 64, rules=1, claimed_until=NOW)


def plan(model, name, at):
    """Plan every row of a kind for this time; return how many there are."""
    return model.objects.filter(**{f"{name}__isnull": False}).update(**{name: at})


TIMES = [
    (OrderPayment, "next_check_at", 25 * HOUR),
    (Refund, "next_check_at", 25 * HOUR),
    (Payout, "next_check_at", 25 * HOUR),
    (ReceiptQuestion, "next_check_at", 25 * HOUR),
    (Message, "next_try_at", 25 * HOUR),
    (AlertMail, "next_try_at", 25 * HOUR),
    (AccessToken, "claimed_until", HOUR / 4),
    (NightlyProof, "claimed_until", HOUR / 4),
]


@pytest.mark.parametrize(("model", "name", "furthest"), TIMES)
def test_what_was_planned_by_a_clock_that_was_days_ahead_is_due(planned, model, name, furthest):
    count = plan(model, name, NOW + furthest + timedelta(seconds=1))
    assert count >= 1

    assert correct_times_ahead(NOW) == count
    assert model.objects.filter(**{name: NOW}).count() == count


@pytest.mark.parametrize(("model", "name", "furthest"), TIMES)
def test_what_is_planned_within_a_day_is_left_alone(planned, model, name, furthest):
    plan(model, name, NOW + furthest)

    assert correct_times_ahead(NOW) == 0


def test_a_prompt_sent_while_the_clock_was_ahead_keeps_its_phone_for_two_minutes(order, daraja):
    payment = ringing(order.payments.get())
    OrderPayment.objects.update(rung_at=NOW + DAYS, next_check_at=NOW + DAYS)

    with time_machine.travel(NOW, tick=False):
        clock.run_periodic()
    payment.refresh_from_db()
    assert (payment.live, payment.rung_at) == (True, NOW)

    with time_machine.travel(NOW + timedelta(minutes=3), tick=False):
        clock.run_periodic()
    payment.refresh_from_db()
    assert payment.live is False
