"""The C2B confirmation and validation addresses registered, one pair per number."""

import threading
from dataclasses import dataclass
from typing import Any

from .wire import DarajaError


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The addresses of one number, and what counts when validation gets no answer.

    ``version`` is that of the API they were registered through; it decides how payers are shown.
    """

    shortcode: str
    response_type: str
    confirmation_url: str
    validation_url: str
    version: int


class Registrations:
    """Keeps one registration per number, and which numbers may pull a statement.

    Safe from many threads.
    """

    def __init__(self, *, once: bool) -> None:
        self._once = once
        self._lock = threading.Lock()
        self._by_number: dict[str, Registration] = {}
        self._pullers: set[str] = set()

    def add(self, registration: Registration) -> None:
        """Keep the addresses of a number instead of earlier ones. Raises DarajaError where they may
        be registered only once.
        """
        with self._lock:
            if self._once and registration.shortcode in self._by_number:
                raise DarajaError(500, "500.003.1001", "Urls are already registered.")
            self._by_number[registration.shortcode] = registration

    def of(self, shortcode: str) -> Registration | None:
        """Give the addresses of a number, if it has any."""
        with self._lock:
            return self._by_number.get(shortcode)

    def forget(self, shortcode: str | None = None) -> None:
        """Delete the addresses of a number, or of all, as an operator can in the portal."""
        with self._lock:
            for number in list(self._by_number):
                if shortcode in (None, number):
                    del self._by_number[number]

    def allow_pull(self, shortcode: str) -> bool:
        """Let a number pull its statement; False when it could already."""
        with self._lock:
            is_new = shortcode not in self._pullers
            self._pullers.add(shortcode)
            return is_new

    def may_pull(self, shortcode: str) -> bool:
        """Say whether a number may pull its statement."""
        with self._lock:
            return shortcode in self._pullers

    def clear(self) -> None:
        """Forget everything registered."""
        self.forget()
        with self._lock:
            self._pullers.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """List every registration."""
        with self._lock:
            return [vars(registration) for registration in self._by_number.values()]
