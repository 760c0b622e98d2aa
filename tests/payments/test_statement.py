"""M-Pesa's statement: unreported payments are found on it, once, and it is read without gaps."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from orders.models import Order
from payments import clock
from payments.backoffice.receipt_services import (
    mark_as_separate_payment,
    mark_attempt_unpaid,
    reprocess_message,
    set_message_aside,
)
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.client import StatementPage, StatementRow
from payments.daraja.errors import DarajaRefused, DarajaUnknown
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Receipt,
    Refund,
    StatementPull,
    Withdrawal,
)
from payments.payment_matching import is_undecided
from payments.proof.simulator_books import compare
from payments.reconciliation.incoming import record_receipt
from payments.reconciliation.outcomes import record_outcome
from payments.reconciliation.statement_pull import (
    _incoming_payment,
    fail_attempts_not_on_statement,
    pull_statement,
)
from tests.factories import UserFactory
from tests.shopping import an_order, cash_out, stock_of
from tests.threads import at_once

from .bodies import by_hand, post_c2b
from .conftest import settled
from .statements import PAYBILL, read, statement

NOW = timezone.now().replace(microsecond=0)
HOUR = timedelta(hours=1)
NOTHING = StatementPage((), ())


def row(order, number="SGL7654321", amount=3000):
    return StatementRow(number, amount, NOW, "2547*****678", order.reference, "Pay Bill")


def one_page(*rows, unreadable=()):
    """A statement of one page, whatever is asked."""
    page = StatementPage(tuple(rows), tuple(unreadable))
    return lambda pull: NOTHING if pull["offset"] else page


def pull():
    return StatementPull.objects.get()


def asked(daraja):
    return [(pull["start"] - NOW, pull["end"] - NOW, pull["offset"]) for pull in daraja.pulls]


@pytest.fixture
def registered(simulator):
    call_command("register_c2b_urls", statement_number="254700000000", stdout=StringIO())
    return simulator


@pytest.mark.django_db(transaction=True)
def test_an_unreported_prompt_is_found_on_the_statement(buyer_api, kettle, registered):
    registered.forget_urls()
    registered.script(callbacks=0, query="unknown")
    cash_out(buyer_api, (kettle, 2))
    registered.wait_until_quiet()

    pull_statement(timezone.now())

    [entry] = registered.books()["entries"]
    receipt = Receipt.objects.get()
    assert (Order.objects.get().payment_status, stock_of(kettle)) == ("paid", (3, 0))
    assert (receipt.number, receipt.amount, receipt.source) == (entry["receipt"], 3000, "statement")


@pytest.mark.django_db(transaction=True)
def test_a_known_payment_on_the_statement_changes_nothing(buyer_api, kettle, registered):
    cash_out(buyer_api, (kettle, 2))
    settled(registered, events=2)

    read = pull_statement(timezone.now())

    assert (read, Receipt.objects.count(), Refund.objects.count()) == (1, 1, 0)
    assert Receipt.objects.get().source == "callback"


@pytest.mark.django_db(transaction=True)
def test_a_reversal_for_a_customer_is_found_on_the_statement(buyer_api, kettle, registered):
    cash_out(buyer_api, (kettle, 2))
    settled(registered, events=2)
    back = registered.reverse_for_customer(Receipt.objects.get().number)

    pull_statement(timezone.now())

    refund = Refund.objects.get()
    assert (refund.way, refund.status, refund.amount) == ("outside", "done", 3000)
    assert (refund.number, Receipt.objects.get().written_off) == (back["receipt"], 3000)
    assert compare(registered.books()) == []


class TestPages:
    @pytest.fixture
    def simulator_habits(self):
        return {"pull_page": 2}

    @pytest.mark.django_db(transaction=True)
    def test_all_pages_are_read(self, registered):
        registered.forget_urls()
        for shillings in range(1, 6):
            registered.pay_by_hand("0712345678", shillings, account="nobody")

        read = pull_statement(timezone.now())

        assert read == 5
        assert sorted(Receipt.objects.values_list("amount", flat=True)) == [1, 2, 3, 4, 5]
        pulled = [said["offset"] for said in registered.events if said["kind"] == "pulled"]
        assert pulled == [0, 2, 4, 5]

    @pytest.mark.django_db(transaction=True)
    def test_a_page_that_fails_leaves_what_was_read_and_asks_for_all_of_it_again(self, registered):
        registered.forget_urls()
        for shillings in range(1, 4):
            registered.pay_by_hand("0712345678", shillings, account="nobody")
        registered.script(operation="pull", times=1)
        registered.script(operation="pull", refuse="unavailable")
        now = timezone.now()

        read = [pull_statement(now), pull_statement(now + timedelta(minutes=5, seconds=1))]

        assert read == [2, 3]
        assert Receipt.objects.count() == 3


def test_the_statement_is_read_from_its_start_and_then_with_an_hours_overlap(db, daraja):
    pull_statement(NOW)
    pull_statement(NOW + 6 * HOUR)
    pull_statement(NOW + 100 * HOUR)

    reach = timedelta(hours=47, minutes=50)
    assert asked(daraja) == [
        (-reach, 0 * HOUR, 0),
        (-HOUR, 6 * HOUR, 0),
        (100 * HOUR - reach, 100 * HOUR, 0),
    ]


def test_the_range_read_without_a_gap_is_recorded(db, daraja):
    pull_statement(NOW)
    first = pull().read_from
    pull_statement(NOW + 6 * HOUR)

    assert (first, pull().read_from) == (NOW - timedelta(hours=47, minutes=50),) * 2
    assert pull().read_until == NOW + 6 * HOUR


def test_after_a_gap_it_starts_again(db, daraja):
    pull_statement(NOW)
    pull_statement(NOW + 100 * HOUR)

    assert pull().read_from == NOW + 100 * HOUR - timedelta(hours=47, minutes=50)


def test_while_nothing_is_unknown_it_is_read_every_six_hours(db, daraja):
    for minutes in (0, 5, 355, 360, 715, 720):
        pull_statement(NOW + timedelta(minutes=minutes))

    assert [end / HOUR for _, end, _ in asked(daraja)] == [0, 6, 12]


def test_while_a_prompt_is_silent_it_is_read_every_five_minutes(payment, daraja):
    OrderPayment.objects.update(rung_at=NOW - timedelta(minutes=6))

    for minutes in (0, 4, 5, 9, 10):
        pull_statement(NOW + timedelta(minutes=minutes))

    assert [end / timedelta(minutes=1) for _, end, _ in asked(daraja)] == [0, 5, 10]


def test_a_prompt_that_falls_silent_does_not_wait_for_the_routine(payment, daraja):
    OrderPayment.objects.update(rung_at=NOW)
    for minutes in (0, 5, 6):
        pull_statement(NOW + timedelta(minutes=minutes))

    assert [end / timedelta(minutes=1) for _, end, _ in asked(daraja)] == [0, 6]


def test_where_there_is_no_statement_none_is_read(payment, daraja, settings):
    settings.DARAJA_STATEMENT = False

    assert (pull_statement(NOW), daraja.pulls, StatementPull.objects.count()) == (0, [], 0)


@pytest.mark.parametrize("error", [DarajaRefused("no"), DarajaUnknown("silence")])
def test_a_statement_that_could_not_be_read_is_no_statement(db, daraja, error):
    def no(pull):
        raise error

    pull_statement(NOW)
    daraja.on_pull = no
    pull_statement(NOW + 6 * HOUR)
    failed = pull().read_until, pull().next_pull_at, pull().result_text
    daraja.on_pull = lambda pull: NOTHING
    pull_statement(NOW + 6 * HOUR + timedelta(minutes=5))

    assert failed == (NOW, NOW + 6 * HOUR + timedelta(minutes=5), str(error))
    assert asked(daraja)[-1][0] == -HOUR
    assert (pull().read_until, pull().result_text) == (NOW + 6 * HOUR + timedelta(minutes=5), "")


def test_rows_read_before_a_failed_page_are_recorded(order, daraja):
    def half(pull):
        if pull["offset"]:
            raise DarajaUnknown("silence")
        return StatementPage((row(order),), ())

    daraja.on_pull = half

    pull_statement(NOW)

    order.refresh_from_db()
    assert (order.payment_status, pull().read_until) == ("paid", None)


def test_a_statement_longer_than_is_read_at_once_does_not_pass_for_read(order, daraja, monkeypatch):
    monkeypatch.setattr("payments.reconciliation.statement_pull.MAX_PAGES", 2)
    daraja.on_pull = lambda pull: StatementPage((row(order),), ())

    pull_statement(NOW)

    whole, beginning = timedelta(0), timedelta(hours=-40, minutes=-50)
    assert [end for _, end, _ in asked(daraja)] == [whole, whole, beginning, beginning]
    assert (pull().read_until, pull().result_text) == (None, "It has more than 2 pages.")


@pytest.mark.parametrize(("hours", "pulls"), [(6, 1), (7, 2)])
def test_a_statement_of_no_more_than_one_period_is_pulled_once(
    order, daraja, monkeypatch, hours, pulls
):
    """A period is of six hours, besides the one that is read again."""
    monkeypatch.setattr("payments.reconciliation.statement_pull.MAX_PAGES", 1)
    daraja.on_pull = lambda pull: StatementPage((row(order),), ())
    since = NOW - hours * HOUR
    read_from_to(since, since)

    pull_statement(NOW)

    assert len(daraja.pulls) == pulls
    assert (pull().read_until, pull().result_text) == (since, "It has more than 1 pages.")


def paid_at(order, *ages):
    """A statement with a payment so many hours ago each, one to a page."""
    rows = [
        StatementRow(f"SGL{hours:07}", 10, NOW - hours * HOUR, "", order.reference, "Pay Bill")
        for hours in ages
    ]

    def answer(pull):
        shown = [row for row in rows if pull["start"] <= row.paid_at <= pull["end"]]
        page = shown[pull["offset"] : pull["offset"] + 1]
        return StatementPage(tuple(page), ()) if page else NOTHING

    return answer


@pytest.mark.parametrize(("payments", "periods"), [(2, 1), (3, 2)])
def test_a_statement_too_long_for_one_pull_is_read_in_periods_without_a_gap(
    order, daraja, monkeypatch, payments, periods
):
    # The last page of a period is empty.
    monkeypatch.setattr("payments.reconciliation.statement_pull.MAX_PAGES", 3)
    daraja.on_pull = paid_at(order, *(45, 20, 10)[:payments])
    until = []

    for minutes in range(0, 5 * periods, 5):
        pull_statement(NOW + timedelta(minutes=minutes))
        until.append(pull().read_until - NOW)

    beginning = timedelta(hours=-40, minutes=-50)
    assert until == ([timedelta(0)] if periods == 1 else [beginning, timedelta(minutes=5)])
    assert pull().read_from == NOW - timedelta(hours=47, minutes=50)
    assert sorted(Receipt.objects.values_list("number", flat=True)) == sorted(
        f"SGL{hours:07}" for hours in (45, 20, 10)[:payments]
    )


def test_a_row_that_cannot_be_read_is_kept_once_for_staff(order, daraja):
    daraja.on_pull = one_page(row(order), unreadable=['{"transactionId": null}'])

    pull_statement(NOW)
    pull_statement(NOW + 6 * HOUR)

    event = GatewayEvent.objects.get()
    assert (event.source, event.state) == ("statement", "failed")
    assert bytes(event.body) == b'{"transactionId": null}'
    assert [offset for _, _, offset in asked(daraja)] == [0, 2, 0, 2]
    assert Receipt.objects.get().number == "SGL7654321"


def test_a_row_that_breaks_us_keeps_no_other_from_being_read_and_does_not_pass_for_read(
    order, daraja, monkeypatch
):
    def bug(news):
        if news.number == "SGL0000001":
            raise ZeroDivisionError
        return record_receipt(news)

    daraja.on_pull = one_page(row(order, "SGL0000001"), row(order))
    with monkeypatch.context() as patch:
        patch.setattr("payments.reconciliation.statement_pull.record_receipt", bug)
        pull_statement(NOW)

    order.refresh_from_db()
    assert (order.payment_status, pull().read_until) == ("paid", None)
    assert pull().next_pull_at == NOW + timedelta(minutes=5)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_two_clocks_at_once_read_it_once(daraja, turn):
    at_once(*[lambda: pull_statement(NOW)] * 4)

    assert len(daraja.pulls) == 1
    assert StatementPull.objects.count() == 1


@pytest.fixture
def forsaken(payment):
    """M-Pesa was asked for the last time, a day after it rang, and has not said what became."""
    OrderPayment.objects.update(rung_at=NOW, next_check_at=None, live=False, checks=10,
                                checked_at=NOW + 24 * HOUR)  # fmt: skip
    return payment


def read_from_to(since, until):
    StatementPull.objects.create(
        shortcode="174379", read_from=since, read_until=until, next_pull_at=until
    )


@pytest.mark.parametrize(
    ("since", "until", "ends"),
    [
        (timedelta(0), 25 * HOUR, "failed"),
        (-HOUR, 26 * HOUR, "failed"),
        (timedelta(seconds=1), 26 * HOUR, "submitted"),
        (-HOUR, 25 * HOUR - timedelta(seconds=1), "submitted"),
    ],
)
def test_an_attempt_the_complete_statement_does_not_show_fails(forsaken, since, until, ends):
    read_from_to(NOW + since, NOW + until)

    closed = fail_attempts_not_on_statement(NOW + 26 * HOUR)

    forsaken.refresh_from_db()
    assert (closed, forsaken.status) == (int(ends == "failed"), ends)
    assert forsaken.result_code == ("local.not_on_statement" if closed else "")


@pytest.fixture
def three_forsaken(buyer, kettle, forsaken):
    others = [an_order(UserFactory(), (kettle, 1), phone=f"25473300000{n}") for n in range(2)]
    columns = {"rung_at": NOW, "next_check_at": None, "live": False, "shortcode": "174379",
               "checks": 10, "checked_at": NOW + 24 * HOUR}  # fmt: skip
    for order in others:
        of_order = OrderPayment.objects.filter(order=order)
        of_order.update(status="submitted", checkout_request_id=f"ws_{order.pk}", **columns)
    read_from_to(NOW, NOW + 26 * HOUR)
    return list(OrderPayment.objects.order_by("pk"))


def failed():
    return list(OrderPayment.objects.filter(status="failed").order_by("pk"))


def test_so_many_attempts_are_failed_in_a_round_and_the_others_in_the_next(
    three_forsaken, monkeypatch
):
    monkeypatch.setattr("payments.reconciliation.statement_pull.MAX_ENDED", 2)
    now = NOW + 26 * HOUR

    assert [fail_attempts_not_on_statement(now) for _ in range(3)] == [2, 1, 0]
    assert failed() == three_forsaken


def test_an_attempt_that_cannot_be_failed_keeps_no_other_from_it(three_forsaken, monkeypatch):
    def bug(payment_id, outcome):
        if payment_id == three_forsaken[0].pk:
            raise ZeroDivisionError
        return record_outcome(payment_id, outcome)

    monkeypatch.setattr("payments.reconciliation.statement_pull.record_outcome", bug)

    assert fail_attempts_not_on_statement(NOW + 26 * HOUR) == 2
    assert failed() == three_forsaken[1:]


def test_attempts_that_stay_open_keep_none_behind_them_from_it(three_forsaken, monkeypatch):
    """The money of one may be in suspense, another breaks, and a round looks at one attempt."""
    monkeypatch.setattr("payments.reconciliation.statement_pull.MAX_ENDED", 1)
    in_suspense, broken, other = (payment.pk for payment in three_forsaken)
    looked_at = []

    def matching(payment):
        looked_at.append(payment.pk)
        if payment.pk == broken:
            raise ZeroDivisionError
        return ["a receipt"] * (payment.pk == in_suspense)

    monkeypatch.setattr("payments.reconciliation.statement_pull.matching_receipts", matching)

    for rounds in range(1, 101):
        fail_attempts_not_on_statement(NOW + 26 * HOUR)
        assert len(looked_at) == rounds

    assert [payment.pk for payment in failed()] == [other]
    assert looked_at.count(other) == 1


def test_an_attempt_that_ended_meanwhile_is_left_alone(three_forsaken, monkeypatch, caplog):
    first, second, _ = three_forsaken

    def matching(payment):
        if payment == first:
            mark_attempt_unpaid(second.pk)
        return []

    monkeypatch.setattr("payments.reconciliation.statement_pull.matching_receipts", matching)

    assert fail_attempts_not_on_statement(NOW + 26 * HOUR) == 2
    second.refresh_from_db()
    assert (second.status, second.result_code) == ("failed", "local.not_paid")
    assert "failed; it is tried again" not in caplog.text


def test_no_attempt_is_failed_after_the_seconds_of_a_round(three_forsaken, monkeypatch):
    monkeypatch.setattr("payments.reconciliation.statement_pull.ENDING_SECONDS", -1)

    assert fail_attempts_not_on_statement(NOW + 26 * HOUR) == 0


@pytest.mark.parametrize("switch", [True, False])
def test_without_a_statement_no_attempt_is_ended(forsaken, settings, switch):
    settings.DARAJA_STATEMENT = switch
    if not switch:
        read_from_to(NOW, NOW + 26 * HOUR)

    assert fail_attempts_not_on_statement(NOW + 26 * HOUR) == 0


def test_an_attempt_that_is_still_asked_about_is_not_ended(forsaken):
    OrderPayment.objects.update(next_check_at=NOW + 30 * HOUR)
    read_from_to(NOW, NOW + 26 * HOUR)

    assert fail_attempts_not_on_statement(NOW + 26 * HOUR) == 0


def test_the_clock_reads_and_then_ends_what_is_not_there(forsaken, daraja):
    for hours in (0, 6, 12, 18, 24, 30):
        clock.pull_and_apply_statement(NOW + hours * HOUR)

    forsaken.refresh_from_db()
    assert (forsaken.status, forsaken.result_code) == ("failed", "local.not_on_statement")


def test_a_gap_in_the_reading_leaves_it_to_staff(forsaken, daraja):
    for hours in (0, 48, 54):
        clock.pull_and_apply_statement(NOW + hours * HOUR)

    forsaken.refresh_from_db()
    assert forsaken.status == "submitted"


@pytest.fixture
def at_a_till(forsaken):
    """The row of the statement that the prompt was paid with, without a reference: at a till."""
    paid = StatementRow(
        "SGL7654321", 3000, NOW + timedelta(seconds=20), forsaken.phone, "", "Buy Goods"
    )
    receipt, _ = record_receipt(_incoming_payment(paid, "174379"))
    assert receipt.order is None
    read_from_to(NOW, NOW + 26 * HOUR)
    return receipt


def test_an_attempt_whose_money_may_lie_in_suspense_has_not_failed(at_a_till, forsaken):
    assert fail_attempts_not_on_statement(NOW + 26 * HOUR) == 0

    forsaken.refresh_from_db()
    assert (forsaken.status, forsaken.result_code) == ("submitted", "")
    assert is_undecided(at_a_till)


def test_staff_cannot_say_that_no_money_came_before_it_is_decided(at_a_till, forsaken):
    OrderPayment.objects.update(live=False)
    with pytest.raises(ActionNotAvailable, match="SGL7654321: KES 3,000 arrived at that time"):
        mark_attempt_unpaid(forsaken.pk)

    mark_as_separate_payment(at_a_till.pk)

    assert mark_attempt_unpaid(forsaken.pk).status == "failed"


def test_a_prompt_fails_once_its_money_is_found_to_be_another_payment(at_a_till, forsaken):
    mark_as_separate_payment(at_a_till.pk)

    assert fail_attempts_not_on_statement(NOW + 26 * HOUR) == 1


# --- Reversals shown before their payments ------------------------------------------------------

PAID, BACK = "SGL7654321", "SGR7654321"


def five_hours_ago(order):
    """A payment of the order."""
    return StatementRow(
        PAID, 3000, NOW - 5 * HOUR, "2547*****678", order.reference, "c2b-pay-bill-debit"
    )


REVERSED = StatementRow(
    BACK, 3000, NOW - 4 * HOUR, "", PAID, "c2b-reversal", is_reversal=True, reverses=PAID
)
CHARGE = StatementRow(PAID, 15, NOW - 4 * HOUR, "", "", "Pay Bill Charge")


def pages(*rows_of_each):
    """A statement of these pages."""
    shown = iter([*(StatementPage(rows, ()) for rows in rows_of_each), NOTHING])
    return lambda pull: next(shown)


def gone(order):
    order.refresh_from_db()
    [receipt] = Receipt.objects.all()
    refunds = list(Refund.objects.values_list("amount", "way", "status", "number"))
    return receipt.number, order.payment_status, refunds


RECORDED = (PAID, "paid", [(3000, "outside", "done", BACK)])


@pytest.mark.parametrize("is_one_page", [True, False])
@pytest.mark.parametrize("is_newest_first", [True, False])
def test_a_reversal_is_recorded_wherever_the_statement_shows_its_payment(
    order, daraja, is_one_page, is_newest_first
):
    rows = [REVERSED, five_hours_ago(order)]
    rows = rows if is_newest_first else rows[::-1]
    daraja.on_pull = pages(rows) if is_one_page else pages(rows[:1], rows[1:])

    pull_statement(NOW)

    assert gone(order) == RECORDED
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_a_row_about_a_payment_on_the_statement_waits_for_staff_in_either_order(
    order, daraja, is_newest_first
):
    rows = [CHARGE, five_hours_ago(order)]
    daraja.on_pull = pages(rows if is_newest_first else rows[::-1])

    pull_statement(NOW)

    [event] = GatewayEvent.objects.all()
    assert (event.state, event.note) == (
        "failed",
        "Pay Bill Charge: about receipt SGL7654321, which is recorded as a payment.",
    )


def test_a_reversal_on_a_statement_that_could_not_be_read_to_its_end_is_read_again(order, daraja):
    daraja.on_pull = pages([REVERSED])
    first = daraja.on_pull

    def fails(pull):
        if pull["offset"]:
            raise DarajaUnknown("silence")
        return first(pull)

    daraja.on_pull = fails
    pull_statement(NOW)
    assert not GatewayEvent.objects.exists()

    daraja.on_pull = pages([REVERSED], [five_hours_ago(order)])
    pull_statement(NOW + HOUR)

    assert gone(order) == RECORDED


def kept():
    return list(GatewayEvent.objects.filter(source="statement").values_list("state", "awaited"))


@pytest.fixture
def reversal_alone(order, daraja):
    """The statement shows the reversal alone; the payment is reported hours later."""
    daraja.on_pull = pages([REVERSED])
    pull_statement(NOW)
    daraja.on_pull = lambda pull: NOTHING
    assert kept() == [("failed", PAID)]


def test_a_reversal_reported_before_its_payment_is_recorded_with_it(client, order, reversal_alone):
    post_c2b(client, by_hand(order.reference, 3000, receipt=PAID))

    clock.run_periodic()

    assert gone(order) == RECORDED
    assert kept() == [("applied", "")]


def test_a_reversal_that_staff_set_aside_is_still_recorded_with_its_payment(
    client, order, reversal_alone
):
    set_message_aside(GatewayEvent.objects.get().pk)
    post_c2b(client, by_hand(order.reference, 3000, receipt=PAID))

    clock.run_periodic()

    assert gone(order) == RECORDED


def test_staff_reprocess_a_reversal_once_its_payment_is_recorded(client, order, reversal_alone):
    event = GatewayEvent.objects.get()
    assert reprocess_message(event.pk).state == "failed"
    assert kept() == [("failed", PAID)]
    post_c2b(client, by_hand(order.reference, 3000, receipt=PAID))

    assert reprocess_message(event.pk).state == "applied"

    assert gone(order) == RECORDED


def test_a_reversal_confirmed_before_its_payment_is_recorded_with_it(client, order, daraja):
    post_c2b(client, by_hand(PAID, 3000, receipt=BACK, TransactionType="Pay Bill Reversal"))
    post_c2b(client, by_hand(order.reference, 3000, receipt=PAID))

    clock.run_periodic()

    assert gone(order) == RECORDED
    assert set(GatewayEvent.objects.values_list("state", "awaited")) == {("applied", "")}


def test_a_reversal_of_another_amount_is_tried_once_when_its_payment_is_recorded(
    client, order, reversal_alone
):
    post_c2b(client, by_hand(order.reference, 2000, receipt=PAID))

    clock.run_periodic()
    processed_at = GatewayEvent.objects.get(source="statement").applied_at
    clock.run_periodic()

    assert kept() == [("failed", "")]
    assert GatewayEvent.objects.get(source="statement").applied_at == processed_at


def test_a_withdrawal_that_reversed_a_payment_is_settled_once_that_payment_is_recorded(
    client, order, daraja
):
    read(statement(
        {"receipt": BACK, "amount": -3000, "reason": "Pay Bill Reversal", "reverses": PAID},
        shortcode=PAYBILL,
    ))  # fmt: skip
    assert Withdrawal.objects.get().state == "open"
    post_c2b(client, by_hand(order.reference, 3000, receipt=PAID))

    clock.run_periodic()

    assert gone(order) == RECORDED
    assert Withdrawal.objects.get().state == "refund"
