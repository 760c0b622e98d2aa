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
from omachemainproj.api.languages import translate_response
from omachemainproj.languages import language_for

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
_LINK_IS_OVER = field_errors(
    "The link is invalid or expired.", over={"key": [services.LINK_IS_OVER]}
)
_WRONG_PASSWORD = field_errors(
    "The name or the password is wrong, or the input is invalid. Or a second factor "
    "is required: send its code too.",
    wrong={"non_field_errors": ["Unable to log in with provided credentials."]},
    code_needed={"detail": CodeNeeded.message, "code": CodeNeeded.code},
    code_wrong={"detail": WrongCode.message, "code": WrongCode.code},
)
_TAKEN = field_errors("The input is invalid.", taken={"username": ["This username is taken."]})


class RegistrationView(Public, RegisterView):
    """Register. The response signs the new user in; a cookie is only set on request.

    Their messages are in the language of the request, until they choose one.
    """

    throttle_scope = "registration"

    @extend_schema(
        tags=_TAGS,
        operation_id="register",
        summary="Register",
        parameters=[TRANSPORT_HEADER],
        responses={201: SignedIn, 400: _TAKEN, 403: OTHER_ORIGIN},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        transport = Transport.of(request)
        form = RegistrationInput(data=request.data)
        form.is_valid(raise_exception=True)
        user = form.save(language=language_for(request))
        pair = tokens.issue(user, Origin.of(request), browser=transport.browser)
        self.access_token, self.refresh_token = pair.access, pair.refresh
        return transport.deliver(Response(self.get_response_data(user), status=201), pair)


class ConfirmEmailView(Public, GenericAPIView):
    """Confirm an e-mail address with the key of the mailed link: `…/email/confirm/{key}`."""

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
        return translate_response(request, Response({"detail": "ok"}))


class ResendConfirmationView(GenericAPIView):
    """Request another confirmation mail."""

    serializer_class = Done
    throttle_scope = "dj_rest_auth"

    @extend_schema(
        tags=_TAGS,
        operation_id="resend_confirmation",
        summary="Resend the confirmation mail",
        request=None,
        responses=Done,
    )
    def post(self, request: Request) -> Response:
        """Mail the link to the caller's address, unless it is confirmed or was mailed today.

        The response is the same in any case.
        """
        send_confirmation(current_user(request))
        return translate_response(request, Response({"detail": "ok"}))


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
        """Issue tokens for the user the serializer authenticated."""
        self.user = self.serializer.validated_data["user"]
        origin = Origin.of(self.request)
        self.pair = tokens.issue(self.user, origin, browser=self.transport.browser)
        self.access_token, self.refresh_token = self.pair.access, self.pair.refresh


class ChangePasswordView(PasswordChangeView):
    """Change the password. All earlier tokens are revoked; the response has new ones."""

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
        return transport.deliver(translate_response(request, Response(answer)), pair)


class ResetPasswordView(Public, PasswordResetView):
    """Request a reset link by e-mail. The response is the same for unknown addresses."""

    @extend_schema(
        tags=_TAGS,
        operation_id="reset_password",
        summary="Request a password reset link",
        responses=Done,
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return translate_response(request, super().post(request, *args, **kwargs))


class ConfirmResetView(Public, PasswordResetConfirmView):
    """Set a new password with the mailed link's uid and token: `…/{uid}/{token}`."""

    @extend_schema(
        tags=_TAGS,
        operation_id="confirm_password_reset",
        summary="Set a new password with a reset link",
        responses={200: Done, 429: LOCKED_OUT},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return translate_response(request, super().post(request, *args, **kwargs))
