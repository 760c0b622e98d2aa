"""Every way an order and its prompt can stand has words for the buyer."""

import pytest

from orders.models import PaymentStatus
from payments.checkout.failures import (
    NOT_ON_STATEMENT,
    NOT_SENT,
    PHONE_BUSY,
    RATE_LIMITED,
    TOO_MANY_PHONES,
)
from payments.checkout.messages import describe_prompt
from payments.daraja.errors import Refusal
from payments.daraja.result_codes import STK_FAILURES
from payments.models import AttemptStatus

#: Kinds of refusal of which a buyer reads; that addresses are registered already is none of them,
#: and a token is the shop's own affair.
REFUSED = [
    f"refused.{kind}" for kind in Refusal if kind not in {Refusal.ALREADY_REGISTERED, Refusal.TOKEN}
]
#: PHONE_BUSY has the words of RATE_LIMITED: what others ask of a phone is nobody's to know.
OURS = [NOT_SENT, RATE_LIMITED, TOO_MANY_PHONES, NOT_ON_STATEMENT, *REFUSED]
M_PESA = {"provider": "M-Pesa", "pay_bill": "174379", "account": "SFA7KQ", "amount": 3000}
EQUITY = {"provider": "Equity Bank", "pay_bill": "247247", "account": "0180#SFA7KQ"}


def told(order, payment, *, due=3000, ways=()):
    return describe_prompt(order, payment, due=due, options=ways)


@pytest.mark.parametrize("code", [*OURS, *STK_FAILURES, "0", "7777"])
def test_every_failure_says_what_to_do_next(order, payment, code):
    payment.status, payment.live, payment.result_code = AttemptStatus.FAILED, False, code

    prompt = told(order, payment)

    assert prompt["status"] == "failed"
    assert prompt["message"].endswith((".", "!"))
    assert code not in prompt["message"].split()


def test_every_refusal_has_words_of_its_own(order, payment):
    payment.status, payment.live = AttemptStatus.FAILED, False
    said = set()
    for payment.result_code in OURS:
        said.add(told(order, payment)["message"])

    # Two kinds mean the same to a buyer only where they are ours to put right.
    assert len(said) == len(OURS)


def test_nobody_reads_from_a_refusal_whether_others_have_a_phone_rung(order, payment):
    payment.status, payment.live = AttemptStatus.FAILED, False

    payment.result_code = PHONE_BUSY
    busy = told(order, payment)
    payment.result_code = RATE_LIMITED

    assert told(order, payment) == busy


@pytest.mark.parametrize("status", AttemptStatus)
@pytest.mark.parametrize("live", [True, False])
def test_every_stand_of_an_attempt_is_told(order, payment, status, live):
    payment.status, payment.live = status, live

    assert told(order, payment)["message"]


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s != PaymentStatus.REQUESTED])
def test_every_end_of_an_order_is_told(order, payment, status):
    order.payment_status = status

    assert told(order, payment)["message"]


def test_before_the_first_attempt_there_is_none(order):
    assert told(order, None) == {"status": "none", "message": "Try again."}


def test_a_prompt_that_lapsed_asks_for_patience(order, payment):
    payment.live = False

    assert told(order, payment)["message"] == (
        "We have not heard from M-Pesa yet. If you entered your PIN, wait: we keep asking. "
        "If you did not, try again."
    )


@pytest.mark.parametrize("status", ["failed", "submitted"])
def test_once_the_prompt_is_over_the_way_by_hand_is_told(order, payment, status):
    payment.status, payment.live, payment.result_code = status, False, "1032"

    message = told(order, payment, ways=[M_PESA])["message"]

    assert message.endswith(" Or pay by hand: M-Pesa pay bill 174379, account SFA7KQ, KES 3000.")


def test_a_second_way_by_hand_is_told_after_the_first(order, payment):
    payment.status, payment.live, payment.result_code = "failed", False, "1032"

    message = told(order, payment, ways=[M_PESA, EQUITY | {"amount": 3000}])["message"]

    assert message == (
        "You cancelled on your phone. Try again when you are ready. "
        "Or pay by hand: M-Pesa pay bill 174379, account SFA7KQ, KES 3000. "
        "Or Equity Bank pay bill 247247, account 0180#SFA7KQ."
    )


@pytest.mark.parametrize("due", [3000, 2000])
def test_while_the_phone_rings_nothing_but_the_prompt_is_told(order, payment, due):
    message = told(order, payment, due=due, ways=[M_PESA])["message"]

    assert message == "Look at your phone and enter your M-Pesa PIN."


@pytest.mark.parametrize("status", ["failed", "confirmed", "submitted"])
def test_what_is_missing_is_told_whatever_the_prompt_came_to(order, payment, status):
    payment.status, payment.live = status, False

    message = told(order, payment, due=2000, ways=[M_PESA | {"amount": 2000}])["message"]

    assert message == (
        "KES 1000 of KES 3000 came. Pay the missing KES 2000 before the time is over. "
        "Or pay by hand: M-Pesa pay bill 174379, account SFA7KQ, KES 2000."
    )


def test_a_closed_order_names_no_way_to_pay(order, payment):
    order.payment_status = PaymentStatus.EXPIRED

    message = told(order, payment, due=0, ways=[M_PESA])["message"]

    assert message == "The time to pay is over and the goods are free again. Cash out anew."
