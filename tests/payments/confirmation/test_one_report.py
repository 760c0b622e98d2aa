"""No money leaves on one report: a staff member's, one posted message, one bank notification."""

import pytest

from orders.fulfilment import PaymentInDoubt, move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.ledger import balance
from payments.models import (
    Account,
    Payout,
    Receipt,
    Refund,
)
from tests.factories import UserFactory
from tests.payments.bodies import by_hand, post, post_c2b, success

from .actions import NUMBER, PHONE, answer, answer_query, browser_of, run_clock, sent_transfers


def test_finance_invents_a_receipt_and_sends_it_back_and_nothing_leaves(daraja, insider):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=70_000, reference="", phone=PHONE, by=insider
    )
    money_in.refund_receipt(receipt.pk, by=insider)
    run_clock()
    answer(receipt, code="SFC_IC0003")
    run_clock()

    assert sent_transfers(daraja) == []
    assert {question["receipt"] for question in daraja.questions} == {NUMBER}
    assert (receipt.verification, receipt.doubt) == ("doubted", f"M-Pesa does not know {NUMBER}.")
    assert balance(Account.REFUNDS_PAYABLE) == 70_000
    page = browser_of(insider).get("/admin/payments/console/").content.decode()
    assert "Payments in doubt" in page
    assert f"M-Pesa does not know {NUMBER}." in page


def test_the_person_who_recorded_a_receipt_may_not_approve_its_refund(daraja, insider, colleague):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=70_000, reference="", phone=PHONE, by=insider
    )
    refund = money_in.refund_receipt(receipt.pk, by=insider)

    assert (refund.needs_approval, refund.next_check_at) == (True, None)
    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_refund(refund.pk, by=insider)
    money_out.approve_refund(refund.pk, by=colleague)
    run_clock()
    # Two people are still no gateway.
    assert sent_transfers(daraja) == []


def test_a_reversal_m_pesa_knows_no_payment_for_never_falls_back_to_a_phone(
    client, order, payment, daraja
):
    post(client, payment, success(payment, receipt=NUMBER))
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002", MSISDN="254712345678"))
    run_clock()
    first, second = Receipt.objects.order_by("pk")
    answer(first)
    answer(second)
    run_clock(1)
    refund = Refund.objects.get()
    assert [each["receipt"] for each in daraja.reversals] == ["SGL0000002"]

    post(client, None, refused(refund, "R000002"), token=refund.callback_token)
    run_clock()

    second.refresh_from_db()
    assert (second.verification, daraja.payouts, Refund.objects.count()) == ("doubted", [], 1)
    with pytest.raises(ActionNotAvailable, match="in doubt"):
        money_out.retry_refund(refund.pk, phone=PHONE)


def refused(refund, code):
    result = {"ResultType": 0, "ResultCode": code, "ResultDesc": "The id is invalid."}
    result |= {
        "OriginatorConversationID": "x",
        "ConversationID": "y",
        "TransactionID": "SGQ0000002",
    }
    return {"Result": result}


def test_an_invented_receipt_on_an_order_whose_line_is_fetched_pays_no_seller(
    invented, order, daraja
):
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    run_clock()

    payout = Payout.objects.get()
    assert (sent_transfers(daraja), payout.status) == ([], "due")
    # Nor can any number of people let it go.
    assert not payout.awaits_approval
    assert [question["receipt"] for question in daraja.questions][:1] == [NUMBER]


def test_goods_whose_payment_is_in_doubt_stay_where_they_are(invented, order):
    answer_query(invented, code="SFC_IC0003")

    with pytest.raises(PaymentInDoubt):
        move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))


def test_a_payment_that_never_came_is_written_off_by_another_person_and_its_goods_are_returned(
    invented, order, insider, colleague, kettle, daraja
):
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    answer_query(invented, code="SFC_IC0003")

    with pytest.raises(ActionNotAvailable, match="cannot decide"):
        money_in.write_off_receipt(invented.pk, by=insider)
    money_in.write_off_receipt(invented.pk, by=colleague)
    assert (balance(Account.MPESA_CLEARING), balance(Account.WRITE_OFFS)) == (0, 3000)
    run_clock()
    assert sent_transfers(daraja) == []
    move_line(
        order.tracks.get().pk, "cancelled", actor=UserFactory(is_superuser=True), note="Never paid."
    )
    run_clock()

    order.refresh_from_db()
    assert (order.payment_status, order.in_doubt, sent_transfers(daraja)) == ("refunded", False, [])
    for account in Account:
        assert balance(account) == 0


def test_a_payment_without_an_order_that_never_came_leaves_nothing_in_suspense(insider, colleague):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)
    money_in.refund_receipt(receipt.pk, by=insider)
    answer_query(receipt, code="SFC_IC0003")

    money_in.write_off_receipt(receipt.pk, by=colleague)

    assert [balance(account) for account in Account] == [0] * len(Account)
    assert list(Refund.objects.values_list("cause", "status")) == [("staff", "done")]
