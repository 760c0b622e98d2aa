"""Concurrent payouts, with real threads on PostgreSQL."""

import time
from collections import Counter
from threading import Event

import pytest
from django.utils import timezone

from orders.fulfilment import move_line
from payments import clock, transfers
from payments.backoffice.transfer_services import approve_payout
from payments.daraja.result_codes import TransferFailure
from payments.disbursement import process_payout, process_refund
from payments.models import Payout, PayoutDay, Refund, SellerShare
from payments.payouts import allocation
from payments.payouts import services as service
from payments.refunds.external_reversals import record_outside_reversal
from payments.transfers import mark_done, mark_refused
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at
from tests.threads import PATIENCE, at_once

from .paying_out import owed, payouts, sent
from .test_races import slow_down

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("daraja"),
]

TURNS = pytest.mark.parametrize("turn", range(3))


@pytest.fixture
def staff(db):
    return UserFactory(is_superuser=True)


@pytest.fixture
def line(buyer, kettle):
    """One kettle, KES 1,500, collected from its seller: its payout is due."""
    return line_at("fetched", buyer=buyer, product=kettle)


def cancel(line, staff):
    return lambda: move_line(line.pk, "cancelled", actor=staff, note="It leaks.")


def raised(results):
    return [error for error in results if isinstance(error, Exception)]


def test_many_workers_send_one_payout_once(line, daraja, monkeypatch):
    slow_down(monkeypatch, "payments.disbursement.handler_of", 0.05)
    payout = Payout.objects.get()

    results = at_once(*[lambda: process_payout(payout.pk)] * 6)

    assert (raised(results), sent(daraja)) == ([], [(payout.phone, 1500)])
    assert PayoutDay.objects.get().sent == 1500


def test_many_clocks_send_each_payout_once(buyer, kettle, daraja):
    for _ in range(4):
        line_at("fetched", buyer=buyer, product=kettle)

    at_once(*[clock.run_periodic] * 4)

    asked = Counter(payout["originator_conversation_id"] for payout in daraja.payouts)
    assert list(asked.values()) == [1] * 4


def test_payouts_prepared_by_many_at_once_carry_each_share_once(buyer, seller, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("payments.payouts.earnings.enqueue_after_commit", lambda duty, row_id: None)
        for price in (4, 5, 6, 700, 900):
            product = ProductFactory(seller=seller, price=price)
            line_at("fetched", buyer=buyer, product=product)
    slow_down(monkeypatch, "payments.payouts.allocation.balance_of", 0.1)

    results = at_once(*[lambda: allocation.create_payouts(seller.pk)] * 5)

    assert raised(results) == []
    assert payouts("amount") == [15, 700, 900]
    assert not SellerShare.objects.filter(payout__isnull=True).exists()


def test_shares_of_several_rounds_are_carried_once_by_many_at_once(buyer, seller, monkeypatch):
    monkeypatch.setattr(allocation, "SHARES_PER_ROUND", 2)
    with monkeypatch.context() as patch:
        patch.setattr("payments.payouts.earnings.enqueue_after_commit", lambda duty, row_id: None)
        for price in (500, 600, 700, 800, 900):
            product = ProductFactory(seller=seller, price=price)
            line_at("fetched", buyer=buyer, product=product)
    slow_down(monkeypatch, "payments.payouts.allocation.balance_of", 0.1)

    results = at_once(*[lambda: allocation.create_payouts(seller.pk)] * 4)

    assert raised(results) == []
    assert sorted(payouts("amount")) == [500, 600, 700, 800, 900]
    assert not SellerShare.objects.filter(payout__isnull=True).exists()


@TURNS
def test_a_return_and_the_sending_of_its_payout_at_once(line, staff, daraja, turn):
    payout = Payout.objects.get()

    results = at_once(lambda: process_payout(payout.pk), cancel(line, staff))

    payout.refresh_from_db()
    ends = (payout.status, len(daraja.payouts), owed())
    assert raised(results) == []
    assert ends in [("sent", 1, 0), ("dropped", 0, 0)]
    assert Refund.objects.get().amount == 1500


def test_a_return_that_comes_while_a_payout_is_claimed_does_not_drop_it(
    line, staff, daraja, monkeypatch
):
    """Claimed, and not committed yet: returning the line waits and sees that the payout leaves."""
    inside = Event()
    fits = transfers.reserve_daily_limit

    def slowly(payout, now):
        inside.set()
        cancelled.wait(0.3)
        return fits(payout, now)

    cancelled = Event()
    monkeypatch.setattr("payments.disbursement.reserve_daily_limit", slowly)
    payout = Payout.objects.get()

    def cancel_meanwhile():
        assert inside.wait(PATIENCE)
        cancel(line, staff)()
        cancelled.set()

    results = at_once(lambda: process_payout(payout.pk), cancel_meanwhile)

    assert (raised(results), payouts("status"), len(daraja.payouts)) == ([], ["sent"], 1)


def test_a_return_that_comes_while_its_payout_is_made_drops_it(
    buyer, kettle, staff, daraja, monkeypatch
):
    inside = Event()
    balance_of = allocation.balance_of

    def slowly(seller_id):
        inside.set()
        time.sleep(0.3)
        return balance_of(seller_id)

    with monkeypatch.context() as patch:
        patch.setattr("payments.payouts.earnings.enqueue_after_commit", lambda duty, row_id: None)
        line = line_at("fetched", buyer=buyer, product=kettle)
    monkeypatch.setattr("payments.payouts.allocation.balance_of", slowly)

    results = at_once(
        lambda: allocation.create_payouts(line.seller_id),
        lambda: inside.wait(PATIENCE) and cancel(line, staff)(),
    )
    clock.run_periodic()

    assert (raised(results), payouts("status"), sent(daraja)) == ([], ["dropped"], [])


@TURNS
def test_a_return_and_the_result_at_once_leave_a_debt(line, staff, turn):
    payout = Payout.objects.get()
    process_payout(payout.pk)

    results = at_once(
        lambda: mark_done(payout, number="TKP8000001", amount=1500),
        cancel(line, staff),
    )

    assert (raised(results), payouts("status"), owed()) == ([], ["done"], -1500)


@TURNS
def test_a_success_and_a_refusal_at_once_end_done(line, turn):
    payout = Payout.objects.get()
    process_payout(payout.pk)

    at_once(
        lambda: mark_done(payout, number="TKP8000002", amount=1500),
        lambda: mark_refused(payout, code="1", text="", reason=TransferFailure.NO_FUNDS),
    )

    assert (payouts("status"), owed()) == (["done"], 0)


def test_two_workers_replace_what_was_refused_once(line, daraja):
    payout = Payout.objects.get()
    process_payout(payout.pk)
    mark_refused(payout, code="1", text="", reason=TransferFailure.NO_FUNDS)
    Payout.objects.update(next_check_at=timezone.now())

    results = at_once(*[lambda: process_payout(payout.pk)] * 4)

    assert raised(results) == []
    assert payouts("amount", "status") == [(1500, "dropped"), (1500, "due")]


@TURNS
def test_a_refusal_and_a_return_at_once_owe_nothing(line, staff, daraja, turn):
    payout = Payout.objects.get()
    process_payout(payout.pk)

    results = at_once(
        lambda: mark_refused(payout, code="1", text="", reason=TransferFailure.NO_FUNDS),
        cancel(line, staff),
    )
    Payout.objects.filter(status="refused").update(next_check_at=timezone.now())
    clock.run_periodic()
    clock.run_periodic()

    assert (raised(results), payouts("status"), owed()) == ([], ["dropped"], 0)
    assert len(daraja.payouts) == 1


@TURNS
def test_a_late_success_and_the_sending_of_what_follows_at_once(line, daraja, turn):
    first = Payout.objects.get()
    process_payout(first.pk)
    mark_refused(first, code="1", text="", reason=TransferFailure.NO_FUNDS)
    service.retry_payout(first.pk)
    second = Payout.objects.latest("pk")

    results = at_once(
        lambda: mark_done(first, number="TKP8000003", amount=1500),
        lambda: process_payout(second.pk),
    )

    second.refresh_from_db()
    ends = (second.status, len(daraja.payouts))
    assert (raised(results), ends in [("dropped", 1), ("sent", 2)]) == ([], True)


def test_no_more_leaves_in_a_day_than_may_however_many_send(buyer, seller, daraja, settings):
    settings.PAYOUT_DAILY_LIMIT = 3_000
    for _ in range(5):
        line_at("fetched", buyer=buyer, product=ProductFactory(seller=seller, price=1_000))

    at_once(*[lambda pk=pk: process_payout(pk) for pk in payouts("pk")])

    assert (len(daraja.payouts), PayoutDay.objects.get().sent) == (3, 3_000)
    assert Counter(payouts("status")) == {"sent": 3, "due": 2}


@TURNS
def test_a_refund_and_a_payout_of_one_order_are_sent_at_once(
    buyer, seller, kettle, staff, daraja, turn
):
    """A line comes back after its payout left: both are under way, and the debt stays."""
    line = line_at("delivered", buyer=buyer, product=kettle)
    move_line(line.pk, "cancelled", actor=staff, note="It leaks.")
    another = line_at("fetched", buyer=buyer, product=kettle)
    refund, payout = Refund.objects.get(), Payout.objects.get(shares__track=another)

    results = at_once(
        lambda: process_refund(refund.pk),
        lambda: process_payout(payout.pk),
        cancel(another, staff),
    )

    assert raised(results) == []
    assert len(daraja.reversals) == 1
    assert owed() == 0


def test_lines_of_one_seller_fetched_at_once_each_get_their_payout(buyer, kettle, staff):
    lines = [line_at("paid", buyer=buyer, product=kettle) for _ in range(4)]

    results = at_once(
        *[lambda line=line: move_line(line.pk, "fetched", actor=staff) for line in lines]
    )

    assert (raised(results), payouts("amount"), owed()) == ([], [1500] * 4, 6000)


@TURNS
def test_a_payout_is_released_while_later_sales_replace_it_for_the_debt(
    buyer, seller, daraja, staff, monkeypatch, turn
):
    """Either it is sent, and later sales are paid out whole; or it is created again."""

    def sell(price):
        product = ProductFactory(seller=seller, price=price)
        return line_at("fetched", buyer=buyer, product=product)

    returned = sell(1000)
    process_payout(Payout.objects.get().pk)
    mark_done(Payout.objects.get(), number="SGB0000001")
    cancel(returned, staff)()
    monkeypatch.setattr("payments.payouts.earnings.enqueue_after_commit", lambda duty, row_id: None)
    record_outside_reversal(sell(1500).order.receipts.get().pk)
    allocation.create_payouts(seller.pk)
    waiting = Payout.objects.latest("pk")
    process_payout(waiting.pk)
    sell(1200)
    slow_down(monkeypatch, "payments.payouts.allocation.orders_of", 0.05 * turn)

    results = at_once(
        lambda: allocation.create_payouts(seller.pk), lambda: approve_payout(waiting.pk, by=staff)
    )

    waiting.refresh_from_db()
    is_out = waiting.approved_by_id is not None
    assert [type(error).__name__ for error in raised(results)] == (
        [] if is_out else ["ActionNotAvailable"]
    )
    assert payouts("gross", "amount", "status") == [(1000, 1000, "done")] + (
        [(1500, 500, "due"), (1200, 1200, "due")]
        if is_out
        else [(1500, 500, "dropped"), (1200, 200, "due"), (1500, 1500, "due")]
    )
