"""The pictures of a product, each in several sizes."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from .products import Product, picture_path

MAX_PICTURES = 8


def own_path(picture: ProductPicture, name: str) -> str:
    """The storage path of one size of a picture, in the same folder as the product's files."""
    return picture_path(picture.product, name)


class ProductPicture(models.Model):
    """One picture of a product. The first is also the product's ``image`` and ``thumbnail``.

    Pictures are never enlarged: a size no smaller than the next larger one has no file. ``sizes``
    maps each column to its file's width and height. It is empty for a picture uploaded before all
    sizes existed, until the clock draws the missing ones (products.listings.pictures).
    """

    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        related_name="pictures",
        db_index=False,  # product_has_a_picture_a_place starts with this column
    )
    #: From 0, without gaps except during a change.
    place = models.PositiveSmallIntegerField(default=0)
    image = models.ImageField(upload_to=own_path, help_text="At most 1600 px a side, WebP.")
    medium = models.ImageField(upload_to=own_path, blank=True, help_text="At most 800 px, WebP.")
    thumbnail = models.ImageField(upload_to=own_path, blank=True, help_text="At most 400 px, WebP.")
    preview = models.ImageField(upload_to=own_path, blank=True, help_text="At most 600 px, JPEG.")
    #: Whether all sizes exist, or cannot be drawn because the file is gone.
    is_drawn = models.BooleanField(default=False)
    sizes: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "picture of a product"
        verbose_name_plural = "pictures of products"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="product_has_a_picture_a_place", fields=["product", "place"]
            ),
            models.CheckConstraint(name="picture_has_a_file", condition=Q(image__gt="")),
        ]
        indexes = [
            # Lets the clock find the few pictures that are not drawn yet.
            models.Index(fields=["id"], name="picture_undrawn", condition=Q(is_drawn=False)),
        ]

    def __str__(self) -> str:
        return self.image.name or ""
