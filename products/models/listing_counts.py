"""How many products of each category and of each seller are for sale, without counting rows.

A trigger (migration 0011) writes a ``ListingCountChange`` whenever a product starts or stops being
for sale, and the clock adds these up into two tables of totals. The current number is the total
plus the pending changes. An order only inserts a row and waits for nobody; if orders updated the
totals themselves, they would lock them in whatever order their products sell out. The tables keep
the names that the triggers and the previous version use.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .products import Category


class ListingCountChange(models.Model):
    """A product started (1) or stopped (-1) being for sale. Written by a database trigger."""

    category = models.CharField(max_length=12, choices=Category)
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    change = models.SmallIntegerField(help_text="1 or -1.")

    class Meta:
        db_table = "products_shelfmove"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.change:+d} {self.category}"


class CategoryListingCount(models.Model):
    """How many products of a category were for sale when the changes were last added up."""

    category = models.CharField(max_length=12, choices=Category, primary_key=True)
    for_sale = models.IntegerField(default=0)

    class Meta:
        db_table = "products_categoryshelf"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.for_sale} of {self.category}"


class SellerListingCount(models.Model):
    """How many products of a seller were for sale when the changes were last added up."""

    seller = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="listing_count",
        primary_key=True,
    )
    for_sale = models.IntegerField(default=0)

    class Meta:
        db_table = "products_sellershelf"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.for_sale} of seller {self.seller_id}"
