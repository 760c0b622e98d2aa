"""The account endpoints: HTTP in, one service called, HTTP out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dj_rest_auth.registration.views import RegisterView
from dj_rest_auth.views import (
    LoginView,
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetView,
    UserDetailsView,
)
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView, RetrieveUpdateAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.api.parsers import StrictJSONParser, StrictMultiPartParser
from omachemainproj.api.schema import error_answer, field_errors

from . import services, tokens
from .authentication import current_user
from .models import MessagePreferences, User
from .preferences import preferences_of
from .second_factor import CodeNeeded, NotEnrolled, WrongCode
from .serializers import (
    AccountSerializer,
    Done,
    MessagesSerializer,
    PasswordChanged,
    RefreshInput,
    RefreshOutput,
    RegistrationInput,
    SignedIn,
    TokenInput,
    UserInput,
    UserOutput,
)

_TAGS = ["account"]
_LOCKED_OUT = error_answer("Too many failed attempts. Try again in 5 minutes.", "locked_out")
_BAD_TOKEN = error_answer("This token is not valid or has expired.", "token_not_valid")
_SPENT_TOKEN = error_answer("This refresh token was used before.", "token_spent")
_WRONG_PASSWORD = field_errors(
    "The name and the password do not belong together, or the input is wrong. Or a second factor "
    "is needed: send its code too.",
    wrong={"non_field_errors": ["Unable to log in with provided credentials."]},
    code_needed={"detail": CodeNeeded.message, "code": CodeNeeded.code},
    code_wrong={"detail": WrongCode.message, "code": WrongCode.code},
)
_NOT_ENROLLED = error_answer(NotEnrolled.message, NotEnrolled.code)
_TAKEN = field_errors(
    "Something in the input is wrong.", taken={"username": ["This username is taken."]}
)


class Private:
    """Answers that no cache may keep: they hold tokens, or one person's data."""

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().finalize_response(*args, **kwargs)  # type: ignore[misc]
        response["Cache-Control"] = "no-store"
        return response


class Public(Private):
    """Open to strangers. A token sent along is not read, so a stale one refuses nobody."""

    authentication_classes: Any = ()
    permission_classes: Any = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """Make a refusal 401 where DRF, seeing no way to authenticate, would say 403."""
        return 'Bearer realm="api"'


class RegistrationView(Public, RegisterView):
    """Join. The answer signs the newcomer in; no cookie is set."""

    throttle_scope = "registration"

    @extend_schema(tags=_TAGS, operation_id="register", responses={201: SignedIn, 400: _TAKEN})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = RegistrationInput(data=request.data)
        form.is_valid(raise_exception=True)
        user = form.save()
        pair = tokens.issue(user)
        self.access_token, self.refresh_token = pair.access, pair.refresh
        return Response(self.get_response_data(user), status=201)


class SignInView(Public, LoginView):
    """Sign in with the username or the e-mail, in either field and any case."""

    throttle_scope = "login"

    @extend_schema(
        tags=_TAGS,
        operation_id="login",
        responses={
            200: SignedIn,
            400: _WRONG_PASSWORD,
            403: _NOT_ENROLLED,
            429: _LOCKED_OUT,
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
        return super().post(request, *args, **kwargs)

    def login(self) -> None:
        """Give out tokens for whom the serializer recognised."""
        self.user = self.serializer.validated_data["user"]
        pair = tokens.issue(self.user)
        self.access_token, self.refresh_token = pair.access, pair.refresh


class SignOutView(Public, GenericAPIView):
    """End a refresh token. Saying it twice is the same as once."""

    serializer_class = RefreshInput
    throttle_scope = "dj_rest_auth"

    @extend_schema(tags=_TAGS, operation_id="logout", responses={200: Done, 401: _BAD_TOKEN})
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        tokens.revoke(form.validated_data["refresh"])
        return Response({"detail": "Successfully logged out."})


class VerifyView(Public, GenericAPIView):
    """Ask whether a token, access or refresh, would open anything now."""

    serializer_class = TokenInput
    throttle_scope = "refresh"

    @extend_schema(
        tags=_TAGS,
        operation_id="verify_token",
        responses={200: OpenApiResponse({"type": "object"}, "It would."), 401: _BAD_TOKEN},
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        tokens.verify(form.validated_data["token"])
        return Response({})


class RefreshView(Public, GenericAPIView):
    """Exchange a refresh token, once, for the next pair."""

    serializer_class = RefreshInput
    throttle_scope = "refresh"

    @extend_schema(
        tags=_TAGS,
        operation_id="refresh_token",
        responses={200: RefreshOutput, 401: _SPENT_TOKEN},
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        pair = tokens.rotate(form.validated_data["refresh"])
        answer = {
            "access": str(pair.access),
            "refresh": str(pair.refresh),
            "access_expiration": datetime.fromtimestamp(pair.access["exp"], UTC),
            "refresh_expiration": datetime.fromtimestamp(pair.refresh["exp"], UTC),
        }
        return Response(RefreshOutput(answer).data)


class ChangePasswordView(Private, PasswordChangeView):
    """Change the password. Every token of before is out at once; the answer has new ones."""

    @extend_schema(tags=_TAGS, operation_id="change_password", responses=PasswordChanged)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        pair = services.change_password(
            current_user(request), new=form.validated_data["new_password1"]
        )
        return Response(
            {
                "detail": "New password has been saved.",
                "access": str(pair.access),
                "refresh": str(pair.refresh),
            }
        )


class ResetPasswordView(Public, PasswordResetView):
    """Ask for a mail with a link. The answer is the same whether or not anybody is there."""

    @extend_schema(tags=_TAGS, operation_id="reset_password", responses=Done)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class ConfirmResetView(Public, PasswordResetConfirmView):
    """Choose the new password with what the mailed link ends in: `…/{uid}/{token}`."""

    @extend_schema(tags=_TAGS, operation_id="confirm_password_reset", responses=Done)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class UserView(Private, UserDetailsView):
    """Read and change how you are called and reached."""

    http_method_names = ["get", "put", "patch", "head", "options"]

    @extend_schema(tags=_TAGS, operation_id="get_user", responses=UserOutput)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(UserOutput(request.user).data)

    @extend_schema(
        tags=_TAGS, operation_id="change_user", request=UserInput, responses={200: UserOutput}
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(request, partial=False)

    @extend_schema(
        tags=_TAGS, operation_id="edit_user", request=UserInput, responses={200: UserOutput}
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(request, partial=True)

    def _change(self, request: Request, *, partial: bool) -> Response:
        form = UserInput(data=request.data, partial=partial, context={"request": request})
        form.is_valid(raise_exception=True)
        services.change_details(current_user(request), form.validated_data)
        return Response(UserOutput(request.user).data)


class AccountView(Private, RetrieveUpdateAPIView):
    """Read and change what others see of you, as JSON or, with an avatar, as multipart."""

    serializer_class = AccountSerializer
    parser_classes = (StrictJSONParser, StrictMultiPartParser)
    throttle_scope = "account"

    @extend_schema(tags=_TAGS, operation_id="get_account")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(tags=_TAGS, operation_id="change_account")
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().put(request, *args, **kwargs)

    @extend_schema(tags=_TAGS, operation_id="edit_account")
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().patch(request, *args, **kwargs)

    def get_object(self) -> User:
        return current_user(self.request)


class MessagesView(Private, RetrieveUpdateAPIView):
    """Read and change what you are told by e-mail and SMS, and in which language."""

    serializer_class = MessagesSerializer
    throttle_scope = "account"

    @extend_schema(tags=_TAGS, operation_id="get_messages")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(tags=_TAGS, operation_id="change_messages")
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().put(request, *args, **kwargs)

    @extend_schema(tags=_TAGS, operation_id="edit_messages")
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().patch(request, *args, **kwargs)

    def get_object(self) -> MessagePreferences:
        return preferences_of(current_user(self.request))
