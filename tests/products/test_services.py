"""The services of the catalogue, without HTTP."""

import inspect
import uuid

import pytest

from omachemainproj.images import normalise_own
from products.listings import services
from products.listings.services import (
    AlreadyListed,
    ListingKeyReused,
    create_product,
    edit_product,
    list_product,
    unlist_product,
)
from products.models import Product, SearchWord, StockMovement

from .conftest import stored_files

#: By argument of ``create_product``: two values; None for one that is no part of the listing.
LISTING = {
    "seller": None,
    "picture": None,
    "by": None,
    "key": None,
    "name": ("Kettle", "Pan"),
    "category": ("kitchen", "gaming"),
    "price": (1500, 1501),
    "item_number": (5, 6),
    "payment_mpesa_number": ("254712345678", "254712345679"),
    "description": ("", "New"),
    "sku": (None, "K-1"),
    "listed": (True, False),
}


def test_every_argument_of_a_listing_is_known_to_these_tests():
    assert {*inspect.signature(create_product).parameters} == {*LISTING}


@pytest.mark.parametrize("name", [name for name, values in LISTING.items() if values])
def test_a_key_is_of_one_listing_whichever_of_its_fields_differs(seller, name):
    first = {field: values[0] for field, values in LISTING.items() if values}
    create_product(seller=seller, key="abc", **first)

    with pytest.raises(AlreadyListed):
        create_product(seller=seller, key="abc", **first)
    with pytest.raises(ListingKeyReused):
        create_product(seller=seller, key="abc", **first | {name: LISTING[name][1]})


def test_the_reference_of_a_plain_listing_is_that_of_earlier_versions(seller):
    first = {field: values[0] for field, values in LISTING.items() if values}

    create_product(seller=seller, key="abc", **first)

    assert StockMovement.objects.get().reference == (
        "listed:48b4f1f9042a2d5033b382b5:7cfc481c79b9719dcc2703b1"
    )


def test_files_are_deleted_when_the_rows_cannot_be_written(seller, png, media, monkeypatch):
    def fail(name):
        raise RuntimeError("the database went away")

    monkeypatch.setattr(services, "add_to_vocabulary", fail)

    with pytest.raises(RuntimeError):
        _create(seller, picture=normalise_own(png))

    assert stored_files(media) == []
    assert not Product.objects.exists()
    assert not StockMovement.objects.exists()


def test_the_first_file_is_deleted_when_the_second_cannot_be_stored(
    seller, png, media, monkeypatch
):
    picture = normalise_own(png)
    store = Product._meta.get_field("image").storage
    save = store.save

    def full_disk(name, content, **more):
        if name.endswith(".thumb.webp"):
            raise OSError("no space left on device")
        return save(name, content, **more)

    monkeypatch.setattr(store, "save", full_disk)

    with pytest.raises(OSError, match="no space"):
        _create(seller, picture=picture)

    assert stored_files(media) == []


def test_a_product_with_nothing_on_the_shelf_has_no_movement(seller):
    product = _create(seller, item_number=0)

    assert product.soldout is True
    assert not product.movements.exists()


def _create(seller, **more):
    values = {
        "name": f"Kettle {uuid.uuid4().hex}",
        "category": "kitchen",
        "price": 1500,
        "item_number": 5,
        "payment_mpesa_number": "254712345678",
    } | more
    return create_product(seller=seller, **values)


def test_listing_and_unlisting_may_be_repeated(kettle):
    for change, listed in ((unlist_product, False), (unlist_product, False), (list_product, True)):
        change(kettle.pk)
        kettle.refresh_from_db()
        assert kettle.listed is listed


def test_an_edit_writes_what_was_changed_and_no_stock(kettle):
    Product.objects.filter(pk=kettle.pk).update(held=3)

    edit_product(kettle.pk, name="Sufuria", price=900)

    kettle.refresh_from_db()
    assert (kettle.name, kettle.price, kettle.held, kettle.item_number) == ("Sufuria", 900, 3, 5)
    assert SearchWord.objects.filter(word="sufuria").exists()


@pytest.mark.parametrize("field", ["item_number", "held", "sold", "seller_id"])
def test_an_edit_refuses_to_write_stock(kettle, field):
    with pytest.raises(TypeError, match=field):
        edit_product(kettle.pk, **{field: 1})
