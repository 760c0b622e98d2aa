"""Payments into the shop's account at Equity Bank, as the bank's notification reports them."""

from base64 import b64encode

import pytest
from django.db.models import Sum

from orders.lifecycle import expire_order
from orders.models import Order
from payments.backoffice.receipt_services import confirm_bank_receipt
from payments.ledger import balance
from payments.models import Account, GatewayEvent, Receipt, Refund
from tests.factories import UserFactory
from tests.shopping import stock_of

from .bank import NAME, PASSWORD, basic, notify, told
from .bodies import by_hand, post_c2b


@pytest.fixture(autouse=True)
def _the_bank_has_a_password(settings):
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    settings.EQUITY_ACCOUNT = "0180#{reference}"


def event():
    return GatewayEvent.objects.order_by("-pk").first()


def status(order):
    order.refresh_from_db()
    return order.payment_status


def test_a_payment_at_the_bank_pays_its_order(client, order, kettle):
    answer = notify(client, told(order.reference, 3000))

    receipt = Receipt.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    assert (status(order), stock_of(kettle)) == ("paid", (3, 0))
    assert (receipt.provider, receipt.number, receipt.amount, receipt.order_id) == (
        "equity",
        "813612345678",
        3000,
        order.pk,
    )
    assert (receipt.source, receipt.phone, receipt.payer) == ("bank", "254712345678", "WANJIKU K")
    assert receipt.paid_at.isoformat() == "2026-11-23T07:21:15+00:00"
    assert (receipt.payment.channel, receipt.payment.status) == ("bank", "confirmed")
    assert (event().source, event().state, event().receipt_id) == ("equity", "applied", receipt.pk)


def test_money_at_a_bank_is_on_its_own_clearing_account(client, order):
    notify(client, told(order.reference, 3000))

    assert balance("equity_clearing") == 3000
    assert balance(Account.MPESA_CLEARING) == 0
    assert balance(Account.BUYERS_HELD, order_id=order.pk) == 3000


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + b64encode(b"equity").decode(),
        basic().replace("Basic", "Bearer"),
        basic(password="a long word"),
        basic(password=""),
        basic(name="Equity"),
        basic(name=""),
    ],
)
def test_a_caller_that_is_not_the_bank_is_refused_and_nothing_is_stored(
    client, order, authorization
):
    answer = notify(client, told(order.reference, 3000), authorization=authorization)

    assert (answer.status_code, answer.json()) == (
        401,
        {"detail": "Name and password are not those of the bank.", "code": "not_the_bank"},
    )
    assert answer["WWW-Authenticate"] == 'Basic realm="O-Mache", charset="UTF-8"'
    assert (GatewayEvent.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize("authorization", ["", basic(password=""), basic(name="", password="")])
def test_without_a_password_of_ours_nobody_is_the_bank(client, order, settings, authorization):
    settings.EQUITY_IPN_USERNAME = settings.EQUITY_IPN_PASSWORD = ""

    answer = notify(client, told(order.reference, 3000), authorization=authorization)

    assert (answer.status_code, GatewayEvent.objects.count()) == (401, 0)


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_the_word_basic_may_be_written_in_any_case(client, order, scheme):
    notify(client, told(order.reference, 3000), authorization=basic().replace("Basic", scheme))

    assert status(order) == "paid"


@pytest.mark.parametrize("amount", [3000, "3000", "3000.00", 3000.0, "3000.000000", " 3000 "])
def test_an_amount_is_read_however_the_bank_writes_it(client, order, amount):
    notify(client, told(order.reference, amount))

    assert (Receipt.objects.get().amount, status(order)) == (3000, "paid")


@pytest.mark.parametrize(
    "amount",
    [
        1500.50, "1500.50", -3000, "-3000", 0, "0.00", True, None, "", "3,000", "KES 3000",
        "- 3000", "3e3", 3e30, "9" * 12, [], {}, "３０００",
    ],
)  # fmt: skip
def test_a_notification_without_a_whole_amount_is_stored_and_credits_nothing(client, order, amount):
    answer = notify(client, told(order.reference, amount))

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert (event().state, Receipt.objects.count(), status(order)) == ("unreadable", 0, "requested")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"callbackType": "IPN"}'])
def test_unreadable_notifications_are_stored(client, db, body):
    answer = notify(client, body)

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert (event().state, bytes(event().body)) == ("unreadable", body)


@pytest.mark.parametrize(
    "number", ["", None, 81.36, True, "81 36", "8" * 41, "81é6", "NONE", "none ", "null", "?", "-"]
)
def test_money_without_a_reference_of_the_banks_is_kept_and_moves_nothing(client, order, number):
    notify(client, told(order.reference, 3000, number=number))

    assert (event().state, Receipt.objects.count()) == ("unreadable", 0)


def test_a_payment_that_failed_changes_nothing(client, order):
    notify(client, told(order.reference, 3000, status="FAILED", remarks="Declined"))

    assert (event().state, event().note) == ("applied", "The payment failed: Declined")
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize("how", ["", None, "SUCCES", "PENDING", "REVERSED", True])
def test_a_payment_that_neither_succeeded_nor_failed_moves_nothing(client, order, how):
    notify(client, told(order.reference, 3000, status=how))

    assert (event().state, Receipt.objects.count()) == ("unreadable", 0)


@pytest.mark.parametrize("currency", ["USD", "usd ", "UGX", "shillings"])
def test_another_currency_is_kept_for_staff(client, order, currency):
    notify(client, told(order.reference, 3000, currency=currency))

    assert event().state == "failed"
    assert "not KES" in event().note
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


def test_a_notification_posted_twice_counts_once(client, order):
    notify(client, told(order.reference, 3000))
    notify(client, told(order.reference, 3000))

    assert (Receipt.objects.count(), Refund.objects.count()) == (1, 0)
    assert event().note == "Already recorded."


def test_one_number_at_the_bank_and_at_m_pesa_is_two_payments(client, order):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))
    notify(client, told(order.reference, 3000, number="SGL7654321"))

    assert sorted(Receipt.objects.values_list("provider", "number", "amount")) == [
        ("equity", "SGL7654321", 3000),
        ("mpesa", "SGL7654321", 3000),
    ]
    assert status(order) == "paid"


def test_a_double_payment_at_the_bank_is_refunded_to_the_phone(client, order):
    notify(client, told(order.reference, 3000, number="81361"))
    notify(client, told(order.reference, 3000, number="81362"))

    refund = Refund.objects.get()
    # M-Pesa reverses what came to M-Pesa, and nothing else.
    assert (refund.receipt.number, refund.amount, refund.way, refund.phone) == (
        "81362",
        3000,
        "b2c",
        "254712345678",
    )


def test_a_part_through_the_bank_and_the_rest_through_m_pesa_pay_the_order(client, order):
    notify(client, told(order.reference, 1000))
    post_c2b(client, by_hand(order.reference, 2000))

    assert (status(order), Refund.objects.count()) == ("paid", 0)
    assert Receipt.objects.aggregate(total=Sum("amount"))["total"] == 3000


def test_money_for_no_order_waits_in_suspense_on_the_banks_account(client, order):
    notify(client, told("nobody's", 3000))

    assert (Receipt.objects.get().order, balance(Account.SUSPENSE)) == (None, 3000)
    assert balance("equity_clearing") == 3000


def test_a_buyer_is_shown_how_to_pay_through_the_bank(buyer_api, order):
    answer = buyer_api.get(f"/cashout/{order.order_token}/").json()

    assert answer["by_hand"][1] == {
        "provider": "Equity Bank",
        "pay_bill": "247247",
        "account": f"0180#{order.reference}",
        "amount": 3000,
    }


@pytest.mark.parametrize("name", ["EQUITY_IPN_PASSWORD", "EQUITY_ACCOUNT"])
def test_a_bank_that_cannot_tell_us_is_no_way(buyer_api, order, settings, name):
    setattr(settings, name, "")

    ways = buyer_api.get(f"/cashout/{order.order_token}/").json()["by_hand"]

    assert [way["provider"] for way in ways] == ["M-Pesa"]


def test_the_account_that_a_buyer_types_at_the_bank_finds_the_order(client, order):
    notify(client, told(f"0180#{order.reference}", 3000))

    assert status(order) == "paid"


def test_money_at_the_bank_after_expiry_takes_the_goods_again(client, order, kettle):
    expire_order(order.pk, now=order.expires_at)

    notify(client, told(order.reference, 3000))

    assert (Order.objects.get().payment_status, stock_of(kettle)) == ("paid", (3, 0))


#: As the bank's portal shows it, but for the bill number, the amount and the time.
PUBLISHED = {
    "callbackType": "IPN",
    "customer": {"name": "A N Other", "mobileNumber": "", "reference": None},
    "transaction": {
        "date": "2018-11-27 00:00:00.0",
        "reference": " S2596405",
        "paymentMode": "TPG",
        "amount": "3000",
        "billNumber": "",
        "orderAmount": "",
        "serviceCharge": "",
        "servedBy": "EQ",
        "additionalInfo": "MPS 254723000000 MKR35QEKV7 A N Other/537620",
        "status": "SUCCESS",
        "remarks": "?",
    },
    "bank": {"reference": " S2596405", "transactionType": "C", "account": "0111234241028"},
}
#: The bank's newer one, and that of a payment settled through its wallet.
NEWER = {
    "callbackType": "IPN",
    "customer": {"name": "JOHN DOE", "mobileNumber": "254712345678", "reference": "07164881"},
    "transaction": {
        "date": "2026-10-05 14:15:20",
        "reference": "S7164881",
        "paymentMode": "MPESA",
        "amount": 3000,
        "currency": "KES",
        "billNumber": "",
        "servedBy": "EQ",
        "additionalInfo": "MPESA",
        "orderAmount": 3000,
        "serviceCharge": 5.25,
        "orderCurrency": "KES",
        "status": "SUCCESS",
        "remarks": "00:Approved",
    },
    "bank": {"reference": "S7164881", "transactionType": "C", "account": None},
}
WALLET = {
    **NEWER,
    "transaction": {**NEWER["transaction"], "reference": "SH90HU7FO2", "serviceCharge": 1},
    "bank": {"reference": "NONE", "transactionType": "C", "account": "NONE"},
}


def sample(published, reference, *, bank=(), **changed):
    """A published sample that names an order of ours."""
    transaction = {**published["transaction"], "billNumber": reference, **changed}
    return {**published, "transaction": transaction, "bank": {**published["bank"], **dict(bank)}}


@pytest.mark.parametrize(
    ("published", "number"),
    [(PUBLISHED, "S2596405"), (NEWER, "S7164881"), (WALLET, "SH90HU7FO2")],
)
def test_the_banks_published_example_pays_the_order_once(client, order, published, number):
    for _ in range(2):
        notify(client, sample(published, order.reference))

    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.amount, status(order)) == (number, 3000, "paid")
    assert event().note == "Already recorded."


@pytest.mark.parametrize(
    "said",
    ["C", "c", " C", "C ", "CR", "Credit", "CREDIT", "credit\u200b", "\uff23", "\u2068C\u2069"],
)
@pytest.mark.parametrize("how", ["SUCCESS", "Success", " success "])
def test_a_credit_is_read_in_any_case(client, order, said, how):
    message = sample(PUBLISHED, order.reference, bank={"transactionType": said}, status=how)

    notify(client, {**message, "callbackType": "ipn"})

    assert (Receipt.objects.get().amount, status(order)) == (3000, "paid")


@pytest.mark.parametrize("said", ["D", "d", " D ", "DR", "Debit", "DEBIT", "Reversal", "R"])
@pytest.mark.parametrize("amount", [3000, "3000", -3000, "0", None])
def test_money_that_went_out_pays_nothing_and_is_noted(client, order, said, amount):
    message = told(order.reference, amount)
    message["bank"]["transactionType"] = said

    answer = notify(client, message)

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    note = "Money went out under 813612345678. Nothing was credited."
    assert (event().state, event().note) == ("applied", note)
    assert (Receipt.objects.count(), status(order)) == (0, "requested")
    assert balance("equity_clearing") == 0


@pytest.mark.parametrize("number", ["813612345678", "813612345679"])
def test_a_debit_after_a_payment_sends_nothing_back(client, order, number):
    notify(client, told(order.reference, 3000, number="813612345678"))
    message = told(order.reference, 3000, number=number)
    message["bank"]["transactionType"] = "D"

    notify(client, message)

    assert (Receipt.objects.count(), Refund.objects.count()) == (1, 0)
    assert balance("equity_clearing") == 3000


@pytest.mark.parametrize("said", ["D", "R"])
def test_a_payment_reversed_before_it_was_reported_is_in_doubt(client, order, said):
    out = told(order.reference, 3000)
    out["bank"]["transactionType"] = said
    notify(client, out)

    notify(client, told(order.reference, 3000))

    receipt = Receipt.objects.get()
    order.refresh_from_db()
    waiting = GatewayEvent.objects.broken(c2b_token="").get()
    doubt = "The bank reported that 813612345678 went out before it came in."
    assert (receipt.verification, receipt.doubt) == ("doubted", doubt)
    assert (order.payment_status, order.in_doubt) == ("paid", True)
    assert waiting.note == f"{doubt} The payment is in doubt: ask the bank."


def test_a_staff_decision_stands_when_the_bank_reports_a_payment_again(client, order):
    out = told(order.reference, 3000)
    out["bank"]["transactionType"] = "R"
    notify(client, out)
    notify(client, told(order.reference, 3000))
    confirm_bank_receipt(Receipt.objects.get().pk, by=UserFactory(is_superuser=True))

    notify(client, told(order.reference, 3000))

    assert (Receipt.objects.get().verification, event().state) == ("confirmed", "applied")


def test_outgoing_money_with_another_number_puts_nothing_in_doubt(client, order):
    out = told(order.reference, 3000, number="813612345679")
    out["bank"]["transactionType"] = "R"
    notify(client, out)

    notify(client, told(order.reference, 3000))

    order.refresh_from_db()
    assert (order.payment_status, order.in_doubt) == ("paid", False)


def test_a_payment_that_the_bank_reverses_is_left_to_staff(client, order):
    notify(client, told(order.reference, 3000))
    message = told(order.reference, 3000)
    message["bank"]["transactionType"] = "D"

    notify(client, message)

    waiting = GatewayEvent.objects.broken(c2b_token="").get()
    assert waiting.receipt == Receipt.objects.get()
    assert waiting.note == "The bank reversed 813612345678, which is recorded as paid."


@pytest.mark.parametrize(
    "said", [None, "", "X", "CD", "NOT CREDIT", 1, True, [], {"C": 1}, "MISSING"]
)
def test_money_not_reported_as_incoming_waits_for_staff(client, order, said):
    message = told(order.reference, 3000)
    message["bank"]["transactionType"] = said
    if said == "MISSING":
        del message["bank"]["transactionType"]

    notify(client, message)

    waiting = GatewayEvent.objects.broken(c2b_token="").get()
    assert (waiting.state, waiting.note) == (
        "failed",
        "The bank does not say that money was received.",
    )
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize("currency", ["KES", "kes", " KES ", "KSH", "Kshs", "", None])
def test_shillings_are_read_however_the_bank_names_them(client, order, currency):
    notify(client, told(order.reference, 3000, currency=currency))

    assert (Receipt.objects.get().amount, status(order)) == (3000, "paid")


def test_where_only_the_order_names_a_currency_it_counts(client, order):
    notify(client, sample(PUBLISHED, order.reference, orderCurrency="USD"))

    assert (event().state, event().note) == ("failed", "This is USD, not KES.")


@pytest.mark.parametrize("number", [8136, " 8136", "8136 ", "\u00a08136", "8136\u200b"])
def test_a_reference_of_the_banks_is_one_with_any_text_around_it(client, order, number):
    notify(client, told(order.reference, 3000, number="8136"))
    notify(client, told(order.reference, 3000, number=number))

    assert (Receipt.objects.get().number, Refund.objects.count()) == ("8136", 0)


@pytest.mark.parametrize(
    ("number", "typed"),
    [("0111234241028", "0180#{reference}"), ("", "0111234241028#{reference}")],
)
def test_money_at_another_account_is_left_to_staff(client, order, settings, number, typed):
    settings.EQUITY_ACCOUNT_NUMBER, settings.EQUITY_ACCOUNT = number, typed

    notify(client, sample(PUBLISHED, order.reference, bank={"account": "0299999999999"}))

    note = "This is about account 0299999999999, which is not ours."
    assert (event().state, event().note) == ("failed", note)
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize(
    "named", ["0111234241028", "111234241028", 111234241028, " 0111-2342-41028 ", None, "", "NONE"]
)
def test_our_own_account_is_known_however_it_is_written(client, order, settings, named):
    settings.EQUITY_ACCOUNT_NUMBER = "0111234241028"

    notify(client, sample(PUBLISHED, order.reference, bank={"account": named}))

    assert status(order) == "paid"
