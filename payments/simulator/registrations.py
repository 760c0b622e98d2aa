"""The addresses at which the shop wants to hear of payments, one pair per number."""

import threading
from dataclasses import dataclass
from typing import Any

from payments.simulator.wire import DarajaError


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The addresses of one number, and what to do when the shop cannot be asked.

    ``version`` is that of the API they were registered through; it decides how payers are shown.
    """

    shortcode: str
    response_type: str
    confirmation_url: str
    validation_url: str
    version: int


class Registrations:
    """Keeps one registration per number. Safe from many threads."""

    def __init__(self, *, once: bool) -> None:
        self._once = once
        self._lock = threading.Lock()
        self._by_number: dict[str, Registration] = {}

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

    def as_json(self) -> list[dict[str, Any]]:
        """List every registration."""
        with self._lock:
            return [vars(registration) for registration in self._by_number.values()]
