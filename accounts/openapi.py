"""OpenAPI descriptions of signing in, and of renewing and ending tokens."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.error_schemas import TokenError, error_answer

from .cookies import OtherOrigin

TAGS = ["account"]
BAD_TOKEN = OpenApiResponse(
    TokenError,
    description="The token is missing, invalid or no longer valid.",
    examples=[
        OpenApiExample(
            "no token of ours",
            value={
                "detail": "This token is not valid or has expired.",
                "code": "token_not_valid",
                "reason": "token_invalid",
            },
        ),
        OpenApiExample(
            "used before",
            value={"detail": "This refresh token was used before.", "code": "token_spent"},
        ),
        OpenApiExample(
            "no cookie",
            value={"detail": "This browser is not signed in.", "code": "no_cookie"},
        ),
        OpenApiExample(
            "signed out",
            value={"detail": "You were signed out. Sign in again.", "code": "session_ended"},
        ),
        OpenApiExample(
            "closed", value={"detail": "This account is closed.", "code": "user_inactive"}
        ),
        OpenApiExample(
            "gone",
            value={
                "detail": "The account of this token no longer exists.",
                "code": "user_not_found",
            },
        ),
        OpenApiExample(
            "another password",
            value={
                "detail": "The password was changed after this token was issued.",
                "code": "password_changed",
            },
        ),
    ],
)
OPENS = OpenApiResponse(
    {"type": "object", "additionalProperties": False},
    description="The token is valid.",
    examples=[OpenApiExample("valid", value={})],
)
LOCKED_OUT = error_answer("Too many failed attempts. Try again in 5 minutes.", "locked_out")
OTHER_ORIGIN = error_answer(OtherOrigin.message, OtherOrigin.code)
TRANSPORT_HEADER = OpenApiParameter(
    "Token-Transport",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    enum=["cookie", "body"],
    description="`cookie`: the refresh token is set in an HttpOnly cookie that is only sent below "
    "/token/, and `refresh` is empty; for the shop's own pages. `body`: it is in the response. "
    "With either, the response includes the tokens' lifetimes in seconds. Without the header "
    "the token is in the response, without lifetimes.",
)
REFRESH_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="A random text of at least 16 characters, a new one for each token that is "
    "renewed, kept until the response arrives. For a day, the same key with the same token gets "
    "the same successor, unless that was renewed itself.",
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="`true` if the refresh token in the response had already been issued.",
)
REFRESHING = """\
A refresh token works once: of all clients that send it, one gets its successor. The same client may
repeat the request and gets the same one: with the same `Idempotency-Key` or, in a browser
(`Token-Transport: cookie`), within ten seconds from any tab. Half a minute after it was renewed,
any other use of the old token counts as theft: all sessions end.

With `Token-Transport: cookie` no body is needed; the token is in the cookie. A page that has stored
a token itself sends it in the body once; its successor is set in the cookie.
"""
SIGNING_OUT = """\
With `Token-Transport: cookie` the token is in the cookie, which is removed; without a cookie the
response is the same. Without the header it works like /logout/.
"""
REFRESHED = [
    OpenApiExample("by a browser", value={}, request_only=True),
    OpenApiExample("by any other client", value={"refresh": "eyJ…"}, request_only=True),
    OpenApiExample(
        "to a browser",
        value={
            "access": "eyJ…",
            "refresh": "",
            "access_expiration": "2026-11-24T08:20:00+03:00",
            "refresh_expiration": "2026-12-08T08:15:00+03:00",
            "access_expires_in": 300,
            "refresh_expires_in": 1209600,
        },
        response_only=True,
        status_codes=["200"],
    ),
]
SIGNED_OUT = OpenApiExample(
    "signed out",
    value={"detail": "Successfully logged out."},
    response_only=True,
    status_codes=["200"],
)
