"""What a refund leaves on its order is confirmed."""

import pytest
from django.utils import timezone

from payments import clock
from payments.backoffice import receipt_services as money_in
from payments.evidence import record_on_statement
from payments.ledger import balance
from payments.models import (
    Account,
    Receipt,
    Refund,
)
from payments.refunds.external_reversals import record_outside_reversal
from tests.payments.bodies import by_hand, post, post_c2b, success

from .actions import NUMBER, answer, run_clock, sent_transfers


@pytest.fixture
def paid_twice(payment, forged_notice, client):
    """A bank's notice that nobody has looked up pays the order; its prompt was paid as well, which
    M-Pesa confirms. The latest is owed back."""
    post(client, payment, success(payment, receipt=NUMBER))
    real = Receipt.objects.get(number=NUMBER)
    record_on_statement([real])
    refund = Refund.objects.get()
    assert (refund.receipt, refund.amount, refund.way) == (real, 3000, "reversal")
    return refund


def test_confirmed_money_does_not_go_back_while_news_alone_pays_the_order(
    paid_twice, forged_notice, daraja, colleague
):
    run_clock()
    assert (sent_transfers(daraja), Receipt.objects.get(number=NUMBER).verification) == (
        [],
        "confirmed",
    )

    money_in.confirm_bank_receipt(forged_notice.pk, by=colleague)

    # At once, not when it was to be looked at again.
    paid_twice.refresh_from_db()
    assert paid_twice.next_check_at <= timezone.now()
    clock.process_due_refunds(timezone.now())
    assert [each["receipt"] for each in daraja.reversals] == [NUMBER]


def test_a_second_payment_covers_the_order_if_the_first_never_came(
    paid_twice, forged_notice, order, daraja, colleague
):
    money_in.doubt_bank_receipt(forged_notice.pk)
    run_clock()
    assert sent_transfers(daraja) == []

    money_in.write_off_receipt(forged_notice.pk, by=colleague)
    run_clock()

    paid_twice.refresh_from_db()
    order.refresh_from_db()
    assert (paid_twice.status, sent_transfers(daraja)) == ("dropped", [])
    assert (order.payment_status, order.in_doubt, balance(Account.WRITE_OFFS)) == ("paid", False, 0)


def test_a_second_payment_is_not_refunded_if_m_pesa_reversed_the_first(
    client, order, payment, daraja
):
    post(client, payment, success(payment, receipt=NUMBER))
    post_c2b(client, by_hand(order.reference, 3100, receipt="SGL0000002"))
    assert Refund.objects.get().amount == 3100

    record_outside_reversal(Receipt.objects.get(number=NUMBER).pk)

    owed = Refund.objects.owed().exclude(way="outside").get()
    assert (owed.amount, owed.receipt.number) == (100, "SGL0000002")
    assert balance(Account.WRITE_OFFS) == 0


def test_a_number_that_staff_mistyped_gives_the_payment_itself_not_back(
    client, order, payment, daraja, insider, colleague
):
    money_in.mark_attempt_paid(payment.pk, number="SGX0000009", by=insider)
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    mistyped, real = Receipt.objects.order_by("pk")
    record_on_statement([real])
    run_clock()
    assert sent_transfers(daraja) == []

    answer(mistyped, code="SFC_IC0003")
    money_in.write_off_receipt(mistyped.pk, by=colleague)
    run_clock()

    order.refresh_from_db()
    assert (sent_transfers(daraja), order.payment_status, order.in_doubt) == ([], "paid", False)
    assert balance(Account.WRITE_OFFS) == 0
    assert balance(Account.MPESA_CLEARING) == 3000
