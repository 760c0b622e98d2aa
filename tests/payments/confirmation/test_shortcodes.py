"""Payments to a pay bill number that the shop no longer has."""

import pytest

from orders.fulfilment import move_line
from payments.evidence import request_confirmation
from payments.models import (
    Receipt,
    Refund,
)
from tests.factories import UserFactory
from tests.payments.bodies import post, success

from .actions import NUMBER, answer_query, run_clock


@pytest.fixture
def paid_before(client, payment, settings):
    """A prompt of KES 3,000 was paid to 174379; since then the shop's number is 600999."""
    post(client, payment, success(payment, receipt=NUMBER))
    assert settings.DARAJA_SHORTCODE == "174379"
    settings.DARAJA_SHORTCODE = settings.DARAJA_PARTY_B = "600999"
    receipt = Receipt.objects.get()
    request_confirmation([receipt])
    return receipt


def test_a_payment_to_the_previous_short_code_is_confirmed(paid_before, order):
    answer_query(paid_before, CreditPartyName="174379 - O-Mache")

    order.refresh_from_db()
    assert (paid_before.verification, order.in_doubt) == ("confirmed", False)


def test_a_payment_to_a_short_code_that_was_never_ours_is_in_doubt(paid_before, order):
    answer_query(paid_before, CreditPartyName="600998 - Another Shop")

    order.refresh_from_db()
    assert (paid_before.verification, order.in_doubt) == ("doubted", True)


def test_a_payment_to_the_previous_short_code_is_reversed_there(paid_before, order, daraja):
    answer_query(paid_before, CreditPartyName="174379 - O-Mache")
    move_line(
        order.tracks.get().pk, "cancelled", actor=UserFactory(is_superuser=True), note="Broken."
    )

    run_clock()
    Refund.objects.update(reversal_conversation_id="ours-1")
    run_clock(1)

    assert [sent["shortcode"] for sent in daraja.reversals] == ["174379"]
    assert daraja.questions[-1]["shortcode"] == "174379"
