"""Reviews as the API shows them; review_serializers.py describes the same shapes."""

from __future__ import annotations

from typing import Any

from products.catalogue.representation import average_stars
from products.models import Review

from .services import EDITABLE_FOR

#: Where a line is whose goods came back after they were delivered.
_RETURNED = frozenset({"cancelled", "refunded"})
#: Instead of the name of whoever has given none.
SOMEBODY = "A buyer"


def represent_review(row: Any) -> dict[str, Any]:
    """One review, from ``as_rows()``, as the public sees it. Of its writer the first name alone."""
    answer = {"text": row.answer, "created_at": row.answered_at} if row.answered_at else None
    return {
        "id": row.id,
        "stars": row.stars,
        "text": row.text,
        "by": row.buyer__first_name or SOMEBODY,
        "created_at": row.created_at,
        "edited": row.edited_at is not None,
        "returned": row.line__track_status in _RETURNED,
        "answer": answer,
    }


def represent_shown_review(review_id: int) -> dict[str, Any]:
    """One review as the public sees it. One query."""
    return represent_review(Review.objects.filter(pk=review_id).as_rows().get())


def represent_own_review(review_id: int) -> dict[str, Any]:
    """One review as its writer sees it, hidden or not. One query."""
    row = Review.objects.filter(pk=review_id).as_rows("product_id", "hidden").get()
    return {
        **represent_review(row),
        "product": row.product_id,
        "hidden": row.hidden,
        "editable_until": row.created_at + EDITABLE_FOR,
    }


def represent_seller(row: Any) -> dict[str, Any]:
    """A seller, from ``sellers_called()``, as the public sees them."""
    reviews = row.rating__review_count or 0
    return {
        "user_name": row.username,
        "stars": average_stars(row.rating__review_stars or 0, reviews),
        "reviews": reviews,
        "member_since": row.date_joined.date(),
    }
