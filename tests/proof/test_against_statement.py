"""``prove --against-statement`` over real HTTP: M-Pesa's books against the shop's."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from payments.doubt import put_in_doubt
from payments.models import GatewayEvent, Receipt
from payments.proof import mpesa_books
from payments.proof.mpesa_books import compare_with_mpesa
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.refunds.write_offs import write_off_payment
from tests.payments.conftest import (  # noqa: F401
    initiator_certificate,
    settled,
    simulator,
    simulator_habits,
)
from tests.shopping import cash_out

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def traded(simulator, initiator_certificate, buyer_api, kettle, monkeypatch):  # noqa: F811
    """One order of KES 3,000, paid; the statement may be pulled and the balance asked for."""
    call_command("register_c2b_urls", statement_number="254700000000", stdout=StringIO())
    monkeypatch.setattr(mpesa_books, "LOOK_EVERY", 0.02)
    # All of it has settled: the rows are seconds old.
    monkeypatch.setattr(mpesa_books, "_SETTLED", timedelta(seconds=-5))
    cash_out(buyer_api, (kettle, 2))
    settled(simulator)
    return simulator


def held(simulator):  # noqa: F811
    """What M-Pesa holds before any trade."""
    return int(compare_with_mpesa().summary.split("holds KES ")[1].split(".")[0].replace(",", ""))


def test_books_that_agree_are_said_to(traded):
    opening = held(traded) - 3000
    said = StringIO()

    call_command("prove", against_statement=True, opening_balance=opening, stdout=said)

    assert "1 payments, KES 3,000 in" in said.getvalue()
    assert (
        f"the ledger says KES 3,000, plus an opening balance of KES {opening:,}." in said.getvalue()
    )
    assert set(GatewayEvent.objects.values_list("state", flat=True)) == {"applied"}


def test_a_payment_known_to_one_side_only_is_named(traded):
    receipt = Receipt.objects.get()
    Receipt.objects.filter(pk=receipt.pk).update(number="SGZ0000001")
    record_receipt(IncomingPayment("mpesa", "SGZ0000002", 70_000, "staff", phone="254712345678"))
    said = compare_with_mpesa(opening_balance=held(traded) - 3000)

    assert said.differences[:3] == [
        f"M-Pesa received KES 3000 as {receipt.number}; the shop has no record of it.",
        "The shop recorded SGZ0000001 of KES 3000; M-Pesa's statement does not show it.",
        "The shop recorded SGZ0000002 of KES 70000; M-Pesa's statement does not show it.",
    ]
    assert "Charges, deposits and withdrawals" in said.differences[3]


def test_another_amount_is_named(traded):
    Receipt.objects.update(amount=2999)
    number = Receipt.objects.get().number

    assert compare_with_mpesa().differences == [
        f"M-Pesa received KES 3000 as {number}; the shop recorded KES 2999."
    ]


def test_a_payment_that_was_written_off_is_not_expected_there(traded):
    receipt, _ = record_receipt(IncomingPayment("mpesa", "SGZ0000002", 70_000, "staff"))
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")
    write_off_payment(receipt.pk)

    assert compare_with_mpesa(opening_balance=held(traded) - 3000).differences == []


def test_a_payment_that_was_written_off_and_is_there_is_named(traded):
    receipt = Receipt.objects.get()
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")
    write_off_payment(receipt.pk)

    assert compare_with_mpesa().differences == [
        f"M-Pesa received KES 3000 as {receipt.number}; the shop recorded KES 0."
    ]


def test_a_missing_balance_is_waited_for_and_reported(traded):
    traded.script(operation="account_balance", callbacks=0, times=9)

    differences = compare_with_mpesa(patience=0.1).differences

    assert all("did not report the balance" in each for each in differences)
    assert differences


def test_without_m_pesa_nothing_is_said_to_agree(traded, settings):
    traded.script(operation="pull", refuse="internal_error", times=9)

    with pytest.raises(CommandError, match="so nothing was compared"):
        call_command("prove", against_statement=True)


def test_without_a_statement_there_is_nothing_to_compare_with(db, settings):
    settings.DARAJA_STATEMENT = False

    with pytest.raises(CommandError, match="not enabled"):
        call_command("prove", against_statement=True)
