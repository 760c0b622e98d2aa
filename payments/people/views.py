"""The current user over HTTP: ``/me/``, the export and account deletion."""

from __future__ import annotations

from dataclasses import asdict

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import second_factor, services
from accounts.authentication import current_user
from accounts.phone_codes import Typed
from accounts.phone_views import check_own_code
from accounts.serializers import Done
from omachemainproj.api.error_schemas import DetailError, error_answer, field_errors
from omachemainproj.api.languages import translate_response
from omachemainproj.media import media_prefix

from .erasure import StaffCannotLeave, UnderWay, erase_account
from .export import write_export
from .queries import read_account_summary
from .serializers import DeleteAccountInput, ExportOutput, MeOutput

_ME = OpenApiExample(
    "a buyer who sells",
    value={
        "id": 7,
        "username": "wanjiku",
        "email": "wanjiku@example.com",
        "first_name": "Wanjiku",
        "last_name": "Kamau",
        "avatar": "http://127.0.0.1:8000/media/avatars/3f1c.webp",
        "phone": "254712345678",
        "language": "sw",
        "roles": [],
        "is_seller": True,
        "is_at_point": False,
        "counts": {"unpaid_orders": 1, "to_hand_over": 3, "unread_notices": 2, "to_answer": 0},
    },
    response_only=True,
    status_codes=["200"],
)


class MeView(APIView):
    """The current user."""

    throttle_scope = "read"

    @extend_schema(
        tags=["account"],
        operation_id="get_me",
        summary="Get the current user",
        description="Everything a page needs about the user in one request: names, picture, "
        "language, roles, and the numbers of items that need attention.",
        responses=MeOutput,
        examples=[_ME],
    )
    def get(self, request: Request) -> Response:
        user = current_user(request)
        glance = read_account_summary(user, timezone.now())
        avatar = f"{media_prefix(request)}{user.avatar.name}" if user.avatar else None
        return Response(
            {
                "id": user.pk,
                "username": user.username,
                "email": user.email,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "avatar": avatar,
                "phone": user.phone,
                "language": glance.language,
                "roles": glance.roles,
                "is_seller": glance.is_seller,
                "is_at_point": glance.is_at_point,
                "counts": asdict(glance.counts),
            }
        )


_EXPORT = OpenApiExample(
    "the beginning of an export",
    value={
        "as_of": "2026-11-24T05:15:00Z",
        "person": [{"id": 7, "username": "wanjiku", "phone": "254712345678"}],
        "orders": [{"id": 512, "reference": "PR7KWQ4M", "amount": 3700}],
    },
    response_only=True,
    status_codes=["200"],
)
_UNDER_WAY = OpenApiResponse(
    DetailError,
    description="Orders or payments are in progress, listed in `under_way`: `unpaid_order`, "
    "`late_money` (may still be paid, for a day), `goods_to_come`, `refund`, `doubted_payment`, "
    "`goods_to_hand_over` and `problem` (undecided, as buyer or seller) with their order "
    "(the `order_token` only of what the caller bought), "
    "`parcel_to_bring` with its `parcel`, `money_owed` with its `amount` (KES; below zero it is "
    "owed to the shop; `renounceable` if it is less than M-Pesa can send, so that the seller may "
    "`renounce` it). Or the user is staff or works at a pick-up point: `staff_account`.",
    examples=[
        OpenApiExample(
            UnderWay.code,
            value={
                "detail": UnderWay.message,
                "code": UnderWay.code,
                "under_way": [
                    {
                        "what": "unpaid_order",
                        "reference": "PR7KWQ4M",
                        "order_token": "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11",
                    },
                    {"what": "money_owed", "amount": 3515},
                ],
            },
        ),
        OpenApiExample(
            StaffCannotLeave.code,
            value={"detail": StaffCannotLeave.message, "code": StaffCannotLeave.code},
        ),
    ],
)
_WRONG_PROOF = field_errors(
    "The password or the code is wrong.",
    wrong={"password": ["This is not your password."]},
    code_needed={
        "detail": second_factor.CodeNeeded.message,
        "code": second_factor.CodeNeeded.code,
    },
)
_LOCKED_OUT = error_answer("Too many failed attempts. Try again in 5 minutes.", "locked_out")


class ExportView(APIView):
    """Download the user's personal data."""

    throttle_scope = "export"

    @extend_schema(
        tags=["account"],
        operation_id="export_account",
        summary="Export personal data",
        description="The user's personal data as one streamed JSON file. Secrets (passwords, "
        "tokens, codes) and data about others are left out.",
        responses=ExportOutput,
        examples=[_EXPORT],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        user, now = current_user(request), timezone.now()
        response = StreamingHttpResponse(write_export(user, now), content_type="application/json")
        name = f"omache-{user.pk}-{timezone.localdate():%Y-%m-%d}.json"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class DeleteAccountView(APIView):
    """Delete the user's account."""

    throttle_scope = "dj_rest_auth"

    @extend_schema(
        tags=["account"],
        operation_id="delete_account",
        summary="Delete the account",
        description="Deletes names, e-mail, phones, addresses, pictures and messages, ends every "
        "session and unlists all products. Records that the law requires, and what others bought "
        "or sold, are kept under a number. This cannot be undone. A seller who is owed less than "
        "M-Pesa can send may give that up.",
        request=DeleteAccountInput,
        responses={200: Done, 400: _WRONG_PROOF, 409: _UNDER_WAY, 429: _LOCKED_OUT},
        examples=[
            OpenApiExample(
                "with a password", value={"password": "correct horse"}, request_only=True
            ),
            OpenApiExample(
                "with a code by SMS",
                value={"token": "q0s3xqS8pXv1V0a7d2T9yA", "phone_code": "481516"},
                request_only=True,
            ),
            OpenApiExample(
                "giving up KES 7",
                value={"password": "correct horse", "renounce": 7},
                request_only=True,
            ),
            OpenApiExample(
                "deleted",
                value={"detail": "Your account is deleted."},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        form = DeleteAccountInput(data=request.data)
        form.is_valid(raise_exception=True)
        user, given = current_user(request), form.validated_data
        if "password" in given:
            if not services.confirm_password(request._request, user, password=given["password"]):
                raise ValidationError({"password": ["This is not your password."]})
        else:
            check_own_code(request, user, Typed(given["token"], given["phone_code"]))
        second_factor.demand(request._request, user, given.get("code", ""))
        erase_account(user, timezone.now(), renounced=given.get("renounce", 0))
        return translate_response(request, Response({"detail": "Your account is deleted."}))
