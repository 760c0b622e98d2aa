"""The terms that a listing had: what it cost, and where its seller was paid."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from omachemainproj.money import format_kes

from .products import Product


class ListingTerms(models.Model):
    """The terms a product is sold on from ``created_at``: seller, price, where they are paid.

    One row when it is listed, and one for each change (products.listings.services). Never changed
    or deleted: the newest row matches the product, and every order line was sold on one of them.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="terms")
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # terms_of_seller covers it
    )
    price = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    payment_mpesa_number = models.CharField(max_length=12)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "terms of a listing"
        verbose_name_plural = "terms of listings"
        default_permissions = ()
        # A person's data export looks rows up by their owner.
        indexes = [models.Index(fields=["seller"], name="terms_of_seller")]

    def __str__(self) -> str:
        return f"{format_kes(self.price)} to {self.payment_mpesa_number}"

    @classmethod
    def of(cls, product: Product) -> ListingTerms:
        """The current terms of a product, not saved."""
        return cls(
            product=product,
            seller_id=product.seller_id,
            price=product.price,
            payment_mpesa_number=product.payment_mpesa_number,
        )

    def terms(self) -> tuple[int, int, str]:
        """The seller's id, the price in KES and the number they are paid at."""
        return self.seller_id, self.price, self.payment_mpesa_number
