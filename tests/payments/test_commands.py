"""Operators' commands (register, replay, compare, simulate) report what they did, or why not."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from daraja_simulator import Simulator
from orders.fulfilment import move_line
from payments import gateway
from payments.doubt import put_in_doubt
from payments.models import GatewayEvent, LedgerPosting, OrderPayment, Payout, Receipt, Refund
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.misapplied import move_to_order
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.refunds.external_reversals import record_part_reversal
from payments.refunds.write_offs import write_off_payment
from payments.transfers import mark_done
from tests.factories import UserFactory
from tests.shopping import PHONE, an_order

from .bodies import failure, post, success
from .conftest import settled

#: Phones on which prompts are dismissed.
OTHERS = ("254744000001", "254744000002")


def said(command, *arguments):
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=out)
    return out.getvalue()


def broke(command, *arguments):
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(command, *arguments, stdout=out)
    assert ended.value.code == 1
    return out.getvalue()


def everything():
    """All that a replay could change, row by row."""
    tables = (GatewayEvent, OrderPayment, Receipt, Refund, LedgerPosting)
    return [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.mark.django_db(transaction=True)
def test_registering_tells_m_pesa_where_to_ask_and_tell(simulator, live_server):
    told = said("register_c2b_urls")

    addresses = [
        f"{live_server.url}/safwebhook/c2b/laptop-only/{what}/"
        for what in ("confirmation", "validation")
    ]
    assert told.split() == ["Registered", "for", "174379:", *addresses]


@pytest.mark.django_db(transaction=True)
class TestInProduction:
    @pytest.fixture
    def simulator_habits(self):
        return {"production": True}

    def test_registering_again_says_which_addresses_should_stand(self, simulator, live_server):
        said("register_c2b_urls")

        told = said("register_c2b_urls", "--statement-number", "254700000000")

        assert told.startswith(
            "M-Pesa already has URLs, but does not report which. They should be:"
        )
        assert told.endswith("The statement can now be read.\n")


def test_without_a_token_registering_offers_one(settings):
    settings.DARAJA_C2B_TOKEN = ""

    with pytest.raises(CommandError, match=r"DARAJA_C2B_TOKEN.*For example: [0-9a-f]{32}$"):
        said("register_c2b_urls")


def test_an_address_safaricom_would_refuse_is_not_sent(settings):
    settings.DARAJA_BASE_URL = "https://api.safaricom.example"
    settings.DARAJA_CALLBACK_BASE_URL = "https://shop.example.co.ke/mpesa"

    with pytest.raises(CommandError, match='must not hold "mpesa"'):
        said("register_c2b_urls")


@pytest.mark.django_db(transaction=True)
def test_unreachable_m_pesa_is_reported(settings):
    settings.DARAJA_BASE_URL = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match="could not be reached"):
        said("register_c2b_urls")


@pytest.fixture
def a_day(client, payment, kettle, buyer):
    """A paid order, a failed one, a stranger's message and one that nobody can read."""
    post(client, payment, success(payment))
    post(client, payment, failure(payment))
    other = an_order(buyer, (kettle, 1), phone="254733000111").payments.get()
    OrderPayment.objects.filter(pk=other.pk).update(
        status="submitted", rung_at=other.created_at, next_check_at=other.created_at,
        merchant_request_id="m-2", checkout_request_id="ws_CO_2",
    )  # fmt: skip
    other.refresh_from_db()
    post(client, other, failure(other))
    post(client, None, success(payment, checkout="ws_CO_9"), token="")
    post(client, None, b"not json", token="")


def test_replaying_everything_changes_nothing(a_day, daraja):
    before = everything()

    told = said("replay_events", "--all")

    events, *rest = everything()
    assert rest == before[1:]
    assert told == "5 messages replayed; no movements of money posted.\n"
    kept = [(event["state"], event["note"]) for event in before[0]]
    assert [(event["state"], event["note"]) for event in events] == kept


def test_a_replay_finds_what_was_not_acted_on(client, payment, daraja):
    told_of = success(payment)
    checkout = payment.checkout_request_id
    OrderPayment.objects.update(checkout_request_id="", callback_token="f" * 32)
    post(client, None, told_of, token=payment.callback_token)
    OrderPayment.objects.update(checkout_request_id=checkout, callback_token=payment.callback_token)
    event = GatewayEvent.objects.get()

    dry = said("replay_events", "--all", "--dry-run")
    assert (dry.splitlines()[-1], Receipt.objects.count()) == (
        "1 messages replayed; 1 movements of money posted, and rolled back.", 0
    )  # fmt: skip
    told = said("replay_events", "--id", str(event.pk))

    assert told.splitlines() == [
        f"Message {event.pk}: The payment is credited.",
        "1 messages replayed; 1 movements of money posted.",
    ]
    assert Receipt.objects.get().payment == payment


def test_a_replay_since_a_time_leaves_the_others_alone(a_day):
    assert said("replay_events", "--since", "2200-01-01T00:00").startswith("0 messages")
    assert said("replay_events", "--since", "2007-01-01T00:00").startswith("5 messages")
    with pytest.raises(CommandError, match="yesterday is not a time"):
        said("replay_events", "--since", "yesterday")


def test_a_message_that_breaks_does_not_stop_a_replay(a_day, monkeypatch):
    real = GatewayEvent.set_state

    def become(event, *told):
        if event.state == "unreadable":
            raise ZeroDivisionError("ours")
        real(event, *told)

    monkeypatch.setattr(GatewayEvent, "set_state", become)

    with pytest.raises(CommandError, match="1 messages failed; the others were replayed"):
        said("replay_events", "--all")


@pytest.fixture
def paid(buyer, kettle, simulator):
    order = an_order(buyer, (kettle, 2))
    settled(simulator)
    return order.payments.get()


@pytest.mark.django_db(transaction=True)
def test_books_that_agree_are_said_to(paid, simulator):
    assert said("prove", "--against-simulator").splitlines()[1] == (
        "The simulator's books agree: 1 movements, KES 3000 in, KES 0 out."
    )


@pytest.mark.django_db(transaction=True)
def test_money_we_know_nothing_of_is_named(paid, simulator):
    receipt = simulator.pay_by_hand("254733000111", 40, "SOFA22")["receipt"]

    assert broke("prove", "--against-simulator").splitlines() == [
        f"M-Pesa received KES 40 as {receipt}; the shop has no record of it.",
        "M-Pesa has KES 3040 of ours; the ledger says KES 3000.",
    ]


@pytest.mark.django_db(transaction=True)
def test_money_m_pesa_knows_nothing_of_is_named(paid, simulator):
    simulator.reset()

    assert broke("prove", "--against-simulator").splitlines() == [
        f"The shop recorded {paid.receipt.number} of KES 3000; M-Pesa has no record of it.",
        "M-Pesa has KES 0 of ours; the ledger says KES 3000.",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_was_written_off_is_not_expected_at_m_pesa(paid, simulator):
    receipt, _ = record_receipt(IncomingPayment("mpesa", "SGZ0000002", 70, "staff"))
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")
    write_off_payment(receipt.pk)

    assert said("prove", "--against-simulator").splitlines()[1] == (
        "The simulator's books agree: 1 movements, KES 3000 in, KES 0 out."
    )


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_was_moved_to_another_order_is_compared_there(
    paid, buyer, kettle, simulator
):
    for phone in OTHERS:
        simulator.script(phone=phone, outcome="1032")
    typed, meant = (an_order(buyer, (kettle, 1), phone=phone) for phone in OTHERS)
    settled(simulator, events=3)
    number = simulator.pay_by_hand("254733000111", 1500, typed.reference)["receipt"]
    receipt, _ = record_receipt(
        IncomingPayment("mpesa", number, 1500, "statement", reference=typed.reference)
    )
    record_part_reversal(receipt.pk, number="SGR0000001", amount=500)
    move_to_order(receipt.pk, meant.pk)

    assert broke("prove", "--against-simulator").splitlines() == [
        # Only that the simulator has not reversed anything.
        f"The shop recorded that M-Pesa reversed {number}; M-Pesa has no record of it.",
        "M-Pesa has KES 4500 of ours; the ledger says KES 4000.",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_receipt_without_a_number_is_named(buyer, kettle, simulator):
    simulator.script(phone=PHONE, outcome="success", callbacks=0)
    simulator.forget_urls()
    payment = an_order(buyer, (kettle, 2)).payments.get()
    simulator.wait_until_quiet()
    record_outcome(
        payment.pk, AttemptOutcome(succeeded=True, code="0", text="Paid", source="query")
    )

    receipt = simulator.books()["entries"][0]["receipt"]
    assert broke("prove", "--against-simulator").splitlines() == [
        f"M-Pesa received KES 3000 as {receipt}; the shop has no record of it.",
        f"Receipt {payment.receipt.pk} of KES 3000 has no number yet.",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_payout_we_know_nothing_of_is_named(paid, simulator, initiator_certificate):
    gateway.daraja().b2c_payment(
        phone=PHONE, amount=50, originator_conversation_id="not-ours", remarks="stolen",
        result_url=gateway.callback_url("x"), queue_timeout_url=gateway.callback_url("x"),
    )  # fmt: skip
    simulator.wait_until_quiet()

    receipt = simulator.books()["entries"][1]["receipt"]
    assert broke("prove", "--against-simulator").splitlines() == [
        f"M-Pesa sent KES 50 as {receipt}; the shop has no record of it.",
        "M-Pesa has KES 2950 of ours; the ledger says KES 3000.",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_payout_m_pesa_knows_nothing_of_is_named(paid, simulator):
    agent = UserFactory(is_superuser=True, is_staff=True)
    move_line(paid.order.tracks.get().pk, "fetched", actor=agent)
    payout = Payout.objects.get()
    mark_done(payout, number="SGL0000009")

    assert broke("prove", "--against-simulator").splitlines() == [
        f"The shop sent payout {payout.pk} (SGL0000009); M-Pesa has no record of it.",
        "M-Pesa has KES 3000 of ours; the ledger says KES 0.",
    ]


@pytest.mark.django_db
def test_without_a_simulator_there_is_nothing_to_compare_with(settings):
    settings.DARAJA_BASE_URL = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match="No simulator answers"):
        said("prove", "--against-simulator")


def test_the_simulators_command_says_in_one_sentence_that_its_port_is_taken():
    with Simulator(port=0) as listening:
        port = listening.url.rpartition(":")[2]

        taken = (
            f"Port {port} on 127.0.0.1 is in use by another program. Choose another with --port."
        )
        with pytest.raises(CommandError) as refused:
            call_command("daraja_simulator", "--port", port)

    assert str(refused.value) == taken
