"""The registered C2B confirmation and validation URLs, one pair per shortcode."""

import threading
from dataclasses import dataclass
from typing import Any

from .wire import DarajaError


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The URLs of one shortcode. ``response_type`` applies if validation gets no response.

    ``version`` is that of the API used to register them. It decides how payers are shown.
    """

    shortcode: str
    response_type: str
    confirmation_url: str
    validation_url: str
    version: int


class Registrations:
    """Keeps a registration per shortcode, and the shortcodes that may pull. Thread-safe."""

    def __init__(self, *, once: bool) -> None:
        self._once = once
        self._lock = threading.Lock()
        self._by_number: dict[str, Registration] = {}
        self._pullers: set[str] = set()

    def add(self, registration: Registration) -> None:
        """Register the URLs of a shortcode, replacing earlier ones.

        Raises DarajaError if they can be registered only once.
        """
        with self._lock:
            if self._once and registration.shortcode in self._by_number:
                raise DarajaError(500, "500.003.1001", "Urls are already registered.")
            self._by_number[registration.shortcode] = registration

    def of(self, shortcode: str) -> Registration | None:
        """Return the registration of a shortcode, if any."""
        with self._lock:
            return self._by_number.get(shortcode)

    def forget(self, shortcode: str | None = None) -> None:
        """Delete the URLs of a shortcode, or of all, as an operator can in the portal."""
        with self._lock:
            for number in list(self._by_number):
                if shortcode in (None, number):
                    del self._by_number[number]

    def allow_pull(self, shortcode: str) -> bool:
        """Allow a shortcode to pull transactions. Returns False if it could already."""
        with self._lock:
            is_new = shortcode not in self._pullers
            self._pullers.add(shortcode)
            return is_new

    def may_pull(self, shortcode: str) -> bool:
        """Return whether a shortcode may pull transactions."""
        with self._lock:
            return shortcode in self._pullers

    def clear(self) -> None:
        """Forget all registrations."""
        self.forget()
        with self._lock:
            self._pullers.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """List all registrations."""
        with self._lock:
            return [vars(registration) for registration in self._by_number.values()]
