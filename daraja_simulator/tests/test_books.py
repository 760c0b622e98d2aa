"""The simulator's books."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from daraja_simulator.entries import Purpose

from .caller import PHONE
from .waiting import wait_until


def test_a_payment_is_one_entry_with_all_that_is_known(daraja, shop):
    accepted = daraja.push(AccountReference="SOFA22", TransactionDesc="Sofa").json()
    daraja.simulator.wait_until_quiet()

    books = daraja.simulator.books()
    [entry] = books.pop("entries")
    items = shop.items()
    time = datetime.fromisoformat(entry.pop("time"))
    assert books == {
        "currency": "KES",
        "shortcode": "174379",
        "received": 1500,
        "paid_out": 0,
        "wallets": {PHONE: 98_500},
        "accounts": {
            "174379": {"utility": 1500, "working": 0},
            "600111": {"utility": 0, "working": 0},
            "600000": {"utility": 1_000_000, "working": 0},
        },
    }
    assert time.utcoffset() == timedelta(hours=3)
    assert int(time.strftime("%Y%m%d%H%M%S")) == items["TransactionDate"]
    assert entry == {
        "receipt": items["MpesaReceiptNumber"],
        "direction": "in",
        "kind": "stk",
        "phone": PHONE,
        "amount": 1500,
        "wallet_after": 98_500,
        "account_after": 1500,
        "transaction_date": items["TransactionDate"],
        "shortcode": "174379",
        "party_b": "174379",
        "transaction_type": "CustomerPayBillOnline",
        "reference": "SOFA22",
        "description": "Sofa",
        "merchant_request_id": accepted["MerchantRequestID"],
        "checkout_request_id": accepted["CheckoutRequestID"],
        "conversation_id": "",
        "originator_conversation_id": "",
        "reverses": "",
    }


def test_no_failure_is_in_the_books(daraja):
    for outcome in ("1", "1032", "1037", "2001"):
        daraja.simulator.script(outcome=outcome)
        daraja.pay()

    assert daraja.simulator.books()["entries"] == []
    assert daraja.simulator.phone(PHONE)["balance"] == 100_000


def test_every_shilling_that_left_a_wallet_was_received(daraja):
    phones = [f"2547123450{n:02d}" for n in range(12)]
    assert daraja.token

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda phone: daraja.push(phone=phone, amount=int(phone[-3:]) + 1), phones))
    assert daraja.simulator.wait_until_quiet()

    books = daraja.simulator.books()
    spent = sum(100_000 - left for left in books["wallets"].values())
    assert books["received"] == spent == sum(entry["amount"] for entry in books["entries"])
    assert len({entry["receipt"] for entry in books["entries"]}) == 12


def test_receipts_are_ten_capitals_and_digits_and_never_the_same(simulator):
    purpose = _purpose()
    receipts = [
        simulator.world.books.receive(phone=PHONE, amount=1, purpose=purpose).receipt
        for _ in range(500)
    ]

    assert len(set(receipts)) == 500
    assert all(re.fullmatch(r"[A-Z0-9]{10}", receipt) for receipt in receipts)


def test_a_reset_begins_new_books_with_full_wallets(daraja):
    daraja.pay()
    daraja.simulator.reset()

    assert daraja.simulator.books()["entries"] == []
    assert daraja.simulator.phone(PHONE)["balance"] == 100_000
    assert daraja.simulator.events == []
    assert daraja.push().status_code == 200


def test_a_reset_frees_a_ringing_phone(daraja_with):
    daraja = daraja_with(default="person")
    daraja.push()
    daraja.simulator.reset()

    assert daraja.simulator.prompts() == []
    assert daraja.push().status_code == 200


def test_a_reset_drops_callbacks_that_are_late(daraja, shop):
    daraja.simulator.script(callback_delay=60)
    daraja.push()
    wait_until(lambda: daraja.simulator.books()["received"] == 1500)
    assert not daraja.simulator.wait_until_quiet(0.2)
    daraja.simulator.reset()
    daraja.simulator.advance(60)

    assert daraja.simulator.wait_until_quiet()
    assert shop.heard == []


def _purpose():
    names = (
        "kind shortcode party_b transaction_type reference description "
        "merchant_request_id checkout_request_id"
    )
    return Purpose(**dict.fromkeys(names.split(), "x"))
