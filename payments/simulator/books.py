"""The simulator's own books: every shilling that moved, and what is left in each wallet."""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from payments.simulator import ids
from payments.simulator.clock import Clock, stamp
from payments.simulator.config import Config


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """Why money moves: through which API, for which account at which number, under which request
    ids.
    """

    kind: str
    shortcode: str
    party_b: str
    transaction_type: str
    reference: str
    description: str
    merchant_request_id: str
    checkout_request_id: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One movement of money.

    ``direction`` is seen from the merchant; ``amount`` is whole KES; time is Nairobi's.
    """

    receipt: str
    direction: Literal["in", "out"]
    phone: str
    amount: int
    wallet_after: int
    time: datetime
    purpose: Purpose

    def as_json(self) -> dict[str, Any]:
        """Give the entry as ``GET /control/books`` shows it."""
        return {
            "receipt": self.receipt,
            "direction": self.direction,
            "phone": self.phone,
            "amount": self.amount,
            "wallet_after": self.wallet_after,
            "time": self.time.isoformat(timespec="seconds"),
            "transaction_date": int(stamp(self.time)),
            **vars(self.purpose),
        }


class Books:
    """Moves money between wallets and the merchant, and writes every movement down.

    Safe from many threads.

    Entries are never dropped, except by ``clear``: they are what the shop's books are compared
    with.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._wallets: dict[str, int] = {}
        self._entries: list[Entry] = []
        self._receipts: set[str] = set()

    def receive(self, *, phone: str, amount: int, purpose: Purpose) -> Entry | None:
        """Take money from a phone for the merchant; None, and nothing moves, when the wallet holds
        too little.
        """
        with self._lock:
            left = self._wallets.get(phone, self._config.wallet) - amount
            if left < 0:
                return None
            self._wallets[phone] = left
            now = self._clock.now()
            entry = Entry(
                receipt=self._new_receipt(now),
                direction="in",
                phone=phone,
                amount=amount,
                wallet_after=left,
                time=now,
                purpose=purpose,
            )
            self._entries.append(entry)
            return entry

    def imagine(self, *, phone: str, amount: int, purpose: Purpose) -> Entry:
        """Make up a movement for a forged message: nothing moves, and its receipt number is never
        used.
        """
        with self._lock:
            now = self._clock.now()
            return Entry(
                receipt=self._new_receipt(now),
                direction="in",
                phone=phone,
                amount=amount,
                wallet_after=0,
                time=now,
                purpose=purpose,
            )

    def wallet(self, phone: str) -> int:
        """Tell what a phone has left, KES."""
        with self._lock:
            return self._wallets.get(phone, self._config.wallet)

    def set_wallet(self, phone: str, amount: int) -> None:
        """Put this much into a phone's wallet, KES. Raises ValueError for less than nothing."""
        if amount < 0:
            raise ValueError("a wallet holds 0 or more")
        with self._lock:
            self._wallets[phone] = amount

    def entries(self) -> list[Entry]:
        """Give every movement, oldest first."""
        with self._lock:
            return list(self._entries)

    def as_json(self) -> dict[str, Any]:
        """Give the books whole: the merchant's number, what it took and paid, every entry, every
        wallet touched.
        """
        with self._lock:
            entries, wallets = list(self._entries), dict(self._wallets)
        return {
            "currency": "KES",
            "shortcode": self._config.shortcode,
            "received": sum(e.amount for e in entries if e.direction == "in"),
            "paid_out": sum(e.amount for e in entries if e.direction == "out"),
            "entries": [entry.as_json() for entry in entries],
            "wallets": wallets,
        }

    def clear(self) -> None:
        """Begin new books with full wallets.

        Receipt numbers of the old ones are not given out again.
        """
        with self._lock:
            self._wallets.clear()
            self._entries.clear()

    def _new_receipt(self, now: datetime) -> str:
        while (receipt := ids.receipt(now)) in self._receipts:
            continue
        self._receipts.add(receipt)
        return receipt
