"""Products, their stock and pictures, reviews, and the words of the search."""

from .listing_counts import CategoryListingCount, ListingCountChange, SellerListingCount
from .listing_terms import ListingTerms
from .pictures import MAX_PICTURES, ProductPicture
from .products import (
    MAX_PRICE,
    MAX_SKU,
    MAX_STOCK,
    STAR_RANK,
    Category,
    Newest,
    Product,
    ProductQuerySet,
    Round,
    StockMovement,
    average_stars,
    back_within,
    hold_time,
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
    "MAX_PICTURES",
    "MAX_PRICE",
    "MAX_REASON",
    "MAX_REVIEW",
    "MAX_SKU",
    "MAX_STOCK",
    "STAR_RANK",
    "Category",
    "CategoryListingCount",
    "ListingCountChange",
    "ListingTerms",
    "Newest",
    "Product",
    "ProductPicture",
    "ProductQuerySet",
    "Review",
    "ReviewDigest",
    "ReviewQuerySet",
    "Round",
    "SearchWord",
    "SellerListingCount",
    "SellerRating",
    "StockMovement",
    "average_stars",
    "back_within",
    "hold_time",
    "picture_path",
]
