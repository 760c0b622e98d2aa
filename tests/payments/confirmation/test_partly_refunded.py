"""A payment in doubt of which a part was refunded is written off: the shop has lost that part."""

import pytest
from django.utils import timezone

from orders.fulfilment import move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice.refusals import ActionNotAvailable
from payments.disbursement import process_refund
from payments.doubt import put_in_doubt
from payments.ledger import balance
from payments.models import Account, Receipt, Refund
from payments.proof.prove import prove
from payments.transfers import mark_done
from tests.factories import UserFactory
from tests.payments.bank import NAME, PASSWORD, notify, told
from tests.payments.bodies import by_hand, post_c2b

from .actions import NUMBER, finance, on_statement

BACK = "SGB0000001"


def books():
    """What each account holds, KES, Equity's as "equity"."""
    accounts = {account.value: balance(account) for account in Account}
    held = accounts | {"equity": balance("equity_clearing")}
    return {account: amount for account, amount in held.items() if amount}


def send(refund):
    process_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == "sent"
    mark_done(refund, number=BACK, text="Done.")


@pytest.fixture
def too_much(client, order, settings):
    """KES 3,500 at the bank for an order of KES 3,000, as finance has seen."""
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    notify(client, told(order.reference, 3500))
    return money_in.confirm_bank_receipt(Receipt.objects.get().pk, by=finance("wairimu"))


@pytest.fixture
def bank_payment(too_much):
    """That payment, once its excess was sent back by M-Pesa."""
    send(Refund.objects.get())
    return too_much


def test_the_bank_took_back_a_payment_of_which_a_part_was_refunded(
    bank_payment, order, insider, colleague
):
    assert books() == {"equity": 3500, "mpesa_clearing": -500, "buyers_held": 3000}
    money_in.doubt_bank_receipt(bank_payment.pk)
    assert prove().broken == []

    written_off = money_in.write_off_receipt(bank_payment.pk, by=colleague)

    assert books() == {"mpesa_clearing": -500, "buyers_held": 3000, "write_offs": 3500}
    assert written_off.note == (
        "Cancel what has not been delivered. It never came. KES 500 of it had been refunded. "
        "The bank's own statement does not show it, or shows it taken back."
    )
    assert prove().broken == []

    move_line(order.tracks.get().pk, "cancelled", actor=insider, note="It is not paid.")

    order.refresh_from_db()
    assert (order.payment_status, order.in_doubt) == ("refunded", True)
    assert books() == {"mpesa_clearing": -500, "write_offs": 500}
    assert prove().broken == []


def test_it_may_come_after_all(bank_payment, order, colleague):
    money_in.doubt_bank_receipt(bank_payment.pk)
    money_in.write_off_receipt(bank_payment.pk, by=colleague)

    money_in.count_after_all(bank_payment.pk, by=finance("otieno"))

    order.refresh_from_db()
    assert books() == {"equity": 3500, "mpesa_clearing": -500, "buyers_held": 3000}
    assert (order.payment_status, order.in_doubt) == ("paid", False)
    assert prove().broken == []


def test_a_part_of_an_m_pesa_payment_left_that_m_pesa_does_not_know(
    client, order, daraja, colleague
):
    post_c2b(client, by_hand(order.reference, 3500, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt)
    # M-Pesa says that the payment still stands, before a phone is paid.
    Refund.objects.update(receipt_checked_at=timezone.now(), next_check_at=timezone.now())
    send(Refund.objects.get())
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")

    money_in.write_off_receipt(receipt.pk, by=colleague)

    assert books() == {"mpesa_clearing": -500, "buyers_held": 3000, "write_offs": 3500}
    assert prove().broken == []


def test_money_in_suspense_that_was_refunded_is_a_debt_there(client, settings, colleague, daraja):
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    notify(client, told("NOBODYS", 700))
    receipt = Receipt.objects.get()
    money_in.confirm_bank_receipt(receipt.pk, by=finance("wairimu"))
    send(money_in.refund_receipt(receipt.pk))
    money_in.doubt_bank_receipt(receipt.pk)

    written_off = money_in.write_off_receipt(receipt.pk, by=colleague)

    assert books() == {"mpesa_clearing": -700, "suspense": -700}
    assert written_off.note.startswith("It never came. KES 700 of it had been refunded.")
    assert prove().broken == []


def test_not_while_a_refund_of_it_may_still_leave(too_much, colleague):
    process_refund(Refund.objects.get().pk)
    money_in.doubt_bank_receipt(too_much.pk)

    with pytest.raises(ActionNotAvailable, match="A refund of it is under way"):
        money_in.write_off_receipt(too_much.pk, by=colleague)


def test_what_m_pesa_reversed_came(client, order, colleague, daraja):
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt)
    line = order.tracks.get()
    move_line(line.pk, "cancelled", actor=UserFactory(is_superuser=True), note="Broken.")
    refund = Refund.objects.get(way="reversal")
    send(refund)
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")

    with pytest.raises(ActionNotAvailable, match="M-Pesa reversed it, so it arrived"):
        money_in.write_off_receipt(receipt.pk, by=colleague)
