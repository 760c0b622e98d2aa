"""Payments that M-Pesa reversed before they were confirmed."""

import pytest

from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.evidence import record_on_statement
from payments.ledger import balance
from payments.models import Account, Payout, Receipt
from payments.proof.prove import prove
from payments.reconciliation.returns import record_reversal_row
from payments.transfers import mark_done
from tests.payments.bank import NAME, PASSWORD, notify, told
from tests.payments.reversals import BACK, PAID, sent_to_a_phone

from .actions import NUMBER, answer, answer_query, finance, on_statement, run_clock, sent_transfers


def test_a_payment_m_pesa_says_it_reversed_came_and_its_sellers_payout_is_a_second_persons(
    fetched, daraja
):
    answer(fetched, TransactionStatus="Reversed")
    run_clock()

    assert (fetched.verification, fetched.written_off) == ("confirmed", 3000)
    assert sent_transfers(daraja) == []
    [payout] = Payout.objects.all()
    assert list(Payout.objects.to_approve()) == [payout]
    money_out.approve_payout(payout.pk, by=finance("wairimu"))
    run_clock()
    assert [sent["amount"] for sent in daraja.payouts] == [3000]


@pytest.mark.parametrize(
    "told",
    [
        {"Amount": "2999"},
        {"Amount": ""},
        {"CreditPartyName": "600610 - Shop"},
        {"CreditPartyName": ""},
    ],
)
def test_an_answer_about_a_reversal_another_amount_or_receiver_confirms_nothing(
    fetched, daraja, told
):
    answer(fetched, TransactionStatus="Reversed", **told)
    run_clock()

    assert (fetched.verification, sent_transfers(daraja)) == ("told", [])


def test_earnings_of_a_payment_that_never_came_wait_for_approval(fetched, daraja, colleague):
    answer(fetched, code="SFC_IC0003")
    money_in.write_off_receipt(fetched.pk, by=colleague)
    run_clock()

    fetched.refresh_from_db()
    assert (fetched.verification, fetched.written_off) == ("never_came", 3000)
    assert sent_transfers(daraja) == []
    [payout] = Payout.objects.all()
    assert list(Payout.objects.to_approve()) == [payout]

    money_out.approve_payout(payout.pk, by=finance("wairimu"))
    run_clock()

    assert [sent["amount"] for sent in daraja.payouts] == [3000]


def test_a_reported_reversal_of_a_written_off_payment_is_shown_to_staff(fetched, daraja, colleague):
    answer(fetched, code="SFC_IC0003")
    money_in.write_off_receipt(fetched.pk, by=colleague)
    answer(fetched, TransactionStatus="Reversed")

    assert fetched.events.order_by("pk").last().state == "applied"
    assert (fetched.verification, fetched.unacknowledged) == ("never_came", True)
    assert fetched.note == "It was written off because it never arrived, and M-Pesa shows it now."


@pytest.mark.parametrize("taken", [3000, 3500])
def test_what_it_takes_back_after_a_refund_is_no_refund_of_the_shop_s(
    client, paid, settings, daraja, taken
):
    """The bank's payment, which nobody has confirmed yet, covers the line that is left."""
    receipt = Receipt.objects.get()
    record_on_statement([receipt])
    mark_done(sent_to_a_phone(paid), number="SGB0000001")
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    settings.EQUITY_ACCOUNT = "0180#{reference}"
    notify(client, told(paid.reference, 3500))

    record_reversal_row(number=BACK, reverses=PAID, amount=taken)

    assert prove().broken == []


@pytest.mark.parametrize("typed", [2999, 3001])
def test_a_payment_that_staff_typed_wrong_is_reversed_as_it_came(order, daraja, insider, typed):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=typed, reference=order.reference, by=insider
    )

    answer_query(receipt, TransactionStatus="Reversed", Amount="3000")
    on_statement(daraja, receipt, amount=3000)
    run_clock()

    receipt.refresh_from_db()
    [back] = receipt.refunds.exclude(status="dropped")
    assert (receipt.amount, back.amount, back.way) == (3000, 3000, "outside")
    assert balance(Account.MPESA_CLEARING) == 0
