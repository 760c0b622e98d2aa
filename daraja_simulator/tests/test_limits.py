"""Limits of the real service."""

from .caller import PHONE


def codes(shop):
    return [result["ResultCode"] for result in shop.results]


def test_a_strict_simulator_answers_five_queries_a_minute(daraja_with):
    daraja = daraja_with(queries_per_minute=5)
    checkout_id = daraja.pay()

    statuses = [daraja.query(checkout_id).status_code for _ in range(6)]
    refused = daraja.query(checkout_id).json()
    daraja.simulator.advance(61)

    assert statuses == [200] * 5 + [429]
    assert refused["fault"]["detail"]["errorcode"] == "policies.ratelimit.SpikeArrestViolation"
    assert daraja.query(checkout_id).status_code == 200


def test_queries_are_not_limited_unless_asked(daraja):
    checkout_id = daraja.pay()

    assert {daraja.query(checkout_id).status_code for _ in range(12)} == {200}


def test_a_phone_moves_half_a_million_a_day_and_no_more(daraja_with, shop):
    daraja = daraja_with(wallet=1_000_000)
    for amount in (250_000, 249_999, 2, 1):
        daraja.pay(amount=amount)

    assert codes(shop) == [0, 0, 4, 0]
    assert daraja.simulator.books()["received"] == 500_000


def test_the_next_day_begins_at_nothing(daraja_with, shop):
    daraja = daraja_with(daily_limit=1500)
    daraja.pay()
    daraja.pay(amount=1)
    daraja.simulator.advance(24 * 3600)
    daraja._token = None
    daraja.pay(amount=2)

    assert codes(shop) == [0, 4, 0]


def test_a_prompt_too_long_for_a_sim_ends_with_1025(daraja_with, shop):
    for length in (104, 105):
        daraja = daraja_with(merchant_name="X" * length)
        daraja.pay(AccountReference="ABCDEFGHIJKL", amount=100_000)

    assert codes(shop) == [0, 1025]


def test_three_wrong_pins_at_prompts_lock_the_phone(daraja_with, shop):
    daraja = daraja_with(default="person", pin_tries=3, similar_within=0)
    for pin in ("0", "0", "0", "1234", "0"):
        daraja.push()
        daraja.simulator.enter_pin(PHONE, pin)
        daraja.simulator.wait_until_quiet()

    assert codes(shop) == [2001, 2001, 2001, 8006, 8006]
    daraja.simulator.unlock_pin(PHONE)
    daraja.push()
    assert daraja.simulator.enter_pin(PHONE)["result_code"] == "0"


def test_a_right_pin_makes_the_wrong_ones_forgotten(daraja_with, shop):
    daraja = daraja_with(default="person", pin_tries=2, similar_within=0)
    for pin in ("0", "1234", "0", "1234"):
        daraja.push()
        daraja.simulator.enter_pin(PHONE, pin)
        daraja.simulator.wait_until_quiet()

    assert codes(shop) == [2001, 0, 2001, 0]
