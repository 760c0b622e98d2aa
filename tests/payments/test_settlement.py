"""The outcome of an attempt is recorded once, in any order, and no money is lost."""

import pytest

from payments.models import AttemptStatus, OrderPayment, Receipt, ReceiptSource, Refund
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.shopping import stock_of

from .conftest import ringing


def money(receipt="SGL0000001", amount=3000, source=ReceiptSource.CALLBACK):
    return AttemptOutcome(
        succeeded=True, code="0", text="Done", source=source, amount=amount, receipt=receipt
    )


NO_MONEY = AttemptOutcome(
    succeeded=False, code="1", text="The balance is low", source=ReceiptSource.CALLBACK
)
PROVEN = money(receipt="", amount=None, source=ReceiptSource.QUERY)


def test_settling_twice_counts_once(payment, kettle):
    first = record_outcome(payment.pk, money())
    again = record_outcome(payment.pk, money())

    assert (first, again) == ("The payment is credited.", "Already recorded.")
    assert (Receipt.objects.count(), stock_of(kettle)) == (1, (3, 0))


def test_a_confirmed_attempt_is_closed_and_no_longer_asked_about(payment):
    record_outcome(payment.pk, money())

    payment.refresh_from_db()
    assert (payment.status, payment.live, payment.next_check_at) == ("confirmed", False, None)
    assert payment.confirmed_at is not None
    assert (payment.result_code, payment.result_text) == ("0", "Done")


def test_a_failed_attempt_is_closed_and_no_longer_asked_about(payment):
    record_outcome(payment.pk, NO_MONEY)

    payment.refresh_from_db()
    assert (payment.status, payment.live, payment.next_check_at) == ("failed", False, None)
    assert payment.confirmed_at is None


@pytest.mark.parametrize("status", [AttemptStatus.FAILED, AttemptStatus.CONFIRMED])
def test_a_failure_after_the_end_changes_nothing(payment, status):
    record_outcome(payment.pk, money() if status == AttemptStatus.CONFIRMED else NO_MONEY)
    OrderPayment.objects.update(next_check_at=payment.created_at)

    note = record_outcome(payment.pk, NO_MONEY)

    payment.refresh_from_db()
    assert note == f"A failure after it ended: still {status}."
    assert (payment.status, payment.next_check_at) == (status, None)


def test_a_success_overturns_a_failure(payment):
    record_outcome(payment.pk, NO_MONEY)

    record_outcome(payment.pk, money())

    payment.refresh_from_db()
    assert (payment.status, payment.order.payment_status) == ("confirmed", "paid")


def test_a_query_proves_money_without_a_receipt_number(payment):
    record_outcome(payment.pk, PROVEN)

    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.amount, receipt.source) == ("", 3000, "query")


def test_two_payments_proven_by_query_may_both_lack_a_number(payment, order):
    other = ringing(OrderPayment.objects.create(order=order, phone="1", amount=3000, live=False),
                    "ws_CO_2")  # fmt: skip

    record_outcome(payment.pk, PROVEN)
    record_outcome(other.pk, PROVEN)

    assert list(Receipt.objects.values_list("number", "order")) == [("", order.pk)] * 2


def test_money_that_came_twice_is_written_down_twice_and_the_later_is_owed_back(
    payment, order, kettle
):
    other = ringing(OrderPayment.objects.create(order=order, phone="1", amount=3000, live=False),
                    "ws_CO_2")  # fmt: skip

    record_outcome(payment.pk, money("SGL0000001"))
    record_outcome(other.pk, money("SGL0000002"))

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert list(order.payments.values_list("status", flat=True)) == ["confirmed"] * 2
    assert (order.payment_status, stock_of(kettle)) == ("paid", (3, 0))
    assert (refund.receipt.number, refund.amount, refund.cause, refund.way, refund.status) == (
        "SGL0000002",
        3000,
        "excess",
        "reversal",
        "due",
    )


def test_a_number_that_comes_later_completes_the_receipt(payment):
    record_outcome(payment.pk, PROVEN)

    note = record_outcome(payment.pk, money("SGL0000001"))

    receipt = Receipt.objects.get()
    assert note == "Already recorded; its receipt number is known now."
    assert (receipt.number, receipt.source, receipt.note) == ("SGL0000001", "callback", "")


def test_a_lower_amount_than_credited_is_written_off_and_shown_to_staff(payment, caplog):
    record_outcome(payment.pk, PROVEN)

    note = record_outcome(payment.pk, money("SGL0000001", amount=1))

    receipt = Receipt.objects.get()
    assert note == "Recorded as KES 3,000, but M-Pesa reports KES 1."
    assert (receipt.number, receipt.amount, receipt.written_off) == ("SGL0000001", 1, 2999)
    assert (receipt.note, payment.order.payment_status) == (note, "paid")
    assert "reports KES 1" in caplog.text
    assert not Refund.objects.exists()


def test_more_than_was_counted_at_first_is_owed_back(payment):
    record_outcome(payment.pk, PROVEN)

    record_outcome(payment.pk, money("SGL0000001", amount=3500))

    receipt, refund = Receipt.objects.get(), Refund.objects.get()
    assert (receipt.amount, receipt.written_off) == (3500, 0)
    assert (refund.amount, refund.cause) == (500, "excess")


def test_a_number_counted_elsewhere_completes_nothing(payment, order):
    other = ringing(OrderPayment.objects.create(order=order, phone="1", amount=3000, live=False),
                    "ws_CO_2")  # fmt: skip
    record_outcome(other.pk, money("SGL0000001"))
    record_outcome(payment.pk, PROVEN)

    note = record_outcome(payment.pk, money("SGL0000001"))

    assert note == "Receipt SGL0000001 is recorded elsewhere; nothing changed."
    assert payment.receipt.number == ""


def test_a_second_receipt_for_one_attempt_waits_in_suspense(payment):
    record_outcome(payment.pk, money("SGL0000001"))

    note = record_outcome(payment.pk, money("SGL0000002"))

    second = Receipt.objects.get(number="SGL0000002")
    assert note == "A second receipt for the attempt behind SGL0000001."
    assert (second.order, second.payment, second.amount) == (None, None, 3000)


def test_less_than_was_asked_said_twice_is_credited_once(payment):
    record_outcome(payment.pk, money(amount=2999))
    record_outcome(payment.pk, money(amount=2999))

    payment.refresh_from_db()
    assert (payment.status, payment.order.payment_status) == ("confirmed", "requested")
    assert list(Receipt.objects.values_list("amount", "order", "waiting")) == [
        (2999, payment.order_id, True)
    ]
