"""M-Pesa Express prompts. Each is opened once and ends once."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from . import ids
from .behaviour import Script
from .books import Books
from .clock import Clock
from .entries import Entry, Purpose
from .results import DESCRIPTIONS, Declined, describe
from .wire import DarajaError


@dataclass(frozen=True, kw_only=True)
class Push:
    """A valid M-Pesa Express request. ``amount`` is whole KES, ``phone`` 12 digits."""

    shortcode: str
    transaction_type: str
    amount: int
    phone: str
    party_b: str
    callback_url: str
    reference: str
    description: str


@dataclass(frozen=True)
class Ending:
    """The outcome of a prompt: result code, its text, and the movement of money if any."""

    code: str
    desc: str
    entry: Entry | None = None


@dataclass(eq=False)
class Prompt:
    """A payment prompt on a phone. ``ending`` is None while it is open."""

    merchant_request_id: str
    checkout_request_id: str
    push: Push
    script: Script
    asked_at: datetime
    asked_second: float
    rings: bool
    ending: Ending | None = None
    polls: int = 0
    _purpose: Purpose = field(init=False)

    def __post_init__(self) -> None:
        self._purpose = Purpose(
            kind="stk",
            shortcode=self.push.shortcode,
            party_b=self.push.party_b,
            transaction_type=self.push.transaction_type,
            reference=self.push.reference,
            description=self.push.description,
            merchant_request_id=self.merchant_request_id,
            checkout_request_id=self.checkout_request_id,
        )

    @property
    def purpose(self) -> Purpose:
        """The purpose of the payment, for the books."""
        return self._purpose

    @property
    def state(self) -> Literal["ringing", "busy", "paid", "failed"]:
        """``ringing`` waits for a person, ``busy`` for the simulator. The others are final."""
        if self.ending is None:
            return "ringing" if self.rings else "busy"
        return "paid" if self.ending.code == "0" else "failed"


class Prompts:
    """The prompts of this simulator. Keeps the newest. Thread-safe."""

    def __init__(self, clock: Clock, books: Books, keep: int = 20_000) -> None:
        self._clock = clock
        self._books = books
        self._keep = keep
        self._lock = threading.Lock()
        self._by_id: dict[str, Prompt] = {}
        self._open: dict[str, Prompt] = {}
        #: When a phone was last asked for, or last paid, an amount (monotonic seconds).
        self._last: dict[tuple[str, str, int], float] = {}

    def open(self, push: Push, script: Script, *, rings: bool) -> Prompt:
        """Open a prompt on a phone. Raises DarajaError if the phone has one open."""
        with self._lock:
            self._refuse_if_open(push.phone)
            now = self._clock.now()
            while (checkout_id := ids.checkout_request_id(now, push.phone)) in self._by_id:
                continue
            prompt = Prompt(
                ids.merchant_request_id(),
                checkout_id,
                push,
                script,
                now,
                self._clock.seconds(),
                rings,
            )
            self._forget_the_oldest()
            self._by_id[checkout_id] = prompt
            self._open[push.phone] = prompt
            return prompt

    def refuse_if_open(self, phone: str) -> None:
        """Raise DarajaError (unable to lock subscriber) if the phone has a prompt open."""
        with self._lock:
            self._refuse_if_open(phone)

    def record(self, what: Literal["asked", "paid"], push: Push) -> None:
        """Remember that this phone was just asked for, or paid, this amount."""
        now = self._clock.seconds()
        with self._lock:
            if len(self._last) >= self._keep:
                self._last = dict(list(self._last.items())[self._keep // 2 :])
            self._last[(what, push.phone, push.amount)] = now

    def is_similar(self, what: Literal["asked", "paid"], push: Push, within: float) -> bool:
        """Return whether the phone was asked for, or paid, this amount within the last seconds."""
        now = self._clock.seconds()
        with self._lock:
            last = self._last.get((what, push.phone, push.amount))
        return last is not None and now - last < within

    def end(self, prompt: Prompt, code: str) -> bool:
        """End a prompt with a result code, and move the money for ``"0"``. Safe to repeat.

        Returns False if it had ended already. ``"0"`` becomes ``"1"`` if the wallet holds too
        little, and ``"4"`` if the phone would exceed its daily limit.
        """
        with self._lock:
            if self._open.get(prompt.push.phone) is not prompt:
                return False
            entry = None
            if code == "0":
                amount = prompt.script.paid_amount or prompt.push.amount
                try:
                    entry = self._books.receive(
                        phone=prompt.push.phone, amount=amount, purpose=prompt.purpose
                    )
                except Declined as no:
                    code = no.code
            prompt.ending = Ending(code, prompt.script.desc or describe(code), entry)
            del self._open[prompt.push.phone]
        if entry:
            self.record("paid", prompt.push)
        return True

    def find(self, checkout_request_id: str) -> Prompt | None:
        """Return the prompt with this CheckoutRequestID, if any."""
        with self._lock:
            return self._by_id.get(checkout_request_id)

    def open_on(self, phone: str) -> Prompt | None:
        """Return the open prompt of a phone, if any."""
        with self._lock:
            return self._open.get(phone)

    def list(self) -> list[Prompt]:
        """Return all prompts in memory, oldest first."""
        with self._lock:
            return list(self._by_id.values())

    def count_poll(self, prompt: Prompt) -> int:
        """Count a query of a prompt and return the count."""
        with self._lock:
            prompt.polls += 1
            return prompt.polls

    def clear(self) -> None:
        """Forget all prompts, including open ones."""
        with self._lock:
            self._by_id.clear()
            self._open.clear()
            self._last.clear()

    def _refuse_if_open(self, phone: str) -> None:
        if phone in self._open:
            raise DarajaError(
                500,
                "500.001.1001",
                DESCRIPTIONS["1001"].rstrip("."),
            )

    def _forget_the_oldest(self) -> None:
        while len(self._by_id) >= self._keep:
            oldest = next(iter(self._by_id))
            self._open.pop(self._by_id.pop(oldest).push.phone, None)
