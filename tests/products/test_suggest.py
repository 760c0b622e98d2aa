"""Search suggestions."""

import time

import pytest

from omachemainproj.api.throttles import ScopedThrottle
from products.catalogue import suggestions
from products.catalogue.list_views import SearchView
from products.catalogue.views import SuggestView
from products.models import Product

from .conftest import hide, sell_out


def suggest(api, typed):
    response = api.get("/product/suggest/", {"q": typed})
    assert response.status_code == 200, response.content
    return response.json()


def test_words_go_on_and_goods_are_few_and_light(api, listing):
    kettle = listing("Ramtons kettle", price=1850, description="A long story.")

    assert suggest(api, "kett") == {
        "words": ["kettle"],
        "products": [{"id": kettle.pk, "name": "Ramtons kettle", "thumbnail": None, "price": 1850}],
    }


def test_the_most_frequent_words_come_first(api, listing):
    for name in ("Samsung A", "Samsung B", "Samsonite bag"):
        listing(name)

    assert suggest(api, "sam")["words"] == ["samsung", "samsonite"]


def test_words_before_the_last_are_kept(api, listing):
    listing("Samsung Galaxy A05")
    listing("Samsung gas cooker")
    listing("Garden chair")

    assert set(suggest(api, "samsung ga")["words"]) == {"samsung galaxy", "samsung gas"}


def test_goods_that_sell_best_come_first_and_five_are_enough(api, listing):
    made = [listing(f"Kettle {number}") for number in range(7)]
    Product.objects.filter(pk=made[2].pk).update(sold=40)

    ids = [row["id"] for row in suggest(api, "kettle")["products"]]

    assert len(ids) == 5
    assert ids[0] == made[2].pk


def test_nothing_is_suggested_that_cannot_be_bought(api, listing):
    sell_out(listing("Kettle red"))
    hide(listing("Kettle blue"))

    assert suggest(api, "kettle")["products"] == []


def test_a_description_suggests_nothing(api, listing):
    listing("Stand", description="For a kettle.")

    assert suggest(api, "kettle") == {"words": [], "products": []}


def test_a_misspelt_word_is_put_right(api, listing):
    kettle = listing("Ramtons kettle")

    body = suggest(api, "ketle")

    assert (body["words"], [row["id"] for row in body["products"]]) == (["kettle"], [kettle.pk])


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["", "k", " ", "%", "the", "'", "k%", "🫖", "a" * 100])
def test_too_short_or_empty_terms_suggest_nothing(api, typed):
    assert suggest(api, typed) == {"words": [], "products": []}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field"), [("q=" + "a" * 101, "q"), ("q=a&q=b", "q"), ("search=kettle", "search")]
)
def test_invalid_parameters_are_a_400(api, query, field):
    response = api.get(f"/product/suggest/?{query}")

    assert (response.status_code, list(response.json())) == (400, [field])


@pytest.fixture
def cached(settings):
    """Cache suggestions for a minute, as in production."""
    settings.SUGGESTIONS_MAX_AGE = 60
    suggestions._cached.clear()
    yield
    suggestions._cached.clear()


def test_suggestions_may_be_cached_for_a_minute(api, listing, cached):
    listing("Kettle")

    answer = api.get("/product/suggest/?q=kett")
    again = api.get("/product/suggest/?q=kett", headers={"If-None-Match": answer["ETag"]})

    assert answer["Cache-Control"] == "public, max-age=60"
    assert (again.status_code, again.content) == (304, b"")


def test_a_minute_begins_when_the_shop_asked_and_not_anew_for_each_who_asks(
    api, listing, cached, monkeypatch, django_assert_num_queries
):
    listing("Kettle")
    api.get("/product/suggest/?q=kett")
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 40)

    with django_assert_num_queries(0):
        answer = api.get("/product/suggest/?q=kett")

    assert answer.json()["words"] == ["kettle"]
    assert answer["Cache-Control"] in {"public, max-age=19", "public, max-age=20"}


def test_after_a_minute_what_changed_is_suggested(api, listing, cached, monkeypatch):
    listing("Kettle")
    api.get("/product/suggest/?q=kett")
    listing("Kettledrum")
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 61)

    assert set(suggest(api, "kett")["words"]) == {"kettle", "kettledrum"}


def test_typing_takes_nothing_from_the_limit_of_searching(api, db, monkeypatch):
    for view in (SuggestView, SearchView):
        monkeypatch.setattr(view, "throttle_classes", [ScopedThrottle])
    monkeypatch.setattr("omachemainproj.api.throttles._rate", lambda scope: (2, 3600))

    one = {"Client-ID": "a-phone-in-kisumu"}

    asked = [api.get("/product/suggest/?q=kett", headers=one).status_code for _ in range(3)]

    assert asked == [200, 200, 429]
    assert api.get("/product/search/?search=kett", headers=one).status_code == 200


def test_suggestions_cost_few_queries(api, listing, django_assert_max_num_queries):
    listing("Kettle")

    # how common, the goods, the vocabulary
    with django_assert_max_num_queries(3):
        suggest(api, "kett")


def test_a_term_unlike_any_known_word_is_not_searched_for_again(
    api, listing, django_assert_max_num_queries
):
    listing("Kettle")

    # how common, the goods, the vocabulary, and what is like it
    with django_assert_max_num_queries(4):
        suggest(api, "qqzz")
