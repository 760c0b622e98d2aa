"""Joining, signing in, and passwords over HTTP: each view calls one service."""

from __future__ import annotations

from typing import Any

from dj_rest_auth.registration.views import RegisterView
from dj_rest_auth.views import (
    LoginView,
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetView,
)
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.api.error_schemas import field_errors, refusals
from omachemainproj.api.languages import in_their_language

from . import services, tokens
from .authentication import Public, current_user
from .cookies import OtherOrigin, Transport
from .emails import send_confirmation
from .openapi import LOCKED_OUT, OTHER_ORIGIN, TRANSPORT_HEADER
from .second_factor import CodeNeeded, NotEnrolled, WrongCode
from .serializers import ConfirmEmailInput, Done, RegistrationInput
from .sessions import Origin
from .token_serializers import PasswordChanged, SignedIn

_TAGS = ["account"]
_LINK_IS_OVER = field_errors("The link is over.", over={"key": [services.LINK_IS_OVER]})
_WRONG_PASSWORD = field_errors(
    "The name and the password do not belong together, or the input is wrong. Or a second factor "
    "is needed: send its code too.",
    wrong={"non_field_errors": ["Unable to log in with provided credentials."]},
    code_needed={"detail": CodeNeeded.message, "code": CodeNeeded.code},
    code_wrong={"detail": WrongCode.message, "code": WrongCode.code},
)
_TAKEN = field_errors(
    "Something in the input is wrong.", taken={"username": ["This username is taken."]}
)


class RegistrationView(Public, RegisterView):
    """Join. The answer signs the newcomer in; no cookie is set unless it is asked for."""

    throttle_scope = "registration"

    @extend_schema(
        tags=_TAGS,
        operation_id="register",
        summary="Join",
        parameters=[TRANSPORT_HEADER],
        responses={201: SignedIn, 400: _TAKEN, 403: OTHER_ORIGIN},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        transport = Transport.of(request)
        form = RegistrationInput(data=request.data)
        form.is_valid(raise_exception=True)
        user = form.save()
        pair = tokens.issue(user, Origin.of(request), browser=transport.browser)
        self.access_token, self.refresh_token = pair.access, pair.refresh
        return transport.deliver(Response(self.get_response_data(user), status=201), pair)


class ConfirmEmailView(Public, GenericAPIView):
    """Confirm an e-mail address with what the mailed link ends in: `…/email/confirm/{key}`."""

    serializer_class = ConfirmEmailInput
    throttle_scope = "dj_rest_auth"

    @extend_schema(
        tags=_TAGS,
        operation_id="confirm_email",
        summary="Confirm an e-mail address",
        responses={200: Done, 400: _LINK_IS_OVER},
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.confirm_email(form.validated_data["key"])
        return in_their_language(request, Response({"detail": "ok"}))


class ResendConfirmationView(GenericAPIView):
    """Ask for the mail that confirms one's address again."""

    serializer_class = Done
    throttle_scope = "dj_rest_auth"

    @extend_schema(
        tags=_TAGS,
        operation_id="resend_confirmation",
        summary="Mail the confirming link again",
        request=None,
        responses=Done,
    )
    def post(self, request: Request) -> Response:
        """Mail the link to the caller's own address, unless it is confirmed or was mailed today.

        The answer is the same.
        """
        send_confirmation(current_user(request))
        return in_their_language(request, Response({"detail": "ok"}))


class SignInView(Public, LoginView):
    """Sign in with the username or the e-mail, in either field and any case."""

    throttle_scope = "login"

    @extend_schema(
        tags=_TAGS,
        operation_id="login",
        summary="Sign in",
        parameters=[TRANSPORT_HEADER],
        responses={
            200: SignedIn,
            400: _WRONG_PASSWORD,
            403: refusals(NotEnrolled, OtherOrigin),
            429: LOCKED_OUT,
        },
        examples=[
            OpenApiExample(
                "by e-mail",
                value={"email": "amina@example.com", "password": "correct horse"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.transport = Transport.of(request)
        response: Response = super().post(request, *args, **kwargs)
        return self.transport.deliver(response, self.pair)

    def login(self) -> None:
        """Give out tokens for whom the serializer recognised."""
        self.user = self.serializer.validated_data["user"]
        origin = Origin.of(self.request)
        self.pair = tokens.issue(self.user, origin, browser=self.transport.browser)
        self.access_token, self.refresh_token = self.pair.access, self.pair.refresh


class ChangePasswordView(PasswordChangeView):
    """Change the password. Every token of before is out at once; the answer has new ones."""

    @extend_schema(
        tags=_TAGS,
        operation_id="change_password",
        summary="Change the password",
        parameters=[TRANSPORT_HEADER],
        responses={200: PasswordChanged, 403: OTHER_ORIGIN, 429: LOCKED_OUT},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        transport = Transport.of(request)
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        pair = services.change_password(
            current_user(request),
            new=form.validated_data["new_password1"],
            origin=Origin.of(request),
            browser=transport.browser,
        )
        answer = {
            "detail": "New password has been saved.",
            "access": str(pair.access),
            "refresh": str(pair.refresh),
        }
        return transport.deliver(in_their_language(request, Response(answer)), pair)


class ResetPasswordView(Public, PasswordResetView):
    """Ask for a mail with a link. The answer is the same whether or not anybody is there."""

    @extend_schema(
        tags=_TAGS,
        operation_id="reset_password",
        summary="Ask for a link to a new password",
        responses=Done,
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return in_their_language(request, super().post(request, *args, **kwargs))


class ConfirmResetView(Public, PasswordResetConfirmView):
    """Choose the new password with what the mailed link ends in: `…/{uid}/{token}`."""

    @extend_schema(
        tags=_TAGS,
        operation_id="confirm_password_reset",
        summary="Choose a new password by a link",
        responses={200: Done, 429: LOCKED_OUT},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return in_their_language(request, super().post(request, *args, **kwargs))
