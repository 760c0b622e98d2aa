import pytest
from django.db import connection

from products import admin_search
from products.catalogue import queries
from products.catalogue.search import MAX_WORDS, is_common, named_of_few, words_in
from products.catalogue.spelling import add_to_vocabulary
from products.models import Product
from tests.factories import ProductFactory

from .conftest import hide, names, next_page, sell_out, walk


def find(api, term, **more):
    return names(api.get("/product/search/", {"search": term, **more}))


@pytest.mark.parametrize(
    "term",
    [
        "kettle",
        "KETTLE",
        "kettles",
        "kett",
        "cordless ket",
        "steel kettle",
        "ramtons boils",
        "1.7l",
    ],
)
def test_words_of_name_or_description_find_a_product(api, listing, term):
    listing("Ramtons Cordless Kettle 1.7L", description="Stainless steel. Boils in four minutes.")
    listing("Sofa", category="furniture")

    assert find(api, term) == ["Ramtons Cordless Kettle 1.7L"]


@pytest.mark.parametrize("term", ["kettle sofa", "ramtons sofa", "ettle kettle sofa"])
def test_every_word_must_be_there(api, listing, term):
    listing("Ramtons Kettle")
    listing("Sofa", category="furniture")

    assert find(api, term) == []


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("can", ["Jerry-can 20 l", "Watering cans"]),
        ("jerry can", ["Jerry-can 20 l"]),
        ("make up", ["Make up brushes"]),
        ("The Who", ["The Who on vinyl"]),
        ("himself", []),
        ("a lamp", ["Lamp for the desk"]),
        # No product has both, so "can" is treated as a stop word.
        ("lamp can", ["Lamp for the desk"]),
        ("the", ["Lamp for the desk", "The Who on vinyl"]),
    ],
)
@pytest.mark.parametrize("order", ["newest", "relevance", "price"])
def test_stop_words_that_name_goods_are_looked_for_in_names(api, listing, term, expected, order):
    for name in (
        "Jerry-can 20 l",
        "Watering cans",
        "Make up brushes",
        "The Who on vinyl",
        "Lamp for the desk",
        "Jerry mouse",
    ):
        listing(name, description="Who can make anything of it?")

    found = find(api, term, ordering=order)

    assert sorted(found) == sorted(expected)


def test_a_price_beside_them_leaves_no_stop_word_out(api, listing):
    listing("Jerry can", price=900)
    listing("Jerry mouse", price=900)

    assert find(api, "jerry can", min_price=100) == ["Jerry can"]


def test_of_a_sellers_own_and_in_the_admin_stop_words_are_looked_for_too(listing):
    can = listing("Jerry can")
    listing("Mouse")

    assert list(named_of_few(Product.objects.all(), ["ca"])) == [can]
    assert admin_search.ids_named(Product.objects.all(), "can", 5) == [can.pk]
    assert admin_search.ids_named(Product.objects.all(), "%", 5) is None


def test_a_stop_word_may_be_the_beginning_of_another_word(api, listing):
    listing("Candle")
    add_to_vocabulary("Candle")

    assert api.get("/product/suggest/?q=can").json()["words"] == ["candle"]


@pytest.mark.parametrize("term", ["hdmi", "vga", "wifi 6", "4.5kg", "4 5kg"])
def test_punctuation_parts_words_and_is_no_path_or_version(api, listing, term):
    listing("Monitor", description="HDMI/VGA, wifi-6, 4.5kg")

    assert find(api, term) == ["Monitor"]


def test_search_finds_all_categories_newest_first(api, listing):
    listing("Samsung fridge", category="kitchen")
    listing("Samsung TV", category="electronics")

    assert find(api, "samsung") == ["Samsung TV", "Samsung fridge"]


def test_search_shows_what_is_sold_out_marked(api, listing):
    sell_out(listing("Kettle"))

    (row,) = api.get("/product/search/?search=kettle").json()

    assert row["soldout"] is True


@pytest.mark.parametrize(("in_stock", "shown"), [("true", ["Free kettle"]), ("false", ["Kettle"])])
def test_search_shows_only_what_can_be_bought_or_cannot_when_asked(api, listing, in_stock, shown):
    sell_out(listing("Kettle"))
    listing("Free kettle")

    assert find(api, "kettle", in_stock=in_stock) == shown


def test_search_never_shows_what_is_unlisted(api, listing):
    hide(listing("Kettle"))

    assert find(api, "kettle") == []
    assert find(api, "") == []


@pytest.mark.parametrize("term", ["", " ", "%", "_", "***", "-", '"', "(((", "😀"])
def test_without_a_word_worth_looking_for_everything_is_shown(api, listing, term):
    listing("Kettle")
    listing("Sofa", category="furniture")

    assert find(api, term) == ["Sofa", "Kettle"]


def test_search_without_a_term_is_the_newest_of_everything(api, listing):
    listing("Kettle")

    assert names(api.get("/product/search/")) == ["Kettle"]


@pytest.mark.parametrize(
    "term",
    [
        "kettle & !sofa",
        "kettle | sofa",
        "kettle:*",
        "'kettle'",
        '"kettle"',
        "kettle*",
        "^kettle",
        "kettle <-> kettle",
        "(kettle)",
        "kettle\\",
        "{kettle}",
        "name:kettle",
        "-kettle",
        "%kettle%",
        "kettle; kettle",
        "kettle--",
    ],
)
def test_operators_are_plain_text(api, listing, term):
    listing("Kettle sofa name")

    assert find(api, term) == ["Kettle sofa name"]


@pytest.mark.parametrize(
    "term", ["NEAR(kettle sofa)", "kettle NOT sofa", "kettle AND sofa", "kettle OR sofa"]
)
def test_no_word_is_an_operator(api, listing, term):
    listing("Kettle")
    listing("Sofa")

    assert find(api, term) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "term",
    ["\\", "''", "';", "a'b", ":*", "!", "&&", "|", "<->", "\u200b", "\ufeff", "ı", "İ", "ß",
     "𝓚𝓮𝓽", "e\u0301", "你好", "١٢٣", "x" * 100, "a " * 50, "ab" * 50, "²³", "ﬁsh", "\U000e0041"],
)  # fmt: skip
def test_no_term_is_an_error(api, term):
    assert api.get("/product/search/", {"search": term}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("length", [101, 3000])
def test_a_term_over_100_characters_is_a_400_on_search(api, length):
    response = api.get("/product/search/", {"search": "a" * length})

    assert response.status_code == 400
    assert response.json() == {"search": ["Search for at most 100 characters."]}


@pytest.mark.django_db
def test_two_terms_are_a_400_on_search(api):
    response = api.get("/product/search/?search=a&search=b")

    assert response.status_code == 400
    assert response.json() == {"search": ["Give this once."]}


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("samsng galxy", "Samsung Galaxy A15"),
        ("SAMSNUG", "Samsung Galaxy A15"),
        ("zamsung", "Samsung Galaxy A15"),
        ("galaxyy a15", "Samsung Galaxy A15"),
        ("iphnoe", "Apple iPhone 13"),
        ("phone 13", "Apple iPhone 13"),
        ("hone", "Apple iPhone 13"),
        ("ketle", "Electric kettle"),
        ("kettel", "Electric kettle"),
        ("electrik ketle", "Electric kettle"),
    ],
)
def test_misspelt_words_still_find(api, listing, term, found):
    listing("Samsung Galaxy A15", category="phones")
    listing("Apple iPhone 13", category="phones")
    listing("Electric kettle")

    assert find(api, term) == [found]


def test_a_word_only_descriptions_use_stays_beside_one_that_is_put_right(api, listing):
    listing("Samsung monitor", description="With an HDMI port.")

    assert find(api, "samsng hdmi") == ["Samsung monitor"]


def test_a_word_like_no_other_finds_nothing(api, listing):
    listing("Kettle")

    assert find(api, "zzzzqqqq") == []


def test_a_search_is_two_queries_at_most(api, listing, django_assert_num_queries):
    listing("Kettle")

    # on PostgreSQL how common the words are, the page
    with django_assert_num_queries(2 if connection.vendor == "postgresql" else 1):
        api.get("/product/search/?search=kettle")


def test_putting_right_costs_the_same_however_many_words(api, listing, django_assert_num_queries):
    listing("Samsung Galaxy phone cover black")

    # how common, the page, the vocabulary, how common, the page again
    with django_assert_num_queries(5 if connection.vendor == "postgresql" else 3):
        response = api.get("/product/search/?search=samsng+galxy+phoen+cuver+blakc")

    assert len(response.json()) == 1


def test_results_of_a_corrected_search_are_paged(api, listing):
    for number in range(5):
        listing(f"Samsung phone {number}")

    pages = walk(api, "/product/search/?search=samsng&page_size=2")

    assert [[row["name"][-1] for row in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]


def test_words_are_not_corrected_after_the_last_page(api, listing):
    listing("Old smartphone")
    last = listing("Phone case")
    listing("Phone")
    second = next_page(api.get("/product/search/?search=phone&page_size=1"))
    hide(last)

    # "phone" has matches, so it is not extended to "smartphone".
    assert names(api.get(second)) == []


def test_a_search_is_paged_without_repeats_in_every_order(api, seller):
    made = [ProductFactory(seller=seller, price=100 * (1 + at % 2)).pk for at in range(5)]

    for ordering in ("newest", "price", "-price"):
        pages = walk(api, f"/product/search/?search=kettle&page_size=2&ordering={ordering}")
        assert sorted(row["id"] for page in pages for row in page) == made


def test_a_renamed_product_is_found_by_its_new_name_only(api, kettle):
    Product.objects.filter(pk=kettle.pk).update(name="Sufuria")

    assert find(api, "sufuria") == ["Sufuria"]
    assert find(api, "kettle") == []


def test_a_sale_leaves_a_product_findable(api, kettle):
    Product.objects.filter(pk=kettle.pk).update(held=2)

    assert find(api, "kettle") == ["Kettle"]


def test_a_search_term_is_cut_into_words():
    assert words_in("The  KETTLE, for-the 1.7L kettle!") == ["kettle", "1", "7l"]
    assert words_in("a1 " * 5 + "b2") == ["a1", "b2"]
    assert len(words_in(" ".join(f"w{number}" for number in range(30)))) == MAX_WORDS


def test_one_and_two_letters_match_whole_words_only(api, listing):
    listing("HP laptop")
    listing("HPX cup")

    assert find(api, "hp") == ["HP laptop"]


@pytest.mark.postgres
@pytest.mark.django_db
def test_whether_a_word_is_common_is_asked_once_a_minute(settings, django_assert_num_queries):
    settings.COMMON_WORDS_MAX_AGE = 60
    assert not is_common([["unheardof"]])

    with django_assert_num_queries(0):
        assert not is_common([["unheardof"]])
    with django_assert_num_queries(1):
        is_common([["unheardof"]], categories=["kitchen"])


@pytest.mark.parametrize(
    ("prices", "shown"),
    [
        ({"min_price": 200}, ["C tub", "B tub"]),
        ({"max_price": 200}, ["B tub", "A tub"]),
        ({"min_price": 200, "max_price": 200}, ["B tub"]),
        ({"min_price": 100, "ordering": "price"}, ["A tub", "B tub", "C tub"]),
        ({"min_price": 100, "page_size": 2}, ["C tub", "B tub"]),
        ({"min_price": 200, "category": "kitchen"}, ["C tub", "B tub"]),
        ({"min_price": 200, "in_stock": "false"}, []),
        ({"min_price": "", "max_price": 100}, ["A tub"]),
    ],
)
def test_prices_narrow_what_words_find(api, listing, prices, shown):
    for name, price in (("A", 100), ("B", 200), ("C", 300)):
        listing(f"{name} tub", price=price)
        listing(f"{name} cup", price=price)

    assert find(api, "tub", **prices) == shown
    assert find(api, "tub", **prices) == shown


def test_no_query_is_built_for_words_and_prices(api, listing, monkeypatch):
    listing("Tub", price=100)
    built = []
    monkeypatch.setattr(queries, "read_filtered", lambda lists, page: built.append(page) or [])

    assert find(api, "tub", min_price=100) == ["Tub"]
    assert built == []
    # With any other filter a query is built.
    find(api, "tub", min_price=100, in_stock="true")
    assert built
