"""The account endpoints: HTTP in, one service called, HTTP out."""

from __future__ import annotations

from typing import Any

from dj_rest_auth.registration.views import RegisterView
from dj_rest_auth.views import (
    LoginView,
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetView,
    UserDetailsView,
)
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView, RetrieveUpdateAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import AccessToken

from omachemainproj.api.error_schemas import error_answer, field_errors, refusals
from omachemainproj.api.languages import in_their_language
from omachemainproj.api.parameters import refuse_unknown
from omachemainproj.api.parsers import StrictJSONParser, StrictMultiPartParser

from . import services, tokens
from .authentication import Public, current_user
from .cookies import OtherOrigin, Transport
from .emails import send_confirmation
from .models import MessagePreferences, Session, User
from .openapi import LOCKED_OUT, OTHER_ORIGIN, TRANSPORT_HEADER
from .preferences import preferences_of
from .second_factor import CodeNeeded, NotEnrolled, WrongCode
from .serializers import (
    AccountSerializer,
    ConfirmEmailInput,
    Done,
    EndedOutput,
    MessagesSerializer,
    RegistrationInput,
    SessionOutput,
    UserDetails,
    UserInput,
)
from .sessions import Origin
from .token_serializers import PasswordChanged, SignedIn

_TAGS = ["account"]
_LINK_IS_OVER = field_errors("The link is over.", over={"key": [services.LINK_IS_OVER]})
_NO_SUCH_SESSION = error_answer("Not found.", "not_found")
_SESSIONS = OpenApiExample(
    "a phone, and the back office",
    value=[
        {
            "id": 812,
            "kind": "api",
            "started_at": "2026-11-20T18:05:00+03:00",
            "last_used_at": "2026-11-24T08:15:00+03:00",
            "expires_at": "2026-12-08T08:15:00+03:00",
            "address": "197.248.10.7",
            "device": "Chrome on Android",
            "current": True,
        },
        {
            "id": 790,
            "kind": "admin",
            "started_at": "2026-11-24T08:00:00+03:00",
            "last_used_at": "2026-11-24T08:11:00+03:00",
            "expires_at": "2026-11-24T08:41:00+03:00",
            "address": "105.160.3.4",
            "device": "Firefox on Windows",
            "current": False,
        },
    ],
    response_only=True,
    status_codes=[200],
)
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
_USER = [
    OpenApiExample(
        "a phone of one's own",
        value={"username": "wanjiku", "phone": "0712 345 678"},
        request_only=True,
    ),
    OpenApiExample(
        "as it is kept",
        value={
            "pk": 12,
            "username": "wanjiku",
            "email": "wanjiku@example.com",
            "first_name": "Wanjiku",
            "last_name": "Kamau",
            "phone": "254712345678",
        },
        response_only=True,
        status_codes=[200],
    ),
]


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


class UserView(UserDetailsView):
    """Read and change how you are called and reached."""

    throttle_scope = "read"
    http_method_names = ["get", "put", "patch", "head", "options"]

    @extend_schema(
        tags=_TAGS,
        operation_id="get_user",
        summary="How the caller is called and reached",
        responses=UserDetails,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(UserDetails(request.user).data)

    @extend_schema(
        tags=_TAGS,
        operation_id="change_user",
        summary="Change how the caller is called and reached",
        request=UserInput,
        responses={200: UserDetails, 429: LOCKED_OUT},
        examples=_USER,
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(request, partial=False)

    @extend_schema(
        tags=_TAGS,
        operation_id="edit_user",
        summary="Change some of how the caller is called and reached",
        request=UserInput,
        responses={200: UserDetails, 429: LOCKED_OUT},
        examples=_USER,
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(request, partial=True)

    def _change(self, request: Request, *, partial: bool) -> Response:
        form = UserInput(data=request.data, partial=partial, context={"request": request})
        form.is_valid(raise_exception=True)
        services.change_details(current_user(request), form.validated_data)
        return Response(UserDetails(request.user).data)


class AccountView(RetrieveUpdateAPIView):
    """Read and change what others see of you, as JSON or, with an avatar, as multipart."""

    serializer_class = AccountSerializer
    parser_classes = (StrictJSONParser, StrictMultiPartParser)
    throttle_scope = "account"

    @extend_schema(tags=_TAGS, operation_id="get_account", summary="What others see of the caller")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        tags=_TAGS, operation_id="change_account", summary="Change what others see of the caller"
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().put(request, *args, **kwargs)

    @extend_schema(
        tags=_TAGS,
        operation_id="edit_account",
        summary="Change some of what others see of the caller",
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().patch(request, *args, **kwargs)

    def get_object(self) -> User:
        return current_user(self.request)


class MessagesView(RetrieveUpdateAPIView):
    """Read and change what you are told by e-mail and SMS, and in which language."""

    serializer_class = MessagesSerializer
    throttle_scope = "account"

    @extend_schema(
        tags=_TAGS, operation_id="get_messages", summary="What the caller is told, and how"
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        tags=_TAGS, operation_id="change_messages", summary="Change what the caller is told"
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().put(request, *args, **kwargs)

    @extend_schema(
        tags=_TAGS, operation_id="edit_messages", summary="Change some of what the caller is told"
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().patch(request, *args, **kwargs)

    def get_object(self) -> MessagePreferences:
        return preferences_of(current_user(self.request))


class SessionsView(GenericAPIView):
    """Where the caller is signed in."""

    queryset = Session.objects.none()
    serializer_class = SessionOutput
    throttle_scope = "account"

    @extend_schema(
        tags=_TAGS,
        operation_id="list_sessions",
        summary="Where the caller is signed in",
        responses=SessionOutput(many=True),
        examples=[_SESSIONS],
    )
    def get(self, request: Request) -> Response:
        """The caller's own sessions that are open, the last used first, 100 at most."""
        refuse_unknown(request, ())
        open_ones = tokens.open_sessions(current_user(request))
        here = tokens.session_of(request.auth) if isinstance(request.auth, AccessToken) else 0
        return Response(SessionOutput(open_ones, many=True, context={"here": here}).data)


class SessionView(GenericAPIView):
    """One session of the caller's own."""

    queryset = Session.objects.none()
    serializer_class = SessionOutput
    throttle_scope = "account"

    @extend_schema(
        tags=_TAGS,
        operation_id="end_session",
        summary="Sign out there",
        responses={204: None, 404: _NO_SUCH_SESSION},
    )
    def delete(self, request: Request, session_id: str) -> Response:
        """Sign out there. Its tokens are refused at the next request; twice is the same as once."""
        if not tokens.end_session(current_user(request), int(session_id)):
            raise NotFound
        return Response(status=204)


class EndSessionsView(GenericAPIView):
    """Signing out everywhere."""

    serializer_class = EndedOutput
    throttle_scope = "account"

    @extend_schema(
        tags=_TAGS,
        operation_id="end_all_sessions",
        summary="Sign out everywhere",
        request=None,
        responses=EndedOutput,
        examples=[
            OpenApiExample(
                "three devices",
                value={"detail": "You are signed out everywhere.", "ended": 3},
                response_only=True,
                status_codes=[200],
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """End all of the caller's sessions, this one too: every token is refused from now on."""
        ended = tokens.revoke_all(current_user(request).pk)
        answer = {"detail": "You are signed out everywhere.", "ended": ended}
        return in_their_language(request, Response(answer))
