"""A callback is processed only by the handler of the secret URL it came to."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payments.models import GatewayEvent, Payout
from tests.orders.lines import line_at

from .bodies import post, success
from .paying_out import tick

NOBODYS = "f" * 32
QUEUE_TIMEOUT = {"CommandID": "BusinessPayment", "OriginatorConversationID": "omache-1"}
UNREADABLE = ("unreadable", None, None)


@pytest.fixture
def payout(buyer, kettle, daraja):
    """KES 1,500 on their way to a seller; nobody has said how that ended."""
    line_at("fetched", buyer=buyer, product=kettle)
    tick()
    Payout.objects.update(status="sent", next_check_at=timezone.now() + timedelta(hours=1))
    return Payout.objects.get()


def is_due(payout):
    """Whether it is time to ask M-Pesa about it."""
    return Payout.objects.due(timezone.now()).filter(pk=payout.pk).exists()


def result(payout, code=0):
    """The payout went through, or ended with another ``code``."""
    return {
        "Result": {
            "ResultCode": code,
            "ResultDesc": "As it was.",
            "OriginatorConversationID": payout.originator_conversation_id,
            "ConversationID": "AG_0",
            "TransactionID": "TKZ0000001",
        }
    }


def became():
    """The state of the last message, and the attempt it was matched to."""
    event = GatewayEvent.objects.latest("pk")
    return event.state, event.payment_id, event.payout_id


@pytest.mark.parametrize("address", ["callback_token", "status_token"])
def test_a_queue_timeout_at_either_address_of_a_payout_makes_us_ask(client, payout, address):
    post(client, None, QUEUE_TIMEOUT, token=getattr(payout, address))

    payout.refresh_from_db()
    assert became() == ("applied", None, payout.pk)
    assert (payout.status, is_due(payout)) == ("sent", True)


@pytest.mark.parametrize("code", [0, "2040"])
def test_a_result_at_an_attempts_address_ends_no_payout(client, payout, payment, code):
    post(client, payment, result(payout, code))

    payout.refresh_from_db()
    assert (became(), payout.status) == (UNREADABLE, "sent")


@pytest.mark.parametrize("address", ["callback_token", "status_token"])
def test_a_success_at_a_payouts_address_pays_no_order(client, payout, payment, address):
    post(client, payment, success(payment), token=getattr(payout, address))

    payment.refresh_from_db()
    payout.refresh_from_db()
    assert (became(), payment.status, payout.status) == (UNREADABLE, "submitted", "sent")


@pytest.mark.parametrize("token", ["", NOBODYS])
@pytest.mark.parametrize("message", ["result", "queue timeout"])
def test_about_money_that_leaves_nobodys_address_is_believed(client, payout, token, message):
    told = result(payout, "2040") if message == "result" else QUEUE_TIMEOUT

    post(client, None, told, token=token)

    payout.refresh_from_db()
    assert became() == ("unmatched", None, None)
    assert GatewayEvent.objects.latest("pk").note == "No refund or payout of ours has this address."
    assert (payout.status, is_due(payout)) == ("sent", False)


def test_an_unreadable_message_to_a_payouts_url_is_stored_with_the_reason(client, payout):
    post(client, None, {"Result": {"ResultCode": None}}, token=payout.callback_token)

    assert became() == UNREADABLE
    assert GatewayEvent.objects.latest("pk").note == "ResultCode is missing or is not a code."
