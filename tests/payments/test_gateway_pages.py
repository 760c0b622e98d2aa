"""A page instead of M-Pesa's answer is resolved by time and a status query, without staff."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from payments import clock, gateway
from payments.models import (
    OrderPayment,
    Payout,
    PayoutDay,
    PayoutStop,
    Refund,
    StatementPull,
)
from tests.shopping import an_order, cash_out, fetched_line, stock_of

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)

HTML = "<html><head><title>Request unsuccessful</title></head><body>Incident 1-2</body></html>"
LATER = timedelta(seconds=11)


def page(status, body=HTML, content_type="text/html"):
    return {"status": status, "body": body, "content_type": content_type}


#: What a firewall, a proxy and a page to log in answer before anything is processed.
TURNED_AWAY = {
    "403 page": page(403),
    "401 page": page(401),
    "400 page": page(400),
    "404 page": page(404),
    "302": page(302),
    "302 without a word": page(302, ""),
    "429 page": page(429),
    "403 JSON": page(403, '{"message": "Forbidden"}', "application/json"),
    "403 half a JSON": page(403, '{"message": "Forb', "application/json"),
}
#: What may have come after it.
NOTHING_KNOWN = {
    "503 page": page(503),
    "502 page": page(502),
    "200 page": page(200),
    "200 without a word": page(200, ""),
    "200 half a JSON": page(200, '{"ResponseCode": "0", "Chec', "application/json"),
}
ANY = TURNED_AWAY | NOTHING_KNOWN
#: What the client makes of each of them is asked in tests/daraja/test_pages.py, in every run.
A_FEW = pytest.mark.sampled(6)


@pytest.fixture
def simulator_habits():
    return {"external_validation": False}


@pytest.fixture(autouse=True)
def money_can_go_out(initiator_certificate, settings):
    settings.DARAJA_STATEMENT = False


def pages(simulator, operation, answer, *, times):
    for _ in range(times):
        simulator.script(operation=operation, refuse=ANY[answer])


def until_done(simulator, model, *, rounds=8):
    """Rounds of the clock, in each of which all scheduled work is due."""
    for _ in range(rounds):
        model.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
        clock.run_periodic()
        settled(simulator, events=0)
        if not model.objects.exclude(status="done").exists():
            return
    raise AssertionError(list(model.objects.values("status", "result_code", "result_text")))


def order_of(api, placed):
    return api.get(f"/cashout/{placed.json()['order_token']}/").json()


@pytest.mark.parametrize("answer", TURNED_AWAY)
def test_a_prompt_that_was_turned_away_goes_by_the_clock(buyer_api, kettle, simulator, answer):
    pages(simulator, "stk_push", answer, times=1)

    placed = cash_out(buyer_api, (kettle, 2))
    waiting = OrderPayment.objects.get()
    clock.run_periodic(timezone.now() + LATER)
    settled(simulator)

    assert (waiting.status, waiting.live) == ("requested", True)
    assert len(simulator.prompts()) == 1
    assert order_of(buyer_api, placed)["payment_status"] == "paid"


@A_FEW
@pytest.mark.parametrize("answer", ANY)
def test_a_prompt_without_a_token_goes_by_the_clock(buyer_api, kettle, simulator, answer):
    pages(simulator, "oauth", answer, times=2)

    placed = cash_out(buyer_api, (kettle, 2))
    for _ in range(2):
        clock.run_periodic(timezone.now() + LATER)
        OrderPayment.objects.filter(status="requested").update(rung_at=timezone.now() - LATER)
    settled(simulator)

    assert len(simulator.prompts()) == 1
    assert order_of(buyer_api, placed)["payment_status"] == "paid"


@pytest.mark.sampled
@pytest.mark.parametrize("answer", TURNED_AWAY)
@pytest.mark.parametrize("operation", ["oauth", "stk_push"])
def test_a_firewall_that_stays_is_never_shown_to_the_buyer_as_our_settings(
    buyer_api, kettle, simulator, operation, answer
):
    pages(simulator, operation, answer, times=8)

    placed = cash_out(buyer_api, (kettle, 2))
    clock.run_periodic(timezone.now() + timedelta(seconds=61))

    payment = OrderPayment.objects.get()
    assert payment.status == "failed"
    assert payment.result_code in {"refused.gateway", "refused.busy_gateway"}
    told = order_of(buyer_api, placed)
    assert told["payment_status"] == "requested"
    assert "We are on it" not in told["prompt"]["message"]
    assert stock_of(kettle) == (5, 2)


@pytest.mark.parametrize("answer", NOTHING_KNOWN)
def test_a_prompt_of_which_nothing_is_known_is_not_sent_twice(buyer_api, kettle, simulator, answer):
    pages(simulator, "stk_push", answer, times=1)

    cash_out(buyer_api, (kettle, 2))
    clock.run_periodic(timezone.now() + LATER)

    assert OrderPayment.objects.get().status == "unknown"
    assert simulator.prompts() == []


@A_FEW
@pytest.mark.parametrize("answer", ANY)
def test_a_status_query_is_put_again_even_after_the_last_where_a_page_answered(
    buyer, kettle, simulator, answer
):
    simulator.script(callbacks=0)
    order = an_order(buyer, (kettle, 2))
    settled(simulator, events=0)
    a_day_ago = timezone.now() - timedelta(hours=24, minutes=1)
    OrderPayment.objects.update(rung_at=a_day_ago, next_check_at=timezone.now(), checks=9)
    pages(simulator, "stk_query", answer, times=1)

    clock.query_silent_payments(timezone.now())
    waiting = OrderPayment.objects.get()
    OrderPayment.objects.update(next_check_at=timezone.now())
    clock.query_silent_payments(timezone.now())

    in_an_hour = timedelta(minutes=59) < waiting.next_check_at - timezone.now()
    assert (waiting.status, in_an_hour) == ("submitted", True)
    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_after_a_week_of_pages_staff_are_asked(buyer, kettle, simulator):
    simulator.script(callbacks=0)
    an_order(buyer, (kettle, 2))
    settled(simulator, events=0)
    long_ago = timezone.now() - timedelta(days=7, minutes=1)
    # Every hour of it was used: one that was not is in test_after_an_outage.
    OrderPayment.objects.update(rung_at=long_ago, next_check_at=timezone.now(), checks=177)
    pages(simulator, "stk_query", "403 page", times=1)

    clock.query_silent_payments(timezone.now())

    assert list(OrderPayment.objects.unresolved()) == [OrderPayment.objects.get()]


@A_FEW
@pytest.mark.parametrize("answer", ANY)
@pytest.mark.parametrize("operation", ["oauth", "b2c", "transaction_status"])
def test_a_payout_is_made_and_nothing_is_stopped(buyer, kettle, simulator, operation, answer):
    line = fetched_line(buyer, kettle)
    if operation == "oauth":
        simulator.revoke_tokens()
    if operation == "transaction_status":
        # The question comes only after an answer that settles nothing.
        pages(simulator, "b2c", "503 page", times=1)
    pages(simulator, operation, answer, times=2)

    until_done(simulator, Payout)

    assert simulator.world.scripts.as_json() == []
    assert list(Payout.objects.values_list("status", "amount")) == [("done", line.amount)]
    assert not PayoutStop.objects.exists()
    paid_out = [e for e in simulator.books()["entries"] if e["direction"] == "out"]
    assert [entry["amount"] for entry in paid_out] == [line.amount]


@A_FEW
@pytest.mark.parametrize("answer", ANY)
@pytest.mark.parametrize("operation", ["oauth", "reversal"])
def test_a_refund_goes_back_and_nothing_is_stopped(
    buyer, kettle, simulator, settings, operation, answer
):
    gateway.daraja().register_c2b_urls(
        confirmation_url=gateway.c2b_url("confirmation"),
        validation_url=gateway.c2b_url("validation"),
    )
    order = an_order(buyer, (kettle, 2))
    settled(simulator, events=2)
    simulator.pay_by_hand("254733000111", 3000, order.reference)
    settled(simulator, events=3)
    if operation == "oauth":
        simulator.revoke_tokens()
    pages(simulator, operation, answer, times=2)

    until_done(simulator, Refund)

    assert simulator.world.scripts.as_json() == []
    assert list(Refund.objects.values_list("status", "amount", "way")) == [
        ("done", 3000, "reversal")
    ]
    assert not PayoutStop.objects.exists()


@A_FEW
@pytest.mark.parametrize("answer", ANY)
def test_a_payout_is_asked_about_even_after_the_last_question(buyer, kettle, simulator, answer):
    fetched_line(buyer, kettle)
    pages(simulator, "b2c", "503 page", times=1)
    clock.run_periodic()
    two_days_ago = timezone.now() - timedelta(hours=48, minutes=1)
    Payout.objects.update(sent_at=two_days_ago, next_check_at=timezone.now(), checks=9)
    PayoutDay.objects.update(day=two_days_ago.astimezone(NAIROBI).date())
    pages(simulator, "transaction_status", answer, times=1)
    clock.process_due_payouts(timezone.now())
    waiting = Payout.objects.get()

    until_done(simulator, Payout)

    assert waiting.status == "unknown"
    assert waiting.next_check_at > timezone.now() + timedelta(minutes=59)


@A_FEW
@pytest.mark.parametrize("answer", ANY)
def test_the_statement_is_read_soon_again(simulator, settings, answer):
    settings.DARAJA_STATEMENT = True
    gateway.daraja().register_pull(
        nominated_number="254700000000", callback_url="https://shop.co.ke/"
    )
    pages(simulator, "pull", answer, times=1)

    clock.pull_and_apply_statement(timezone.now())
    first = StatementPull.objects.get()
    clock.pull_and_apply_statement(timezone.now() + timedelta(minutes=6))

    assert first.read_until is None
    assert first.next_pull_at < timezone.now() + timedelta(minutes=6)
    assert StatementPull.objects.get().read_until is not None
