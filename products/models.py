"""What is for sale, and every change to how much of it there is."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from .querysets import Newest, ProductQuerySet

MAX_PRICE = 150_000
MAX_STOCK = 100_000
MAX_SKU = 40


class Category(models.TextChoices):
    ELECTRONICS = "electronics"
    FURNITURE = "furniture"
    FASHIONS = "fashions"
    COMPUTING = "computing"
    GAMING = "gaming"
    KITCHEN = "kitchen"
    PHONES = "phones"
    SPORTS = "sports"


def picture_path(product: Product, name: str) -> str:
    """Where a product's picture is kept; the name is ours (see omachemainproj.pictures)."""
    return f"products/{name}"


class Product(models.Model):
    """One listing of one seller.

    ``item_number`` stands on the shelf, ``held`` of it is promised to orders that are not paid
    yet, and the difference is free to sell. Both change by conditional updates only (see
    products.stock), and the database refuses what those would ever get wrong.
    """

    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="products",
        db_index=False,  # product_seller_newest begins with it
    )
    name = models.CharField(max_length=100)
    image = models.ImageField(upload_to=picture_path, blank=True)
    thumbnail = models.ImageField(upload_to=picture_path, blank=True, editable=False)
    description = models.TextField(max_length=5000, blank=True)
    category = models.CharField(max_length=12, choices=Category)
    price = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MAX_PRICE)],
        help_text="Whole Kenyan shillings.",
    )
    item_number = models.PositiveIntegerField(
        validators=[MaxValueValidator(MAX_STOCK)], help_text="On the shelf."
    )
    held = models.PositiveIntegerField(
        default=0, editable=False, help_text="Promised to orders that are not paid yet."
    )
    #: Kept by the database itself. It flips rarely, so an update of the numbers leaves the
    #: indexes below alone (a heap-only update in PostgreSQL), which is what a hot product needs.
    soldout = models.GeneratedField(
        expression=Q(item_number__lte=F("held")),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )
    payment_mpesa_number = models.CharField(
        max_length=12, help_text="Where the seller is paid: 2547… or 2541…, 12 digits."
    )
    listed = models.BooleanField(default=True)
    sku = models.CharField(
        max_length=MAX_SKU, null=True, blank=True, help_text="The seller's own code for it."
    )
    #: Kept by products.stock beside the movements it sums up: a popular product has thousands.
    sold = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Left the shelf for paid orders."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="product_holds_no_more_than_it_has", condition=Q(held__lte=F("item_number"))
            ),
            models.CheckConstraint(name="product_held_is_not_negative", condition=Q(held__gte=0)),
            models.CheckConstraint(
                name="product_costs_a_shilling_or_more", condition=Q(price__gte=1)
            ),
            models.UniqueConstraint(name="seller_has_a_sku_once", fields=["seller", "sku"]),
        ]
        indexes = [
            models.Index(
                "category",
                Newest(),
                name="product_category_newest",
                condition=Q(listed=True, soldout=False),
            ),
            models.Index(
                fields=["category", "price", "id"],
                name="product_category_price",
                condition=Q(listed=True, soldout=False),
            ),
            models.Index(fields=["price", "id"], name="product_price", condition=Q(listed=True)),
            # Few are sold out: without this, a page of them would be looked for in all the others.
            models.Index(
                "category",
                Newest(),
                name="product_category_soldout",
                condition=Q(listed=True, soldout=True),
            ),
            models.Index("seller", "category", Newest(), name="product_seller_newest"),
            models.Index("seller", Newest(), name="product_of_seller_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    def takes(self, number: int) -> bool:
        """Whether so many can be added, or taken away where it is negative, as it stands now."""
        return self.held <= self.item_number + number <= MAX_STOCK

    @property
    def free(self) -> int:
        """How many can still be sold."""
        return self.item_number - self.held


class StockMovement(models.Model):
    """One change to a product's ``item_number``, and what it was for. Never changed or deleted.

    The unique reference is what makes taking stock safe to repeat.
    """

    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        related_name="movements",
        db_index=False,  # stock_moves_once_per_reference begins with it
    )
    quantity = models.IntegerField(help_text="Negative when stock leaves the shelf.")
    reference = models.CharField(max_length=64, help_text="Like “listed” or “order:4711”.")
    #: None when the shop itself moved it, as for an order.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # stock_moved_by, which the many movements of orders stay out of
    )
    note = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="stock_moves_once_per_reference", fields=["product", "reference"]
            ),
            models.CheckConstraint(name="stock_movement_is_not_zero", condition=~Q(quantity=0)),
        ]
        indexes = [
            models.Index(fields=["actor"], name="stock_moved_by", condition=Q(actor__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d} for {self.reference}"


class SearchWord(models.Model):
    """A word some product's name contains, so that a misspelt one can be put right."""

    word = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.word
