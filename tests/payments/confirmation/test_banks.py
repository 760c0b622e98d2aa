"""A bank's notification alone pays nobody out."""

import pytest

from orders.fulfilment import PaymentInDoubt, move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice.refusals import ActionNotAvailable
from payments.ledger import balance
from payments.models import (
    Account,
)
from tests.factories import UserFactory

from .actions import run_clock, sent_transfers


def test_a_single_bank_notification_releases_no_payout_and_no_refund(forged_notice, order, daraja):
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    run_clock()

    assert (sent_transfers(daraja), forged_notice.verification) == ([], "told")


def test_a_person_who_is_not_its_buyer_confirms_a_banks_payment(
    forged_notice, order, colleague, daraja
):
    with pytest.raises(ActionNotAvailable, match="cannot decide"):
        money_in.confirm_bank_receipt(forged_notice.pk, by=order.buyer)
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    money_in.confirm_bank_receipt(forged_notice.pk, by=colleague)
    run_clock()

    assert [payout["amount"] for payout in daraja.payouts] == [3000]


def test_a_payment_the_bank_does_not_show_is_written_off(forged_notice, order, colleague):
    money_in.doubt_bank_receipt(forged_notice.pk)
    with pytest.raises(PaymentInDoubt):
        move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    money_in.write_off_receipt(forged_notice.pk, by=colleague)

    assert (balance("equity_clearing"), balance(Account.WRITE_OFFS)) == (0, 3000)
