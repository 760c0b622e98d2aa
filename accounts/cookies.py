"""Refresh tokens in a cookie, for browsers that ask for it: ``Token-Transport: cookie``.

A script in a page can read what the page can read, but not an HttpOnly cookie. An injected script
therefore gets the current access token, but not a refresh token valid for two weeks.

There are two cookies. ``refresh`` holds the token and is only sent below ``/token/``. ``client`` is
a random id of the browser, sent to all of this host; the token contains a digest of it, and is
refused without it. In production its ``__Host-`` prefix ensures that only this host can set it, so
a neighbouring subdomain cannot sign anyone in by setting a ``refresh`` of its own, and a leaked
refresh token is useless on its own.

Pages of other origins cannot make a browser use them: they are ``SameSite=Strict``, only read with
a header that no form can send, and ``Origin`` has to be ours.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.http import is_same_domain
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from omachemainproj.api.errors import Refusal

from .rotation import Sender
from .tokens import Tokens, refuse

HEADER = "Token-Transport"
#: The refresh cookie is only sent to the endpoints that renew and revoke tokens.
PATH = "/token/"
#: The longest time browsers keep a cookie.
_CLIENT_AGE = 400 * 24 * 3600
_CLIENT = re.compile(r"[A-Za-z0-9_-]{22}")


class OtherOrigin(Refusal):
    """A page of another origin requested cookies, which are for the shop's own pages."""

    code = "other_origin"
    status_code = 403
    message = "Only the shop's own pages may sign in with a cookie."


@dataclass(frozen=True, slots=True)
class Transport:
    """Where this request wants its tokens: ``body``, ``cookie``, or ``""`` if it does not say."""

    kind: str
    #: The browser's id from its cookie, or a new one.
    client: str

    @classmethod
    def of(cls, request: Request) -> Transport:
        """Read the transport from a request.

        Raises ValidationError (400) for an unknown transport, and OtherOrigin (403).
        """
        kind = request.headers.get(HEADER, "").strip().lower()
        if kind not in {"", "body", "cookie"}:
            raise ValidationError({HEADER: ["Send “cookie” or “body”, or no such header."]})
        if kind == "cookie":
            _check_origin(request)
        value = request.COOKIES.get(settings.CLIENT_COOKIE_NAME, "")
        return cls(kind, value if _CLIENT.fullmatch(value) else secrets.token_urlsafe(16))

    @property
    def is_cookie(self) -> bool:
        return self.kind == "cookie"

    @property
    def browser(self) -> str:
        """The digest of the browser's id; "" for tokens in the body."""
        if not self.is_cookie:
            return ""
        return hashlib.sha256(self.client.encode()).hexdigest()[:32]

    def sender(self, key: str | None, *, moves: bool = False) -> Sender:
        """The sender of a token with this request and Idempotency-Key.

        ``moves``: the token came in the body.
        """
        return Sender(key=key or "", browser=self.browser, moves=moves and self.is_cookie)

    def refresh_token(self, request: Request) -> str:
        """The token in the cookie. Refuses (401) a browser without one."""
        raw = request.COOKIES.get(settings.REFRESH_COOKIE_NAME, "")
        if not raw:
            refuse("no_cookie")
        return raw

    def deliver(self, response: Response, pair: Tokens) -> Response:
        """Put the refresh token of a response where the request wants it.

        Does nothing if the request did not say.
        """
        if not self.kind:
            return response
        now = int(timezone.now().timestamp())
        response.data["access_expires_in"] = pair.access["exp"] - now
        response.data["refresh_expires_in"] = pair.refresh["exp"] - now
        if self.is_cookie:
            response.data["refresh"] = ""
            _set(response, settings.CLIENT_COOKIE_NAME, self.client, _CLIENT_AGE, "/")
            age = pair.refresh["exp"] - now
            _set(response, settings.REFRESH_COOKIE_NAME, str(pair.refresh), age, PATH)
        return response

    def forget(self, response: Response) -> Response:
        """Remove the refresh cookie from the browser; the client cookie stays."""
        if self.is_cookie:
            _set(response, settings.REFRESH_COOKIE_NAME, "", 0, PATH)
        return response


def _set(response: Response, name: str, value: str, age: int, path: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=age,
        path=path,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Strict",
    )


def _check_origin(request: Request) -> None:
    """Refuse a request that a browser says comes from a page of another origin.

    What is no browser says nothing, and has no cookie of anybody's. A neighbouring subdomain is
    another origin too, though its requests bring cookies that are SameSite.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
            raise OtherOrigin
    elif not _is_ours(request, origin):
        raise OtherOrigin


def _is_ours(request: Request, origin: str) -> bool:
    own = f"{request.scheme}://{request.get_host()}"
    parts = urlsplit(settings.FRONTEND_URL)
    trusted = {own, f"{parts.scheme}://{parts.netloc}", *settings.CSRF_TRUSTED_ORIGINS}
    if origin in trusted:
        return True
    scheme, _, host = origin.partition("://")
    return any(
        one.startswith(f"{scheme}://*.") and is_same_domain(host, one.partition("*")[2])
        for one in settings.CSRF_TRUSTED_ORIGINS
    )
