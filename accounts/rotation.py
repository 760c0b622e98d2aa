"""Refresh token rotation: a token is exchanged once, and its own client may repeat the request.

Of two requests with one token the unique ``BlacklistedToken`` lets one rotate it. The other is one
of three. *The same client again*, because its answer was lost or several tabs woke up: it gets the
same successor. *Another client at the same time*: it is refused. *Any client much later*: the token
was stolen, so all the user's sessions end.

The same client is recognised not by the token, which a thief has too, but by one of:

- the ``Idempotency-Key`` that the token was rotated with, which nobody else knows;
- the browser whose cookie the token is bound to (accounts.cookies), which all its tabs share.

The row of a rotated token stores the id of its successor and digests of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from . import security_log, sessions, tokens
from .models import Session, User
from .sessions import Origin
from .tokens import BROWSER_CLAIM, RefreshToken, Tokens, refuse

#: Reuse of a rotated token within this time is a client's mistake; later it is a theft.
RETRY_WINDOW = timedelta(seconds=30)
#: For this long all tabs of a browser get the same successor.
SHARED_SUCCESSOR_PERIOD = timedelta(seconds=10)
#: For this long a client that repeats its key gets the same successor, unless that was rotated too:
#: a phone that lost the answer may only be used again the next morning.
RETRY_KEY_PERIOD = timedelta(days=1)
#: A shorter key can be guessed, so it is only accepted as long as a browser's.
KEY_LENGTH = 16
#: The longest chain of successors that is followed.
_FURTHEST = 8

_ROTATED = "exchanged for "
_SHOWN_AGAIN = "shown again"
_NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Sender:
    """The client that sent a token, as far as the request shows."""

    #: Its Idempotency-Key.
    key: str = ""
    #: A digest of the browser's cookie; "" if the new token goes into the body.
    browser: str = ""
    #: Whether a token from the body moves into the browser's cookie.
    moves: bool = False

    @property
    def key_digest(self) -> str:
        if not self.key:
            return _NOBODY
        return salted_hmac("accounts.rotation", self.key, algorithm="sha256").hexdigest()[:32]

    def within(self, by_key: str, by_browser: str) -> timedelta:
        """How long this sender may get the successor of a token rotated by that key or browser."""
        if self.key and constant_time_compare(self.key_digest, by_key):
            return RETRY_KEY_PERIOD if len(self.key) >= KEY_LENGTH else SHARED_SUCCESSOR_PERIOD
        if self.browser and constant_time_compare(self.browser, by_browser):
            return SHARED_SUCCESSOR_PERIOD
        return timedelta(0)


def rotate(raw: str, origin: Origin | None = None, sender: Sender | None = None) -> Tokens:
    """Exchange a refresh token for a new pair. Of several clients at the same time, one succeeds.

    The same client gets the same refresh token again. A token bound to a browser works neither in
    another one nor in the body; one issued to the browser within the last seconds is returned
    instead of rotated. One bound to no browser may move into a browser. Refuses (401) anything
    else. A token reused long after its rotation was stolen, so all the user's sessions are ended,
    once per session.
    """
    sender = sender or Sender()
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
    except TokenError as error:
        tokens.refuse_unreadable(error)
    expected = "" if sender.moves else sender.browser
    if not constant_time_compare(str(token.get(BROWSER_CLAIM, "")), expected):
        security_log.record("token_elsewhere", user=_owner_of(token))
        refuse("token_not_valid")
    fresh = _rotate(token, origin, sender)
    if fresh is None:
        _revoke_all_if_stolen(token)
        refuse("token_spent")
    return fresh


@transaction.atomic
def _rotate(token: RefreshToken, origin: Origin | None, sender: Sender) -> Tokens | None:
    # `revoke_all` takes the same lock, so that no token is issued while all are being revoked.
    user = tokens.holder(token, User.objects.select_for_update(no_key=True))
    row = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if row is None:
        refuse("token_not_valid")
    session = _live_session(token, user)
    if session is not None and sender.browser and not sender.moves and _is_just_issued(row):
        return _reissue(row, session, user, sender)
    try:
        with transaction.atomic():
            BlacklistedToken.objects.create(token=row)
    except IntegrityError:
        return _successor(row, session, user, sender)
    if session is None:
        session = sessions.open_session(user, origin=origin, started_at=row.created_at)
    else:
        sessions.renew(session, user, origin)
    refresh = RefreshToken.for_session(session, user, sender.browser)
    mark = f"{_ROTATED}{refresh['jti']} {sender.key_digest} {sender.browser or _NOBODY}"
    OutstandingToken.objects.filter(pk=row.pk).update(token=mark)
    return tokens.pair_of(refresh)


def _live_session(token: RefreshToken, user: User) -> Session | None:
    """The live session of a token, or None for a token older than sessions.

    Refuses (401) a session that was ended or has reached its maximum or idle time. These are
    checked again because they are shorter for a user who has become staff since.
    """
    if tokens.SESSION_CLAIM not in token:
        return None
    now = timezone.now()
    session = Session.objects.live(now).filter(pk=tokens.session_of(token), user=user).first()
    if session is None:
        refuse("session_ended")
    used_at = session.last_used_at
    if sessions.expiry(user, started_at=session.started_at, used_at=used_at) <= now:
        refuse("session_ended")
    return session


def _is_just_issued(row: OutstandingToken) -> bool:
    """Whether a token was just issued to another tab and not rotated yet."""
    given_out = row.created_at
    return (
        not row.token
        and given_out is not None
        and given_out > timezone.now() - SHARED_SUCCESSOR_PERIOD
    )


def _successor(
    row: OutstandingToken, session: Session | None, user: User, sender: Sender
) -> Tokens | None:
    """The successor of a rotated token, for the client that rotated it; None for any other."""
    now = timezone.now()
    for _ in range(_FURTHEST):
        successor, by_key, by_browser = _read_mark(row)
        spent = BlacklistedToken.objects.filter(token=row).values_list("blacklisted_at", flat=True)
        if session is None or not successor or spent[0] <= now - sender.within(by_key, by_browser):
            return None
        found = OutstandingToken.objects.filter(jti=successor, user=user).first()
        if found is None:
            return None
        if not found.token:
            return _reissue(found, session, user, sender)
        row = found
    return None


def _read_mark(row: OutstandingToken) -> tuple[str, str, str]:
    """A rotated token's successor, and the key and browser it was rotated with; else empty."""
    if not row.token.startswith(_ROTATED):
        return "", _NOBODY, _NOBODY
    # Older rows store only the successor.
    successor, *by = row.token.removeprefix(_ROTATED).split(" ")
    by_key, by_browser = by if len(by) == 2 else (_NOBODY, _NOBODY)
    return successor, by_key, by_browser


def _reissue(row: OutstandingToken, session: Session, user: User, sender: Sender) -> Tokens:
    same = RefreshToken.rebuild(row, session, user, sender.browser)
    return tokens.pair_of(same, is_repeated=True)


@transaction.atomic
def _revoke_all_if_stolen(token: RefreshToken) -> None:
    user_id = _owner_of(token)
    # Locked first, as everywhere: rotating also locks the user before the session.
    list(User.objects.select_for_update(no_key=True).filter(pk=user_id).values_list("pk"))
    rotated = BlacklistedToken.objects.filter(
        # Only a rotated token has a successor; reuse of a revoked one is no sign of theft.
        token__jti=token["jti"],
        token__token__startswith=_ROTATED,
        blacklisted_at__lt=timezone.now() - RETRY_WINDOW,
    )
    if rotated.exists() and _raises_alarm(token):
        security_log.record_on_commit("token_reuse", user=user_id)
        tokens.revoke_all(user_id)


def _raises_alarm(token: RefreshToken) -> bool:
    """Whether this is the first sign of theft in this session; True once if concurrent."""
    if tokens.SESSION_CLAIM in token:
        return sessions.end(Session.objects.filter(pk=tokens.session_of(token))) > 0
    first = OutstandingToken.objects.filter(jti=token["jti"], token__startswith=_ROTATED)
    return first.update(token=_SHOWN_AGAIN) > 0


def _owner_of(token: RefreshToken) -> int:
    return tokens.number_in(token.get(api_settings.USER_ID_CLAIM))
