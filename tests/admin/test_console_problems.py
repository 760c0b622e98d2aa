"""What staff see of problems on the console, and what they decide about payouts kept back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Audit
from orders.fulfilment import move_line
from orders.models import Problem, ProblemMessage, ProblemPicture
from orders.problems.decisions import withdraw
from orders.problems.services import add_message
from payments.models import Payout, Refund, SellerShare
from payments.payouts.allocation import create_payouts
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.orders.deliveries import paid_delivery
from tests.orders.lines import line_at
from tests.payments.paying_out import payouts, tick
from tests.problems.conftest import report

from .console import CONSOLE, act, page, said
from .test_roles import browser_of, in_role

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


def press(client, problem, key, **given):
    form = {"why": "Seen on the pictures", **given}
    answer = client.post(f"{path_of(problem)}{key}/", form, follow=True)
    problem.refresh_from_db()
    return answer


def grown_older(problem, days):
    """The same problem, reported so many days ago."""
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
        "KES 1,500 is held back until this is decided.",
        "The lid is cracked.",
        "The buyer reported a problem: damaged.",
    ):
        assert text in shown, text


def test_it_turns_red_after_three_days_without_an_answer(helper, problem):
    assert "Problems that wait for the shop\n" not in page(helper)
    grown_older(problem, 2.9)
    assert "Nothing needs you" in page(helper)

    grown_older(problem, 3.1)
    shown = page(helper)

    assert "Problems that wait for the shop\n" in shown
    assert "Nothing needs you" not in shown


def test_an_answer_of_the_sellers_lets_it_wait_but_not_for_ever(helper, problem, seller):
    add_message(problem.pk, by=seller, party="seller", text="I look.")

    grown_older(problem, 3.1)
    assert "Problems that wait for the shop\n" not in page(helper)
    grown_older(problem, 12.1)
    assert "Problems that wait for the shop\n" in page(helper)


def test_earlier_problems_of_both_are_counted(helper, buyer, seller, problem):
    withdraw(problem.pk, buyer=buyer)
    other = report(line_at("delivered", buyer=buyer, product=ProductFactory(seller=seller)), buyer)

    shown = page(helper, path_of(other))

    assert shown.count("1 withdrawn by the buyer") == 2


def test_support_decides_with_a_press(helper, problem):
    answer = press(helper, problem, "part", amount="300")

    assert said(answer) == ["KES 300 of the price goes back to the buyer."]
    assert (problem.outcome, problem.refunded) == ("reduced", 300)
    assert Audit.objects.latest("pk").did == "Refund a part (300)"


def test_an_answer_stands_in_the_thread(helper, problem):
    press(helper, problem, "answer", text="We look at it.", why="")

    assert ProblemMessage.objects.latest("pk").text == "We look at it."
    assert "We look at it." in page(helper, path_of(problem))


@pytest.mark.parametrize(
    ("key", "given"),
    [("part", {}), ("part", {"amount": "x"}), ("returned", {}), ("close", {"why": ""})],
)
def test_a_form_that_is_not_filled_in_changes_nothing(helper, problem, key, given):
    answer = press(helper, problem, key, **given)

    assert answer.status_code == 400
    assert problem.state == "open"


def test_what_is_closed_offers_nothing(helper, problem):
    press(helper, problem, "close")

    assert "Nothing is left to decide here." in page(helper, path_of(problem))
    assert said(press(helper, problem, "refund")) == ["This problem has been closed."]


def test_finance_sees_problems_and_does_not_decide_them(problem):
    client = browser_of(in_role("finance"))

    assert "The lid is cracked." in page(client, path_of(problem))
    assert "You may look, and not decide." in page(client, path_of(problem))
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
            add_message(problem.pk, by=seller, party="seller", text=f"Look {number} {each}")

    assert counts[0] == counts[1]


# --- With the delivery fee -------------------------------------------------------------------


def brought(buyer, product):
    line = paid_delivery(buyer, (product, 1), fee=150).tracks.get()
    move_line(line.pk, "fetched", by=UserFactory(is_superuser=True))
    move_line(line.pk, "delivered", by=buyer)
    return line


def test_the_delivery_fee_goes_back_with_a_whole_refund(helper, buyer, kettle):
    problem = report(brought(buyer, kettle), buyer)

    answer = press(helper, problem, "refund", with_fee="on")

    assert said(answer) == ["KES 1,500 goes back to the buyer. So does the delivery fee."]
    assert sum(Refund.objects.values_list("amount", flat=True)) == 1650


def test_without_a_fee_there_is_none_to_give_back(helper, problem):
    answer = press(helper, problem, "refund", with_fee="on")

    assert said(answer) == ["Nothing was paid for the delivery of this parcel."]
    assert (problem.state, Refund.objects.count()) == ("open", 0)


# --- Payouts that wait for a second person ----------------------------------------------------


@pytest.fixture
def large(buyer, kettle, settings):
    """KES 1,500 in a shop where two people look at what is above KES 1,000."""
    settings.PAYOUT_APPROVAL_ABOVE = 1000
    line_at("fetched", buyer=buyer, product=kettle)
    create_payouts(kettle.seller_id)
    return Payout.objects.get()


def test_a_payout_is_kept_back_with_a_reason_and_let_go_later(large, desk, daraja):
    act(desk, large, "hold", why="A strange sale")
    tick()
    shown = page(desk)
    assert "Payouts that are kept back\n" in shown
    assert "A strange sale" in shown
    assert "Payouts to approve\n" not in shown
    assert (large.held_why, sent(daraja)) == ("A strange sale", [])

    act(desk, large, "approve")
    tick()

    assert (large.held_at, large.held_why, sent(daraja)) == (None, "", [1500])


def test_its_seller_is_not_told_why(large, desk, seller_api):
    act(desk, large, "hold", why="A strange sale")

    [row] = seller_api.get("/seller/payouts/").json()

    assert row["reason"] == "This is a large amount, so a second person reviews it first."
    act(desk, large, "refuse", why="A strange sale")
    [row] = seller_api.get("/seller/payouts/").json()
    assert (row["status"], row["reason"]) == ("replaced", "Somebody looks at it first.")


def test_it_is_kept_back_once(large, desk):
    act(desk, large, "hold")

    assert said(act(desk, large, "hold")) == [
        "It does not wait to be approved, or is kept back already."
    ]


def test_a_refused_payout_leaves_its_line_with_a_person(large, desk, seller, daraja):
    answer = act(desk, large, "refuse", why="A strange sale")
    create_payouts(seller.pk)
    tick()

    assert said(answer) == ["It is not sent; 1 line waits for a person."]
    assert (payouts("status"), sent(daraja)) == (["dropped"], [])
    shown = page(desk)
    assert "Earnings kept back\n" in shown
    assert "A strange sale" in shown


def test_what_was_kept_back_goes_into_a_new_payout_that_waits_again(large, desk, seller):
    act(desk, large, "refuse", why="A strange sale")
    share = SellerShare.objects.get()

    answer = desk.post(f"{CONSOLE}share/{share.pk}/release/", {"why": "It is right"}, follow=True)
    create_payouts(seller.pk)

    assert said(answer) == ["KES 1,500 goes into the seller's next payout."]
    second = Payout.objects.latest("pk")
    assert (second.pk != large.pk, second.awaits_approval) == (True, True)
    assert "Payouts to approve\n" in page(desk)


def test_what_was_refused_is_cancelled_with_its_line(large, desk, buyer):
    act(desk, large, "refuse", why="A strange sale")
    line = large.shares.get().track

    move_line(line.pk, "cancelled", by=UserFactory(is_superuser=True), note="It was a fraud.")

    assert "Earnings kept back\n" not in page(desk)
    assert Refund.objects.get().amount == 1500


def test_one_that_was_sent_is_neither_kept_back_nor_refused(large, desk, daraja):
    act(desk, large, "approve")
    tick()

    for key in ("hold", "refuse"):
        assert "does not wait to be approved" in said(act(desk, large, key))[0]
    assert large.status == "sent"


@pytest.mark.parametrize("key", ["hold", "refuse"])
def test_its_seller_decides_nothing_about_it(large, seller, key):
    seller.is_staff = seller.is_superuser = True
    seller.save()

    act(browser_of(seller), large, key)

    assert (large.status, large.held_at) == ("due", None)
    assert not SellerShare.objects.withheld().exists()


def test_the_other_payouts_of_a_seller_go_on(large, desk, seller, buyer, daraja):
    act(desk, large, "refuse", why="A strange sale")
    line_at("fetched", buyer=buyer, product=ProductFactory(seller=seller, price=700))
    create_payouts(seller.pk)

    tick()

    assert sent(daraja) == [700]
