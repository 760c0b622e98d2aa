"""Payments that M-Pesa reverses itself, at its customer's request."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.lifecycle import expire_order
from orders.models import Order
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.result_codes import TransferFailure
from payments.disbursement import process_payout, process_refund
from payments.ledger import balance
from payments.models import (
    Account,
    GatewayEvent,
    Payout,
    Receipt,
    Refund,
    RefundDay,
)
from payments.payouts.allocation import create_payouts
from payments.proof.prove import prove
from payments.refunds.external_reversals import record_outside_reversal
from payments.refunds.services import refund_excess, refund_unmatched
from payments.transfers import mark_done, mark_refused, reserve_daily_limit
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at

from .bodies import by_hand, post, post_c2b, success
from .paying_out import post_result
from .reversals import (
    BACK,
    PAID,
    a_row,
    answer,
    books,
    cancel,
    refunds,
    seen,
    sent_to_a_phone,
    told_by_the_statement,
)


def test_a_reversal_outside_the_shop_is_recorded_and_written_off(paid):
    seen()

    receipt = Receipt.objects.get()
    assert refunds() == [(3500, "outside", "done", BACK)]
    assert books() == {"buyers_held": 3500, "write_offs": 3500}
    assert (receipt.written_off, receipt.unacknowledged) == (3500, True)
    assert "Stop anything that has not been delivered" in receipt.note


def test_lines_cancelled_after_it_send_nothing_and_lose_nothing(paid, daraja):
    seen()

    cancel(paid, 0)
    cancel(paid, 1)

    assert refunds() == [(3500, "outside", "done", BACK)]
    assert (books(), daraja.payouts, daraja.reversals) == ({}, [], [])
    assert Order.objects.get().payment_status == "refunded"


def test_a_refund_that_was_not_sent_is_done_by_it(paid):
    cancel(paid, 0)
    assert refunds() == [(1500, "b2c", "due", "")]

    seen()

    assert refunds() == [(1500, "outside", "done", BACK), (2000, "outside", "done", "")]
    assert books() == {"buyers_held": 2000, "write_offs": 2000}
    assert paid.tracks.order_by("pk")[0].track_status == "refunded"


def test_an_earlier_refund_of_a_reversed_payment_is_lost(paid):
    cancel(paid, 0)
    Refund.objects.update(next_check_at=None)
    mark_done(Refund.objects.get(), number="SGB0000001")

    seen()

    assert books() == {"mpesa_clearing": -1500, "buyers_held": 2000, "write_offs": 3500}


def test_an_outside_reversal_is_recorded_once(paid):
    seen()
    seen()
    seen("SGR0000002")

    assert refunds() == [(3500, "outside", "done", BACK)]


@pytest.fixture
def other_movements(seller, client):
    """A payout and a payment under numbers of their own."""
    line = line_at("fetched", buyer=UserFactory(), product=ProductFactory(seller=seller))
    create_payouts(seller.pk)
    mark_done(Payout.objects.get(), number="SGP0000001")
    post_c2b(client, by_hand("", 700, receipt="SGC0000001"))
    return line


@pytest.mark.parametrize("number", [PAID, "SGP0000001", "SGC0000001"])
def test_a_number_of_another_movement_is_refused(paid, other_movements, number):
    receipt = Receipt.objects.get(number=PAID)

    with pytest.raises(ActionNotAvailable, match="the number of another transaction"):
        money_out.record_reversal_seen(receipt.pk, number=number)


@pytest.mark.parametrize("number", [PAID, "SGP0000001"])
def test_no_person_writes_down_as_a_payment_what_another_movement_was(other_movements, number):
    receipt = Receipt.objects.get(number="SGC0000001")
    money_out.record_reversal_seen(receipt.pk, number=PAID)

    with pytest.raises(ActionNotAvailable, match="the receipt number of a refund or payout"):
        money_in.record_seen_receipt(number=number, amount=700, reference="")


def test_no_attempt_was_paid_by_what_left(other_movements, payment):
    with pytest.raises(ActionNotAvailable, match="the receipt number of a refund or payout"):
        money_in.mark_attempt_paid(payment.pk, number="SGP0000001")


@pytest.mark.parametrize("number", ["SGP0000001", "SGC0000001"])
def test_a_payment_s_or_a_payout_s_number_is_no_proof_that_money_left(other_movements, number):
    with pytest.raises(ActionNotAvailable, match="This one is already recorded"):
        money_out.new_number(number)


def test_a_reversal_the_shop_asked_for_is_not_counted_again(client, payment, order):
    post(client, payment, success(payment, receipt=PAID))
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002"))
    refund = Refund.objects.get()
    assert reserve_daily_limit(refund, timezone.now())
    Refund.objects.update(status="sent", next_check_at=None, sent_at=timezone.now())

    money_out.record_reversal_seen(Receipt.objects.get(number="SGL0000002").pk, number=BACK)

    assert refunds() == [(3000, "reversal", "done", BACK)]
    assert books() == {"mpesa_clearing": 3000, "buyers_held": 3000}


def test_money_in_suspense_that_was_taken_back_is_gone(client, order):
    post_c2b(client, by_hand("nobody", 700, receipt=PAID))

    seen()

    assert (refunds(), books()) == ([(700, "outside", "done", BACK)], {})
    assert not Receipt.objects.unmatched().exists()


@pytest.mark.parametrize("here", ["fetched", "shipping", "delivered"])
def test_goods_on_their_way_are_borne_and_their_payout_waits_for_a_second_person(
    buyer, kettle, daraja, here
):
    line = line_at(here, buyer=buyer, product=kettle)
    create_payouts(line.seller_id)

    seen()
    process_payout(Payout.objects.get().pk)

    receipt, payout = Receipt.objects.get(), Payout.objects.get()
    line.refresh_from_db()
    assert (line.track_status, line.order.payment_status) == (here, "paid")
    assert (receipt.written_off, receipt.unacknowledged) == (1500, True)
    assert (list(Payout.objects.to_approve()), daraja.payouts) == ([payout], [])
    assert books() == {"write_offs": 1500}
    assert balance(Account.SELLERS_PAYABLE) == 1500


def test_goods_that_were_paid_out_before_it_are_borne_and_their_seller_keeps_the_money(
    buyer, kettle, daraja
):
    line = line_at("delivered", buyer=buyer, product=kettle)
    create_payouts(line.seller_id)
    process_payout(Payout.objects.get().pk)
    post_result(Payout.objects.get())

    seen()

    assert [payout.status for payout in Payout.objects.all()] == ["done"]
    assert books() == {"mpesa_clearing": -1500, "write_offs": 1500}


def test_a_reversal_by_the_shop_that_is_reported_again_counts_once(buyer, kettle, daraja):
    line_at("refunded", buyer=buyer, product=kettle)
    before = refunds(), books()

    said = money_out.record_reversal_seen(Receipt.objects.get().pk, number=BACK)

    assert (said, (refunds(), books())) == ("Already recorded.", before)
    assert Order.objects.get().payment_status == "refunded"


def in_suspense(client):
    """KES 700 without an order, on its way back to the phone."""
    post_c2b(client, by_hand("nobody", 700, receipt=PAID))
    refund_unmatched(Receipt.objects.get().pk)
    refund = Refund.objects.get()
    sent_at = timezone.now()
    Refund.objects.update(
        way="b2c", phone="254712345678", status="sent", sent_at=sent_at, next_check_at=sent_at
    )
    reserve_daily_limit(refund, sent_at)
    return refund


def test_money_in_suspense_that_was_sent_back_before_it_is_lost(client, order, daraja):
    refund = in_suspense(client)
    mark_done(refund, number="SGB0000001")

    note = seen()

    assert note == f"M-Pesa reversed it under {BACK} at its customer's request: KES 700 lost."
    assert refunds() == [(700, "b2c", "done", "SGB0000001"), (700, "outside", "done", BACK)]
    assert books() == {"mpesa_clearing": -700, "suspense": -700}


def test_a_refused_refund_of_a_payment_m_pesa_reversed_is_dropped(client, order, daraja):
    refund = in_suspense(client)
    seen()

    mark_refused(refund, code="2040", text="No such phone.", reason=TransferFailure.OTHER)

    assert refunds() == [(700, "b2c", "dropped", ""), (700, "outside", "done", BACK)]
    assert books() == {}
    assert not Refund.objects.refused().exists()


def test_a_refund_m_pesa_makes_after_reversing_the_payment_is_a_loss(client, order, daraja):
    refund = in_suspense(client)
    seen()
    mark_refused(refund, code="2040", text="No such phone.", reason=TransferFailure.OTHER)

    mark_done(refund, number="SGB0000001")

    refund.refresh_from_db()
    assert refunds() == [(700, "b2c", "done", "SGB0000001"), (700, "outside", "done", BACK)]
    assert books() == {"mpesa_clearing": -700, "suspense": -700}
    assert (refund.unacknowledged, refund.note) == (
        True,
        "The money was refunded twice: M-Pesa had reversed the payment itself.",
    )


def test_a_refund_on_its_way_that_m_pesa_refuses_after_it_is_owed_no_more(paid, daraja):
    refund = sent_to_a_phone(paid)
    seen()
    assert books()["write_offs"] == 3500

    mark_refused(refund, code="2040", text="No such phone.", reason=TransferFailure.OTHER)

    assert refunds() == [(1500, "b2c", "dropped", ""), (3500, "outside", "done", BACK)]
    assert books() == {"buyers_held": 2000, "write_offs": 2000}
    assert paid.tracks.order_by("pk")[0].track_status == "refunded"
    assert Order.objects.get().payment_status == "paid"


def test_a_refused_refund_that_it_closes_is_not_counted_as_sent_that_day(paid, daraja):
    refund = sent_to_a_phone(paid)
    assert RefundDay.objects.get().sent == 1500
    mark_refused(refund, code="2040", text="No such phone.", reason=TransferFailure.NOT_REGISTERED)

    seen()

    assert refunds() == [(1500, "outside", "done", BACK), (2000, "outside", "done", "")]
    assert RefundDay.objects.get().sent == 0
    assert prove().broken == []


def test_a_refund_that_went_after_it_was_dropped_is_lost(paid, daraja):
    refund = sent_to_a_phone(paid)
    seen()
    mark_refused(refund, code="2040", text="No such phone.", reason=TransferFailure.OTHER)

    mark_done(refund, number="SGB0000001")

    assert refunds() == [(1500, "b2c", "done", "SGB0000001"), (3500, "outside", "done", BACK)]
    assert books() == {"mpesa_clearing": -1500, "buyers_held": 2000, "write_offs": 3500}


def test_a_part_that_was_taken_back_counts_no_more_and_the_order_waits_for_all(
    client, payment, order
):
    post_c2b(client, by_hand(order.reference, 1000, receipt=PAID))

    seen()

    assert (Order.objects.get().payment_status, books()) == ("requested", {})
    post(client, payment, success(payment))
    assert Order.objects.get().payment_status == "paid"


def test_a_part_that_is_due_back_is_done_by_it(client, payment, order):
    post_c2b(client, by_hand(order.reference, 500, receipt=PAID))
    expire_order(order.pk, now=order.expires_at)
    refund_excess(order.pk)
    assert refunds() == [(500, "reversal", "due", "")]

    seen()

    assert refunds() == [(500, "outside", "done", BACK)]
    assert Order.objects.get().payment_status == "refunded"


@pytest.fixture
def owed(paid, daraja):
    """KES 1,500 of a payment of KES 3,500, which can go back by B2C alone. M-Pesa was asked."""
    cancel(paid, 0)
    refund = Refund.objects.get()
    process_refund(refund.pk)
    refund.refresh_from_db()
    return refund


def test_the_payment_is_asked_about_first_and_nothing_leaves(owed, daraja):
    [question] = daraja.questions
    assert (question["receipt"], daraja.payouts, owed.status) == (PAID, [], "due")
    assert question["result_url"].endswith(f"/{owed.status_token}/")


def test_a_payment_that_stands_may_go_back(client, owed, daraja):
    answer(client, owed)

    assert [payout["amount"] for payout in daraja.payouts] == [1500]
    assert len(daraja.questions) == 1


def test_an_answer_that_comes_after_a_newer_one_for_another_refund_lets_this_one_leave(
    client, owed, daraja
):
    Refund.objects.update(receipt_checked_at=timezone.now() + timedelta(seconds=5))

    answer(client, owed)

    assert [payout["amount"] for payout in daraja.payouts] == [1500]


def test_the_same_answer_reported_again_says_nothing_about_the_money_on_its_way(
    client, owed, daraja
):
    answer(client, owed)
    answer(client, owed)

    assert (owed.status, owed.number, owed.note) == ("sent", "", "")
    assert owed.next_check_at is not None
    assert len(daraja.payouts) == 1
    assert GatewayEvent.objects.last().note == "The payment still stands and may be refunded."


def test_a_payment_that_is_reversed_while_its_money_is_on_its_way_is_found_out(client, owed):
    answer(client, owed)
    answer(client, owed, status="Reversed")

    assert refunds() == [(1500, "b2c", "sent", ""), (3500, "outside", "done", "")]


def test_a_payment_that_was_reversed_is_not_sent_again(client, paid, owed, daraja):
    answer(client, owed, status="Reversed")
    cancel(paid, 1)

    assert refunds() == [(1500, "outside", "done", ""), (2000, "outside", "done", "")]
    assert (daraja.payouts, daraja.reversals, books()) == ([], [], {})
    assert Order.objects.get().payment_status == "refunded"


@pytest.mark.parametrize(
    "told",
    [
        {"code": "SFC_IC0003"},
        {"code": 26},
        {"receipt": "SGL0000009"},
        {"receipt": "SGL0000009", "status": "Reversed"},
        {"status": "Initiated"},
        {"status": ""},
        {"CreditPartyName": ""},
        {"CreditPartyName": "254722000111 - JANE DOE"},
        {"Amount": "35"},
    ],
)
def test_without_a_clear_answer_nothing_leaves(client, owed, daraja, told):
    answer(client, owed, **told)

    assert (daraja.payouts, owed.status, refunds()[0][1]) == ([], "due", "b2c")
    assert owed.next_check_at > timezone.now()


def test_a_payment_that_never_was_is_left_to_staff(client, owed, daraja):
    answer(client, owed, status="Declined")

    assert (daraja.payouts, owed.status) == ([], "refused")
    assert "Declined" in owed.note


def test_an_answer_from_elsewhere_lets_nothing_leave(client, owed, daraja, settings):
    settings.DARAJA_CALLBACK_IPS = ["196.201.214.200"]

    answer(client, owed)

    assert (daraja.payouts, owed.status) == ([], "due")


def test_a_reversal_m_pesa_never_answers_about_can_be_released_by_staff(owed, daraja):
    for _ in range(10):
        Refund.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
        process_refund(owed.pk)

    owed.refresh_from_db()
    assert (owed.status, owed.result_code) == ("refused", "local.not_answered")
    assert (len(daraja.questions), daraja.payouts) == (8, [])
    again = money_out.retry_refund(owed.pk)
    process_refund(again.pk)
    assert len(daraja.payouts) == 1


@pytest.fixture
def for_a_person(client, payment, order, daraja):
    """An excess of KES 5, less than M-Pesa pays out: staff have to refund it on the portal."""
    post(client, payment, success(payment, receipt=PAID, amount=3005))
    refund = Refund.objects.get()
    assert refunds() == [(5, "portal", "refused", "")]
    process_refund(refund.pk)
    return refund


def test_before_staff_refund_it_m_pesa_is_asked_too(client, for_a_person, daraja):
    answer(client, for_a_person, Amount="3005")

    assert [question["receipt"] for question in daraja.questions] == [PAID]
    assert (for_a_person.status, for_a_person.next_check_at) == ("refused", None)
    assert for_a_person.receipt_checked_at


def test_a_reversed_payment_leaves_the_staff_queue(client, for_a_person, daraja):
    answer(client, for_a_person, status="Reversed")

    assert refunds() == [(5, "outside", "done", ""), (3000, "outside", "done", "")]
    assert not Refund.objects.refused().exists()


def test_a_reversal_by_the_shop_needs_no_question(client, payment, order, daraja):
    post(client, payment, success(payment, receipt=PAID))
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002"))

    process_refund(Refund.objects.get().pk)

    assert (daraja.questions, len(daraja.reversals)) == ([], 1)


def test_a_reversal_on_the_statement_is_no_money_in(paid, daraja):
    told_by_the_statement(daraja, a_row())
    told_by_the_statement(daraja, a_row())

    assert Receipt.objects.count() == 1
    assert refunds() == [(3500, "outside", "done", BACK)]


@pytest.mark.parametrize("row", [a_row(reverses="SGL0000009"), a_row(4000)])
def test_a_reversal_of_too_much_or_of_an_unknown_payment_is_left_to_staff(paid, daraja, row):
    told_by_the_statement(daraja, row)
    told_by_the_statement(daraja, row)

    assert (refunds(), Receipt.objects.count()) == ([], 1)
    assert GatewayEvent.objects.filter(source="statement", state="failed").count() == 1


def test_a_confirmation_of_a_reversal_is_no_money_in(client, paid):
    told = by_hand(PAID, 3500, receipt=BACK, TransactionType="Pay Bill Reversal")

    post_c2b(client, told)

    assert Receipt.objects.count() == 1
    assert refunds() == [(3500, "outside", "done", BACK)]


def test_a_refund_that_went_after_a_reversal_without_a_number_is_not_taken_for_it(paid, daraja):
    """M-Pesa's answer that the payment is reversed names no number; that of the refund is not it.

    Nobody would miss the money that went twice otherwise.
    """
    refund = sent_to_a_phone(paid)
    mark_refused(refund, code="2040", text="No such phone.", reason=TransferFailure.NOT_REGISTERED)
    record_outside_reversal(Receipt.objects.get().pk)

    note = mark_done(refund, number="SGB0000001", amount=1500)

    refund.refresh_from_db()
    assert note == "M-Pesa also reports it as SGB0000001: the money may have been sent twice."
    assert (refund.number, refund.note, refund.unacknowledged) == ("", note, True)
    seen()
    refund.refresh_from_db()
    assert refund.number == BACK


def test_a_payment_reversed_after_its_refunds_is_covered_by_the_others_of_its_order(
    client, paid, daraja
):
    """The buyer paid KES 3,500 again, and had the first payment, of which 1,500 went back for a
    cancelled line, reversed: the second pays for the line that is left, and nothing was lost."""
    refund = sent_to_a_phone(paid)
    mark_done(refund, number="SGB0000001")
    post_c2b(client, by_hand(paid.reference, 3500, receipt="SGL0000002"))

    record_outside_reversal(Receipt.objects.order_by("pk")[0].pk, number=BACK)

    assert [each for each in refunds() if each[2] != "dropped"] == [
        (1500, "b2c", "done", "SGB0000001"),
        (3500, "outside", "done", BACK),
    ]
    assert books() == {"mpesa_clearing": 2000, "buyers_held": 2000}
