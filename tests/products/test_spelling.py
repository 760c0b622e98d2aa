"""The vocabulary, and its query plan on PostgreSQL."""

import pytest
from django.db import connection

from products.catalogue import queries
from products.catalogue.search import having, is_common, query_for, words_in
from products.catalogue.spelling import correct_spelling, words_of
from products.models import Product, SearchWord
from tests.factories import ProductFactory


@pytest.mark.django_db
def test_the_vocabulary_grows_by_the_words_of_names(listing):
    listing("Ramtons Kettle, 1.7L, kettle", description="cordless")

    assert sorted(SearchWord.objects.values_list("word", flat=True)) == ["kettle", "ramtons"]


def test_words_too_short_or_too_long_stay_out_of_the_vocabulary():
    assert words_of("A tv set " + "x" * 41) == ["set"]
    assert words_of("x" * 40) == ["x" * 40]


def test_words_are_in_small_letters_as_they_are_searched_for():
    assert words_of("İstanbul kilim") == words_in("İstanbul kilim")


def test_words_are_added_in_one_order_so_that_two_sellers_cannot_deadlock():
    assert words_of("Zebra mango, apple") == ["apple", "mango", "zebra"]


@pytest.mark.django_db
def test_a_word_is_put_right_by_what_contains_it_before_what_resembles_it():
    SearchWord.objects.bulk_create(
        SearchWord(word=word) for word in ("phone", "smartphone", "phony", "samsung")
    )

    assert correct_spelling(["phone"]) == [["phone", "smartphone"]]
    assert correct_spelling(["phon"]) == [["phon*", "smartphone"]]
    assert correct_spelling(["samsing"]) == [["samsing*", "samsung"]]
    assert correct_spelling(["sam", "xy", "qqqq"]) == [["sam*"], ["xy"], ["qqqq*"]]


@pytest.mark.django_db
def test_a_short_word_is_only_put_right_by_one_letter():
    SearchWord.objects.bulk_create([SearchWord(word="sofa"), SearchWord(word="soap")])

    assert correct_spelling(["sofo"]) == [["sofo*", "sofa"]]


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.django_db
def test_a_search_asks_the_full_text_index(seller):
    Product.objects.bulk_create(
        ProductFactory.build(seller=seller, name=f"Cup {number}") for number in range(500)
    )
    query = having(Product.objects.listed(), query_for([["kettle"]]))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_indexscan = off")
            # Without fresh statistics the planner may prefer the index of all listed products.
            cursor.execute("ANALYZE products_product")

    plan = query.explain()

    assert "product_search" in plan or "products_search" in plan


@pytest.mark.postgres
@pytest.mark.django_db
def test_hot_rows_have_room_on_their_page():
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'products_product'")
        assert cursor.fetchone()[0] == ["fillfactor=80"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_hold_rewrites_no_index(kettle):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_reset_single_table_counters('products_product'::regclass)")
        for held in range(1, 5):
            Product.objects.filter(pk=kettle.pk).update(held=held)
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
            " WHERE relname = 'products_product'"
        )
        assert cursor.fetchone() == (4, 4)


@pytest.fixture
def cups(seller):
    """Two thousand cups, every fifth of them blue."""
    Product.objects.bulk_create(
        ProductFactory.build(seller=seller, name=f"Cup {'blue' if number % 5 == 0 else 'red'}")
        for number in range(2000)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE products_product")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("words", "common"),
    [(["cup"], True), (["blue"], True), (["blue", "red"], False), (["x"], False)],
)
def test_how_common_words_are_is_seen_in_the_newest_products(cups, words, common):
    assert is_common([[word] for word in words]) is common


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.postgres
@pytest.mark.parametrize("keyset", [("-id",), ("price", "id"), ("-price", "-id")])
def test_rare_matches_are_found_first_and_sorted_then(cups, keyset):
    found = queries.found(query_for([["nowhere"]]))

    plan = queries.in_order(found, keyset, indexed=False)[:26].explain()

    assert "product_search" in plan
    # If an index had this order, the planner might scan it.
    assert f"{keyset[0].lstrip('-')} + 0" in plan.partition("Sort Key")[2].splitlines()[0]


def test_a_page_is_the_same_however_it_is_looked_for(cups):
    for keyset in (("-id",), ("price", "id"), ("-price", "-id")):
        asked = (queries.found, query_for([["blue"]]))
        page = queries.Page(keyset, None, 26)

        walked, sorted_ = (
            queries.read_page(*asked, page._replace(indexed=way)) for way in (True, False)
        )

        assert walked == sorted_
