"""What is for sale, and what is said of it."""

from .products import (
    MAX_PRICE,
    MAX_SKU,
    MAX_STOCK,
    Category,
    ListingTerms,
    Newest,
    Product,
    ProductQuerySet,
    Round,
    StockMovement,
    average_stars,
    picture_path,
)
from .reviews import (
    DIGESTED_OF_REVIEW,
    MAX_REASON,
    MAX_REVIEW,
    Review,
    ReviewDigest,
    ReviewQuerySet,
    SellerRating,
)
from .search_words import SearchWord

__all__ = [
    "DIGESTED_OF_REVIEW",
    "MAX_PRICE",
    "MAX_REASON",
    "MAX_REVIEW",
    "MAX_SKU",
    "MAX_STOCK",
    "Category",
    "ListingTerms",
    "Newest",
    "Product",
    "ProductQuerySet",
    "Review",
    "ReviewDigest",
    "ReviewQuerySet",
    "Round",
    "SearchWord",
    "SellerRating",
    "StockMovement",
    "average_stars",
    "picture_path",
]
