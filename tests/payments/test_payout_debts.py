"""Payouts that are not just one line's share: small shares, debts, a day's limit."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.backoffice import audit
from accounts.backoffice.conflicts import find_parties
from orders.fulfilment import move_line
from orders.problems.decisions import withdraw
from orders.problems.services import open_problem
from payments.backoffice.refusals import ActionNotAvailable
from payments.backoffice.transfer_services import approve_payout, hold_payout
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.models import Payout, PayoutDay, SellerShare
from payments.payouts import allocation
from payments.payouts import services as service
from payments.proof.prove import prove
from payments.refunds.external_reversals import record_outside_reversal
from payments.transfers import next_day, reserve_daily_limit
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at

from .paying_out import owed, payouts, post_result, run_clock_without_waits, sent, tick

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

PHONE, OTHER = "254722000000", "254733000222"


@pytest.fixture
def sell(buyer, seller):
    """Sell something at this price, collected from its seller; returns the line."""

    def sell(price, phone=PHONE):
        product = ProductFactory(seller=seller, price=price, payment_mpesa_number=phone)
        return line_at("fetched", buyer=buyer, product=product)

    return sell


def give_back(line):
    """Staff take a line back after its goods were fetched."""
    move_line(line.pk, "cancelled", actor=UserFactory(is_superuser=True), note="It leaks.")


def test_less_than_ten_waits_for_more_to_the_same_number(sell, daraja):
    sell(4)
    sell(9, phone=OTHER)
    tick()
    assert payouts("pk") == []

    sell(5)
    tick()
    assert payouts("pk") == []

    sell(1)
    tick()

    assert sent(daraja) == [(PHONE, 10)]
    assert Payout.objects.get().shares.count() == 3
    assert owed() == 19


@pytest.fixture
def two_shares_a_round(monkeypatch):
    """As many shares as one round allocates; they wait for the clock."""
    monkeypatch.setattr(allocation, "SHARES_PER_ROUND", 2)
    monkeypatch.setattr("payments.payouts.earnings.enqueue_after_commit", lambda duty, row_id: None)


@pytest.mark.parametrize(("number", "rounds"), [(2, [2]), (3, [2, 3]), (4, [2, 4]), (5, [2, 4, 5])])
def test_shares_beyond_a_round_are_allocated_in_the_next(
    sell, seller, two_shares_a_round, number, rounds
):
    for price in range(500, 500 + number):
        sell(price)

    allocated = []
    for _ in rounds:
        allocation.create_payouts(seller.pk)
        allocated.append(Payout.objects.count())

    assert allocated == rounds
    assert sorted(payouts("amount")) == list(range(500, 500 + number))
    assert payouts("amount")[0] == 500


@pytest.mark.parametrize(("number", "rounds"), [(2, [2]), (3, [2, 3]), (5, [2, 4, 5])])
def test_shares_of_dropped_payouts_beyond_a_round_are_allocated_in_the_next(
    sell, seller, two_shares_a_round, number, rounds
):
    for price in range(500, 500 + number):
        sell(price)
        allocation.create_payouts(seller.pk)
    Payout.objects.all().drop("The number has changed.")

    allocated = []
    for _ in rounds:
        allocation.create_payouts(seller.pk)
        allocated.append(Payout.objects.filter(status="due").count())

    assert allocated == rounds
    due = Payout.objects.filter(status="due").values_list("amount", flat=True)
    assert sorted(due) == list(range(500, 500 + number))


def test_shares_for_a_number_that_was_refused_keep_none_for_another_waiting(
    sell, seller, daraja, two_shares_a_round
):
    sell(400, phone=OTHER)
    tick()
    post_result(Payout.objects.get(), 2040)
    for price in (500, 600, 700):
        sell(price, phone=OTHER)
    sell(900)

    tick()

    assert sent(daraja) == [(OTHER, 400), (PHONE, 900)]


def test_shares_too_small_to_send_keep_none_behind_them_waiting(sell, seller, two_shares_a_round):
    for n in range(3):
        sell(4, phone=f"25473300000{n}")
    sell(900)

    for _ in range(40):
        allocation.create_payouts(seller.pk)

    assert payouts("phone", "amount") == [(PHONE, 900)]


def test_a_share_too_small_to_send_goes_with_the_next(sell, daraja):
    sell(4)
    sell(700)
    sell(900)

    tick()

    assert sent(daraja) == [(PHONE, 704), (PHONE, 900)]


def test_a_payout_of_a_returned_line_is_deducted_from_the_next(sell, daraja):
    returned = sell(1000)
    tick()
    post_result(Payout.objects.get())
    give_back(returned)
    assert owed() == -1000

    sell(1500)
    tick()

    assert sent(daraja) == [(PHONE, 1000), (PHONE, 500)]
    second = Payout.objects.latest("pk")
    assert (second.gross, second.amount) == (1500, 500)
    assert second.note == "KES 1,000 of KES 1,500 was withheld to repay a debt."
    post_result(second)
    assert owed() == 0


def test_a_debt_is_worked_off_over_several_lines_to_the_shilling(sell, daraja):
    returned = sell(1000)
    tick()
    post_result(Payout.objects.get())
    give_back(returned)

    for price in (300, 700, 40):
        sell(price)
        tick()

    assert payouts("gross", "amount", "status") == [
        (1000, 1000, "done"), (300, 0, "done"), (700, 0, "done"), (40, 40, "sent")
    ]  # fmt: skip
    assert sent(daraja) == [(PHONE, 1000), (PHONE, 40)]


def test_money_withheld_for_a_debt_needs_no_approval(sell, daraja):
    returned = sell(1000)
    tick()
    post_result(Payout.objects.get())
    give_back(returned)

    kept_back = sell(300)
    staff = UserFactory(is_superuser=True)
    SellerShare.objects.filter(track=kept_back).update(phone=OTHER, phone_by=staff)
    tick()

    assert payouts("gross", "amount", "status", "phone") == [
        (1000, 1000, "done", PHONE), (300, 0, "done", OTHER)
    ]  # fmt: skip
    assert not Payout.objects.latest("pk").needs_approval


def test_a_rest_too_small_to_send_waits_with_its_debt(sell, daraja):
    returned = sell(1000)
    tick()
    post_result(Payout.objects.get())
    give_back(returned)

    sell(1005)
    tick()
    assert sent(daraja) == [(PHONE, 1000)]

    sell(5)
    tick()
    assert sent(daraja) == [(PHONE, 1000), (PHONE, 10)]


@pytest.fixture
def in_debt(sell, daraja):
    """Their seller was sent KES 1,000 for a line that came back."""
    returned = sell(1000)
    tick()
    post_result(Payout.objects.get())
    give_back(returned)


@pytest.fixture
def sell_at_a_loss(sell):
    """Sell something whose payment M-Pesa takes back at its buyer's word: the shop bears it."""

    def sell_at_a_loss(price, phone=PHONE):
        line = sell(price, phone)
        record_outside_reversal(line.order.receipts.get().pk)
        return line

    return sell_at_a_loss


def prove_of_now():
    """The shop's rules, as of when what is to be done is done."""
    return prove(timezone.now() + timedelta(minutes=6)).broken


@pytest.mark.usefixtures("in_debt")
def test_a_loss_borne_by_the_shop_pays_a_debt_once_approved(sell_at_a_loss, daraja):
    sell_at_a_loss(1500)

    tick()

    last = Payout.objects.latest("pk")
    assert (last.gross, last.amount, last.status) == (1500, 500, "due")
    assert list(Payout.objects.to_approve()) == [last]
    assert (sent(daraja), prove_of_now()) == ([(PHONE, 1000)], [])
    approve_payout(last.pk, by=UserFactory(is_superuser=True))
    run_clock_without_waits()
    post_result(Payout.objects.latest("pk"))
    assert (sent(daraja), owed()) == ([(PHONE, 1000), (PHONE, 500)], 0)


@pytest.mark.parametrize("price", [300, 1000, 1009])
@pytest.mark.usefixtures("in_debt")
def test_a_loss_borne_by_the_shop_pays_no_debt_if_nothing_is_left_to_approve(
    sell_at_a_loss, daraja, price
):
    sell_at_a_loss(price)

    tick()

    assert (payouts("gross", "amount"), owed()) == ([(1000, 1000)], price - 1000)
    assert prove_of_now() == []


@pytest.mark.usefixtures("in_debt")
def test_a_loss_borne_by_the_shop_joins_the_next_payout_that_pays_the_debt(sell_at_a_loss, daraja):
    for price in (300, 600, 400):
        sell_at_a_loss(price)
    tick()

    assert payouts("gross", "amount", "status") == [(1000, 1000, "done"), (1300, 300, "due")]
    assert Payout.objects.latest("pk").shares.count() == 3


@pytest.mark.usefixtures("in_debt")
def test_paid_sales_pay_a_debt_before_losses_borne_by_the_shop(sell, sell_at_a_loss, daraja):
    sell_at_a_loss(1500, phone=OTHER)
    sell(400)

    tick()

    assert payouts("gross", "amount", "status", "phone") == [
        (1000, 1000, "done", PHONE), (400, 0, "done", PHONE), (1500, 900, "due", OTHER)
    ]  # fmt: skip


@pytest.mark.usefixtures("in_debt")
def test_a_rest_too_small_to_send_goes_with_what_the_shop_bears(sell, sell_at_a_loss, daraja):
    sell(1005)
    sell_at_a_loss(700)

    tick()

    assert payouts("gross", "amount", "status") == [(1000, 1000, "done"), (1705, 705, "due")]


@pytest.mark.usefixtures("in_debt")
def test_a_sale_before_the_approval_pays_the_debt_instead(sell, sell_at_a_loss, daraja):
    sell_at_a_loss(1500)
    tick()
    sell(1200)

    tick()
    tick()

    assert payouts("gross", "amount", "status") == [
        (1000, 1000, "done"), (1500, 500, "dropped"), (1200, 200, "sent"), (1500, 1500, "due")
    ]  # fmt: skip
    assert sent(daraja) == [(PHONE, 1000), (PHONE, 200)]
    assert (list(Payout.objects.to_approve()), prove_of_now()) == (
        [Payout.objects.latest("pk")], []
    )  # fmt: skip


@pytest.mark.usefixtures("in_debt")
def test_a_sale_after_the_approval_is_paid_out_whole(sell, sell_at_a_loss, daraja):
    sell_at_a_loss(1500)
    tick()
    approve_payout(Payout.objects.latest("pk").pk, by=UserFactory(is_superuser=True))
    sell(1200)

    run_clock_without_waits()
    run_clock_without_waits()

    assert payouts("gross", "amount", "status") == [
        (1000, 1000, "done"), (1500, 500, "sent"), (1200, 1200, "sent")
    ]  # fmt: skip


@pytest.mark.usefixtures("in_debt")
def test_a_payout_that_staff_withhold_does_not_change(sell, sell_at_a_loss, daraja):
    sell_at_a_loss(1500)
    tick()
    held = hold_payout(Payout.objects.latest("pk").pk, why="Its buyer is the seller's brother.")
    audit.log(
        UserFactory(is_superuser=True),
        "Put it on hold",
        held,
        action="console.payout.hold",
        why=held.on_hold_reason,
    )
    sell(1200)

    tick()

    assert payouts("gross", "amount", "status") == [
        (1000, 1000, "done"), (1500, 500, "due"), (1200, 1200, "sent")
    ]  # fmt: skip


def test_a_payout_that_is_due_is_dropped_with_its_line_and_made_again_for_the_others(
    sell, daraja, settings
):
    settings.PAYOUT_APPROVAL_ABOVE = 0
    small, other = sell(6), sell(8)
    tick()
    assert payouts("amount", "status") == [(14, "due")]

    give_back(small)
    tick()
    assert payouts("amount", "status") == [(14, "dropped")]
    sell(20)
    tick()

    assert payouts("gross", "amount", "status") == [(14, 14, "dropped"), (28, 28, "due")]
    assert set(Payout.objects.latest("pk").shares.values_list("track__amount", flat=True)) == {
        other.amount, 20,
    }  # fmt: skip
    assert sent(daraja) == []


def test_a_line_returned_before_its_payout_left_costs_its_seller_nothing(sell, daraja):
    line = sell(1000)
    allocation.create_payouts(line.seller_id)

    give_back(line)
    run_clock_without_waits()

    assert (payouts("status"), sent(daraja), owed()) == (["dropped"], [], 0)


def test_a_line_returned_while_its_payout_is_under_way_is_a_debt_once_it_is_done(sell, daraja):
    line = sell(1000)
    tick()

    give_back(line)
    post_result(Payout.objects.get())

    assert (payouts("status"), owed()) == (["done"], -1000)


def test_a_line_returned_while_its_payout_is_under_way_is_no_debt_if_it_is_refused(sell, daraja):
    line = sell(1000)
    tick()

    give_back(line)
    post_result(Payout.objects.get(), 1)
    run_clock_without_waits()
    tick()

    assert (payouts("status"), owed(), len(daraja.payouts)) == (["dropped"], 0, 1)


def test_money_withheld_for_a_cancelled_debt_is_sent(sell, daraja):
    """A line comes back while its payout is under way, and M-Pesa refuses that payout."""
    returned = sell(1000)
    tick()
    give_back(returned)
    sell(600)
    tick()
    assert payouts("gross", "amount") == [(1000, 1000), (600, 0)]

    post_result(Payout.objects.earliest("pk"), 1)
    run_clock_without_waits()
    tick()

    assert sent(daraja) == [(PHONE, 1000), (PHONE, 600)]
    post_result(Payout.objects.latest("pk"))
    assert owed() == 0


def test_money_withheld_for_a_cancelled_debt_needs_approval_if_staff_entered_the_number(
    sell, daraja
):
    returned = sell(1000)
    tick()
    give_back(returned)
    kept_back = sell(600)
    staff = UserFactory(is_superuser=True)
    SellerShare.objects.filter(track=kept_back).update(phone=OTHER, phone_by=staff)
    tick()

    post_result(Payout.objects.earliest("pk"), 1)
    run_clock_without_waits()
    tick()

    payout = Payout.objects.latest("pk")
    assert (payout.phone, payout.amount, payout.author) == (OTHER, 600, staff)
    assert payout.awaits_approval
    assert sent(daraja) == [(PHONE, 1000)]
    with pytest.raises(ActionNotAvailable, match="entered the phone number"):
        approve_payout(payout.pk, by=staff)


def test_nobody_who_typed_the_number_of_a_line_approves_what_it_goes_with(sell, daraja):
    """Two lines too small to go alone; another person typed the number of each."""
    typists = [UserFactory(is_superuser=True) for _ in range(2)]
    for typist in typists:
        line = sell(8)
        SellerShare.objects.filter(track=line).update(phone=OTHER, phone_by=typist)
    tick()
    payout = Payout.objects.get()
    assert payout.awaits_approval

    for typist in typists:
        share = SellerShare.objects.get(phone_by=typist)
        assert all(typist.pk in find_parties(row).people for row in (payout, share))
        with pytest.raises(ActionNotAvailable, match="entered the phone number"):
            approve_payout(payout.pk, by=typist)


@pytest.fixture
def replaced(sell):
    """A payout of KES 1,000 that M-Pesa refused, and the one that carries its share now: due."""
    sell(1000)
    tick()
    first = Payout.objects.get()
    post_result(first, 1)
    service.retry_payout(first.pk)
    allocation.create_payouts(first.seller_id)
    return first


def test_a_success_after_a_refusal_nothing_has_followed_is_simply_the_end(sell, daraja):
    sell(1000)
    tick()
    first = Payout.objects.get()
    post_result(first, 2040)

    assert post_result(first) == "The seller has the money."
    run_clock_without_waits()

    assert (payouts("status", "unacknowledged"), owed()) == ([("done", False)], 0)
    assert len(daraja.payouts) == 1


def test_a_late_success_calls_back_what_has_not_left_yet(replaced, daraja):
    assert payouts("amount", "status") == [(1000, "dropped"), (1000, "due")]

    post_result(replaced)
    run_clock_without_waits()
    run_clock_without_waits()

    assert (sent(daraja), owed()) == ([(PHONE, 1000)], 0)
    assert payouts("amount", "status")[0] == (1000, "done")


def test_a_success_after_the_next_has_left_is_a_debt_and_is_shown(replaced, sell, daraja):
    tick()
    second = Payout.objects.latest("pk")

    post_result(replaced)
    post_result(second)

    replaced.refresh_from_db()
    assert (replaced.status, replaced.unacknowledged, owed()) == ("done", True, -1000)
    assert replaced.note == (
        "This payout was believed to have failed; the same money may have been sent twice."
    )
    sell(1500)
    tick()
    assert sent(daraja) == [(PHONE, 1000), (PHONE, 1000), (PHONE, 500)]


@pytest.mark.parametrize("by_staff", [False, True])
def test_a_late_success_went_to_its_own_number_whatever_the_next_was_to_go_to(
    sell, daraja, by_staff
):
    """A problem holds the share back, so that nothing has taken it on to the new number."""
    line = sell(1000)
    tick()
    first = Payout.objects.get()
    post_result(first, 2040)
    opened = open_problem(line.pk, buyer=line.order.buyer, kind="damaged", text="It leaks.")
    by = UserFactory().pk if by_staff else None
    service.retry_payout(first.pk, phone=OTHER, actor_id=by)
    tick()
    assert payouts("status") == ["dropped"]

    post_result(first)

    share = SellerShare.objects.get()
    assert (share.phone, share.phone_by, share.payout) == (PHONE, None, first)
    assert (payouts("phone", "status"), owed()) == ([(PHONE, "done")], 0)
    assert prove().broken == []
    withdraw(opened.problem.pk, buyer=line.order.buyer)
    run_clock_without_waits()
    assert sent(daraja) == [(PHONE, 1000)]


@pytest.fixture
def limit(settings):
    settings.PAYOUT_DAILY_LIMIT = 2500
    settings.PAYOUT_APPROVAL_ABOVE = 250_000
    return settings


def test_a_payout_beyond_the_daily_limit_waits_for_midnight_in_nairobi(sell, daraja, limit):
    for price in (1500, 1200, 1000):
        sell(price)

    tick()

    assert sent(daraja) == [(PHONE, 1500), (PHONE, 1000)]
    (late,) = Payout.objects.filter(status="due")
    midnight = next_day(timezone.now())
    assert (late.amount, late.next_check_at) == (1200, midnight)
    assert (PayoutDay.objects.get().sent, prove().broken) == (2500, [])


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        (datetime(2026, 11, 24, 20, 59, 59, tzinfo=UTC), datetime(2026, 11, 24, 21, tzinfo=UTC)),
        (datetime(2026, 11, 24, 21, 0, tzinfo=UTC), datetime(2026, 11, 25, 21, tzinfo=UTC)),
        (datetime(2026, 12, 31, 12, 0, tzinfo=UTC), datetime(2026, 12, 31, 21, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_midnight_in_nairobi(now, midnight):
    assert next_day(now) == midnight


def test_a_new_day_has_a_limit_of_its_own(sell, limit):
    allocation.create_payouts(sell(2500).seller_id)
    payout = Payout.objects.get()
    evening = datetime(2026, 11, 24, 20, 59, tzinfo=UTC)

    fits = [
        reserve_daily_limit(payout, moment)
        for moment in (evening, evening, evening + timedelta(minutes=1))
    ]

    assert fits == [True, False, True]
    assert list(PayoutDay.objects.order_by("day").values_list("sent", flat=True)) == [2500, 2500]
    # It was sent on neither.
    PayoutDay.objects.all().delete()


def test_an_unsent_payout_uses_no_daily_limit(sell, daraja, limit):
    """M-Pesa is not reached for a while: the same payout is tried again and again."""
    sell(1500)

    def nobody(asked):
        raise DarajaRefused("nobody there", kind=DarajaRefusal.UNREACHABLE)

    daraja.on_pay = nobody
    for _ in range(4):
        run_clock_without_waits()
    daraja.on_pay = lambda asked: None
    run_clock_without_waits()

    assert (payouts("status"), PayoutDay.objects.get().sent) == (["sent"], 1500)


def test_a_refused_payout_uses_no_daily_limit(sell, daraja, limit):
    sell(1500)
    tick()
    post_result(Payout.objects.get(), 1)
    assert PayoutDay.objects.get().sent == 0

    run_clock_without_waits()
    tick()

    assert (sent(daraja), PayoutDay.objects.get().sent) == ([(PHONE, 1500)] * 2, 1500)
