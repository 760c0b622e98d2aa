"""Writing reviews: who may review what, and for how long a review can be changed."""

from datetime import datetime, timedelta

import pytest
import time_machine

from orders.fulfilment import move_line
from products.models import Review
from products.reviews.services import edit_review
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.shopping import delivered_line, own_goods_allowed, paid_line

from .conftest import next_page, sums

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("balanced_books")]

STORY = "Boils fast.\nThe lid is stiff."


def review(api, line, **said):
    return api.post(f"/track/{line.pk}/review/", {"stars": 4, "text": STORY} | said)


def change(api, line, **said):
    return api.patch(f"/track/{line.pk}/review/", said)


def reviews_of(api, product):
    response = api.get(f"/product/{product.pk}/reviews/")
    assert response.status_code == 200, response.content
    return response.json()


@pytest.fixture
def superuser(db):
    return UserFactory(is_superuser=True)


def test_a_buyer_reviews_what_was_delivered(buyer_api, line, kettle):
    response = review(buyer_api, line)

    said = response.json()
    written = datetime.fromisoformat(said.pop("created_at"))
    kept = Review.objects.get()
    assert response.status_code == 201
    assert written == kept.created_at
    assert datetime.fromisoformat(said.pop("editable_until")) == written + timedelta(days=7)
    assert said == {
        "id": kept.pk,
        "stars": 4,
        "text": STORY,
        "by": "A buyer",
        "edited": False,
        "returned": False,
        "answer": None,
        "product": kettle.pk,
        "hidden": False,
    }


def test_the_public_reads_it_with_the_buyers_first_name(api, buyer, buyer_api, line, kettle):
    type(buyer).objects.filter(pk=buyer.pk).update(first_name="Wanjiku", last_name="Kamau")
    written = review(buyer_api, line).json()

    [shown] = reviews_of(api, kettle)

    assert shown == {
        "id": written["id"],
        "stars": 4,
        "text": STORY,
        "by": "Wanjiku",
        "created_at": written["created_at"],
        "edited": False,
        "returned": False,
        "answer": None,
    }


def test_stars_need_no_words(api, buyer_api, line, kettle):
    assert buyer_api.post(f"/track/{line.pk}/review/", {"stars": 5}).status_code == 201

    assert reviews_of(api, kettle)[0]["text"] == ""


def test_a_line_is_reviewed_once(buyer_api, line, kettle):
    review(buyer_api, line, stars=5)

    again = review(buyer_api, line, stars=1)

    assert again.status_code == 409
    assert again.json() == {
        "detail": "You have already reviewed this. A review can be changed for 7 days.",
        "code": "already_reviewed",
    }
    assert sums(kettle) == ((5, 1), (5, 1))


def test_each_line_of_the_same_goods_has_its_own_review(buyer, buyer_api, line, kettle):
    review(buyer_api, line, stars=5)

    assert review(buyer_api, delivered_line(buyer, kettle), stars=2).status_code == 201
    assert sums(kettle) == ((7, 2), (7, 2))


def test_a_line_cannot_be_reviewed_before_delivery(buyer, buyer_api, kettle, superuser):
    line = paid_line(buyer, kettle)
    refusal = {"detail": "You can review this once it is delivered.", "code": "not_delivered"}

    for on_the_way in (None, "fetched", "shipping"):
        if on_the_way:
            move_line(line.pk, on_the_way, actor=superuser)
        response = review(buyer_api, line)
        assert (response.status_code, response.json()) == (409, refusal)

    assert Review.objects.count() == 0


def test_a_returned_line_cannot_be_reviewed(buyer_api, line, superuser):
    move_line(line.pk, "cancelled", actor=superuser, note="It was broken.")

    assert review(buyer_api, line).json()["code"] == "not_delivered"


def test_nobody_reviews_their_own_goods_of_an_order_of_before(seller, seller_api, kettle):
    with own_goods_allowed():
        line = delivered_line(seller, kettle)

    response = review(seller_api, line)

    assert response.status_code == 409
    assert response.json() == {
        "detail": "You cannot review what you sell yourself.",
        "code": "own_goods",
    }
    assert Review.objects.count() == 0


@pytest.mark.parametrize("who", ["seller_api", "another buyer", "staff"])
def test_another_buyers_line_is_a_404_to_review_and_to_change(request, who, buyer_api, line):
    clients = {
        "seller_api": lambda: request.getfixturevalue("seller_api"),
        "another buyer": lambda: signed_in(UserFactory()),
        "staff": lambda: signed_in(UserFactory(is_superuser=True, is_staff=True)),
    }
    stranger = clients[who]()

    first = review(stranger, line)
    review(buyer_api, line)
    later = [change(stranger, line, stars=1), stranger.get(f"/track/{line.pk}/review/")]

    assert (first.status_code, first.json()["code"]) == (404, "line_not_found")
    assert [(r.status_code, r.json()["code"]) for r in later] == [(404, "review_not_found")] * 2
    assert Review.objects.get().stars == 4


def test_a_stranger_signs_in_first(api, line):
    answers = [review(api, line), change(api, line), api.get(f"/track/{line.pk}/review/")]

    assert [answer.status_code for answer in answers] == [401] * 3


@pytest.mark.parametrize("number", ["0", "99", "999999999999999999"])
def test_a_line_that_is_not_there_is_a_404(buyer_api, number):
    assert buyer_api.post(f"/track/{number}/review/", {"stars": 4}).status_code == 404
    assert buyer_api.patch(f"/track/{number}/review/", {"stars": 4}).status_code == 404


def test_a_review_that_was_not_written_cannot_be_changed(buyer_api, line):
    assert change(buyer_api, line, stars=1).json()["code"] == "review_not_found"


def test_a_buyer_reads_their_own_review(buyer_api, line):
    written = review(buyer_api, line).json()

    assert buyer_api.get(f"/track/{line.pk}/review/").json() == written


def test_a_change_is_shown_marked_and_moves_the_averages(api, buyer_api, line, kettle):
    review(buyer_api, line, stars=5)

    response = change(buyer_api, line, stars=2)

    assert (response.status_code, response.json()["edited"]) == (200, True)
    [shown] = reviews_of(api, kettle)
    assert (shown["stars"], shown["text"], shown["edited"]) == (2, STORY, True)
    assert sums(kettle) == ((2, 1), (2, 1))


def test_words_are_changed_without_the_stars(buyer_api, line, kettle):
    review(buyer_api, line, stars=5)

    said = change(buyer_api, line, text="It broke.").json()

    assert (said["stars"], said["text"], said["edited"]) == (5, "It broke.", True)
    assert sums(kettle) == ((5, 1), (5, 1))


def test_saying_the_same_again_is_no_change(buyer_api, line):
    written = review(buyer_api, line).json()

    assert change(buyer_api, line, stars=4, text=STORY).json() == written
    assert change(buyer_api, line).json() == written


def test_a_review_is_changed_in_the_last_second_of_its_week_and_not_after(buyer_api, line):
    review(buyer_api, line)
    written = Review.objects.get().created_at
    week = timedelta(days=7)

    edit_review(Review.objects.get().pk, stars=3, now=written + week)
    with time_machine.travel(written + week + timedelta(seconds=1), tick=False):
        late = change(signed_in(line.buyer), line, stars=1)

    assert late.status_code == 409
    assert late.json() == {
        "detail": "A review can be changed for 7 days after it was written.",
        "code": "review_closed",
    }
    assert Review.objects.get().stars == 3


def test_a_review_stays_marked_and_counts_when_its_goods_go_back(
    api, buyer_api, line, kettle, superuser
):
    review(buyer_api, line, stars=1)

    move_line(line.pk, "cancelled", actor=superuser, note="It was broken.")

    [shown] = reviews_of(api, kettle)
    assert (shown["stars"], shown["returned"]) == (1, True)
    assert sums(kettle) == ((1, 1), (1, 1))


def test_a_review_of_returned_goods_can_still_be_changed(buyer_api, line, kettle, superuser):
    review(buyer_api, line, stars=1)
    move_line(line.pk, "cancelled", actor=superuser, note="It was broken.")

    assert change(buyer_api, line, stars=3).status_code == 200
    assert sums(kettle) == ((3, 1), (3, 1))


def test_reviews_come_newest_first_a_page_at_a_time(api, buyer, buyer_api, seller):
    pan = ProductFactory(seller=seller, item_number=9)
    for stars in (1, 2, 3):
        review(buyer_api, delivered_line(buyer, pan), stars=stars)

    first = api.get(f"/product/{pan.pk}/reviews/?page_size=2")
    second = api.get(next_page(first))

    assert [row["stars"] for row in first.json()] == [3, 2]
    assert [row["stars"] for row in second.json()] == [1]
    assert next_page(second) is None


def test_only_this_products_reviews_are_listed(api, buyer, buyer_api, line, kettle, seller):
    pan = ProductFactory(seller=seller)
    review(buyer_api, line, stars=5)
    review(buyer_api, delivered_line(buyer, pan), stars=2)

    assert [row["stars"] for row in reviews_of(api, kettle)] == [5]
    assert sums(kettle) == ((5, 1), (7, 2))
    assert sums(pan) == ((2, 1), (7, 2))


def test_a_product_without_reviews_has_an_empty_list(api, kettle):
    assert reviews_of(api, kettle) == []


def test_the_reviews_of_what_the_public_does_not_see_are_a_404(api, buyer_api, line, kettle):
    review(buyer_api, line)
    type(kettle).objects.filter(pk=kettle.pk).update(listed=False)

    gone, never = (
        api.get(f"/product/{pk}/reviews/") for pk in (kettle.pk, 999_999_999_999_999_999)
    )

    assert (gone.status_code, gone.json()["code"]) == (404, "product_not_found")
    assert never.json() == gone.json()


def test_a_bad_token_does_not_close_the_reviews(api, kettle):
    api.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    assert reviews_of(api, kettle) == []
