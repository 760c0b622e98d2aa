"""Products, the terms they are sold on, and every change of their stock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Count, F, Func, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce, Least

from accounts.models import User

MAX_PRICE = 150_000
MAX_STOCK = 100_000
MAX_SKU = 40

#: The weight of a tenth of a star in ``Product.star_rank``: more than any number of reviews.
STAR_RANK = 1_000_000

#: Holds while the sum of stars and the number of reviews are changed together.
ONE_TO_FIVE_STARS_A_REVIEW = Q(
    review_stars__gte=F("review_count"), review_stars__lte=F("review_count") * 5
)


class Category(models.TextChoices):
    """The categories of products.

    The home page shows those in ``products.catalogue.home.CATEGORIES``. Adding a category takes
    more than a member here: labels, pages, storefront and demo are listed under "A category" in
    docs/architecture.md.
    """

    ELECTRONICS = "electronics"
    FURNITURE = "furniture"
    FASHIONS = "fashions"
    COMPUTING = "computing"
    GAMING = "gaming"
    KITCHEN = "kitchen"
    PHONES = "phones"
    SPORTS = "sports"


def average_stars(stars: int, reviews: int) -> float | None:
    """The mean to one decimal, halves rounded up; None without a review."""
    return (20 * stars + reviews) // (2 * reviews) / 10 if reviews else None


def hold_time() -> timedelta:
    """How long goods are held for an unpaid order, at most, unless its buyer tries again to pay."""
    return timedelta(minutes=settings.ORDER_HOLD_MINUTES)


def back_within(item_number: int, held: int) -> int | None:
    """Seconds within which stock may be free again. None if some is free, or none is reserved.

    Applies when nothing is free but some units are only reserved: unpaid orders end after the hold
    time, or a shorter one (``orders.allowance``), unless they are paid, or extended by another
    payment prompt.
    """
    if held < item_number or not held:
        return None
    return int(hold_time().total_seconds())


class Newest(Func):
    """Minus the id, for ordering a list newest first.

    An expression, so that PostgreSQL scans the category's index. For a plain ``-id`` it would scan
    the primary key backwards and discard the other categories' rows, which is slow for a category
    without new products.
    """

    template = "(-%(expressions)s)"
    output_field = models.BigIntegerField()

    def __init__(self, expression: Any = "id", **extra: Any) -> None:
        super().__init__(expression, **extra)


class Round(Func):
    """The round in which the home page shows a product: 0 for its seller's first three, then 1 …

    An expression over ``crowding``, matched by the home page's index.
    """

    template = "(%(expressions)s / 3)"
    output_field = models.IntegerField()

    def __init__(self, expression: Any = "crowding", **extra: Any) -> None:
        super().__init__(expression, **extra)


def _star_rank() -> Case:
    tenths = (F("review_stars") * 20 + F("review_count")) / (F("review_count") * 2)
    rank = tenths * STAR_RANK + Least(F("review_count"), STAR_RANK - 1)
    return Case(When(review_count__gt=0, then=rank), default=0, output_field=models.IntegerField())


def _sold_rank() -> Case:
    coarser = [
        When(sold__lt=10 ** (digits + 2), then=F("sold") / 10**digits * 10**digits)
        for digits in range(1, 5)
    ]
    return Case(
        When(sold__lt=100, then=F("sold")),
        *coarser,
        default=10**6,
        output_field=models.IntegerField(),
    )


class ProductQuerySet(models.QuerySet["Product"]):
    def listed(self) -> ProductQuerySet:
        """Listed products. The public sees no others."""
        return self.filter(listed=True)

    def on_sale(self) -> ProductQuerySet:
        """Listed products with something free to sell."""
        return self.filter(listed=True, soldout=False)

    def sold_out(self) -> ProductQuerySet:
        """Listed products with nothing free to sell."""
        return self.filter(listed=True, soldout=True)

    def sold_by(self, username: str) -> ProductQuerySet:
        """Products of the seller with this user name, in any case. One query to find the seller.

        With a literal id PostgreSQL plans by how many rows that seller has. With a subquery it
        guesses, and scans the table for a seller with few products, or for an unknown name.
        """
        seller = User.objects.called(username).values_list("pk", flat=True).first()
        return self.none() if seller is None else self.filter(seller=seller)

    def with_stock_version(self) -> ProductQuerySet:
        """Annotate ``stock_version``: a number that grows with every change of the stock."""
        # Counted in the unique index of (product, reference).
        moves = StockMovement.objects.filter(product=OuterRef("pk")).order_by().values("product")
        moved = Subquery(moves.annotate(number=Count("*")).values("number"))
        return self.annotate(stock_version=Coalesce(moved, 0))

    def owned_by(self, seller: User | int) -> ProductQuerySet:
        """A seller's own products, listed or not. Sellers' views start here."""
        return self.filter(seller=seller)


def picture_path(product: Product, name: str) -> str:
    """The storage path of a product's picture. ``name`` is random (see omachemainproj.images)."""
    return f"products/{name}"


class Product(models.Model):
    """One listing of one seller.

    ``item_number`` is the stock on hand, ``held`` is the part of it that is reserved for unpaid
    orders, and the difference can be sold. Both change only through conditional updates (see
    products.stock), backed by constraints.
    """

    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="products",
        db_index=False,  # product_seller_newest starts with this column
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
        validators=[MaxValueValidator(MAX_STOCK)], help_text="In stock."
    )
    held = models.PositiveIntegerField(
        default=0, editable=False, help_text="Reserved for unpaid orders."
    )
    #: Computed by the database. It changes rarely, so an update of the numbers does not touch the
    #: indexes below (a heap-only update in PostgreSQL), which keeps a popular product fast.
    soldout = models.GeneratedField(
        expression=Q(item_number__lte=F("held")),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )
    payment_mpesa_number = models.CharField(
        max_length=12, help_text="The phone the seller is paid at, 12 digits: 2547… or 2541…."
    )
    listed = models.BooleanField(default=True)
    sku = models.CharField(
        max_length=MAX_SKU, null=True, blank=True, help_text="The seller's own code for it."
    )
    #: The sum of movements for orders, maintained by products.stock: a popular product has
    #: thousands of them.
    sold = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Sold in paid orders."
    )
    #: The sum of the stars of its visible reviews, and their number. Updated with each review
    #: (products.reviews.services), never counted when read.
    review_stars = models.PositiveIntegerField(default=0, editable=False)
    review_count = models.PositiveIntegerField(default=0, editable=False)
    #: Orders products by stars (in tenths, as shown), then by the number of reviews.
    star_rank = models.GeneratedField(
        expression=_star_rank(), output_field=models.IntegerField(), db_persist=True
    )
    #: Orders products by sales: ``sold`` to two significant digits, so that a product with
    #: hundreds of sales moves in an index at one sale in ten instead of at every one.
    sold_rank = models.GeneratedField(
        expression=_sold_rank(), output_field=models.IntegerField(), db_persist=True
    )
    #: How many products the seller had recently listed when this one was listed
    #: (listings.services). Never changes, so that editing moves nothing to the front page.
    crowding = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    #: Only on rows read through ``with_stock_version``.
    stock_version: int

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
            models.CheckConstraint(
                name="product_has_one_to_five_stars_a_review", condition=ONE_TO_FIVE_STARS_A_REVIEW
            ),
        ]
        indexes = [
            # A seller's own list. There is none by free stock or by sales: it would be written to
            # at every sale.
            models.Index(fields=["seller", "price", "id"], name="product_of_seller_by_price"),
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
            # Few are sold out: without this, a page of them would scan all the others.
            models.Index(
                "category",
                Newest(),
                name="product_category_soldout",
                condition=Q(listed=True, soldout=True),
            ),
            models.Index(
                fields=["category", "price", "id"],
                name="product_soldout_price",
                condition=Q(listed=True, soldout=True),
            ),
            *(
                models.Index(
                    fields=["category", rank, "id"],
                    name=f"product_{prefix}_{name}",
                    condition=Q(listed=True, soldout=soldout),
                )
                for name, rank in (("stars", "star_rank"), ("best", "sold_rank"))
                for prefix, soldout in (("category", False), ("soldout", True))
            ),
            models.Index(
                fields=["star_rank", "id"], name="product_stars", condition=Q(listed=True)
            ),
            models.Index(fields=["sold_rank", "id"], name="product_best", condition=Q(listed=True)),
            models.Index("seller", "category", Newest(), name="product_seller_newest"),
            models.Index("seller", Newest(), name="product_of_seller_newest"),
            models.Index(
                fields=["seller", "price", "id"],
                name="product_of_seller_price",
                condition=Q(listed=True),
            ),
            models.Index(
                fields=["seller", "category", "price", "id"],
                name="product_seller_price",
                condition=Q(listed=True),
            ),
            # The home page: every seller's first three before any seller's next three.
            models.Index(
                "category",
                Round(),
                Newest(),
                name="product_front",
                condition=Q(listed=True, soldout=False),
            ),
            # Few are unlisted: without this, staff's page of them would scan all the others.
            models.Index(fields=["id"], name="product_unlisted", condition=Q(listed=False)),
        ]

    def __str__(self) -> str:
        return self.name

    def takes(self, number: int) -> bool:
        """Whether ``number`` units can be added right now, or removed if it is negative."""
        return self.held <= self.item_number + number <= MAX_STOCK

    @property
    def free(self) -> int:
        """The units that can be sold: in stock and not reserved."""
        return self.item_number - self.held

    @property
    def back_within(self) -> int | None:
        """Seconds within which stock may be free again; see ``back_within()``."""
        return back_within(self.item_number, self.held)

    @property
    def stars(self) -> float | None:
        """The mean of its visible reviews, to one decimal; None without any."""
        return average_stars(self.review_stars, self.review_count)


class StockMovement(models.Model):
    """One change of a product's ``item_number`` and its reason. Never changed or deleted.

    The unique ``reference`` makes stock changes safe to repeat.
    """

    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        related_name="movements",
        db_index=False,  # stock_moves_once_per_reference starts with this column
    )
    quantity = models.IntegerField(help_text="Negative when stock decreases.")
    reference = models.CharField(max_length=64, help_text="Like “listed” or “order:4711”.")
    #: None if the shop moved it itself, for example for an order.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # stock_moved_by covers it, without the many movements for orders
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
            # A popular product has thousands of movements.
            models.Index(fields=["product", "-id"], name="stock_moved_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d} for {self.reference}"
