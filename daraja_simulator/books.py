"""The simulator's books: every movement of money, and the balances of wallets and accounts."""

import threading
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from . import ids
from .books_file import BooksFile, NewBooks, Record, WalletSet, WorkingSet
from .clock import Clock
from .config import Config
from .entries import Entry, Purpose, TopUp
from .results import Declined


class Books:
    """Moves money between wallets and the merchant, and records every movement. Thread-safe.

    Entries are dropped by ``clear`` only, so that a client can compare its own books with them.
    With ``Config.books_file`` they survive a restart, with every wallet and account.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._wallets: dict[str, int] = {}
        self._utility: dict[str, int] = {}
        self._working: dict[str, int] = {}
        self._entries: list[Entry] = []
        self._lines: list[Entry | TopUp] = []
        self._by_receipt: dict[str, Entry] = {}
        self._by_phone: dict[str, list[Entry]] = defaultdict(list)
        self._daily_totals: dict[tuple[str, str, date], int] = defaultdict(int)
        #: KES that were reversed, by the receipt of the payment.
        self._reversed: dict[str, int] = defaultdict(int)
        self._receipts: set[str] = set()
        self._requests: dict[str, Entry] = {}
        self._file = BooksFile(Path(config.books_file)) if config.books_file else None
        for record in self._file.records() if self._file else ():
            self._apply(record)

    def close(self) -> None:
        """Close the file, so that another simulator can use it. Safe to repeat."""
        if self._file:
            self._file.close()

    def receive(
        self, *, phone: str, amount: int, purpose: Purpose, receipt: str | None = None
    ) -> Entry:
        """Move money from a phone to the merchant.

        Raises Declined: 4 if the phone exceeds its daily limit, 1 if its wallet holds too little.
        """
        with self._lock:
            if self._exceeds_daily_limit("in", phone, amount):
                raise Declined("4")
            if self._wallet(phone) < amount:
                raise Declined("1")
            return self._move("in", phone, amount, purpose, receipt)

    def pay(self, *, phone: str, amount: int, purpose: Purpose, receipt: str) -> Entry:
        """Pay a phone from the utility account of ``purpose.shortcode``.

        Raises Declined: 1 if the account holds too little, 4 if the phone exceeds its daily limit,
        8 if it exceeds the limit of its wallet.
        """
        with self._lock:
            if self._utility_of(purpose.shortcode) < amount:
                raise Declined("1")
            if self._exceeds_daily_limit("out", phone, amount):
                raise Declined("4")
            if self._wallet(phone) + amount > self._config.wallet_limit:
                raise Declined("8")
            return self._move("out", phone, amount, purpose, receipt)

    def reverse_entry(
        self, original: Entry, *, purpose: Purpose, receipt: str, amount: int | None = None
    ) -> Entry:
        """Reverse a payment, or ``amount`` KES of it.

        Raises Declined: R000001 if it is reversed already, 25 if less than that is left of it, 1 if
        the account holds too little.
        """
        with self._lock:
            left = original.amount - self._reversed[original.receipt]
            amount = original.amount if amount is None else amount
            if not left:
                raise Declined("R000001")
            if amount > left:
                raise Declined("25")
            if self._utility_of(original.account) < amount:
                raise Declined("1")
            return self._move("out", original.phone, amount, purpose, receipt)

    def return_entry(self, original: Entry, *, purpose: Purpose) -> Entry:
        """Take a payout back from the phone.

        Raises Declined: R000001 if it is reversed already, 1 if the phone's wallet holds too
        little.
        """
        with self._lock:
            if self._reversed[original.receipt]:
                raise Declined("R000001")
            if self._wallet(original.phone) < original.amount:
                raise Declined("1")
            return self._move("in", original.phone, original.amount, purpose, None)

    def is_reversed(self, receipt: str) -> bool:
        """Return whether a payment was reversed, all of it, or a payout taken back."""
        with self._lock:
            entry = self._by_receipt.get(receipt)
            return entry is not None and self._reversed[receipt] == entry.amount

    def forge_entry(self, *, phone: str, amount: int, purpose: Purpose) -> Entry:
        """Make up an entry for a forged message. No money moves; its receipt is never reused."""
        with self._lock:
            now = self._clock.now()
            return Entry(
                receipt=self._new_receipt(now),
                direction="in",
                phone=phone,
                amount=amount,
                wallet_after=0,
                account_after=0,
                time=now,
                purpose=purpose,
            )

    def new_receipt(self) -> str:
        """Return a new receipt number. Each is returned once, even if no money moves under it."""
        with self._lock:
            return self._new_receipt(self._clock.now())

    def wallet(self, phone: str) -> int:
        """Return the balance of a phone's wallet, in KES."""
        with self._lock:
            return self._wallet(phone)

    def set_wallet(self, phone: str, amount: int) -> None:
        """Set the balance of a phone's wallet, in KES. Raises ValueError if it is negative."""
        if amount < 0:
            raise ValueError("the balance of a wallet must be 0 or more")
        with self._lock:
            self._record(WalletSet(phone, amount))

    def account(self, shortcode: str) -> dict[str, int]:
        """Return the balances of a shortcode's ``utility`` and ``working`` accounts, in KES.

        Payments and payouts move money in the utility account. Only ``set_account`` changes the
        working account.
        """
        with self._lock:
            return self._account(shortcode)

    def set_account(self, shortcode: str, *, utility: int | None, working: int | None) -> None:
        """Set the balances of a shortcode's accounts, in KES. None leaves one unchanged."""
        with self._lock:
            if utility is not None:
                self._top_up(shortcode, utility)
            if working is not None:
                self._record(WorkingSet(shortcode, working))

    def find(self, receipt: str) -> Entry | None:
        """Return the movement with this receipt number, if any."""
        with self._lock:
            return self._by_receipt.get(receipt)

    def find_request(self, originator_id: str) -> Entry | None:
        """Return the movement made by the request with this OriginatorConversationID, if any."""
        with self._lock:
            return self._requests.get(originator_id)

    def entries(self) -> list[Entry]:
        """Return every movement, oldest first."""
        with self._lock:
            return list(self._entries)

    def statement(self, phone: str) -> list[Entry]:
        """Return every movement of one phone, oldest first."""
        with self._lock:
            return list(self._by_phone.get(phone, ()))

    def as_json(self) -> dict[str, Any]:
        """Return all the books: totals received and paid out, entries, wallets, and accounts."""
        with self._lock:
            entries, wallets = list(self._entries), dict(self._wallets)
            accounts = {number: self._account(number) for number in self._config.numbers}
        return {
            "currency": "KES",
            "shortcode": self._config.shortcode,
            "received": sum(e.amount for e in entries if e.direction == "in"),
            "paid_out": sum(e.amount for e in entries if e.direction == "out"),
            "entries": [entry.as_json() for entry in entries],
            "wallets": wallets,
            "accounts": accounts,
        }

    def clear(self) -> None:
        """Start new books with full wallets. Receipt numbers are not reused."""
        with self._lock:
            self._record(NewBooks())

    def _clear(self) -> None:
        for kept in (
            self._wallets,
            self._utility,
            self._working,
            self._entries,
            self._lines,
            self._by_receipt,
            self._by_phone,
            self._daily_totals,
            self._reversed,
            self._requests,
        ):
            kept.clear()

    def portal_lines(self, shortcode: str) -> list[Entry | TopUp]:
        """Return every movement on a number's utility account, oldest first."""
        with self._lock:
            return [
                line
                for line in self._lines
                if shortcode == (line.account if isinstance(line, Entry) else line.shortcode)
            ]

    def _top_up(self, shortcode: str, amount: int) -> None:
        now, change = self._clock.now(), amount - self._utility_of(shortcode)
        if not change:
            return
        self._record(
            TopUp(
                receipt=self._new_receipt(now),
                shortcode=shortcode,
                amount=change,
                account_after=amount,
                time=now,
            )
        )

    def _count_top_up(self, line: TopUp) -> None:
        self._utility[line.shortcode] = line.account_after
        self._receipts.add(line.receipt)
        self._lines.append(line)

    def _move(
        self,
        direction: Literal["in", "out"],
        phone: str,
        amount: int,
        purpose: Purpose,
        receipt: str | None,
    ) -> Entry:
        now = self._clock.now()
        gained = amount if direction == "in" else -amount
        account = purpose.party_b if direction == "in" else purpose.shortcode
        entry = Entry(
            receipt=receipt or self._new_receipt(now),
            direction=direction,
            phone=phone,
            amount=amount,
            wallet_after=self._wallet(phone) - gained,
            account_after=self._utility_of(account) + gained,
            time=now,
            purpose=purpose,
        )
        self._record(entry)
        return entry

    def _record(self, record: Record) -> None:
        """Write a record to the file, if there is one, then apply it."""
        if self._file:
            self._file.add(record)
        self._apply(record)

    def _apply(self, record: Record) -> None:
        match record:
            case Entry():
                self._count(record)
            case TopUp():
                self._count_top_up(record)
            case WalletSet():
                self._wallets[record.phone] = record.amount
            case WorkingSet():
                self._working[record.shortcode] = record.amount
            case NewBooks():
                self._clear()

    def _count(self, entry: Entry) -> None:
        """Apply a recorded movement to the balances and look-up tables."""
        purpose = entry.purpose
        self._wallets[entry.phone] = entry.wallet_after
        self._utility[entry.account] = entry.account_after
        if purpose.reverses:
            self._reversed[purpose.reverses] += entry.amount
        else:
            self._daily_totals[(entry.direction, entry.phone, entry.time.date())] += entry.amount
        if purpose.originator_conversation_id:
            self._requests[purpose.originator_conversation_id] = entry
        self._receipts.add(entry.receipt)
        self._entries.append(entry)
        self._lines.append(entry)
        self._by_receipt[entry.receipt] = entry
        self._by_phone[entry.phone].append(entry)

    def _exceeds_daily_limit(self, direction: str, phone: str, amount: int) -> bool:
        moved = self._daily_totals.get((direction, phone, self._clock.now().date()), 0)
        return moved + amount > self._config.daily_limit

    def _wallet(self, phone: str) -> int:
        return self._wallets.get(phone, self._config.wallet)

    def _account(self, shortcode: str) -> dict[str, int]:
        return {
            "utility": self._utility_of(shortcode),
            "working": self._working.get(shortcode, 0),
        }

    def _utility_of(self, shortcode: str) -> int:
        opening = self._config.utility if shortcode == self._config.b2c_shortcode else 0
        return self._utility.get(shortcode, opening)

    def _new_receipt(self, now: datetime) -> str:
        while (receipt := ids.receipt(now)) in self._receipts:
            continue
        self._receipts.add(receipt)
        return receipt
