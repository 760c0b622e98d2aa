"""Fixtures: products for the catalogue's tests."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from products.listings.services import create_product
from products.models import SellerRating
from tests.factories import UserFactory
from tests.shopping import delivered_line

NUMBER = "254712345678"


@pytest.fixture
def listing(db):
    """List a product through the service, as ``POST /create/`` does."""
    sellers = {}

    def list_one(name="Kettle", *, seller="amina", **more):
        values = {
            "category": "kitchen",
            "price": 1500,
            "item_number": 5,
            "payment_mpesa_number": NUMBER,
        } | more
        if isinstance(seller, str):
            if seller not in sellers:
                sellers[seller] = UserFactory(username=seller)
            seller = sellers[seller]
        return create_product(seller=seller, name=name, **values)

    return list_one


@pytest.fixture
def line(buyer, kettle):
    """One of the kettles, delivered to the buyer."""
    return delivered_line(buyer, kettle)


@pytest.fixture
def offer():
    """A valid body of ``POST /create/``."""
    return {
        "name": "Ramtons kettle",
        "category": "kitchen",
        "price": 1850,
        "item_number": 12,
        "payment_mpesa_number": "0712 345 678",
    }


@pytest.fixture
def png():
    """A small picture, as bytes."""
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "#a63a1e").save(out, "PNG")
    return out.getvalue()


def sell_out(product):
    """Reserve all units of a product."""
    type(product).objects.filter(pk=product.pk).update(held=product.item_number)


def hide(product):
    type(product).objects.filter(pk=product.pk).update(listed=False)


def names(response):
    assert response.status_code == 200, response.content
    return [product["name"] for product in response.json()]


def next_page(response):
    """The address of the next page in ``Link``, or None on the last page."""
    return links(response).get("next")


def links(response):
    """The addresses in ``Link``, by their relation."""
    found = re.findall(
        r'<(http://testserver/[^>]*)>; rel="(\w+)"', response.headers.get("Link", "")
    )
    assert len(found) == response.headers.get("Link", "").count("<")
    return {relation: address for address, relation in found}


def walk(client, address):
    """All pages from this address on, as lists of products."""
    pages = []
    while address:
        response = client.get(address)
        assert response.status_code == 200, response.content
        pages.append(response.json())
        address = next_page(response)
    return pages


def sums(product):
    """The sums of stars and reviews of a product, and of its seller."""
    product.refresh_from_db()
    rating = SellerRating.objects.get(seller=product.seller_id)
    return (
        (product.review_stars, product.review_count),
        (rating.review_stars, rating.review_count),
    )


@pytest.fixture
def media(settings, tmp_path):
    """Pictures are stored in a temporary folder."""
    settings.MEDIA_ROOT = tmp_path
    return settings


def stored_files(settings):
    """The names of all stored pictures of products."""
    return sorted(path.name for path in Path(settings.MEDIA_ROOT).glob("products/*"))
