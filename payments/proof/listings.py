"""The catalogue: counts of products on sale, and the order of pictures."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from payments.models.totals import total
from products.catalogue.category_summaries import for_sale_of_seller
from products.models import (
    MAX_PICTURES,
    CategoryListingCount,
    ListingCountChange,
    Product,
    ProductPicture,
)

from .rule import rule


@rule("The count of a category's products on sale matches its sum and its moves")
def category_count_is_right(now: datetime) -> QuerySet[CategoryListingCount]:
    changes = ListingCountChange.objects.filter(category=OuterRef("pk"))
    goods = Product.objects.on_sale().filter(category=OuterRef("pk"))
    recorded = F("for_sale") + total(changes, group_by="category", of=Sum("change"))
    counted = CategoryListingCount.objects.annotate(recorded=recorded)
    return counted.exclude(recorded=total(goods, group_by="category", of=Count("pk")))


@rule("The count of a seller's products on sale matches its sum and its moves")
def seller_count_is_right(now: datetime) -> QuerySet[User]:
    goods = Product.objects.on_sale().filter(seller=OuterRef("pk"))
    counted = User.objects.annotate(recorded=for_sale_of_seller())
    return counted.exclude(recorded=total(goods, group_by="seller", of=Count("pk")))


@rule("A product's own picture is the first of its pictures")
def first_picture_is_product_picture(now: datetime) -> QuerySet[Product]:
    first = ProductPicture.objects.filter(product=OuterRef("pk"), place=0)

    def first_value(column: str) -> Coalesce:
        return Coalesce(Subquery(first.values(column)), Value(""), output_field=TextField())

    return Product.objects.exclude(image=first_value("image"), thumbnail=first_value("thumbnail"))


@rule("A product's pictures are numbered without gaps, at most eight")
def pictures_are_numbered(now: datetime) -> QuerySet[ProductPicture]:
    before = ProductPicture.objects.filter(product=OuterRef("product"), place__lt=OuterRef("place"))
    gone_before = total(before, group_by="product", of=Count("pk"))
    return ProductPicture.objects.filter(~Q(place=gone_before) | Q(place__gte=MAX_PICTURES))
