"""Payments into the shop's account at Equity Bank, as the bank's notification tells of them."""

from base64 import b64encode

import pytest
from django.db.models import Sum

from orders.lifecycle import expire_order
from orders.models import Order
from payments.ledger import balance
from payments.models import Account, GatewayEvent, Receipt, Refund
from tests.shopping import shelf

from .bodies import by_hand, post_c2b

ADDRESS = "/safwebhook/bank/equity/"
NAME, PASSWORD = "equity", "a long word: with a colon"


@pytest.fixture(autouse=True)
def _the_bank_has_a_password(settings):
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    settings.EQUITY_ACCOUNT = "0180#{reference}"


def basic(name=NAME, password=PASSWORD):
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def told(reference, amount, *, number="813612345678", **changed):
    """A notification as Equity's portal shows it; ``changed`` are fields of the transaction."""
    return {
        "callbackType": "IPN",
        "customer": {"name": "WANJIKU K", "mobileNumber": "254712345678", "reference": "1"},
        "transaction": {
            "date": "2026-11-23 10:21:15",
            "reference": "1",
            "paymentMode": "CARD",
            "amount": amount,
            "currency": "KES",
            "billNumber": reference,
            "servedBy": "EQ",
            "additionalInfo": "",
            "orderAmount": amount,
            "serviceCharge": 0,
            "status": "SUCCESS",
            "remarks": "Paid",
            **changed,
        },
        "bank": {"reference": number, "transactionType": "C", "account": "0180"},
    }


def notify(client, message, *, authorization=None):
    authorization = basic() if authorization is None else authorization
    headers = {"Authorization": authorization} if authorization else {}
    if isinstance(message, bytes):
        return client.generic(
            "POST", ADDRESS, message, content_type="application/json", headers=headers
        )
    return client.post(ADDRESS, message, content_type="application/json", headers=headers)


def event():
    return GatewayEvent.objects.order_by("-pk").first()


def status(order):
    order.refresh_from_db()
    return order.payment_status


def test_a_payment_at_the_bank_pays_its_order(client, order, kettle):
    answer = notify(client, told(order.reference, 3000))

    receipt = Receipt.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    assert (status(order), shelf(kettle)) == ("paid", (3, 0))
    assert (receipt.provider, receipt.number, receipt.amount, receipt.order_id) == (
        "equity",
        "813612345678",
        3000,
        order.pk,
    )
    assert (receipt.door, receipt.phone, receipt.payer) == ("bank", "254712345678", "WANJIKU K")
    assert receipt.paid_at.isoformat() == "2026-11-23T07:21:15+00:00"
    assert (receipt.payment.channel, receipt.payment.status) == ("bank", "confirmed")
    assert (event().source, event().state, event().receipt_id) == ("equity", "applied", receipt.pk)


def test_what_lies_at_the_bank_is_on_an_account_of_its_own(client, order):
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
def test_whoever_is_not_the_bank_is_told_so_and_nothing_is_kept(client, order, authorization):
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


@pytest.mark.parametrize("amount", [3000, "3000", "3000.00", 3000.0, "3000.000000"])
def test_an_amount_is_read_however_the_bank_writes_it(client, order, amount):
    notify(client, told(order.reference, amount))

    assert (Receipt.objects.get().amount, status(order)) == (3000, "paid")


@pytest.mark.parametrize(
    "amount",
    [
        1500.50, "1500.50", -3000, "-3000", 0, "0.00", True, None, "", "3,000", "KES 3000", " 3000",
        "3e3", 3e30, "9" * 12, [], {}, "３０００",
    ],
)  # fmt: skip
def test_what_is_no_amount_of_whole_shillings_is_kept_and_moves_nothing(client, order, amount):
    answer = notify(client, told(order.reference, amount))

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert (event().state, Receipt.objects.count(), status(order)) == ("unreadable", 0, "requested")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"callbackType": "IPN"}'])
def test_what_cannot_be_read_is_kept(client, db, body):
    answer = notify(client, body)

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert (event().state, bytes(event().body)) == ("unreadable", body)


@pytest.mark.parametrize("number", ["", None, 8136, "81 36", "8" * 41, "81é6"])
def test_money_without_a_reference_of_the_banks_is_kept_and_moves_nothing(client, order, number):
    notify(client, told(order.reference, 3000, number=number))

    assert (event().state, Receipt.objects.count()) == ("unreadable", 0)


def test_a_payment_that_failed_changes_nothing(client, order):
    notify(client, told(order.reference, 3000, status="FAILED", remarks="Declined"))

    assert (event().state, event().note) == ("applied", "The payment failed: Declined")
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


@pytest.mark.parametrize("how", ["", None, "success", "PENDING", True])
def test_a_payment_that_neither_succeeded_nor_failed_moves_nothing(client, order, how):
    notify(client, told(order.reference, 3000, status=how))

    assert (event().state, Receipt.objects.count()) == ("unreadable", 0)


@pytest.mark.parametrize("currency", ["USD", "kes", "", None])
def test_another_currency_is_kept_for_a_person(client, order, currency):
    notify(client, told(order.reference, 3000, currency=currency))

    assert event().state == "failed"
    assert "not KES" in event().note
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


def test_a_notification_posted_twice_counts_once(client, order):
    notify(client, told(order.reference, 3000))
    notify(client, told(order.reference, 3000))

    assert (Receipt.objects.count(), Refund.objects.count()) == (1, 0)
    assert event().note == "Counted already."


def test_one_number_at_the_bank_and_at_m_pesa_is_two_payments(client, order):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))
    notify(client, told(order.reference, 3000, number="SGL7654321"))

    assert sorted(Receipt.objects.values_list("provider", "number", "amount")) == [
        ("equity", "SGL7654321", 3000),
        ("mpesa", "SGL7654321", 3000),
    ]
    assert status(order) == "paid"


def test_what_came_twice_at_the_bank_is_paid_back_to_the_phone(client, order):
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


def test_a_buyer_is_told_the_way_through_the_bank(buyer_api, order):
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

    assert (Order.objects.get().payment_status, shelf(kettle)) == ("paid", (3, 0))
