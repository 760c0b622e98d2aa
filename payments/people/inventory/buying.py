"""What a buyer has: orders, problems, reviews, payments, refunds and notifications."""

from .holding import AGREED, BOOKS, DECIDED, NOBODY, NUMBER, STAFF, WHOLE, Holding

BUYING = [
    Holding(
        "orders",
        "orders.Order",
        "buyer",
        (
            "id order_token reference mpesa_number amount payment_status cancelled_by "
            "network created_at expires_at"
        ),
        hidden="buyer guest idempotency_key fingerprint",
        goes="mpesa_number network",
        stays={
            NUMBER: "buyer guest",
            AGREED: "reference idempotency_key fingerprint",
        },
    ),
    Holding(
        "orders_joined",
        "orders.JoinedOrder",
        "account",
        "order_id created_at",
        hidden="account",
        stays={NUMBER: "account"},
    ),
    Holding(
        "lines_bought",
        "orders.OrderTrack",
        "buyer",
        (
            "id order_id product_id name number price amount collection_code track_status "
            "created_at updated_at"
        ),
        hidden="buyer",
        stays={NUMBER: "buyer"},
    ),
    Holding(
        "delivered_to",
        "orders.OrderDelivery",
        "order__buyer",
        "order_id way recipient phone county area directions",
        goes="recipient phone area directions",
    ),
    Holding(
        "parcels_bought",
        "orders.Parcel",
        "order__buyer",
        "id order_id fee fee_state arrived_at",
        hidden="seller agent",
        stays={NUMBER: "seller agent"},
    ),
    Holding(
        "fees_given_back",
        "orders.FeeReturn",
        "parcel__order__buyer decided_by",
        "parcel_id why created_at",
        hidden="decided_by",
        stays={
            STAFF: "decided_by",
            BOOKS: "why",
        },
    ),
    Holding(
        "problems_reported",
        "orders.Problem",
        "track__buyer",
        "id track_id kind state outcome ended_by refunded opened_at closed_at",
        hidden="seller decided_by",
        stays={NUMBER: "seller decided_by"},
    ),
    Holding(
        "problems_with_goods",
        "orders.Problem",
        "seller",
        "id track_id kind state outcome ended_by refunded opened_at closed_at",
        hidden="seller decided_by",
        stays={NUMBER: "seller decided_by"},
    ),
    Holding(
        "said_about_problems",
        "orders.ProblemMessage",
        "author",
        "id problem_id party decided text created_at",
        hidden="author idempotency_key",
        stays={
            NUMBER: "author",
            DECIDED: "text idempotency_key",
        },
    ),
    Holding(
        "pictures_of_problems",
        "orders.ProblemPicture",
        "message__author",
        "id message_id message__problem__track_id created_at",
        hidden="image",
        goes=WHOLE,
    ),
    Holding(
        "price_reductions",
        "orders.PriceReduction",
        "track__buyer track__seller",
        "id track_id problem_id amount created_at",
        stays={BOOKS: "amount commission"},
    ),
    Holding(
        "reviews",
        "products.Review",
        "buyer",
        "product_id stars text created_at edited_at answer hidden hidden_reason",
        hidden="buyer",
        goes="text",
        stays={
            NUMBER: "buyer",
            "what staff decided": "hidden_reason",
        },
    ),
    Holding(
        "payments",
        "payments.OrderPayment",
        "order__buyer",
        (
            "id order_id channel phone amount status result_code result_text created_at "
            "rung_at confirmed_at"
        ),
        hidden="callback_token merchant_request_id checkout_request_id shortcode",
        stays={
            BOOKS: (
                "phone result_code result_text callback_token merchant_request_id "
                "checkout_request_id shortcode"
            ),
        },
    ),
    Holding(
        "receipts",
        "payments.Receipt",
        "order__buyer",
        "id order_id provider number amount phone payer reference paid_at note doubt",
        stays={BOOKS: "number phone payer reference note doubt"},
    ),
    Holding(
        "receipts_confirmed_by",
        "payments.ReceiptEvidence",
        "receipt__order__buyer",
        "receipt_id source amount number shortcode told_at",
        stays={BOOKS: "number shortcode"},
    ),
    *(
        Holding(
            section,
            "payments.Withdrawal",
            column,
            "number amount phone reason reverses left_at",
            hidden="shortcode",
            stays={BOOKS: "number shortcode phone reason reverses"},
        )
        for section, column in (
            ("paid_out_by_the_statement", "payout__seller"),
            ("given_back_by_the_statement", "refund__order__buyer"),
        )
    ),
    Holding(
        "given_back",
        "payments.Refund",
        "order__buyer",
        (
            "id order_id amount phone cause way status number result_code result_text "
            "note created_at sent_at done_at"
        ),
        hidden=(
            "originator_conversation_id conversation_id reversal_conversation_id "
            "callback_token status_token shortcode"
        ),
        stays={
            BOOKS: (
                "phone number result_code result_text note originator_conversation_id "
                "conversation_id reversal_conversation_id callback_token status_token "
                "shortcode"
            ),
        },
    ),
    Holding(
        "told_by_the_gateway",
        "payments.GatewayEvent",
        "payment__order__buyer receipt__order__buyer refund__order__buyer payout__seller",
        "id source body received_at state note",
        hidden="sha256 token remote_address headers awaited",
        stays={BOOKS: "body sha256 token remote_address headers note awaited"},
    ),
    Holding(
        "messages",
        "orders.Message",
        "user",
        "id kind channel language contact subject text state created_at sent_at",
        hidden="user provider_id reason",
        goes="contact subject text",
        stays={
            NUMBER: "user",
            NOBODY: "language reason",
            "proves that one message was sent once": "provider_id",
        },
    ),
    Holding(
        "told_in_the_app",
        "orders.InboxNotice",
        "user",
        "id kind order_id track_id said created_at read_at",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "notices",
        "orders.Notice",
        "user order__buyer",
        "id kind phone facts created_at",
        hidden="user key",
        goes="phone facts",
        stays={
            NUMBER: "user",
            NOBODY: "key",
        },
    ),
]
