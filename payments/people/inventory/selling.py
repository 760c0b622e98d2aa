"""What a seller has: listings, sales, earnings and payouts."""

from .holding import ADDED_TO, AGREED, BOOKS, NOBODY, NUMBER, STARS, WHOLE, Holding

SELLING = [
    Holding(
        "listings",
        "products.Product",
        "seller",
        (
            "id name description category price item_number payment_mpesa_number listed "
            "sku image thumbnail created_at updated_at"
        ),
        hidden="seller",
        goes="description image thumbnail",
        stays={
            NUMBER: "seller",
            "the orders of others show what they bought": "name",
            BOOKS: "payment_mpesa_number",
            NOBODY: "sku",
        },
    ),
    Holding(
        "listing_pictures",
        "products.ProductPicture",
        "product__seller",
        "product_id place image medium thumbnail preview sizes created_at",
        goes=WHOLE,
    ),
    Holding(
        "goods_for_sale",
        "products.SellerListingCount",
        "seller",
        "for_sale",
        hidden="seller",
        stays={NUMBER: "seller"},
    ),
    Holding(
        "goods_counted_next",
        "products.ListingCountChange",
        "seller",
        "category change",
        hidden="seller",
        stays={NUMBER: "seller"},
    ),
    Holding(
        "listing_terms",
        "products.ListingTerms",
        "seller",
        "product_id price payment_mpesa_number created_at",
        hidden="seller",
        stays={
            NUMBER: "seller",
            AGREED: "payment_mpesa_number",
        },
    ),
    Holding(
        "stock_counted",
        "products.StockMovement",
        "actor",
        "product_id quantity note created_at",
        hidden="actor reference",
        stays={
            NUMBER: "actor",
            ADDED_TO: "note reference",
        },
    ),
    Holding(
        "answers_to_reviews",
        "products.Review",
        "seller",
        "product_id stars answer answered_at",
        hidden="seller",
        goes="answer",
        stays={NUMBER: "seller"},
    ),
    Holding(
        "stars",
        "products.SellerRating",
        "seller",
        "review_stars review_count",
        hidden="seller",
        stays={STARS: "seller"},
    ),
    Holding(
        "lines_sold",
        "orders.OrderTrack",
        "seller",
        (
            "id product_id name number price amount commission payment_mpesa_number "
            "track_status created_at updated_at"
        ),
        hidden="seller collection_code",
        stays={
            NUMBER: "seller",
            AGREED: "name payment_mpesa_number collection_code",
        },
    ),
    Holding(
        "parcels_sold",
        "orders.Parcel",
        "seller",
        "id order_id fee fee_state arrived_at",
        hidden="seller",
        stays={NUMBER: "seller"},
    ),
    Holding(
        "earned",
        "payments.SellerShare",
        "seller",
        (
            "track_id phone sold_for commission amount reduced commission_reduced created_at "
            "reversed_at"
        ),
        hidden="seller withheld_why",
        stays={
            NUMBER: "seller",
            BOOKS: "phone withheld_why",
        },
    ),
    Holding(
        "paid_out",
        "payments.Payout",
        "seller",
        ("id amount phone status number result_code result_text note created_at sent_at done_at"),
        hidden=(
            "seller on_hold_reason originator_conversation_id conversation_id callback_token "
            "status_token shortcode"
        ),
        stays={
            BOOKS: (
                "seller phone number result_code result_text note on_hold_reason "
                "originator_conversation_id conversation_id callback_token status_token "
                "shortcode"
            ),
        },
    ),
    Holding(
        "account_with_the_shop",
        "payments.LedgerEntry",
        "seller",
        "id account side amount posting__created_at",
        hidden="seller",
        stays={BOOKS: "seller"},
    ),
]
