"""A payment that its provider takes back stops its money and goods, in part too."""

import pytest
from django.utils import timezone

from accounts.backoffice.actions import ACTIONS, perform
from orders.fulfilment import PaymentInDoubt, move_line
from orders.lifecycle import cancel_order
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.receipt_services import confirm_bank_receipt
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.result_codes import TransferFailure
from payments.ledger import balance
from payments.models import GatewayEvent, Receipt, Refund
from payments.reconciliation.returns import record_reversal_row
from payments.refunds.external_reversals import CannotBeReversed, record_part_reversal
from payments.refunds.services import refund_unmatched
from payments.transfers import mark_done, mark_refused
from payments.webhooks.inbox import replay_event
from tests.factories import UserFactory
from tests.shopping import an_order

from .bank import NAME, PASSWORD, notify, told
from .bodies import by_hand, post, post_c2b, success
from .confirmation.actions import browser_of
from .paying_out import payouts, run_clock_without_waits, sent, tick
from .reversals import (
    BACK,
    PAID,
    a_row,
    books,
    cancel,
    refunds,
    seen,
    told_by_the_statement,
)


def staff():
    return UserFactory(is_superuser=True, is_staff=True)


def fetch(order):
    for pk in order.tracks.values_list("pk", flat=True):
        move_line(pk, "fetched", actor=staff())


@pytest.fixture
def at_the_bank(client, order, settings, daraja):
    """KES 3,000 at the bank, which a staff member has confirmed."""
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    settings.EQUITY_ACCOUNT = "0180#{reference}"
    notify(client, told(order.reference, 3000))
    receipt = confirm_bank_receipt(Receipt.objects.get().pk, by=staff())
    assert receipt.verification == "confirmed"
    return receipt


def take_back(client, order, amount=3000, kind="R"):
    out = told(order.reference, amount)
    out["bank"]["transactionType"] = kind
    notify(client, out)
    return GatewayEvent.objects.latest("pk")


@pytest.mark.parametrize(("kind", "amount"), [("R", 3000), ("D", 3000), ("R", 1000)])
def test_a_confirmed_bank_payment_that_the_bank_takes_back_is_in_doubt(
    client, order, at_the_bank, daraja, kind, amount
):
    event = take_back(client, order, amount, kind)

    at_the_bank.refresh_from_db()
    order.refresh_from_db()
    doubt = f"The bank reversed {at_the_bank.number}, which is recorded as paid."
    assert (at_the_bank.verification, at_the_bank.doubt) == ("doubted", doubt)
    assert (event.state, event.note, order.in_doubt) == ("failed", doubt, True)
    with pytest.raises(PaymentInDoubt):
        fetch(order)
    tick()
    assert sent(daraja) == []


def test_its_payout_does_not_leave_once_the_goods_were_fetched(client, order, at_the_bank, daraja):
    fetch(order)
    take_back(client, order)

    tick()
    run_clock_without_waits()

    assert (sent(daraja), set(payouts("status"))) == ([], {"due"})


def test_it_may_be_written_off_then(client, order, at_the_bank):
    take_back(client, order)

    money_in.write_off_receipt(at_the_bank.pk, by=staff())

    assert balance("equity_clearing") == 0
    assert Receipt.objects.get().written_off == 3000


def test_what_staff_have_seen_since_stands_when_the_message_is_replayed(client, order, at_the_bank):
    event = take_back(client, order)
    confirm_bank_receipt(at_the_bank.pk, by=staff())
    assert Receipt.objects.get().verification == "confirmed"

    replay_event(event.pk)
    take_back(client, order)

    assert Receipt.objects.get().verification == "confirmed"


def test_staff_may_doubt_a_bank_payment_that_was_confirmed(order, at_the_bank):
    page = browser_of(staff()).get(f"/admin/payments/console/receipt/{at_the_bank.pk}/")
    assert "does not show it" in page.content.decode()

    money_in.doubt_bank_receipt(at_the_bank.pk)

    order.refresh_from_db()
    assert (Receipt.objects.get().verification, order.in_doubt) == ("doubted", True)
    with pytest.raises(ActionNotAvailable, match="in doubt, written off, or from M-Pesa"):
        money_in.doubt_bank_receipt(at_the_bank.pk)


@pytest.fixture
def on_the_statement(settings, daraja):
    settings.DARAJA_STATEMENT = True
    return lambda amount: told_by_the_statement(daraja, a_row(amount))


def test_a_part_that_m_pesa_took_back_is_written_off(paid, on_the_statement):
    on_the_statement(3000)

    receipt = Receipt.objects.get()
    assert refunds() == [(3000, "outside", "done", BACK)]
    assert books() == {"mpesa_clearing": 500, "buyers_held": 3500, "write_offs": 3000}
    assert (receipt.amount, receipt.written_off, receipt.unacknowledged) == (3500, 3000, True)
    assert receipt.note == (
        f"M-Pesa reversed KES 3,000 of KES 3,500 under {BACK} at its customer's request. "
        "Stop anything that has not been delivered."
    )


def test_payouts_of_its_goods_wait_for_a_second_person(paid, on_the_statement, daraja):
    on_the_statement(3000)
    fetch(paid)

    tick()
    run_clock_without_waits()

    assert (sent(daraja), payouts("needs_approval")) == ([], [True, True])


def test_it_is_recorded_once_however_often_it_is_reported(client, paid, on_the_statement):
    on_the_statement(3000)
    on_the_statement(3000)

    assert refunds() == [(3000, "outside", "done", BACK)]


def test_two_parts_are_both_recorded_and_a_third_is_too_much(paid):
    receipt = Receipt.objects.get()
    for number, amount in (("SGR0000001", 1000), ("SGR0000002", 2500)):
        record_reversal_row(number=number, reverses=PAID, amount=amount)

    assert books() == {"buyers_held": 3500, "write_offs": 3500}
    with pytest.raises(CannotBeReversed, match="Only KES 3,500 arrived"):
        record_part_reversal(receipt.pk, number="SGR0000003", amount=1)


def test_staff_enter_a_part_that_no_statement_shows(paid, on_the_statement):
    receipt = Receipt.objects.get()

    note = money_out.record_part_reversal_seen(receipt.pk, number=BACK.lower(), amount=1000)

    assert note.startswith(f"M-Pesa reversed KES 1,000 of KES 3,500 under {BACK}")
    assert refunds() == [(1000, "outside", "done", BACK)]
    on_the_statement(1000)
    assert refunds() == [(1000, "outside", "done", BACK)]


@pytest.mark.parametrize(
    ("number", "amount", "why"),
    [
        (BACK, 3500, "That is all of it"),
        (BACK, 3501, "Only KES 3,500 arrived"),
        (PAID, 1000, "the number of another transaction"),
    ],
)
def test_staff_cannot_enter_more_than_a_part_or_another_number(paid, number, amount, why):
    receipt = Receipt.objects.get()

    with pytest.raises(ActionNotAvailable, match=why):
        money_out.record_part_reversal_seen(receipt.pk, number=number, amount=amount)

    assert refunds() == []


def test_the_button_is_there_for_payments_that_m_pesa_can_still_reverse(paid):
    receipt = Receipt.objects.get()
    button = ACTIONS["console.receipt.part"]
    assert button.applies(receipt)

    perform(button, receipt, {"number": BACK, "amount": 1000, "why": "Portal."}, by=staff())
    assert button.applies(receipt)
    money_out.record_reversal_seen(receipt.pk, number="SGR0000002")

    assert not button.applies(receipt)


def test_a_refund_that_is_due_is_settled_with_the_part(paid, on_the_statement, daraja):
    """KES 1,500 of a cancelled line are due, and 1,000 were taken back."""
    cancel(paid, 0)
    on_the_statement(1000)

    assert refunds() == [
        (1500, "b2c", "dropped", ""),
        (1000, "outside", "done", BACK),
        (500, "b2c", "due", ""),
    ]
    assert books() == {"mpesa_clearing": 2500, "buyers_held": 2000, "refunds_payable": 500}


@pytest.mark.parametrize("taken", [1000, 3000])
def test_an_order_is_refunded_only_once_all_its_late_money_is(client, order, payment, taken):
    """KES 3,000 arrived for a cancelled order, and M-Pesa took a part back before the shop did."""
    cancel_order(order.pk, cancelled_by="buyer")
    post(client, payment, success(payment))
    receipt = Receipt.objects.get()

    record_part_reversal(receipt.pk, number=BACK, amount=taken)

    rest = receipt.amount - taken
    due = [(rest, "b2c", "due", "")] if rest else []
    order.refresh_from_db()
    assert [each for each in refunds() if each[2] != "dropped"] == [
        (taken, "outside", "done", BACK),
        *due,
    ]
    assert order.payment_status == ("refund_due" if rest else "refunded")


def test_lines_cancelled_after_it_return_what_is_left(paid, on_the_statement):
    on_the_statement(3000)

    cancel(paid, 0)
    cancel(paid, 1)

    assert refunds() == [(3000, "outside", "done", BACK), (500, "b2c", "due", "")]
    assert books() == {"mpesa_clearing": 500, "refunds_payable": 500}


def test_money_in_suspense_is_refunded_less_the_part(client, daraja, settings):
    post_c2b(client, by_hand("", 3500, receipt=PAID))
    refund_unmatched(Receipt.objects.get().pk)
    assert refunds() == [(3500, "reversal", "due", "")]

    record_reversal_row(number=BACK, reverses=PAID, amount=3000)

    assert refunds() == [
        (3500, "reversal", "dropped", ""),
        (3000, "outside", "done", BACK),
        # M-Pesa shows no number in full that it could be sent to.
        (500, "portal", "refused", ""),
    ]


def test_the_whole_may_still_be_recorded_by_staff_after_a_part(paid, on_the_statement):
    on_the_statement(3000)

    seen("SGR0000009")

    assert books() == {"buyers_held": 3500, "write_offs": 3500}
    assert refunds() == [(3000, "outside", "done", BACK), (500, "outside", "done", "SGR0000009")]


@pytest.mark.parametrize(("number", "amount"), [(PAID, 3000), (BACK, 4000)])
def test_a_reversal_that_is_unclear_puts_the_payment_in_doubt(paid, number, amount):
    receipt, note = record_reversal_row(number=number, reverses=PAID, amount=amount)

    paid.refresh_from_db()
    assert (receipt, Receipt.objects.get().verification) == (None, "doubted")
    assert (paid.in_doubt, Refund.objects.count()) == (True, 0)
    assert note.startswith("M-Pesa reversed only KES")


def refused(refund):
    """The refund after M-Pesa had it, and said that it did not make it."""
    Refund.objects.filter(pk=refund.pk).update(status="sent", sent_at=timezone.now())
    refund.refresh_from_db()
    mark_refused(refund, code="2", text="Declined.", reason=TransferFailure.OTHER)
    refund.refresh_from_db()
    return refund


def test_a_refund_that_was_dropped_for_a_part_and_made_after_all_counts(paid, daraja):
    """KES 1,500 of a cancelled line: M-Pesa took 1,000 back, and then sent the 1,500 too."""
    cancel(paid, 0)
    refund = refused(Refund.objects.get())
    record_part_reversal(Receipt.objects.get().pk, number=BACK, amount=1000)
    assert refunds()[2] == (500, "b2c", "due", "")

    mark_done(refund, number="SGB0000001", amount=1500)

    refund.refresh_from_db()
    assert refunds() == [
        (1500, "b2c", "done", "SGB0000001"),
        (1000, "outside", "done", BACK),
        (500, "b2c", "dropped", ""),
    ]
    assert books() == {"mpesa_clearing": 1000, "buyers_held": 2000, "write_offs": 1000}
    assert (refund.unacknowledged, refund.note) == (
        True,
        "The money was refunded twice: it had already gone back another way.",
    )
    assert paid.tracks.order_by("pk")[0].track_status == "refunded"


def test_a_refund_that_was_dropped_for_a_part_reduces_what_is_still_due(paid, daraja):
    """Two lines of KES 1,500 and 2,000 are cancelled; of both refunds only the first was made."""
    cancel(paid, 0)
    refund = refused(Refund.objects.get())
    record_part_reversal(Receipt.objects.get().pk, number=BACK, amount=1000)
    cancel(paid, 1)
    assert books()["refunds_payable"] == 2500

    mark_done(refund, number="SGB0000001", amount=1500)

    refund.refresh_from_db()
    assert refund.note == (
        "M-Pesa made it after it was dropped. Less is refunded another way for that."
    )
    assert books() == {"mpesa_clearing": 1000, "refunds_payable": 1000}


def test_a_reversal_whose_replacement_was_dropped_for_a_part_ends_its_refund(
    client, order, payment, daraja
):
    """KES 3,000 of a cancelled order: M-Pesa took 1,000 back, and reversed the whole after all."""
    cancel_order(order.pk, cancelled_by="buyer")
    post(client, payment, success(payment))
    reversal = refused(Refund.objects.get())
    record_part_reversal(Receipt.objects.get().pk, number=BACK, amount=1000)
    assert refunds()[1:] == [
        (3000, "b2c", "dropped", ""),
        (1000, "outside", "done", BACK),
        (2000, "b2c", "due", ""),
    ]

    mark_done(reversal, number="SGB0000001")

    assert refunds()[0] == (3000, "reversal", "done", "SGB0000001")
    assert [each for each in refunds() if each[2] == "due"] == []
    assert books() == {"mpesa_clearing": -1000, "write_offs": 1000}
    order.refresh_from_db()
    assert order.payment_status == "refunded"


def test_a_dropped_refund_of_money_in_suspense_that_was_made_leaves_nothing_due(client, daraja):
    post_c2b(client, by_hand("", 3500, receipt=PAID))
    Receipt.objects.update(phone="254712345678")
    refund = refused(refund_unmatched(Receipt.objects.get().pk))
    record_part_reversal(Receipt.objects.get().pk, number=BACK, amount=500)
    assert [each for each in refunds() if each[2] == "due"] == [(3000, "b2c", "due", "")]

    mark_done(refund, number="SGB0000001")

    assert [each for each in refunds() if each[2] == "due"] == []
    assert books() == {"mpesa_clearing": -500, "suspense": -500}


def test_a_line_is_refunded_once_the_rest_that_was_due_of_it_was_taken_back(
    client, buyer, kettle, blender, daraja
):
    """Of two payments for a kettle and a blender, KES 1,000 and 2,500, the blender's 2,000 go back
    in two parts: one was made, and M-Pesa itself took back what the other was for."""
    order = an_order(buyer, (kettle, 1), (blender, 1))
    for part in (1000, 2500):
        post_c2b(client, by_hand(order.reference, part))
    Receipt.objects.update(verification="confirmed")
    cancel(order, 1)
    parts = list(Refund.objects.order_by("pk"))
    mark_done(parts[0], number="SGB0000001")
    refused(parts[1])

    record_part_reversal(parts[1].receipt_id, number=BACK, amount=parts[1].amount)

    assert order.tracks.order_by("pk")[1].track_status == "refunded"
