"""A payment recorded by staff for one order, whose provider names another, is in doubt."""

import pytest

from orders.fulfilment import PaymentInDoubt, move_line
from payments.backoffice import receipt_services as money_in
from payments.daraja.statement import StatementPage, StatementRow
from payments.models import Receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.reconciliation.statement_pull import pull_statement
from tests.factories import UserFactory
from tests.payments.bodies import by_hand, post, post_c2b, success
from tests.payments.conftest import ringing
from tests.shopping import an_order

from .actions import NUMBER, answer, on_statement, run_clock, sent_transfers


@pytest.fixture
def mine(buyer, kettle):
    """One kettle, KES 1,500."""
    return an_order(buyer, (kettle, 1))


@pytest.fixture
def theirs(kettle):
    """The same, of another buyer."""
    return an_order(UserFactory(), (kettle, 1), phone="254733111222")


@pytest.fixture
def typed(mine, insider):
    """The number of the other's payment, which finance recorded for my order."""
    return money_in.record_seen_receipt(
        number=NUMBER, amount=1500, reference=mine.reference, by=insider
    )


def doubt(mine, theirs):
    return (
        f"It is recorded for order {mine.reference}, but its provider names order "
        f"{theirs.reference}."
    )


def check_in_doubt(receipt, mine, theirs, daraja):
    receipt.refresh_from_db()
    mine.refresh_from_db()
    theirs.refresh_from_db()
    why = doubt(mine, theirs)
    assert (receipt.order_id, receipt.verification, receipt.doubt) == (mine.pk, "doubted", why)
    assert (receipt.unacknowledged, receipt.note) == (True, why)
    assert (mine.payment_status, mine.in_doubt) == ("paid", True)
    assert theirs.payment_status == "requested"
    with pytest.raises(PaymentInDoubt):
        move_line(mine.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    run_clock()
    assert sent_transfers(daraja) == []


def test_a_confirmation_that_names_another_order_puts_it_in_doubt(
    client, typed, mine, theirs, daraja
):
    post_c2b(client, by_hand(theirs.reference, 1500, receipt=NUMBER))

    check_in_doubt(typed, mine, theirs, daraja)


def test_the_statement_that_names_another_order_puts_it_in_doubt(typed, mine, theirs, daraja):
    row = StatementRow(
        NUMBER, 1500, typed.paid_at, "", theirs.reference, "c2b-pay-bill-debit"
    )  # fmt: skip
    pages = iter([StatementPage((row,), ()), StatementPage((), ())])
    daraja.on_pull = lambda pull: next(pages)
    pull_statement(typed.paid_at)

    check_in_doubt(typed, mine, theirs, daraja)


def test_the_callback_of_another_order_s_prompt_puts_it_in_doubt(
    client, typed, mine, theirs, daraja
):
    payment = ringing(theirs.payments.get(), "ws_CO_2")

    post(client, payment, success(payment, receipt=NUMBER))

    check_in_doubt(typed, mine, theirs, daraja)


def test_the_callback_of_a_prompt_whose_payment_a_query_proved_puts_it_in_doubt(
    client, typed, mine, theirs, daraja
):
    payment = ringing(theirs.payments.get(), "ws_CO_2")
    paid = AttemptOutcome(succeeded=True, code="0", text="Paid.", source="query")
    record_outcome(payment.pk, paid)

    post(client, payment, success(payment, receipt=NUMBER))

    typed.refresh_from_db()
    assert (typed.verification, typed.doubt) == ("doubted", doubt(mine, theirs))


def test_an_attempt_that_staff_said_was_paid_with_it_is_in_doubt_too(
    client, mine, theirs, daraja, insider
):
    payment = ringing(mine.payments.get())
    money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=insider)

    post_c2b(client, by_hand(theirs.reference, 1500, receipt=NUMBER))

    check_in_doubt(Receipt.objects.get(), mine, theirs, daraja)


def test_money_that_staff_matched_to_an_order_is_in_doubt_too(client, mine, theirs, daraja):
    post_c2b(client, by_hand("", 1500, receipt=NUMBER))
    receipt = Receipt.objects.get()
    money_in.match_receipt_to_order(receipt.pk, reference=mine.reference, why="They called.")

    post_c2b(client, by_hand(theirs.reference, 1500, receipt=NUMBER))

    check_in_doubt(receipt, mine, theirs, daraja)


def test_that_m_pesa_shows_it_does_not_end_this_doubt(client, typed, mine, theirs, daraja):
    post_c2b(client, by_hand(theirs.reference, 1500, receipt=NUMBER))

    on_statement(daraja, typed)
    run_clock(1)
    answer(typed)

    check_in_doubt(typed, mine, theirs, daraja)


def test_staff_may_say_that_it_is_that_order_s_and_it_stays_so(
    client, typed, mine, theirs, daraja, colleague
):
    post_c2b(client, by_hand(theirs.reference, 1500, receipt=NUMBER))
    on_statement(daraja, typed)

    money_in.confirm_doubted_receipt(typed.pk, by=colleague)
    post_c2b(client, by_hand(theirs.reference, 1500, receipt=NUMBER))

    typed.refresh_from_db()
    mine.refresh_from_db()
    assert (typed.verification, mine.in_doubt) == ("confirmed", False)


def test_a_report_that_names_the_same_order_or_none_doubts_nothing(client, typed, mine, daraja):
    post_c2b(client, by_hand("", 1500, receipt=NUMBER))
    post_c2b(client, by_hand(f"order {mine.reference.lower()}", 1500, receipt=NUMBER))
    on_statement(daraja, typed)

    mine.refresh_from_db()
    assert (typed.verification, mine.in_doubt, typed.unacknowledged) == ("confirmed", False, False)
