"""A seller gives money back while their payout is being sent, with real threads on PostgreSQL."""

import time
from threading import Event

import pytest
from django.utils import timezone

from orders.models import Party
from orders.problems import seller_refund_limit
from orders.problems.decisions import Decider, refund_whole
from orders.problems.seller_refund_limit import ShopDecides
from payments.disbursement import process_payout
from payments.models import Payout, TransferStatus
from payments.payouts import handler
from tests.threads import PATIENCE, at_once

from .conftest import report

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def due_again(sell, buyer, settings):
    """A problem with goods for KES 9,000, reported while M-Pesa might have had their payout, which
    it did not take: it is due again; and the seller may give back no more than KES 5,000 that they
    do not have here."""
    settings.SELLER_REFUND_ON_CREDIT = 5000
    line = sell(9000)
    payout = Payout.objects.get()
    Payout.objects.update(status=TransferStatus.UNKNOWN)
    problem = report(line, buyer)
    Payout.objects.update(status=TransferStatus.DUE, next_check_at=timezone.now())
    return problem, payout


def give_back(problem, seller):
    return refund_whole(problem.pk, Decider(seller, Party.SELLER, "It is broken."))


def slowly(function, begun):
    def slow(*args, **kwargs):
        found = function(*args, **kwargs)
        begun.set()
        time.sleep(0.3)
        return found

    return slow


def after(begun, call):
    assert begun.wait(PATIENCE)
    return call()


def test_a_payout_is_not_claimed_between_the_look_at_it_and_the_refund(
    due_again, seller, daraja, monkeypatch
):
    (problem, payout), looked = due_again, Event()
    monkeypatch.setattr(
        seller_refund_limit,
        "_checks",
        [slowly(each, looked) for each in seller_refund_limit._checks],
    )

    at_once(
        lambda: give_back(problem, seller),
        lambda: after(looked, lambda: process_payout(payout.pk)),
    )

    problem.refresh_from_db()
    assert (problem.outcome, problem.refunded) == ("refunded", 9000)
    assert daraja.payouts == []


def test_nothing_is_given_back_of_a_payout_that_is_being_claimed(
    due_again, seller, daraja, monkeypatch
):
    (problem, payout), looked = due_again, Event()
    monkeypatch.setattr(handler, "_reason_to_drop", slowly(handler._reason_to_drop, looked))

    at_once(
        lambda: process_payout(payout.pk),
        lambda: after(looked, lambda: give_back(problem, seller)),
    )

    problem.refresh_from_db()
    assert problem.outcome == "refunded"
    assert daraja.payouts == []


def test_earnings_claimed_before_the_problem_count_as_paid(
    sell, buyer, seller, daraja, monkeypatch, settings
):
    settings.SELLER_REFUND_ON_CREDIT = 5000
    line, looked = sell(9000), Event()
    monkeypatch.setattr(handler, "_reason_to_drop", slowly(handler._reason_to_drop, looked))

    sent, told = at_once(
        lambda: process_payout(Payout.objects.get().pk),
        lambda: after(looked, lambda: give_back(report(line, buyer), seller)),
    )

    assert isinstance(told, ShopDecides), (sent, told)
    assert len(daraja.payouts) == 1
