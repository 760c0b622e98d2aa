"""OpenAPI descriptions of reviews: inputs, responses, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.error_schemas import DetailError, error_answer, field_errors, refusals
from products.catalogue.openapi import LINK

from .serializers import (
    AnswerInput,
    OwnReviewOutput,
    ReviewInput,
    ReviewOutput,
    SellerOutput,
    SellersReviewOutput,
)
from .services import AlreadyReviewed, NoSuchAnswer, NoSuchReview

_TAGS = ["reviews"]
_REVIEW: dict[str, Any] = {
    "id": 12,
    "stars": 4,
    "text": "Boils fast. The lid is stiff.",
    "by": "Wanjiku",
    "created_at": "2026-11-24T09:12:44.120931+00:00",
    "edited": False,
    "returned": False,
    "answer": {
        "text": "Asante! The lid gets easier.",
        "created_at": "2026-11-24T11:02:10.000412+00:00",
    },
}
_OWN: dict[str, Any] = {
    **_REVIEW,
    "answer": None,
    "product": 41,
    "hidden": False,
    "editable_until": "2026-12-01T09:12:44.120931+00:00",
}
#: The last two are refusals of the orders app, which this app cannot import.
_NOT_REVIEWED = {
    AlreadyReviewed.code: AlreadyReviewed.message,
    "not_delivered": "You can review this once it is delivered.",
    "own_goods": "You cannot review what you sell yourself.",
}
_NO_REVIEW = error_answer("There is no such review.", "review_not_found")
_BAD_INPUT = field_errors(
    "The input is invalid.", stars={"stars": ["A whole number is needed, like 1500."]}
)
_REVIEW_ID = OpenApiParameter("review_id", OpenApiTypes.INT64, OpenApiParameter.PATH)
_LINE = OpenApiParameter(
    "track_id", OpenApiTypes.INT64, OpenApiParameter.PATH, description="The line's `id`."
)


def _own(description: str) -> OpenApiResponse:
    return OpenApiResponse(
        OwnReviewOutput,
        description=description,
        examples=[OpenApiExample("own", value=_OWN, response_only=True)],
    )


SELLER_REVIEWS: dict[str, Any] = {
    "operation_id": "seller_reviews",
    "summary": "List reviews of your products",
    "tags": ["selling"],
    "description": "Reviews of all the caller's products, newest first, without hidden ones.",
    "parameters": [
        OpenApiParameter(
            "stars",
            OpenApiTypes.STR,
            description="Only these numbers of stars, 1 to 5: comma-separated or repeated.",
        ),
        OpenApiParameter(
            "answered",
            OpenApiTypes.STR,
            enum=["true", "false"],
            description="`false`: reviews without an answer.",
        ),
        LINK,
    ],
    "responses": {200: SellersReviewOutput(many=True)},
    "examples": [
        OpenApiExample(
            "of a kettle",
            value={
                **_REVIEW,
                "product": {
                    "id": 41,
                    "name": "Ramtons cordless kettle 1.7 L",
                    "thumbnail": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
                },
            },
            response_only=True,
            status_codes=[200],
        )
    ],
}

PRODUCT_REVIEWS: dict[str, Any] = {
    "operation_id": "product_reviews",
    "summary": "List reviews of a product",
    "tags": _TAGS,
    "auth": [],
    "description": (
        "Newest first, without reviews hidden by staff. A review stays if the goods are returned,"
        " and is marked `returned`."
    ),
    "parameters": [
        OpenApiParameter("product_id", OpenApiTypes.INT64, OpenApiParameter.PATH),
        LINK,
    ],
    "responses": {
        200: ReviewOutput(many=True),
        400: field_errors("A parameter is invalid."),
        404: error_answer("There is no such product.", "product_not_found"),
    },
    "examples": [OpenApiExample("reviews", value=_REVIEW, response_only=True, status_codes=[200])],
}

SELLER: dict[str, Any] = {
    "operation_id": "seller",
    "summary": "A seller",
    "tags": _TAGS,
    "auth": [],
    "description": "A seller's public profile. The user name is case-insensitive.",
    "parameters": [OpenApiParameter("username", OpenApiTypes.STR, OpenApiParameter.PATH)],
    "responses": {
        200: OpenApiResponse(
            SellerOutput,
            description="The seller.",
            examples=[
                OpenApiExample(
                    "seller",
                    value={
                        "user_name": "amina",
                        "display_name": "Amina",
                        "avatar": "http://127.0.0.1:8000/media/avatars/9c2e.thumb.webp",
                        "goods": 38,
                        "stars": 4.6,
                        "reviews": 212,
                        "member_since": "2024-03-09",
                    },
                )
            ],
        ),
        404: error_answer("There is no such seller.", "seller_not_found"),
    },
}

ANSWER: dict[str, Any] = {
    "operation_id": "review_answer",
    "summary": "Answer a review",
    "tags": _TAGS,
    "description": "A seller can answer each review of their products once. Answers are public.",
    "parameters": [_REVIEW_ID],
    "request": AnswerInput,
    "responses": {
        201: OpenApiResponse(
            ReviewOutput,
            description="The review with its answer.",
            examples=[OpenApiExample("answered", value=_REVIEW, response_only=True)],
        ),
        400: _BAD_INPUT,
        404: _NO_REVIEW,
        409: error_answer(
            "You have already answered this review. You can answer it only once.",
            "already_answered",
        ),
    },
}

EDIT_ANSWER: dict[str, Any] = {
    "operation_id": "review_answer_edit",
    "summary": "Change your answer",
    "tags": _TAGS,
    "description": "An answer can be changed for seven days after it was given.",
    "parameters": [_REVIEW_ID],
    "request": AnswerInput,
    "responses": {
        200: OpenApiResponse(
            ReviewOutput,
            description="The review with its changed answer.",
            examples=[OpenApiExample("changed", value=_REVIEW, response_only=True)],
        ),
        400: _BAD_INPUT,
        404: refusals(NoSuchReview, NoSuchAnswer),
        409: error_answer(
            "An answer can be changed for 7 days after it was given.", "answer_closed"
        ),
    },
}

READ: dict[str, Any] = {
    "operation_id": "track_review",
    "summary": "Your review of a line",
    "tags": _TAGS,
    "description": "The caller's review of this line, even if staff have hidden it.",
    "parameters": [_LINE],
    "responses": {200: _own("Your review."), 404: _NO_REVIEW},
}

WRITE: dict[str, Any] = {
    "operation_id": "track_review_write",
    "summary": "Review a line",
    "tags": _TAGS,
    "description": (
        "A buyer can review each delivered line once, but not products they sell themselves. The"
        " text is plain text."
    ),
    "parameters": [_LINE],
    "request": ReviewInput,
    "responses": {
        201: _own("The review."),
        400: _BAD_INPUT,
        404: error_answer("There is no such item.", "line_not_found"),
        409: OpenApiResponse(
            DetailError,
            description="Already reviewed, not delivered yet, or the caller's own product.",
            examples=[
                OpenApiExample(code, value={"detail": detail, "code": code})
                for code, detail in _NOT_REVIEWED.items()
            ],
        ),
    },
}

EDIT: dict[str, Any] = {
    "operation_id": "track_review_edit",
    "summary": "Change your review",
    "tags": _TAGS,
    "description": "For seven days after it was written. Omitted fields stay unchanged.",
    "parameters": [_LINE],
    "request": ReviewInput,
    "responses": {
        200: _own("The changed review."),
        400: _BAD_INPUT,
        404: _NO_REVIEW,
        409: error_answer(
            "A review can be changed for 7 days after it was written.", "review_closed"
        ),
    },
}
