"""Unicode normalisation of pasted names, skus and searches."""

import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from products.models import Product
from tests.conftest import signed_in

from .conftest import names

pytestmark = pytest.mark.django_db

LISTING = {
    "name": "Kettle",
    "category": "kitchen",
    "price": 1500,
    "item_number": 3,
    "payment_mpesa_number": "0712345678",
}


def create(seller_api, **given):
    return seller_api.post("/create/", {**LISTING, **given})


def find(api, term, **more):
    return names(api.get("/product/search/", {"search": term, **more}))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u2068Kettle\u2069", "Kettle"),
        ("Ket\u00adtle\u200b Blue", "Kettle Blue"),
        ("Cafe\u0301\u00a0press", "Café press"),
        ("Ｋｅｔｔｌｅ　１．７", "Kettle 1.7"),
        ("Oﬃce chair", "Office chair"),
        ("کتاب\u200cخانه", "کتاب\u200cخانه"),
        ("Mug 👩\u200d💻 ❤\ufe0f", "Mug 👩\u200d💻 ❤\ufe0f"),
        ("Carpet 12 m²", "Carpet 12 m²"),
    ],
)
def test_a_name_is_kept_as_it_is_meant(seller_api, typed, kept):
    assert create(seller_api, name=typed).json()["name"] == kept


@pytest.mark.parametrize("name", ["\u200b\u2060", "\u3164", "\u2068\u2069", "\ufeff"])
def test_a_name_nobody_sees_is_none(seller_api, name):
    answer = create(seller_api, name=name)

    assert (answer.status_code, list(answer.json())) == (400, ["name"])


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        (
            "Café press",
            ["café", "cafe\u0301", "ＣＡＦÉ", "ca\u200bfé", "\u2068café\u2069", "ca\u00adfé"],
        ),
        ("Cafe\u0301 press", ["café", "cafe\u0301"]),
        ("Oﬃce chair", ["office", "oﬃce", "ＯＦＦＩＣＥ"]),
        ("Office chair", ["oﬃce"]),
        ("Ｋｅｔｔｌｅ", ["kettle", "ｋｅｔｔｌｅ", "ket\u2060tle"]),
        ("Carpet 12 m²", ["m²", "carpet m²"]),
        ("Carpet 12 m2", ["m²", "ｍ２"]),
        ("ﻛﺘﺎﺏ", ["كتاب", "ﻛﺘﺎﺏ"]),
        ("کتاب\u200cخانه", ["کتاب\u200cخانه", "کتاب"]),
        ("ｹﾄﾙ", ["ケトル", "ｹﾄﾙ"]),
        ("İstanbul lamp", ["İstanbul", "istanbul"]),
    ],
)
def test_a_product_is_found_in_whatever_form_it_is_asked_for(api, seller_api, name, terms):
    made = create(seller_api, name=name)
    create(seller_api, name="Sofa")

    for term in terms:
        assert find(api, term) == [made.json()["name"]], term
        own = seller_api.get("/seller/products/", {"search": term}).json()
        assert [product["name"] for product in own] == [made.json()["name"]], term


def test_a_description_is_found_in_whatever_form_it_was_pasted(api, seller_api):
    create(seller_api, description="Stain\u00adless ﬁnish, de\u0301cor, ＨＤＭＩ")

    for term in ("stainless", "finish", "décor", "hdmi"):
        assert find(api, term) == ["Kettle"], term


@pytest.mark.parametrize("typed", ["\u2068amina\u2069", "ＡＭＩＮＡ", "ami\u200bna"])
def test_a_seller_is_named_in_any_form(api, seller_api, typed):
    create(seller_api)

    assert find(api, "kettle", seller=typed) == ["Kettle"]


@pytest.mark.parametrize("typed", ["kit\u200bchen", "ｋｉｔｃｈｅｎ", "\u2068kitchen\u2069"])
def test_a_category_is_named_in_any_form(api, seller_api, typed):
    assert create(seller_api, category=typed).json()["category"] == "kitchen"

    assert names(api.get(f"/product/{typed}/")) == ["Kettle"]


@pytest.mark.parametrize(
    "typed", ["\u2068KT-1\u2069", "ＫＴ－１", "KT\u20111", "KT–1", "K\u200bT-1 "]
)
def test_a_sku_is_kept_in_one_form_found_in_all_and_taken_in_all(seller_api, typed):
    assert create(seller_api, sku=typed).status_code == 201
    assert Product.objects.get().sku == "KT-1"

    listed = seller_api.get("/seller/products/", {"sku": typed}).json()
    assert [product["sku"] for product in listed] == ["KT-1"]
    again = create(seller_api, name="Other", sku="KT-1\ufeff")
    assert again.json() == {"sku": ["Another listing of yours has this sku."]}


def test_a_sku_nobody_sees_is_none(seller_api):
    assert create(seller_api, sku="\u200b").status_code == 201
    assert Product.objects.get().sku is None


def import_sheet(seller_api, text):
    return seller_api.post(
        "/seller/products/import/", text.encode(), content_type="text/csv"
    ).json()


def test_a_sheet_names_its_columns_and_listings_in_any_form(seller_api):
    create(seller_api, sku="KT-1")
    create(seller_api, name="Café press")

    report = import_sheet(
        seller_api,
        "\u200bＳＫＵ,na\u00adme,category,price,item_number,payment_mpesa_number\n"
        "Ｋ\u200bＴ-1,Kettle,,1600,,\n"
        ",Cafe\u0301\u00a0press,ki\u200btchen,1500,3,\u20680712345678\u2069\n",
    )

    assert report["totals"] == {"created": 0, "updated": 1, "unchanged": 1, "failed": 0}


def test_a_sheet_finds_listings_that_were_stored_in_another_form(seller_api):
    create(seller_api, sku="KT-1")
    create(seller_api, name="Café press")
    Product.objects.filter(name="Kettle").update(sku="ＫＴ-1")
    Product.objects.filter(name="Café press").update(description="ﬁne")

    report = import_sheet(
        seller_api,
        "sku,name,description,category,price,item_number,payment_mpesa_number\n"
        "ＫＴ-1,Kettle,,,1500,,\n"
        ",Café press,ﬁne,kitchen,1500,3,0712345678\n",
    )

    assert report["totals"] == {"created": 0, "updated": 0, "unchanged": 2, "failed": 0}


def test_texts_of_before_get_their_form_and_are_found(api, seller, seller_api):
    migration = importlib.import_module("products.migrations.0008_one_form_of_texts")
    first = create(seller_api, sku="A-1").json()["id"]
    second = create(seller_api, name="Lamp", sku="B-1").json()["id"]
    third = create(seller_api, name="Sofa", sku="C-1").json()["id"]
    old = Product.objects.filter
    old(pk=first).update(name="Ｏﬃce  chair", description="Ｈigh\u200b", sku="Ａ-1")
    old(pk=second).update(sku="Ｃ-1")
    before = Product.objects.get(pk=third).updated_at

    for _ in range(2):
        migration.give_one_form(apps, SimpleNamespace(connection=connection))

    changed = Product.objects.get(pk=first)
    assert (changed.name, changed.description, changed.sku) == ("Office chair", "High", "A-1")
    assert Product.objects.get(pk=second).sku == "Ｃ-1"
    assert Product.objects.get(pk=third).updated_at == before
    assert find(api, "office") == ["Office chair"]
    assert find(api, "ofice") == ["Office chair"]


def test_a_review_is_shown_as_it_is_meant(seller):
    from products.reviews.serializers import ReviewInput

    asked = ReviewInput(data={"stars": 5, "text": "Nzuri\u202e sana ❤\ufe0f\r\nAsa\u00adnte"})

    assert asked.is_valid()
    assert asked.validated_data["text"] == "Nzuri sana ❤\ufe0f\nAsante"


def test_a_restock_keeps_its_note_as_it_is_meant(seller, seller_api):
    product = create(seller_api).json()["id"]

    answer = signed_in(seller).post(
        f"/product/{product}/restock/", {"number": 2, "note": "\u2068From Nakuru\u2069"}
    )

    assert answer.status_code == 201
    moved = Product.objects.get(pk=product).movements.latest("pk")
    assert moved.note == "From Nakuru"
