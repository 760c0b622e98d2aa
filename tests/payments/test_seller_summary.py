"""A seller's figures on one page."""

from datetime import timedelta

import time_machine
from django.utils import timezone

from orders.fulfilment import move_line
from orders.models import Notice, ProblemKind
from orders.notifications.composing import compose
from orders.problems.services import open_problem
from orders.reviews import review_line
from payments.models import Payout, TransferStatus
from payments.payouts.allocation import create_payouts
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, delivered_line, fetched_line, paid_line

SUMMARY = "/seller/summary/"
NOTHING = {"orders": 0, "goods": 0, "amount": 0}


def test_a_user_who_sells_nothing_gets_zeros(buyer_api):
    assert buyer_api.get(SUMMARY).json() == {
        "sales": {"today": NOTHING, "days_7": NOTHING, "days_30": NOTHING},
        "to_hand_over": {"waiting": 0, "under_way": 0},
        "balance": {"owed": 0, "on_its_way": 0, "waiting": 0, "held": 0},
        "next_payout": None,
        "stock": {"listed": 0, "low": 0, "sold_out": 0, "unlisted": 0},
        "rating": {"stars": None, "reviews": 0},
        "to_answer": {"problems": 0, "refused_payouts": 0, "reviews": 0},
    }


def test_a_stranger_is_asked_to_sign_in(api, db):
    assert api.get(SUMMARY).status_code == 401


def test_sales_are_counted_by_nairobis_days(buyer, seller, kettle):
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    midnight = noon.replace(hour=0)
    for when, number in (
        (midnight - timedelta(days=29), 1),
        (midnight - timedelta(days=6), 1),
        (midnight - timedelta(seconds=1), 1),
        (midnight, 2),
    ):
        with time_machine.travel(when, tick=False):
            paid_line(buyer, kettle, number)
            for notice_id in Notice.objects.to_compose().values_list("pk", flat=True):
                compose(notice_id)

    with time_machine.travel(noon, tick=False):
        sales = signed_in(seller).get(SUMMARY).json()["sales"]

    assert sales == {
        "today": {"orders": 1, "goods": 2, "amount": 3000},
        "days_7": {"orders": 3, "goods": 4, "amount": 6000},
        "days_30": {"orders": 4, "goods": 5, "amount": 7500},
    }


def test_unpaid_and_cancelled_lines_are_not_sales(buyer, seller_api, kettle):
    an_order(buyer, (kettle, 1))
    move_line(paid_line(buyer, kettle).pk, "cancelled", actor=buyer)

    assert seller_api.get(SUMMARY).json()["sales"]["days_30"] == NOTHING


def test_other_sellers_sales_are_not_shown(buyer, kettle):
    paid_line(buyer, kettle)

    assert signed_in(UserFactory()).get(SUMMARY).json()["sales"]["today"] == NOTHING


def test_waiting_lines_and_lines_under_way_are_counted_separately(buyer, seller_api, kettle):
    paid_line(buyer, kettle)
    paid_line(buyer, kettle)
    fetched_line(buyer, kettle)
    delivered_line(buyer, kettle)

    shown = seller_api.get(SUMMARY).json()["to_hand_over"]

    assert shown == {"waiting": 2, "under_way": 1}


def test_balances_agree_with_the_books(buyer, seller, seller_api, kettle):
    fetched_line(buyer, kettle)
    shown = seller_api.get(SUMMARY).json()
    payout = Payout.objects.filter(seller=seller).first()

    assert shown["balance"] == seller_api.get("/seller/balance/").json()
    assert shown["balance"]["owed"] == 1500
    assert shown["next_payout"] == (
        None
        if payout is None
        else {
            "id": payout.pk,
            "amount": 1500,
            "status": "waiting",
            "mpesa_number": payout.phone,
        }
    )


def test_products_running_low_or_sold_out_are_counted(buyer, seller, seller_api, kettle):
    an_order(buyer, (ProductFactory(seller=seller, item_number=1), 1))
    ProductFactory(seller=seller, item_number=6)
    ProductFactory(seller=seller, item_number=1, listed=False)

    # The kettle has five.
    assert seller_api.get(SUMMARY).json()["stock"] == {
        "listed": 3,
        "low": 1,
        "sold_out": 1,
        "unlisted": 1,
    }


def test_stars_are_those_of_the_public_page(buyer, seller_api, kettle):
    review_line(track_id=delivered_line(buyer, kettle).pk, buyer=buyer, stars=4)
    review_line(track_id=delivered_line(buyer, kettle).pk, buyer=buyer, stars=5)

    rating = seller_api.get(SUMMARY).json()["rating"]

    assert rating == {"stars": 4.5, "reviews": 2}


def test_questions_waiting_for_the_sellers_answer_are_counted(buyer, seller_api, kettle):
    answered, silent, broken = (delivered_line(buyer, kettle) for _ in range(3))
    for line in (answered, silent):
        review_line(track_id=line.pk, buyer=buyer, stars=4)
    seller_api.post(f"/review/{answered.review.pk}/answer/", {"text": "Asante."}, format="json")
    open_problem(broken.pk, buyer=buyer, kind=ProblemKind.DAMAGED, text="It leaks.")
    create_payouts(answered.seller_id)
    refused = Payout.objects.order_by("pk")[:1].values("pk")
    Payout.objects.filter(pk__in=refused).update(status=TransferStatus.REFUSED, next_check_at=None)

    counted = {"problems": 1, "refused_payouts": 1, "reviews": 1}
    assert seller_api.get(SUMMARY).json()["to_answer"] == counted
    nothing = signed_in(UserFactory()).get(SUMMARY).json()["to_answer"]
    assert nothing == {"problems": 0, "refused_payouts": 0, "reviews": 0}


def test_the_summary_costs_the_same_queries_for_many_sales(
    buyer, seller_api, kettle, django_assert_num_queries
):
    for _ in range(3):
        fetched_line(buyer, kettle)
    seller_api.get(SUMMARY)

    # caller; sales; what is to be handed over; the books, what of it is held; the next payout;
    # stock; stars; problems, refused payouts and reviews that wait
    with django_assert_num_queries(11):
        seller_api.get(SUMMARY)
