"""The shop's short codes change in the settings while money that leaves is under way."""

import pytest
from django.utils import timezone

from orders.fulfilment import move_line
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.disbursement import process_payout, process_refund
from payments.models import Payout, Refund
from payments.payouts.allocation import create_payouts
from tests.factories import UserFactory
from tests.orders.lines import line_at

from .bodies import post, success
from .paying_out import post_status_result


@pytest.fixture
def moved(settings):
    """Call to change the short codes in the settings."""

    def change():
        settings.DARAJA_SHORTCODE = settings.DARAJA_PARTY_B = "600999"
        settings.DARAJA_B2C_SHORTCODE = "600888"

    return change


def too_many(asked):
    raise DarajaRefused("Too many requests", code="429", kind=DarajaRefusal.BUSY_GATEWAY)


def queried(process, row, daraja):
    """The next question to M-Pesa about a row."""
    type(row).objects.filter(pk=row.pk).update(next_check_at=timezone.now())
    process(row.pk)
    row.refresh_from_db()
    return daraja.questions[-1]


@pytest.fixture
def payout(buyer, kettle, daraja):
    """A payout that left, whose answer was lost."""
    line_at("fetched", buyer=buyer, product=kettle)
    create_payouts(kettle.seller_id)
    payout = Payout.objects.get()
    process_payout(payout.pk)
    payout.refresh_from_db()
    assert (payout.status, payout.shortcode) == ("sent", "600000")
    Payout.objects.update(status="unknown")
    return payout


def test_a_payout_is_asked_about_at_the_short_code_it_was_sent_from(payout, moved, daraja):
    moved()

    question = queried(process_payout, payout, daraja)

    assert question["shortcode"] == "600000"
    assert question["originator_conversation_id"] == payout.originator_conversation_id


def test_a_payout_m_pesa_does_not_know_is_not_sent_again_from_another_short_code(
    payout, moved, daraja
):
    moved()
    post_status_result(payout, code="SFC_IC0003")
    event = payout.events.get()
    assert event.note == ("M-Pesa does not know it. It was sent from 600000: look on its portal.")

    queried(process_payout, payout, daraja)

    assert (len(daraja.payouts), payout.status) == (1, "unknown")


def test_a_payout_found_unknown_before_the_change_is_not_sent_again_after_it(payout, moved, daraja):
    post_status_result(payout, code="SFC_IC0003")
    moved()

    queried(process_payout, payout, daraja)

    assert (len(daraja.payouts), payout.status) == (1, "unknown")


def test_a_payout_that_m_pesa_did_not_accept_leaves_from_the_new_short_code(
    buyer, kettle, moved, daraja
):
    line_at("fetched", buyer=buyer, product=kettle)
    create_payouts(kettle.seller_id)
    payout = Payout.objects.get()
    daraja.on_pay = too_many
    process_payout(payout.pk)
    payout.refresh_from_db()
    assert (payout.status, payout.shortcode) == ("due", "")
    daraja.on_pay = lambda asked: None
    moved()

    Payout.objects.update(next_check_at=timezone.now())
    process_payout(payout.pk)

    payout.refresh_from_db()
    assert (payout.status, payout.shortcode) == ("sent", "600888")


def test_a_reversal_is_sent_again_and_asked_about_at_the_short_code_that_was_paid(
    client, payment, order, moved, daraja
):
    post(client, payment, success(payment, receipt="SGL7654321"))
    for line in order.tracks.all():
        move_line(line.pk, "cancelled", actor=UserFactory(is_superuser=True), note="They broke.")
    refund = Refund.objects.get()
    process_refund(refund.pk)
    refund.refresh_from_db()
    assert (refund.way, refund.status, refund.shortcode) == ("reversal", "sent", "174379")
    moved()

    assert queried(process_refund, refund, daraja)["shortcode"] == "174379"
    Refund.objects.update(status="unknown", next_check_at=timezone.now())
    process_refund(refund.pk)
    assert [each["shortcode"] for each in daraja.reversals] == ["174379", "174379"]
