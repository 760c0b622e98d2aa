"""What a buyer has: orders, problems, reviews, payments, refunds and notifications."""

from .personal_data import AGREED, BOOKS, DECIDED, NOBODY, NUMBER, STAFF, WHOLE, PersonalData

BUYING = [
    PersonalData(
        "orders",
        "orders.Order",
        "buyer",
        (
            "id order_token reference mpesa_number amount payment_status cancelled_by "
            "network created_at expires_at"
        ),
        hidden="buyer guest idempotency_key fingerprint",
        erased="mpesa_number network",
        retained={
            NUMBER: "buyer guest",
            AGREED: "reference idempotency_key fingerprint",
        },
    ),
    PersonalData(
        "orders_joined",
        "orders.JoinedOrder",
        "account",
        "order_id created_at",
        hidden="account",
        retained={NUMBER: "account"},
    ),
    PersonalData(
        "lines_bought",
        "orders.OrderTrack",
        "buyer",
        (
            "id order_id product_id name number price amount collection_code track_status "
            "created_at updated_at"
        ),
        hidden="buyer",
        retained={NUMBER: "buyer"},
    ),
    PersonalData(
        "delivered_to",
        "orders.OrderDelivery",
        "order__buyer",
        "order_id way recipient phone county area directions",
        erased="recipient phone area directions",
    ),
    PersonalData(
        "parcels_bought",
        "orders.Parcel",
        "order__buyer",
        "id order_id fee fee_state arrived_at",
        hidden="seller agent",
        retained={NUMBER: "seller agent"},
    ),
    PersonalData(
        "fees_given_back",
        "orders.FeeReturn",
        "parcel__order__buyer decided_by",
        "parcel_id why created_at",
        hidden="decided_by",
        retained={
            STAFF: "decided_by",
            BOOKS: "why",
        },
    ),
    PersonalData(
        "problems_reported",
        "orders.Problem",
        "track__buyer",
        "id track_id kind state outcome ended_by refunded opened_at closed_at",
        hidden="seller decided_by",
        retained={NUMBER: "seller decided_by"},
    ),
    PersonalData(
        "problems_with_goods",
        "orders.Problem",
        "seller",
        "id track_id kind state outcome ended_by refunded opened_at closed_at",
        hidden="seller decided_by",
        retained={NUMBER: "seller decided_by"},
    ),
    PersonalData(
        "said_about_problems",
        "orders.ProblemMessage",
        "author",
        "id problem_id party decided text created_at",
        hidden="author idempotency_key",
        retained={
            NUMBER: "author",
            DECIDED: "text idempotency_key",
        },
    ),
    PersonalData(
        "pictures_of_problems",
        "orders.ProblemPicture",
        "message__author",
        "id message_id message__problem__track_id created_at",
        hidden="image",
        erased=WHOLE,
    ),
    PersonalData(
        "price_reductions",
        "orders.PriceReduction",
        "track__buyer track__seller",
        "id track_id problem_id amount created_at",
        retained={BOOKS: "amount commission"},
    ),
    PersonalData(
        "reviews",
        "products.Review",
        "buyer",
        "product_id stars text created_at edited_at answer hidden hidden_reason",
        hidden="buyer",
        erased="text",
        retained={
            NUMBER: "buyer",
            "what staff decided": "hidden_reason",
        },
    ),
    PersonalData(
        "payments",
        "payments.OrderPayment",
        "order__buyer",
        (
            "id order_id channel phone amount status result_code result_text created_at "
            "rung_at confirmed_at"
        ),
        hidden="callback_token merchant_request_id checkout_request_id shortcode",
        retained={
            BOOKS: (
                "phone result_code result_text callback_token merchant_request_id "
                "checkout_request_id shortcode"
            ),
        },
    ),
    PersonalData(
        "receipts",
        "payments.Receipt",
        "order__buyer",
        "id order_id provider number amount phone payer reference paid_at note doubt",
        retained={BOOKS: "number phone payer reference note doubt"},
    ),
    PersonalData(
        "receipts_confirmed_by",
        "payments.ReceiptEvidence",
        "receipt__order__buyer",
        "receipt_id source amount number shortcode told_at",
        retained={BOOKS: "number shortcode"},
    ),
    *(
        PersonalData(
            section,
            "payments.Withdrawal",
            column,
            "number amount phone reason reverses left_at",
            hidden="shortcode",
            retained={BOOKS: "number shortcode phone reason reverses"},
        )
        for section, column in (
            ("paid_out_by_the_statement", "payout__seller"),
            ("given_back_by_the_statement", "refund__order__buyer"),
        )
    ),
    PersonalData(
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
        retained={
            BOOKS: (
                "phone number result_code result_text note originator_conversation_id "
                "conversation_id reversal_conversation_id callback_token status_token "
                "shortcode"
            ),
        },
    ),
    PersonalData(
        "told_by_the_gateway",
        "payments.GatewayEvent",
        "payment__order__buyer receipt__order__buyer refund__order__buyer payout__seller",
        "id source body received_at state note",
        hidden="sha256 token remote_address headers awaited",
        retained={BOOKS: "body sha256 token remote_address headers note awaited"},
    ),
    PersonalData(
        "messages",
        "orders.Message",
        "user",
        "id kind channel language contact subject text state created_at sent_at",
        hidden="user provider_id reason",
        erased="contact subject text",
        retained={
            NUMBER: "user",
            NOBODY: "language reason",
            "proves that one message was sent once": "provider_id",
        },
    ),
    PersonalData(
        "told_in_the_app",
        "orders.InboxNotice",
        "user",
        "id kind order_id track_id said created_at read_at",
        hidden="user",
        erased=WHOLE,
    ),
    PersonalData(
        "notices",
        "orders.Notice",
        "user order__buyer",
        "id kind phone facts created_at",
        hidden="user key",
        erased="phone facts",
        retained={
            NUMBER: "user",
            NOBODY: "key",
        },
    ),
]
