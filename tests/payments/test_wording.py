"""Every way an order and its prompt can stand has words for the buyer."""

import pytest

from orders.models import PaymentStatus
from payments.daraja.codes import TERMINAL_FAILURES
from payments.daraja.errors import Refusal
from payments.models import AttemptStatus
from payments.prompts import NOT_SENT, PESTERED, PHONE_BUSY
from payments.wording import describe_prompt

OURS = [NOT_SENT, PHONE_BUSY, PESTERED, *(f"refused.{kind}" for kind in Refusal)]


@pytest.mark.parametrize("code", [*OURS, *TERMINAL_FAILURES, "0", "7777"])
def test_every_failure_says_what_to_do_next(order, payment, code):
    payment.status, payment.live, payment.result_code = AttemptStatus.FAILED, False, code

    prompt = describe_prompt(order, payment)

    assert prompt["status"] == "failed"
    assert prompt["message"].endswith((".", "!"))
    assert code not in prompt["message"].split()


def test_every_refusal_has_words_of_its_own(order, payment):
    payment.status, payment.live = AttemptStatus.FAILED, False
    said = set()
    for payment.result_code in OURS:
        said.add(describe_prompt(order, payment)["message"])

    # Two kinds mean the same to a buyer only where they are ours to put right.
    assert len(said) == len(OURS)


@pytest.mark.parametrize("status", AttemptStatus)
@pytest.mark.parametrize("live", [True, False])
def test_every_stand_of_an_attempt_is_told(order, payment, status, live):
    payment.status, payment.live = status, live

    assert describe_prompt(order, payment)["message"]


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s != PaymentStatus.REQUESTED])
def test_every_end_of_an_order_is_told(order, payment, status):
    order.payment_status = status

    assert describe_prompt(order, payment)["message"]


def test_before_the_first_attempt_there_is_none(order):
    assert describe_prompt(order, None) == {"status": "none", "message": "Try again."}


def test_a_prompt_that_lapsed_asks_for_patience(order, payment):
    payment.live = False

    assert describe_prompt(order, payment)["message"] == (
        "We have not heard from M-Pesa yet. If you entered your PIN, wait: we keep asking. "
        "If you did not, try again."
    )
