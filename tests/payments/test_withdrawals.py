"""Money that left by M-Pesa's statement, outside of any restore: which transfer it was."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders.lifecycle import cancel_order
from payments.backoffice.refusals import ActionNotAvailable
from payments.backoffice.transfer_services import (
    record_payout_on_portal,
    record_refund_on_portal,
    settle_withdrawal_as_payout,
    settle_withdrawal_as_refund,
    settle_withdrawal_as_returned,
)
from payments.conflict_parties import parties_of_named_receipt
from payments.daraja.portal_statement import Movement
from payments.daraja.result_codes import TransferFailure
from payments.ledger import balance
from payments.models import Account, Payout, Receipt, ReceiptSource, Refund, Withdrawal
from payments.payouts.balances import balance_of
from payments.payouts.services import create_payouts
from payments.proof.prove import prove
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.portal_statement_import import stop_after_restore
from payments.reconciliation.withdrawals import settle_again, take_in_withdrawal
from payments.refunds.replacements import create_replacement
from payments.refunds.routes import Route
from payments.transfers import mark_done, mark_refused, reserve_daily_limit
from tests.orders.lines import line_at
from tests.shopping import an_order

from .bodies import post, success
from .conftest import ringing
from .paying_out import post_result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

LEFT = "SGP0000001"


@pytest.fixture
def payout(buyer, kettle):
    """One kettle, KES 1,500, collected from its seller: its payout is due."""
    create_payouts(line_at("fetched", buyer=buyer, product=kettle).seller_id)
    return Payout.objects.get()


@pytest.fixture
def refund(client, buyer, kettle):
    """KES 100 of 1,600 are owed back to the phone for a kettle of 1,500."""
    payment = ringing(an_order(buyer, (kettle, 1)).payments.get())
    post(client, payment, success(payment, receipt="SGL7654321", amount=1600))
    return Refund.objects.get()


def sent(row):
    now = timezone.now()
    assert reserve_daily_limit(row, now)
    type(row).objects.filter(pk=row.pk).update(status="sent", sent_at=now, next_check_at=None)
    row.refresh_from_db()
    return row


def done_without_a_number(row):
    assert mark_done(sent(row), number="") != "Known already."
    return row


def left(row, *, ids=(), phone=None, at=None):
    """M-Pesa's statement shows a payment of that amount to that phone."""
    phone = row.phone if phone is None else phone
    what = "Business Payment"
    moved = Movement(LEFT, at or timezone.now(), False, row.amount, phone, what, "", "", ids)
    return take_in_withdrawal(moved, shortcode="600000")


@pytest.mark.parametrize("kind", ["payout", "refund"])
def test_a_transfer_without_a_number_is_found_by_its_request_on_the_statement(kind, request):
    row = done_without_a_number(request.getfixturevalue(kind))

    withdrawal = left(row, ids=(row.originator_conversation_id,), phone="2547*****999")

    row.refresh_from_db()
    assert (withdrawal, row.status, row.number) == (None, "done", LEFT)


@pytest.mark.parametrize("kind", ["payout", "refund"])
def test_a_transfer_without_a_number_is_found_by_phone_amount_and_time(kind, request):
    row = done_without_a_number(request.getfixturevalue(kind))

    withdrawal = left(row)

    row.refresh_from_db()
    assert (withdrawal, row.number) == (None, LEFT)


@pytest.mark.parametrize("kind", ["payout", "refund"])
@pytest.mark.parametrize("minutes", [-3, 3])
def test_a_withdrawal_before_sending_or_after_completion_is_another(kind, minutes, request):
    row = done_without_a_number(request.getfixturevalue(kind))

    withdrawal = left(row, at=timezone.now() + timedelta(minutes=minutes))

    row.refresh_from_db()
    assert (withdrawal.state, row.number) == ("open", "")


def test_staff_who_say_that_it_paid_the_seller_name_that_payout(payout):
    done_without_a_number(payout)
    Withdrawal.objects.create(
        number=LEFT, shortcode="600000", amount=1500, phone=payout.phone, left_at=timezone.now()
    )

    settle_withdrawal_as_payout(Withdrawal.objects.get().pk, username=payout.seller.username)

    assert list(Payout.objects.values_list("status", "number")) == [("done", LEFT)]
    assert balance_of(payout.seller_id).owed == 0


def test_staff_who_say_that_it_refunded_a_payment_name_that_refund(refund):
    done_without_a_number(refund)
    withdrawal = left(refund, phone="2547*****999")

    settle_withdrawal_as_refund(withdrawal.pk, number="SGL7654321")

    assert list(Refund.objects.values_list("status", "number")) == [("done", LEFT)]
    assert Receipt.objects.get().written_off == 0


@pytest.fixture
def bank_refund(buyer, kettle):
    """KES 100 of 1,600 that came to the bank are owed back for a kettle of 1,500."""
    order = an_order(buyer, (kettle, 1))
    paid = IncomingPayment(
        provider="equity",
        number="813612345678",
        amount=1600,
        source=ReceiptSource.BANK,
        reference=order.reference,
        phone=order.mpesa_number,
        paid_at=timezone.now(),
    )
    record_receipt(paid)
    return Refund.objects.get()


def test_staff_who_say_that_it_refunded_a_bank_s_payment_name_that_refund(bank_refund):
    withdrawal = left(bank_refund, phone="254700000009")

    settle_withdrawal_as_refund(withdrawal.pk, number="8136 1234 5678")

    withdrawal.refresh_from_db()
    assert list(Refund.objects.values_list("amount", "status", "number")) == [(100, "done", LEFT)]
    assert (withdrawal.state, withdrawal.refund.receipt.provider) == ("refund", "equity")


def test_who_is_involved_in_a_bank_s_payment_may_not_say_that_it_was_refunded(bank_refund, buyer):
    assert buyer.pk in parties_of_named_receipt(bank_refund.receipt.number).people


def test_of_two_payments_with_one_number_none_is_taken(bank_refund):
    withdrawal = left(bank_refund, phone="254700000009")
    number = bank_refund.receipt.number
    record_receipt(IncomingPayment(provider="mpesa", number=number, amount=100, source="c2b"))

    with pytest.raises(ActionNotAvailable, match="There are several payments 813612345678"):
        settle_withdrawal_as_refund(withdrawal.pk, number="813612345678")


@pytest.mark.parametrize("kind", ["payout", "refund"])
def test_an_unsent_transfer_is_not_completed_by_an_equal_payment_to_its_phone(kind, request):
    row = request.getfixturevalue(kind)

    withdrawal = left(row)

    row.refresh_from_db()
    assert (withdrawal.state, row.status, row.number) == ("open", "due", "")


def test_a_manual_payout_is_deducted_from_what_is_due_to_its_seller(payout):
    settle_withdrawal_as_payout(left(payout).pk, username=payout.seller.username)
    create_payouts(payout.seller_id)

    rows = Payout.objects.order_by("pk").values_list("gross", "amount", "status", "number")
    assert list(rows) == [
        (1500, 1500, "dropped", ""),
        (0, 1500, "done", LEFT),
        (1500, 0, "done", ""),
    ]
    assert balance_of(payout.seller_id).owed == 0


def test_a_due_payout_may_have_left_while_a_restore_withholds_money(payout):
    stop_after_restore(lost_since=timezone.now() - timedelta(hours=1), now=timezone.now())

    assert left(payout) is None

    payout.refresh_from_db()
    assert (payout.status, payout.number) == ("done", LEFT)


@pytest.fixture
def reversal(client, buyer, kettle):
    """KES 1,500 that came for a cancelled order, whose reversal M-Pesa has."""
    order = an_order(buyer, (kettle, 1))
    cancel_order(order.pk, cancelled_by="buyer")
    payment = ringing(order.payments.get())
    post(client, payment, success(payment, receipt="SGL7654321"))
    refund = sent(Refund.objects.get())
    Refund.objects.update(next_check_at=timezone.now())
    return refund


def test_a_reversal_made_after_its_money_went_to_a_phone_is_not_hidden(reversal, monkeypatch):
    monkeypatch.setattr("payments.refunds.handler.route_to_phone", lambda *about: Route("portal"))
    mark_refused(reversal, code="2", text="Declined.", reason=TransferFailure.OTHER)
    withdrawal = left(reversal, phone="254700000009")

    settle_withdrawal_as_refund(withdrawal.pk, number="SGL7654321")

    ways = Refund.objects.order_by("pk").values_list("way", "status", "number")
    assert list(ways) == [("reversal", "refused", ""), ("portal", "done", LEFT)]
    with transaction.atomic():
        note = mark_done(reversal, number="SGR0000001")
        broken = [found.rule for found in prove().broken]
        transaction.set_rollback(True)
    assert note == "The money was refunded twice: it had already gone back another way."
    assert broken == ["Only a rejected refund is replaced by another"]


def test_money_that_went_to_a_phone_is_not_the_reversal_that_m_pesa_has(reversal):
    withdrawal = left(reversal, phone="254700000009")

    with pytest.raises(ActionNotAvailable, match="Only KES 1,500 arrived"):
        settle_withdrawal_as_refund(withdrawal.pk, number="SGL7654321")


@pytest.fixture
def made_on_the_portal(refund):
    """The refund after M-Pesa refused it, a statement showed it, and staff recorded it."""
    mark_refused(sent(refund), code="2", text="Declined.", reason=TransferFailure.OTHER)
    Receipt.objects.update(verification="confirmed")
    withdrawal = left(refund, phone="254700000009")
    assert withdrawal.is_open
    record_refund_on_portal(refund.pk, number=LEFT)
    return withdrawal


def test_a_withdrawal_that_was_recorded_on_the_console_meanwhile_is_settled(made_on_the_portal):
    assert settle_again(made_on_the_portal.pk)

    made_on_the_portal.refresh_from_db()
    assert (made_on_the_portal.state, made_on_the_portal.refund) == (
        "refund",
        Refund.objects.get(number=LEFT),
    )


def test_the_next_reading_of_the_statement_settles_it(made_on_the_portal, refund):
    assert left(refund, phone="254700000009") is None

    made_on_the_portal.refresh_from_db()
    assert made_on_the_portal.refund == Refund.objects.get(number=LEFT)


def test_nobody_says_of_it_that_it_came_back_and_was_nothing(made_on_the_portal):
    back = IncomingPayment(provider="mpesa", number="SGQ0000001", amount=100, source="returned")
    record_receipt(back)
    made_on_the_portal.return_receipt = Receipt.objects.get(number="SGQ0000001")
    made_on_the_portal.save()

    with pytest.raises(ActionNotAvailable, match="Another refund or payout is recorded"):
        settle_withdrawal_as_returned(made_on_the_portal.pk)


def test_staff_may_say_so_and_nothing_is_recorded_again(made_on_the_portal, payout):
    with pytest.raises(ActionNotAvailable, match="Another refund or payout is recorded"):
        settle_withdrawal_as_payout(made_on_the_portal.pk, username=payout.seller.username)

    refund = settle_withdrawal_as_refund(made_on_the_portal.pk, number="SGL7654321")

    assert refund == Refund.objects.get(number=LEFT)
    assert Refund.objects.count() == 2


def test_a_payout_recorded_on_the_console_meanwhile_is_named_by_staff(payout):
    mark_refused(sent(payout), code="2040", text="No.", reason=TransferFailure.NOT_REGISTERED)
    withdrawal = left(payout, phone="254700000009")
    record_payout_on_portal(payout.pk, number=LEFT)

    assert settle_withdrawal_as_payout(withdrawal.pk, username=payout.seller.username) == payout


def under_way(row, *, checks=0):
    """A transfer that was created an hour ago and sent just now."""
    now = timezone.now()
    changed = {"created_at": now - timedelta(hours=1), "next_check_at": now, "checks": checks}
    type(row).objects.filter(pk=sent(row).pk).update(**changed)
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("kind", ["payout", "refund"])
def test_a_transfer_sent_after_money_left_is_another(kind, request):
    row = under_way(request.getfixturevalue(kind))

    withdrawal = left(row, at=timezone.now() - timedelta(minutes=3))

    row.refresh_from_db()
    assert (withdrawal.state, row.status, row.number) == ("open", "sent", "")


@pytest.mark.parametrize("kind", ["payout", "refund"])
def test_a_transfer_that_may_have_been_sent_before_it_was_sent_again_is_found(kind, request):
    row = under_way(request.getfixturevalue(kind), checks=1)

    withdrawal = left(row, at=timezone.now() - timedelta(minutes=3))

    row.refresh_from_db()
    assert (withdrawal, row.status, row.number) == (None, "done", LEFT)


@pytest.fixture
def sent_again(refund):
    """Finance paid a refused refund on the portal ten minutes ago and did not say so; a colleague
    then sent it again."""
    mark_refused(sent(refund), code="2", text="Declined.", reason=TransferFailure.OTHER)
    Receipt.objects.update(verification="confirmed")
    return under_way(create_replacement(refund, way="b2c", phone=refund.phone))


def test_what_finance_paid_on_the_portal_is_the_refund_that_was_refused(refund, sent_again):
    withdrawal = left(refund, at=timezone.now() - timedelta(minutes=10))

    with transaction.atomic():
        settle_withdrawal_as_refund(withdrawal.pk, number="SGL7654321")
        mark_done(sent_again, number="SGP0000002")
        rows = list(Refund.objects.order_by("pk").values_list("status", "number"))
        at_mpesa = balance(Account.MPESA_CLEARING)
        transaction.set_rollback(True)

    assert rows == [("done", LEFT), ("done", "SGP0000002")]
    # KES 1,600 came, and 100 went back twice.
    assert at_mpesa == 1400


def test_if_the_colleagues_refund_is_not_made_the_money_went_back_once(refund, sent_again):
    withdrawal = left(refund, at=timezone.now() - timedelta(minutes=10))
    settle_withdrawal_as_refund(withdrawal.pk, number="SGL7654321")

    mark_refused(sent_again, code="2", text="Declined.", reason=TransferFailure.OTHER)

    rows = Refund.objects.order_by("pk").values_list("status", "number")
    assert list(rows) == [("done", LEFT), ("dropped", "")]
    assert balance(Account.MPESA_CLEARING) == 1500


def test_money_is_not_said_to_be_a_refund_that_was_sent_after_it(refund):
    under_way(refund)
    withdrawal = left(refund, phone="254700000009", at=timezone.now() - timedelta(minutes=10))

    with pytest.raises(ActionNotAvailable, match="sent after it, and is under way"):
        settle_withdrawal_as_refund(withdrawal.pk, number="SGL7654321")


def test_money_that_went_to_a_phone_is_not_the_reversal_that_another_refund_replaced(reversal):
    mark_refused(reversal, code="2", text="Declined.", reason=TransferFailure.OTHER)
    under_way(Refund.objects.get(replaces=reversal))
    withdrawal = left(reversal, phone="254700000009", at=timezone.now() - timedelta(minutes=10))

    with pytest.raises(ActionNotAvailable, match="sent after it, and is under way"):
        settle_withdrawal_as_refund(withdrawal.pk, number="SGL7654321")


def test_money_that_left_before_a_payout_was_sent_is_an_advance_to_its_seller(payout):
    row = under_way(payout)
    withdrawal = left(row, at=timezone.now() - timedelta(minutes=10))

    settle_withdrawal_as_payout(withdrawal.pk, username=row.seller.username)
    mark_done(row, number="SGP0000002")

    rows = Payout.objects.order_by("pk").values_list("status", "number", "gross", "amount")
    assert list(rows) == [("done", "SGP0000002", 1500, 1500), ("done", LEFT, 0, 1500)]


@pytest.mark.parametrize("kind", ["payout", "refund"])
def test_a_second_number_of_a_transfer_is_a_withdrawal_to_explain(kind, request):
    row = under_way(request.getfixturevalue(kind))
    assert left(row) is None

    note = mark_done(row, number="SGP0000002")

    row.refresh_from_db()
    assert note == "M-Pesa also reports it as SGP0000002: the money may have been sent twice."
    assert (row.number, row.unacknowledged) == (LEFT, True)
    second = Withdrawal.objects.get(number="SGP0000002")
    assert (second.state, second.amount, second.phone) == ("open", row.amount, row.phone)


def test_a_second_number_has_the_amount_that_m_pesa_reports_with_it(payout):
    row = under_way(payout)
    left(row)

    mark_done(row, number="SGP0000002", amount=1400)

    assert Withdrawal.objects.get(number="SGP0000002").amount == 1400


def test_a_second_number_reported_again_is_one_withdrawal(payout):
    row = under_way(payout)
    left(row)

    for _ in range(2):
        mark_done(row, number="SGP0000002")

    assert Withdrawal.objects.still_open().count() == 1


def test_a_second_number_that_staff_see_breaks_no_rule(payout):
    row = under_way(payout)
    left(row)

    post_result(row, number="SGP0000002")

    assert Withdrawal.objects.filter(number="SGP0000002").exists()
    assert prove().broken == []


def test_a_second_number_that_another_transfer_has_is_no_withdrawal(payout):
    row = under_way(payout)
    left(row)
    with transaction.atomic():
        other = Payout.objects.create(seller=row.seller, phone=row.phone, amount=50, gross=50)
        Payout.objects.filter(pk=other.pk).update(number="SGP0000002")
        mark_done(row, number="SGP0000002")
        numbers = list(Withdrawal.objects.values_list("number", flat=True))
        transaction.set_rollback(True)

    assert numbers == [LEFT]


def test_what_finance_paid_before_a_colleagues_refund_was_made_went_back_too(reversal):
    """Within two minutes nobody can tell them apart: M-Pesa's result does."""
    mark_refused(reversal, code="2", text="Declined.", reason=TransferFailure.OTHER)
    to_phone = sent(Refund.objects.get(replaces=reversal))
    mark_refused(to_phone, code="2", text="Declined.", reason=TransferFailure.OTHER)
    Receipt.objects.update(verification="confirmed")
    again = under_way(create_replacement(to_phone, way="b2c", phone=to_phone.phone))
    assert left(to_phone) is None
    mark_done(again, number="SGP0000002")

    with transaction.atomic():
        [second] = Withdrawal.objects.still_open()
        settle_withdrawal_as_refund(second.pk, number="SGL7654321")
        rows = list(Refund.objects.order_by("pk").values_list("status", "number"))
        at_mpesa = balance(Account.MPESA_CLEARING)
        transaction.set_rollback(True)

    assert rows == [("refused", ""), ("done", "SGP0000002"), ("done", LEFT)]
    assert at_mpesa == -1500
