"""Reads of the catalogue, named as phrases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from .models import Product  # noqa: F401


class ProductQuerySet(models.QuerySet["Product"]):
    def listed(self) -> ProductQuerySet:
        """Products their sellers show; the public sees no others."""
        return self.filter(listed=True)

    def on_sale(self) -> ProductQuerySet:
        """Listed products with something free to sell."""
        return self.filter(listed=True, soldout=False)
