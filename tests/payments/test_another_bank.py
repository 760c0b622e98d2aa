"""Adding a bank takes one module and one registration: this file has both."""

import json
from datetime import datetime

import pytest
from django.core.management import call_command

from payments.banks import (
    Bank,
    BankDirection,
    BankNotification,
    PayBill,
    UnreadableNotification,
    bank,
    register,
)
from payments.ledger import balance
from payments.models import Account, GatewayEvent, LedgerEntry, Receipt, Refund
from payments.proof.prove import prove
from payments.webhooks.inbox import replay_event
from tests.shopping import stock_of

ADDRESS, SECRET = "/safwebhook/bank/coop/", "a secret that the bank was given"


def _read(body):
    try:
        said = json.loads(body)
        return BankNotification(
            number=said["MessageReference"],
            amount=int(said["Amount"]),
            currency="KES",
            direction=BankDirection.IN if said["EventType"] == "CREDIT" else BankDirection.UNSAID,
            succeeded=True,
            reference=said["Narration"],
            phone="",
            payer=said["CustomerName"],
            remarks="",
            paid_at=datetime.fromisoformat(said["TransactionDate"]),
        )
    except (KeyError, ValueError) as error:
        raise UnreadableNotification("This is no notification of the Co-operative Bank.") from error


COOP = Bank(
    key="coop",
    name="Co-operative Bank",
    authenticate=lambda request: request.headers.get("Secret") == SECRET,
    read=_read,
    pay_bill=lambda reference: PayBill("400200", f"0112#{reference}"),
)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(bank, "_banks", dict(bank._banks))
    register(COOP)


def notify(client, body, *, address=ADDRESS, secret=SECRET):
    return client.post(address, body, content_type="application/json", headers={"Secret": secret})


def paid(reference, amount=3000, number="FT26011"):
    return {
        "EventType": "CREDIT",
        "MessageReference": number,
        "Amount": f"{amount}",
        "Narration": reference,
        "CustomerName": "WANJIKU K",
        "TransactionDate": "2026-11-23T10:21:15+03:00",
    }


def test_another_banks_notification_pays_the_order_on_its_own_clearing_account(
    client, order, kettle
):
    answer = notify(client, paid(f"0112#{order.reference}"))

    event, receipt = GatewayEvent.objects.get(), Receipt.objects.get()
    order.refresh_from_db()
    assert (answer.status_code, answer.json()["ResultCode"]) == (200, 0)
    assert (event.source, event.state, event.note) == (
        "coop",
        "applied",
        "The payment is credited.",
    )
    assert (receipt.provider, receipt.number, receipt.source) == ("coop", "FT26011", "bank")
    assert (receipt.payment.channel, order.payment_status) == ("bank", "paid")
    assert stock_of(kettle) == (3, 0)
    assert (balance("coop_clearing"), balance(Account.MPESA_CLEARING)) == (3000, 0)
    assert balance(Account.BUYERS_HELD, order_id=order.pk) == 3000
    assert [str(broken) for broken in prove().broken] == []


def test_the_books_miss_its_money_where_it_is_not_on_its_account(client, order):
    notify(client, paid(order.reference))
    Receipt.objects.update(provider="equity")

    broken = [str(broken) for broken in prove().broken]

    assert [rule for rule in broken if rule.startswith("Every receipt is in the ledger with its")]
    Receipt.objects.update(provider="coop")


def test_a_buyer_is_shown_how_to_pay_there(buyer_api, order):
    answer = buyer_api.get(f"/cashout/{order.order_token}/").json()

    assert answer["by_hand"][-1] == {
        "provider": "Co-operative Bank",
        "pay_bill": "400200",
        "account": f"0112#{order.reference}",
        "amount": 3000,
    }


def test_staff_read_its_name(client, order):
    notify(client, paid(order.reference))

    assert Receipt.objects.get().get_provider_display() == "Co-operative Bank"
    assert GatewayEvent.objects.get().get_source_display() == "Co-operative Bank's address"
    entry = LedgerEntry.objects.get(account="coop_clearing")
    assert entry.get_account_display() == "at Co-operative Bank"
    entry.clean_fields(exclude=["order", "seller"])


def test_a_notification_of_another_bank_that_is_no_credit_is_left_for_staff(client, order):
    notify(client, paid(order.reference) | {"EventType": "DEBIT"})

    event = GatewayEvent.objects.broken(c2b_token="").get()
    assert (event.state, event.note) == ("failed", "The bank does not say that money was received.")
    assert Receipt.objects.count() == 0


def test_a_bank_cannot_leave_out_which_way_money_went():
    facts = {
        "number": "FT26011", "amount": 3000, "currency": "KES", "succeeded": True,
        "reference": "", "phone": "", "payer": "", "remarks": "", "paid_at": None,
    }  # fmt: skip

    with pytest.raises(TypeError, match="direction"):
        BankNotification(**facts)
    for nothing in (None, "", "in", True):
        with pytest.raises(UnreadableNotification):
            BankNotification(**facts, direction=nothing)


def test_a_double_payment_without_a_known_phone_is_left_for_staff(client, order):
    notify(client, paid(order.reference))
    notify(client, paid(order.reference, number="FT26012"))

    refund = Refund.objects.get()
    assert (refund.receipt.number, refund.amount, refund.way) == ("FT26012", 3000, "portal")


@pytest.mark.parametrize(
    "changed", [{"Amount": "a lot"}, {"Amount": "0"}, {"MessageReference": ""}]
)
def test_an_untrusted_notification_of_another_bank_is_left_for_staff(client, order, changed):
    notify(client, paid(order.reference) | changed)

    event = GatewayEvent.objects.broken(c2b_token="").get()
    assert (event.state, Receipt.objects.count()) == ("unreadable", 0)
    assert event.note == "This is no notification of the Co-operative Bank."


@pytest.mark.parametrize(
    ("address", "secret", "status"),
    [
        (ADDRESS, "a guess", 401),
        ("/safwebhook/bank/kcb/", SECRET, 404),
        ("/safwebhook/bank/mpesa/", SECRET, 404),
        ("/safwebhook/bank/equity/", SECRET, 401),
    ],
)
def test_a_notification_without_the_banks_password_is_not_stored(
    client, order, address, secret, status
):
    answer = notify(client, paid(order.reference), address=address, secret=secret)

    assert (answer.status_code, GatewayEvent.objects.count()) == (status, 0)


def test_another_bank_needs_no_migration(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_once_it_is_gone_what_it_posted_waits_for_staff(client, order, monkeypatch):
    notify(client, paid(order.reference))
    monkeypatch.delitem(bank._banks, "coop")

    assert replay_event(GatewayEvent.objects.get().pk) == "No bank coop is registered."


@pytest.mark.parametrize("key", ["coop", "equity", "mpesa", "prompt", "", "k", "KCB", "kcb-ke"])
def test_a_key_is_short_and_its_own(key):
    with pytest.raises(ValueError, match="a bank's key must be 2 to 7 unique lower-case letters"):
        register(Bank(key, "A bank", COOP.authenticate, COOP.read, COOP.pay_bill))
