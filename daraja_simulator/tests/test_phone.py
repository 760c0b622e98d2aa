"""The phone: prompts, PINs, messages."""

import re

import pytest
import requests

from daraja_simulator.control import ControlError

from .caller import PHONE
from .waiting import PATIENCE


@pytest.fixture
def person(daraja_with):
    return daraja_with(default="person")


def test_a_prompt_waits_for_its_person_in_all_quiet(person, shop):
    person.push(AccountReference="SOFA22")

    assert person.simulator.wait_until_quiet()
    assert shop.heard == []
    phone = person.simulator.phone(PHONE)
    assert phone["rings"]
    assert phone["prompt"]["text"] == (
        "Do you want to pay KES 1,500 to O-MACHE? Account no. SOFA22. Enter M-PESA PIN"
    )
    assert 58 <= phone["prompt"]["seconds_left"] <= 60


def test_a_prompt_for_goods_names_the_till(person):
    person.push(TransactionType="CustomerBuyGoodsOnline", PartyB="600111")

    assert "Till no. 600111" in person.simulator.phone(PHONE)["prompt"]["text"]


def test_the_right_pin_pays(person, shop):
    person.push()

    ended = person.simulator.enter_pin("0712 345 678")

    assert person.simulator.wait_until_quiet()
    assert (ended["state"], ended["result_code"]) == ("paid", "0")
    assert shop.items()["MpesaReceiptNumber"] == ended["receipt"]
    assert person.simulator.phone(PHONE)["prompt"] is None


def test_a_wrong_pin_fails_with_2001(person, shop):
    person.push()
    person.simulator.enter_pin(PHONE, "0000")
    person.simulator.wait_until_quiet()

    assert shop.results[0]["ResultCode"] == 2001
    assert person.simulator.books()["received"] == 0


def test_cancelling_fails_with_1032(person, shop):
    person.push()
    person.simulator.cancel(PHONE)
    person.simulator.wait_until_quiet()

    assert shop.results[0]["ResultCode"] == 1032


def test_a_prompt_nobody_answers_ends_after_a_minute_with_1037(person, shop):
    person.push()
    person.simulator.advance(59)
    assert person.simulator.wait_until_quiet()
    assert shop.heard == []

    person.simulator.advance(1)

    assert person.simulator.wait_until_quiet()
    assert [r["ResultCode"] for r in shop.results] == [1037]


def test_a_prompt_ends_once(person, shop):
    person.push()
    person.simulator.cancel(PHONE)

    with pytest.raises(ControlError, match="no longer open"):
        person.simulator.enter_pin(PHONE)
    person.simulator.advance(61)
    person.simulator.wait_until_quiet()
    assert [r["ResultCode"] for r in shop.results] == [1032]


def test_a_pin_meant_for_an_older_prompt_does_not_pay_the_newer(person):
    older = person.push().json()["CheckoutRequestID"]
    person.simulator.cancel(PHONE)
    person.push(amount=9)

    with pytest.raises(ControlError, match="no longer open"):
        person.simulator.control.enter_pin(PHONE, "1234", older)

    assert person.simulator.phone(PHONE)["rings"]
    assert person.simulator.books()["received"] == 0


def test_the_minute_of_an_older_prompt_does_not_end_the_newer(person, shop):
    person.push()
    person.simulator.cancel(PHONE)
    person.simulator.advance(30)
    person.push(amount=9)

    person.simulator.advance(30)

    assert person.simulator.wait_until_quiet()
    assert person.simulator.phone(PHONE)["prompt"]["amount"] == 9
    assert [r["ResultCode"] for r in shop.results] == [1032]


def test_a_freed_phone_rings_again(person):
    person.push()
    person.simulator.cancel(PHONE)

    assert person.push(amount=9).status_code == 200


def test_a_payment_is_confirmed_by_sms(person):
    person.push()
    receipt = person.simulator.enter_pin(PHONE)["receipt"]

    [message] = person.simulator.phone(PHONE)["inbox"]
    assert message["paid"] is True
    assert re.fullmatch(
        rf"{receipt} Confirmed\. KES 1,500\.00 paid to O-MACHE, Account no\. ABC123, "
        r"on \d\d/\d\d/\d\d at \d\d:\d\d [AP]M\. Your M-PESA balance is KES 98,500\.00\.",
        message["text"],
    )


def test_a_failure_is_explained_by_sms(person):
    person.push()
    person.simulator.cancel(PHONE)

    [message] = person.simulator.phone(PHONE)["inbox"]
    assert message["paid"] is False
    assert message["text"] == (
        "Failed: you cancelled the request. KES 1,500.00 was not paid to O-MACHE, "
        "Account no. ABC123. Your M-PESA balance is still KES 100,000.00."
    )


def test_the_phone_rung_last_is_listed_first(person):
    person.push(phone="254700000100")
    person.push(phone="254700000200")

    listed = [phone["phone"] for phone in person.simulator.control.phones()]
    assert listed == ["254700000200", "254700000100"]


def test_the_page_is_one_file_that_runs_nothing_but_its_own_script(simulator):
    page = requests.get(simulator.url + "/", timeout=PATIENCE)

    policy = page.headers["Content-Security-Policy"]
    [nonce] = set(re.findall(r"'nonce-([^']+)'", policy))
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert page.text.count(f'nonce="{nonce}"') == 2
    assert not re.findall(r'(?:src|href)="(?!data:,|/control/|/mails/)', page.text)
    assert not re.findall(r"\{(css|js|nonce)\}|innerHTML|https?://", page.text)


def test_the_page_is_another_page_each_time_for_its_nonce(simulator):
    pages = [requests.get(simulator.url + "/", timeout=PATIENCE).text for _ in range(2)]

    assert pages[0] != pages[1]


def test_the_page_has_messages_a_way_to_pay_and_a_statement(simulator):
    page = requests.get(simulator.url + "/", timeout=PATIENCE).text

    assert re.findall(r'data-view="(\w+)"', page) == ["messages", "pay", "statement"]
    assert re.findall(r'id="view-(\w+)"', page) == ["messages", "pay", "statement"]


def test_money_that_comes_back_or_in_is_told_by_sms(person):
    paid = person.simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    person.reverse(paid["receipt"])
    person.pay_out()

    came_in, came_back, _ = person.simulator.phone(PHONE)["inbox"]
    assert came_back["text"].endswith("New M-PESA balance is KES 100,000.00.")
    assert came_in["text"].endswith("New M-PESA balance is KES 101,500.00.")
    assert came_in["paid"]
    assert [row["kind"] for row in person.simulator.statement(PHONE)] == ["b2c", "reversal", "c2b"]
