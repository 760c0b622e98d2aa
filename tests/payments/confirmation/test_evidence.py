"""What confirms a payment, and what puts it in doubt."""

import pytest
from django.db import IntegrityError, transaction

from orders.fulfilment import move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.evidence import request_confirmation, staff_who_reported
from payments.models import (
    Payout,
    Receipt,
    ReceiptEvidence,
    ReceiptQuestion,
)
from payments.proof.prove import prove
from tests.factories import UserFactory
from tests.payments.bodies import by_hand, post, post_c2b, success

from .actions import NUMBER, answer, answer_query, on_statement, run_clock, sent_transfers


def test_a_callback_and_m_pesas_answer_let_a_seller_be_paid(client, order, payment, daraja):
    post(client, payment, success(payment, receipt=NUMBER))
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    run_clock(2)
    assert sent_transfers(daraja) == []

    answer(Receipt.objects.get())
    run_clock(1)

    assert [payout["amount"] for payout in daraja.payouts] == [3000]
    assert len(daraja.questions) == 1


def test_the_statement_confirms_without_a_question(client, order, payment, daraja):
    post(client, payment, success(payment, receipt=NUMBER))
    receipt = Receipt.objects.get()

    on_statement(daraja, receipt)

    assert receipt.verification == "confirmed"
    assert not ReceiptQuestion.objects.exists()


def test_two_posted_messages_confirm_nothing(client, order, payment):
    post(client, payment, success(payment, receipt=NUMBER))
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))

    receipt = Receipt.objects.get()
    sources = set(ReceiptEvidence.objects.values_list("source", flat=True))
    assert (receipt.verification, sources) == ("told", {"callback", "c2b"})


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ({}, "confirmed"),
        ({"Amount": "10"}, "doubted"),
        ({"CreditPartyName": "254722000111 - JANE DOE"}, "doubted"),
        ({"TransactionStatus": "Declined"}, "doubted"),
        ({"CreditPartyName": ""}, "told"),
        ({"Amount": ""}, "told"),
        ({"ReceiptNo": "SGL0000009"}, "told"),
        ({"TransactionStatus": "Initiated"}, "told"),
        ({"code": "26"}, "told"),
    ],
)
def test_an_answer_is_read_strictly(insider, told, stands):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)

    answer_query(receipt, **told)

    assert receipt.verification == stands


def test_an_answer_that_nobody_asked_for_confirms_nothing(insider):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)

    answer(receipt)

    assert receipt.verification == "told"


def test_a_payment_of_ten_shillings_named_for_a_price_of_three_thousand_pays_no_seller(
    order, payment, insider, daraja
):
    money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=insider)
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt, amount=10)
    answer_query(receipt)
    assert (receipt.amount, receipt.written_off, receipt.verification) == (10, 2990, "confirmed")

    run_clock()

    # What the shop bears a second person has to let go: never who named the receipt.
    payout = Payout.objects.get()
    assert (sent_transfers(daraja), payout.awaits_approval) == ([], True)
    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_payout(payout.pk, by=insider)


def test_a_post_of_another_amount_than_the_statement_s_is_shown_to_staff(client, order, daraja):
    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt)
    assert receipt.verification == "confirmed"

    post_c2b(client, by_hand("nobody", 70_000, receipt=NUMBER))

    receipt.refresh_from_db()
    assert (receipt.amount, receipt.verification) == (700, "confirmed")
    note = "KES 70,000 was posted to us; M-Pesa's own statement or answer shows KES 700."
    assert (receipt.note, receipt.unacknowledged) == (note, True)
    assert prove().broken == []


def test_a_receipt_of_an_amount_that_nobody_reported_is_proved_wrong(client, daraja):
    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER))
    on_statement(daraja, Receipt.objects.get())
    post_c2b(client, by_hand("nobody", 70_000, receipt=NUMBER))
    Receipt.objects.update(amount=7)

    rules = [each.rule for each in prove().broken]
    Receipt.objects.update(amount=700)

    assert "A processed message had its effect: its money is recorded" in rules


def test_a_second_callback_with_another_amount_is_shown_to_staff(client, order, payment):
    post(client, payment, success(payment, receipt=NUMBER))

    post(client, payment, success(payment, receipt=NUMBER, amount=1))

    receipt = Receipt.objects.get()
    note = "KES 3,000 is recorded; another callback of the prompt says KES 1."
    assert (receipt.amount, receipt.note, receipt.unacknowledged) == (3000, note, True)
    assert prove().broken == []


def test_the_statement_s_other_amount_is_not_confirmed_by_the_post(client, order, daraja):
    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER))
    receipt = Receipt.objects.get()

    on_statement(daraja, receipt, amount=70_000)

    receipt.refresh_from_db()
    assert (receipt.amount, receipt.verification) == (70_000, "told")


def test_m_pesa_is_asked_for_a_day_and_then_a_person_looks(insider, daraja):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)

    run_clock(10)

    assert len(daraja.questions) == 8
    assert list(Receipt.objects.unanswered()) == [receipt]
    money_in.query_receipt_again(receipt.pk)
    run_clock(1)
    assert len(daraja.questions) == 9


def test_a_number_the_statement_shows_after_all_is_in_doubt_no_more(invented, order, daraja):
    answer_query(invented, code="SFC_IC0003")

    on_statement(daraja, invented)

    order.refresh_from_db()
    assert (invented.verification, order.in_doubt) == ("confirmed", False)


def test_a_doubt_is_ended_by_what_the_gateway_shows_alone(invented, colleague, daraja):
    answer_query(invented, code="SFC_IC0003")
    with pytest.raises(ActionNotAvailable, match="has not shown this payment"):
        money_in.confirm_doubted_receipt(invented.pk, by=colleague)

    ReceiptEvidence.objects.create(
        receipt=invented, source="statement", amount=3000, number=NUMBER, shortcode="174379"
    )
    money_in.confirm_doubted_receipt(invented.pk, by=colleague)

    invented.refresh_from_db()
    assert invented.verification == "confirmed"


def test_who_ends_a_doubt_about_what_two_sources_report_is_no_source(invented, insider, colleague):
    answer_query(invented, code="SFC_IC0003")
    ReceiptEvidence.objects.create(
        receipt=invented, source="statement", amount=3000, number=NUMBER, shortcode="174379"
    )

    money_in.confirm_doubted_receipt(invented.pk, by=colleague)

    assert staff_who_reported([invented.pk]) == {insider.pk}


@pytest.fixture
def declined(client, payment):
    """Paid and confirmed; then M-Pesa, queried again, reports that it was declined."""
    post(client, payment, success(payment, receipt=NUMBER))
    receipt = Receipt.objects.get()
    request_confirmation([receipt])
    run_clock(1)
    answer(receipt)
    assert receipt.verification == "confirmed"
    answer(receipt, TransactionStatus="Declined")
    assert receipt.verification == "doubted"
    return receipt


def test_an_answer_from_before_the_doubt_does_not_end_it(declined, order, colleague):
    with pytest.raises(ActionNotAvailable, match="since it was put in doubt"):
        money_in.confirm_doubted_receipt(declined.pk, by=colleague)

    declined.refresh_from_db()
    order.refresh_from_db()
    assert (declined.verification, order.in_doubt) == ("doubted", True)


def test_an_answer_since_the_doubt_ends_the_doubt(declined, order):
    answer(declined)

    order.refresh_from_db()
    assert (declined.verification, declined.doubted_at) == ("confirmed", None)
    assert (order.payment_status, order.in_doubt) == ("paid", False)


def test_an_answer_of_another_amount_that_was_given_before_does_not_end_a_doubt(declined):
    answer(declined, Amount="10")
    answer(declined, Amount="10")

    assert declined.verification == "doubted"


def test_evidence_cannot_be_changed(invented):
    for change in (
        lambda: ReceiptEvidence.objects.update(amount=1),
        lambda: ReceiptEvidence.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
