"""What is for sale, and what is said of it."""

from .products import (
    MAX_PRICE,
    MAX_SKU,
    MAX_STOCK,
    Category,
    Newest,
    Product,
    ProductQuerySet,
    Round,
    StockMovement,
    average_stars,
    picture_path,
)
from .reviews import MAX_REASON, MAX_REVIEW, Review, ReviewQuerySet, SellerRating
from .search_words import SearchWord

__all__ = [
    "MAX_PRICE",
    "MAX_REASON",
    "MAX_REVIEW",
    "MAX_SKU",
    "MAX_STOCK",
    "Category",
    "Newest",
    "Product",
    "ProductQuerySet",
    "Review",
    "ReviewQuerySet",
    "Round",
    "SearchWord",
    "SellerRating",
    "StockMovement",
    "average_stars",
    "picture_path",
]
