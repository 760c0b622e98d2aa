"""Refunds over real HTTP: one method at a time, under one id."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders.models import Order
from payments import clock, gateway
from payments.backoffice import transfer_services
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.result_codes import TransferFailure
from payments.ledger import balance
from payments.models import Account, GatewayEvent, PayoutStop, Receipt, Refund
from payments.proof.prove import prove
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.refunds import services as refunds
from payments.transfers import mark_done, mark_refused
from tests.factories import UserFactory
from tests.shopping import an_order
from tests.threads import at_once

from .conftest import settled
from .paying_out import lift_payout_stop

pytestmark = pytest.mark.django_db(transaction=True)

PAYER, OTHER = "254712345678", "254733000111"


@pytest.fixture
def simulator_habits():
    """M-Pesa moves money first and tells afterwards."""
    return {"external_validation": False}


@pytest.fixture(autouse=True)
def money_moves_both_ways(initiator_certificate, c2b_urls, settings):
    settings.DARAJA_STATEMENT = False


@pytest.fixture(autouse=True)
def payments_stand(monkeypatch):
    """M-Pesa was asked, and said so: test_reversed_outside.py is about the question."""
    monkeypatch.setattr(Refund, "must_query_payment", lambda refund, now: False)


@pytest.fixture
def order(buyer, kettle, simulator):
    """Two of five kettles, KES 3,000, and a phone that nobody answers."""
    simulator.script(phone=PAYER, outcome="cancelled")
    order = an_order(buyer, (kettle, 2))
    settled(simulator)
    return order


def pay(simulator, order, amount, phone=OTHER):
    """Pay manually; returns M-Pesa's receipt number."""
    events = GatewayEvent.objects.count()
    paid = simulator.pay_by_hand(phone, amount, order.reference)
    settled(simulator, events=events + 1)
    assert paid["result_code"] == "0"
    return paid["receipt"]


def look_after(simulator, *, times=1, events=1):
    """Rounds of the clock, in which everything that waits is due."""
    for _ in range(times):
        Refund.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
        before = GatewayEvent.objects.count()
        clock.run_periodic()
        settled(simulator, events=before + events)


def ways(*fields):
    return list(Refund.objects.order_by("pk").values_list(*fields))


def went_back(simulator):
    return [
        (entry["kind"], entry["phone"], entry["amount"])
        for entry in simulator.books()["entries"]
        if entry["direction"] == "out"
    ]


def status(order):
    return Order.objects.get(pk=order.pk).payment_status


def test_a_payment_too_many_is_reversed(order, simulator):
    pay(simulator, order, 3000)
    second = pay(simulator, order, 3000)

    look_after(simulator)

    done = (second, 3000, "reversal", "done")
    assert ways("receipt__number", "amount", "way", "status") == [done]
    assert went_back(simulator) == [("reversal", OTHER, 3000)]
    assert status(order) == "paid"
    assert balance(Account.MPESA_CLEARING) == 3000 == balance(Account.BUYERS_HELD)


def test_a_part_of_what_an_unknown_number_paid_is_left_to_staff(order, simulator):
    pay(simulator, order, 3500)

    look_after(simulator, events=0)

    assert ways("amount", "way", "phone", "status") == [(500, "portal", "", "refused")]
    assert went_back(simulator) == []


def test_the_excess_is_refunded_to_the_orders_phone_by_b2c(order, simulator):
    pay(simulator, order, 3500, phone=PAYER)

    look_after(simulator)

    assert ways("amount", "way", "phone", "status") == [(500, "b2c", PAYER, "done")]
    assert went_back(simulator) == [("b2c", PAYER, 500)]
    assert Refund.objects.get().number == simulator.books()["entries"][-1]["receipt"]


def test_less_than_m_pesa_pays_out_is_left_to_staff(order, simulator):
    pay(simulator, order, 3009, phone=PAYER)

    assert ways("amount", "way", "status", "note") == [
        (9, "portal", "refused",
         "M-Pesa pays out KES 10 or more, and reverses only whole payments.")
    ]  # fmt: skip


def test_short_money_goes_back_when_its_order_expires(order, simulator):
    pay(simulator, order, 1000)
    Order.objects.update(expires_at=timezone.now())

    clock.run_periodic()
    look_after(simulator)

    assert ways("cause", "way", "status") == [("short", "reversal", "done")]
    assert status(order) == "refunded"
    assert balance(Account.MPESA_CLEARING) == 0


def test_money_for_goods_that_are_gone_goes_back(order, kettle, simulator):
    Order.objects.update(expires_at=timezone.now())
    clock.run_periodic()
    an_order(UserFactory(), (kettle, 4), phone="254700000001")
    pay(simulator, order, 3000)

    look_after(simulator)

    assert ways("cause", "way", "status") == [("goods_gone", "reversal", "done")]
    assert status(order) == "refunded"


def test_a_reversal_m_pesa_refuses_is_followed_by_a_payment_to_the_phone(order, simulator):
    simulator.script(operation="reversal", outcome="2028")
    pay(simulator, order, 3000)
    pay(simulator, order, 3000, phone=PAYER)

    look_after(simulator)
    assert Refund.objects.filter(way="b2c").get().next_check_at > timezone.now()
    look_after(simulator)

    assert ways("way", "status", "result_code") == [
        ("reversal", "refused", "2028"), ("b2c", "done", "0")
    ]  # fmt: skip
    assert went_back(simulator) == [("b2c", PAYER, 3000)]


@pytest.fixture
def refused(order, simulator):
    """A reversal that M-Pesa refused, and the payment to the phone that is to follow it."""
    simulator.script(operation="reversal", outcome="2028")
    pay(simulator, order, 3000)
    pay(simulator, order, 3000, phone=PAYER)
    look_after(simulator)
    return Refund.objects.get(way="reversal")


def test_a_refusal_that_is_taken_back_calls_what_follows_off(refused, simulator):
    note = mark_done(refused, number="TKX0000001", amount=3000)

    look_after(simulator, events=0)

    assert note == "The money was refunded."
    assert ways("way", "status", "replaces") == [
        ("reversal", "done", None), ("b2c", "dropped", None)
    ]  # fmt: skip
    assert went_back(simulator) == []
    assert balance(Account.MPESA_CLEARING) == 3000


def test_money_that_went_back_twice_is_not_hidden(refused, simulator):
    look_after(simulator)

    with transaction.atomic():
        note = mark_done(refused, number="TKX0000001", amount=3000)
        accounts = (Account.MPESA_CLEARING, Account.REFUNDS_PAYABLE, Account.SUSPENSE)
        balances = [balance(account) for account in accounts]
        broken = [found.rule for found in prove().broken]
        transaction.set_rollback(True)

    assert note == "The money was refunded twice: it had already gone back another way."
    assert balances == [0, 0, -3000]
    assert broken == ["Only a rejected refund is replaced by another"]


def test_a_reversal_that_was_done_already_counts_as_done(order, simulator):
    pay(simulator, order, 3000)
    second = pay(simulator, order, 3000)
    gateway.daraja().reversal(
        receipt=second, amount=3000, remarks="by a person",
        result_url=gateway.callback_url("elsewhere"),
        queue_timeout_url=gateway.callback_url("elsewhere"),
    )  # fmt: skip
    simulator.wait_until_quiet()

    look_after(simulator)

    assert ways("status", "result_code", "number") == [("done", "R000001", "")]
    assert went_back(simulator) == [("reversal", OTHER, 3000)]


@pytest.mark.parametrize("operation", ["reversal", "b2c"])
@pytest.mark.parametrize("answer", ["nothing", "half", "html", "error"])
def test_an_answer_that_is_lost_pays_once(order, simulator, operation, answer):
    """M-Pesa acts, and we do not hear that it took the request; nor does its result come."""
    simulator.script(operation=operation, answer=answer, callbacks=0)
    if operation == "reversal":
        pay(simulator, order, 3000)
    pay(simulator, order, 3000 if operation == "reversal" else 3200, phone=PAYER)

    look_after(simulator, events=0)
    assert ways("status") == [("unknown",)]
    look_after(simulator, events=1)

    assert ways("way", "status") == [(operation, "done")]
    assert len(went_back(simulator)) == 1


def test_a_payout_nobody_took_is_sent_again_under_its_own_id(order, simulator):
    simulator.script(operation="b2c", refuse="internal_error")
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator, events=0)
    look_after(simulator)
    assert ways("status", "result_text") == [("due", "M-Pesa never received it.")]
    look_after(simulator)

    (entry,) = [e for e in simulator.books()["entries"] if e["direction"] == "out"]
    assert ways("status", "originator_conversation_id") == [
        ("done", entry["originator_conversation_id"])
    ]


def test_a_payout_that_lay_too_long_and_was_not_done_is_left_to_staff(order, simulator):
    simulator.script(operation="b2c", queue_timeout="not_done")
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator)
    assert ways("status") == [("sent",)]
    look_after(simulator)

    assert ways("status", "result_code") == [("refused", "status.expired")]
    assert went_back(simulator) == []


def test_a_result_that_never_comes_is_asked_for(order, simulator):
    simulator.script(operation="b2c", callbacks=0)
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator, events=0)
    assert ways("status") == [("sent",)]
    look_after(simulator)

    (entry,) = [e for e in simulator.books()["entries"] if e["direction"] == "out"]
    assert ways("status", "number") == [("done", entry["receipt"])]


def test_a_result_reported_twice_is_counted_once(order, simulator):
    simulator.script(operation="b2c", callbacks=3, together=True)
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator, events=3)

    assert ways("status") == [("done",)]
    assert balance(Account.MPESA_CLEARING) == 3000


def test_a_result_that_is_faster_than_the_answer_counts(order, simulator):
    simulator.script(operation="b2c", callback_before_answer=True)
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator)

    assert ways("status") == [("done",)]


@pytest.mark.parametrize("where", ["wrong_token", "no_token"])
def test_a_forged_result_changes_nothing(order, simulator, where):
    simulator.script(operation="b2c", forge=where, outcome="2040")
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator, events=2)

    assert ways("status", "result_code") == [("refused", "2040")]
    assert balance(Account.MPESA_CLEARING) == 3200


def test_a_late_notice_is_no_refusal(order, simulator):
    simulator.script(operation="b2c", queue_timeout="with_result", callback_delay=0.2)
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator, events=2)

    assert ways("status") == [("done",)]
    assert went_back(simulator) == [("b2c", PAYER, 200)]


def test_a_number_without_m_pesa_is_left_to_staff(order, simulator):
    pay(simulator, order, 3200, phone=PAYER)
    simulator.set_registered(PAYER, False)

    look_after(simulator)

    assert list(Refund.objects.refused().values_list("result_code", "amount")) == [("2040", 200)]


@pytest.mark.parametrize(("code", "hours"), [("1", 1), ("4", 12), ("8", 12)])
def test_a_temporary_refusal_of_a_refund_is_retried_later_with_a_new_id(
    order, simulator, code, hours
):
    simulator.script(operation="b2c", outcome=code, times=1)
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator)

    first, again = Refund.objects.order_by("pk")
    assert (first.status, again.status, again.replaces) == ("refused", "due", first)
    assert again.originator_conversation_id != first.originator_conversation_id
    wait = again.next_check_at - timezone.now()
    assert timedelta(hours=hours - 0.1) < wait <= timedelta(hours=hours)

    look_after(simulator)
    assert went_back(simulator) == [("b2c", PAYER, 200)]


@pytest.mark.parametrize("code", ["2001", "8006", "21"])
def test_an_initiator_m_pesa_does_not_accept_stops_everything_at_once(order, simulator, code):
    simulator.script(operation="reversal", outcome=code, times=1)
    pay(simulator, order, 3000)
    pay(simulator, order, 3000, phone=PAYER)
    look_after(simulator)
    asked = len(simulator.conversations())

    look_after(simulator, times=3, events=0)

    assert PayoutStop.objects.get().is_open
    assert len(simulator.conversations()) == asked
    assert ways("status") == [("refused",), ("due",)]

    lift_payout_stop()
    look_after(simulator)
    assert went_back(simulator) == [("reversal", PAYER, 3000)]


def test_without_an_initiator_nothing_is_sent_and_nothing_is_lost(order, simulator, settings):
    settings.DARAJA_CERTIFICATE = ""
    pay(simulator, order, 3200, phone=PAYER)

    look_after(simulator, events=0)

    assert ways("status") == [("due",)]
    assert PayoutStop.objects.filter(is_open=True).exists()
    assert simulator.conversations() == []


def test_a_refund_is_retried_after_a_failed_connection(order, simulator, settings):
    pay(simulator, order, 3200, phone=PAYER)
    simulator.script(operation="b2c", refuse="spike_arrest")

    look_after(simulator, events=0)
    assert ways("status", "checks") == [("due", 0)]
    look_after(simulator)

    assert ways("status") == [("done",)]


def test_money_of_an_order_with_a_receipt_still_to_be_named_waits(order, simulator):
    pay(simulator, order, 3000)
    second = pay(simulator, order, 3000)
    Receipt.objects.filter(number=second).update(number="")

    look_after(simulator, events=0)
    assert (ways("status"), went_back(simulator)) == ([("due",)], [])

    Receipt.objects.filter(number="").update(number=second)
    look_after(simulator)
    assert ways("status") == [("done",)]


def test_money_in_suspense_goes_back_if_staff_decide_so(order, simulator):
    receipt, _ = record_receipt(
        IncomingPayment(provider="mpesa", number=pay_wrongly(simulator), amount=70, source="c2b")
    )

    refunds.refund_unmatched(receipt.pk)
    look_after(simulator)

    assert ways("cause", "way", "status") == [("staff", "reversal", "done")]
    assert balance(Account.SUSPENSE) == 0 == balance(Account.MPESA_CLEARING)
    with pytest.raises(refunds.NothingToRefund):
        refunds.refund_unmatched(receipt.pk)


def pay_wrongly(simulator):
    return simulator.pay_by_hand(OTHER, 70, "SOFA22")["receipt"]


@pytest.mark.postgres
def test_of_many_clocks_one_sends(order, simulator):
    pay(simulator, order, 3200, phone=PAYER)
    Refund.objects.update(next_check_at=timezone.now())

    at_once(*[clock.run_periodic] * 4)
    settled(simulator, events=3)

    assert [asked["api"] for asked in simulator.conversations()] == ["b2c"]


@pytest.mark.postgres
def test_two_payments_too_many_at_once_go_back_each_once(order, simulator):
    numbers = [simulator.pay_by_hand(OTHER, 3000, order.reference)["receipt"] for _ in range(4)]
    settled(simulator, events=5)
    at_once(*[lambda: refunds.refund_excess(order.pk)] * 4)

    look_after(simulator, times=2, events=0)
    settled(simulator, events=8)

    assert len(went_back(simulator)) == 3
    assert len(set(numbers)) == 4


def test_a_page_instead_of_a_token_is_no_refusal(order, simulator):
    pay(simulator, order, 3200, phone=PAYER)
    simulator.revoke_tokens()
    simulator.script(operation="oauth", answer="html")

    look_after(simulator, events=0)
    assert ways("status") == [("due",)]
    look_after(simulator)

    assert ways("status") == [("done",)]


def test_staff_cannot_send_less_than_m_pesa_pays_out(order, simulator):
    pay(simulator, order, 3009, phone=PAYER)

    with pytest.raises(ActionNotAvailable, match="between KES 10 and KES 250,000"):
        transfer_services.retry_refund(Refund.objects.get().pk, phone=OTHER)


def test_a_refusal_after_the_end_changes_nothing(order, simulator):
    pay(simulator, order, 3000)
    pay(simulator, order, 3000)
    look_after(simulator)
    refund = Refund.objects.get()

    note = mark_refused(refund, code="1", text="late", reason=TransferFailure.NO_FUNDS)

    assert note == "A refusal after it ended: still done."
    assert ways("status", "result_code") == [("done", "0")]


def test_a_refund_of_another_amount_is_left_for_staff(order, simulator):
    simulator.script(operation="b2c", callbacks=0)
    pay(simulator, order, 3200, phone=PAYER)
    look_after(simulator, events=0)

    note = mark_done(Refund.objects.get(), number="TKX0000001", amount=1)

    assert note == "M-Pesa says KES 1 was refunded, KES 200 was due."
    assert ways("status", "note", "next_check_at", "number") == [("sent", note, None, "")]
