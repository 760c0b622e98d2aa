"""Sellers edit, unlist and relist their listings."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from omachemainproj.api.errors import FieldRefusal
from omachemainproj.images import normalise_own
from products.listings import services
from products.models import Product
from tests.conftest import signed_in
from tests.factories import PASSWORD, ProductFactory, UserFactory
from tests.shopping import an_order

from .conftest import stored_files

NEW_NUMBER = "0733 000 000"


def edit(client, product, **changes):
    return client.patch(f"/product/{product.pk}/", changes, format="json")


@pytest.mark.parametrize(
    ("field", "sent", "kept"),
    [
        ("name", "  Steel \n sufuria ", "Steel sufuria"),
        ("description", "", ""),
        ("category", "phonestablet", "phones"),
        ("price", 999, 999),
        ("listed", False, False),
        ("sku", "K-17", "K-17"),
        ("sku", "", None),
    ],
)
def test_a_seller_changes_one_thing(seller_api, kettle, field, sent, kept):
    before = seller_api.get("/seller/products/").json()[0]

    response = edit(seller_api, kettle, **{field: sent})

    assert response.status_code == 200
    assert response.json() == {**before, field: kept}
    assert seller_api.get("/seller/products/").json() == [response.json()]


def test_a_sale_between_reading_and_saving_is_not_undone(seller_api, kettle, monkeypatch):
    write = services._write

    def sold_in_between(product_id, changes):
        Product.objects.filter(pk=product_id).update(item_number=3, held=1, sold=2)
        write(product_id, changes)

    monkeypatch.setattr(services, "_write", sold_in_between)

    body = edit(seller_api, kettle, price=999).json()

    assert (body["price"], body["on_shelf"], body["held"], body["sold"]) == (999, 3, 1, 2)


def test_orders_keep_the_name_price_and_number_they_were_placed_with(buyer, seller_api, kettle):
    line = an_order(buyer, (kettle, 1)).tracks.get()

    edit(
        seller_api,
        kettle,
        name="Pot",
        price=9,
        payment_mpesa_number=NEW_NUMBER,
        password=PASSWORD,
    )

    line.refresh_from_db()
    assert (line.name, line.price, line.payment_mpesa_number) == ("Kettle", 1500, "254722000000")


def test_an_edit_without_changes_is_accepted(seller_api, kettle):
    assert edit(seller_api, kettle).status_code == 200


def test_item_number_is_refused_and_the_way_is_told(seller_api, kettle):
    response = edit(seller_api, kettle, item_number=9, price=7)

    assert response.status_code == 400
    assert response.json() == {
        "item_number": [
            f"Stock is added, not overwritten: POST /product/{kettle.pk}/restock/"
            ' with {"number": 5}.'
        ]
    }
    kettle.refresh_from_db()
    assert (kettle.item_number, kettle.price) == (5, 1500)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "?!"),
        ("description", "a" * 5001),
        ("description", None),
        ("category", "cars"),
        ("price", 0),
        ("price", "12.0"),
        ("price", 10**29),
        ("listed", "true"),
        ("listed", 1),
        ("listed", None),
        ("sku", "a" * 41),
        ("sku", "a\u202eb"),
        ("sku", []),
        ("image", "http://127.0.0.1/x.png"),
        ("payment_mpesa_number", "12"),
        ("payment_mpesa_number", None),
        ("password", None),
        ("password", {"a": 1}),
    ],
)
def test_an_invalid_value_is_a_400_on_its_field_and_changes_nothing(
    seller_api, kettle, field, value
):
    before = seller_api.get("/seller/products/").json()

    response = edit(seller_api, kettle, **{field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert seller_api.get("/seller/products/").json() == before


@pytest.mark.parametrize("body", [[], [1], "x", 7, None, True])
def test_a_body_that_is_no_object_is_no_500(seller_api, kettle, body):
    response = seller_api.patch(f"/product/{kettle.pk}/", body, format="json")

    assert response.status_code in {200, 400}
    kettle.refresh_from_db()
    assert kettle.name == "Kettle"


def test_a_seller_cannot_set_what_is_the_shops(seller_api, kettle, buyer):
    edit(seller_api, kettle, id=1, seller=buyer.pk, held=9, sold=9, soldout=True, on_shelf=9)

    product = Product.objects.get()
    assert (product.pk, product.seller_id) == (kettle.pk, kettle.seller_id)
    assert (product.held, product.sold, product.item_number) == (0, 0, 5)


def test_a_sku_of_another_listing_is_refused(seller_api, seller, kettle):
    ProductFactory(seller=seller, sku="K-1")

    response = edit(seller_api, kettle, sku="K-1", price=7)

    assert response.status_code == 400
    assert response.json() == {"sku": ["Another listing of yours has this sku."]}
    kettle.refresh_from_db()
    assert (kettle.sku, kettle.price) == (None, 1500)


def test_other_constraint_errors_are_not_reported_for_the_sku(kettle):
    with pytest.raises(IntegrityError), transaction.atomic():
        services.edit_product(kettle.pk, sku="K-1", price=0)


def test_a_constraint_is_told_by_name_on_either_database(seller, kettle):
    ProductFactory(seller=seller, sku="K-1")

    with pytest.raises(FieldRefusal), transaction.atomic():
        services.edit_product(kettle.pk, sku="K-1")


def test_the_number_changes_with_the_password(seller_api, kettle):
    response = edit(seller_api, kettle, payment_mpesa_number=NEW_NUMBER, password=PASSWORD)

    assert response.json()["payment_mpesa_number"] == "254733000000"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "Give your password to change where you are paid."),
        ({"password": "a guess"}, "This is not your password."),
    ],
)
def test_without_the_password_the_payout_number_stays(seller_api, kettle, sent, told):
    response = edit(seller_api, kettle, price=7, payment_mpesa_number=NEW_NUMBER, **sent)

    assert response.status_code == 400
    assert response.json() == {"password": [told]}
    kettle.refresh_from_db()
    assert (kettle.payment_mpesa_number, kettle.price) == ("254722000000", 1500)


def test_the_number_sent_back_as_it_is_needs_no_password(seller_api, kettle):
    response = edit(seller_api, kettle, payment_mpesa_number="0722 000 000", price=7)

    assert (response.status_code, response.json()["price"]) == (200, 7)


def test_the_fifth_wrong_password_locks_as_at_log_in(seller_api, kettle, settings):
    settings.LOCKOUT = True
    wrong = {"payment_mpesa_number": NEW_NUMBER, "password": "a guess"}

    statuses = [edit(seller_api, kettle, **wrong).status_code for _ in range(5)]
    right = edit(seller_api, kettle, payment_mpesa_number=NEW_NUMBER, password=PASSWORD)

    assert statuses == [400, 400, 400, 400, 429]
    assert (right.status_code, right.json()["code"]) == (429, "locked_out")
    assert right["Retry-After"] == "300"
    kettle.refresh_from_db()
    assert kettle.payment_mpesa_number == "254722000000"


def upload(png):
    return SimpleUploadedFile("new.png", png, "image/png")


@pytest.fixture
def pictured(media, listing, png, seller):
    return listing("Kettle", seller=seller, picture=normalise_own(png))


def replace(client, product, png):
    return client.patch(f"/product/{product.pk}/", {"image": upload(png)}, format="multipart")


def test_a_new_picture_replaces_the_old_one_and_its_files(
    seller_api, pictured, png, media, django_capture_on_commit_callbacks
):
    before = stored_files(media)

    with django_capture_on_commit_callbacks(execute=True):
        body = replace(seller_api, pictured, png).json()

    after = stored_files(media)
    # At 640 × 480 there is no medium size.
    assert [name.split(".", 1)[1] for name in after] == ["preview.jpg", "thumb.webp", "webp"]
    assert not set(after) & set(before)
    assert body["image"].rsplit("/", 1)[1] in after


@pytest.mark.parametrize("none", [None, ""])
def test_null_takes_the_picture_away(
    seller_api, pictured, media, django_capture_on_commit_callbacks, none
):
    with django_capture_on_commit_callbacks(execute=True):
        body = edit(seller_api, pictured, image=none).json()

    assert (body["image"], body["thumbnail"]) == (None, None)
    assert stored_files(media) == []


def test_old_files_stay_until_the_change_is_committed(pictured, png, media):
    before = stored_files(media)

    with transaction.atomic():
        services.edit_product(pictured.pk, picture=normalise_own(png))
        transaction.set_rollback(True)

    assert set(stored_files(media)) >= set(before)


def test_new_files_are_deleted_when_the_change_fails(pictured, png, media, monkeypatch):
    before = stored_files(media)

    def fail(product_id, changes):
        raise RuntimeError("the database went away")

    monkeypatch.setattr(services, "_write", fail)

    with pytest.raises(RuntimeError):
        services.edit_product(pictured.pk, picture=normalise_own(png))

    assert stored_files(media) == before


def test_sending_a_pictures_own_address_leaves_it_unchanged(seller_api, pictured, media):
    shown = seller_api.get("/seller/products/").json()[0]
    before = stored_files(media)

    response = edit(seller_api, pictured, image=shown["image"], price=7)

    assert (response.status_code, response.json()["image"]) == (200, shown["image"])
    assert stored_files(media) == before


def test_a_product_is_taken_off_and_its_history_stays(seller_api, api, buyer, kettle):
    an_order(buyer, (kettle, 1))

    responses = [seller_api.delete(f"/product/{kettle.pk}/") for _ in range(2)]

    assert [(r.status_code, r.content) for r in responses] == [(204, b"")] * 2
    assert api.get(f"/product/{kettle.pk}/").status_code == 404
    assert [row["listed"] for row in seller_api.get("/seller/products/").json()] == [False]
    kettle.refresh_from_db()
    assert (kettle.held, kettle.movements.count(), kettle.tracks.count()) == (1, 1, 1)


def test_an_unlisted_product_can_be_listed_again(seller_api, api, kettle):
    seller_api.delete(f"/product/{kettle.pk}/")

    assert edit(seller_api, kettle, listed=True).json()["listed"] is True
    assert api.get(f"/product/{kettle.pk}/").status_code == 200


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_another_sellers_product_is_a_404(kettle, method):
    other = signed_in(UserFactory())

    response = getattr(other, method)(f"/product/{kettle.pk}/", {"price": 1}, format="json")

    assert (response.status_code, response.json()["code"]) == (404, "product_not_found")
    kettle.refresh_from_db()
    assert (kettle.price, kettle.listed) == (1500, True)


@pytest.mark.parametrize("method", ["patch", "delete"])
@pytest.mark.parametrize("number", ["0", "999999", "9" * 18])
def test_a_missing_product_is_a_404(seller_api, kettle, method, number):
    assert getattr(seller_api, method)(f"/product/{number}/").status_code == 404


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_stranger_changes_nothing(api, kettle, method):
    assert getattr(api, method)(f"/product/{kettle.pk}/").status_code == 401


def test_anyone_may_still_look(api, kettle):
    assert api.get(f"/product/{kettle.pk}/").status_code == 200
    assert api.head(f"/product/{kettle.pk}/").status_code == 200
