"""What M-Pesa never received is due again: it leaves under its id, if it would leave at all."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.fulfilment import move_line
from payments import clock
from payments.backoffice import transfer_services as money_out
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown
from payments.disbursement import process_payout, process_refund
from payments.ledger import balance
from payments.models import (
    Account,
    GatewayEvent,
    Payout,
    PayoutDay,
    Receipt,
    Refund,
    RefundDay,
)
from payments.reconciliation.receipts import correct_amount
from payments.refunds.external_reversals import record_outside_reversal
from payments.webhooks.inbox import replay_event
from tests.factories import UserFactory
from tests.orders.lines import line_at
from tests.problems.conftest import decide, report, support

from .paying_out import _post, payouts, post_result, run_clock_without_waits, sent, tick
from .reversals import answer, books, cancel, refunds, seen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

PHONE, UNKNOWN_TO_MPESA = "254722000000", "SFC_IC0003"


def no_answer(asked):
    raise DarajaUnknown("no answer in time")


@pytest.fixture
def line(buyer, kettle):
    """One kettle, KES 1,500, collected from its seller."""
    return line_at("fetched", buyer=buyer, product=kettle)


@pytest.fixture
def payout(line, daraja):
    """Its payout: M-Pesa was asked to send it, and did not answer."""
    daraja.on_pay = no_answer
    tick()
    daraja.on_pay = lambda asked: None
    assert payouts("status") == ["unknown"]
    return Payout.objects.get()


@pytest.fixture
def refund(client, paid, daraja):
    """KES 1,500 of 3,500, to the phone: the payment stands, and M-Pesa did not answer."""
    cancel(paid, 0)
    refund = Refund.objects.get()
    process_refund(refund.pk)
    daraja.on_pay = no_answer
    answer(client, refund)
    daraja.on_pay = lambda asked: None
    assert refunds() == [(1500, "b2c", "unknown", "")]
    return refund


def never_received(row):
    """M-Pesa answers the query of a transfer: it does not know it."""
    model = type(row)
    model.objects.filter(pk=row.pk).update(next_check_at=timezone.now())
    (process_refund if model is Refund else process_payout)(row.pk)
    return _post(row.status_token, row, UNKNOWN_TO_MPESA, "TKZ0000000", {})


def stands_questions(daraja):
    return [asked for asked in daraja.questions if asked.get("receipt")]


def total(days):
    return sum(days.objects.values_list("sent", flat=True))


def test_what_m_pesa_never_received_is_due_again_and_no_part_of_the_days_total(payout):
    assert total(PayoutDay) == 1500

    note = never_received(payout)

    assert note == "M-Pesa does not know it. If it is still due, it is sent again with the same id."
    assert payouts("status", "result_text") == [("due", "M-Pesa never received it.")]
    assert total(PayoutDay) == 0
    run_clock_without_waits()
    assert (payouts("status"), total(PayoutDay)) == (["sent"], 1500)


def test_a_refund_of_what_m_pesa_reversed_meanwhile_is_dropped(refund, daraja):
    seen()
    assert books() == {"buyers_held": 2000, "refunds_payable": 1500, "write_offs": 3500}

    never_received(refund)
    tick()

    assert refunds() == [(1500, "b2c", "dropped", ""), (3500, "outside", "done", "SGR7654321")]
    assert books() == {"buyers_held": 2000, "write_offs": 2000}
    assert (len(daraja.payouts), total(RefundDay)) == (1, 0)


def test_a_reversal_by_m_pesa_after_that_settles_it(refund, daraja):
    never_received(refund)

    seen()
    tick()

    assert refunds() == [(1500, "outside", "done", "SGR7654321"), (2000, "outside", "done", "")]
    assert len(daraja.payouts) == 1


def test_a_refund_of_more_than_arrived_is_created_again_for_what_did(refund, daraja):
    receipt = Receipt.objects.get()
    correct_amount(receipt, reported_amount=1000, source="statement")

    never_received(refund)

    assert refunds()[0] == (1500, "b2c", "dropped", "")
    assert sum(amount for amount, _, status, _ in refunds() if status != "dropped") <= 1000
    assert len(daraja.payouts) == 1


def test_it_is_asked_again_whether_the_payment_of_a_refund_stands(refund, daraja):
    Refund.objects.update(receipt_checked_at=timezone.now() - timedelta(hours=2))
    asked = len(stands_questions(daraja))

    never_received(refund)
    process_refund(refund.pk)

    assert (len(daraja.payouts), len(stands_questions(daraja))) == (1, asked + 1)


@pytest.mark.parametrize("change", ["cancelled", "disputed", "reduced"])
def test_a_payout_of_a_line_that_changed_meanwhile_is_dropped(line, payout, daraja, change):
    if change == "cancelled":
        move_line(line.pk, "cancelled", actor=UserFactory(is_superuser=True), note="They broke.")
    else:
        problem = report(line, line.buyer)
        if change == "reduced":
            decide(problem, "part", support(), amount=500)

    never_received(payout)
    run_clock_without_waits()
    run_clock_without_waits()

    left = [(PHONE, 1500), (PHONE, 1000)] if change == "reduced" else [(PHONE, 1500)]
    assert sent(daraja) == left
    assert payouts("status") == (["dropped", "sent"] if change == "reduced" else ["dropped"])
    owed = {"cancelled": 0, "disputed": 1500, "reduced": 1000}
    assert balance(Account.SELLERS_PAYABLE) == owed[change]


def test_a_payout_of_a_payment_lost_meanwhile_waits_for_a_second_person(payout, daraja):
    record_outside_reversal(Receipt.objects.get().pk, number="SGR0000001")

    never_received(payout)
    run_clock_without_waits()

    assert payouts("status", "needs_approval", "next_check_at") == [("due", True, None)]
    assert len(daraja.payouts) == 1
    money_out.approve_payout(payout.pk, by=UserFactory(is_superuser=True))
    run_clock_without_waits()
    first, again = daraja.payouts
    assert first["originator_conversation_id"] == again["originator_conversation_id"]


@pytest.mark.parametrize("on_hold", [False, True])
def test_a_payout_that_had_left_all_the_same_counts_without_that_person(payout, on_hold):
    record_outside_reversal(Receipt.objects.get().pk, number="SGR0000001")
    never_received(payout)
    run_clock_without_waits()
    if on_hold:
        money_out.hold_payout(payout.pk, why="Whose is it?")

    post_result(payout, number="TKP9999999")

    assert payouts("status", "number", "needs_approval", "unacknowledged") == [
        ("done", "TKP9999999", False, True)
    ]
    assert (total(PayoutDay), balance(Account.SELLERS_PAYABLE)) == (1500, 0)


def test_the_days_limit_is_checked_again(payout, daraja, settings):
    never_received(payout)
    settings.PAYOUT_DAILY_LIMIT = 1000

    run_clock_without_waits()

    assert (payouts("status"), len(daraja.payouts)) == (["due"], 1)
    assert Payout.objects.get().next_check_at > timezone.now()


def test_an_answer_from_before_it_was_sent_again_proves_nothing(payout, daraja):
    never_received(payout)
    old = GatewayEvent.objects.latest("pk")
    daraja.on_pay = no_answer
    run_clock_without_waits()
    assert payouts("status") == ["unknown"]

    note = replay_event(old.pk)

    assert (note, payouts("status")) == ("M-Pesa does not know it yet.", ["unknown"])


def test_an_old_answer_that_is_delivered_twice_proves_nothing(payout, daraja):
    never_received(payout)
    daraja.on_pay = no_answer
    run_clock_without_waits()

    _post(payout.status_token, payout, UNKNOWN_TO_MPESA, "TKZ0000000", {})

    assert payouts("status") == ["unknown"]


def test_it_is_not_sent_again_once_m_pesa_reports_another_amount_of_it(payout, daraja):
    never_received(payout)

    post_result(payout, amount=900, number="TKA0000001")
    clock.run_periodic()

    assert payouts("status", "next_check_at", "reported_amount") == [("unknown", None, 900)]
    assert (len(sent(daraja)), total(PayoutDay)) == (1, 1500)
    money_out.record_amount_sent(payout.pk, number="TKA0000001", amount=900)
    assert payouts("status", "amount")[0] == ("done", 1500)
    assert total(PayoutDay) == 900


def test_a_late_acceptance_of_it_counts(payout, daraja):
    """M-Pesa answers the query before the request, which it accepts."""
    never_received(payout)

    def answer_the_query_first(asked):
        Payout.objects.update(checks=2)
        row = Payout.objects.get()
        _post(row.status_token, row, UNKNOWN_TO_MPESA, "TKZ0000001", {})
        assert payouts("status") == ["due"]

    daraja.on_pay = answer_the_query_first
    process_payout(payout.pk)

    assert (payouts("status", "result_text"), total(PayoutDay)) == ([("sent", "")], 1500)


@pytest.mark.long
def test_what_m_pesa_rejects_and_does_not_know_is_sent_less_often_and_then_left_to_staff(
    payout, daraja
):
    daraja.on_pay = _raise(DarajaRefused("no", kind=DarajaRefusal.BAD_REQUEST, code="400.002.02"))
    waits, now = [], timezone.now()
    while (next_at := Payout.objects.get().next_check_at) is not None:
        now = max(now + timedelta(seconds=1), next_at + timedelta(seconds=1))
        with time_machine.travel(now, tick=False):
            requests = len(daraja.payouts)
            clock.process_due_payouts(now)
            row = Payout.objects.get()
            if len(daraja.payouts) > requests:
                waits.append(int((row.next_check_at - now).total_seconds()))
            else:
                # Each answer of M-Pesa's has ids of its own.
                _post(row.status_token, row, UNKNOWN_TO_MPESA, f"TKZ{row.checks:07}", {})

    assert waits[:5] == [120, 600, 1800, 3600, 3600]
    assert timedelta(days=7) <= now - payout.created_at < timedelta(days=8)
    [left] = Payout.objects.unresolved()
    assert left.note == "M-Pesa has rejected this request for a week, and does not know it."


def _raise(error):
    def raise_it(asked):
        raise error

    return raise_it
