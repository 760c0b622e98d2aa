"""A provider's own report corrects what staff typed."""

from django.utils import timezone

from orders.lifecycle import expire_order
from orders.models import Order
from payments.backoffice import receipt_services as money_in
from payments.evidence import request_confirmation, staff_who_reported
from payments.models import ReceiptQuestion, Refund
from payments.proof.prove import prove
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import UserFactory
from tests.payments.bodies import by_hand, post_c2b
from tests.payments.test_corrections import FIRST, seen
from tests.shopping import stock_of

from .actions import NUMBER, answer, answer_query, on_statement


def test_late_money_that_was_more_holds_its_goods_again_once(order, payment, kettle):
    receipt = seen(FIRST, 1000, source="staff", by=UserFactory().pk)
    Order.objects.update(expires_at=timezone.now(), held_until=timezone.now())
    assert expire_order(order.pk, now=timezone.now())

    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", 3000, FIRST))

    receipt.refresh_from_db()
    order.refresh_from_db()
    assert (receipt.amount, receipt.payment, order.payment_status) == (3000, payment, "paid")
    assert stock_of(kettle) == (3, 0)


def test_two_answers_of_m_pesa_with_one_amount_confirm_it_in_place_of_what_was_typed(
    invented, order, daraja
):
    answer_query(invented, Amount="2999")
    assert invented.verification == "doubted"

    on_statement(daraja, invented, amount=2999)

    order.refresh_from_db()
    assert (invented.amount, invented.written_off, invented.verification) == (2999, 1, "confirmed")
    assert not order.in_doubt
    assert prove().broken == []


def test_an_answer_about_another_short_code_is_no_source_of_its_amount(invented, order, daraja):
    answer_query(invented, Amount="2999", CreditPartyName="600999 - Somebody")

    on_statement(daraja, invented, amount=2999)

    order.refresh_from_db()
    assert (invented.amount, invented.verification) == (2999, "doubted")
    assert order.in_doubt


def test_who_confirms_what_the_statement_alone_shows_is_the_second_source(
    invented, insider, colleague, daraja
):
    answer_query(invented, Amount="2999", CreditPartyName="600999 - Somebody")
    on_statement(daraja, invented, amount=2999)

    money_in.confirm_doubted_receipt(invented.pk, by=colleague)

    invented.refresh_from_db()
    assert (invented.amount, invented.verification) == (2999, "confirmed")
    assert staff_who_reported([invented.pk]) == {insider.pk, colleague.pk}
    assert prove().broken == []


def test_an_amount_that_an_answer_showed_and_m_pesa_reversed_is_corrected_first(invented, daraja):
    answer_query(invented, Amount="2999")

    answer(invented, Amount="2999", TransactionStatus="Reversed")

    (off,) = Refund.objects.all()
    assert (invented.amount, off.amount, off.way) == (2999, 2999, "outside")
    assert prove().broken == []


def test_a_posted_amount_does_not_outweigh_the_statement_since_an_answer_disagreed(client, owed):
    request_confirmation([owed])
    ReceiptQuestion.objects.update(queries=1)
    answer(owed, Amount="10")

    post_c2b(client, by_hand("nobody", 500, receipt=NUMBER))

    owed.refresh_from_db()
    note = "KES 500 was posted to us; M-Pesa's own statement or answer shows KES 700."
    assert (owed.amount, owed.note, owed.verification) == (700, note, "doubted")
    assert prove().broken == []
