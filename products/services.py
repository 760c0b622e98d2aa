"""Every change to what is for sale, apart from its stock (products.stock)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.pictures import Picture

from .models import Product, StockMovement
from .vocabulary import remember_words

#: What may be put right after a product was listed.
EDITABLE = frozenset({"name", "description", "category", "price"})


def create_product(  # noqa: PLR0913
    *,
    seller: User,
    name: str,
    category: str,
    price: int,
    item_number: int,
    payment_mpesa_number: str,
    description: str = "",
    picture: Picture | None = None,
) -> Product:
    """List a product: its row, its picture's two files and the movement that stocked its shelf.

    ``price`` is whole KES, ``payment_mpesa_number`` 2547… or 2541…. All or nothing: files that
    were stored are deleted when the rows cannot be.
    """
    product = Product(
        seller=seller,
        name=name,
        category=category,
        price=price,
        item_number=item_number,
        payment_mpesa_number=payment_mpesa_number,
        description=description,
    )
    try:
        # Before the transaction: a slow disk must not keep one open.
        _store(product, picture)
        with transaction.atomic():
            product.save(force_insert=True)
            if item_number:
                StockMovement.objects.create(
                    product=product, quantity=item_number, reference="listed"
                )
            remember_words(name)
    except BaseException:
        _delete_files(product)
        raise
    return product


def _store(product: Product, picture: Picture | None) -> None:
    if picture is not None:
        product.image.save(str(picture.full.name), picture.full, save=False)
        product.thumbnail.save(str(picture.thumbnail.name), picture.thumbnail, save=False)


def _delete_files(product: Product) -> None:
    for stored in (product.image, product.thumbnail):
        if stored:
            stored.delete(save=False)


@transaction.atomic
def edit_product(product_id: int, **changes: Any) -> None:
    """Change a product's words, category or price, and nothing else. Safe to repeat.

    Its stock may be sold at the same moment, so only these columns are written.
    """
    kept_out = changes.keys() - EDITABLE
    if kept_out:
        raise TypeError(f"edit_product does not write {', '.join(sorted(kept_out))}")
    if not changes:
        return
    Product.objects.filter(pk=product_id).update(**changes, updated_at=timezone.now())
    if "name" in changes:
        remember_words(changes["name"])


def list_product(product_id: int) -> None:
    """Show a product to the public again. Safe to repeat."""
    Product.objects.filter(pk=product_id).update(listed=True)


def unlist_product(product_id: int) -> None:
    """Hide a product from the public; orders that hold it go on. Safe to repeat."""
    Product.objects.filter(pk=product_id).update(listed=False)
