"""The limit of status queries per minute is shared by all workers."""

import sys
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from payments import clock
from payments.models import OrderPayment, QueryBudget
from payments.reconciliation.status_query import delete_old_budgets, take_query_token
from tests.threads import at_once, many_at_once

from .conftest import ringing
from .fakes import PAID

#: Not a date of ours: what the books say of waiting is asked at the real time.
MINUTE = timezone.now().replace(second=0, microsecond=0)


@pytest.fixture(autouse=True)
def _this_minute(monkeypatch):
    """The module may have been read long before a test of it runs."""
    now = timezone.now().replace(second=0, microsecond=0)
    monkeypatch.setattr(sys.modules[__name__], "MINUTE", now)


def seconds(number):
    return timedelta(seconds=number)


def test_five_may_be_asked_in_a_minute(db):
    asked = [take_query_token(MINUTE + seconds(at)) for at in (0, 1, 30, 58, 59, 59, 59.9)]

    assert asked == [True] * 5 + [False] * 2


def test_the_next_minute_has_a_budget_of_its_own(db):
    for _ in range(6):
        take_query_token(MINUTE)

    assert take_query_token(MINUTE + seconds(60))
    assert dict(QueryBudget.objects.values_list("minute", "used")) == {
        MINUTE: 5,
        MINUTE + seconds(60): 1,
    }


def test_the_shop_decides_how_many(db, settings):
    settings.DARAJA_QUERIES_A_MINUTE = 2

    assert [take_query_token(MINUTE) for _ in range(3)] == [True, True, False]


def test_minutes_are_forgotten_after_an_hour(db):
    for minutes in (0, 1, 60, 61):
        take_query_token(MINUTE + timedelta(minutes=minutes))

    assert delete_old_budgets(MINUTE + timedelta(minutes=61)) == 1
    assert QueryBudget.objects.count() == 3


def test_a_check_that_finds_no_budget_stays_due_and_is_asked_in_the_next_minute(payment, daraja):
    daraja.answer = PAID
    due = MINUTE - seconds(10)
    OrderPayment.objects.update(rung_at=MINUTE - seconds(40), next_check_at=due)
    for _ in range(5):
        take_query_token(MINUTE)

    with time_machine.travel(MINUTE, tick=False) as now:
        clock.query_silent_payments(MINUTE)
        payment.refresh_from_db()
        spent = payment.next_check_at, payment.checks, list(daraja.queries)
        now.shift(60)
        clock.query_silent_payments(MINUTE + seconds(60))

    payment.refresh_from_db()
    assert spent == (due, 0, [])
    assert (payment.status, daraja.queries) == ("confirmed", ["ws_CO_1"])


def test_an_attempt_without_an_id_costs_no_budget(order, daraja):
    payment = ringing(order.payments.get(), "")
    OrderPayment.objects.update(status="unknown")

    with time_machine.travel(payment.next_check_at + seconds(1), tick=False):
        clock.query_silent_payments(payment.next_check_at + seconds(1))

    assert (daraja.queries, QueryBudget.objects.count()) == ([], 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_thirty_workers_at_once_share_five(turn):
    asked = many_at_once([lambda: take_query_token(MINUTE)] * 30, at_a_time=15)

    assert Counter(asked) == {True: 5, False: 25}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_last_one_of_a_minute_goes_to_one_worker():
    QueryBudget.objects.create(minute=MINUTE, used=4)

    assert sorted(at_once(*[lambda: take_query_token(MINUTE)] * 6)) == [False] * 5 + [True]
