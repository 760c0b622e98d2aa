"""M-Pesa reverses money that is in suspense, and then it turns out to be an order's payment.

At a till no payment names its order, so that of a prompt is in suspense until M-Pesa answers for
the prompt.
"""

import pytest
from django.utils import timezone

from orders.lifecycle import cancel_order
from orders.models import Order
from payments.backoffice import receipt_services as money_in
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.portal_statement import Movement
from payments.models import Receipt, Refund, Withdrawal
from payments.proof.prove import prove
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.reconciliation.returns import record_reversal_row
from payments.reconciliation.withdrawals import settle_again, take_in_withdrawal
from payments.refunds.external_reversals import (
    CannotBeReversed,
    record_outside_reversal,
    record_part_reversal,
)
from payments.refunds.services import refund_unmatched
from payments.refunds.unrecorded_refunds import record_refund_found
from payments.transfers import mark_done
from tests.factories import UserFactory

from .bodies import by_hand, post, post_c2b, success
from .reversals import BACK, PAID, books, refunds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

PRICE = 3000


@pytest.fixture
def at_till(client, payment):
    """The money of the prompt, confirmed without a reference and from a masked phone."""
    post_c2b(client, by_hand("", PRICE, receipt=PAID, MSISDN="2547***678"))
    receipt = Receipt.objects.get(number=PAID)
    assert receipt.order is None
    return receipt


def take_back(receipt, amount):
    if amount == PRICE:
        record_outside_reversal(receipt.pk, number=BACK)
    else:
        record_part_reversal(receipt.pk, number=BACK, amount=amount)


def answer_query(payment):
    """M-Pesa answers the query about the prompt: it was paid, under a number that it does not
    say."""
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "query"))


def whose_receipts():
    return list(Receipt.objects.order_by("pk").values_list("order__reference", "number", "amount"))


@pytest.mark.parametrize("amount", [500, PRICE])
def test_the_prompt_s_callback_merges_it_with_what_a_query_proved(
    client, order, payment, at_till, amount
):
    Receipt.objects.filter(pk=at_till.pk).update(is_separate_payment=True)
    answer_query(payment)
    Receipt.objects.filter(pk=at_till.pk).update(is_separate_payment=False)
    take_back(at_till, amount)

    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    assert whose_receipts() == [(None, "", 0), (order.reference, PAID, PRICE)]
    assert refunds() == [(amount, "outside", "dropped", BACK), (amount, "outside", "done", "")]
    left = {"mpesa_clearing": PRICE - amount} if amount < PRICE else {}
    assert books() == {**left, "buyers_held": PRICE, "write_offs": amount}
    assert Receipt.objects.get(number=PAID).note.endswith(
        "Stop anything that has not been delivered."
    )
    assert prove().broken == []


@pytest.mark.parametrize("amount", [500, PRICE])
def test_a_prompt_paid_with_it_does_not_pay_the_order(client, order, payment, at_till, amount):
    take_back(at_till, amount)

    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    payment.refresh_from_db()
    at_till.refresh_from_db()
    assert (payment.status, at_till.payment) == ("confirmed", payment)
    assert Order.objects.get().payment_status == "requested"
    assert at_till.waiting == (amount < PRICE)
    left = PRICE - amount
    assert books() == ({"mpesa_clearing": left, "buyers_held": left} if left else {})
    assert prove().broken == []


def test_staff_match_what_is_left_of_it(order, payment, at_till):
    take_back(at_till, 500)

    money_in.match_receipt_to_order(at_till.pk, reference=order.reference, why="It fits.")

    assert Order.objects.get().payment_status == "requested"
    assert books() == {"mpesa_clearing": 2500, "buyers_held": 2500}
    assert prove().broken == []


def test_a_cancelled_order_is_owed_nothing_of_what_m_pesa_reversed_whole(
    client, order, payment, at_till
):
    take_back(at_till, PRICE)
    cancel_order(order.pk, cancelled_by="buyer")

    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    assert not Refund.objects.outstanding().exists()
    assert books() == {}
    assert prove().broken == []


def test_what_is_left_of_it_goes_back_if_its_order_was_cancelled(client, order, payment, at_till):
    take_back(at_till, 500)
    cancel_order(order.pk, cancelled_by="buyer")

    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    assert refunds()[-1][:3] == (2500, "b2c", "due")
    assert books() == {"mpesa_clearing": 2500, "refunds_payable": 2500}
    assert prove().broken == []


def test_staff_match_nothing_that_m_pesa_reversed_whole(order, payment, at_till):
    take_back(at_till, PRICE)

    with pytest.raises(ActionNotAvailable, match="nothing of it is left"):
        money_in.match_receipt_to_order(at_till.pk, reference=order.reference, why="It fits.")

    assert (whose_receipts(), books()) == ([(None, PAID, PRICE)], {})


@pytest.mark.parametrize("said", [500, PRICE])
@pytest.mark.parametrize("shown", [300, 800])
def test_the_statement_corrects_what_staff_said_before(
    client, order, payment, at_till, said, shown
):
    take_back(at_till, said)
    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    record_reversal_row(number=BACK, reverses=PAID, amount=shown)

    left = PRICE - shown
    assert books() == {"mpesa_clearing": left, "buyers_held": left}
    assert record_reversal_row(number=BACK, reverses=PAID, amount=shown)[1] == "Already recorded."
    assert prove().broken == []


def test_the_statement_corrects_it_after_a_merge_too(client, order, payment, at_till):
    Receipt.objects.filter(pk=at_till.pk).update(is_separate_payment=True)
    answer_query(payment)
    Receipt.objects.filter(pk=at_till.pk).update(is_separate_payment=False)
    take_back(at_till, 500)
    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    record_reversal_row(number=BACK, reverses=PAID, amount=300)

    assert books() == {"mpesa_clearing": 2700, "buyers_held": PRICE, "write_offs": 300}
    assert prove().broken == []


def test_what_the_shop_has_sent_back_of_it_keeps_it_where_it_is(client, order, payment, at_till):
    take_back(at_till, 500)
    Receipt.objects.filter(pk=at_till.pk).update(is_separate_payment=True)
    refund_unmatched(at_till.pk)
    mark_done(at_till.refunds.exclude(way="outside").get(), number="SGB0000001")
    before = refunds(), books()

    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    assert payment.events.get().note == (
        f"{PAID}: KES 3,000 is being refunded. Nothing was credited."
    )
    answer_query(payment)
    unnamed = Receipt.objects.get(order=order)
    with pytest.raises(ActionNotAvailable, match="is already being refunded"):
        money_in.set_receipt_number(unnamed.pk, number=PAID, by=UserFactory())
    assert refunds() == before[0]
    assert books() == {
        "mpesa_clearing": PRICE,
        "buyers_held": PRICE,
    }


def test_money_that_may_be_a_prompt_s_is_not_said_to_have_gone_back(order, payment, at_till):
    with pytest.raises(CannotBeReversed, match="may be the payment of an order's prompt"):
        record_refund_found(
            at_till.pk,
            number="SGB0000001",
            amount=700,
            phone="254712345678",
            text="x",
            left_before=at_till.created_at,
        )

    assert (refunds(), books()) == ([], {"mpesa_clearing": PRICE, "suspense": PRICE})


@pytest.mark.parametrize("amount", [500, PRICE])
def test_the_portal_s_withdrawal_settles_the_refund_that_counts(
    client, order, payment, at_till, amount
):
    row = Movement(BACK, timezone.now(), False, amount, "", "Reversal", "", PAID, ())
    take_in_withdrawal(row, shortcode="174379")
    take_back(at_till, amount)
    assert settle_again(Withdrawal.objects.get().pk)

    post(client, payment, success(payment, receipt=PAID, amount=PRICE))

    counts = Refund.objects.get(status="done")
    assert (Withdrawal.objects.get().refund, counts.amount) == (counts, amount)
    assert prove().broken == []
