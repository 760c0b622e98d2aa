"""The catalogue: what it says can be bought is counted right, and pictures are in their order."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from payments.models.totals import total
from products.catalogue.shelves import for_sale_of_seller
from products.models import MAX_PICTURES, CategoryShelf, Product, ProductPicture, ShelfMove

from .rule import rule


@rule("What can be bought of a category is what its sum and its moves say")
def _of_a_category(now: datetime) -> QuerySet[CategoryShelf]:
    moves = ShelfMove.objects.filter(category=OuterRef("pk"))
    goods = Product.objects.on_sale().filter(category=OuterRef("pk"))
    said = F("for_sale") + total(moves, group_by="category", of=Sum("change"))
    counted = CategoryShelf.objects.annotate(said=said)
    return counted.exclude(said=total(goods, group_by="category", of=Count("pk")))


@rule("What can be bought of a seller is what their sum and their moves say")
def _of_a_seller(now: datetime) -> QuerySet[User]:
    goods = Product.objects.on_sale().filter(seller=OuterRef("pk"))
    counted = User.objects.annotate(said=for_sale_of_seller())
    return counted.exclude(said=total(goods, group_by="seller", of=Count("pk")))


@rule("A product's own picture is the first of its pictures")
def _first(now: datetime) -> QuerySet[Product]:
    first = ProductPicture.objects.filter(product=OuterRef("pk"), place=0)

    def its(column: str) -> Coalesce:
        return Coalesce(Subquery(first.values(column)), Value(""), output_field=TextField())

    return Product.objects.exclude(image=its("image"), thumbnail=its("thumbnail"))


@rule("A product's pictures stand one after the other, eight at most")
def _in_order(now: datetime) -> QuerySet[ProductPicture]:
    before = ProductPicture.objects.filter(product=OuterRef("product"), place__lt=OuterRef("place"))
    gone_before = total(before, group_by="product", of=Count("pk"))
    return ProductPicture.objects.filter(~Q(place=gone_before) | Q(place__gte=MAX_PICTURES))
