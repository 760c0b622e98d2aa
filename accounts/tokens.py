"""JSON web tokens: issued, rotated once, revoked.

An access token opens the API for minutes; a refresh token is rotated, once, into the next pair.
The database knows each refresh token by its id alone (``OutstandingToken``; its ``token`` column
never holds the token, so a stolen copy of the database signs nobody in). A ``BlacklistedToken``
row says that a token was rotated or revoked; it is unique, so of two requests one rotates.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, BlacklistMixin, Token, UntypedToken
from rest_framework_simplejwt.tokens import RefreshToken as LibraryRefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch, get_md5_hash_password

from omachemainproj.compiled_queries import compiled

from .models import User

logger = logging.getLogger(__name__)

#: Two tabs, or a client that lost an answer, may send a rotated token again for this long.
RETRY_WINDOW = timedelta(seconds=30)
#: How many expired tokens are deleted at a time, so that no delete holds the table for long.
BATCH = 1000
_ROTATED = "exchanged for "

_REFUSALS = {
    "token_not_valid": "This token is not valid or has expired.",
    "token_spent": "This refresh token was used before.",
    "user_not_found": "The person this token was given to is gone.",
    "user_inactive": "This account is closed.",
    "password_changed": "The password was changed after this token was given out.",
}


def refuse(code: str) -> NoReturn:
    """Raise the answer 401 with this code."""
    raise AuthenticationFailed(_REFUSALS[code], code=code)


class RefreshToken(LibraryRefreshToken):
    """A refresh token that the database knows by its id."""

    @classmethod
    def for_user(cls, user: Any) -> RefreshToken:
        token: RefreshToken = super(BlacklistMixin, cls).for_user(user)
        OutstandingToken.objects.create(
            user=user,
            jti=token["jti"],
            created_at=token.current_time,
            expires_at=datetime_from_epoch(token["exp"]),
        )
        return token

    def check_blacklist(self) -> None:
        """No query here: rotating, revoking and verifying each make the one they need."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token and its refresh token."""

    access: AccessToken
    refresh: RefreshToken


def issue(user: User) -> Tokens:
    """Issue a new pair of tokens to the user."""
    refresh = RefreshToken.for_user(user)
    return Tokens(access=refresh.access_token, refresh=refresh)


@compiled
def _users(user_id: int) -> QuerySet[User]:
    """Asked with every request that carries a token, so it is compiled once."""
    return User.objects.filter(pk=user_id)


def _read_user(user_id: Any) -> User | None:
    text = str(user_id)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    users = _users(int(text))
    return users[0] if users else None


def holder(token: Token, people: QuerySet[User] | None = None) -> User:
    """Return the person the token was issued to, in one query.

    Refuses (401) when they are deleted, inactive, or have changed their password since.
    """
    user_id = token.get(api_settings.USER_ID_CLAIM)
    user = _read_user(user_id) if people is None else people.filter(pk=user_id).first()
    if user is None:
        refuse("user_not_found")
    if not user.is_active:
        refuse("user_inactive")
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        refuse("password_changed")
    return user


def rotate(raw: str) -> Tokens:
    """Exchange a refresh token for a new pair. Of any number of requests at once, one succeeds.

    Refuses (401) anything else. A token that is sent again long after it was rotated is in two
    hands, one of them a thief's: all the user's refresh tokens are revoked.
    """
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
    except TokenError:
        refuse("token_not_valid")
    fresh = _rotate(token)
    if fresh is None:
        _revoke_all_if_stolen(token)
        refuse("token_spent")
    return fresh


@transaction.atomic
def _rotate(token: RefreshToken) -> Tokens | None:
    # `revoke_all` takes the same lock, so that nothing is issued while all is being revoked.
    user = holder(token, User.objects.select_for_update(no_key=True))
    row = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if row is None:
        refuse("token_not_valid")
    try:
        with transaction.atomic():
            BlacklistedToken.objects.create(token=row)
    except IntegrityError:
        return None
    fresh = issue(user)
    OutstandingToken.objects.filter(pk=row.pk).update(token=f"{_ROTATED}{fresh.refresh['jti']}")
    return fresh


def _revoke_all_if_stolen(token: RefreshToken) -> None:
    rotated = BlacklistedToken.objects.filter(
        # Only a rotated token has a successor; a revoked one is no sign of a thief.
        token__jti=token["jti"],
        token__token__startswith=_ROTATED,
        blacklisted_at__lt=timezone.now() - RETRY_WINDOW,
    )
    if rotated.exists():
        user_id = int(token[api_settings.USER_ID_CLAIM])
        logger.warning("a spent refresh token of user %s was shown again; all are ended", user_id)
        revoke_all(user_id)


def revoke(raw: str) -> None:
    """Revoke a refresh token. Safe to repeat; one that has expired needs no revoking.

    Refuses (401) what is not a refresh token of ours.
    """
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
    except ExpiredTokenError:
        return
    except TokenError:
        refuse("token_not_valid")
    row = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if row is not None:
        BlacklistedToken.objects.get_or_create(token=row)


@transaction.atomic
def revoke_all(user_id: int) -> None:
    """Revoke all the user's refresh tokens. Safe to repeat."""
    list(User.objects.select_for_update(no_key=True).filter(pk=user_id).values_list("pk"))
    live = OutstandingToken.objects.filter(user_id=user_id, blacklistedtoken__isnull=True)
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token_id=pk) for pk in live.values_list("pk", flat=True)],
        ignore_conflicts=True,
    )


def verify(raw: str) -> None:
    """Refuse (401) a token, access or refresh, that is not valid now."""
    try:
        token = UntypedToken(raw)  # type: ignore[arg-type]
    except TokenError:
        refuse("token_not_valid")
    if token.get(api_settings.TOKEN_TYPE_CLAIM) == RefreshToken.token_type:
        live = OutstandingToken.objects.filter(jti=token["jti"], blacklistedtoken__isnull=True)
        if not live.exists():
            refuse("token_not_valid")
    holder(token)


def delete_expired_tokens() -> int:
    """Delete refresh tokens that have expired, a batch at a time; return how many.

    Safe to repeat, anywhere, at once.
    """
    deleted = 0
    expired = OutstandingToken.objects.filter(expires_at__lt=timezone.now() - timedelta(hours=1))
    while True:
        # The oldest rows come first, so a batch is found without reading the whole table.
        batch = list(expired.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return deleted
        with transaction.atomic():
            BlacklistedToken.objects.filter(token_id__in=batch).delete()
            deleted += OutstandingToken.objects.filter(pk__in=batch).delete()[0]
