"""Payouts, reversals and queries with the simulator, from the request to the result."""

import json

import pytest

from daraja_simulator.tests.waiting import PATIENCE, wait_until
from payments.daraja.client import MemoryTokenStore
from payments.daraja.errors import DarajaDuplicate, DarajaRefusal, DarajaRefused, DarajaUnknown
from payments.daraja.result_codes import (
    TransactionEnd,
    TransferFailure,
    b2c_failure,
    reversal_failure,
    transaction_end,
)
from payments.daraja.results import read_transfer_callback

from .conftest import A_PAYOUT, A_REVERSAL, rehearse

PHONE = A_PAYOUT["phone"]


class Rehearsal:
    """A client, its simulator, and a server that listens for results."""

    def __init__(self, simulator, shop, client=None):
        self.simulator = simulator
        self.client = client or rehearse(simulator)
        self.shop = shop
        self.said_later = {
            "result_url": shop.at("result"),
            "queue_timeout_url": shop.at("timeout"),
        }

    def pay(self, **changes):
        return self.client.b2c_payment(**A_PAYOUT | self.said_later | changes)

    def reverse(self, receipt, **changes):
        return self.client.reversal(**A_REVERSAL | self.said_later | {"receipt": receipt} | changes)

    def ask_status(self, **about):
        return self.client.transaction_status(**self.said_later, **about)

    def paid_in(self):
        """The receipt of a C2B payment of KES 1,500."""
        return self.simulator.pay_by_hand(PHONE, 1500, "SOFA22")["receipt"]

    def results(self):
        """All results so far, as read by the shop."""
        return self._read("result")

    def timeouts(self):
        """All queue timeouts so far, as read by the shop."""
        return self._read("timeout")

    def _read(self, address):
        assert self.simulator.wait_until_quiet()
        posted = self.shop.posted_to(address)
        return [read_transfer_callback(json.dumps(body).encode()) for body in posted]

    @property
    def paid_out(self):
        return self.simulator.books()["paid_out"]


@pytest.fixture
def rehearsal(simulator, shop):
    return Rehearsal(simulator, shop)


def test_a_payout_is_paid_and_told_under_both_ids(rehearsal):
    conversation = rehearsal.pay()

    (result,) = rehearsal.results()
    (entry,) = rehearsal.simulator.books()["entries"]
    assert (entry["phone"], entry["amount"], entry["shortcode"]) == (PHONE, 1500, "600000")
    assert result.succeeded
    assert result.originator_conversation_id == "payout-7-0"
    assert conversation.originator_conversation_id == "payout-7-0"
    assert result.conversation_id == conversation.conversation_id
    assert result.amount == 1500
    assert result.receipt == result.transaction_id == entry["receipt"]
    assert result.facts["ReceiverPartyPublicName"].startswith(PHONE)
    assert result.facts["B2CUtilityAccountAvailableFunds"] == "998500.0"


def test_a_payout_asked_for_twice_is_paid_once(rehearsal):
    rehearsal.pay()
    with pytest.raises(DarajaDuplicate):
        rehearsal.pay()

    assert len(rehearsal.results()) == 1
    assert rehearsal.paid_out == 1500


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        ({"outcome": "1"}, "1", TransferFailure.NO_FUNDS),
        ({"outcome": "2040"}, "2040", TransferFailure.NOT_REGISTERED),
        ({"outcome": "SFC_IC0003"}, "SFC_IC0003", TransferFailure.NOT_REGISTERED),
        ({"outcome": "17"}, "17", None),
        ({"outcome": "E3008"}, "E3008", None),
    ],
)
def test_a_payout_that_fails_is_told(rehearsal, script, code, reason):
    rehearsal.simulator.script(operation="b2c", **script)
    rehearsal.pay()

    (result,) = rehearsal.results()
    assert (result.succeeded, result.result_code) == (False, code)
    assert (result.amount, result.receipt, result.facts) == (None, "", {})
    assert b2c_failure(result.result_code) == reason
    assert rehearsal.paid_out == 0


def test_a_wrong_password_is_told_in_the_result(simulator, shop):
    client = rehearse(simulator, initiator_password="another")
    rehearsal = Rehearsal(simulator, shop, client)
    rehearsal.pay()

    (result,) = rehearsal.results()
    assert b2c_failure(result.result_code) == TransferFailure.INITIATOR


def test_a_result_may_name_another_originator_and_still_matches(rehearsal):
    rehearsal.simulator.script(operation="b2c", originator="other")
    conversation = rehearsal.pay()

    (result,) = rehearsal.results()
    assert result.originator_conversation_id != "payout-7-0"
    assert result.conversation_id == conversation.conversation_id


OPERATIONS = {
    "b2c": lambda rehearsal, receipt: rehearsal.pay(),
    "reversal": lambda rehearsal, receipt: rehearsal.reverse(receipt),
    "transaction_status": lambda rehearsal, receipt: rehearsal.ask_status(receipt=receipt),
    "account_balance": lambda rehearsal, _: rehearsal.client.account_balance(
        **rehearsal.said_later
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("answer", ["nothing", "half", "html", "error"])
def test_an_answer_spoiled_on_its_way_is_unknown_though_it_was_done(rehearsal, operation, answer):
    receipt = rehearsal.paid_in()
    rehearsal.simulator.script(operation=operation, answer=answer)

    with pytest.raises(DarajaUnknown):
        OPERATIONS[operation](rehearsal, receipt)

    assert [result.succeeded for result in rehearsal.results()] == [True]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_that_comes_too_late_is_unknown_though_it_was_done(simulator, shop, operation):
    # It has a token already, so this is its only request.
    tokens = MemoryTokenStore()
    rehearse(simulator, tokens=tokens).register_pull(
        nominated_number="0722000111", callback_url=shop.at("pull")
    )
    client = rehearse(simulator, tokens=tokens, timeout=(PATIENCE, 0.3))
    rehearsal = Rehearsal(simulator, shop, client)
    receipt = rehearsal.paid_in()
    simulator.script(operation=operation, answer_delay=2 * PATIENCE)

    with pytest.raises(DarajaUnknown):
        OPERATIONS[operation](rehearsal, receipt)

    wait_until(rehearsal.results)
    assert [result.succeeded for result in rehearsal.results()] == [True]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("refuse", "kind"),
    [
        ("spike_arrest", DarajaRefusal.BUSY_GATEWAY),
        ("too_many_requests", DarajaRefusal.BUSY_GATEWAY),
        ("no_merchant", DarajaRefusal.CONFIGURATION),
        ("refused_in_200", DarajaRefusal.OTHER),
        ("busy", None),
        ("internal_error", None),
        ("unavailable", None),
        ("empty", None),
        ("error_in_200", None),
    ],
)
def test_a_refusal_is_told_from_an_unclear_answer(rehearsal, operation, refuse, kind):
    receipt = rehearsal.paid_in()
    rehearsal.simulator.script(operation=operation, refuse=refuse)

    with pytest.raises(DarajaRefused if kind else DarajaUnknown) as no:
        OPERATIONS[operation](rehearsal, receipt)

    assert getattr(no.value, "kind", None) == kind
    assert rehearsal.results() == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_token_that_became_worthless_is_replaced(rehearsal, operation):
    receipt = rehearsal.paid_in()
    rehearsal.simulator.script(operation=operation, invalidate_token=True)

    OPERATIONS[operation](rehearsal, receipt)

    assert [result.succeeded for result in rehearsal.results()] == [True]


def test_a_reversal_gives_the_money_back(rehearsal):
    receipt = rehearsal.paid_in()
    conversation = rehearsal.reverse(receipt)

    (result,) = rehearsal.results()
    assert result.succeeded
    assert result.conversation_id == conversation.conversation_id
    assert result.originator_conversation_id == conversation.originator_conversation_id
    assert (result.amount, result.original_transaction_id) == (1500, receipt)
    assert result.transaction_id == rehearsal.simulator.books()["entries"][1]["receipt"]
    assert rehearsal.paid_out == 1500


def test_a_till_gives_back_what_it_was_paid(simulator, shop):
    client = rehearse(simulator, party_b="600111")
    rehearsal = Rehearsal(simulator, shop, client)
    paid = simulator.pay_by_hand(PHONE, 1500, business="600111")
    rehearsal.reverse(paid["receipt"])

    assert [result.result_code for result in rehearsal.results()] == ["0"]


def test_a_second_reversal_finds_it_done(rehearsal):
    receipt = rehearsal.paid_in()
    rehearsal.reverse(receipt)
    rehearsal.results()
    rehearsal.reverse(receipt)

    first, second = rehearsal.results()
    assert first.succeeded
    assert reversal_failure(second.result_code) == TransferFailure.ALREADY_REVERSED
    assert rehearsal.paid_out == 1500


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"receipt": "ABC1DE2FGH"}, TransferFailure.NO_SUCH_PAYMENT),
        ({"amount": 1499}, TransferFailure.NOT_REVERSIBLE),
    ],
)
def test_a_reversal_that_fails_is_told(rehearsal, changes, reason):
    rehearsal.reverse(**{"receipt": rehearsal.paid_in()} | changes)

    (result,) = rehearsal.results()
    assert reversal_failure(result.result_code) == reason
    assert rehearsal.paid_out == 0


def test_a_payment_is_found_by_its_receipt(rehearsal):
    receipt = rehearsal.paid_in()
    rehearsal.ask_status(receipt=receipt)

    (result,) = rehearsal.results()
    assert (result.receipt, result.amount) == (receipt, 1500)
    assert transaction_end(result.transaction_status) == TransactionEnd.COMPLETED
    assert result.facts["DebitPartyName"].startswith(PHONE)
    assert result.facts["TransactionReason"] == ""


@pytest.mark.parametrize(
    ("script", "status", "end"),
    [
        ({"callbacks": 0}, "Completed", TransactionEnd.COMPLETED),
        ({"callbacks": 0, "outcome": "2040"}, "Declined", TransactionEnd.NOT_DONE),
        ({"queue_timeout": "without_result"}, "Completed", TransactionEnd.COMPLETED),
        ({"queue_timeout": "not_done"}, "Expired", TransactionEnd.NOT_DONE),
    ],
)
def test_a_payout_whose_end_was_lost_is_found_by_our_id(rehearsal, script, status, end):
    rehearsal.simulator.script(operation="b2c", **script)
    rehearsal.pay()
    assert rehearsal.results() == []

    rehearsal.ask_status(originator_conversation_id="payout-7-0")

    (result,) = rehearsal.results()
    assert result.facts["OriginatorConversationID"] == "payout-7-0"
    assert result.transaction_status == status
    assert transaction_end(status) == end


def test_a_payout_is_found_by_its_receipt_under_the_number_that_paid(rehearsal):
    rehearsal.pay()
    (paid,) = rehearsal.results()
    rehearsal.ask_status(receipt=paid.receipt, shortcode="600000")

    assert rehearsal.results()[1].receipt == paid.receipt


def test_a_reversal_is_found_by_the_id_in_its_acknowledgement(rehearsal):
    conversation = rehearsal.reverse(rehearsal.paid_in())
    rehearsal.results()
    rehearsal.ask_status(
        originator_conversation_id=conversation.originator_conversation_id, shortcode="174379"
    )

    assert rehearsal.results()[1].transaction_status == "Completed"


def test_a_transaction_that_is_not_final_settles_nothing(rehearsal):
    rehearsal.simulator.script(operation="transaction_status", status="Pending Authorized")
    rehearsal.ask_status(receipt=rehearsal.paid_in())

    (result,) = rehearsal.results()
    assert result.succeeded
    assert transaction_end(result.transaction_status) is None


def test_a_balance_is_told(rehearsal):
    rehearsal.client.account_balance(**rehearsal.said_later)

    (result,) = rehearsal.results()
    assert result.succeeded
    assert "Utility Account|KES|1000000.00|" in result.facts["AccountBalance"]


def test_a_queue_timeout_names_the_request(rehearsal):
    receipt = rehearsal.paid_in()
    for operation, ask in OPERATIONS.items():
        rehearsal.simulator.script(operation=operation, queue_timeout="without_result")
        ask(rehearsal, receipt)
        rehearsal.timeouts()

    payout, reversal, status, balance = rehearsal.timeouts()
    assert (payout.command, payout.originator_conversation_id) == ("BusinessPayment", "payout-7-0")
    assert (reversal.command, reversal.transaction_id) == ("TransactionReversal", receipt)
    assert (status.command, status.transaction_id) == ("TransactionStatusQuery", receipt)
    assert balance.command == "AccountBalance"


def test_a_status_query_that_timed_out_names_the_id_it_asked_about(rehearsal):
    rehearsal.simulator.script(operation="transaction_status", queue_timeout="without_result")
    rehearsal.ask_status(originator_conversation_id="payout-7-0")

    (timeout,) = rehearsal.timeouts()
    assert timeout.original_conversation_id == "payout-7-0"
    assert timeout.originator_conversation_id == ""
