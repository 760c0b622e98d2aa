"""Stores for the access token.

The gateway's FAQ says that every new token invalidates the previous one, so workers that fetch
their own would keep interrupting each other. They share one store, and one at a time refreshes it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from .errors import DarajaRefusal, DarajaRefused


class TokenStore(Protocol):
    """Stores one token for all users of the same consumer key."""

    def get(self) -> str | None:
        """The token, or None if there is none or it has expired."""

    def set(self, token: str, seconds: int) -> None:
        """Store this token for this many seconds, replacing any other."""

    def forget(self, token: str) -> None:
        """Discard this token, unless it was replaced already."""

    def refreshing(self) -> AbstractContextManager[str | None]:
        """Entered by one caller at a time. Yields the token another has fetched meanwhile, or None:
        then a new one has to be fetched inside. May raise DarajaRefused."""


class MemoryTokenStore:
    """A TokenStore for one process, shared by its threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refresh = threading.Lock()
        self._change = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def get(self) -> str | None:
        with self._change:
            return self._token if self._clock() < self._good_until else None

    def set(self, token: str, seconds: int) -> None:
        with self._change:
            self._token, self._good_until = token, self._clock() + seconds

    def forget(self, token: str) -> None:
        with self._change:
            if self._token == token:
                self._token = None

    @contextmanager
    def refreshing(self) -> Iterator[str | None]:
        with self._refresh:
            yield self.get()


class SharedToken:
    """The token in a store, fetched by the first caller that finds it missing.

    `fetch` returns a token and the seconds it may be kept, and raises DarajaRefused if it cannot
    get one.
    """

    def __init__(self, store: TokenStore, fetch: Callable[[], tuple[str, int]]) -> None:
        self._store = store
        self._fetch = fetch
        self._failures = 0
        self._last_failure: DarajaRefused | None = None

    def get(self) -> str:
        """The token. Raises DarajaRefused if there is none, also if the store itself fails."""
        try:
            return self._store.get() or self._refresh()
        except DarajaRefused:
            raise
        except Exception as error:  # any error of the store: nothing was sent to M-Pesa
            raise _no_token(error) from error

    def turned_down(self, token: str) -> None:
        """Record that the gateway rejected this token. Raises DarajaRefused if the store fails."""
        try:
            self._store.forget(token)
        except Exception as error:
            raise _no_token(error) from error

    def _refresh(self) -> str:
        failures = self._failures
        with self._store.refreshing() as found:
            if found:
                return found
            if self._failures != failures and self._last_failure:
                # Another caller tried and failed while we waited. Retrying one after another, each
                # with its own timeout, would block every worker for minutes when the gateway is
                # down.
                failure = self._last_failure
                raise DarajaRefused(failure.message, code=failure.code, kind=failure.kind)
            try:
                token, seconds = self._fetch()
            except DarajaRefused as refusal:
                self._failures, self._last_failure = self._failures + 1, refusal
                raise
            self._store.set(token, seconds)
            return token


def _no_token(error: Exception) -> DarajaRefused:
    return DarajaRefused(
        f"no token could be fetched ({type(error).__name__})", kind=DarajaRefusal.TOKEN
    )
