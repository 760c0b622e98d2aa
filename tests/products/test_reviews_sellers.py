"""Sellers' answers to reviews, and their public profiles."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from products.models import Review, SellerRating
from products.reviews.services import hide_review
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import delivered_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def review(buyer_api, line):
    buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4, "text": "The lid is stiff."})
    return Review.objects.get()


def answer(api, review, text="Asante! It gets easier."):
    return api.post(f"/review/{review.pk}/answer/", {"text": text})


def test_a_sellers_answer_is_shown_beneath_the_review(api, seller_api, review):
    response = answer(seller_api, review)

    [shown] = api.get(f"/product/{review.product_id}/reviews/").json()
    review.refresh_from_db()
    assert response.status_code == 201
    assert response.json() == shown
    assert shown["answer"]["text"] == "Asante! It gets easier."
    assert datetime.fromisoformat(shown["answer"]["created_at"]) == review.answered_at


def test_an_answer_is_given_once(seller_api, review):
    answer(seller_api, review)

    again = answer(seller_api, review, "And another thing.")

    assert again.status_code == 409
    assert again.json() == {
        "detail": "You have already answered this review. You can answer it only once.",
        "code": "already_answered",
    }
    assert Review.objects.get().answer == "Asante! It gets easier."


def change_answer(api, review, text="Asante sana!"):
    return api.patch(f"/review/{review.pk}/answer/", {"text": text})


def test_an_answer_is_changed_within_a_week(api, seller_api, review):
    given = answer(seller_api, review).json()["answer"]

    changed = change_answer(seller_api, review)

    assert changed.status_code == 200
    assert changed.json()["answer"] == {**given, "text": "Asante sana!"}
    [shown] = api.get(f"/product/{review.product_id}/reviews/").json()
    assert shown == changed.json()


def test_an_answer_stands_after_a_week(seller_api, review):
    answer(seller_api, review)
    written = timezone.now() - timedelta(days=7, seconds=1)
    Review.objects.update(created_at=written, answered_at=written)

    refused = change_answer(seller_api, review)

    assert (refused.status_code, refused.json()["code"]) == (409, "answer_closed")
    assert Review.objects.get().answer == "Asante! It gets easier."


def test_an_answer_that_was_not_given_is_not_changed(seller_api, review):
    refused = change_answer(seller_api, review)

    assert (refused.status_code, refused.json()["code"]) == (404, "answer_not_found")


def test_nobody_changes_another_sellers_answer(seller_api, review):
    answer(seller_api, review)

    refused = change_answer(signed_in(ProductFactory().seller), review)

    assert (refused.status_code, refused.json()["code"]) == (404, "review_not_found")
    assert Review.objects.get().answer == "Asante! It gets easier."


@pytest.mark.parametrize("who", ["its writer", "another seller", "staff"])
def test_nobody_but_the_seller_answers(who, buyer, review):
    people = {
        "its writer": lambda: buyer,
        "another seller": lambda: ProductFactory().seller,
        "staff": lambda: UserFactory(is_superuser=True, is_staff=True),
    }

    response = answer(signed_in(people[who]()), review)

    assert (response.status_code, response.json()["code"]) == (404, "review_not_found")
    assert Review.objects.get().answered_at is None


def test_a_hidden_review_is_not_answered(seller_api, review):
    hide_review(review.pk, reason="Rude.")

    assert answer(seller_api, review).status_code == 404


def test_a_review_that_is_not_there_is_not_answered(seller_api):
    assert seller_api.post("/review/99/answer/", {"text": "Hm."}).status_code == 404


def test_a_stranger_does_not_answer(api, review):
    assert answer(api, review).status_code == 401


def test_a_sellers_page_says_who_they_are(api, seller, review):
    joined = datetime(2024, 3, 9, 23, 30, tzinfo=UTC)
    type(seller).objects.filter(pk=seller.pk).update(date_joined=joined)

    response = api.get("/seller/amina/")

    assert response.json() == {
        "user_name": "amina",
        "display_name": "amina",
        "avatar": None,
        "goods": 1,
        "stars": 4.0,
        "reviews": 1,
        "member_since": "2024-03-09",
    }


def test_a_seller_nobody_has_reviewed_has_no_stars(api, kettle):
    shown = api.get("/seller/amina/").json()

    assert (shown["stars"], shown["reviews"]) == (None, 0)


def test_a_sellers_average_is_of_all_they_sell(api, buyer, buyer_api, seller, review):
    line = delivered_line(buyer, ProductFactory(seller=seller))
    buyer_api.post(f"/track/{line.pk}/review/", {"stars": 1})

    shown = api.get("/seller/amina/").json()

    assert (shown["stars"], shown["reviews"]) == (2.5, 2)
    assert SellerRating.objects.count() == 1


@pytest.mark.parametrize("typed", ["AMINA", "Amina"])
def test_a_seller_is_found_in_any_case(api, kettle, typed):
    assert api.get(f"/seller/{typed}/").json()["user_name"] == "amina"


@pytest.mark.parametrize("name", ["wanjiku", "nobody", "amin", "a" * 150])
def test_who_sells_nothing_is_no_seller(api, buyer, kettle, name):
    response = api.get(f"/seller/{name}/")

    assert response.status_code == 404
    assert response.json() == {"detail": "There is no such seller.", "code": "seller_not_found"}


@pytest.mark.parametrize("name", ["am%00ina", "a" * 151, "é", "a b", "a@b"])
def test_an_impossible_user_name_is_a_404(api, name):
    assert api.get(f"/seller/{name}/").status_code in {400, 404}


def test_a_seller_who_was_shut_out_has_no_page(api, seller, kettle):
    type(seller).objects.filter(pk=seller.pk).update(is_active=False)

    assert api.get("/seller/amina/").status_code == 404


def test_a_seller_of_many_things_is_one_row(api, seller, kettle):
    for _ in range(3):
        ProductFactory(seller=seller)

    assert api.get("/seller/amina/").json()["user_name"] == "amina"
