"""Whatever M-Pesa answers to a push, the attempt never claims more than is known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payments import clock
from payments.checkout.failures import staff_label
from payments.models import OrderPayment
from tests.shopping import cash_out, stock_of

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "0712345678"


def prompt_of(api, placed):
    order = api.get(f"/cashout/{placed.json()['order_token']}/").json()
    prompt = order["prompt"]
    return order["payment_status"], {name: prompt[name] for name in ("status", "message")}


def by_hand(placed):
    """The text added to a buyer's message about a finished prompt."""
    reference = placed.json()["reference"]
    return f" Or pay by hand: M-Pesa pay bill 174379, account {reference}, KES 3,000."


@pytest.mark.parametrize(
    ("refuse", "says"),
    [
        (
            "locked",
            "This phone has another M-Pesa prompt open. Close it and try again in a minute.",
        ),
        ("busy", "M-Pesa is very busy. Try again in a minute."),
        ("no_merchant", "M-Pesa cannot take payments for us right now. We are on it."),
        ("refused_in_200", "M-Pesa did not accept the request. Try again in a minute."),
    ],
)
def test_a_clear_no_ends_the_attempt_and_another_may_follow_at_once(
    buyer_api, kettle, simulator, refuse, says
):
    simulator.script(refuse=refuse)

    placed = cash_out(buyer_api, (kettle, 2))
    refused = prompt_of(buyer_api, placed)
    buyer_api.post(f"/cashout/{placed.json()['order_token']}/pay/")
    settled(simulator)

    assert placed.status_code == 201
    assert refused == (
        "requested",
        {
            "status": "failed",
            "message": says + by_hand(placed),
        },
    )
    assert prompt_of(buyer_api, placed)[0] == "paid"


@pytest.mark.parametrize("refuse", ["internal_error", "unavailable", "error_in_200"])
def test_an_unclear_no_is_not_taken_for_one(buyer_api, kettle, simulator, refuse):
    simulator.script(refuse=refuse)

    placed = cash_out(buyer_api, (kettle, 2))
    again = buyer_api.post(f"/cashout/{placed.json()['order_token']}/pay/")

    assert prompt_of(buyer_api, placed)[1] == {
        "status": "unknown",
        "message": (
            "If your phone shows a prompt, enter your M-Pesa PIN. We are checking the payment "
            "with M-Pesa."
        ),
    }
    assert (again.status_code, again.json()["code"]) == (409, "prompt_open")
    assert simulator.prompts() == []
    assert stock_of(kettle) == (5, 2)


@pytest.mark.parametrize("answer", ["nothing", "half", "html"])
def test_a_lost_answer_is_followed_by_no_second_push_and_the_callback_still_pays(
    buyer_api, kettle, simulator, answer
):
    simulator.script(answer=answer)

    placed = cash_out(buyer_api, (kettle, 2))
    settled(simulator)

    payment = OrderPayment.objects.get()
    assert len(simulator.prompts()) == 1
    assert prompt_of(buyer_api, placed)[0] == "paid"
    assert payment.checkout_request_id == simulator.prompts()[0]["checkout_request_id"]


def test_a_no_that_was_a_yes_is_overturned_by_its_callback(buyer_api, kettle, simulator):
    simulator.script(answer="error")

    placed = cash_out(buyer_api, (kettle, 2))
    settled(simulator)

    assert prompt_of(buyer_api, placed)[0] == "paid"


def test_a_token_that_is_no_longer_good_is_renewed_without_the_buyer_noticing(
    buyer_api, kettle, simulator
):
    simulator.script(invalidate_token=True)

    placed = cash_out(buyer_api, (kettle, 2))
    settled(simulator)

    assert len(simulator.prompts()) == 1
    assert prompt_of(buyer_api, placed)[0] == "paid"


def test_m_pesa_out_of_reach_leaves_the_order_waiting(buyer_api, kettle, settings):
    settings.DARAJA_BASE_URL = "http://127.0.0.1:9"

    placed = cash_out(buyer_api, (kettle, 2), key="k-1")
    again = cash_out(buyer_api, (kettle, 2), key="k-1")
    waiting = prompt_of(buyer_api, placed)
    clock.run_periodic(timezone.now() + timedelta(seconds=61))

    assert (placed.status_code, again.status_code) == (201, 201)
    assert again.json()["order_token"] == placed.json()["order_token"]
    assert waiting == ("requested", TO_BE_RESENT)
    assert prompt_of(buyer_api, placed) == (
        "requested",
        {
            "status": "failed",
            "message": "M-Pesa cannot be reached right now. Try again in a minute."
            + by_hand(placed),
        },
    )
    assert stock_of(kettle) == (5, 2)


TO_BE_RESENT = {
    "status": "requested",
    "message": "M-Pesa has not accepted our request yet. We will retry within a minute.",
}
LATER = timedelta(seconds=11)


@pytest.mark.parametrize("refuse", ["too_many_requests", "spike_arrest"])
def test_the_clock_resends_an_attempt_m_pesa_certainly_did_not_accept(
    buyer_api, kettle, simulator, refuse
):
    simulator.script(refuse=refuse)

    placed = cash_out(buyer_api, (kettle, 2))
    waiting = prompt_of(buyer_api, placed)
    clock.run_periodic(timezone.now() + timedelta(seconds=5))
    too_soon = len(simulator.prompts())
    clock.run_periodic(timezone.now() + LATER)
    settled(simulator)

    assert waiting == ("requested", TO_BE_RESENT)
    assert (too_soon, len(simulator.prompts())) == (0, 1)
    assert prompt_of(buyer_api, placed)[0] == "paid"


def test_a_buyer_who_retries_does_not_wait_for_the_clock(buyer_api, kettle, simulator):
    simulator.script(refuse="spike_arrest")
    placed = cash_out(buyer_api, (kettle, 2))

    again = buyer_api.post(f"/cashout/{placed.json()['order_token']}/pay/")
    settled(simulator)
    clock.run_periodic(timezone.now() + LATER)

    assert again.status_code == 200
    assert len(simulator.prompts()) == 1
    assert prompt_of(buyer_api, placed)[0] == "paid"
    assert list(OrderPayment.objects.order_by("pk").values_list("status", "result_code")) == [
        ("failed", "refused.busy_gateway"),
        ("confirmed", "0"),
    ]


def test_a_token_that_others_keep_ending_is_never_shown_to_the_buyer_as_a_fault(
    buyer_api, kettle, simulator
):
    """Whoever else uses the key, nothing was processed: the prompt goes a little later."""
    for _ in range(4):
        simulator.script(invalidate_token=True)

    placed = cash_out(buyer_api, (kettle, 2))
    waiting = prompt_of(buyer_api, placed)
    clock.run_periodic(timezone.now() + LATER)
    settled(simulator)

    assert waiting == ("requested", TO_BE_RESENT)
    assert len(simulator.prompts()) == 1
    assert prompt_of(buyer_api, placed)[0] == "paid"


def test_a_token_that_is_never_taken_leaves_the_order_payable_and_blames_nobody(
    buyer_api, kettle, simulator
):
    for _ in range(8):
        simulator.script(invalidate_token=True)
    placed = cash_out(buyer_api, (kettle, 2))
    clock.run_periodic(timezone.now() + timedelta(seconds=61))
    over = prompt_of(buyer_api, placed)

    again = buyer_api.post(f"/cashout/{placed.json()['order_token']}/pay/")
    settled(simulator)

    assert over == (
        "requested",
        {
            "status": "failed",
            "message": "We could not send the payment prompt in time. Try again." + by_hand(placed),
        },
    )
    assert OrderPayment.objects.earliest("pk").result_code == "local.not_sent"
    assert again.status_code == 200
    assert prompt_of(buyer_api, placed)[0] == "paid"


def test_a_wrong_consumer_secret_is_reported_to_staff_as_settings(
    buyer_api, kettle, simulator, settings
):
    settings.DARAJA_CONSUMER_SECRET = "not-the-secret"

    placed = cash_out(buyer_api, (kettle, 2))

    payment = OrderPayment.objects.get()
    assert (payment.status, payment.result_code) == ("failed", "refused.configuration")
    assert staff_label(payment.result_code) == (
        "Not accepted: the shop’s own M-Pesa account or settings"
    )
    assert prompt_of(buyer_api, placed)[0] == "requested"


def test_the_phone_is_told_the_amount_and_reference_and_the_gateway_a_secret_address(
    buyer_api, kettle, simulator, settings
):
    placed = cash_out(buyer_api, (kettle, 2)).json()

    (prompt,) = simulator.prompts()
    payment = OrderPayment.objects.get()
    assert (prompt["amount"], prompt["phone"]) == (3000, "254712345678")
    assert prompt["reference"] == placed["reference"]
    assert prompt["callback_url"] == (
        f"{settings.DARAJA_CALLBACK_BASE_URL}/safwebhook/{payment.callback_token}/"
    )
    settled(simulator)


def test_every_attempt_has_an_address_of_its_own(buyer_api, kettle, simulator):
    placed = cash_out(buyer_api, (kettle, 2), phone="0712341032").json()
    settled(simulator)
    buyer_api.post(f"/cashout/{placed['order_token']}/pay/", {"mpesa_number": "0733000111"})
    settled(simulator, events=2)

    first, second = simulator.prompts()
    assert first["callback_url"] != second["callback_url"]
