"""Money counts as received only if its transaction type says so."""

import pytest

from payments.daraja.client import StatementPage, StatementRow
from payments.daraja.transaction_types import Direction, direction_of
from payments.models import GatewayEvent, Receipt, Refund, Source
from payments.reconciliation.statement_pull import pull_statement
from tests.shopping import stock_of

from .bodies import by_hand, post_c2b
from .test_statement import NOW, one_page

pytestmark = pytest.mark.django_db

CAME_IN = [
    "Pay Bill", "pay bill", " PAY  BILL ", "PayBill", "Pay-Bill", "Pay Bill Online", "Buy Goods",
    "Customer Merchant Payment", "CustomerPayBillOnline", "CustomerBuyGoodsOnline",
    "c2b-pay-bill-debit", "c2b-buy-goods-debit", "C2B_PAY_BILL_DEBIT",
]  # fmt: skip
WENT_OUT = [
    "b2c-payment-credit", "Business Payment", "BusinessPayment", "Salary Payment",
    "Promotion Payment", "Withdrawal of funds", "Pay Bill Charge", "Merchant Payment Refund",
    "Organization Settlement", "Business Payment to Customer via API",
]  # fmt: skip
NOBODY_KNOWS = ["Deposit of Funds", "Something new", "???1", "7"]


@pytest.mark.parametrize(
    ("words", "direction"),
    [
        (CAME_IN, Direction.IN),
        (WENT_OUT, Direction.OUT),
        (["Pay Bill Reversal", "c2b-pay-bill-reversal", "Reversed"], Direction.OUT),
        (NOBODY_KNOWS, Direction.UNKNOWN),
        (["", " ", "?"], Direction.UNSAID),
    ],
)
def test_every_word_of_m_pesas_says_which_way_money_went(words, direction):
    assert {word: direction_of(word) for word in words} == dict.fromkeys(words, direction)


def status(order):
    order.refresh_from_db()
    return order.payment_status


@pytest.mark.parametrize("word", CAME_IN)
def test_a_confirmation_of_money_that_came_pays_the_order(client, order, word):
    post_c2b(client, by_hand(order.reference, 3000, TransactionType=word))

    assert (status(order), Receipt.objects.get().amount) == ("paid", 3000)


@pytest.mark.parametrize("missing", [None, "", " ", [], True])
def test_a_confirmation_without_a_word_counts_by_its_address(client, order, missing):
    """It came to the secret address that is registered for payments, about a number of ours."""
    post_c2b(client, by_hand(order.reference, 3000, TransactionType=missing))

    assert status(order) == "paid"


@pytest.mark.parametrize("word", WENT_OUT + NOBODY_KNOWS)
def test_a_confirmation_of_anything_else_is_left_to_staff(client, order, word, settings):
    answer = post_c2b(client, by_hand(order.reference, 3000, TransactionType=word))

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    waiting = GatewayEvent.objects.broken(c2b_token=settings.DARAJA_C2B_TOKEN).get()
    assert waiting.note == f"{word} is not a payment to us. The statement shows what was received."
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize("word", WENT_OUT)
def test_an_outgoing_movement_after_a_payment_sends_nothing_back(client, order, word):
    post_c2b(client, by_hand(order.reference, 3000))
    post_c2b(client, by_hand(order.reference, 3000, TransactionType=word))

    assert (Receipt.objects.count(), Refund.objects.count()) == (1, 0)


@pytest.mark.parametrize("shortcode", ["600000", "174378", 600966, "0174379"])
def test_a_confirmation_of_money_at_another_number_is_left_to_staff(
    client, order, shortcode, settings
):
    post_c2b(client, by_hand(order.reference, 3000, BusinessShortCode=shortcode))

    waiting = GatewayEvent.objects.broken(c2b_token=settings.DARAJA_C2B_TOKEN).get()
    assert waiting.note == f"It was paid to {shortcode}, which is not one of our numbers."
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize("shortcode", ["174379", 174379, "5551234"])
def test_both_the_pay_bill_and_the_till_are_ours(client, order, shortcode, settings):
    settings.DARAJA_PARTY_B = "5551234"

    post_c2b(client, by_hand(order.reference, 3000, BusinessShortCode=shortcode))

    assert status(order) == "paid"


def test_a_reversal_at_another_number_takes_nothing_back_here(client, order):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))
    post_c2b(
        client,
        by_hand(
            "SGL7654321", 3000, TransactionType="Pay Bill Reversal", BusinessShortCode="600000"
        ),
    )

    assert GatewayEvent.objects.latest("pk").state == "unmatched"
    assert status(order) == "paid"


@pytest.mark.parametrize("word", WENT_OUT + NOBODY_KNOWS)
def test_a_validation_of_anything_but_a_payment_is_refused(client, order, word):
    asked = post_c2b(
        client, by_hand(order.reference, 3000, TransactionType=word), what="validation"
    )

    assert asked.json()["ResultCode"] == "C2B00016"


@pytest.mark.parametrize("amount", ["-3000.00", -3000, "0.00", 0])
def test_no_amount_below_one_shilling_is_recorded_manually(client, order, amount):
    post_c2b(client, by_hand(order.reference, amount))

    assert GatewayEvent.objects.get().state == "unreadable"
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


def statement_row(order, word, number="SGL7654321"):
    return StatementRow(number, 3000, NOW, "2547*****678", order.reference, word)


def read_statement(daraja, settings, *rows):
    settings.DARAJA_STATEMENT = True
    daraja.on_pull = one_page(*rows)
    pull_statement(NOW)


@pytest.mark.parametrize("word", CAME_IN)
def test_a_row_of_money_that_came_pays_the_order(daraja, order, settings, word):
    read_statement(daraja, settings, statement_row(order, word))

    assert status(order) == "paid"


@pytest.mark.parametrize("word", WENT_OUT)
def test_a_row_of_money_that_went_out_is_noted_once_and_pays_nothing(
    daraja, order, kettle, settings, word
):
    row = statement_row(order, word)

    read_statement(daraja, settings, row, row)

    noted = GatewayEvent.objects.get(source=Source.STATEMENT)
    assert (noted.state, noted.note) == (
        "applied",
        f"{word}: money that went out. Nothing was credited.",
    )
    assert (Receipt.objects.count(), status(order), stock_of(kettle)) == (0, "requested", (5, 2))


@pytest.mark.parametrize("word", ["", "?", *NOBODY_KNOWS])
def test_a_row_that_does_not_say_that_money_came_is_left_to_staff(daraja, order, settings, word):
    read_statement(daraja, settings, statement_row(order, word))

    waiting = GatewayEvent.objects.broken(c2b_token="").get()
    assert waiting.note.endswith(": not known to be a payment to us.")
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize("word", ["Withdrawal of funds", "Something new", ""])
def test_a_row_of_another_kind_about_a_payment_we_count_is_left_to_staff(
    daraja, client, order, settings, word
):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))

    read_statement(daraja, settings, statement_row(order, word))

    waiting = GatewayEvent.objects.broken(c2b_token="").get()
    assert waiting.note.endswith("about receipt SGL7654321, which is recorded as a payment.")
    assert status(order) == "paid"


def test_a_row_of_less_than_a_shilling_is_no_payment(daraja, order, settings):
    settings.DARAJA_STATEMENT = True
    daraja.on_pull = lambda pull: (
        StatementPage((), ()) if pull["offset"] else StatementPage((), ('{"amount": "-3000.00"}',))
    )
    pull_statement(NOW)

    assert Receipt.objects.count() == 0
    assert GatewayEvent.objects.broken(c2b_token="").count() == 1
