"""Concurrent changes of reviews, with threads on PostgreSQL: each star counts once."""

from collections import Counter
from functools import partial
from threading import Event

import pytest

from orders.reviews import review_line
from products.models import Review, SellerRating
from products.reviews import services as reviews
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.payments.fakes import FakeDaraja
from tests.shopping import delivered_line
from tests.threads import PATIENCE, at_once

from .conftest import sums

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("balanced_books"),
]


@pytest.fixture(autouse=True)
def daraja(monkeypatch):
    """An M-Pesa that accepts every prompt and sends no callback."""
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)


@pytest.fixture
def review(buyer, line):
    return review_line(track_id=line.pk, buyer=buyer, stars=5)


def answers(responses):
    return Counter(getattr(response, "status_code", repr(response)) for response in responses)


def test_one_line_reviewed_twelve_times_at_once_is_reviewed_once(buyer, line, kettle):
    apis = [signed_in(buyer) for _ in range(12)]

    responses = at_once(
        *[partial(api.post, f"/track/{line.pk}/review/", {"stars": 4}) for api in apis]
    )

    assert answers(responses) == {201: 1, 409: 11}
    codes = {response.json().get("code") for response in responses if response.status_code == 409}
    assert codes == {"already_reviewed"}
    assert Review.objects.count() == 1
    assert sums(kettle) == ((4, 1), (4, 1))


def test_the_first_reviews_of_a_seller_all_count(seller):
    lines = []
    for _ in range(8):
        buyer = UserFactory()
        product = ProductFactory(seller=seller)
        lines.append((signed_in(buyer), delivered_line(buyer, product)))

    responses = at_once(
        *[partial(api.post, f"/track/{line.pk}/review/", {"stars": 3}) for api, line in lines]
    )

    assert answers(responses) == {201: 8}
    assert SellerRating.objects.values_list("review_stars", "review_count").get() == (24, 8)


def while_counting(monkeypatch, first, second):
    """Run ``second`` after ``first`` has written its review but before it has counted it."""
    inside, go_on, count = Event(), Event(), reviews._count
    slow = []

    def wait_once(*args, **kwargs):
        if not slow:
            slow.append(True)
            inside.set()
            go_on.wait(1)
        count(*args, **kwargs)

    def then():
        assert inside.wait(PATIENCE)
        try:
            return second()
        finally:
            go_on.set()

    monkeypatch.setattr(reviews, "_count", wait_once)
    return at_once(first, then)


def test_an_edit_while_it_is_being_hidden_counts_each_star_once(monkeypatch, review, kettle):
    done = while_counting(
        monkeypatch,
        partial(reviews.hide_review, review.pk, reason="Rude."),
        partial(reviews.edit_review, review.pk, stars=1),
    )

    review.refresh_from_db()
    assert done == [True, None]
    assert (review.stars, review.hidden) == (1, True)
    assert sums(kettle) == ((0, 0), (0, 0))


def test_hiding_while_it_is_being_edited_counts_each_star_once(monkeypatch, review, kettle):
    done = while_counting(
        monkeypatch,
        partial(reviews.edit_review, review.pk, stars=1),
        partial(reviews.hide_review, review.pk, reason="Rude."),
    )

    review.refresh_from_db()
    assert done == [None, True]
    assert (review.stars, review.hidden) == (1, True)
    assert sums(kettle) == ((0, 0), (0, 0))


def test_two_edits_at_once_end_with_one_of_them_counted(monkeypatch, review, kettle):
    while_counting(
        monkeypatch,
        partial(reviews.edit_review, review.pk, stars=1),
        partial(reviews.edit_review, review.pk, stars=3),
    )

    assert Review.objects.get().stars == 3
    assert sums(kettle) == ((3, 1), (3, 1))


def test_hidden_by_six_at_once_it_is_taken_out_once(review, kettle):
    done = at_once(*[partial(reviews.hide_review, review.pk, reason="Rude.")] * 6)

    assert sorted(done) == [False] * 5 + [True]
    assert sums(kettle) == ((0, 0), (0, 0))


def test_six_concurrent_answers_are_stored_as_one(seller, review):
    apis = [signed_in(seller) for _ in range(6)]

    responses = at_once(
        *[
            partial(api.post, f"/review/{review.pk}/answer/", {"text": f"Asante {number}"})
            for number, api in enumerate(apis)
        ]
    )

    [given] = [response for response in responses if response.status_code == 201]
    assert answers(responses) == {201: 1, 409: 5}
    assert Review.objects.get().answer == given.json()["answer"]["text"]
