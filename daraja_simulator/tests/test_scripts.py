"""How outcomes are chosen, and their precedence."""

import pytest

PHONE = "254712345678"


def codes(shop):
    return [result["ResultCode"] for result in shop.results]


def test_a_script_for_the_next_request_works_once(daraja, shop):
    daraja.simulator.script(outcome="1032")
    daraja.pay(amount=1)
    daraja.pay(amount=2)

    assert codes(shop) == [1032, 0]


def test_the_queue_is_used_up_in_its_order(daraja, shop):
    for outcome in ("1", "2001"):
        daraja.simulator.script(outcome=outcome)
    for amount in (1, 2, 3):
        daraja.pay(amount=amount)

    assert codes(shop) == [1, 2001, 0]


def test_a_script_for_a_phone_works_until_reset(daraja, shop):
    daraja.simulator.script(phone="0712345678", outcome="cancelled")
    daraja.pay()
    daraja.pay()
    daraja.simulator.reset()
    daraja.pay()

    assert codes(shop) == [1032, 1032, 0]


def test_a_script_for_a_phone_can_be_limited(daraja, shop):
    daraja.simulator.script(phone=PHONE, outcome="1032", times=1)
    daraja.pay(amount=1)
    daraja.pay(amount=2)

    assert codes(shop) == [1032, 0]


def test_a_script_for_an_amount_leaves_other_amounts_alone(daraja, shop):
    daraja.simulator.script(amount=99, outcome="1032")
    daraja.pay(amount=98)
    daraja.pay(amount=99)

    assert codes(shop) == [0, 1032]


def test_a_script_can_be_for_one_amount_of_one_phone(daraja, shop):
    daraja.simulator.script(phone=PHONE, amount=99, outcome="1032")
    daraja.pay(amount=98)
    daraja.pay(amount=99, phone="254722000111")
    daraja.pay(amount=99)

    assert codes(shop) == [0, 0, 1032]


def test_the_queue_beats_the_phone_beats_the_amount_beats_magic(daraja, shop):
    phone = "254710001037"
    daraja.simulator.script(amount=99, outcome="4")
    daraja.simulator.script(phone=phone, outcome="1", times=1)
    daraja.simulator.script(outcome="1032")
    for amount in (99, 99, 99, 98):
        daraja.pay(phone=phone, amount=amount)

    assert codes(shop) == [1032, 1, 4, 1037]


def test_the_newest_script_for_a_phone_counts(daraja, shop):
    daraja.simulator.script(phone=PHONE, outcome="1")
    daraja.simulator.script(phone=PHONE, outcome="1032")
    daraja.pay()

    assert codes(shop) == [1032]


def test_a_script_that_names_no_outcome_leaves_it_to_the_number(daraja, shop):
    daraja.simulator.script(callbacks=2)
    daraja.pay(phone="254710001032")

    assert codes(shop) == [1032, 1032]


def test_a_scripted_outcome_beats_the_rule_of_two_minutes(daraja, shop):
    daraja.pay()
    daraja.simulator.script(outcome="success")
    daraja.pay()

    assert codes(shop) == [0, 0]


def test_a_scripted_result_can_have_words_of_its_own(daraja, shop):
    daraja.simulator.script(outcome="9999", desc="Something odd")
    checkout_id = daraja.pay()

    assert shop.results[0]["ResultDesc"] == "Something odd"
    assert daraja.query(checkout_id).json()["ResultDesc"] == "Something odd"


def test_the_default_can_be_a_failure(daraja_with, shop):
    daraja_with(default="1037").pay()

    assert codes(shop) == [1037]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"outcome": "sucess"}, "outcome must be one of"),
        ({"colour": "red"}, "unknown fields: colour"),
        ({"callbacks": -1}, "callbacks must be a whole number, 0 to 100"),
        ({"callbacks": True}, "callbacks must be a whole number, 0 to 100"),
        ({"callback_delay": "soon"}, "callback_delay must be 0 to 86400 seconds"),
        ({"answer": "never"}, "answer must be one of whole, half, nothing, html, error"),
        ({"shuffle": 1}, "shuffle must be true or false"),
        ({"refuse": "politely"}, "refuse must be one of"),
        ({"refuse": {"status": 20}}, "status must be a whole number, 200 to 599"),
        ({"refuse": {"content_type": "a\r\nb"}}, "content_type must be a single line"),
        (
            {"operation": "b2b"},
            "operation must be one of oauth, stk_push, stk_query, c2b_register, c2b",
        ),
        ({"operation": "b2c", "outcome": "person"}, "the outcome person is for stk_push only"),
        (
            {"operation": "b2c", "queue_timeout": "often"},
            "queue_timeout must be one of with_result",
        ),
        ({"phone": "12"}, "A phone number looks like"),
        ({"amount": "1"}, "amount must be a whole number, 1 to 250000"),
        ({"times": 0}, "times must be a whole number, 1 to 10000"),
    ],
)
def test_an_invalid_script_is_refused_with_a_message(simulator, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        simulator.script(**given)

    assert simulator.world.scripts.as_json() == []


def test_an_invalid_default_is_refused(make_simulator):
    with pytest.raises(ValueError, match="outcome must be one of"):
        make_simulator(default="sucess")
