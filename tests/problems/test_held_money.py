"""What a seller is owed for a line waits while its buyer has a problem with it; the rest leaves."""

from datetime import timedelta
from threading import Event

import pytest
import time_machine
from django.utils import timezone

from orders.models import Order, OrderTrack
from orders.problems.decisions import Decider, dismiss, refund_part
from payments import clock, disbursement
from payments.backoffice.problem_page import describe_money
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.ledger import balance
from payments.models import Account, Payout, SellerShare
from payments.payouts import allocation, earnings
from payments.payouts.allocation import create_payouts
from payments.payouts.due import sellers_to_pay
from payments.proof.prove import prove
from tests.factories import UserFactory
from tests.payments.paying_out import payouts, post_result, run_clock_without_waits, sent, tick
from tests.threads import PATIENCE, at_once

from .conftest import again, decide, post, report, support

pytestmark = pytest.mark.django_db

PHONE = "254722000000"


def owed_to(seller):
    from tests.conftest import signed_in

    return signed_in(seller).get("/seller/balance/").json()


def test_the_lines_unsent_earnings_wait_and_the_other_lines_are_paid_out(
    buyer, seller, sell, daraja
):
    wrong = sell(900)
    sell(700)
    report(wrong, buyer)

    tick()

    assert sent(daraja) == [(PHONE, 700)]
    assert owed_to(seller) == {"owed": 1600, "on_its_way": 700, "waiting": 0, "held": 900}
    assert payouts("amount", "status") == [(900, "dropped"), (700, "sent")]


def test_lines_that_went_together_leave_without_the_one_that_waits(buyer, seller, sell, daraja):
    small = [sell(4) for _ in range(3)]
    assert Payout.objects.get().shares.count() == 3
    report(small[1], buyer)
    assert payouts("amount", "status") == [(12, "dropped")]
    sell(5)

    tick()

    assert sent(daraja) == [(PHONE, 13)]
    assert owed_to(seller)["held"] == 4


def test_earnings_are_paid_out_once_the_problem_is_closed(buyer, sell, daraja):
    line = sell(900)
    problem = report(line, buyer)
    tick()
    assert sent(daraja) == []

    decide(problem, "close", support())
    tick()

    assert sent(daraja) == [(PHONE, 900)]


def test_earnings_are_paid_out_once_the_problem_is_withdrawn(buyer, sell, daraja):
    line = sell(900)
    report(line, buyer)
    post(buyer, line, "withdraw/")

    tick()

    assert sent(daraja) == [(PHONE, 900)]


def test_the_rest_leaves_after_a_part_was_refunded(buyer, sell, daraja):
    line = sell(900)
    decide(report(line, buyer), "part", support(), amount=200)

    tick()

    assert sent(daraja) == [(PHONE, 700)]
    post_result(Payout.objects.latest("pk"))
    assert balance(Account.SELLERS_PAYABLE) == 0


@pytest.mark.long
def test_a_part_that_the_seller_names_frees_the_rest_only_a_day_later(buyer, seller, sell, daraja):
    """A shilling would end every problem else, and the payout would be gone before its buyer could
    say that it is not enough."""
    line = sell(900)
    report(line, buyer)
    with time_machine.travel(timezone.now(), tick=False) as clock_:
        post(seller, line, "accept/", {"amount": 20})
        clock_.shift(timedelta(hours=23))
        clock.run_periodic()
        assert (sent(daraja), prove().broken) == ([], [])

        clock_.shift(timedelta(hours=1, seconds=1))
        clock.run_periodic()
        tick()

    assert sent(daraja) == [(PHONE, 880)]


def test_the_buyer_reports_again_what_the_seller_named_too_little_for(buyer, seller, sell, daraja):
    line = sell(900)
    report(line, buyer)
    post(seller, line, "accept/", {"amount": 20})
    tick()

    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        report(line, buyer, text="KES 20 is not enough.")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        tick()

    assert (sent(daraja), owed_to(seller)["held"]) == ([], 880)


def test_a_seller_who_was_paid_gives_back_no_more_than_the_shop_lends_them(
    buyer, seller, sell, daraja, settings
):
    """Buyer and seller may be one person: the shop would pay for the same goods twice."""
    settings.SELLER_REFUND_ON_CREDIT = 1000
    first, second = sell(900), sell(700)
    tick()
    for line in (first, second):
        report(line, buyer)

    said = [post(seller, first, "accept/"), post(seller, second, "accept/")]

    assert [each.status_code for each in said] == [200, 409]
    assert said[1].json()["code"] == "shop_decides"
    assert not again(second).returned
    assert post(seller, second, "accept/", {"amount": 100}).status_code == 200
    assert balance(Account.SELLERS_PAYABLE) == 600


def test_goods_that_came_back_to_a_seller_who_was_paid_are_the_shops_to_refund(
    buyer, seller, sell, daraja, settings
):
    settings.SELLER_REFUND_ON_CREDIT = 0
    line = sell(900)
    tick()
    problem = report(line, buyer)
    post(seller, line, "accept/", {"bring_back": True})

    answer = post(seller, line, "returned/", {"goods_there": True}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "shop_decides")
    decide(problem, "returned", support(), goods_there=True)
    assert again(line).returned


def test_a_seller_can_refund_from_unsent_earnings(buyer, seller, sell, daraja, settings):
    settings.SELLER_REFUND_ON_CREDIT = 0
    fetched, paid = sell(900), sell(700, "paid")
    for line in (fetched, paid):
        report(line, buyer)

    assert [post(seller, line, "accept/").status_code for line in (fetched, paid)] == [200, 200]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_seller_who_was_paid_gives_back_two_at_once_and_the_shop_lends_for_one(
    buyer, seller, sell, daraja, settings
):
    settings.SELLER_REFUND_ON_CREDIT = 1000
    lines = [sell(900), sell(700)]
    tick()
    for line in lines:
        report(line, buyer)

    went = at_once(*[lambda line=line: post(seller, line, "accept/") for line in lines])

    assert sorted(each.status_code for each in went) == [200, 409]


def test_a_problem_before_the_goods_are_fetched_holds_back_what_they_earn(
    buyer, seller, sell, daraja
):
    from orders.fulfilment import move_line

    line = sell(900, "paid")
    report(line, buyer, kind="not_received", text="Nothing came.")
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))

    tick()

    assert (sent(daraja), owed_to(seller)["held"]) == ([], 900)


def test_a_payout_that_needs_approval_is_dropped_too(buyer, sell, settings):
    settings.PAYOUT_APPROVAL_ABOVE = 500
    line = sell(900)
    assert Payout.objects.get().awaits_approval

    report(line, buyer)

    assert payouts("status") == ["dropped"]


def test_sellers_with_withheld_earnings_alone_are_not_due_for_payouts(buyer, sell):
    report(sell(900), buyer)

    assert sellers_to_pay(before=timezone.now() + timezone.timedelta(hours=1)) == []


def test_repeated_payout_runs_do_not_pay_withheld_earnings(buyer, seller, sell, daraja):
    report(sell(900), buyer)

    for _ in range(3):
        create_payouts(seller.pk)
        tick()

    assert sent(daraja) == []


def test_a_debt_is_not_paid_with_withheld_money(buyer, seller, sell, daraja):
    from orders.fulfilment import move_line

    returned = sell(1000)
    tick()
    post_result(Payout.objects.get())
    move_line(returned.pk, "cancelled", actor=UserFactory(is_superuser=True), note="It leaks.")
    held = sell(1500, "paid")
    report(held, buyer)
    move_line(held.pk, "fetched", actor=UserFactory(is_superuser=True))

    sell(1200)
    tick()

    assert sent(daraja) == [(PHONE, 1000), (PHONE, 200)]


def test_sent_earnings_are_shown_as_sent(buyer, sell, daraja):
    line = sell(900)
    tick()
    post_result(Payout.objects.get(), number="TKP9000001")

    problem = report(line, buyer)

    assert payouts("status") == ["done"]
    assert describe_money(problem) == (
        "KES 900 in a payout of KES 900 as TKP9000001 was paid. A refund now becomes the "
        "seller's debt."
    )


def test_earnings_that_may_have_left_are_shown_as_on_their_way(buyer, sell, daraja):
    line = sell(900)
    tick()

    problem = report(line, buyer)

    assert payouts("status") == ["sent"]
    assert describe_money(problem).endswith("is being sent. It can no longer be withheld.")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("paid", "Nothing is owed yet: the goods have not been fetched."),
        ("fetched", "KES 900 is withheld until this is decided."),
    ],
)
def test_where_the_sellers_money_is_is_said_to_the_shop(buyer, sell, status, said):
    assert describe_money(report(sell(900, status), buyer)) == said


def test_a_payout_not_accepted_is_not_sent_again_once_a_problem_is_reported(
    buyer, sell, daraja, monkeypatch
):
    """It is due again, though a problem was reported while its result was unknown."""
    line = sell(900)

    def refuse(**about):
        report(line, buyer)
        raise DarajaRefused("No way to M-Pesa", kind=DarajaRefusal.UNREACHABLE)

    with monkeypatch.context() as patch:
        patch.setattr(daraja, "b2c_payment", refuse)
        tick()
    assert payouts("status") == ["due"]

    run_clock_without_waits()

    assert payouts("status", "note") == [
        ("dropped", "A buyer has reported a problem with one of its order items.")
    ]
    assert (prove().broken, daraja.payouts) == ([], [])


@pytest.mark.parametrize(
    ("how", "given", "left"), [("part", {"amount": 200}, [700]), ("refund", {}, [])]
)
def test_a_decision_during_a_payout_changes_what_is_sent_next(
    buyer, sell, daraja, monkeypatch, how, given, left
):
    """The problem is reported and decided between the claim and M-Pesa's refusal to take it."""
    line = sell(900)

    def refuse(**request):
        decide(report(line, buyer), how, support(), **given)
        raise DarajaRefused("No way to M-Pesa", kind=DarajaRefusal.UNREACHABLE)

    with monkeypatch.context() as patch:
        patch.setattr(daraja, "b2c_payment", refuse)
        tick()
    assert payouts("status") == ["due"]

    run_clock_without_waits()
    tick()

    assert [amount for _, amount in sent(daraja)] == left


def test_a_refused_payout_is_not_retried_while_it_waits(buyer, sell, daraja):
    line = sell(900)
    tick()
    post_result(Payout.objects.get(), code=1)
    report(line, buyer)

    Payout.objects.update(next_check_at=timezone.now())
    tick()

    assert (len(daraja.payouts), payouts("status")) == (1, ["dropped"])


def test_a_payout_that_went_through_after_all_leaves_a_debt_and_no_more(
    buyer, seller, sell, daraja
):
    line = sell(900)
    tick()
    report(line, buyer)
    post(seller, line, "accept/", {"amount": 200})

    post_result(Payout.objects.get())

    assert balance(Account.SELLERS_PAYABLE) == -200
    sell(500)
    tick()
    assert sent(daraja)[-1] == (PHONE, 300)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_payout_is_sent_while_the_problem_is_reported(buyer, sell, daraja):
    """Either it has left, and then it has left whole; or it is dropped, and nothing was asked."""
    line = sell(900)
    payout = Payout.objects.get()

    outcomes = at_once(lambda: report(line, buyer), lambda: disbursement.process_payout(payout.pk))

    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert (again(payout).status, len(daraja.payouts)) in {("dropped", 0), ("sent", 1)}
    tick()
    assert len(daraja.payouts) in {0, 1}
    assert again(line).disputed


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_payouts_are_created_while_the_problem_is_reported(buyer, seller, sell, daraja):
    line = sell(900)
    Payout.objects.update(status="dropped", next_check_at=None)

    outcomes = at_once(
        lambda: report(line, buyer), *[lambda: create_payouts(seller.pk) for _ in range(3)]
    )

    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert not Payout.objects.filter(status="due").exists()
    tick()
    assert daraja.payouts == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_making_payouts_rereads_problems_after_waiting_for_the_lock(
    buyer, seller, sell, monkeypatch
):
    """The share is chosen before the problem is reported, and locked after."""
    line = sell(900)
    Payout.objects.update(status="dropped", next_check_at=None)
    chosen, reported = Event(), Event()
    real = SellerShare.objects.select_for_update

    def wait_before_locking(*args, **kwargs):
        # Who reports locks shares too, and waits for nobody.
        if not chosen.is_set():
            chosen.set()
            assert reported.wait(PATIENCE)
        return real(*args, **kwargs)

    monkeypatch.setattr(allocation.SellerShare.objects, "select_for_update", wait_before_locking)

    # Else the report, once committed, would make payouts too, and wait for who makes them.
    monkeypatch.setattr(earnings, "enqueue_after_commit", lambda *task: None)

    def reports():
        assert chosen.wait(PATIENCE)
        report(line, buyer)
        reported.set()

    outcomes = at_once(lambda: create_payouts(seller.pk), reports)

    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert not Payout.objects.filter(status="due").exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_second_person_lets_it_leave_while_the_problem_is_reported(buyer, sell, settings, daraja):
    from accounts.backoffice.actions import ACTIONS, perform

    settings.PAYOUT_APPROVAL_ABOVE = 500
    line = sell(900)
    payout, boss = Payout.objects.get(), UserFactory(is_superuser=True)

    at_once(
        lambda: report(line, buyer),
        lambda: perform(ACTIONS["console.payout.approve"], payout, {"why": "Right"}, by=boss),
    )
    tick()

    assert (again(payout).status, daraja.payouts) == ("dropped", [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_problem_is_decided_while_its_payout_ends(buyer, seller, sell, daraja):
    line = sell(900)
    tick()
    problem = report(line, buyer)
    payout = Payout.objects.get()

    outcomes = at_once(
        lambda: refund_part(problem.pk, Decider(seller, "seller"), amount=200),
        lambda: post_result(payout),
    )

    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert balance(Account.SELLERS_PAYABLE) == -200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_problems_of_one_order_and_its_payouts_do_not_wait_for_each_other(
    buyer, seller, sell, daraja
):
    """Twelve concurrent reports, decisions and payouts, in every order, without a deadlock."""
    lines = [sell(900) for _ in range(4)]
    problems = [report(line, buyer) for line in lines[:2]]

    outcomes = at_once(
        lambda: report(lines[2], buyer),
        lambda: report(lines[3], buyer),
        lambda: refund_part(problems[0].pk, Decider(seller, "seller"), amount=200),
        lambda: dismiss(problems[1].pk, Decider(seller, "seller")),
        *[lambda: create_payouts(seller.pk) for _ in range(3)],
        clock.run_periodic,
    )

    failed = [each for each in outcomes if isinstance(each, Exception)]
    # Only the shop dismisses: the database says so.
    assert [type(each).__name__ for each in failed] == ["IntegrityError"]
    assert OrderTrack.objects.filter(disputed=True).count() == 3
    assert Order.objects.count() == 4
