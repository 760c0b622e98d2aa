"""Averages of reviews: in every endpoint, and without extra queries."""

import pytest
from django.db import IntegrityError, connection, transaction

from orders.reviews import review_line
from products.models import Product, Review, SellerRating, average_stars
from products.reviews.representation import as_rows
from products.reviews.services import hide_review
from tests.factories import ProductFactory, UserFactory
from tests.shopping import delivered_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewed(kettle):
    """The kettle with 5, 4 and 4 stars."""
    for stars in (5, 4, 4):
        buyer = UserFactory()
        review_line(track_id=delivered_line(buyer, kettle).pk, buyer=buyer, stars=stars)
    return kettle


@pytest.mark.parametrize(
    ("stars", "reviews", "shown"),
    [
        (0, 0, None),
        (5, 1, 5.0),
        (13, 3, 4.3),
        (17, 4, 4.3),
        (9, 4, 2.3),
        (14, 3, 4.7),
        (4_999_999, 1_000_000, 5.0),
    ],
)
def test_averages_have_one_decimal_and_halves_go_up(stars, reviews, shown):
    assert average_stars(stars, reviews) == shown


def test_every_door_shows_stars_and_reviews(api, reviewed, seller_api):
    product = api.get(f"/product/{reviewed.pk}/").json()

    assert (product["stars"], product["reviews"]) == (4.3, 3)
    del product["pictures"]
    assert api.get("/").json()["kitchen"] == [product]
    assert api.get("/product/kitchen/").json() == [product]
    assert api.get("/product/kitchen/?ordering=price").json() == [product]
    assert api.get("/product/search/?search=kettle").json() == [product]
    assert api.post("/cart/", [reviewed.pk]).json() == [product]
    assert seller_api.get(f"/product/{reviewed.pk}/").json().items() >= product.items()


def test_home_is_written_anew_for_a_review_and_for_one_hidden(api, buyer, kettle):
    line = delivered_line(buyer, kettle)
    before = api.get("/")

    review = review_line(track_id=line.pk, buyer=buyer, stars=2)
    after = api.get("/", headers={"If-None-Match": before["ETag"]})
    hide_review(review.pk, reason="Rude.")
    hidden = api.get("/", headers={"If-None-Match": after["ETag"]})

    assert [page.json()["kitchen"][0]["stars"] for page in (before, after, hidden)] == [
        None,
        2.0,
        None,
    ]


@pytest.mark.parametrize(("stars", "reviews"), [(0, 1), (6, 1), (1, 0), (11, 2)])
@pytest.mark.parametrize("model", [Product, SellerRating])
def test_the_database_refuses_sums_no_reviews_have(reviewed, model, stars, reviews):
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(review_stars=stars, review_count=reviews)


@pytest.mark.parametrize(
    "wrong",
    [
        {"stars": 0},
        {"stars": 6},
        {"hidden": True},
        {"hidden_reason": "Rude."},
        {"answer": "Asante!"},
        {"answered_at": "2026-11-24T00:00:00Z"},
    ],
)
def test_the_database_refuses_a_review_that_cannot_be(reviewed, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.update(**wrong)


@pytest.mark.usefixtures("never_analyzed")
def test_a_page_of_reviews_walks_an_index_that_has_its_order(reviewed):
    page = as_rows(Review.objects.shown().of_product(reviewed.pk)).order_by("-id")[:26]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # With few rows PostgreSQL would prefer a sequential scan.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")

    plan = page.explain()

    assert "review_of_product_newest" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def warm(api):
    """Run the queries that each process makes only once."""
    api.get("/track/order/")


def test_queries_of_writing_a_review(buyer, buyer_api, reviewed, django_assert_num_queries):
    line = delivered_line(buyer, reviewed)
    warm(buyer_api)

    # caller, line; savepoint (BEGIN where there is no test around it), review, its digest,
    # product, seller, release; the review as it is shown
    with django_assert_num_queries(9):
        buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4})


def test_a_sellers_first_review_makes_their_row(buyer_api, line, django_assert_num_queries):
    warm(buyer_api)

    # as above, and: the seller's row, and that again
    with django_assert_num_queries(11) as queries:
        buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4})

    assert sum("products_sellerrating" in query["sql"] for query in queries) == 3


def test_queries_of_changing_a_review(buyer, buyer_api, line, django_assert_num_queries):
    review_line(track_id=line.pk, buyer=buyer, stars=5)
    warm(buyer_api)

    # caller, which review; savepoint, its lock, review, its digest, product, seller,
    # release; as it is shown
    with django_assert_num_queries(10):
        buyer_api.patch(f"/track/{line.pk}/review/", {"stars": 4})


def test_queries_of_answering_a_review(buyer, seller_api, line, django_assert_num_queries):
    review = review_line(track_id=line.pk, buyer=buyer, stars=5)
    warm(seller_api)

    # caller; savepoint, answer, the review and its digest, release; the review as it is shown
    with django_assert_num_queries(7):
        seller_api.post(f"/review/{review.pk}/answer/", {"text": "Asante!"})


def test_the_reviews_cost_the_same_for_one_or_many(api, reviewed, django_assert_num_queries):
    # reviews with their buyers and lines; whether the public sees the product
    with django_assert_num_queries(2):
        assert len(api.get(f"/product/{reviewed.pk}/reviews/").json()) == 3


def test_a_sellers_page_is_one_query(api, reviewed, django_assert_num_queries):
    ProductFactory(seller=reviewed.seller)

    with django_assert_num_queries(1) as queries:
        api.get("/seller/amina/")

    # One row is read, even for a seller with ten thousand listings.
    assert queries.captured_queries[0]["sql"].endswith("LIMIT 1")
