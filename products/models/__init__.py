"""What is for sale."""

from .products import (
    MAX_PRICE,
    MAX_REASON,
    MAX_REVIEW,
    MAX_SKU,
    MAX_STOCK,
    ONE_TO_FIVE_STARS_A_REVIEW,
    Category,
    Product,
    Review,
    SearchWord,
    SellerRating,
    StockMovement,
    picture_path,
)

__all__ = [
    "MAX_PRICE",
    "MAX_REASON",
    "MAX_REVIEW",
    "MAX_SKU",
    "MAX_STOCK",
    "ONE_TO_FIVE_STARS_A_REVIEW",
    "Category",
    "Product",
    "Review",
    "SearchWord",
    "SellerRating",
    "StockMovement",
    "picture_path",
]
