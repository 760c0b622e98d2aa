"""What a seller has: listings, sales, earnings and payouts."""

from .personal_data import ADDED_TO, AGREED, BOOKS, NOBODY, NUMBER, STARS, WHOLE, PersonalData

SELLING = [
    PersonalData(
        "listings",
        "products.Product",
        "seller",
        (
            "id name description category price item_number payment_mpesa_number listed "
            "sku image thumbnail created_at updated_at"
        ),
        hidden="seller",
        erased="description image thumbnail",
        retained={
            NUMBER: "seller",
            "the orders of others show what they bought": "name",
            BOOKS: "payment_mpesa_number",
            NOBODY: "sku",
        },
    ),
    PersonalData(
        "listing_pictures",
        "products.ProductPicture",
        "product__seller",
        "product_id place image medium thumbnail preview sizes created_at",
        erased=WHOLE,
    ),
    PersonalData(
        "goods_for_sale",
        "products.SellerListingCount",
        "seller",
        "for_sale",
        hidden="seller",
        retained={NUMBER: "seller"},
    ),
    PersonalData(
        "goods_counted_next",
        "products.ListingCountChange",
        "seller",
        "category change",
        hidden="seller",
        retained={NUMBER: "seller"},
    ),
    PersonalData(
        "listing_terms",
        "products.ListingTerms",
        "seller",
        "product_id price payment_mpesa_number created_at",
        hidden="seller",
        retained={
            NUMBER: "seller",
            AGREED: "payment_mpesa_number",
        },
    ),
    PersonalData(
        "stock_counted",
        "products.StockMovement",
        "actor",
        "product_id quantity note created_at",
        hidden="actor reference",
        retained={
            NUMBER: "actor",
            ADDED_TO: "note reference",
        },
    ),
    PersonalData(
        "answers_to_reviews",
        "products.Review",
        "seller",
        "product_id stars answer answered_at",
        hidden="seller",
        erased="answer",
        retained={NUMBER: "seller"},
    ),
    PersonalData(
        "stars",
        "products.SellerRating",
        "seller",
        "review_stars review_count",
        hidden="seller",
        retained={STARS: "seller"},
    ),
    PersonalData(
        "lines_sold",
        "orders.OrderTrack",
        "seller",
        (
            "id product_id name number price amount commission payment_mpesa_number "
            "track_status created_at updated_at"
        ),
        hidden="seller collection_code",
        retained={
            NUMBER: "seller",
            AGREED: "name payment_mpesa_number collection_code",
        },
    ),
    PersonalData(
        "parcels_sold",
        "orders.Parcel",
        "seller",
        "id order_id fee fee_state arrived_at",
        hidden="seller",
        retained={NUMBER: "seller"},
    ),
    PersonalData(
        "earned",
        "payments.SellerShare",
        "seller",
        (
            "track_id phone sold_for commission amount reduced commission_reduced created_at "
            "reversed_at"
        ),
        hidden="seller withheld_why",
        retained={
            NUMBER: "seller",
            BOOKS: "phone withheld_why",
        },
    ),
    PersonalData(
        "paid_out",
        "payments.Payout",
        "seller",
        ("id amount phone status number result_code result_text note created_at sent_at done_at"),
        hidden=(
            "seller on_hold_reason originator_conversation_id conversation_id callback_token "
            "status_token shortcode"
        ),
        retained={
            BOOKS: (
                "seller phone number result_code result_text note on_hold_reason "
                "originator_conversation_id conversation_id callback_token status_token "
                "shortcode"
            ),
        },
    ),
    PersonalData(
        "account_with_the_shop",
        "payments.LedgerEntry",
        "seller",
        "id account side amount posting__created_at",
        hidden="seller",
        retained={BOOKS: "seller"},
    ),
]
