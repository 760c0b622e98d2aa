"""M-Pesa's access token in the database: shared by all processes, and fetched by one of them.

Each new token invalidates the previous one, so a second fetch would break requests that are under
way. A process claims the fetch by a conditional UPDATE, and the claim expires; no row is locked
during the request, and the other processes poll until the token is there.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from omachemainproj.compiled_queries import compiled

from .daraja.account import DarajaAccount
from .daraja.connection import LONGEST_FETCH_SECONDS
from .daraja.errors import DarajaRefusal, DarajaRefused
from .models import AccessToken

#: A claim outlives the longest fetch: it expires only if its process died.
CLAIM_LIFETIME = timedelta(seconds=LONGEST_FETCH_SECONDS + 10)
#: How long a call waits for the token. A push that gives up is sent later, by the clock.
LONGEST_WAIT_SECONDS = 20.0
#: Interval between polls for another process's token; one thread per process polls.
POLL_SECONDS = 0.05
#: How long a process uses the token it has read without looking whether another replaced it. If so,
#: the gateway rejects the old one, and the call is repeated with the new one.
TOKEN_CACHED_FOR = timedelta(seconds=5)


class _CachedToken(NamedTuple):
    """A token this process has read, and the times between which it is used."""

    token: str
    since: datetime
    until: datetime


class _State(NamedTuple):
    """The row's state: a valid token or "", and how often fetching failed."""

    token: str
    failures: int


@compiled
def _good_token(account: str, now: datetime) -> QuerySet[AccessToken, Any]:
    """The token and its end. At most one row: the account is the key."""
    good = AccessToken.objects.good_at(now).filter(account=account)
    return good.values_list("token", "good_until")


class DatabaseTokenStore:
    """A TokenStore for all processes that share the database. Safe to share between threads."""

    def __init__(self, account: DarajaAccount) -> None:
        name = f"{account.base_url} {account.consumer_key}"
        self._account = hashlib.sha256(name.encode()).hexdigest()
        self._turn = threading.Lock()
        self._claim_id = ""
        self._kept: _CachedToken | None = None

    def get(self) -> str | None:
        """The token, or None if there is none. No query if one was read seconds ago."""
        now, kept = timezone.now(), self._kept
        if kept is not None and kept.since <= now < kept.until:
            return kept.token
        for token, good_until in _good_token(self._account, now):
            self._kept = _CachedToken(token, now, min(good_until, now + TOKEN_CACHED_FOR))
            return token
        return None

    def set(self, token: str, seconds: int) -> None:
        """Store the token this process fetched. It is discarded if the claim has expired: another
        process has a newer one, or will have soon."""
        until = timezone.now() + timedelta(seconds=seconds)
        AccessToken.objects.renew(self._account, self._claim_id, token=token, good_until=until)

    def forget(self, token: str) -> None:
        self._kept = None
        AccessToken.objects.drop(self._account, token)

    @contextmanager
    def refreshing(self) -> Iterator[str | None]:
        """Yields None to the one caller that has to fetch a token, and to others the token it
        fetched.

        Raises DarajaRefused if another caller could not fetch one, or takes too long.
        """
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        if not self._turn.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise _timeout_error()
        try:
            token, self._claim_id = self._token_or_claim(deadline)
            if token:
                yield token
                return
            try:
                yield None
            except DarajaRefused as refusal:
                AccessToken.objects.record_failure(
                    self._account, kind=refusal.kind, code=refusal.code, message=refusal.message
                )
                raise
            finally:
                self._release(self._claim_id)
        finally:
            self._turn.release()

    def _token_or_claim(self, deadline: float) -> tuple[str, str]:
        """A token, or the id of a claim to fetch one. Raises DarajaRefused."""
        before = now = self._state()
        while not now.token:
            if now.failures != before.failures:
                # Another caller tried and failed while we waited. Retrying one after another, each
                # with its own timeout, would block all workers for minutes when the gateway is
                # down.
                raise self._last_failure()
            if claim_id := self._claim():
                now = self._state()
                if now == before:
                    return "", claim_id
                self._release(claim_id)
            elif time.monotonic() > deadline:
                raise _timeout_error()
            else:
                time.sleep(POLL_SECONDS)
                now = self._state()
        return now.token, ""

    def _claim(self) -> str:
        claim_id = secrets.token_hex(16)
        claimed = AccessToken.objects.claim(
            self._account, claim_id, now=timezone.now(), lasts=CLAIM_LIFETIME
        )
        return claim_id if claimed else ""

    def _state(self) -> _State:
        rows = AccessToken.objects.filter(account=self._account)
        row = rows.values_list("token", "good_until", "failures").first()
        if row is None:
            AccessToken.objects.bulk_create(
                [AccessToken(account=self._account)], ignore_conflicts=True
            )
            return self._state()
        token, good_until, failures = row
        is_good = good_until is not None and good_until > timezone.now()
        return _State(token if is_good else "", failures)

    def _last_failure(self) -> DarajaRefused:
        row = AccessToken.objects.get(account=self._account)
        return DarajaRefused(
            row.failure_message, code=row.failure_code, kind=DarajaRefusal(row.failure_kind)
        )

    def _release(self, claim_id: str) -> None:
        AccessToken.objects.release(self._account, claim_id)


def _timeout_error() -> DarajaRefused:
    return DarajaRefused(
        "another process is still fetching the access token", kind=DarajaRefusal.TOKEN
    )
