"""Money that arrives after it was written off is shown to staff, who count it again."""

import pytest

from orders.fulfilment import move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.portal_statement import Movement
from payments.doubt import put_in_doubt
from payments.ledger import balance
from payments.models import Account, Receipt, ReceiptQuestion, Refund, buyers_money
from payments.proof.prove import prove
from payments.reconciliation.portal_statement_import import _take_in_payment
from payments.reconciliation.returns import record_returned_payment
from tests.factories import UserFactory
from tests.payments.bank import NAME, PASSWORD, notify, told
from tests.payments.bodies import by_hand, post_c2b
from tests.shopping import an_order

from .actions import NUMBER, answer, finance, on_statement, run_clock, sent_transfers

SHOWN = "It was written off because it never arrived, and M-Pesa shows it now."
REPORTED = (
    "It was written off because it never arrived, and is reported now. Check whether it came."
)


@pytest.fixture
def written_off(order, insider, colleague):
    """KES 3,000 that finance recorded for an order of two kettles, and another wrote off."""
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=3000, reference=order.reference, by=insider
    )
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")
    money_in.write_off_receipt(receipt.pk, by=colleague)
    return Receipt.objects.get()


def movement(receipt, amount, reason):
    """A row of the portal's statement, of incoming money under the receipt's number."""
    return Movement(NUMBER, receipt.paid_at, True, amount, "", reason, "", "", ())


def cancel(order):
    line = order.tracks.get()
    move_line(line.pk, "cancelled", actor=UserFactory(is_superuser=True), note="It is not paid.")


def books():
    return {account.value: balance(account) for account in Account if balance(account)}


def now(receipt):
    receipt.refresh_from_db()
    return receipt.verification, receipt.amount, receipt.written_off


def flagged(receipt):
    receipt.refresh_from_db()
    return receipt.unacknowledged, receipt.note


@pytest.mark.parametrize("amount", [3000, 2900])
def test_a_posted_confirmation_of_it_is_shown_to_staff(client, order, written_off, amount):
    post_c2b(client, by_hand(order.reference, amount, receipt=NUMBER))

    assert flagged(written_off) == (True, REPORTED)
    assert now(written_off) == ("never_came", 3000, 3000)
    assert books() == {"buyers_held": 3000, "write_offs": 3000}
    assert prove().broken == []


@pytest.mark.parametrize("amount", [3000, 2900])
def test_the_statement_that_shows_it_is_shown_to_staff(written_off, daraja, amount):
    on_statement(daraja, written_off, amount=amount)

    assert flagged(written_off) == (True, SHOWN)
    assert now(written_off) == ("never_came", 3000, 3000)


@pytest.mark.parametrize("amount", [3000, 2900])
def test_the_portal_s_statement_that_shows_it_is_shown_to_staff(written_off, settings, amount):
    row = movement(written_off, amount, "Pay Bill")
    _take_in_payment(row, settings.DARAJA_SHORTCODE)

    assert flagged(written_off) == (True, SHOWN)
    assert now(written_off) == ("never_came", 3000, 3000)


def test_a_transfer_that_came_back_under_its_number_is_shown_to_staff(written_off, settings):
    row = movement(written_off, 3000, "Reversal")

    assert not record_returned_payment(row, shortcode=settings.DARAJA_SHORTCODE)

    assert flagged(written_off) == (True, SHOWN)


@pytest.mark.parametrize("amount", [3000, 2900])
def test_m_pesa_s_answer_that_shows_it_is_shown_to_staff_each_time(written_off, daraja, amount):
    for _ in range(2):
        money_in.query_receipt_again(written_off.pk)
        run_clock(1)
        answer(written_off, Amount=str(amount))

        assert flagged(written_off) == (True, SHOWN)
        money_out.acknowledge(written_off)
    assert [asked["receipt"] for asked in daraja.questions] == [NUMBER] * len(daraja.questions)
    assert ReceiptQuestion.objects.get().next_check_at is None


def test_an_answer_that_does_not_show_it_flags_nothing(written_off):
    ReceiptQuestion.objects.update(queries=1)
    answer(written_off, code="SFC_IC0003")
    answer(written_off, TransactionStatus="Declined")
    answer(written_off, CreditPartyName="600999 - Another shop")

    assert flagged(written_off)[0] is False
    assert now(written_off) == ("never_came", 3000, 3000)


def test_once_it_came_after_all_it_pays_for_the_goods(order, written_off, daraja):
    on_statement(daraja, written_off)

    money_in.count_after_all(written_off.pk, by=finance("wairimu"))

    order.refresh_from_db()
    assert now(written_off) == ("confirmed", 3000, 0)
    assert flagged(written_off) == (False, "It came after all.")
    assert books() == {"mpesa_clearing": 3000, "buyers_held": 3000}
    assert (order.payment_status, order.in_doubt) == ("paid", False)
    assert Refund.objects.get().status == "dropped"


def test_nothing_of_its_write_off_stands_once_it_came_after_all(order, written_off, daraja):
    on_statement(daraja, written_off)

    money_in.count_after_all(written_off.pk, by=finance("wairimu"))

    off = Refund.objects.get()
    assert (off.status, off.done_at, off.unnumbered) == ("dropped", None, "")
    assert prove().broken == []


def test_if_its_goods_were_cancelled_it_is_refunded(order, written_off, daraja):
    cancel(order)
    order.refresh_from_db()
    assert (order.payment_status, books()) == ("refunded", {})
    on_statement(daraja, written_off)

    money_in.count_after_all(written_off.pk, by=finance("wairimu"))
    run_clock()

    order.refresh_from_db()
    assert (order.payment_status, now(written_off)) == ("refund_due", ("confirmed", 3000, 0))
    assert [(each["receipt"], each["amount"]) for each in daraja.reversals] == [(NUMBER, 3000)]


def test_it_is_counted_at_the_amount_m_pesa_shows(order, written_off, daraja):
    on_statement(daraja, written_off, amount=2900)

    money_in.count_after_all(written_off.pk, by=finance("wairimu"))

    assert now(written_off) == ("confirmed", 2900, 100)
    assert books() == {"mpesa_clearing": 2900, "buyers_held": 3000, "write_offs": 100}


def test_a_wrong_amount_that_was_entered_leaves_no_refund_waiting_for_ever(
    order, written_off, daraja
):
    """M-Pesa's answer and the person who counted it again are two sources; the one who recorded it
    said another amount, and no third will report it."""
    cancel(order)
    on_statement(daraja, written_off, amount=2900)

    money_in.count_after_all(written_off.pk, by=finance("wairimu"))
    run_clock()

    assert [(each["receipt"], each["amount"]) for each in daraja.reversals] == [(NUMBER, 2900)]


def test_without_an_order_it_is_in_suspense_again(daraja, insider, colleague):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")
    money_in.write_off_receipt(receipt.pk, by=colleague)
    on_statement(daraja, receipt)
    assert books() == {}

    money_in.count_after_all(receipt.pk, by=finance("wairimu"))

    assert books() == {"mpesa_clearing": 700, "suspense": 700}
    assert list(Receipt.objects.to_match()) == [receipt]


def test_what_came_for_an_unpaid_order_waits_for_the_rest(
    order,
    daraja,
    insider,
    colleague,
):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=1000, reference=order.reference, by=insider
    )
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")
    money_in.write_off_receipt(receipt.pk, by=colleague)
    on_statement(daraja, receipt)

    money_in.count_after_all(receipt.pk, by=finance("wairimu"))

    receipt.refresh_from_db()
    assert (receipt.waiting, books()) == (True, {"mpesa_clearing": 1000, "buyers_held": 1000})


def test_it_may_be_reversed_or_written_off_again(order, written_off, daraja):
    on_statement(daraja, written_off)
    money_in.count_after_all(written_off.pk, by=finance("wairimu"))

    money_out.record_reversal_seen(written_off.pk, number="SGR0000001")

    assert now(written_off) == ("confirmed", 3000, 3000)
    assert books() == {"buyers_held": 3000, "write_offs": 3000}


def test_m_pesa_has_to_show_it_first(client, order, written_off):
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))

    with pytest.raises(ActionNotAvailable, match="Query M-Pesa about it first"):
        money_in.count_after_all(written_off.pk, by=finance("wairimu"))
    assert now(written_off) == ("never_came", 3000, 3000)


def test_who_recorded_it_cannot_count_it_again(written_off, daraja, insider):
    on_statement(daraja, written_off)

    with pytest.raises(ActionNotAvailable, match="You cannot decide this"):
        money_in.count_after_all(written_off.pk, by=insider)


def test_only_what_was_written_off_can_come_after_all(client, order, daraja):
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt)

    with pytest.raises(ActionNotAvailable, match="written off can come after all"):
        money_in.count_after_all(receipt.pk, by=finance("wairimu"))
    assert books() == {"mpesa_clearing": 3000, "buyers_held": 3000}


def test_a_bank_payment_is_counted_again_by_who_saw_it(
    client,
    order,
    settings,
    colleague,
):
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    notify(client, told(order.reference, 3000))
    receipt = Receipt.objects.get()
    money_in.doubt_bank_receipt(receipt.pk)
    money_in.write_off_receipt(receipt.pk, by=colleague)

    money_in.count_after_all(receipt.pk, by=finance("wairimu"))

    assert now(receipt) == ("confirmed", 3000, 0)
    assert (balance("equity_clearing"), books()) == (3000, {"buyers_held": 3000})


def test_two_orders_money_is_not_mixed_up(client, buyer, kettle, written_off, daraja):
    other = an_order(buyer, (kettle, 1))
    post_c2b(client, by_hand(other.reference, 1500, receipt=NUMBER))

    assert flagged(written_off) == (True, REPORTED)
    other.refresh_from_db()
    assert (other.payment_status, sent_transfers(daraja)) == ("requested", [])


def test_a_buyer_is_shown_no_refund_of_money_that_never_came(order, written_off):
    cancel(order)

    assert Refund.objects.filter(order=order).exists()
    money = buyers_money(order.pk)
    assert (money.refund, money.refunded) == (0, 0)
