"""All changes of stock. Nothing else writes ``item_number``, ``held`` and ``sold``.

Every change of ``item_number`` has a StockMovement. Existing products change through conditional
updates, so that neither SQLite nor PostgreSQL ever reserves more than there is, and always in id
order, so that two orders for the same products cannot deadlock. Call these functions inside a
transaction, and late in it: they lock the rows of popular products, which others wait for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F

from omachemainproj.compiled_queries import Update, compiled_update
from omachemainproj.inserts import insert_new

from .models import MAX_STOCK, ListingTerms, Product, StockMovement


@dataclass(frozen=True, slots=True)
class StockLine:
    """A number of units of one product."""

    product_id: int
    number: int


class Shortage(Exception):
    """Fewer units are free than requested. The caller rolls the transaction back."""

    def __init__(self, product_id: int) -> None:
        self.product_id = product_id
        super().__init__(f"product {product_id} has too few free")


class Overfull(Exception):
    """The stock would exceed MAX_STOCK. The caller rolls the transaction back."""

    def __init__(self, product_id: int) -> None:
        self.product_id = product_id
        super().__init__(f"product {product_id} would have too many in stock")


def create_with_stock(product: Product, *, actor_id: int, reference: str = "listed") -> None:
    """Insert a product with its terms and its opening stock, which ``actor_id`` counted.

    ``reference`` identifies the first movement and has to start with ``listed``. Raises
    IntegrityError if a constraint refuses the row.
    """
    product.save(force_insert=True)
    ListingTerms.of(product).save(force_insert=True)
    if product.item_number:
        StockMovement.objects.create(
            product=product,
            quantity=product.item_number,
            reference=reference,
            actor_id=actor_id,
        )


def hold(lines: Iterable[StockLine]) -> None:
    """Reserve every line for an order that is not paid yet.

    One conditional update per line, which succeeds only if enough units are free at that moment.
    Raises Shortage for the first line that cannot be reserved.
    """
    for line in _in_id_order(lines):
        if not _hold(line.product_id, line.number):
            raise Shortage(line.product_id)


@compiled_update
def _hold(product: int, number: int) -> Update:
    enough = Product.objects.filter(pk=product, item_number__gte=F("held") + number)
    return enough.filter(listed=True), {"held": F("held") + number}


def release(lines: Iterable[StockLine]) -> None:
    """End the reservation of these lines.

    Not safe to repeat: the caller changes the order's status first.
    """
    for line in _in_id_order(lines):
        Product.objects.filter(pk=line.product_id).update(held=F("held") - line.number)


def take(lines: Iterable[StockLine], *, reference: str) -> None:
    """Take reserved goods out of stock for a paid order: lowers ``item_number`` and ``held``.

    Safe to repeat: a reference moves a product's stock at most once.
    """
    ordered = _in_id_order(lines)
    movements = [
        StockMovement(product_id=line.product_id, quantity=-line.number, reference=reference)
        for line in ordered
    ]
    leaving = set(insert_new(movements, "product_id"))
    for line in ordered:
        if line.product_id in leaving:
            _take(line.product_id, line.number)


@compiled_update
def _take(product: int, number: int) -> Update:
    return Product.objects.filter(pk=product), {
        "item_number": F("item_number") - number,
        "held": F("held") - number,
        "sold": F("sold") + number,
    }


def return_goods(line: StockLine, *, reference: str) -> None:
    """Return goods that ``take`` removed, whatever the stock is now.

    Safe to repeat: a reference moves a product's stock at most once.
    """
    _, is_new = StockMovement.objects.get_or_create(
        product_id=line.product_id, reference=reference, defaults={"quantity": line.number}
    )
    if is_new:
        Product.objects.filter(pk=line.product_id).update(
            item_number=F("item_number") + line.number, sold=F("sold") - line.number
        )


def restock(
    line: StockLine, *, reference: str, actor_id: int | None = None, note: str = ""
) -> StockMovement | None:
    """Add to a product's stock, or remove free units if the number is negative.

    Safe to repeat and to run concurrently: a reference moves a product's stock at most once.
    Returns None if it already has. Raises Shortage if fewer units are free, and Overfull if the
    stock would exceed MAX_STOCK.
    """
    movement = StockMovement(
        product_id=line.product_id,
        quantity=line.number,
        reference=reference,
        actor_id=actor_id,
        note=note,
    )
    with transaction.atomic():
        # First, so that the later of two requests with the same reference waits here.
        if not _is_first(movement):
            return None
        fits = Product.objects.filter(
            pk=line.product_id,
            item_number__gte=F("held") - line.number,
            item_number__lte=MAX_STOCK - line.number,
        )
        if not fits.update(item_number=F("item_number") + line.number):
            raise (Overfull if line.number > 0 else Shortage)(line.product_id)
    return movement


def _is_first(movement: StockMovement) -> bool:
    """Insert the movement; False if its reference already exists."""
    try:
        with transaction.atomic():
            movement.save(force_insert=True)
    except IntegrityError:
        known = StockMovement.objects.filter(
            product=movement.product_id, reference=movement.reference
        )
        if not known.exists():
            raise
        return False
    return True


def _in_id_order(lines: Iterable[StockLine]) -> list[StockLine]:
    return sorted(lines, key=lambda line: line.product_id)
