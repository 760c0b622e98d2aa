"""Where the one access token is kept.

The gateway's FAQ says that every new token ends the one before it, so workers that fetch their own
keep throwing each other out. All of them share one store, and one of them at a time refreshes it.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class TokenStore(Protocol):
    """Keeps one token for everybody who uses the same consumer key."""

    def get(self) -> str | None:
        """The token, or None when there is none or its time is over."""

    def set(self, token: str, seconds: int) -> None:
        """Keep this token for so many seconds, instead of any other."""

    def forget(self, token: str) -> None:
        """Drop this token; do nothing when another has taken its place."""

    def refreshing(self) -> AbstractContextManager[object]:
        """A lock held by the one who fetches a new token. The holder looks with `get` again."""


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

    def refreshing(self) -> AbstractContextManager[object]:
        return self._refresh
