"""Concurrent payments, with real threads on PostgreSQL."""

import time
from collections import Counter
from datetime import timedelta
from importlib import import_module
from threading import Event

import pytest
from django.test import Client
from django.utils import timezone

from orders.lifecycle import NotUnpaid, cancel_order, expire_order
from orders.models import Order
from payments import clock, evidence
from payments.backoffice.receipt_services import mark_attempt_paid, set_receipt_number
from payments.checkout import stk_push as prompts
from payments.checkout.stk_push import retry_payment, send_stk_push
from payments.daraja.client import StatementRow
from payments.ledger import balance
from payments.models import Account, GatewayEvent, OrderPayment, Receipt, Refund
from payments.reconciliation import incoming, suspense
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.reconciliation.statement_pull import _incoming_payment
from payments.reconciliation.status_query import query_status
from payments.reconciliation.suspense import AlreadyMatched, match_to_order
from payments.refunds.services import NothingToRefund, refund_unmatched
from products.models import StockMovement
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import PHONE, an_order, stock_of
from tests.threads import PATIENCE, at_once, many_at_once

from .bodies import by_hand, failure, post, post_c2b, success
from .conftest import ringing
from .fakes import PAID

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("daraja"),
]

TURNS = pytest.mark.parametrize("turn", range(2))


def callback(payment, told):
    return lambda: post(Client(), payment, told).status_code


@pytest.fixture
def payment(payment):
    """Rung, and its own push's after-commit done: nothing else is under way."""
    return ringing(payment)


def test_fifty_equal_callbacks_count_once(payment, kettle):
    told = success(payment)

    answered = many_at_once([callback(payment, told)] * 50, at_a_time=25)

    assert Counter(answered) == {200: 50}
    assert set(GatewayEvent.objects.values_list("state", flat=True)) == {"applied"}
    assert Receipt.objects.count() == 1
    assert StockMovement.objects.filter(quantity__lt=0).count() == 1
    assert stock_of(kettle) == (3, 0)


@TURNS
def test_a_callback_and_expiry_at_once_end_paid(payment, kettle, turn):
    order = payment.order

    at_once(
        callback(payment, success(payment)),
        lambda: expire_order(order.pk, now=order.expires_at),
        lambda: clock.expire_unpaid_orders(order.expires_at),
    )

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("paid", (3, 0))


@TURNS
def test_a_callback_and_a_cancellation_at_once_end_paid(payment, kettle, turn):
    order = payment.order

    at_once(
        callback(payment, success(payment)),
        callback(payment, failure(payment)),
        lambda: cancel_order(order.pk, cancelled_by="staff"),
    )

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("paid", (3, 0))


@TURNS
def test_late_money_and_a_new_buyer_want_the_same_last_goods(payment, kettle, turn):
    order, other = payment.order, UserFactory()
    expire_order(order.pk, now=order.expires_at)

    at_once(
        callback(payment, success(payment)),
        lambda: an_order(other, (kettle, 4), phone="254733000111"),
    )

    order.refresh_from_db()
    ends = (order.payment_status, Order.objects.count(), stock_of(kettle))
    assert ends in [("paid", 1, (3, 0)), ("refund_due", 2, (5, 4))]


@TURNS
def test_six_concurrent_retries_prompt_once(payment, buyer, daraja, turn):
    post(Client(), payment, failure(payment))
    address = f"/cashout/{payment.order.order_token}/pay/"

    pushes = len(daraja.pushes)
    answered = at_once(*[lambda: signed_in(buyer).post(address).status_code] * 6)

    assert Counter(answered) == {200: 1, 409: 5}
    assert len(daraja.pushes) - pushes == 1
    assert OrderPayment.objects.filter(live=True).count() == 1


@TURNS
def test_ringing_again_and_the_callback_of_the_lapsed_prompt_at_once(payment, kettle, buyer, turn):
    OrderPayment.objects.filter(pk=payment.pk).update(
        rung_at=timezone.now() - timedelta(seconds=121)
    )

    raised = at_once(
        lambda: retry_payment(payment.order),
        callback(payment, success(payment)),
        lambda: retry_payment(payment.order),
    )

    payment.refresh_from_db()
    assert (payment.status, payment.order.payment_status) == ("confirmed", "paid")
    assert not [error for error in raised if "deadlock" in repr(error)]


def test_ringing_again_while_a_live_prompt_is_confirmed_does_not_deadlock(payment, monkeypatch):
    """The one takes the attempt and then the order; the other must not go the other way."""
    slow_down(monkeypatch, "payments.signals.mark_order_paid")
    slow_down(monkeypatch, "payments.checkout.stk_push.extend_hold")

    raised = at_once(
        callback(payment, success(payment)),
        lambda: retry_payment(payment.order),
    )

    payment.refresh_from_db()
    assert payment.order.payment_status == "paid"
    assert type(raised[1]).__name__ in {"PromptOpen", "NotUnpaid"}
    assert set(GatewayEvent.objects.values_list("tries", flat=True)) == {0}


def test_a_failure_and_a_success_at_once_end_confirmed(payment, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.outcomes._end")
    no_money = AttemptOutcome(succeeded=False, code="1037", text="", source="query")
    money = AttemptOutcome(True, "0", "", "callback", amount=3000, receipt="SGL7654321")

    raised = at_once(
        *[lambda told=told: record_outcome(payment.pk, told) for told in (no_money, money)]
    )

    payment.refresh_from_db()
    assert payment.status == "confirmed"
    assert [error for error in raised if isinstance(error, Exception)] == []


def test_a_query_and_a_callback_at_once_are_one_receipt(payment, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.outcomes.find_receipt")
    proven = AttemptOutcome(True, "0", "", "query")
    money = AttemptOutcome(True, "0", "", "callback", amount=3000, receipt="SGL7654321")

    raised = at_once(
        *[lambda told=told: record_outcome(payment.pk, told) for told in (proven, money)]
    )

    assert Receipt.objects.get().number == "SGL7654321"
    assert [error for error in raised if isinstance(error, Exception)] == []


def test_of_many_concurrent_queries_one_is_sent(payment, daraja, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.status_query.take_query_token")
    OrderPayment.objects.update(next_check_at=timezone.now())

    at_once(*[lambda: query_status(payment.pk)] * 4)

    assert daraja.queries == [payment.checkout_request_id]


@pytest.fixture
def counted_twice(payment, order, daraja):
    """The number of the second prompt, entered for the first; a query has proved the second too."""
    OrderPayment.objects.filter(pk=payment.pk).update(live=False, next_check_at=None)
    mark_attempt_paid(payment.pk, number="SGL7654321")
    second = ringing(order.payments.create(phone=PHONE, amount=3000), "ws_CO_2")
    record_outcome(second.pk, AttemptOutcome(True, "0", "", "query"))
    return Receipt.objects.get(number="")


def test_two_people_who_enter_the_number_of_one_prompt_merge_it_once(counted_twice, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.misapplied.absorb_duplicate")

    ends = at_once(*[lambda: set_receipt_number(counted_twice.pk, number="SGL7654321")] * 2)

    assert sorted(type(end).__name__ for end in ends) == ["ActionNotAvailable", "Receipt"]
    assert Receipt.objects.exclude(amount=0).get().number == "SGL7654321"


def test_a_number_entered_while_the_other_prompt_fails_waits_for_nothing_and_loses_nothing(
    counted_twice, payment, monkeypatch
):
    """The callback has the attempt and waits for the order; the other has the order."""
    slow_down(monkeypatch, "payments.reconciliation.misapplied.absorb_duplicate", 0.5)

    def enter():
        return set_receipt_number(counted_twice.pk, number="SGL7654321")

    entered, _ = at_once(enter, delayed(callback(payment, failure(payment)), 0.2))

    # Refused by the database, and not as a deadlock; nothing of it was done.
    assert "could not obtain lock" in str(entered)
    assert len(Receipt.objects.exclude(amount=0)) == 2
    assert enter().payment.checkout_request_id == "ws_CO_2"
    payment.refresh_from_db()
    assert payment.status == "submitted"


def delayed(call, seconds):
    def later():
        time.sleep(seconds)
        return call()

    return later


def slow_down(monkeypatch, name, seconds=0.2):
    """Hold what is locked for a while before going on."""
    module, attribute = name.rsplit(".", 1)
    step = getattr(import_module(module), attribute)

    def slowly(*args, **kwargs):
        time.sleep(seconds)
        return step(*args, **kwargs)

    monkeypatch.setattr(name, slowly)


def test_six_concurrent_prompts_of_an_order_push_once(order, daraja):
    OrderPayment.objects.update(status="requested", rung_at=None, live=True)
    pushes = len(daraja.pushes)

    at_once(*[lambda: send_stk_push(order.pk)] * 6)

    assert len(daraja.pushes) - pushes == 1


@TURNS
def test_one_phone_is_prompted_for_one_of_many_concurrent_orders(buyer, seller, daraja, turn):
    product = ProductFactory(seller=seller, item_number=50)
    orders = [an_order(UserFactory(), (product, 1)) for _ in range(6)]
    OrderPayment.objects.update(
        status="requested", rung_at=None, live=True, result_code="", checkout_request_id=""
    )
    pushes = len(daraja.pushes)

    at_once(*[lambda order=order: send_stk_push(order.pk) for order in orders])

    assert len(daraja.pushes) - pushes == 1
    assert Counter(OrderPayment.objects.values_list("result_code", flat=True)) == {
        "": 1,
        "local.phone_busy": 5,
    }


@TURNS
def test_cancelling_while_the_phone_is_about_to_ring(order, daraja, turn):
    OrderPayment.objects.update(status="requested", rung_at=None, live=True, checkout_request_id="")
    pushes = len(daraja.pushes)

    at_once(lambda: send_stk_push(order.pk), lambda: cancel_order(order.pk, cancelled_by="staff"))

    rung = len(daraja.pushes) - pushes
    payment = order.payments.get()
    assert (rung, payment.status) in [(1, "submitted"), (0, "failed")]


@TURNS
def test_money_and_its_buyers_cancelling_at_once_end_paid_or_sent_back(payment, kettle, turn):
    order = payment.order

    raised = at_once(
        callback(payment, success(payment)),
        lambda: cancel_order(order.pk, cancelled_by="buyer"),
    )

    order.refresh_from_db()
    cancelled = not isinstance(raised[1], NotUnpaid)
    assert raised[0] == 200
    if cancelled:
        assert (order.payment_status, order.cancelled_by) == ("refund_due", "buyer")
        assert (Refund.objects.get().amount, stock_of(kettle)) == (3000, (5, 0))
    else:
        assert (order.payment_status, order.cancelled_by) == ("paid", "")
        assert (Refund.objects.count(), stock_of(kettle)) == (0, (3, 0))


@TURNS
def test_both_pins_at_once_for_a_cancelled_order_and_the_one_after_it_pay_once(
    payment, kettle, turn
):
    order = payment.order
    cancel_order(order.pk, cancelled_by="buyer")
    new = an_order(order.buyer, (kettle, 2), phone="254733000111")
    attempt = ringing(new.payments.get(), "ws_CO_2")

    answered = at_once(callback(payment, success(payment)), callback(attempt, success(attempt)))

    order.refresh_from_db()
    new.refresh_from_db()
    assert answered == [200, 200]
    assert (order.payment_status, new.payment_status) == ("refund_due", "paid")
    assert (Refund.objects.get().order_id, stock_of(kettle)) == (order.pk, (3, 0))


@TURNS
def test_both_pins_at_once_for_two_expired_orders_of_the_same_goods_pay_for_one(
    payment, kettle, monkeypatch, turn
):
    slow_down(monkeypatch, "products.stock.hold")
    order = payment.order
    other = an_order(order.buyer, (kettle, 2), phone="254733000111")
    attempt = ringing(other.payments.get(), "ws_CO_2")
    for each in (order, other):
        expire_order(each.pk, now=each.expires_at)

    answered = at_once(callback(payment, success(payment)), callback(attempt, success(attempt)))

    assert answered == [200, 200]
    assert Counter(Order.objects.values_list("payment_status", flat=True)) == {
        "paid": 1,
        "refund_due": 1,
    }
    assert (Refund.objects.get().amount, stock_of(kettle)) == (3000, (3, 0))


@TURNS
def test_late_money_and_a_new_order_of_its_buyer_at_once_do_not_wait_for_each_other_for_ever(
    payment, kettle, monkeypatch, turn
):
    slow_down(monkeypatch, "products.stock.hold", 0.1)
    order = payment.order
    expire_order(order.pk, now=order.expires_at)

    placed = at_once(
        callback(payment, success(payment)),
        lambda: an_order(order.buyer, (kettle, 1), phone="254733000111"),
        lambda: an_order(order.buyer, (kettle, 1), phone="254733000222"),
    )

    nothing_broke(placed)
    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("paid", (3, 2))


def test_a_cancellation_waits_for_a_phone_that_is_about_to_ring(order, monkeypatch):
    OrderPayment.objects.update(status="requested", rung_at=None, live=True, checkout_request_id="")
    about_to_ring, look = Event(), prompts._take_unless_refused

    def slowly(*args):
        about_to_ring.set()
        time.sleep(0.2)
        return look(*args)

    def cancel():
        assert about_to_ring.wait(PATIENCE)
        cancel_order(order.pk, cancelled_by="staff")
        return order.payments.get().status

    monkeypatch.setattr(prompts, "_take_unless_refused", slowly)

    _, status_when_cancelled = at_once(lambda: send_stk_push(order.pk), cancel)

    assert status_when_cancelled in {"unknown", "submitted"}


@TURNS
def test_two_clocks_at_once_do_everything_once(payment, kettle, daraja, turn):
    daraja.answer = PAID
    OrderPayment.objects.update(next_check_at=timezone.now())
    waiting = an_order(UserFactory(), (kettle, 1), phone="254733000111")
    later = waiting.created_at + timedelta(hours=1)
    queries = len(daraja.queries)

    at_once(*[lambda: clock.run_periodic(now=later)] * 3)

    payment.refresh_from_db()
    waiting.refresh_from_db()
    assert (payment.order.payment_status, waiting.payment_status) == ("paid", "expired")
    assert stock_of(kettle) == (3, 0)
    assert Receipt.objects.count() == 1
    assert daraja.queries[queries:].count(payment.checkout_request_id) == 1


@TURNS
def test_one_receipt_for_two_attempts_at_once_counts_for_one(payment, seller, turn):
    product = ProductFactory(seller=seller, item_number=5, price=3000)
    elsewhere = an_order(UserFactory(), (product, 1), phone="254733000111")
    other = ringing(elsewhere.payments.get(), "ws_CO_2")

    at_once(
        callback(payment, success(payment, receipt="SGL7654321")),
        callback(other, success(other, receipt="SGL7654321")),
    )
    clock.run_periodic(now=timezone.now() + timedelta(seconds=6))

    assert Receipt.objects.count() == 1
    assert Counter(Order.objects.values_list("payment_status", flat=True)) == {
        "paid": 1,
        "requested": 1,
    }
    assert set(GatewayEvent.objects.values_list("state", flat=True)) == {"applied"}


def confirmation(order, amount, receipt):
    told = by_hand(order.reference, amount, receipt=receipt)
    return lambda: post_c2b(Client(), told).status_code


def row(order, receipt):
    row = StatementRow(receipt, 3000, None, "", order.reference, "Pay Bill")
    return _incoming_payment(row, "174379")


def nothing_broke(raised):
    """No thread raised, and no message had to be tried again."""
    assert [error for error in raised if isinstance(error, Exception)] == []
    assert not GatewayEvent.objects.filter(tries__gt=0).exists()


@pytest.mark.parametrize(
    "slow",
    [
        "payments.reconciliation.outcomes._known_receipts",
        "payments.reconciliation.incoming.create_receipt",
    ],
)
def test_a_confirmation_and_the_callback_of_one_receipt_at_once_are_one_payment(
    payment, kettle, monkeypatch, slow
):
    slow_down(monkeypatch, slow, 0.1)
    order = payment.order

    raised = at_once(
        callback(payment, success(payment, receipt="SGL7654321")),
        confirmation(order, 3000, "SGL7654321"),
        confirmation(order, 3000, "SGL7654321"),
    )

    receipt = Receipt.objects.get()
    order.refresh_from_db()
    nothing_broke(raised)
    assert (receipt.payment_id, order.payments.count()) == (payment.pk, 1)
    assert (order.payment_status, stock_of(kettle), Refund.objects.count()) == ("paid", (3, 0), 0)


@TURNS
def test_a_confirmation_and_expiry_at_once_end_paid(payment, kettle, turn):
    order = payment.order

    raised = at_once(
        confirmation(order, 3000, "SGL7654321"),
        lambda: expire_order(order.pk, now=order.expires_at),
        lambda: clock.refund_uncovered_money(order.expires_at),
    )

    order.refresh_from_db()
    nothing_broke(raised)
    assert (order.payment_status, stock_of(kettle), Refund.objects.count()) == ("paid", (3, 0), 0)


def test_two_parts_at_once_that_together_cover_an_order_pay_it(payment, kettle, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.incoming.record_manual_payment")
    order = payment.order

    raised = at_once(
        confirmation(order, 1000, "SGL0000001"), confirmation(order, 2000, "SGL0000002")
    )

    order.refresh_from_db()
    nothing_broke(raised)
    assert (order.payment_status, stock_of(kettle), Refund.objects.count()) == ("paid", (3, 0), 0)
    assert not Receipt.objects.filter(waiting=True).exists()


def test_a_part_by_prompt_and_a_manual_part_at_once_pay_the_order(payment, kettle, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.incoming.create_receipt")
    slow_down(monkeypatch, "payments.reconciliation.outcomes._confirm")
    order = payment.order

    raised = at_once(
        callback(payment, success(payment, amount=2000)), confirmation(order, 1000, "SGL0000002")
    )

    order.refresh_from_db()
    nothing_broke(raised)
    assert (order.payment_status, stock_of(kettle), Refund.objects.count()) == ("paid", (3, 0), 0)


def test_the_statement_and_a_confirmation_at_once_are_one_payment(payment, kettle, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.incoming.create_receipt")
    order = payment.order

    raised = at_once(
        confirmation(order, 3000, "SGL7654321"),
        lambda: record_receipt(row(order, "SGL7654321")),
        lambda: record_receipt(row(order, "SGL7654321")),
    )

    order.refresh_from_db()
    nothing_broke(raised)
    assert (Receipt.objects.count(), order.payments.count()) == (1, 2)
    assert (order.payment_status, stock_of(kettle), Refund.objects.count()) == ("paid", (3, 0), 0)


def test_money_of_no_order_through_two_channels_at_once_lies_in_suspense_once(db, monkeypatch):
    slow_down(monkeypatch, "payments.reconciliation.incoming.create_receipt")
    told = by_hand("nobody", 3000, receipt="SGL7654321")

    raised = at_once(*[lambda: post_c2b(Client(), told).status_code] * 4)

    nothing_broke(raised)
    assert list(Receipt.objects.values_list("number", "order")) == [("SGL7654321", None)]


@pytest.mark.parametrize(
    "slow", ["payments.reconciliation.suspense.match", "payments.refunds.services.create_refund"]
)
def test_money_in_suspense_is_given_to_an_order_or_back_and_never_both(
    payment, kettle, monkeypatch, slow
):
    slow_down(monkeypatch, slow)
    post_c2b(Client(), by_hand("nobody", 3000, receipt="SGL7654321"))
    receipt, order = Receipt.objects.get(), payment.order

    raised = at_once(
        lambda: match_to_order(receipt.pk, order.pk, note="She showed the message."),
        lambda: refund_unmatched(receipt.pk),
    )

    order.refresh_from_db()
    refused = [error for error in raised if isinstance(error, Exception)]
    assert [type(error) for error in refused] in ([AlreadyMatched], [NothingToRefund])
    assert (order.payment_status, Refund.objects.count()) in {("paid", 0), ("requested", 1)}


def test_money_in_suspense_goes_back_or_to_its_prompt_and_never_both(payment, kettle, monkeypatch):
    slow_down(monkeypatch, "payments.refunds.services.create_refund")
    slow_down(monkeypatch, "payments.reconciliation.suspense.match")
    post_c2b(Client(), by_hand("nobody", 3000, receipt="SGL7654321"))
    receipt, order = Receipt.objects.get(), payment.order

    at_once(
        callback(payment, success(payment, receipt="SGL7654321")),
        lambda: refund_unmatched(receipt.pk),
    )

    order.refresh_from_db()
    assert (order.payment_status, Refund.objects.count()) in {("paid", 0), ("requested", 1)}
    assert Receipt.objects.count() == 1


#: Long enough for whoever waits for a lock to wait for it.
A_WHILE = 0.3


def lingering(monkeypatch, module, name):
    """Let what first calls this function stay in it for a while; returns when somebody is there."""
    there, call = Event(), getattr(module, name)

    def slowly(*args, **kwargs):
        done = call(*args, **kwargs)
        if not there.is_set():
            there.set()
            time.sleep(A_WHILE)
        return done

    monkeypatch.setattr(module, name, slowly)
    return there


def told(amount, **more):
    return IncomingPayment("mpesa", "SHD0000001", amount, more.pop("source", "c2b"), **more)


@pytest.mark.parametrize("where", ["_fill_in", "match"])
def test_another_amount_of_money_that_is_matched_meanwhile_is_its_orders(order, monkeypatch, where):
    receipt, _ = record_receipt(told(3000, phone="254799000111"))
    there = lingering(monkeypatch, incoming if where == "_fill_in" else suspense, where)
    if where == "_fill_in":
        # It is matched after it was looked at, and before it is saved.
        first = lambda: record_receipt(told(3500, source="statement"))  # noqa: E731
        second = lambda: match_to_order(receipt.pk, order.pk, note="")  # noqa: E731
    else:
        # It is looked at while the match is not committed yet.
        first = lambda: match_to_order(receipt.pk, order.pk, note="")  # noqa: E731
        second = lambda: record_receipt(told(3500, source="statement"))  # noqa: E731

    def then():
        assert there.wait(PATIENCE)
        return second()

    nothing_broke(at_once(first, then))

    order.refresh_from_db()
    assert (order.payment_status, balance(Account.SUSPENSE)) == ("paid", 0)
    assert Refund.objects.get().amount == 500
    assert balance(Account.BUYERS_HELD, order_id=order.pk) == 3000


def test_payer_details_of_concurrent_sources_are_all_kept(order, monkeypatch):
    receipt, _ = record_receipt(told(3000, phone="2547*****111"))
    there = lingering(monkeypatch, evidence, "record")

    def then():
        assert there.wait(PATIENCE)
        return record_receipt(told(3000, source="statement", reference="KETTLE"))

    nothing_broke(
        at_once(lambda: record_receipt(told(3000, phone="254799000111", payer="WANJIKU")), then)
    )

    receipt.refresh_from_db()
    assert (receipt.phone, receipt.payer, receipt.reference) == (
        "254799000111",
        "WANJIKU",
        "KETTLE",
    )


def test_two_sources_of_new_money_at_once_are_both_evidence(db):
    nothing_broke(
        at_once(
            lambda: record_receipt(told(3000, shortcode="174379")),
            lambda: record_receipt(told(3000, source="statement", shortcode="174379")),
        )
    )

    receipt = Receipt.objects.get(number="SHD0000001")
    assert {"c2b", "statement"} <= set(receipt.evidence.values_list("source", flat=True))
