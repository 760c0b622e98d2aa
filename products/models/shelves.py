"""How many goods can be bought of each category and of each seller, without counting them.

The database writes a ``ShelfMove`` wherever a product begins or ceases to be for sale (a trigger:
migration 0011), and the clock adds moves up into the two tables of sums. Sum and moves together
are the number at any moment. An order adds a row of its own and waits for nobody; sums that orders
changed themselves would be locked in the order of whatever sells out.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .products import Category


class ShelfMove(models.Model):
    """A product became something that can be bought, or is it no more. Written by the database."""

    category = models.CharField(max_length=12, choices=Category)
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    change = models.SmallIntegerField(help_text="1 or -1.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.change:+d} {self.category}"


class CategoryShelf(models.Model):
    """How many goods of a category could be bought when moves were last added up."""

    category = models.CharField(max_length=12, choices=Category, primary_key=True)
    for_sale = models.IntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.for_sale} of {self.category}"


class SellerShelf(models.Model):
    """How many goods of a seller could be bought when moves were last added up."""

    seller = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="shelf",
        primary_key=True,
    )
    for_sale = models.IntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.for_sale} of seller {self.seller_id}"
