"""A payment that its provider takes back stops its money and goods, in part too."""

# ruff: noqa: F401, F811 - fixtures of other tests

import pytest

from orders.fulfilment import PaymentInDoubt, move_line
from orders.lifecycle import cancel_order
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.receipt_services import confirm_bank_receipt
from payments.backoffice.refusals import ActionNotAvailable
from payments.disbursement import process_payout
from payments.ledger import balance
from payments.models import GatewayEvent, Payout, Receipt, Refund
from payments.reconciliation.returns import record_reversal_row
from payments.refunds.external_reversals import CannotBeReversed, record_part_reversal
from payments.refunds.services import refund_unmatched
from payments.webhooks.inbox import replay_event
from tests.factories import UserFactory

from .bodies import by_hand, post, post_c2b, success
from .confirmation.actions import browser_of
from .paying_out import hurry, payouts, sent, tick
from .test_bank import NAME, PASSWORD, notify, told
from .test_reversed_outside import (
    BACK,
    PAID,
    a_row,
    blender,
    books,
    cancel,
    paid,
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
    hurry()

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
    hurry()

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
