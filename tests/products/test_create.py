import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from products.models import Product, StockMovement
from tests.conftest import signed_in
from tests.factories import UserFactory

from .conftest import stored_files


def post(client, offer, **changes):
    return client.post("/create/", {**offer, **changes}, format="json")


def test_a_seller_sees_what_they_listed(seller_api, offer):
    response = post(seller_api, offer, description=" Boils. ")

    assert response.status_code == 201
    body = response.json()
    assert body.pop("created_at")
    assert body == {
        "id": Product.objects.get().pk,
        "name": "Ramtons kettle",
        "image": None,
        "thumbnail": None,
        "description": "Boils.",
        "category": "kitchen",
        "price": 1850,
        "item_number": 12,
        "available": 12,
        "soldout": False,
        "back_within": None,
        "user_name": "amina",
        "stars": None,
        "reviews": 0,
        "pictures": [],
        "payment_mpesa_number": "254712345678",
        "listed": True,
    }


def test_location_leads_to_the_new_product(seller_api, offer):
    created = post(seller_api, offer)

    shown = seller_api.get(created["Location"]).json()

    assert shown == created.json()


def test_a_stranger_lists_nothing(api, offer, db):
    response = post(api, offer)

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert not Product.objects.exists()


def test_the_shelf_is_stocked_by_a_movement(seller_api, offer):
    post(seller_api, offer, item_number=12)

    movement = StockMovement.objects.get()
    assert (movement.quantity, movement.reference) == (12, "listed")


def test_a_new_product_can_be_found_at_once(seller_api, offer):
    post(seller_api, offer, name="Ramtons kettle")

    assert len(seller_api.get("/product/search/?search=ramtns").json()) == 1
    assert len(seller_api.get("/product/kitchen/").json()) == 1


def test_a_picture_is_kept_twice_and_shown_by_absolute_address(
    seller_api, offer, png, media, client
):
    picture = SimpleUploadedFile("évil name.png", png, "image/png")

    body = seller_api.post("/create/", {**offer, "image": picture}, format="multipart").json()

    image, thumbnail = body["image"], body["thumbnail"]
    assert image.startswith("http://testserver/media/products/")
    assert image.endswith(".webp")
    assert thumbnail == image.replace(".webp", ".thumb.webp")
    response = client.get(thumbnail)
    with Image.open(io.BytesIO(b"".join(response.streaming_content))) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (400, 300))
    response.close()
    assert "vil" not in image


@pytest.mark.parametrize("how", ["json", "multipart"])
def test_picture_and_description_are_optional(seller_api, offer, how):
    response = seller_api.post("/create/", offer, format=how)

    assert response.status_code == 201
    assert response.json()["image"] is None
    assert response.json()["description"] == ""


def test_a_form_with_an_empty_file_field_lists_without_a_picture(seller_api, offer):
    response = seller_api.post("/create/", {**offer, "image": ""}, format="multipart")

    assert response.status_code == 201
    assert response.json()["image"] is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("phones", "phones"), ("phonestablet", "phones"), ("furniture", "furniture")],
)
def test_a_category_is_one_of_eight_or_phonestablet(seller_api, offer, typed, kept):
    assert post(seller_api, offer, category=typed).json()["category"] == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "a" * 101),
        ("name", "\u200b\u200b"),
        ("name", "?!"),
        ("name", "ket\u202etle"),
        ("name", None),
        ("name", ["a"]),
        ("description", "a" * 5001),
        ("description", {}),
        ("category", "cars"),
        ("category", "kit chen"),
        ("category", ""),
        ("category", None),
        ("category", ["kitchen"]),
        ("category", {"a": 1}),
        ("category", True),
        ("item_number", 0),
        ("item_number", -1),
        ("item_number", 100_001),
        ("item_number", 1.5),
        ("item_number", "five"),
        ("item_number", True),
        ("item_number", None),
        ("item_number", 10**29),
        ("price", 0),
        ("price", -5),
        ("price", 150_001),
        ("price", 99.5),
        ("price", "1500 KES"),
        ("price", True),
        ("price", None),
        ("payment_mpesa_number", ""),
        ("payment_mpesa_number", "0812345678"),
        ("payment_mpesa_number", "07123"),
        ("payment_mpesa_number", 12),
        ("payment_mpesa_number", True),
        ("image", "http://127.0.0.1/x.png"),
        ("image", 5),
    ],
)
def test_an_invalid_value_is_a_400_on_its_field_and_lists_nothing(seller_api, offer, field, value):
    response = post(seller_api, offer, **{field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not Product.objects.exists()
    assert not StockMovement.objects.exists()


@pytest.mark.parametrize("field", ["name", "category", "item_number", "price"])
def test_a_missing_field_is_a_400(seller_api, offer, field):
    del offer[field]

    response = seller_api.post("/create/", offer, format="json")

    assert response.json() == {field: ["This field is required."]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a" * 100),
        ("description", "a" * 5000),
        ("item_number", 1),
        ("item_number", 100_000),
        ("price", 1),
        ("price", 150_000),
    ],
)
def test_the_limits_themselves_are_allowed(seller_api, offer, field, value):
    response = post(seller_api, offer, **{field: value})

    assert response.status_code == 201
    assert response.json()[field] == value


def test_a_name_is_one_line_of_words(seller_api, offer):
    assert post(seller_api, offer, name="  Big \n\t kettle ").json()["name"] == "Big kettle"


@pytest.mark.parametrize("typed", [712345678, "254712345678", "+254 (0)712", "0712-345.678"])
def test_a_number_is_kept_in_one_form(seller_api, offer, typed):
    response = post(seller_api, offer, payment_mpesa_number=typed)

    if typed == "+254 (0)712":
        assert response.status_code == 400
    else:
        assert response.json()["payment_mpesa_number"] == "254712345678"


def test_a_form_sends_numbers_as_digits(seller_api, offer):
    response = seller_api.post("/create/", {**offer, "price": "1850"}, format="multipart")

    assert response.json()["price"] == 1850


@pytest.mark.parametrize("typed", ["1e3", "1.0", "１８５０", "0x10", "-1", "1_000", ""])
def test_a_form_sends_numbers_as_nothing_else(seller_api, offer, typed):
    response = seller_api.post("/create/", {**offer, "price": typed}, format="multipart")

    assert response.status_code == 400
    assert list(response.json()) == ["price"]


def test_a_form_field_sent_twice_is_a_400(seller_api, offer):
    response = seller_api.post("/create/", {**offer, "price": [1, 99]}, format="multipart")

    assert response.status_code == 400
    assert response.json() == {"price": ["Give this once."]}


def test_a_seller_cannot_set_what_is_the_shops(seller_api, offer, buyer):
    response = post(
        seller_api,
        offer,
        id=777,
        seller=buyer.pk,
        user_name="wanjiku",
        soldout=True,
        held=12,
        listed=False,
        created_at="2001-01-01T00:00:00Z",
    )

    product = Product.objects.get()
    assert response.status_code == 201
    assert product.pk != 777
    assert product.seller.username == "amina"
    assert (product.held, product.soldout, product.listed) == (0, False, True)
    assert product.created_at.year > 2001


def test_a_file_that_is_no_picture_is_a_400_and_nothing_is_kept(seller_api, offer, media):
    upload = SimpleUploadedFile("kettle.png", b"<svg onload=alert(1)>", "image/png")

    response = seller_api.post("/create/", {**offer, "image": upload}, format="multipart")

    assert response.status_code == 400
    assert list(response.json()) == ["image"]
    assert not Product.objects.exists()
    assert stored_files(media) == []


def test_listing_costs_the_same_whatever_the_name(seller_api, offer):
    counts = []
    for name in ("Kettle", "A very long name of many new words for one single kettle"):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            post(seller_api, offer, name=name)
        counts.append(len(captured))

    # the token's user, savepoint, the seller's lock and newest product (how crowded it is with
    # theirs), product, its terms, movement, words, release
    assert counts == [9, 9]


def post_once(client, offer, key="first-listing", **changes):
    body = {**offer, **changes}
    return client.post("/create/", body, format="json", headers={"Idempotency-Key": key})


def test_the_same_key_lists_once(seller_api, offer):
    first = post_once(seller_api, offer)
    again = post_once(seller_api, offer)

    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert (again.json(), again["Location"]) == (first.json(), first["Location"])
    assert [move.quantity for move in StockMovement.objects.all()] == [12]


def test_a_listing_sent_again_says_how_it_stands_now(seller_api, offer):
    made = post_once(seller_api, offer).json()
    seller_api.patch(f"/product/{made['id']}/", {"price": 1900}, format="json")

    assert post_once(seller_api, offer).json()["price"] == 1900


def test_a_key_cannot_be_used_for_another_listing(seller_api, offer):
    post_once(seller_api, offer)

    refused = post_once(seller_api, offer, price=1851)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Product.objects.get().price == 1850


def test_a_refused_listing_does_not_use_its_key(seller_api, offer):
    assert post_once(seller_api, offer, price=0).status_code == 400

    assert post_once(seller_api, offer).status_code == 201


def test_everybody_has_keys_of_their_own(seller_api, offer, db):
    mine = post_once(seller_api, offer).json()["id"]

    theirs = post_once(signed_in(UserFactory()), offer)

    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine


def test_the_picture_of_a_listing_sent_again_leaves_no_file(seller_api, offer, png, media):
    def send():
        body = {**offer, "image": SimpleUploadedFile("kettle.png", png, "image/png")}
        headers = {"Idempotency-Key": "with-picture"}
        return seller_api.post("/create/", body, format="multipart", headers=headers)

    first = send()
    before = stored_files(media)
    again = send()

    assert (first.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert stored_files(media) == before
