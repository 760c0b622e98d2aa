"""The shop's short codes change in the settings while requests sent with the old ones are open."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payments.backoffice import receipt_services as money_in
from payments.checkout.stk_push import send_stk_push
from payments.evidence import request_confirmation
from payments.models import OrderPayment, Receipt, StatementPull
from payments.reconciliation.statement_pull import fail_attempts_not_on_statement, pull_statement
from tests.factories import UserFactory
from tests.payments.bodies import post, success

from .actions import answer, run_clock

PAID = "SGL7654321"
OLD, NEW = "174379", "600999"


@pytest.fixture
def moved(settings):
    """Call to change the short codes in the settings."""

    def change():
        settings.DARAJA_SHORTCODE = settings.DARAJA_PARTY_B = NEW

    return change


@pytest.fixture
def rung(order, daraja):
    """The order's attempt, sent to its phone."""
    send_stk_push(order.pk)
    return order.payments.get()


def test_a_prompt_keeps_the_short_code_it_was_sent_with(rung, moved):
    moved()

    assert OrderPayment.objects.get().shortcode == OLD


@pytest.mark.parametrize(("party_b", "sent_with"), [("", "174379"), ("600111", "600111")])
def test_a_prompt_at_a_till_keeps_the_till_that_is_paid(
    order, daraja, settings, party_b, sent_with
):
    settings.DARAJA_PARTY_B = party_b

    send_stk_push(order.pk)

    assert OrderPayment.objects.get().shortcode == sent_with


def test_its_payment_is_asked_about_and_confirmed_at_the_old_short_code(
    client, rung, order, moved, daraja
):
    moved()
    post(client, rung, success(rung, receipt=PAID))
    receipt = Receipt.objects.get()
    assert list(receipt.evidence.values_list("source", "shortcode")) == [("callback", OLD)]

    request_confirmation([receipt])
    run_clock(1)
    assert daraja.questions[-1]["shortcode"] == OLD
    answer(receipt, CreditPartyName=f"{OLD} - O-Mache")

    receipt.refresh_from_db()
    order.refresh_from_db()
    assert (receipt.verification, order.in_doubt) == ("confirmed", False)


def test_its_payment_that_staff_recorded_is_asked_about_at_the_old_short_code(
    rung, order, moved, daraja
):
    moved()
    staff = UserFactory(is_superuser=True)
    OrderPayment.objects.update(live=False)
    money_in.mark_attempt_paid(rung.pk, number=PAID, by=staff)
    receipt = Receipt.objects.get()

    run_clock(1)
    assert daraja.questions[-1]["shortcode"] == OLD
    answer(receipt, CreditPartyName=f"{OLD} - O-Mache")

    receipt.refresh_from_db()
    assert receipt.verification == "confirmed"


def test_what_staff_recorded_without_a_prompt_may_have_been_paid_to_the_old_short_code(
    rung, moved, daraja
):
    receipt = money_in.record_seen_receipt(
        number="SGL0000009", amount=700, reference="", by=UserFactory(is_superuser=True)
    )
    moved()

    run_clock(1)
    answer(receipt, CreditPartyName=f"{OLD} - O-Mache")

    receipt.refresh_from_db()
    assert receipt.verification == "confirmed"


def test_a_number_that_no_prompt_was_paid_to_is_not_the_shop_s(rung, moved, daraja):
    receipt = money_in.record_seen_receipt(
        number="SGL0000009", amount=700, reference="", by=UserFactory(is_superuser=True)
    )
    moved()

    run_clock(1)
    answer(receipt, CreditPartyName="555555 - Somebody")

    receipt.refresh_from_db()
    assert receipt.verification == "doubted"


@pytest.fixture
def forsaken(rung):
    """M-Pesa has reported nothing for 27 hours and is no longer asked."""
    at = timezone.now() - timedelta(hours=27)
    OrderPayment.objects.update(rung_at=at, created_at=at, live=False, next_check_at=None)
    return rung


def ended(now):
    return fail_attempts_not_on_statement(now), OrderPayment.objects.get().status


def test_the_statement_of_the_new_short_code_does_not_end_a_prompt_of_the_old(
    forsaken, moved, daraja
):
    moved()
    now = timezone.now()
    OrderPayment.objects.update(checks=10, checked_at=now)
    pull_statement(now)
    [pull] = StatementPull.objects.all()
    assert (pull.shortcode, pull.read_until) == (NEW, now)

    assert ended(now) == (0, "submitted")


def test_the_statement_of_the_old_short_code_still_ends_a_prompt_of_the_old(
    forsaken, moved, daraja
):
    now = timezone.now()
    OrderPayment.objects.update(checks=10, checked_at=now)
    pull_statement(now)
    moved()
    pull_statement(now)

    assert ended(now) == (1, "failed")


def test_the_statement_is_kept_by_the_short_code_it_is_of(daraja, settings, db):
    settings.DARAJA_PARTY_B = "600111"

    pull_statement(timezone.now())

    assert StatementPull.objects.get().shortcode == "600111"
