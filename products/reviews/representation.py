"""The API's representation of reviews and sellers; serializers.py describes the same shapes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from products.catalogue.category_summaries import for_sale_of_seller
from products.models import Review, ReviewQuerySet, average_stars

from .services import EDITABLE_FOR

#: The statuses of a line whose goods were returned after delivery.
_RETURNED = frozenset({"cancelled", "refunded"})
#: Shown for buyers without a first name.
ANONYMOUS = "A buyer"

#: The columns of a review's row.
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


def as_rows(reviews: ReviewQuerySet, *more: str) -> QuerySet[Any]:
    """Named tuples of the public columns of these reviews (``REVIEW_COLUMNS``), and ``more``."""
    return reviews.values_list(*REVIEW_COLUMNS, *more, named=True)


def as_sellers_rows(reviews: ReviewQuerySet) -> QuerySet[Any]:
    """As ``as_rows``, with the reviewed product."""
    return as_rows(reviews, "product_id", "product__name", "product__thumbnail")


def sellers_called(username: str) -> QuerySet[Any]:
    """The seller with this user name, in any case: at most one named tuple of public columns.

    A user who has never listed a product is not a seller.
    """
    sellers = User.objects.called(username).filter(is_active=True, products__isnull=False)
    rows = sellers.annotate(goods=for_sale_of_seller()).values_list(
        "username",
        "first_name",
        "avatar",
        "date_joined",
        "goods",
        "rating__review_stars",
        "rating__review_count",
        named=True,
    )
    return rows[:1]


def represent_review(row: Any) -> dict[str, Any]:
    """A row of ``as_rows()`` as the public sees it, with only the buyer's first name."""
    answer = {"text": row.answer, "created_at": row.answered_at} if row.answered_at else None
    return {
        "id": row.id,
        "stars": row.stars,
        "text": row.text,
        "by": row.buyer__first_name or ANONYMOUS,
        "created_at": row.created_at,
        "edited": row.edited_at is not None,
        "returned": row.line__track_status in _RETURNED,
        "answer": answer,
    }


def represent_sellers_review(row: Any, picture_prefix: str) -> dict[str, Any]:
    """A row of ``as_sellers_rows()`` as the seller of the product sees it."""
    thumbnail = row.product__thumbnail
    product = {
        "id": row.product_id,
        "name": row.product__name,
        "thumbnail": f"{picture_prefix}{thumbnail}" if thumbnail else None,
    }
    return {**represent_review(row), "product": product}


def represent_public_review(review_id: int) -> dict[str, Any]:
    """One review as the public sees it. One query."""
    return represent_review(as_rows(Review.objects.filter(pk=review_id)).get())


def represent_own_review(review_id: int) -> dict[str, Any]:
    """One review as its writer sees it, hidden or not. One query."""
    row = as_rows(Review.objects.filter(pk=review_id), "product_id", "hidden").get()
    return {
        **represent_review(row),
        "product": row.product_id,
        "hidden": row.hidden,
        "editable_until": row.created_at + EDITABLE_FOR,
    }


def represent_seller(row: Any, picture_prefix: str) -> dict[str, Any]:
    """A row of ``sellers_called()`` as the public sees it, with only the first name."""
    reviews = row.rating__review_count or 0
    return {
        "user_name": row.username,
        "display_name": row.first_name or row.username,
        "avatar": f"{picture_prefix}{row.avatar}" if row.avatar else None,
        "goods": row.goods,
        "stars": average_stars(row.rating__review_stars or 0, reviews),
        "reviews": reviews,
        "member_since": row.date_joined.date(),
    }
