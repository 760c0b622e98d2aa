"""The directly built rows, the serializers and the OpenAPI description agree."""

from datetime import datetime

import pytest
from rest_framework.test import APIRequestFactory

from omachemainproj.images import normalise_own
from products.catalogue.queries import as_rows
from products.catalogue.representation import COLUMNS, FIELDS, ProductRepresentation
from products.models import Product
from products.serializers import ProductDetailOutput, ProductOutput

from .test_detail import DETAILS


@pytest.fixture
def pictured(listing, png):
    return listing("Kettle", description="Boils.", picture=normalise_own(png))


def test_rows_made_by_hand_are_what_the_serializer_describes(pictured):
    request = APIRequestFactory().get("/")
    row = as_rows(Product.objects.all()).get()

    by_hand = ProductRepresentation(request).product(row)
    described = dict(ProductOutput(pictured, context={"request": request}).data)

    assert list(by_hand) == list(described)
    assert tuple(by_hand) == FIELDS
    # available and back_within are computed from two columns.
    assert len(by_hand) == len(COLUMNS) + 1
    shown, meant = by_hand.pop("created_at"), described.pop("created_at")
    assert datetime.fromisoformat(shown) == datetime.fromisoformat(meant)
    assert by_hand == described


def test_rows_without_pictures_agree_too(kettle):
    request = APIRequestFactory().get("/")

    by_hand = ProductRepresentation(request).product(as_rows(Product.objects.all()).get())
    described = ProductOutput(kettle, context={"request": request}).data

    assert by_hand["image"] is described["image"] is None
    assert by_hand["thumbnail"] is described["thumbnail"] is None


def test_every_door_shows_a_product_alike(api, pictured):
    detail = api.get(f"/product/{pictured.pk}/").json()

    assert detail.keys() == DETAILS
    del detail["pictures"]
    assert api.get("/").json()["kitchen"] == [detail]
    assert api.get("/product/kitchen/").json() == [detail]
    assert api.get("/product/kitchen/?ordering=price").json() == [detail]
    assert api.get("/product/search/?search=kettle").json() == [detail]
    assert api.post("/cart/", [pictured.pk], format="json").json() == [detail]


def test_a_seller_gets_the_same_and_two_fields_more(seller_api, seller, listing, png):
    mine = listing("Kettle", seller=seller, picture=normalise_own(png))

    detail = seller_api.get(f"/product/{mine.pk}/").json()

    assert list(detail) == list(ProductDetailOutput().fields)
    assert detail.keys() - DETAILS == {"payment_mpesa_number", "listed"}


def test_pictures_are_absolute_addresses_of_the_host_asked(api, pictured, settings):
    settings.ALLOWED_HOSTS = ["shop.example"]

    body = api.get(f"/product/{pictured.pk}/", headers={"Host": "shop.example"}).json()

    assert body["image"] == f"http://shop.example/media/{pictured.image.name}"
    assert body["thumbnail"] == f"http://shop.example/media/{pictured.thumbnail.name}"


def test_times_are_iso_8601_with_an_offset(api, kettle):
    shown = api.get(f"/product/{kettle.pk}/").json()["created_at"]

    assert datetime.fromisoformat(shown) == kettle.created_at
    assert shown.endswith("+00:00")
