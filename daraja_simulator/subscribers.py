"""The subscribers: their names, whether they have M-PESA, and whether their PIN is locked."""

import threading

_FIRST = ("WANJIKU", "OTIENO", "AKINYI", "MUTUA", "CHEBET", "KAMAU", "AMINA", "BARASA", "NJERI")
_LAST = ("MWANGI", "ODHIAMBO", "KIPLAGAT", "NDUNGU", "WAFULA", "HASSAN", "MUTHONI", "KOECH")


class Subscribers:
    """Keeps track of phones without M-PESA and of wrong PINs. Thread-safe.

    ``tries`` wrong PINs in a row lock a phone. 0 means never.
    """

    def __init__(self, tries: int) -> None:
        self._tries = tries
        self._lock = threading.Lock()
        self._unregistered: set[str] = set()
        self._wrong: dict[str, int] = {}

    def record_pin(self, phone: str, *, right: bool) -> None:
        """Record whether a PIN entered on a phone was right. A right one resets the count,
        unless the PIN is locked."""
        with self._lock:
            if not right:
                self._wrong[phone] = self._wrong.get(phone, 0) + 1
            elif not self._is_locked(phone):
                self._wrong.pop(phone, None)

    def is_locked(self, phone: str) -> bool:
        """Return whether a phone's PIN is locked."""
        with self._lock:
            return self._is_locked(phone)

    def unlock(self, phone: str) -> None:
        """Reset a phone's wrong PINs, as customer care does."""
        with self._lock:
            self._wrong.pop(phone, None)

    def is_registered(self, phone: str) -> bool:
        """Return whether a phone has M-PESA."""
        with self._lock:
            return phone not in self._unregistered

    def register(self, phone: str, *, registered: bool) -> None:
        """Set whether a phone has M-PESA."""
        with self._lock:
            (self._unregistered.discard if registered else self._unregistered.add)(phone)

    def clear(self) -> None:
        """Reset all phones: they have M-PESA and no wrong PINs."""
        with self._lock:
            self._unregistered.clear()
            self._wrong.clear()

    def _is_locked(self, phone: str) -> bool:
        return 0 < self._tries <= self._wrong.get(phone, 0)


def first_name(phone: str) -> str:
    """Return the first name of a phone's owner, always the same for a phone."""
    return _FIRST[int(phone) % len(_FIRST)]


def full_name(phone: str) -> str:
    """Return the full name of a phone's owner."""
    return f"{first_name(phone)} {_LAST[int(phone) % len(_LAST)]}"
