"""Reads of the catalogue, named as phrases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Func, OuterRef, Subquery
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import User

from .catalogue.representation import COLUMNS, LISTING_COLUMNS

if TYPE_CHECKING:
    from .models import Product, Review  # noqa: F401


class Newest(Func):
    """Smallest for the newest product: the order of a category's shelf.

    Not plain ``-id``: PostgreSQL would rather walk the primary key backwards and throw away the
    other categories' rows, which is fine until a category has had nothing new for a year.
    """

    template = "(-%(expressions)s)"
    output_field = models.BigIntegerField()

    def __init__(self, expression: Any = "id", **extra: Any) -> None:
        super().__init__(expression, **extra)


class Created(Func):
    """``created_at`` as the API writes it: ISO 8601 in UTC.

    Written by the database, because 150 times read into Python and written out again were a fifth
    of what the front page cost.
    """

    output_field = models.TextField()

    def __init__(self, expression: Any = "created_at", **extra: Any) -> None:
        super().__init__(expression, **extra)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        form = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
        template = f"to_char(%(expressions)s AT TIME ZONE 'UTC', '{form}')"
        return super().as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> tuple[str, Any]:
        # Django keeps them there as text, in UTC.
        template = "(replace(%(expressions)s, ' ', 'T') || '+00:00')"
        return super().as_sql(compiler, connection, template=template)


class ProductQuerySet(models.QuerySet["Product"]):
    def listed(self) -> ProductQuerySet:
        """Products their sellers show; the public sees no others."""
        return self.filter(listed=True)

    def on_sale(self) -> ProductQuerySet:
        """Listed products with something free to sell."""
        return self.filter(listed=True, soldout=False)

    def sold_out(self) -> ProductQuerySet:
        """Listed products with nothing free to sell."""
        return self.filter(listed=True, soldout=True)

    def sold_by(self, username: str) -> ProductQuerySet:
        """Products of the seller with this name, whatever its case."""
        # One id found first, so that the planner can walk that seller's own index.
        return self.filter(seller=Subquery(User.objects.called(username).values("pk")[:1]))

    def owned_by(self, seller: User | int) -> ProductQuerySet:
        """A seller's own, shown to the public or not. Sellers' views start here."""
        return self.filter(seller=seller)

    def as_listings(self, *more: str) -> models.QuerySet[Any]:
        """Named tuples of what a seller sees of their own (see products.catalogue.representation), and ``more``."""
        return self.as_rows(*LISTING_COLUMNS[len(COLUMNS) :], *more)

    def as_rows(self, *more: str) -> models.QuerySet[Any]:
        """Named tuples of what the public shape needs (see products.catalogue.representation), and ``more``."""
        seller = User.objects.filter(pk=OuterRef("seller_id")).values("username")
        # Not a join: the database asks for the names of the rows it answers, and of no others.
        rows = self.annotate(user_name=Subquery(seller[:1]), created=Created())
        return rows.values_list(*COLUMNS, *more, named=True)


REVIEW_COLUMNS = (
    "id",
    "stars",
    "text",
    "buyer__first_name",
    "created_at",
    "edited_at",
    "answer",
    "answered_at",
    "line__track_status",
)


class ReviewQuerySet(models.QuerySet["Review"]):
    def shown(self) -> ReviewQuerySet:
        """Reviews the public sees; averages count no others."""
        return self.filter(hidden=False)

    def of_product(self, product_id: int) -> ReviewQuerySet:
        """What is said of one product."""
        return self.filter(product=product_id)

    def written_by(self, user: User) -> ReviewQuerySet:
        """The buyer's own reviews."""
        return self.filter(buyer=user)

    def as_rows(self, *more: str) -> models.QuerySet[Any]:
        """Named tuples of what the public shape needs (see products.reviews.representation)."""
        return self.values_list(*REVIEW_COLUMNS, *more, named=True)


def sellers_called(username: str) -> models.QuerySet[Any]:
    """The seller with this name in any case, or nobody: named tuples of what is public of them.

    Who has never listed anything is no seller.
    """
    sellers = User.objects.called(username).filter(is_active=True, products__isnull=False)
    rows = sellers.values_list(
        "username", "date_joined", "rating__review_stars", "rating__review_count", named=True
    )
    return rows[:1]
