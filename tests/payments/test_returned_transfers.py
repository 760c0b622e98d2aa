"""A returned payout or refund to a phone is recorded once and shown to staff."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from orders.lifecycle import cancel_order
from payments import clock
from payments.backoffice import receipt_services
from payments.backoffice.kinds import KINDS
from payments.backoffice.queues import QUEUES
from payments.backoffice.refusals import ActionNotAvailable
from payments.backoffice.transfer_services import (
    record_refund_on_portal,
    settle_withdrawal_as_payout,
    settle_withdrawal_as_returned,
)
from payments.daraja.result_codes import TransferFailure
from payments.disbursement import process_refund
from payments.doubt import put_in_doubt
from payments.evidence import record_first
from payments.ledger import balance
from payments.models import Account, Payout, Receipt, Refund, Withdrawal
from payments.proof.prove import prove
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.reconciliation.portal_statement_import import Reading
from payments.refunds.external_reversals import record_outside_reversal
from payments.refunds.write_offs import write_off_payment
from payments.transfers import mark_done, mark_refused
from tests.factories import UserFactory
from tests.orders.lines import line_at

from .paying_out import post_result, post_status_result
from .statements import PAYBILL, read, statement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

SENT, BACK, PHONE = "TKP1234567", "TKR1234567", "254722000000"


@pytest.fixture(autouse=True)
def _paying_number(settings):
    settings.DARAJA_B2C_SHORTCODE, settings.DARAJA_INITIATOR_NAME = "600000", "simulator"


@pytest.fixture
def payout(buyer, kettle, daraja):
    """A payout of KES 1,500 that M-Pesa reported as done."""
    line_at("fetched", buyer=buyer, product=kettle)
    clock.run_periodic(timezone.now() + timedelta(minutes=1))
    post_result(Payout.objects.get(), number=SENT)
    return Payout.objects.get()


def row(amount=1500, **changed):
    told = {
        "receipt": BACK, "amount": amount, "phone": PHONE, "reverses": SENT,
        "reason": "Business Payment Reversal", "details": f"Reversal of {SENT}",
    }  # fmt: skip
    return told | changed


def came_back(**changed):
    return read(statement(row(**changed)))


def books():
    accounts = (Account.MPESA_CLEARING, Account.SUSPENSE, Account.SELLERS_PAYABLE)
    return {str(each): balance(each) for each in accounts if balance(each)}


def test_a_payout_that_came_back_is_money_without_an_order_and_says_which_it_was(payout):
    before = balance(Account.MPESA_CLEARING)

    assert came_back().returned == 1

    receipt = Receipt.objects.get(number=BACK)
    assert (receipt.amount, receipt.phone, receipt.order) == (1500, PHONE, None)
    assert receipt.note == (
        f"Payout {payout.pk}, sent under {SENT}, came back: M-Pesa took it from that phone. Ask "
        f"whose it is; a refund goes to that phone again."
    )
    # No person has said so: it needs none.
    assert (receipt.is_separate_payment, receipt.is_not_from_prompt) == (False, True)
    assert not Receipt.objects.unidentified_payments().exists()
    assert balance(Account.MPESA_CLEARING) - before == 1500
    assert balance(Account.SUSPENSE) == 1500
    payout.refresh_from_db()
    assert payout.status == "done"


def test_returned_money_is_on_the_console(payout):
    came_back()

    waiting = next(each for each in QUEUES if each.key == "unmatched")
    assert list(waiting.rows(timezone.now())) == [Receipt.objects.get(number=BACK)]


def test_the_command_says_how_many_came_back(payout, tmp_path):
    file = tmp_path / "statement.csv"
    file.write_bytes(statement(row()))
    said = StringIO()

    call_command("read_statement", str(file), stdout=said)

    assert (
        "1 withdrawals came back: see “Payments without an order” on the console."
        in said.getvalue()
    )


def test_a_returned_transfer_is_recorded_once_however_often_the_statement_is_read(payout):
    came_back()

    assert came_back().returned == 0
    assert balance(Account.SUSPENSE) == 1500


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": "Business Payment to Customer via API"},
        {"reason": "Transaction Reversal", "reverses": ""},
        {"reason": "Reversal", "phone": "2547****000"},
    ],
)
def test_a_returned_payout_is_recognised_by_any_of_mpesas_words(payout, changed):
    assert came_back(**changed).returned == 1
    assert balance(Account.SUSPENSE) == 1500


def test_returned_money_recorded_by_staff_before_is_recognised(payout):
    seen = {"number": BACK, "amount": 1500, "reference": "", "phone": "254733000999"}
    receipt_services.record_seen_receipt(**seen, by=UserFactory(is_superuser=True))

    assert [came_back().returned for _ in range(2)] == [1, 0]

    receipt = Receipt.objects.get(number=BACK)
    assert (receipt.source, receipt.phone, receipt.phone_by) == ("returned", PHONE, None)
    assert receipt.note.startswith(f"Payout {payout.pk}, sent under {SENT}, came back")
    assert balance(Account.SUSPENSE) == 1500


def write_down(amount=1500):
    seen = {"number": BACK, "amount": amount, "reference": "", "phone": "254733000999"}
    return receipt_services.record_seen_receipt(**seen, by=UserFactory(is_superuser=True))


def ways(receipt):
    return list(receipt.refunds.order_by("pk").values_list("way", "phone", "status", "amount"))


def test_an_unsent_reversal_of_returned_money_is_sent_to_the_phone_instead(payout, daraja):
    receipt = write_down()
    receipt_services.refund_receipt(receipt.pk)
    before = books()

    assert came_back().returned == 1

    assert ways(receipt) == [("reversal", "", "dropped", 1500), ("b2c", PHONE, "due", 1500)]
    assert balance(Account.REFUNDS_PAYABLE) == 1500
    assert books() == before
    mark_done(Refund.objects.get(way="b2c"), number="TKP7654321")
    assert (balance(Account.REFUNDS_PAYABLE), balance(Account.SUSPENSE)) == (0, 0)


def test_given_to_an_order_that_owes_it_back_it_goes_to_the_phone_and_closes_the_order(
    payout, order, daraja
):
    cancel_order(order.pk, cancelled_by="staff")
    receipt = write_down()
    receipt_services.match_receipt_to_order(receipt.pk, reference=order.reference, why="Seen.")
    assert ways(receipt) == [("reversal", "", "due", 1500)]

    assert [came_back().returned for _ in range(2)] == [1, 0]

    assert ways(receipt) == [("reversal", "", "dropped", 1500), ("b2c", PHONE, "due", 1500)]
    mark_done(Refund.objects.get(way="b2c"), number="TKP7654321")
    order.refresh_from_db()
    assert order.payment_status == "refunded"
    assert (balance(Account.REFUNDS_PAYABLE), balance(Account.BUYERS_HELD)) == (0, 0)


def test_the_order_it_paid_for_keeps_it_and_is_shown_to_staff(payout, order):
    receipt = write_down(order.amount)
    receipt_services.match_receipt_to_order(receipt.pk, reference=order.reference, why="Seen.")

    came_back(amount=order.amount)

    receipt.refresh_from_db()
    order.refresh_from_db()
    assert (receipt.source, receipt.phone, receipt.phone_by) == ("returned", PHONE, None)
    assert (receipt.order, order.payment_status, receipt.verification) == (
        order,
        "paid",
        "confirmed",
    )
    assert receipt.note == (
        f"Payout {payout.pk} of KES 1,500, sent under {SENT}, came back: M-Pesa took it from that "
        f"phone. No buyer paid it, but it was matched to order {order.reference}. Ask "
        f"whose it is."
    )
    assert list(Receipt.objects.unacknowledged()) == [receipt]


def test_a_large_one_whose_reversal_was_approved_is_approved_again_for_the_phone(
    payout, settings, daraja
):
    settings.REFUND_APPROVAL_ABOVE = 1000
    decided, second = UserFactory(), UserFactory()
    receipt = write_down()
    refund = receipt_services.refund_receipt(receipt.pk, by=decided)
    Refund.objects.filter(pk=refund.pk).update(approved_by=second)

    came_back()

    again = Refund.objects.get(way="b2c")
    assert (again.awaits_approval, again.author, again.next_check_at) == (True, decided, None)


def test_a_reversal_of_it_that_m_pesa_may_know_of_is_left(payout, daraja):
    receipt = write_down()
    receipt_services.refund_receipt(receipt.pk)
    clock.process_due_refunds(timezone.now() + timedelta(minutes=1))

    assert came_back().returned == 1

    assert ways(receipt) == [("reversal", "", "sent", 1500)]


def test_a_returned_transfer_that_was_written_off_stays_written_off(payout):
    receipt = write_down()
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")
    write_off_payment(receipt.pk)

    assert came_back().returned == 0

    receipt.refresh_from_db()
    assert (receipt.source, receipt.verification) == ("staff", "never_came")


def test_a_prompts_own_receipt_that_was_given_its_number_stays_and_is_shown_to_staff(
    payout, payment, order
):
    """The prompt's money came too: told that this receipt came back, the shop would have one sum of
    the two."""
    record_outcome(payment.pk, AttemptOutcome(True, "0", "Paid", "query"))
    receipt_services.match_receipt_to_order(
        write_down(order.amount).pk, reference=order.reference, why="Seen."
    )

    assert [came_back(amount=order.amount).returned for _ in range(2)] == [0, 0]

    [receipt] = Receipt.objects.filter(order=order)
    assert (receipt.number, receipt.is_returned_transfer, receipt.payment) == (BACK, False, payment)
    assert receipt.note == (
        f"Payout {payout.pk} of KES 1,500, sent under {SENT}, came back: M-Pesa took it from that "
        f"phone. This number was entered for a prompt's receipt: two payments arrived, and one is "
        "recorded."
    )
    assert list(Receipt.objects.unacknowledged()) == [receipt]


def test_a_part_that_came_back_says_of_how_much(payout):
    came_back(amount=500)

    receipt = Receipt.objects.get(number=BACK)
    assert receipt.note.startswith(f"Payout {payout.pk} of KES 1,500, sent under {SENT}, came back")
    assert receipt.amount == 500


def test_returned_money_of_an_unknown_transfer_is_left_to_staff(payout):
    came_back(reverses="TKP0000009")

    receipt = Receipt.objects.get(number=BACK)
    assert receipt.note == (
        "M-Pesa took TKP0000009 back from its receiver: it is no payout or refund of ours."
    )
    assert balance(Account.SUSPENSE) == 1500


def test_a_refund_to_a_phone_that_came_back_is_money_without_an_order(buyer, kettle, daraja):
    line_at("cancelled", buyer=buyer, product=kettle)
    Refund.objects.update(way="b2c", phone="254712345678")
    refund = Refund.objects.get()
    mark_done(refund, number=SENT)

    came_back()

    receipt = Receipt.objects.get(number=BACK)
    assert receipt.note.startswith(f"Refund {refund.pk}, sent under {SENT}, came back")
    assert (receipt.phone, balance(Account.SUSPENSE)) == ("254712345678", 1500)


def test_a_payout_unknown_so_far_is_found_on_the_same_statement_that_took_it_back(
    buyer, kettle, daraja
):
    line_at("fetched", buyer=buyer, product=kettle)
    clock.run_periodic(timezone.now() + timedelta(minutes=1))
    payout = Payout.objects.get()
    left = {
        "receipt": SENT, "amount": -1500, "phone": PHONE,
        "details": f"Original conversation ID is {payout.originator_conversation_id}.",
    }  # fmt: skip

    read(statement(left, row()))

    payout.refresh_from_db()
    assert (payout.status, payout.number) == ("done", SENT)
    assert balance(Account.SUSPENSE) == 1500


def test_a_returned_transfer_is_sent_to_the_seller_by_phone_and_not_reversed(payout, daraja):
    came_back()
    receipt = Receipt.objects.get(number=BACK)

    receipt_services.refund_receipt(receipt.pk)

    refund = Refund.objects.get()
    assert (refund.way, refund.phone, refund.amount) == ("b2c", PHONE, 1500)
    mark_done(refund, number="TKP7654321")
    assert balance(Account.SUSPENSE) == 0


def test_m_pesa_is_asked_there_too_whether_it_still_stands_before_it_goes_to_the_phone(
    payout, daraja
):
    came_back()
    refund = receipt_services.refund_receipt(Receipt.objects.get(number=BACK).pk)

    process_refund(refund.pk)

    [asked] = [each for each in daraja.questions if each.get("receipt") == BACK]
    assert asked["shortcode"] == "600000"


def answer(client, asked):
    """M-Pesa's answer to what it was asked: the money came to the number that pays out."""
    told = {
        "ReceiptNo": BACK, "TransactionStatus": "Completed", "Amount": "1500",
        "CreditPartyName": "600000 - O-Mache",
    }  # fmt: skip

    client.post(
        "/safwebhook/" + asked["result_url"].rstrip("/").rpartition("/")[2] + "/",
        {
            "Result": {
                "ResultType": 0, "ResultCode": 0, "ResultDesc": "x", "ConversationID": "AG_1",
                "OriginatorConversationID": "ours-1", "TransactionID": "SGQ0000001",
                "ResultParameters": {
                    "ResultParameter": [{"Key": k, "Value": v} for k, v in told.items()]
                },
            }
        },
        content_type="application/json",
    )  # fmt: skip


def test_m_pesa_is_asked_about_it_at_the_number_that_pays_out_and_confirms_it(
    client, payout, daraja, monkeypatch
):
    # Which in other tests is confirmed as soon as it is told of.
    monkeypatch.setattr("payments.evidence.record_first", record_first)
    came_back()
    receipt = Receipt.objects.get(number=BACK)
    receipt_services.refund_receipt(receipt.pk)
    clock.query_due_receipts(timezone.now() + timedelta(minutes=1))
    [asked] = [each for each in daraja.questions if each.get("receipt") == BACK]
    answer(client, asked)

    receipt.refresh_from_db()
    assert asked["shortcode"] == "600000"
    assert (receipt.verification, receipt.doubt) == ("confirmed", "")


def test_returned_money_recorded_by_staff_is_in_doubt_until_the_statement_shows_it(
    client, payout, daraja, monkeypatch
):
    monkeypatch.setattr("payments.evidence.record_first", record_first)
    receipt = write_down()
    clock.query_due_receipts(timezone.now() + timedelta(minutes=1))
    [asked] = [each for each in daraja.questions if each.get("receipt") == BACK]

    answer(client, asked)

    receipt.refresh_from_db()
    assert (receipt.verification, receipt.doubt) == (
        "doubted",
        f"M-Pesa says that {BACK} was paid to 600000, which pays out: no buyer paid it. Read the "
        "statement of that number.",
    )
    came_back()
    receipt.refresh_from_db()
    assert (receipt.verification, receipt.source) == ("confirmed", "returned")


def test_a_returned_transfer_cannot_be_matched_to_an_order(payout, order):
    came_back()
    receipt = Receipt.objects.get(number=BACK)

    with pytest.raises(ActionNotAvailable, match="no buyer paid it"):
        receipt_services.match_receipt_to_order(receipt.pk, reference=order.reference, why="x")


def test_a_customers_reversal_on_the_paybills_statement_is_no_money_that_came_back(
    payout, buyer, kettle
):
    paid = Receipt.objects.get()
    told = row(-1500, reverses=paid.number, reason="Pay Bill Reversal", phone="254712345678")

    reading = read(statement(told, shortcode=PAYBILL))

    assert (reading.returned, balance(Account.SUSPENSE)) == (0, 0)


def test_a_payout_that_m_pesa_says_was_reversed_is_still_owed_and_left_to_staff(
    buyer, kettle, daraja
):
    line_at("fetched", buyer=buyer, product=kettle)
    clock.run_periodic(timezone.now() + timedelta(minutes=1))

    post_status_result(Payout.objects.get(), "Reversed")

    payout = Payout.objects.get()
    assert (payout.status, payout.result_code) == ("refused", "status.reversed")
    assert list(Payout.objects.needs_action()) == [payout]
    assert balance(Account.SELLERS_PAYABLE) == 1500


def test_a_result_from_before_it_was_reversed_does_not_end_it(buyer, kettle, daraja):
    line_at("fetched", buyer=buyer, product=kettle)
    clock.run_periodic(timezone.now() + timedelta(minutes=1))
    post_status_result(Payout.objects.get(), "Reversed")

    notes = [
        post_result(Payout.objects.get(), number=SENT),
        post_status_result(Payout.objects.get()),
    ]

    assert notes == ["It was reversed since. Nothing was changed."] * 2
    assert list(Payout.objects.values_list("status", "number")) == [("refused", "")]
    assert balance(Account.SELLERS_PAYABLE) == 1500
    assert prove().broken == []


def left(amount=1500, **more):
    return {"receipt": SENT, "amount": -amount, "phone": PHONE, **more}


@pytest.fixture
def done_otherwise(buyer, kettle, daraja):
    """A refund to a phone that M-Pesa reported as reversed, as it did its payment since then."""
    line_at("cancelled", buyer=buyer, product=kettle)
    Refund.objects.update(way="b2c", phone=PHONE, status="refused", result_code="status.reversed")
    record_outside_reversal(Receipt.objects.get().pk, number="TKQ1234567")
    return Refund.objects.get()


def shown(key):
    return list(next(each for each in QUEUES if each.key == key).rows(timezone.now()))


def test_a_withdrawal_for_a_manual_refund_that_came_back_is_one_decision(done_otherwise, daraja):
    before = balance(Account.MPESA_CLEARING)
    named = f"Original conversation ID is {done_otherwise.originator_conversation_id}."

    reading = read(statement(left(details=named), row()))

    assert (reading.unexplained, reading.returned) == (1, 1)
    withdrawal, receipt = Withdrawal.objects.get(), Receipt.objects.get(number=BACK)
    assert withdrawal.return_receipt == receipt
    assert (shown("withdrawals"), shown("unmatched")) == ([withdrawal], [])
    assert receipt.note == f"It was withdrawn as {SENT}. Explain that withdrawal first."
    assert not KINDS["receipt"].actions["back"].applies(receipt)

    assert settle_withdrawal_as_returned(withdrawal.pk) == receipt

    assert (shown("withdrawals"), shown("unmatched")) == ([], [])
    refund = receipt.refunds.get()
    assert (refund.number, refund.amount, refund.status) == (SENT, 1500, "done")
    assert (balance(Account.SUSPENSE), balance(Account.MPESA_CLEARING)) == (0, before)
    assert daraja.payouts == []
    assert read(statement(left(details=named), row())) == Reading(0, 0, 1, 0, 0)


def test_a_refund_that_came_back_and_was_made_on_the_portal_was_not_made_twice(
    buyer, kettle, daraja
):
    line_at("cancelled", buyer=buyer, product=kettle)
    Receipt.objects.update(verification="confirmed")
    Refund.objects.update(way="b2c", phone=PHONE, status="sent", sent_at=timezone.now())
    refund = Refund.objects.get()
    mark_refused(refund, code="status.reversed", text="Reversed", reason=TransferFailure.OTHER)
    record_refund_on_portal(refund.pk, number="TKQ1234567")
    books = [balance(account) for account in (Account.MPESA_CLEARING, Account.SUSPENSE)]
    named = f"Original conversation ID is {refund.originator_conversation_id}."

    read(statement(left(details=named), row()))
    settle_withdrawal_as_returned(Withdrawal.objects.get().pk)

    refund.refresh_from_db()
    assert (refund.status, refund.number) == ("refused", "")
    assert [balance(account) for account in (Account.MPESA_CLEARING, Account.SUSPENSE)] == books


def test_returned_money_is_recorded_alike_in_any_order_of_statements(done_otherwise):
    came_back()
    assert [each.number for each in shown("unmatched")] == [BACK]

    read(statement(left(), row()))

    assert [each.return_receipt.number for each in shown("withdrawals")] == [BACK]
    assert shown("unmatched") == []


def test_of_two_statements_given_in_any_order_it_is_the_same(done_otherwise):
    read(statement(row()), statement(left()))

    assert [each.return_receipt.number for each in shown("withdrawals")] == [BACK]


def test_a_part_that_came_back_of_it_is_decided_by_itself(done_otherwise):
    read(statement(left(), row(500)))

    withdrawal = Withdrawal.objects.get()
    assert withdrawal.return_receipt is None
    assert [each.amount for each in shown("unmatched")] == [500]
    with pytest.raises(ActionNotAvailable, match="that all of it came back"):
        settle_withdrawal_as_returned(withdrawal.pk)


def test_returned_money_that_was_sent_on_is_not_settled_again(done_otherwise):
    came_back()
    receipt_services.refund_receipt(Receipt.objects.get(number=BACK).pk)
    read(statement(left(), row()))

    with pytest.raises(ActionNotAvailable, match="already decided about the money"):
        settle_withdrawal_as_returned(Withdrawal.objects.get().pk)


def test_what_it_had_left_as_may_be_said_and_then_it_is_money_without_an_order(
    done_otherwise, kettle
):
    read(statement(left(), row()))
    withdrawal = Withdrawal.objects.get()

    settle_withdrawal_as_payout(withdrawal.pk, username=kettle.seller.username)

    receipt = Receipt.objects.get(number=BACK)
    assert shown("unmatched") == [receipt]
    assert KINDS["receipt"].actions["back"].applies(receipt)
    with pytest.raises(ActionNotAvailable, match="already been explained"):
        settle_withdrawal_as_returned(withdrawal.pk)
