"""Rows that the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from orders.models import Order, OrderTrack
from payments.models import OrderPayment, Receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import UserFactory
from tests.shopping import an_order


def refused(write):
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def test_an_order_has_one_live_prompt(order):
    refused(lambda: OrderPayment.objects.create(order=order, phone="1", amount=1))


def test_a_phone_is_prompted_for_one_attempt(payment, kettle):
    other = an_order(UserFactory(), (kettle, 1))

    refused(lambda: other.payments.update(rung_at=payment.rung_at))


def test_a_request_id_names_one_attempt(order, payment):
    OrderPayment.objects.update(live=False)

    refused(
        lambda: OrderPayment.objects.create(
            order=order, phone="1", amount=1, checkout_request_id=payment.checkout_request_id
        )
    )


def test_many_attempts_may_not_have_a_request_id_yet(order):
    OrderPayment.objects.update(live=False)

    OrderPayment.objects.create(order=order, phone="1", amount=1)

    assert OrderPayment.objects.filter(checkout_request_id="").count() == 2


def test_a_receipt_counts_once(payment):
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "query", 3000, "SGL0000001"))

    refused(lambda: Receipt.objects.create(number="SGL0000001", amount=2, source="callback"))


@pytest.mark.parametrize(
    "changed", [{"commission": 3001}, {"returned": True}, {"number": 0, "amount": 0}]
)
def test_the_database_refuses_a_line_with_impossible_values(order, changed):
    refused(lambda: QuerySet(OrderTrack).filter(order=order).update(**changed))


def test_an_order_is_placed_once_per_key(order, buyer):
    again = {"buyer": buyer, "mpesa_number": "1", "amount": 1}
    again["idempotency_key"] = order.idempotency_key
    times = {"expires_at": order.expires_at, "held_until": order.held_until}

    refused(lambda: Order.objects.create(**again, **times))


@pytest.mark.parametrize("amount", [0, 250_001])
def test_an_order_is_worth_what_m_pesa_takes(order, amount):
    refused(lambda: Order.objects.update(amount=amount))


@pytest.mark.parametrize("changed", [{"number": 0}, {"amount": 2999}, {"price": 1}])
def test_a_line_is_worth_its_number_times_its_price(order, changed):
    refused(lambda: OrderTrack.objects.update(**changed))
