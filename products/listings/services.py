"""Creating, editing, unlisting and restocking listings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.tokens import refuse
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.constraints import breaks
from omachemainproj.images import KEEP, Picture, PictureChange
from omachemainproj.locking import lock_row
from products import stock
from products.catalogue.spelling import add_to_vocabulary
from products.models import MAX_STOCK, ListingTerms, Newest, Product, StockMovement
from products.stock import Overfull, Shortage, StockLine

from .pictures import replace_first, stored_files

#: The editable columns of a listing. Stock is changed through products.stock only.
EDITABLE = frozenset(
    {"name", "description", "category", "price", "sku", "payment_mpesa_number", "listed"}
)
#: Products that one statement takes off sale, of a seller who may have tens of thousands.
UNLISTED_AT_ONCE = 1000
#: How long one new product of a seller counts towards crowding the home page.
CROWDING_DECAY = timedelta(hours=8)
#: A month's worth, so that a seller who listed thousands at a time does not wait longer than that.
MAX_CROWDING = 90
#: The columns an Idempotency-Key covered from the start, in the order of their digest, which never
#: changes.
_FIRST_COVERED = (
    "name",
    "category",
    "price",
    "item_number",
    "payment_mpesa_number",
    "description",
    "sku",
)
SKU_TAKEN = "Another listing of yours has this sku."


class ListingKeyReused(Refusal):
    """The Idempotency-Key was already used for a different listing."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another listing. Use a new key for a new listing."
    status_code = 422


class AlreadyListed(Exception):
    """A request with the same Idempotency-Key has already created ``product``."""

    def __init__(self, product: Product) -> None:
        self.product = product
        super().__init__(f"product {product.pk} was listed with this key")


class SellerClosed(Refusal):
    """The seller's account was closed or deleted."""

    code = "seller_closed"
    message = "Its seller's account is closed. Nobody would hand over the goods."


class RestockKeyReused(Refusal):
    """The Idempotency-Key was already used for a different number."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another number. Use a new key for a new restock."
    status_code = 422


def create_product(  # noqa: PLR0913
    *,
    seller: User,
    name: str,
    category: str,
    price: int,
    item_number: int,
    payment_mpesa_number: str,
    description: str = "",
    sku: str | None = None,
    listed: bool = True,
    picture: Picture | None = None,
    by: User | None = None,
    key: str | None = None,
) -> Product:
    """Create a product with its picture's files and its first stock movement.

    ``price`` is whole KES, ``payment_mpesa_number`` 2547… or 2541…; ``by`` is the user who counted
    the stock, if not the seller. All or nothing: stored files are deleted if the rows cannot be
    saved. Raises FieldRefusal if another of the seller's listings has the ``sku``.

    Safe to repeat with a ``key``, the request's Idempotency-Key: its digest is part of the first
    movement's reference, and it is looked up while the seller's row is locked. Raises AlreadyListed
    for a repeated request, and ListingKeyReused if the key was used for a different listing;
    pictures are not compared.
    """
    # All columns the request decides, so that the key covers what is written.
    columns = {
        "name": name,
        "category": category,
        "price": price,
        "item_number": item_number,
        "payment_mpesa_number": payment_mpesa_number,
        "description": description,
        "sku": sku,
        "listed": listed,
    }
    product = Product(seller=seller, **columns)
    reference = _listing_reference(key, columns) if key else "listed"
    # Files are stored before the transaction starts, so that a slow disk does not keep it open.
    with stored_files(picture) as first, transaction.atomic():
        if first is not None:
            product.image, product.thumbnail = first.image, first.thumbnail
        product.crowding = _next_crowding(seller)
        if key:
            _refuse_repeated(seller, reference)
        with _refuse_taken_sku(sku):
            stock.create_with_stock(product, actor_id=(by or seller).pk, reference=reference)
        if first is not None:
            first.product = product
            first.save(force_insert=True)
        add_to_vocabulary(name)
    return product


def _listing_reference(key: str, columns: Mapping[str, Any]) -> str:
    """The first movement's reference: ``listed``, a digest of the key, a digest of the listing.

    The digest is of every column of a listing. One that is not in ``_FIRST_COVERED`` counts where
    it differs from its default, so that a request without it has the digest it always had.
    """
    content: tuple[Any, ...] = tuple(columns[name] for name in _FIRST_COVERED)
    default = Product()
    for name in sorted(columns.keys() - {*_FIRST_COVERED}):
        if columns[name] != getattr(default, name):
            content += (name, columns[name])
    digests = (hashlib.blake2b(text.encode(), digest_size=12) for text in (key, repr(content)))
    return ":".join(["listed", *(digest.hexdigest() for digest in digests)])


def _refuse_repeated(seller: User, reference: str) -> None:
    """Raise AlreadyListed or ListingKeyReused if the seller has used the reference's key before.

    The seller must be locked, so that the second of two concurrent requests finds the first.
    """
    same_key = reference.rpartition(":")[0] + ":"
    moves = StockMovement.objects.filter(actor=seller, reference__startswith=same_key)
    earlier = moves.select_related("product").first()
    if earlier is None:
        return
    if earlier.reference != reference:
        raise ListingKeyReused
    raise AlreadyListed(earlier.product)


def _next_crowding(seller: User) -> int:
    """The ``crowding`` of the seller's next product: how many they have listed recently.

    Each product adds one, and one expires every eight hours. Locks the seller, so that concurrent
    uploads get different values. Refuses (401) a seller whose account was closed meanwhile.
    """
    if not lock_row(User, seller.pk).is_active:
        refuse("user_inactive")
    mine = Product.objects.owned_by(seller).order_by(Newest())
    newest = mine.values_list("crowding", "created_at").first()
    if newest is None:
        return 0
    crowding, listed_at = newest
    return int(
        min(max(crowding + 1 - (timezone.now() - listed_at) // CROWDING_DECAY, 0), MAX_CROWDING)
    )


@contextmanager
def _refuse_taken_sku(sku: str | None) -> Iterator[None]:
    """Turn a constraint error of the write into FieldRefusal if the sku is taken."""
    try:
        yield
    except IntegrityError as error:
        if sku is None or not breaks(error, Product, "seller_has_a_sku_once"):
            raise
        raise FieldRefusal({"sku": [SKU_TAKEN]}) from error


def edit_product(product_id: int, *, picture: PictureChange = KEEP, **changes: Any) -> None:
    """Change these columns of a product. Safe to repeat.

    Only the given columns are written, because the product may be sold at the same time.
    ``picture`` replaces the first picture; None removes it, and ``KEEP`` leaves it. Replaced files
    are deleted after the commit, new ones if the change fails. Raises FieldRefusal if another of
    the seller's listings has the ``sku``, and TypeError for a column that is not in ``EDITABLE``.
    """
    kept_out = changes.keys() - EDITABLE
    if kept_out:
        raise TypeError(f"edit_product does not write {', '.join(sorted(kept_out))}")
    if picture is KEEP:
        _write(product_id, changes)
        return
    with stored_files(picture) as new, transaction.atomic():
        replace_first(product_id, new)
        _write(product_id, changes)


@transaction.atomic
def _write(product_id: int, changes: dict[str, Any]) -> None:
    if not changes:
        return
    with _refuse_taken_sku(changes.get("sku")):
        Product.objects.filter(pk=product_id).update(**changes, updated_at=timezone.now())
    if "name" in changes:
        add_to_vocabulary(changes["name"])
    if changes.keys() & {"price", "payment_mpesa_number"}:
        _record_terms(product_id)


def _record_terms(product_id: int) -> None:
    """Record the current terms of a product if they have changed (ListingTerms).

    The product's row is locked already, because this transaction has written it.
    """
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        return
    now, newest = ListingTerms.of(product), product.terms.order_by("-pk").first()
    if newest is None or newest.terms() != now.terms():
        now.save(force_insert=True)


def list_product(product_id: int) -> None:
    """Make a product visible to the public again. Safe to repeat.

    Raises SellerClosed: nobody would hand over the goods.
    """
    if Product.objects.filter(pk=product_id, seller__is_active=False).exists():
        raise SellerClosed
    _write(product_id, {"listed": True})


def unlist_product(product_id: int) -> None:
    """Hide a product from the public. Existing orders are not affected. Safe to repeat."""
    _write(product_id, {"listed": False})


def unlist_products_of(seller: User) -> None:
    """Hide all products of a seller from the public. Existing orders are not affected.

    Call inside a transaction. Safe to repeat.
    """
    # By id, the order in which orders lock products.
    listed = Product.objects.owned_by(seller).listed().order_by("pk")
    ids = list(listed.select_for_update(no_key=True).values_list("pk", flat=True))
    for start in range(0, len(ids), UNLISTED_AT_ONCE):
        some = Product.objects.filter(pk__in=ids[start : start + UNLISTED_AT_ONCE])
        some.update(listed=False, updated_at=timezone.now())


def restock_product(
    product_id: int, *, number: int, by: User, key: str | None = None, note: str = ""
) -> bool:
    """Add to a product's stock, or remove free units if ``number`` is negative.

    Safe to repeat with a ``key``, the request's Idempotency-Key: its digest is the movement's
    unique reference. Returns False if the stock was already changed under this key. Raises
    FieldRefusal if fewer units are free or the stock would exceed MAX_STOCK, and RestockKeyReused
    if the key was used with another number.
    """
    reference = restock_reference(key) if key else f"restock:{uuid4().hex}"
    line = StockLine(product_id, number)
    try:
        moved = stock.restock(line, reference=reference, actor_id=by.pk, note=note)
    except (Shortage, Overfull) as error:
        product = Product.objects.get(pk=product_id)
        raise FieldRefusal({"number": [restock_refusal(product, number)]}) from error
    known = StockMovement.objects.filter(product=product_id, reference=reference)
    if moved is None and known.values_list("quantity", flat=True).get() != number:
        raise RestockKeyReused
    return moved is not None


def restock_reference(key: str) -> str:
    """The movement's reference for this key: a digest, because keys can exceed the column."""
    return f"restock:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


def restock_refusal(product: Product, number: int) -> str:
    """The message for a number that cannot be added to, or removed from, a product's stock."""
    if number > 0:
        return f"At most {MAX_STOCK} can be in stock; there are {product.item_number} now."
    held = f"; {product.held} are reserved for unpaid orders" if product.held else ""
    return f"Only {product.free} are available{held}."
