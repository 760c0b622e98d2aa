"""Signing in by phone over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.api.error_schemas import DetailError, error_answer, field_errors, refusals
from omachemainproj.api.languages import translate_response
from omachemainproj.languages import language_for

from . import phone_codes, phone_login, services, tokens
from .authentication import Public, current_user
from .cookies import OtherOrigin, Transport
from .models import CodePurpose, User
from .openapi import LOCKED_OUT, TAGS, TRANSPORT_HEADER
from .phone_codes import Typed
from .phone_serializers import (
    CodeSent,
    LinkPhoneInput,
    PhoneConfirmInput,
    PhoneInput,
    PhoneOutput,
    PhoneSignedIn,
    PhoneSignInInput,
    SetPasswordInput,
)
from .serializers import check_new_password
from .sessions import Origin
from .token_serializers import PasswordChanged

_OFF = refusals(phone_codes.PhoneLoginOff)
_TOO_MANY = refusals(phone_codes.TooManyCodes)
_TOO_MANY_OR_LOCKED_OUT = OpenApiResponse(
    DetailError,
    description="Too many codes, or too many wrong passwords.",
    examples=[*_TOO_MANY.examples, *LOCKED_OUT.examples],
)
_USE_PASSWORD = refusals(phone_login.UsePassword)
_WRONG = field_errors(
    "The code is wrong or has expired.",
    wrong={"code": [phone_codes.WRONG]},
    password_needed={
        "detail": phone_login.PasswordNeeded.message,
        "code": phone_login.PasswordNeeded.code,
    },
)
_CLOSED = error_answer("This account is closed.", "user_inactive")
_SENT = OpenApiExample(
    "sent",
    value={
        "detail": "If this phone can get SMS, a code is on its way.",
        "token": "q0s3xqS8pXv1V0a7d2T9yA",
        "expires_in": 600,
        "again_in": 60,
    },
    response_only=True,
    status_codes=["200"],
)
_PHONE = OpenApiExample("a phone", value={"phone": "0712 345 678"}, request_only=True)
_TYPED = OpenApiExample(
    "typed",
    value={"phone": "0712345678", "token": "q0s3xqS8pXv1V0a7d2T9yA", "code": "481516"},
    request_only=True,
)


def _send(request: Request, phone: str, purpose: CodePurpose, user: User | None = None) -> Response:
    token = phone_codes.send_code(
        phone,
        purpose,
        address=request.META.get("REMOTE_ADDR", ""),
        now=timezone.now(),
        language=language_for(request),
        user_id=user.pk if user else 0,
    )
    answer = {
        "detail": "If this phone can get SMS, a code is on its way.",
        "token": token,
        "expires_in": int(phone_codes.CODE_LIFETIME.total_seconds()),
        "again_in": 60,
    }
    return translate_response(request, Response(answer))


class AskForCodeView(Public, GenericAPIView):
    """Request a code to sign in or register with a phone."""

    serializer_class = PhoneInput
    throttle_scope = "code"

    @extend_schema(
        tags=TAGS,
        operation_id="login_by_phone",
        summary="Send a code to a phone",
        description="By SMS, in the language of `Accept-Language`. The response is "
        "the same whether or not the phone has an account.",
        responses={200: CodeSent, 404: _OFF, 429: _TOO_MANY},
        examples=[_PHONE, _SENT],
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        return _send(request, form.validated_data["phone"], CodePurpose.LOGIN)


class PhoneSignInView(Public, GenericAPIView):
    """Sign in or register with the code sent to a phone."""

    serializer_class = PhoneSignInInput
    throttle_scope = "code"

    @extend_schema(
        tags=TAGS,
        operation_id="confirm_login_by_phone",
        summary="Sign in or register with a code",
        description="Without an account one is created, without a password and with a user name "
        "that can be changed. A code works once, allows five attempts, and expires after ten "
        "minutes.",
        parameters=[TRANSPORT_HEADER],
        responses={
            200: PhoneSignedIn,
            201: PhoneSignedIn,
            400: _WRONG,
            401: _CLOSED,
            403: refusals(phone_login.UsePassword, OtherOrigin),
            404: _OFF,
            429: LOCKED_OUT,
        },
        examples=[_TYPED],
    )
    def post(self, request: Request) -> Response:
        transport, now = Transport.of(request), timezone.now()
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        given, asked = form.validated_data, request._request
        phone = given["phone"]
        phone_codes.check_code(
            asked,
            phone,
            CodePurpose.LOGIN,
            typed=Typed(given["token"], given["code"]),
            now=now,
            before_use=partial(
                phone_login.require_password, asked, phone, given.get("password", ""), now
            ),
        )
        user, is_new = phone_login.sign_in(asked, phone, now)
        pair = tokens.issue(user, Origin.of(request), browser=transport.browser)
        answer = {"access": str(pair.access), "refresh": str(pair.refresh), "user": user}
        shown = PhoneSignedIn({**answer, "is_new": is_new}).data
        return transport.deliver(Response(shown, status=201 if is_new else 200), pair)


class PhoneView(GenericAPIView):
    """The phone linked to the caller's account."""

    queryset = User.objects.none()
    serializer_class = PhoneOutput
    throttle_scope = "code"

    @extend_schema(
        tags=TAGS,
        operation_id="get_sign_in_phone",
        summary="Get the phone used to sign in",
        responses=PhoneOutput,
        examples=[
            OpenApiExample(
                "by both",
                value={"phone": "254712345678", "is_only_way_in": False},
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def get(self, request: Request) -> Response:
        user = current_user(request)
        shown = {
            "phone": phone_login.phone_of(user),
            "is_only_way_in": not phone_login.has_password(user),
        }
        return Response(shown)

    @extend_schema(
        tags=TAGS,
        operation_id="link_sign_in_phone",
        summary="Link a phone to sign in with",
        description="Sends a code to the phone, to be confirmed at /account/phone/confirm/.",
        request=LinkPhoneInput,
        responses={
            200: CodeSent,
            400: field_errors(
                "The password is wrong.", wrong={"password": ["This is not your password."]}
            ),
            403: _USE_PASSWORD,
            404: _OFF,
            429: _TOO_MANY_OR_LOCKED_OUT,
        },
        examples=[
            OpenApiExample(
                "a phone",
                value={"phone": "0712345678", "password": "correct horse"},
                request_only=True,
            ),
            _SENT,
        ],
    )
    def post(self, request: Request) -> Response:
        phone_codes.check_offered()
        form = LinkPhoneInput(data=request.data)
        form.is_valid(raise_exception=True)
        user, password = current_user(request), form.validated_data["password"]
        if not services.confirm_password(request._request, user, password=password):
            raise ValidationError({"password": ["This is not your password."]})
        if not phone_login.may_use_phone(user):
            raise phone_login.UsePassword
        return _send(request, form.validated_data["phone"], CodePurpose.LINK, user)

    @extend_schema(
        tags=TAGS,
        operation_id="unlink_sign_in_phone",
        summary="Unlink the phone used to sign in",
        responses={
            204: None,
            409: refusals(phone_login.NoOtherWayIn),
        },
    )
    def delete(self, request: Request) -> Response:
        phone_login.unlink(current_user(request))
        return Response(status=204)


class ConfirmPhoneView(GenericAPIView):
    """Confirm the phone to be linked with the code sent to it."""

    serializer_class = PhoneConfirmInput
    throttle_scope = "code"

    @extend_schema(
        tags=TAGS,
        operation_id="confirm_sign_in_phone",
        summary="Confirm the phone to sign in with",
        responses={
            200: PhoneOutput,
            400: _WRONG,
            403: _USE_PASSWORD,
            404: _OFF,
            409: refusals(phone_login.PhoneTaken),
            429: LOCKED_OUT,
        },
        examples=[_TYPED],
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, given, now = current_user(request), form.validated_data, timezone.now()
        phone_codes.check_code(
            request._request,
            given["phone"],
            CodePurpose.LINK,
            typed=Typed(given["token"], given["code"]),
            now=now,
            user_id=user.pk,
        )
        phone_login.link(user, given["phone"], now)
        shown = {"phone": given["phone"], "is_only_way_in": not phone_login.has_password(user)}
        return Response(shown)


class OwnCodeView(GenericAPIView):
    """Request a code to the linked phone."""

    serializer_class = CodeSent
    throttle_scope = "code"

    @extend_schema(
        tags=TAGS,
        operation_id="send_own_code",
        summary="Send a code to the linked phone",
        description="For accounts without a password: to set one at /password/set/, or to "
        "delete the account.",
        request=None,
        responses={200: CodeSent, 403: _USE_PASSWORD, 404: _OFF, 429: _TOO_MANY},
        examples=[_SENT],
    )
    def post(self, request: Request) -> Response:
        user = current_user(request)
        phone = phone_login.phone_of(user)
        if not phone:
            raise NotFound
        if not phone_login.may_use_phone(user):
            raise phone_login.UsePassword
        return _send(request, phone, CodePurpose.OWN, user)


class SetPasswordView(GenericAPIView):
    """Set a password with a code sent to the linked phone."""

    serializer_class = SetPasswordInput
    throttle_scope = "dj_rest_auth"

    @extend_schema(
        tags=TAGS,
        operation_id="set_password",
        summary="Set a password with a code",
        description="All earlier tokens are revoked; the response has new ones.",
        parameters=[TRANSPORT_HEADER],
        responses={
            200: PasswordChanged,
            400: _WRONG,
            403: refusals(phone_login.UsePassword, OtherOrigin),
            404: _OFF,
            429: LOCKED_OUT,
        },
        examples=[
            OpenApiExample(
                "a password",
                value={
                    "token": "q0s3xqS8pXv1V0a7d2T9yA",
                    "code": "481516",
                    "new_password1": "githeri 4 chapati",
                    "new_password2": "githeri 4 chapati",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        transport, user = Transport.of(request), current_user(request)
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        check_new_password(given, user)
        check_own_code(request, user, Typed(given["token"], given["code"]))
        pair = services.change_password(
            user,
            new=given["new_password1"],
            origin=Origin.of(request),
            browser=transport.browser,
        )
        answer = {
            "detail": "New password has been saved.",
            "access": str(pair.access),
            "refresh": str(pair.refresh),
        }
        return transport.deliver(translate_response(request, Response(answer)), pair)


def check_own_code(request: Request, user: User, typed: Typed) -> None:
    """Use up a code sent to the caller's linked phone.

    Raises like ``check_code``, and UsePassword for staff and for who has a second factor: an SMS is
    neither of theirs.
    """
    if not phone_login.may_use_phone(user):
        raise phone_login.UsePassword
    phone_codes.check_code(
        request._request,
        phone_login.phone_of(user),
        CodePurpose.OWN,
        typed=typed,
        now=timezone.now(),
        user_id=user.pk,
    )
