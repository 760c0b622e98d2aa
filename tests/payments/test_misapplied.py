"""A receipt number that staff entered for the wrong prompt, or for the wrong order."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders.fulfilment import move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.disbursement import process_refund
from payments.doubt import put_in_doubt
from payments.ledger import balance
from payments.models import Account, OrderPayment, Receipt, Refund
from payments.proof.prove import prove
from payments.reconciliation.receipts import correct_amount
from payments.reconciliation.returns import record_reversal_row
from payments.reconciliation.status_query import query_now, query_status
from payments.refunds.external_reversals import record_outside_reversal, record_part_reversal
from payments.transfers import mark_done
from tests.factories import ProductFactory, UserFactory
from tests.shopping import PHONE, an_order

from .bank import NAME, PASSWORD, notify, told
from .bodies import by_hand, post, post_c2b, success
from .confirmation.actions import on_statement
from .conftest import ringing
from .fakes import CANCELLED, PAID
from .test_duplicate_receipts import counted, of

NUMBER, BACK = "SGL7654321", "SGB0000001"
RULE = "A number that staff entered for one prompt is not the missing one of another"


@pytest.fixture
def insider(db):
    return UserFactory(username="mole", is_staff=True, is_superuser=True)


@pytest.fixture
def colleague(db):
    return UserFactory(username="njeri", is_staff=True, is_superuser=True)


@pytest.fixture
def second(payment, order):
    """The order's second prompt; the first one's has ended, and M-Pesa never said how."""
    OrderPayment.objects.filter(pk=payment.pk).update(live=False, next_check_at=None)
    another = order.payments.create(phone=PHONE, amount=payment.amount)
    return ringing(another, "ws_CO_2")


@pytest.fixture
def misapplied(payment, second, insider):
    """The second prompt's number, which finance entered for the first one."""
    money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=insider)
    return Receipt.objects.get()


@pytest.fixture
def twice(misapplied, second, daraja):
    """The second prompt's payment is counted again, as a query proved it without a number."""
    daraja.answer = PAID
    query_now(second.pk)
    daraja.answer = None
    return misapplied, Receipt.objects.get(number="")


def suspected():
    return [found.ids for found in prove().broken if found.rule.startswith(RULE)]


def check_is_one(order, first, second):
    """The payment counts once, for the second prompt, and M-Pesa is to be queried about the
    first."""
    first.refresh_from_db()
    second.refresh_from_db()
    assert counted() == [(NUMBER, 3000, order.pk)]
    assert second.receipt.number == NUMBER
    assert (second.status, first.status, first.confirmed_at) == ("confirmed", "submitted", None)
    assert first.next_check_at <= timezone.now()
    assert (balance(Account.MPESA_CLEARING), balance(Account.WRITE_OFFS)) == (3000, 0)
    assert not Refund.objects.owed().exists()


def test_staff_who_enter_the_number_of_the_proved_prompt_make_both_one_payment(
    twice, payment, second, order, colleague
):
    unnumbered = twice[1]
    assert Refund.objects.owed().get().receipt_id == unnumbered.pk

    named = money_in.set_receipt_number(unnumbered.pk, number="sgl 7654321", by=colleague)

    unnumbered.refresh_from_db()
    order.refresh_from_db()
    assert named.pk == twice[0].pk
    check_is_one(order, payment, second)
    assert (unnumbered.same_as_id, unnumbered.order, unnumbered.payment) == (named.pk, None, None)
    assert unnumbered.note == (
        f"It is SGL7654321: KES 3,000, which was entered for another prompt of order "
        f"{order.reference}."
    )
    assert order.payment_status == "paid"


def test_what_m_pesa_then_answers_about_the_first_prompt_counts(
    twice, payment, second, colleague, daraja
):
    money_in.set_receipt_number(twice[1].pk, number=NUMBER, by=colleague)
    daraja.answer = CANCELLED

    query_status(payment.pk)

    payment.refresh_from_db()
    assert payment.status == "failed"


def test_the_callback_of_the_prompt_takes_the_number_from_the_one_it_was_entered_for(
    client, misapplied, payment, second, order
):
    post(client, second, success(second, receipt=NUMBER))

    check_is_one(order, payment, second)


def test_the_callback_that_comes_after_the_query_makes_both_one_payment(
    client, twice, payment, second, order
):
    post(client, second, success(second, receipt=NUMBER))

    check_is_one(order, payment, second)


def test_staff_correct_themselves_while_the_prompt_has_no_result(
    misapplied, payment, second, order, colleague
):
    money_in.mark_attempt_paid(second.pk, number=NUMBER, by=colleague)

    check_is_one(order, payment, second)


def test_a_prompt_whose_own_callback_named_it_keeps_its_number(
    client, payment, second, order, insider, daraja
):
    post(client, payment, success(payment, receipt=NUMBER))
    daraja.answer = PAID
    query_now(second.pk)
    unnumbered = Receipt.objects.get(number="")

    with pytest.raises(ActionNotAvailable, match="is the payment of another prompt, as M-Pesa"):
        money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=insider)

    assert not suspected()
    money_in.set_receipt_number(unnumbered.pk, number="SGL0000002", by=insider)
    assert of(order) == [("SGL0000002", 3000), (NUMBER, 3000)]


def test_money_that_was_reversed_is_not_refunded_again(
    misapplied, second, order, colleague, insider, daraja
):
    move_line(order.tracks.get().pk, "cancelled", actor=insider, note="Not in stock.")
    process_refund(Refund.objects.get().pk)
    assert [sent["receipt"] for sent in daraja.reversals] == [NUMBER]
    daraja.answer = PAID
    query_now(second.pk)
    unnumbered = Receipt.objects.get(number="")
    assert Refund.objects.get(receipt=unnumbered).status == "due"

    money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)

    assert dict(Refund.objects.owed().values_list("receipt", "amount")) == {misapplied.pk: 3000}
    assert Refund.objects.get(receipt=unnumbered).status == "dropped"
    assert balance(Account.REFUNDS_PAYABLE) == 3000


def test_nothing_changes_once_money_of_the_proved_prompt_may_have_left(twice, colleague):
    unnumbered = twice[1]
    Refund.objects.filter(receipt=unnumbered).update(status="unknown", sent_at=timezone.now())

    with pytest.raises(ActionNotAvailable, match="is already being refunded"):
        money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)

    Refund.objects.filter(receipt=unnumbered).update(status="due", sent_at=None)
    assert len(counted()) == 2


def test_nothing_changes_once_m_pesa_has_reversed_the_proved_prompt_s_payment(twice, colleague):
    record_outside_reversal(twice[1].pk)
    before = counted()

    with pytest.raises(ActionNotAvailable, match="is already being refunded"):
        money_in.set_receipt_number(twice[1].pk, number=NUMBER, by=colleague)

    assert counted() == before
    assert list(Refund.objects.done_outside().values_list("amount", flat=True)) == [3000]


def test_prove_names_the_prompt_until_staff_have_decided(twice, colleague):
    unnumbered = twice[1]
    assert suspected() == []
    Receipt.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert suspected() == [[unnumbered.pk]]

    money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)

    assert suspected() == []


def test_no_number_is_entered_while_an_equal_payment_of_the_phone_has_none(
    payment, second, order, colleague, daraja
):
    daraja.answer = PAID
    query_now(second.pk)

    with pytest.raises(ActionNotAvailable, match="Enter that one's number first"):
        money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=colleague)

    unnumbered = Receipt.objects.get()
    money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)
    money_in.mark_attempt_paid(payment.pk, number="SGL0000002", by=colleague)
    assert of(order) == [("SGL0000002", 3000), (NUMBER, 3000)]


@pytest.fixture
def theirs(kettle):
    """Another buyer's order of two kettles, whose prompt is open."""
    return an_order(UserFactory(), (kettle, 2), phone="254733111222")


@pytest.fixture
def their_prompt(theirs):
    return ringing(theirs.payments.get(), "ws_CO_3")


@pytest.fixture
def recorded_for_mine(payment, order, insider):
    """The number of their payment, which finance entered for my prompt."""
    money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=insider)
    return Receipt.objects.get()


def books():
    return {account.value: balance(account) for account in Account if balance(account)}


def check_is_theirs(order, theirs, receipt, *, in_doubt=False):
    """Their order has the payment; mine is left as if none had come."""
    for each in (order, theirs, receipt):
        each.refresh_from_db()
    assert of(theirs) == [(NUMBER, 3000)]
    assert (theirs.payment_status, theirs.in_doubt) == ("paid", in_doubt)
    assert (order.payment_status, order.in_doubt) == ("paid", True)
    assert (receipt.number, receipt.verification) == ("", "never_came")
    assert f"{NUMBER} is the payment of order {theirs.reference}." in receipt.note
    assert "Cancel what has not been delivered." in receipt.note
    assert (balance(Account.MPESA_CLEARING), balance(Account.WRITE_OFFS)) == (3000, 3000)


def test_staff_move_a_payment_to_the_order_it_is_of(
    recorded_for_mine, order, theirs, colleague, insider
):
    moved = money_in.move_receipt_to_order(
        recorded_for_mine.pk, reference=theirs.reference.lower(), by=colleague
    )

    check_is_theirs(order, theirs, recorded_for_mine)
    assert (moved.order, moved.reference) == (theirs, theirs.reference)
    # Who entered the number is known there too, and decides nothing about it.
    assert moved.evidence.filter(source="staff", number=NUMBER, told_by=insider).exists()


def test_it_becomes_the_receipt_of_their_prompt_that_has_no_number(
    recorded_for_mine, order, theirs, their_prompt, colleague, daraja
):
    daraja.answer = PAID
    query_now(their_prompt.pk)
    unnumbered = Receipt.objects.get(number="")
    with pytest.raises(ActionNotAvailable) as refused:
        money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)
    assert str(refused.value) == (
        f"{NUMBER} is recorded for order {order}. If it is the payment of order "
        f"{theirs.reference}, open that receipt and choose “It is another order's payment”."
    )

    moved = money_in.move_receipt_to_order(
        recorded_for_mine.pk, reference=theirs.reference, by=colleague
    )

    assert moved == unnumbered
    check_is_theirs(order, theirs, recorded_for_mine)


def test_once_my_line_is_cancelled_nothing_is_lost(
    recorded_for_mine, order, theirs, colleague, insider
):
    money_in.move_receipt_to_order(recorded_for_mine.pk, reference=theirs.reference, by=colleague)

    move_line(order.tracks.get().pk, "cancelled", actor=insider, note="Wrong number.")

    order.refresh_from_db()
    assert (balance(Account.MPESA_CLEARING), balance(Account.WRITE_OFFS)) == (3000, 0)
    assert not Refund.objects.outstanding().exists()
    assert not order.in_doubt


def test_a_payer_who_typed_another_order_s_reference_can_be_helped(
    client, payment, order, theirs, colleague
):
    OrderPayment.objects.filter(pk=payment.pk).update(status="failed", live=False)
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    receipt = Receipt.objects.get()

    money_in.move_receipt_to_order(receipt.pk, reference=theirs.reference, by=colleague)

    check_is_theirs(order, theirs, receipt)
    # A report that is delivered again names the order it was typed for: nothing moves back.
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    check_is_theirs(order, theirs, receipt)


def test_a_payment_that_was_written_off_here_can_still_be_another_order_s(
    client, recorded_for_mine, order, theirs, colleague
):
    post_c2b(client, by_hand(theirs.reference, 3000, receipt=NUMBER))
    money_in.write_off_receipt(recorded_for_mine.pk, by=colleague)

    money_in.move_receipt_to_order(recorded_for_mine.pk, reference=theirs.reference, by=colleague)

    check_is_theirs(order, theirs, recorded_for_mine, in_doubt=True)
    with pytest.raises(ActionNotAvailable, match="M-Pesa has not shown this payment"):
        money_in.count_after_all(recorded_for_mine.pk, by=colleague)


def test_a_payment_whose_money_may_be_leaving_is_not_moved(
    recorded_for_mine, order, theirs, colleague, insider, daraja
):
    move_line(order.tracks.get().pk, "cancelled", actor=insider, note="Wrong number.")
    process_refund(Refund.objects.get().pk)

    with pytest.raises(ActionNotAvailable, match="A refund of it is under way"):
        money_in.move_receipt_to_order(
            recorded_for_mine.pk, reference=theirs.reference, by=colleague
        )

    recorded_for_mine.refresh_from_db()
    assert (recorded_for_mine.number, recorded_for_mine.verification) == (NUMBER, "confirmed")


def move(receipt, theirs, colleague):
    return money_in.move_receipt_to_order(receipt.pk, reference=theirs.reference, by=colleague)


def test_what_was_refunded_for_the_wrong_order_is_lost_there(
    payment, order, theirs, colleague, insider, daraja
):
    OrderPayment.objects.filter(pk=payment.pk).update(status="failed", live=False)
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=3500, reference=order.reference, by=insider
    )
    on_statement(daraja, receipt)
    money_out.record_refund_on_portal(Refund.objects.get().pk, number=BACK)

    moved = move(receipt, theirs, colleague)

    theirs.refresh_from_db()
    assert (theirs.payment_status, moved.amount) == ("paid", 3500)
    # Both orders have their goods, and 500 went back twice, once for each.
    assert books() == {
        "mpesa_clearing": 3000,
        "buyers_held": 6000,
        "refunds_payable": 500,
        "write_offs": 3500,
    }
    assert prove().broken == []


@pytest.fixture
def reversed_for_mine(recorded_for_mine, order, insider, daraja):
    """That payment, which the shop reversed because my line was cancelled."""
    move_line(order.tracks.get().pk, "cancelled", actor=insider, note="Wrong number.")
    refund = Refund.objects.get()
    process_refund(refund.pk)
    mark_done(refund, number=BACK, text="Done.")
    return recorded_for_mine


def test_a_reversed_payment_is_missing_from_the_order_whose_prompt_it_was(
    reversed_for_mine, order, theirs, their_prompt, colleague, daraja
):
    daraja.answer = PAID
    query_now(their_prompt.pk)
    unnumbered = Receipt.objects.get(number="")
    assert books() == {"mpesa_clearing": 3000, "buyers_held": 3000}

    moved = move(reversed_for_mine, theirs, colleague)

    assert (moved, moved.number) == (unnumbered, NUMBER)
    assert books() == {"buyers_held": 3000, "write_offs": 3000}
    for each in (order, theirs, moved):
        each.refresh_from_db()
    assert (order.payment_status, order.in_doubt) == ("refunded", False)
    assert moved.note == (
        "M-Pesa reversed it at its customer's request: KES 3,000 lost. "
        "Stop anything that has not been delivered."
    )
    assert not Receipt.objects.without_number().exists()
    assert prove().broken == []
    # M-Pesa reports the reversal again, under its number.
    again = record_reversal_row(number=BACK, reverses=NUMBER, amount=3000)
    assert again == (moved, "Already recorded.")


def test_of_a_reversed_payment_nothing_is_left_for_an_order_without_a_prompt(
    reversed_for_mine, theirs, colleague
):
    with pytest.raises(ActionNotAvailable, match="nothing of it is left for another order"):
        move(reversed_for_mine, theirs, colleague)


def test_a_part_that_m_pesa_reversed_is_missing_from_the_other_order(
    recorded_for_mine, order, theirs, colleague, insider
):
    record_part_reversal(recorded_for_mine.pk, number=BACK, amount=1000)

    moved = move(recorded_for_mine, theirs, colleague)

    theirs.refresh_from_db()
    assert (theirs.payment_status, moved.waiting) == ("requested", True)
    assert books() == {"mpesa_clearing": 2000, "buyers_held": 5000, "write_offs": 3000}
    again = record_reversal_row(number=BACK, reverses=NUMBER, amount=1000)
    assert again == (moved, "Already recorded.")
    assert prove().broken == []


def test_or_is_written_off_if_its_prompt_has_paid_the_order(
    recorded_for_mine, order, theirs, their_prompt, colleague, daraja
):
    record_part_reversal(recorded_for_mine.pk, number=BACK, amount=1000)
    daraja.answer = PAID
    query_now(their_prompt.pk)

    moved = move(recorded_for_mine, theirs, colleague)

    moved.refresh_from_db()
    assert (moved.amount, moved.written_off) == (3000, 1000)
    assert books() == {"mpesa_clearing": 2000, "buyers_held": 6000, "write_offs": 4000}
    assert prove().broken == []


def test_a_bank_payment_that_was_moved_does_not_come_after_all_too(
    client, payment, order, theirs, colleague, settings
):
    OrderPayment.objects.filter(pk=payment.pk).update(status="failed", live=False)
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    notify(client, told(order.reference, 3000))
    receipt = Receipt.objects.get()
    move(receipt, theirs, colleague)

    with pytest.raises(ActionNotAvailable, match="It was moved to another order"):
        money_in.count_after_all(receipt.pk, by=UserFactory(is_superuser=True))

    assert balance("equity_clearing") == 3000


def test_the_payment_of_its_own_prompt_is_no_other_order_s(
    client, payment, order, theirs, colleague
):
    post(client, payment, success(payment, receipt=NUMBER))

    with pytest.raises(ActionNotAvailable, match="was paid for this order, as M-Pesa reported"):
        money_in.move_receipt_to_order(
            Receipt.objects.get().pk, reference=theirs.reference, by=colleague
        )


@pytest.mark.parametrize("who", ["recorded it", "buyer", "their buyer"])
def test_nobody_moves_a_payment_they_recorded_or_of_their_own_order(
    recorded_for_mine, order, theirs, insider, who
):
    person = {"recorded it": insider, "buyer": order.buyer, "their buyer": theirs.buyer}[who]

    with pytest.raises(ActionNotAvailable, match="You cannot decide this"):
        money_in.move_receipt_to_order(recorded_for_mine.pk, reference=theirs.reference, by=person)

    assert of(order) == [(NUMBER, 3000)]


def test_a_payment_in_suspense_is_matched_and_not_moved(client, theirs, colleague):
    post_c2b(client, by_hand("nobody", 3000, receipt=NUMBER))

    with pytest.raises(ActionNotAvailable, match="is not recorded for another order"):
        money_in.move_receipt_to_order(
            Receipt.objects.get().pk, reference=theirs.reference, by=colleague
        )


def test_my_buyer_s_own_payment_is_counted_after_the_other_s_was_moved(
    client, recorded_for_mine, order, theirs, colleague
):
    money_in.move_receipt_to_order(recorded_for_mine.pk, reference=theirs.reference, by=colleague)

    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002"))

    order.refresh_from_db()
    assert of(order) == [("", 3000), ("SGL0000002", 3000)]
    assert (order.payment_status, order.in_doubt) == ("paid", False)
    assert (balance(Account.MPESA_CLEARING), balance(Account.WRITE_OFFS)) == (6000, 0)


@transaction.atomic
def test_a_payment_of_another_amount_is_another_payment(twice, order, colleague):
    correct_amount(twice[0], reported_amount=2900, source="status")

    with pytest.raises(ActionNotAvailable, match="KES 2,900 is another payment than number not"):
        money_in.set_receipt_number(twice[1].pk, number=NUMBER, by=colleague)

    assert sorted(order.receipts.values_list("amount", flat=True)) == [2900, 3000]


def test_a_payment_that_was_written_off_is_not_merged(twice, order, colleague):
    kept, unnumbered = twice
    put_in_doubt(kept.pk, "M-Pesa does not know it.")
    money_in.write_off_receipt(kept.pk, by=colleague)

    with pytest.raises(ActionNotAvailable, match="was written off because it never arrived"):
        money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)


def test_a_refund_of_the_payment_that_stays_is_dropped_if_it_pays_for_the_goods(
    client, payment, second, order, colleague, daraja
):
    daraja.answer = PAID
    query_now(second.pk)
    daraja.answer = None
    # From another phone, as far as M-Pesa shows, so not merged by itself.
    post_c2b(client, by_hand("", 3000, receipt=NUMBER, MSISDN="2547 ***** 999"))
    money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=colleague)
    refund = Refund.objects.get()
    assert (refund.receipt.number, refund.amount) == (NUMBER, 3000)

    money_in.set_receipt_number(Receipt.objects.get(number="").pk, number=NUMBER, by=colleague)

    refund.refresh_from_db()
    assert refund.status == "dropped"
    check_is_one(order, payment, second)


def test_what_is_still_due_for_a_cancelled_line_is_created_again(
    client, buyer, kettle, colleague, daraja
):
    order = an_order(buyer, (kettle, 1), (ProductFactory(price=1500), 1))
    first = ringing(order.payments.get())
    OrderPayment.objects.filter(pk=first.pk).update(live=False, next_check_at=None)
    second = ringing(order.payments.create(phone=PHONE, amount=3000), "ws_CO_2")
    daraja.answer = PAID
    query_now(second.pk)
    daraja.answer = None
    post_c2b(client, by_hand("", 3000, receipt=NUMBER, MSISDN="2547 ***** 999"))
    money_in.mark_attempt_paid(first.pk, number=NUMBER, by=colleague)
    line = order.tracks.first()
    move_line(line.pk, "cancelled", actor=colleague, note="It broke.")
    unnumbered = Receipt.objects.get(number="")
    assert sorted(Refund.objects.owed().values_list("receipt__number", "amount")) == [
        ("", 1500), (NUMBER, 3000),
    ]  # fmt: skip

    money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)

    due = Refund.objects.owed().get()
    assert (due.receipt.number, due.amount, due.track) == (NUMBER, 1500, line)


@pytest.fixture
def bank_notice(client, settings):
    """A bank's notification that pays an order."""
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    return lambda order: notify(client, told(order.reference, order.amount))


def test_what_an_order_lacks_then_is_written_off(
    bank_notice, payment, second, order, colleague, insider, daraja
):
    bank_notice(order)
    at_bank = Receipt.objects.get()
    money_in.confirm_bank_receipt(at_bank.pk, by=colleague)
    # One too many: it goes back.
    money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=insider)
    process_refund(Refund.objects.get().pk)
    daraja.answer = PAID
    query_now(second.pk)
    # The bank's was never there, so the prompt's pays for the goods.
    money_in.doubt_bank_receipt(at_bank.pk)
    money_in.write_off_receipt(at_bank.pk, by=UserFactory(is_superuser=True))
    unnumbered = Receipt.objects.get(number="")
    assert not Refund.objects.owed().filter(receipt=unnumbered).exists()
    assert balance(Account.WRITE_OFFS) == 0

    money_in.set_receipt_number(unnumbered.pk, number=NUMBER, by=colleague)

    assert balance(Account.WRITE_OFFS) == 3000
    assert Receipt.objects.get(number=NUMBER).written_off == 3000


def test_a_receipt_that_turned_out_to_be_of_nothing_is_no_other_order_s(
    recorded_for_mine, theirs, colleague
):
    with transaction.atomic():
        correct_amount(recorded_for_mine, reported_amount=0, source="status")

    with pytest.raises(ActionNotAvailable, match="Nothing came under SGL7654321"):
        money_in.move_receipt_to_order(
            recorded_for_mine.pk, reference=theirs.reference, by=colleague
        )


def test_moving_a_payment_that_m_pesa_does_not_know_is_no_proof_that_it_came(
    recorded_for_mine, order, theirs, colleague
):
    put_in_doubt(recorded_for_mine.pk, "M-Pesa knows no such payment.")

    moved = money_in.move_receipt_to_order(
        recorded_for_mine.pk, reference=theirs.reference, by=colleague
    )

    check_is_theirs(order, theirs, recorded_for_mine, in_doubt=True)
    moved.refresh_from_db()
    assert (moved.verification, moved.doubt) == ("doubted", "M-Pesa knows no such payment.")
    assert moved.question.next_check_at <= timezone.now()
    with pytest.raises(ActionNotAvailable, match="has not shown this payment since"):
        money_in.confirm_doubted_receipt(moved.pk, by=UserFactory(is_superuser=True))


def test_a_doubt_that_was_only_about_the_order_ends_where_it_is_moved(
    client, recorded_for_mine, order, theirs, colleague
):
    post_c2b(client, by_hand(theirs.reference, 3000, receipt=NUMBER))
    recorded_for_mine.refresh_from_db()
    assert recorded_for_mine.is_in_doubt

    money_in.move_receipt_to_order(recorded_for_mine.pk, reference=theirs.reference, by=colleague)

    check_is_theirs(order, theirs, recorded_for_mine)


def test_a_doubt_whether_it_came_outlives_the_one_about_its_order(
    client, recorded_for_mine, order, theirs, colleague
):
    post_c2b(client, by_hand(theirs.reference, 3000, receipt=NUMBER))
    put_in_doubt(recorded_for_mine.pk, "M-Pesa knows no such payment.")

    money_in.move_receipt_to_order(recorded_for_mine.pk, reference=theirs.reference, by=colleague)

    check_is_theirs(order, theirs, recorded_for_mine, in_doubt=True)


def test_m_pesa_is_queried_about_a_doubted_payment_that_its_payer_reported(
    client, payment, order, theirs, colleague
):
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    receipt = Receipt.objects.get()
    put_in_doubt(receipt.pk, "M-Pesa knows no such payment.")

    moved = money_in.move_receipt_to_order(receipt.pk, reference=theirs.reference, by=colleague)

    assert moved.question.next_check_at <= timezone.now()


def test_a_payment_is_moved_once(recorded_for_mine, order, theirs, colleague):
    money_in.move_receipt_to_order(recorded_for_mine.pk, reference=theirs.reference, by=colleague)

    with pytest.raises(ActionNotAvailable, match="or it was moved already"):
        money_in.move_receipt_to_order(
            recorded_for_mine.pk, reference=theirs.reference, by=colleague
        )

    check_is_theirs(order, theirs, recorded_for_mine)
