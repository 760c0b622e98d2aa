"""OpenAPI descriptions of problems: inputs, answers, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.error_schemas import error_answer, field_errors, refusals
from orders.fulfilment import NotAllowed, PaymentInDoubt

from .decisions import AlreadyReturning, NothingToReturn, NotReturning
from .seller_refund_limit import ShopDecides
from .serializers import (
    AcceptInput,
    LineProblemOutput,
    MessageInput,
    MessageOutput,
    ProblemInput,
    ReturnedInput,
)
from .services import (
    NotSold,
    ProblemClosed,
    ProblemOpen,
    ProblemTooLate,
    TooManyMessages,
    TooManyProblems,
)

_PROBLEM = LineProblemOutput.example
_REDUCED = {
    **_PROBLEM,
    "state": "closed",
    "outcome": "reduced",
    "ended_by": "seller",
    "refunded": 300,
    "messages": 3,
    "closed_at": "2026-11-25T09:02:11.654321Z",
    "reduced": 300,
}
_MESSAGE = MessageOutput.example
_TAGS = ["problems"]
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters; repeating the request has no further effect. "
    "Without it, the same text within 15 seconds counts as a double click.",
)
LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` (RFC 8288) where there is a next page.',
)
_NO_LINE = error_answer("There is no such item.", "line_not_found")
_NONE = error_answer("No problem has been reported for this item.", "problem_not_found")
_CLOSED = refusals(ProblemClosed)
_KEY_REUSED = error_answer(
    "This Idempotency-Key was used for something else. Use a new key for a new message.",
    "idempotency_key_reused",
)
_SHOWN = [OpenApiExample("open", value=_PROBLEM, response_only=True)]
_ENDED = [OpenApiExample("a part was refunded", value=_REDUCED, response_only=True)]


def _body(serializer: Any) -> dict[str, Any]:
    return {"application/json": serializer, "multipart/form-data": serializer}


OPEN: dict[str, Any] = {
    "operation_id": "problem_open",
    "summary": "Report a problem",
    "tags": _TAGS,
    "parameters": [KEY],
    "description": (
        "For the line's buyer, from payment until a week after delivery. The seller's earnings for"
        " the line are held until the problem is decided. One problem at a time; another can be"
        " reported after it is closed. 200 if the same request was made a moment ago."
    ),
    "request": _body(ProblemInput),
    "responses": {
        201: OpenApiResponse(LineProblemOutput, description="Reported.", examples=_SHOWN),
        200: OpenApiResponse(LineProblemOutput, description="Already reported a moment ago."),
        400: field_errors(
            "Something in the input is wrong.",
            pictures={"pictures": ["Send at most 3 pictures at a time."]},
        ),
        404: _NO_LINE,
        409: refusals(ProblemOpen, ProblemTooLate, NotSold, TooManyProblems),
        422: _KEY_REUSED,
    },
    "examples": [
        OpenApiExample(
            "damaged", {"kind": "damaged", "text": "The lid is cracked."}, request_only=True
        )
    ],
}
READ: dict[str, Any] = {
    "operation_id": "problem",
    "summary": "Retrieve a problem",
    "tags": _TAGS,
    "description": "The newest problem with a line, for its buyer and its seller.",
    "responses": {
        200: OpenApiResponse(LineProblemOutput, description="The problem.", examples=_SHOWN),
        404: _NONE,
    },
}
THREAD: dict[str, Any] = {
    "operation_id": "problem_messages",
    "summary": "List the messages about a problem",
    "tags": _TAGS,
    "description": (
        "All messages, oldest first, for the line's buyer and seller. The shop's staff are not"
        " named."
    ),
    "responses": {
        200: OpenApiResponse(
            MessageOutput(many=True),
            description="Every message.",
            examples=[OpenApiExample("said", value=_MESSAGE, response_only=True)],
        ),
        404: _NONE,
    },
}
WRITE: dict[str, Any] = {
    "operation_id": "problem_message",
    "summary": "Write a message about a problem",
    "tags": _TAGS,
    "parameters": [KEY],
    "description": (
        "For the line's buyer and seller, until the problem is closed. The other parties are"
        " notified at most once an hour. Messages cannot be changed. 200 if the same message was"
        " sent a moment ago."
    ),
    "request": _body(MessageInput),
    "responses": {
        201: OpenApiResponse(
            MessageOutput,
            description="Written.",
            examples=[OpenApiExample("said", value=_MESSAGE, response_only=True)],
        ),
        200: OpenApiResponse(MessageOutput, description="Already written a moment ago."),
        404: _NONE,
        409: refusals(ProblemClosed, TooManyMessages),
        422: _KEY_REUSED,
    },
    "examples": [OpenApiExample("answer", {"text": "Send me a picture."}, request_only=True)],
}
ACCEPT: dict[str, Any] = {
    "operation_id": "problem_accept",
    "summary": "Agree to a refund",
    "tags": _TAGS,
    "description": (
        "For the line's seller, and final. With an empty body the whole price is refunded"
        " immediately; with `amount` that part of it, and the buyer keeps the goods; with"
        " `bring_back` the goods are returned first (`/track/{id}/problem/returned/`). What was"
        " already paid out for the line is deducted from the next payout; above the limit of a"
        " seller's debt the shop decides (409 `shop_decides`)."
    ),
    "request": AcceptInput,
    "responses": {
        200: OpenApiResponse(LineProblemOutput, description="Decided.", examples=_ENDED),
        400: field_errors(
            "Something in the input is wrong.",
            amount={
                "amount": [
                    "Enter an amount between KES 1 and KES 1,850 (what is left of the price)."
                ]
            },
        ),
        404: _NONE,
        409: refusals(
            ProblemClosed,
            ShopDecides,
            AlreadyReturning,
            NothingToReturn,
            NotAllowed,
            PaymentInDoubt,
        ),
    },
    "examples": [
        OpenApiExample("all of it", {}, request_only=True),
        OpenApiExample("a part", {"amount": 300, "note": "For the lid."}, request_only=True),
        OpenApiExample("goods first", {"bring_back": True}, request_only=True),
    ],
}
RETURNED: dict[str, Any] = {
    "operation_id": "problem_returned",
    "summary": "Confirm that the goods were returned",
    "tags": _TAGS,
    "description": "For the line's seller, after a return was requested: the buyer is refunded.",
    "request": ReturnedInput,
    "responses": {
        200: OpenApiResponse(LineProblemOutput, description="Decided."),
        404: _NONE,
        409: refusals(NotReturning, ProblemClosed, ShopDecides, NotAllowed, PaymentInDoubt),
    },
    "examples": [OpenApiExample("to be sold again", {"goods_there": True}, request_only=True)],
}
WITHDRAW: dict[str, Any] = {
    "operation_id": "problem_withdraw",
    "summary": "Withdraw a problem",
    "tags": _TAGS,
    "description": "For the line's buyer: it is closed, and the seller's earnings are released.",
    "request": None,
    "responses": {
        200: OpenApiResponse(LineProblemOutput, description="Closed."),
        404: _NONE,
        409: _CLOSED,
    },
}
PICTURE: dict[str, Any] = {
    "operation_id": "problem_picture",
    "summary": "Retrieve a picture of a problem",
    "tags": _TAGS,
    "description": "For the line's buyer and seller, with their token. WebP, at most 1600 px.",
    "responses": {(200, "image/webp"): OpenApiTypes.BINARY, 404: _NONE},
}
SELLERS: dict[str, Any] = {
    "operation_id": "seller_problems",
    "summary": "List problems with the caller's sales",
    "tags": ["selling"],
    "parameters": [LINK],
    "responses": {200: LineProblemOutput(many=True)},
    "examples": _SHOWN,
}
