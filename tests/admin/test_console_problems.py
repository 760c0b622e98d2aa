"""Problems on the console, and payouts on hold."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Audit, Proposal
from orders.fulfilment import move_line
from orders.models import Problem, ProblemMessage, ProblemPicture
from orders.problems.decisions import withdraw
from orders.problems.services import add_message
from payments.models import Payout, Refund, SellerShare
from payments.payouts.allocation import create_payouts
from tests.factories import ProductFactory, UserFactory, give_role
from tests.guards import balanced_books  # noqa: F401
from tests.orders.deliveries import paid_delivery
from tests.orders.lines import line_at
from tests.payments.paying_out import payouts, tick
from tests.problems.conftest import report

from .browsers import browser_of, in_role
from .console import CONSOLE, act, page, shown_messages

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.on_postgres,
    pytest.mark.usefixtures("daraja", "balanced_books"),
]


@pytest.fixture
def problem(buyer, kettle):
    return report(line_at("delivered", buyer=buyer, product=kettle), buyer)


@pytest.fixture
def helper(db):
    """Support's browser."""
    return browser_of(in_role("support"))


def sent(daraja):
    return [each["amount"] for each in daraja.sent]


def path_of(problem):
    return f"{CONSOLE}problem/{problem.pk}/"


def text_of(client, path):
    """A page without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page(client, path))).split())


def press(client, problem, key, **given):
    form = {"why": "Seen on the pictures", **given}
    answer = client.post(f"{path_of(problem)}{key}/", form, follow=True)
    problem.refresh_from_db()
    return answer


def grown_older(problem, days):
    """The same problem, reported the given number of days ago."""
    then = timezone.now() - timedelta(days=days)
    waits = Problem.objects.filter(waiting_since__isnull=False)
    waits.update(waiting_since=then)
    Problem.objects.update(opened_at=then)
    return problem


def test_support_finds_a_problem_on_the_console_and_reads_all_of_it(helper, problem, buyer):
    assert path_of(problem) in page(helper)

    shown = page(helper, path_of(problem))

    for text in (
        problem.track.order.reference,
        "1 × Kettle",
        "KES 1,500",
        buyer.username,
        "0712 345 678",
        "amina",
        "0722 000 000",
        "KES 1,500 is withheld until this is decided.",
        "The lid is cracked.",
        "The buyer reported a problem: damaged.",
    ):
        assert text in shown, text


def test_a_problem_is_late_after_three_days_without_an_answer(helper, problem):
    assert "Late problems\n" not in page(helper)
    grown_older(problem, 2.9)
    assert "Nothing needs action" in page(helper)

    grown_older(problem, 3.1)
    shown = page(helper)

    assert "Late problems\n" in shown
    assert "Nothing needs action" not in shown


def test_a_sellers_answer_delays_a_late_problem_but_not_forever(helper, problem, seller):
    add_message(problem.pk, author=seller, party="seller", text="I look.")

    grown_older(problem, 3.1)
    assert "Late problems\n" not in page(helper)
    grown_older(problem, 12.1)
    assert "Late problems\n" in page(helper)


def test_earlier_problems_of_both_are_counted(helper, buyer, seller, problem):
    withdraw(problem.pk, buyer=buyer)
    other = report(line_at("delivered", buyer=buyer, product=ProductFactory(seller=seller)), buyer)

    shown = page(helper, path_of(other))

    assert shown.count("1 withdrawn by the buyer") == 2


def test_support_decides_with_a_press(helper, problem):
    answer = press(helper, problem, "part", amount="300")

    assert shown_messages(answer) == ["KES 300 of the price is refunded to the buyer."]
    assert (problem.outcome, problem.refunded) == ("reduced", 300)
    assert Audit.objects.latest("pk").did == "Refund a part (300)"


def test_an_answer_stands_in_the_thread(helper, problem):
    press(helper, problem, "answer", text="We look at it.", why="")

    assert ProblemMessage.objects.latest("pk").text == "We look at it."
    assert "We look at it." in page(helper, path_of(problem))


def test_a_part_that_is_more_than_the_price_is_refused_in_a_sentence(helper, problem):
    answer = press(helper, problem, "part", amount="1501")

    assert shown_messages(answer) == [
        "Enter an amount between KES 1 and KES 1,500 (what is left of the price)."
    ]


@pytest.mark.parametrize(
    ("key", "given"),
    [("part", {}), ("part", {"amount": "x"}), ("returned", {}), ("close", {"why": ""})],
)
def test_a_form_that_is_not_filled_in_changes_nothing(helper, problem, key, given):
    answer = press(helper, problem, key, **given)

    assert answer.status_code == 400
    assert problem.state == "open"


def test_a_closed_problem_offers_no_actions(helper, problem):
    press(helper, problem, "close")

    assert "There is nothing to decide here." in page(helper, path_of(problem))
    assert shown_messages(press(helper, problem, "refund")) == ["This problem has been closed."]


def test_finance_sees_problems_and_does_not_decide_them(problem):
    client = browser_of(in_role("finance"))

    assert "The lid is cracked." in page(client, path_of(problem))
    assert "You have read-only access." in page(client, path_of(problem))
    assert press(client, problem, "refund").status_code == 403
    assert problem.state == "open"


def test_support_sees_no_money_by_way_of_problems(helper, problem):
    receipt = problem.track.order.receipts.get()

    shown = page(helper, path_of(problem))

    assert receipt.number not in shown
    assert helper.get(f"{CONSOLE}receipt/{receipt.pk}/").status_code == 403
    assert helper.get(f"{CONSOLE}order/{problem.track.order_id}/").status_code == 403


@pytest.mark.parametrize(
    ("role", "status"), [("support", 200), ("finance", 200), ("catalogue", 403)]
)
def test_a_picture_is_for_who_may_see_problems(problem, role, status):
    picture = ProblemPicture.objects.create(message=problem.messages.get(), image=b"RIFF0000WEBP")

    answer = browser_of(in_role(role)).get(f"{CONSOLE}problem/picture/{picture.pk}/")

    assert answer.status_code == status
    if status == 200:
        assert answer.content == b"RIFF0000WEBP"
        assert "no-store" in answer["Cache-Control"]


def test_a_script_in_a_message_is_shown_as_text(helper, buyer, kettle):
    line = line_at("delivered", buyer=buyer, product=kettle)
    problem = report(line, buyer, text="<script>alert(1)</script>")

    assert "<script>alert(1)" not in page(helper, path_of(problem))


def test_the_page_costs_the_same_however_long_the_thread_is(helper, problem, seller):
    page(helper, path_of(problem))
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            page(helper, path_of(problem))
        counts.append(len(queries))
        for each in range(10):
            add_message(problem.pk, author=seller, party="seller", text=f"Look {number} {each}")

    assert counts[0] == counts[1]


def brought(buyer, product):
    line = paid_delivery(buyer, (product, 1), fee=150).tracks.get()
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    move_line(line.pk, "delivered", actor=buyer)
    return line


def test_the_delivery_fee_goes_back_with_a_whole_refund(helper, buyer, kettle):
    problem = report(brought(buyer, kettle), buyer)

    answer = press(helper, problem, "refund", with_fee="on")

    assert shown_messages(answer) == [
        "KES 1,500 is refunded to the buyer. The delivery fee is refunded too."
    ]
    assert sum(Refund.objects.values_list("amount", flat=True)) == 1650


def test_without_a_fee_there_is_none_to_give_back(helper, problem):
    answer = press(helper, problem, "refund", with_fee="on")

    assert shown_messages(answer) == ["Nothing was paid for the delivery of this parcel."]
    assert (problem.state, Refund.objects.count()) == ("open", 0)


@pytest.fixture
def large(buyer, kettle, settings):
    """KES 1,500 in a shop where two people look at what is above KES 1,000."""
    settings.PAYOUT_APPROVAL_ABOVE = 1000
    line_at("fetched", buyer=buyer, product=kettle)
    create_payouts(kettle.seller_id)
    return Payout.objects.get()


def test_a_payout_is_put_on_hold_and_approved_later(large, staff_browser, daraja):
    act(staff_browser, large, "hold", why="A strange sale")
    tick()
    shown = page(staff_browser)
    assert "Payouts on hold\n" in shown
    assert "A strange sale" in shown
    assert "Payouts to approve\n" not in shown
    assert (large.on_hold_reason, sent(daraja)) == ("A strange sale", [])

    act(staff_browser, large, "approve")
    tick()

    assert (large.on_hold_since, large.on_hold_reason, sent(daraja)) == (None, "", [1500])


def test_the_seller_is_not_told_why_a_payout_is_on_hold(large, staff_browser, seller_api):
    act(staff_browser, large, "hold", why="A strange sale")

    [row] = seller_api.get("/seller/payouts/").json()

    assert row["reason"] == "This is a large amount, so a second person reviews it first."
    act(staff_browser, large, "reject", why="A strange sale")
    [row] = seller_api.get("/seller/payouts/").json()
    assert (row["status"], row["reason"]) == ("replaced", "Under review by staff.")


def test_a_payout_is_put_on_hold_only_once(large, staff_browser):
    act(staff_browser, large, "hold")

    assert shown_messages(act(staff_browser, large, "hold")) == [
        "This payout is not waiting for approval, or is already on hold."
    ]


def test_rejecting_a_payout_withholds_its_earnings(large, staff_browser, seller, daraja):
    answer = act(staff_browser, large, "reject", why="A strange sale")
    create_payouts(seller.pk)
    tick()

    assert shown_messages(answer) == ["The payout is rejected. Earnings withheld: 1."]
    assert (payouts("status"), sent(daraja)) == (["dropped"], [])
    shown = page(staff_browser)
    assert "Withheld earnings\n" in shown
    assert "A strange sale" in shown


def test_released_earnings_go_into_a_new_payout_to_approve(large, staff_browser, seller):
    act(staff_browser, large, "reject", why="A strange sale")
    share = SellerShare.objects.get()

    answer = staff_browser.post(
        f"{CONSOLE}share/{share.pk}/release/", {"why": "It is right"}, follow=True
    )
    create_payouts(seller.pk)

    assert shown_messages(answer) == ["KES 1,500 will be part of the seller's next payout."]
    second = Payout.objects.latest("pk")
    assert (second.pk != large.pk, second.awaits_approval) == (True, True)
    assert "Payouts to approve\n" in page(staff_browser)


def test_withheld_earnings_are_cancelled_with_their_line(large, staff_browser, buyer):
    act(staff_browser, large, "reject", why="A strange sale")
    line = large.shares.get().track

    move_line(line.pk, "cancelled", actor=UserFactory(is_superuser=True), note="It was a fraud.")

    assert "Withheld earnings\n" not in page(staff_browser)
    assert Refund.objects.get().amount == 1500


def test_a_sent_payout_cannot_be_held_or_rejected(large, staff_browser, daraja):
    act(staff_browser, large, "approve")
    tick()

    for key in ("hold", "reject"):
        assert "is not waiting for approval" in shown_messages(act(staff_browser, large, key))[0]
    assert large.status == "sent"


@pytest.mark.parametrize("key", ["hold", "reject"])
def test_a_seller_cannot_decide_about_their_own_payout(large, seller, key):
    seller.is_staff = seller.is_superuser = True
    seller.save()

    act(browser_of(seller), large, key)

    assert (large.status, large.on_hold_since) == ("due", None)
    assert not SellerShare.objects.withheld().exists()


def test_other_payouts_of_the_seller_are_sent(large, staff_browser, seller, buyer, daraja):
    act(staff_browser, large, "reject", why="A strange sale")
    line_at("fetched", buyer=buyer, product=ProductFactory(seller=seller, price=700))
    create_payouts(seller.pk)

    tick()

    assert sent(daraja) == [700]


def test_a_decision_that_waits_for_a_second_person_is_shown_where_others_would_make_it(
    helper, problem, settings
):
    settings.STAFF_ALONE_LIMIT = settings.STAFF_MOVES_DAILY_LIMIT = 1000
    other = browser_of(give_role(UserFactory(is_staff=True), "support"))
    press(helper, problem, "refund")
    proposed = "Waiting for a second person: Refund in full (KES 1,500), proposed by support on"

    for at in (path_of(problem), f"/admin/orders/order/{problem.track.order_id}/change/"):
        assert proposed in text_of(other, at)
    assert problem.state == "open"


def test_who_proposed_it_is_offered_no_button_to_approve_it(helper, problem, settings):
    settings.STAFF_ALONE_LIMIT = settings.STAFF_MOVES_DAILY_LIMIT = 1000
    other = browser_of(give_role(UserFactory(is_staff=True), "support"))
    press(helper, problem, "refund")
    path = f"{CONSOLE}proposal/{Proposal.objects.get().pk}/"

    own, others = text_of(helper, path), text_of(other, path)

    assert "Someone else has to decide." in own
    assert "Approve: do what was proposed" not in own
    assert "Approve: do what was proposed" in others
