"""JSON web tokens: issued, read, revoked.

An access token is valid for minutes; a refresh token is exchanged, once, for the next pair
(accounts.rotation). All tokens from one log-in carry the id of its session, and end with it
(accounts.sessions). The database stores only the id of each refresh token (``OutstandingToken``;
its ``token`` column never holds the token, so a stolen database gives no access). A
``BlacklistedToken`` row marks a token as rotated or revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, BlacklistMixin, Token, UntypedToken
from rest_framework_simplejwt.tokens import RefreshToken as LibraryRefreshToken
from rest_framework_simplejwt.utils import (
    datetime_from_epoch,
    datetime_to_epoch,
    get_md5_hash_password,
)

from omachemainproj.compiled_queries import compiled
from omachemainproj.locking import lock_row

from . import security_log, sessions
from .models import Session, User
from .sessions import Origin

#: Expired tokens deleted per query, so that no delete locks the table for long.
BATCH = 1000
#: The claim with the session's id (registered with IANA). Older tokens have none.
SESSION_CLAIM = "sid"
#: The claim with a digest of the browser whose cookie holds the token; tokens issued in a response
#: body have none.
BROWSER_CLAIM = "brw"

EXPIRED = "This token has expired. Renew it at /token/refresh/, or sign in again."
RENEW_AT = "/token/refresh/"
_REFUSALS = {
    "token_not_valid": "This token is not valid or has expired.",
    "token_spent": "This refresh token was used before.",
    "user_not_found": "The account of this token no longer exists.",
    "user_inactive": "This account is closed.",
    "password_changed": "The password was changed after this token was issued.",
    "session_ended": "You were signed out. Sign in again.",
    "no_cookie": "This browser is not signed in.",
}


def refuse(code: str) -> NoReturn:
    """Raise a 401 with this code."""
    raise AuthenticationFailed(_REFUSALS[code], code=code)


def lock_caller(user: User) -> None:
    """Lock the row of a user who sent a request. Call inside a transaction.

    Refuses (401) if their account was closed, or its password changed or reset, since the request
    was authenticated: what it then wrote would be left in an account that was deleted, or that its
    owner has just recovered.
    """
    now = lock_row(User, user.pk)
    if not now.is_active:
        refuse("user_inactive")
    if now.password != user.password:
        refuse("password_changed")


def refuse_unreadable(error: TokenError) -> NoReturn:
    """Raise a 401 for a token that is invalid or has expired.

    The code is the same for both; ``reason`` tells them apart, and ``renew`` is the address at
    which an expired access token is renewed.
    """
    detail = {"detail": _REFUSALS["token_not_valid"], "code": "token_not_valid"}
    if isinstance(error, ExpiredTokenError):
        detail |= {"detail": EXPIRED, "reason": "token_expired", "renew": RENEW_AT}
    else:
        detail |= {"reason": "token_invalid"}
    raise AuthenticationFailed(detail)


class RefreshToken(LibraryRefreshToken):
    """A refresh token whose id is stored in the database."""

    @classmethod
    def for_session(cls, session: Session, user: User, browser: str = "") -> RefreshToken:
        """The next token of a session; it expires with the session at the latest."""
        token = cls._of(session, user, browser)
        token.set_exp(
            from_time=session.last_used_at, lifetime=session.expires_at - session.last_used_at
        )
        OutstandingToken.objects.create(
            user=user,
            jti=token["jti"],
            created_at=token.current_time,
            expires_at=datetime_from_epoch(token["exp"]),
        )
        return token

    @classmethod
    def rebuild(
        cls, row: OutstandingToken, session: Session, user: User, browser: str
    ) -> RefreshToken:
        """Rebuild exactly the token that was issued with this row."""
        token = cls._of(session, user, browser)
        token["iat"] = datetime_to_epoch(row.created_at or token.current_time)
        token["jti"] = row.jti
        token["exp"] = datetime_to_epoch(row.expires_at)
        return token

    @classmethod
    def _of(cls, session: Session, user: User, browser: str) -> RefreshToken:
        token: RefreshToken = super(BlacklistMixin, cls).for_user(user)
        token[SESSION_CLAIM] = session.pk
        if browser:
            token[BROWSER_CLAIM] = browser
        return token

    def check_blacklist(self) -> None:
        """Do nothing: rotating, revoking and verifying each query what they need."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token and its refresh token."""

    access: AccessToken
    refresh: RefreshToken
    #: Whether this refresh token had already been issued.
    is_repeated: bool = False


def issue(user: User, origin: Origin | None = None, *, browser: str = "") -> Tokens:
    """Sign the user in: open a session, and issue its first pair of tokens.

    With ``browser``, a digest of its cookie, they only work in that browser (accounts.cookies).
    """
    session = sessions.open_session(user, origin=origin)
    return pair_of(RefreshToken.for_session(session, user, browser))


def pair_of(refresh: RefreshToken, *, is_repeated: bool = False) -> Tokens:
    """The refresh token, and a fresh access token of the same session."""
    access = refresh.access_token
    access["exp"] = min(access["exp"], refresh["exp"])
    access.payload.pop(BROWSER_CLAIM, None)
    return Tokens(access=access, refresh=refresh, is_repeated=is_repeated)


@compiled
def _users(user_id: int) -> QuerySet[User]:
    """Compiled, since every request with a token runs it."""
    return User.objects.with_language().filter(pk=user_id)


@compiled
def _users_in_session(user_id: int, session_id: int) -> QuerySet[User]:
    """The same for a token with a session: no user once the session has ended."""
    of_session = {"log_ins__pk": session_id, "log_ins__ended_at__isnull": True}
    return User.objects.with_language().filter(pk=user_id, **of_session)


def number_in(claim: Any) -> int:
    """A row's id from a claim, or 0."""
    text = str(claim)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _read_user(token: Token) -> User | None:
    user_id = number_in(token.get(api_settings.USER_ID_CLAIM))
    users = _users(user_id) if user_id else []
    return users[0] if users else None


def _read_user_in_session(token: Token) -> User | None:
    user_id = number_in(token.get(api_settings.USER_ID_CLAIM))
    session_id = number_in(token.get(SESSION_CLAIM))
    users = _users_in_session(user_id, session_id) if user_id and session_id else []
    return users[0] if users else None


def session_of(token: Token) -> int:
    """The id of the session a token belongs to, or 0."""
    return number_in(token.get(SESSION_CLAIM, ""))


def holder(token: Token, people: QuerySet[User] | None = None) -> User:
    """Return the user the token was issued to, in one query.

    Refuses (401) users who are deleted or inactive, who have changed their password since, or whose
    session has ended. With ``people``, a queryset to search, the caller checks the session.
    """
    is_over = False
    if people is not None:
        user = people.filter(pk=number_in(token.get(api_settings.USER_ID_CLAIM))).first()
    elif SESSION_CLAIM in token:
        user = _read_user_in_session(token)
        is_over = user is None
        # Only to give the reason, such as a closed account.
        user = user or _read_user(token)
    else:
        user = _read_user(token)
    if user is None:
        refuse("user_not_found")
    if not user.is_active:
        refuse("user_inactive")
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        refuse("password_changed")
    if is_over:
        refuse("session_ended")
    return user


def revoke(raw: str) -> None:
    """Revoke a refresh token, and end its session.

    Safe to repeat; an expired token needs no revoking. Refuses (401) an invalid token.
    """
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
    except ExpiredTokenError:
        return
    except TokenError as error:
        refuse_unreadable(error)
    row = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if row is not None:
        BlacklistedToken.objects.get_or_create(token=row)
        sessions.end(Session.objects.filter(pk=session_of(token), user_id=row.user_id or 0))


@transaction.atomic
def revoke_all(user_id: int) -> int:
    """End all the user's sessions, and revoke all their refresh tokens; return how many sessions
    were open. Safe to repeat."""
    list(User.objects.select_for_update(no_key=True).filter(pk=user_id).values_list("pk"))
    live = OutstandingToken.objects.filter(user_id=user_id, blacklistedtoken__isnull=True)
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token_id=pk) for pk in live.values_list("pk", flat=True)],
        ignore_conflicts=True,
    )
    ended = sessions.end(Session.objects.filter(user_id=user_id))
    if ended:
        security_log.record_on_commit("session_ended_all", user=user_id, ended=ended)
    return ended


def open_sessions(user: User) -> QuerySet[Session]:
    """The user's open sessions, the most recently used first, at most 100."""
    live = Session.objects.live(timezone.now()).filter(user=user)
    return live.order_by("-last_used_at", "-pk")[:100]


def end_session(user: User, session_id: int) -> bool:
    """End one of the user's own sessions; return whether it exists, ended before or not."""
    own = Session.objects.filter(pk=session_id, user=user)
    return sessions.end(own) > 0 or own.exists()


def verify(raw: str) -> None:
    """Refuse (401) an access or refresh token that is not valid."""
    try:
        token = UntypedToken(raw)  # type: ignore[arg-type]
    except TokenError as error:
        refuse_unreadable(error)
    if token.get(api_settings.TOKEN_TYPE_CLAIM) == RefreshToken.token_type:
        live = OutstandingToken.objects.filter(jti=token["jti"], blacklistedtoken__isnull=True)
        if not live.exists():
            refuse("token_not_valid")
    holder(token)


def delete_expired_tokens() -> int:
    """Delete expired refresh tokens in batches; return how many.

    Safe to repeat and to run concurrently.
    """
    deleted = 0
    expired = OutstandingToken.objects.filter(expires_at__lt=timezone.now() - timedelta(hours=1))
    while True:
        # Oldest first, so that a batch is found without reading the whole table.
        batch = list(expired.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return deleted
        with transaction.atomic():
            BlacklistedToken.objects.filter(token_id__in=batch).delete()
            deleted += OutstandingToken.objects.filter(pk__in=batch).delete()[0]
