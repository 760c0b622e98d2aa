"""Refunds leave within a day's limit, with a second person's approval, and once confirmed."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.backoffice import audit
from orders.fulfilment import move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.evidence import record_on_statement
from payments.models import (
    Payout,
    Receipt,
    Refund,
    RefundDay,
)
from payments.proof.prove import prove
from payments.proof.rules import RULES
from payments.refunds.external_reversals import record_outside_reversal
from payments.transfers import mark_done, mark_refused
from tests.factories import UserFactory
from tests.orders.lines import line_at
from tests.payments.bodies import by_hand, post, post_c2b, success
from tests.shopping import an_order

from .actions import NUMBER, PHONE, answer, answer_query, on_statement, run_clock, sent_transfers


def test_a_refund_above_the_amount_waits_for_a_second_person(
    owed, settings, daraja, insider, colleague
):
    settings.REFUND_APPROVAL_ABOVE = 699
    refund = money_in.refund_receipt(owed.pk, by=insider)
    run_clock()
    assert sent_transfers(daraja) == []

    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_refund(refund.pk, by=insider)
    money_out.approve_refund(refund.pk, by=colleague)
    run_clock(1)

    assert [reversal["amount"] for reversal in daraja.reversals] == [700]


def test_no_code_sends_what_was_not_approved(owed, settings, insider):
    settings.REFUND_APPROVAL_ABOVE = 699
    money_in.refund_receipt(owed.pk, by=insider)

    said = pytest.raises(IntegrityError, match="refund_is_sent_once_it_is_approved")
    with said, transaction.atomic():
        Refund.objects.update(status="unknown")


def test_beyond_the_days_limit_a_refund_goes_the_next_day(owed, settings, daraja):
    settings.REFUND_DAILY_LIMIT = 699
    refund = money_in.refund_receipt(owed.pk)

    run_clock(1)

    refund.refresh_from_db()
    assert (sent_transfers(daraja), refund.status) == ([], "due")
    assert refund.next_check_at > timezone.now()
    settings.REFUND_DAILY_LIMIT = 700
    run_clock(1)
    assert (len(daraja.reversals), RefundDay.objects.get().sent) == (1, 700)


def test_a_refused_transfer_does_not_count_towards_the_day(owed, daraja):
    refund = money_in.refund_receipt(owed.pk)
    run_clock(1)
    refund.refresh_from_db()

    mark_refused(refund, code="1", text="No funds", reason="no_funds")

    assert RefundDay.objects.get().sent == 0


def test_a_number_that_staff_entered_is_paid_once_another_has_looked(
    owed, daraja, insider, colleague
):
    refund = money_in.refund_receipt(owed.pk)
    run_clock(1)
    refund.refresh_from_db()
    mark_refused(refund, code="2028", text="No", reason="misconfigured")
    again = money_out.retry_refund(refund.pk, phone=PHONE, by=insider)
    run_clock()
    assert daraja.payouts == []

    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_refund(again.pk, by=insider)
    money_out.approve_refund(again.pk, by=colleague)
    run_clock(1)
    # M-Pesa says that the payment still stands, before a phone is paid.
    Refund.objects.filter(pk=again.pk).update(receipt_checked_at=timezone.now())
    run_clock(1)

    assert [payout["phone"] for payout in daraja.payouts] == [PHONE]


def test_a_payers_number_that_staff_entered_needs_another_too(daraja, insider, order):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=3500, reference=order.reference, phone=PHONE, by=insider
    )
    answer_query(receipt)

    refund = Refund.objects.get()
    assert (refund.amount, refund.way, refund.phone) == (500, "b2c", PHONE)
    assert (refund.awaits_approval, refund.author) == (True, insider)
    run_clock()
    assert daraja.payouts == []


def test_the_providers_payer_details_replace_those_entered_by_staff(client, insider, order):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=700, reference="", phone=PHONE, by=insider
    )

    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER, MSISDN="2547*****678"))

    receipt.refresh_from_db()
    assert (receipt.phone, receipt.phone_by) == ("2547*****678", None)


def test_given_back_on_the_portal_is_not_said_of_what_nobody_confirmed(client, payment, order):
    post(client, payment, success(payment, receipt=NUMBER, amount=3005))
    refund = Refund.objects.get()

    with pytest.raises(ActionNotAvailable, match="not confirmed"):
        money_out.record_refund_on_portal(refund.pk, number="SGB0000001")


def test_a_payout_to_a_number_that_staff_entered_needs_another(
    client, order, payment, daraja, insider, colleague
):
    post(client, payment, success(payment, receipt=NUMBER))
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    run_clock(2)
    answer(Receipt.objects.get())
    run_clock(1)
    payout = Payout.objects.get()
    mark_refused(payout, code="2040", text="No M-Pesa", reason="not_registered")
    money_out.retry_refused_payout(payout.pk, phone=PHONE, by=insider)
    run_clock()
    last = Payout.objects.latest("pk")
    assert (last.phone, last.awaits_approval, len(daraja.payouts)) == (PHONE, True, 1)

    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_payout(last.pk, by=insider)
    money_out.approve_payout(last.pk, by=colleague)
    audit.log(
        colleague,
        "Approve the payout",
        last,
        action="console.payout.approve",
        why="Called the seller.",
    )
    run_clock(1)

    assert [payout["phone"] for payout in daraja.payouts][1:] == [PHONE]


@pytest.fixture
def news_to_a_debtor(client, order, payment, buyer, kettle, insider, daraja):
    """A seller owes KES 3,000, and is owed as much for what nobody but one of the staff says was
    paid."""
    boss = UserFactory(is_superuser=True)
    post(client, payment, success(payment, receipt=NUMBER))
    on_statement(daraja, Receipt.objects.get())
    move_line(order.tracks.get().pk, "fetched", actor=boss)
    run_clock(1)
    mark_done(Payout.objects.get(), number="SGB0000001")
    move_line(order.tracks.get().pk, "cancelled", actor=boss, note="It broke.")
    other = an_order(buyer, (kettle, 2), phone="254733000111")
    money_in.record_seen_receipt(
        number="SGL0000009", amount=3000, reference=other.reference, by=insider
    )
    move_line(other.tracks.get().pk, "fetched", actor=boss)


def test_a_debt_is_not_paid_off_with_what_nobody_confirmed(news_to_a_debtor, daraja):
    run_clock()

    # Else the next real sale would be paid in full, on money that never came.
    assert (Payout.objects.count(), len(daraja.payouts)) == (1, 1)


def test_beside_news_what_the_shop_bears_waits_where_the_debt_is_more(
    news_to_a_debtor, buyer, kettle, daraja
):
    line = line_at("fetched", buyer=buyer, product=kettle)
    receipt = line.order.receipts.get()
    record_on_statement([receipt])
    record_outside_reversal(receipt.pk)

    run_clock()

    prepared = [rule for rule in RULES if rule.description.startswith("Earnings are in a payout")]
    receipt.refresh_from_db()
    assert (receipt.verification, receipt.written_off) == ("confirmed", 1500)
    assert (line.amount, Payout.objects.count(), len(daraja.payouts)) == (1500, 1, 1)
    assert prove(timezone.now() + timedelta(minutes=6), rules=prepared).broken == []
    assert len(prepared) == 1
