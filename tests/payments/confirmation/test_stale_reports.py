"""What was reported before something newer is known undoes nothing, however late it comes."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from payments.disbursement import process_refund
from payments.doubt import put_in_doubt
from payments.evidence import request_confirmation
from payments.ledger import balance
from payments.models import GatewayEvent, PayoutStop, Receipt, Refund
from payments.webhooks.inbox import process_event, replay_event
from tests.payments.bodies import by_hand, post, post_c2b, success
from tests.payments.reversals import answer as answer_about
from tests.payments.reversals import cancel

from .actions import NUMBER, answer, on_statement, run_clock


def replay():
    call_command("replay_events", all=True)


def now(receipt):
    receipt.refresh_from_db()
    return receipt.verification, receipt.amount, receipt.written_off, balance("mpesa_clearing")


@pytest.fixture
def receipt(client, order):
    """KES 3,000 of a C2B confirmation, about which M-Pesa was asked."""
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    receipt = Receipt.objects.get()
    request_confirmation([receipt])
    run_clock(1)
    return receipt


@pytest.mark.parametrize("how", ["replayed", "delivered twice"])
def test_an_old_confirmation_does_not_undo_what_the_statement_showed(
    client, order, receipt, daraja, how
):
    on_statement(daraja, receipt, amount=2900)
    before = ("told", 2900, 100, 2900)
    assert now(receipt) == before

    if how == "replayed":
        replay()
    else:
        post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))

    assert now(receipt) == before


@pytest.mark.parametrize("amount", [2800, 3100])
def test_a_new_posted_amount_does_not_outrank_the_statement(client, order, receipt, daraja, amount):
    on_statement(daraja, receipt, amount=2900)

    post_c2b(client, by_hand(order.reference, amount, receipt=NUMBER))

    assert now(receipt)[1:] == (2900, 100, 2900)
    note = f"KES {amount:,} was posted to us; M-Pesa's own statement or answer shows KES 2,900."
    assert GatewayEvent.objects.latest("pk").note == note
    assert (receipt.note, receipt.unacknowledged) == (note, True)


def test_a_callback_does_not_outrank_the_statement(client, payment, order, daraja):
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt, amount=2900)

    post(client, payment, success(payment, receipt=NUMBER))

    assert now(receipt)[1:] == (2900, 100, 2900)


@pytest.mark.parametrize("how", ["replayed", "delivered twice"])
def test_an_old_answer_does_not_end_a_newer_doubt(receipt, how):
    answer(receipt, conversation="AG_first")
    assert receipt.verification == "confirmed"
    put_in_doubt(receipt.pk, "M-Pesa refused to reverse it: R000002")

    if how == "replayed":
        replay()
    else:
        answer(receipt, conversation="AG_first")

    assert now(receipt)[0] == "doubted"


def test_an_answer_from_before_the_doubt_that_is_processed_late_does_not_end_it(receipt):
    answer(receipt)
    late = GatewayEvent.objects.latest("pk")
    put_in_doubt(receipt.pk, "M-Pesa refused to reverse it: R000002")
    GatewayEvent.objects.filter(pk=late.pk).update(state="new")

    process_event(late.pk)

    late.refresh_from_db()
    assert late.note == "Something newer is known. Nothing was changed."
    assert now(receipt)[0] == "doubted"


def test_of_two_answers_the_later_one_counts_in_any_order(receipt):
    """That M-Pesa does not know it was received first, and processed last."""
    answer(receipt, code="SFC_IC0003")
    denial = GatewayEvent.objects.latest("pk")
    answer(receipt)
    assert receipt.verification == "confirmed"

    note = replay_event(denial.pk)

    assert note == f"M-Pesa does not know {NUMBER}. Something newer is known. Nothing was changed."
    assert now(receipt)[0] == "confirmed"


@pytest.mark.parametrize("said", [{"code": "SFC_IC0003"}, {"Amount": "2900"}])
def test_an_old_answer_puts_nothing_in_doubt_that_the_statement_has_shown_since(
    order, receipt, daraja, said
):
    answer(receipt, **said)
    assert receipt.verification == "doubted"
    on_statement(daraja, receipt)
    assert now(receipt)[0] == "confirmed"

    replay()

    order.refresh_from_db()
    assert (now(receipt)[0], order.in_doubt) == ("confirmed", False)


@pytest.fixture
def refund(client, paid, daraja):
    """KES 1,500 of a confirmed 3,500, to the phone; M-Pesa was asked whether the payment stands."""
    on_statement(daraja, Receipt.objects.get())
    cancel(paid, 0)
    refund = Refund.objects.get()
    process_refund(refund.pk)
    return refund


def test_an_old_answer_lets_no_refund_leave_without_asking_again(client, refund, daraja):
    PayoutStop.objects.stop_transfers("M-Pesa does not accept the initiator")
    answer_about(client, refund)
    assert daraja.payouts == []
    asked = len(daraja.questions)

    with time_machine.travel(timezone.now() + timedelta(hours=9)):
        replay()
        PayoutStop.objects.update(is_open=False, ended_at=timezone.now())
        Refund.objects.update(next_check_at=timezone.now())
        process_refund(refund.pk)

    stood = GatewayEvent.objects.get(refund=refund).received_at
    assert Refund.objects.get().receipt_checked_at == stood
    assert (daraja.payouts, len(daraja.questions)) == ([], asked + 1)


def test_an_older_answer_than_the_last_refuses_no_refund(client, refund, daraja):
    PayoutStop.objects.stop_transfers("M-Pesa does not accept the initiator")
    answer_about(client, refund, status="Declined")
    old = GatewayEvent.objects.latest("pk")
    Refund.objects.update(status="due", receipt_checked_at=timezone.now())

    replay_event(old.pk)

    assert Refund.objects.get().status == "due"
