"""A lookup by an id from outside never finds rows whose id is still empty.

The readers let no empty id through. These tests take them out of the way, or ask where people type.
"""

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from payments.admin import money_lookup
from payments.backoffice import transfer_services
from payments.backoffice.forms import ReceiptNumber
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.portal_statement import Movement
from payments.daraja.stk_callback import read_stk_callback
from payments.models import GatewayEvent, OrderPayment, Payout, Receipt, Refund, Withdrawal
from payments.payouts.allocation import create_payouts
from payments.reconciliation.receipts import find_receipt
from payments.reconciliation.returns import record_reversal_row
from payments.reconciliation.withdrawals import (
    CannotBeSettled,
    settle_again,
    settle_as_refund,
    take_in_withdrawal,
)
from payments.webhooks.receipt_status import find_receipt_query
from payments.webhooks.stk_callback import lock_payment
from payments.webhooks.transfer_result import find_transfer
from tests.orders.lines import line_at

from .bodies import post, success
from .conftest import ringing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

OTHERS = "0" * 32


@pytest.fixture
def unanswered(order):
    """An attempt M-Pesa was asked for and has not answered: it has no id."""
    payment = ringing(order.payments.get(), "")
    OrderPayment.objects.update(status="unknown", merchant_request_id="", checkout_request_id="")
    payment.refresh_from_db()
    return payment


@pytest.fixture
def unnamed(order):
    """A receipt without a number: a status query proved it."""
    payment = ringing(order.payments.get())
    post(Client(), payment, success(payment, receipt="SGL7654321"))
    Receipt.objects.update(number="")
    yield Receipt.objects.get()
    Receipt.objects.update(number="SGL7654321")


@pytest.fixture
def owed(buyer, kettle):
    """A payout and a refund that are due: neither has a number, or an id of M-Pesa's."""
    create_payouts(line_at("fetched", buyer=buyer, product=kettle).seller_id)
    line_at("cancelled", buyer=buyer, product=kettle)
    return Payout.objects.get(), Refund.objects.get()


@pytest.mark.parametrize("token", ["", OTHERS])
def test_a_callback_with_an_empty_request_id_finds_no_attempt_without_one(
    client, unanswered, monkeypatch, token
):
    """Not even where the reader would let it through."""
    told = success(unanswered, checkout="ws_CO_9", merchant="m-9")

    def read_empty(body):
        return replace(read_stk_callback(body), checkout_request_id="", merchant_request_id="")

    monkeypatch.setattr("payments.webhooks.stk_callback.read_stk_callback", read_empty)

    post(client, None, told, token=token)

    unanswered.refresh_from_db()
    assert (unanswered.status, unanswered.merchant_request_id) == ("unknown", "")
    assert (GatewayEvent.objects.get().state, GatewayEvent.objects.get().payment) == (
        "unmatched",
        None,
    )


@pytest.mark.parametrize("find", [lock_payment, find_transfer, find_receipt_query])
def test_an_empty_address_is_nobodys(unanswered, owed, find):
    assert find("") is None


def test_an_empty_receipt_number_finds_no_receipt_without_one(unnamed):
    assert find_receipt("") is None
    assert money_lookup.find_receipt("") is None
    assert list(money_lookup.find_prompts("")) == []


def test_an_empty_number_finds_no_transfer_without_one(owed):
    assert [money_lookup.find_transfers(model, "") for model in (Refund, Payout)] == [{}, {}]


def test_a_reversal_without_a_number_is_no_refund_that_was_not_done_yet(owed):
    receipt, note = record_reversal_row(number="", reverses="", amount=1500)

    assert receipt is None
    assert note == "M-Pesa reversed a payment and did not say which one of ours."


def a_withdrawal(**changed):
    told = {
        "number": "TKR0000001", "shortcode": "600000", "amount": 3000, "phone": "254712345678",
        "left_at": timezone.now(), **changed,
    }  # fmt: skip
    return Withdrawal.objects.create(**told)


@pytest.mark.parametrize("typed", ["", " "])
def test_money_that_left_gave_no_payment_back_that_nobody_named(unnamed, typed):
    withdrawal = a_withdrawal()

    with pytest.raises(CannotBeSettled):
        settle_as_refund(withdrawal.pk, receipt_number=typed)
    with pytest.raises(ActionNotAvailable):
        transfer_services.settle_withdrawal_as_refund(withdrawal.pk, number=typed)

    withdrawal.refresh_from_db()
    assert (withdrawal.state, Refund.objects.count()) == ("open", 0)


def test_a_withdrawal_that_names_no_payment_and_no_request_is_no_row_of_ours(owed):
    assert not settle_again(a_withdrawal(phone="").pk)


def test_a_movement_without_a_number_is_none_that_is_known(owed):
    moved = Movement(
        receipt="", at=timezone.now(), came_in=False, amount=77, phone="254733000999", reason="x",
        reference="", reverses="", ids=(),
    )  # fmt: skip

    with pytest.raises(Exception, match="withdrawal_is_one_or_more"):
        take_in_withdrawal(moved, shortcode="600000")


@pytest.mark.parametrize("typed", ["", " ", "-"])
def test_staff_name_no_receipt_with_nothing(owed, typed):
    payout, _ = owed

    with pytest.raises(ActionNotAvailable):
        transfer_services.new_number(typed)
    payout.refresh_from_db()
    assert payout.number == ""


@pytest.mark.parametrize("typed", ["", " ", "-", "\u200b"])
def test_no_form_of_the_console_takes_an_empty_number(typed):
    with pytest.raises(ValidationError):
        ReceiptNumber().clean(typed)
