"""The inventory of personal data: what is exported, and what is erased or kept.

Every column that identifies a user or holds their words is listed once: as ``shown`` (in the
export) or ``hidden``, and as ``goes`` or ``stays``, with a reason, when the account is deleted. A
test checks that every model is covered (tests/people/test_inventory.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model, QuerySet

#: Reasons to keep data.
BOOKS = "the law requires accounting records, and they prove who owns the money"
AGREED = "part of an agreement, protected by a digest; the other party has a right to it"
ADDED_TO = "an append-only record"
DECIDED = "evidence for a decision about money; the other party has a right to it"
NUMBER = "it identifies the owner only by a number"
STARS = "a rating of goods, without a name"
STAFF = "staff accounts are not deleted, since their decisions affect others"
NOBODY = "it is not about a person"
#: The whole row is deleted.
WHOLE = "*"


@dataclass(frozen=True, slots=True)
class Holding:
    """The data of one user in one table. Columns are separated by spaces."""

    section: str
    model: str
    #: Lookups of the user, separated by spaces. A row that matches any of them is the user's.
    whose: str
    #: Columns of the export.
    shown: str
    #: Columns that are secret or meaningless outside (codes, tokens, digests), that have their own
    #: URL (pictures), that are about others, or that are only for staff.
    hidden: str = ""
    #: Columns that are emptied, or WHOLE.
    goes: str = ""
    #: The columns that are kept, by reason.
    stays: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> type[Model]:
        """The model."""
        return apps.get_model(self.model)

    @property
    def columns(self) -> list[str]:
        """The columns of the export."""
        return self.shown.split()

    def keys_of(self, user_id: int) -> set[Any]:
        """The primary keys of this user's rows.

        Unordered and unlimited: with ORDER BY and LIMIT the database would scan a large table by
        primary key to find a user's few rows.
        """
        rows = self.table._default_manager
        return {
            key
            for lookup in self.whose.split()
            for key in rows.filter(**{lookup: user_id}).values_list("pk", flat=True)
        }

    def rows_of(self, user_id: int) -> QuerySet[Model]:
        """This user's rows, each once."""
        return self.table._default_manager.filter(pk__in=self.keys_of(user_id))


HOLDINGS = [
    Holding(
        "person",
        "accounts.User",
        "pk",
        (
            "id username email email_confirmed_at first_name last_name gender phone "
            "avatar date_joined last_login second_factor_at"
        ),
        hidden="password skeleton",
        goes="username email first_name last_name gender phone avatar password skeleton",
    ),
    Holding(
        "addresses",
        "accounts.Address",
        "user",
        (
            "label recipient phone county area directions is_default is_collection_place "
            "created_at updated_at"
        ),
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "messages_wanted",
        "accounts.MessagePreferences",
        "user",
        ("language buying_email buying_sms prompts_email prompts_sms selling_email selling_sms"),
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "sign_in_phone",
        "accounts.PhoneLogin",
        "user",
        "phone linked_at proved_at",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "guest_phone",
        "accounts.Guest",
        "user",
        "phone created_at",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "phones",
        "accounts.PhoneProof",
        "user",
        "phone paid_at received_at",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "sessions",
        "accounts.Session",
        "user",
        "kind started_at last_used_at expires_at ended_at address device",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "wrong_passwords",
        "accounts.PasswordTries",
        "user",
        "failures at until proved_at",
        hidden="key user",
        goes=WHOLE,
    ),
    Holding(
        "tokens",
        "token_blacklist.OutstandingToken",
        "user",
        "created_at expires_at",
        hidden="jti token user",
        goes=WHOLE,
    ),
    Holding(
        "names",
        "accounts.NameClaim",
        "user",
        "skeleton rests_until",
        hidden="user",
        goes="user",
        stays={"reserved for a year against impersonation, then deleted": "skeleton"},
    ),
    Holding(
        "second_factors",
        "mfa.Authenticator",
        "user",
        "type created_at last_used_at",
        hidden="data user",
        goes=WHOLE,
    ),
    Holding("mail_addresses", "account.EmailAddress", "user", "email", hidden="user", goes=WHOLE),
    Holding(
        "accounts_elsewhere",
        "socialaccount.SocialAccount",
        "user",
        "provider uid",
        hidden="extra_data user",
        goes=WHOLE,
    ),
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
        "products.SellerShelf",
        "seller",
        "for_sale",
        hidden="seller",
        stays={NUMBER: "seller"},
    ),
    Holding(
        "goods_counted_next",
        "products.ShelfMove",
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
            "status_token"
        ),
        stays={
            BOOKS: (
                "seller phone number result_code result_text note on_hold_reason "
                "originator_conversation_id conversation_id callback_token status_token"
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
        hidden="callback_token merchant_request_id checkout_request_id",
        stays={
            BOOKS: (
                "phone result_code result_text callback_token merchant_request_id "
                "checkout_request_id"
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
            "callback_token status_token"
        ),
        stays={
            BOOKS: (
                "phone number result_code result_text note originator_conversation_id "
                "conversation_id reversal_conversation_id callback_token status_token"
            ),
        },
    ),
    Holding(
        "told_by_the_gateway",
        "payments.GatewayEvent",
        "payment__order__buyer receipt__order__buyer refund__order__buyer payout__seller",
        "id source body received_at state note",
        hidden="sha256 token remote_address headers",
        stays={BOOKS: "body sha256 token remote_address headers note"},
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
    Holding(
        "moves",
        "orders.TrackEvent",
        "actor",
        "track_id track_status note created_at",
        hidden="actor",
        stays={
            NUMBER: "actor",
            ADDED_TO: "note",
        },
    ),
    Holding(
        "parcels_carried",
        "orders.Parcel",
        "agent",
        "id claimed_at",
        hidden="agent",
        stays={STAFF: "agent"},
    ),
    Holding(
        "parcels_moved",
        "orders.ParcelEvent",
        "agent actor",
        "parcel_id step note created_at",
        hidden="agent actor",
        stays={
            STAFF: "agent actor",
            ADDED_TO: "note",
        },
    ),
    Holding(
        "problems_decided",
        "orders.Problem",
        "decided_by",
        "id outcome closed_at",
        hidden="decided_by",
        stays={NUMBER: "decided_by"},
    ),
    Holding(
        "pickup_points",
        "orders.PickupPoint_agents",
        "user",
        "pickuppoint_id",
        hidden="user",
        stays={STAFF: "user"},
    ),
    Holding(
        "roles", "accounts.User_groups", "user", "group__name", hidden="user", stays={STAFF: "user"}
    ),
    Holding(
        "permissions",
        "accounts.User_user_permissions",
        "user",
        "permission__codename",
        hidden="user",
        stays={STAFF: "user"},
    ),
    Holding(
        "audit",
        "accounts.Audit",
        "actor",
        "at did why object_name",
        hidden="action actor object_id changes",
        stays={STAFF: "actor did action why object_id object_name changes"},
    ),
    Holding(
        "proposals",
        "accounts.Proposal",
        "proposed_by decided_by",
        "label object_name why cost proposed_at state decided_at",
        hidden="proposed_by decided_by action object_id given",
        stays={STAFF: "proposed_by decided_by action label object_id object_name given why"},
    ),
    Holding(
        "days_of_staff",
        "accounts.StaffDay",
        "person",
        "day at_risk moved",
        hidden="person",
        stays={STAFF: "person"},
    ),
    Holding(
        "admin_log",
        "admin.LogEntry",
        "user",
        "action_time object_repr change_message",
        hidden="user object_id",
        stays={STAFF: "user object_id object_repr change_message"},
    ),
    *(
        Holding(section, model, column, "id", hidden=column, stays={STAFF: column})
        for section, model, column in (
            ("payouts_approved", "payments.Payout", "approved_by"),
            ("payouts_decided", "payments.Payout", "author"),
            ("refunds_approved", "payments.Refund", "approved_by"),
            ("refunds_decided", "payments.Refund", "author"),
            ("receipts_seen", "payments.ReceiptEvidence", "told_by"),
            ("receipt_phones_typed", "payments.Receipt", "phone_by"),
            ("share_phones_typed", "payments.SellerShare", "phone_by"),
        )
    ),
]

#: Tables without personal data, and why.
IMPERSONAL = {
    "auth.Group": "roles",
    "auth.Permission": "permissions of roles",
    "contenttypes.ContentType": "names of tables",
    "sessions.Session": "cookies of staff; open sessions are in accounts.Session",
    "account.EmailConfirmation": "deleted with its address; the shop creates none",
    "socialaccount.SocialApp": "no social log-in is offered",
    "socialaccount.SocialToken": "deleted with its account; the shop creates none",
    "omachemainproj.Heartbeat": "when the clock and the workers last ran",
    "omachemainproj.CacheEntry": "counters and responses for minutes, under digests",
    "accounts.ContactCount": "counters under keyed digests, for a day",
    "accounts.PhoneCode": "digests, for ten minutes",
    "orders.SmsReport": "a provider's ID, and its reason why an SMS was not delivered",
    "products.SearchWord": "single words from product names",
    "products.ReviewDigest": "a digest",
    "orders.OrderDigest": "a digest",
    "orders.DeliveryDigest": "a digest of impersonal data",
    "orders.PickupPoint": "a shop's counter and its phone, published by its owner",
    "orders.DeliveryRate": "fees",
    "payments.AccessToken": "the shop's own key to M-Pesa",
    "payments.PayoutStop": "why outgoing payments were stopped",
    "payments.NightlyProof": "which integrity rules were broken, with row IDs",
    "payments.Trouble": "conditions that keep the shop from running",
    "payments.AlertMail": "when the shop's operator was alerted",
    "payments.PortalStatement": "how far the portal statements have been read",
    "payments.StatementPull": "how far M-Pesa's statement has been read",
    "payments.ReceiptQuestion": "the address for an answer",
    "payments.LedgerPosting": "the name of an event",
    "payments.Original": "digests",
    "payments.StrangersPosts": "how much a network posted, for a day",
}
