"""Every status of an order and its prompt has a message for the buyer."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from orders.models import PaymentStatus
from payments.checkout import messages
from payments.checkout.failures import (
    FAILURES,
    NOT_ON_STATEMENT,
    NOT_SENT,
    PHONE_BUSY,
    RATE_LIMITED,
    TOO_MANY_PHONES,
    failure_code,
)
from payments.checkout.messages import describe_prompt
from payments.daraja.errors import DarajaRefusal
from payments.daraja.result_codes import STK_FAILURES
from payments.models import AttemptStatus

#: Kinds of refusal of which a buyer reads; that addresses are registered already is none of them,
#: and a token is the shop's own affair.
REFUSED = [
    f"refused.{kind}"
    for kind in DarajaRefusal
    if kind not in {DarajaRefusal.ALREADY_REGISTERED, DarajaRefusal.TOKEN}
]
#: PHONE_BUSY has the words of RATE_LIMITED: what others ask of a phone is nobody's to know.
OURS = [NOT_SENT, RATE_LIMITED, TOO_MANY_PHONES, NOT_ON_STATEMENT, *REFUSED]
M_PESA = {"provider": "M-Pesa", "pay_bill": "174379", "account": "SFA7KQ", "amount": 3000}
EQUITY = {"provider": "Equity Bank", "pay_bill": "247247", "account": "0180#SFA7KQ"}


def told(order, payment, *, due=3000, ways=(), **how):
    return describe_prompt(order, payment, due=due, options=ways, **how)


@pytest.mark.parametrize("code", [*OURS, *STK_FAILURES, "0", "7777"])
def test_every_failure_says_what_to_do_next(order, payment, code):
    payment.status, payment.live, payment.result_code = AttemptStatus.FAILED, False, code

    prompt = told(order, payment)

    assert prompt["status"] == "failed"
    assert prompt["message"].endswith((".", "!"))
    assert code not in prompt["message"].split()


def test_every_refusal_has_its_own_message(order, payment):
    payment.status, payment.live = AttemptStatus.FAILED, False
    said = set()
    for payment.result_code in OURS:
        said.add(told(order, payment)["message"])

    # Two kinds mean the same to a buyer only where they are ours to put right.
    assert len(said) == len(OURS)


def test_a_refusal_does_not_reveal_prompts_of_others(order, payment):
    payment.status, payment.live = AttemptStatus.FAILED, False

    payment.result_code = PHONE_BUSY
    busy = told(order, payment)
    payment.result_code = RATE_LIMITED

    assert told(order, payment) == busy


@pytest.mark.parametrize("status", AttemptStatus)
@pytest.mark.parametrize("live", [True, False])
def test_every_status_of_an_attempt_has_a_message(order, payment, status, live):
    payment.status, payment.live = status, live

    assert told(order, payment)["message"]


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s != PaymentStatus.REQUESTED])
def test_every_end_of_an_order_has_a_message(order, payment, status):
    order.payment_status = status

    assert told(order, payment)["message"]


def test_before_the_first_attempt_there_is_none(order):
    assert told(order, None) == {
        "status": "none",
        "message": "Try again.",
        "code": "try_again",
        "text": "Try again.",
        "by_hand": "",
        "live": False,
        "rung_at": None,
        "ring_again_in": 0,
        "expires_in": None,
    }


def test_a_prompt_that_lapsed_asks_for_patience(order, payment):
    payment.live = False

    assert told(order, payment)["message"] == (
        "We have not heard from M-Pesa yet. If you entered your PIN, please wait while we check. "
        "If you did not, try again."
    )


@pytest.mark.parametrize("status", ["failed", "submitted"])
def test_once_the_prompt_is_over_the_manual_way_to_pay_is_shown(order, payment, status):
    payment.status, payment.live, payment.result_code = status, False, "1032"

    message = told(order, payment, ways=[M_PESA])["message"]

    assert message.endswith(" Or pay by hand: M-Pesa pay bill 174379, account SFA7KQ, KES 3,000.")


def test_a_second_manual_way_to_pay_is_shown_after_the_first(order, payment):
    payment.status, payment.live, payment.result_code = "failed", False, "1032"

    message = told(order, payment, ways=[M_PESA, EQUITY | {"amount": 3000}])["message"]

    assert message == (
        "You cancelled on your phone. Try again when you are ready. "
        "Or pay by hand: M-Pesa pay bill 174379, account SFA7KQ, KES 3,000. "
        "Or Equity Bank pay bill 247247, account 0180#SFA7KQ."
    )


@pytest.mark.parametrize("due", [3000, 2000])
def test_while_a_prompt_is_open_only_the_prompt_is_shown(order, payment, due):
    message = told(order, payment, due=due, ways=[M_PESA])["message"]

    assert message == "Look at your phone and enter your M-Pesa PIN."


@pytest.mark.parametrize("status", ["failed", "confirmed", "submitted"])
def test_the_missing_amount_is_shown_whatever_the_prompts_result(order, payment, status):
    payment.status, payment.live = status, False

    message = told(order, payment, due=2000, ways=[M_PESA | {"amount": 2000}])["message"]

    assert message == (
        "We received KES 1,000 of KES 3,000. Pay the remaining KES 2,000 before the time runs out. "
        "Or pay by hand: M-Pesa pay bill 174379, account SFA7KQ, KES 2,000."
    )


def test_a_closed_order_names_no_way_to_pay(order, payment):
    order.payment_status = PaymentStatus.EXPIRED

    message = told(order, payment, due=0, ways=[M_PESA])["message"]

    assert message == (
        "The time to pay is over and the items are no longer reserved. "
        "Please place the order again."
    )


def test_the_manual_way_to_pay_is_a_separate_member(order, payment):
    payment.status, payment.live, payment.result_code = "failed", False, "1032"

    prompt = told(order, payment, ways=[M_PESA])

    assert prompt["text"] == "You cancelled on your phone. Try again when you are ready."
    assert prompt["by_hand"] == (
        "Or pay by hand: M-Pesa pay bill 174379, account SFA7KQ, KES 3,000."
    )
    assert prompt["message"] == f"{prompt['text']} {prompt['by_hand']}"


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("1032", "cancelled"),
        ("2001", "wrong_pin"),
        ("1", "no_money"),
        ("1037", "no_answer"),
        ("7777", "other"),
        ("refused.unreachable", "refused_unreachable"),
        (NOT_SENT, "not_sent"),
        (TOO_MANY_PHONES, "too_many_phones"),
    ],
)
def test_every_reason_has_a_code(order, payment, result, code):
    payment.status, payment.live, payment.result_code = "failed", False, result

    assert told(order, payment)["code"] == code


def test_the_seconds_until_the_next_prompt_count_down(order, payment):
    now = payment.rung_at + timedelta(seconds=30, microseconds=1)

    ringing = told(order, payment, now=now)
    payment.status, payment.live = "failed", False
    failed = told(order, payment, now=now)

    members = ("live", "rung_at", "ring_again_in", "expires_in")
    assert [ringing[name] for name in members] == [True, payment.rung_at, 90, 90]
    assert [failed[name] for name in members] == [False, payment.rung_at, 0, None]


def test_an_order_that_is_closed_or_over_is_never_rung_for_again(order, payment):
    over = told(order, payment, now=order.expires_at)
    order.payment_status = PaymentStatus.PAID

    assert (over["ring_again_in"], told(order, payment)["ring_again_in"]) == (None, None)


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s != PaymentStatus.REQUESTED])
def test_every_end_of_an_order_has_a_message_in_swahili(order, payment, status):
    order.payment_status = status

    english, swahili = told(order, payment), told(order, payment, language="sw")

    assert swahili["message"] != english["message"]
    assert swahili["code"] == english["code"]


def test_a_failed_prompt_is_told_in_swahili_with_the_way_by_hand(order, payment):
    payment.status, payment.live, payment.result_code = "failed", False, "1032"

    prompt = told(order, payment, ways=[M_PESA, EQUITY | {"amount": 3000}], language="sw")

    assert prompt["message"] == (
        "Umeghairi kwenye simu yako. Jaribu tena ukiwa tayari. "
        "Au lipa mwenyewe: Pay Bill ya M-Pesa 174379, akaunti SFA7KQ, KES 3,000. "
        "Au Pay Bill ya Equity Bank 247247, akaunti 0180#SFA7KQ."
    )


def test_the_storefront_knows_every_code_of_a_prompt_and_no_others():
    pay_page = Path(__file__).parents[2] / "storefront" / "src" / "checkout" / "prompt.ts"
    said = [*vars(messages).values(), *messages._CLOSED.values(), *messages._WAITING.values()]

    codes = {each.code for each in said if isinstance(each, messages.PromptText)}
    codes |= {failure_code(code) for code in FAILURES}

    assert set(re.findall(r"^  (\w+): (?:{|null|\")", pay_page.read_text(), re.MULTILINE)) == codes
