"""OpenAPI description of checkout: headers, examples and errors."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.error_schemas import error_answer, field_errors, refusals
from orders.hold_limits import PhoneHoldsTooMuch
from orders.lifecycle import NotUnpaid
from payments.checkout.serializers import CashoutConflictOutput

from .stk_push import PromptOpen

NOT_YOURS = error_answer("No Order matches the given query.", "not_found")
CLOSED = error_answer("This order is no longer waiting for payment.", "order_closed")
PROMPT_REFUSALS = refusals(PromptOpen, NotUnpaid, PhoneHoldsTooMuch)
TOO_MANY = error_answer(
    "Too many different phones were asked to pay from your network.", "too_many_new_phones"
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    location=OpenApiParameter.HEADER,
    response=[201],
    description=(
        "`true` if an earlier request placed this order: with the same key, or, without a key, for "
        "the same lines and phone within 15 seconds while it is unpaid."
    ),
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description=(
        "1 to 255 visible ASCII characters. The same key and body return the same order, for as "
        "long as the order is kept; the same key with another body is a 422. Without a key, the "
        "same lines and phone within 15 seconds are the same order while it is unpaid."
    ),
)
#: With an access token, or with none.
OPTIONAL_BEARER: Any = [{"bearer": []}, {}]
OWN = "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11"
NOT_THERE = field_errors(
    "The input is invalid, or goods are not available: the error is on its line. With the code "
    "`held_by_your_order` they are reserved by unpaid orders of the caller; `order_token` is the "
    "newest, `order_tokens` are all, to pay (`/cashout/{order_token}/pay/`) or to cancel.",
    shortage={"order": [{}, {"number": ["Only 3 left."]}]},
    nowhere={
        "delivery": {
            "county": [
                "We do not deliver to Turkana yet. Choose a pick-up point, or arrange delivery "
                "with the seller."
            ]
        }
    },
    held_by_your_order={
        "order": [
            {"number": ["Sold out: your own unpaid order holds 1 (ACDEFGHJ). Pay or cancel first."]}
        ],
        "code": "held_by_your_order",
        "order_token": OWN,
        "order_tokens": [OWN],
    },
)
CONFLICT = OpenApiResponse(
    CashoutConflictOutput,
    description="No order was placed, and nothing is reserved.",
    examples=[
        OpenApiExample(
            "idempotency_key_in_use",
            value={
                "detail": "This request is already being processed. Try again in a moment.",
                "code": "idempotency_key_in_use",
            },
        ),
        OpenApiExample(
            "price_changed",
            value={
                "detail": (
                    "A price has changed since you saw it. Check the new price and order again."
                ),
                "code": "price_changed",
                "order": [{"product": 7, "number": 2, "price": 1600, "amount": 3200}],
                "amount": 3200,
            },
        ),
        OpenApiExample(
            "network_holds_too_much",
            value={
                "detail": (
                    "Too many items are currently reserved by new customers on your network. Try "
                    "again in a few minutes with fewer items, or from another network."
                ),
                "code": "network_holds_too_much",
            },
        ),
        OpenApiExample(
            "phone_holds_too_much",
            value={
                "detail": (
                    "Unpaid orders for this phone number have reached the limit. Pay or cancel "
                    "them first, wait a few minutes, or use another number."
                ),
                "code": "phone_holds_too_much",
            },
        ),
        OpenApiExample(
            "too_many_unpaid_goods",
            value={
                "detail": (
                    "You can reserve 10 different products before paying, and this would make 12. "
                    "Order fewer, or pay or cancel your unpaid orders first. You can reserve more "
                    "once you have paid for an order."
                ),
                "code": "too_many_unpaid_goods",
                "most": 10,
                "order_token": OWN,
                "order_tokens": [OWN],
            },
        ),
        OpenApiExample(
            "too_much_unpaid_value",
            value={
                "detail": (
                    "You can reserve goods worth KES 300,000 before paying. Pay or cancel your "
                    "unpaid orders first, or order less."
                ),
                "code": "too_much_unpaid_value",
                "most": 300000,
                "order_token": OWN,
                "order_tokens": [OWN],
            },
        ),
        OpenApiExample(
            "too_many_unpaid_orders",
            value={
                "detail": (
                    "You have 3 orders waiting to be paid. Pay or cancel one of them first."
                ),
                "code": "too_many_unpaid_orders",
                "order_token": OWN,
                "order_tokens": [OWN],
            },
        ),
    ],
)
BODY = OpenApiExample(
    "two kettles",
    value={"order": [{"product": 7, "number": 2}], "mpesa_number": "0712345678"},
    request_only=True,
)
SHOWN = OpenApiExample(
    "two kettles, at the price that was shown",
    value={
        "order": [{"product": 7, "number": 2, "price": 1500}],
        "amount": 3000,
        "mpesa_number": "0712345678",
    },
    request_only=True,
)


BROUGHT = OpenApiExample(
    "two kettles, brought to a pick-up point at the fee that was shown",
    value={
        "order": [{"product": 7, "number": 2, "price": 1500}],
        "amount": 3150,
        "mpesa_number": "0712345678",
        "delivery": {"pickup_point": 3, "fee": 150},
    },
    request_only=True,
)
BROUGHT_HOME = OpenApiExample(
    "two kettles, brought to a place written out",
    value={
        "order": [{"product": 7, "number": 2}],
        "mpesa_number": "0712345678",
        "delivery": {
            "recipient": "Njeri Mwangi",
            "phone": "0733 000 111",
            "county": "kiambu",
            "area": "Thika, Section 9",
            "directions": "Blue gate opposite the clinic.",
        },
    },
    request_only=True,
)
