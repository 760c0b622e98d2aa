"""The phones: which ones are known, and their messages."""

import threading
from collections import deque
from typing import Any

from .clock import Clock
from .config import Config
from .entries import Entry
from .prompts import Ending, Push
from .results import NOTICES, describe


class Handsets:
    """An inbox with the newest messages of each phone. Thread-safe."""

    def __init__(self, clock: Clock, keep_phones: int = 5_000, keep_messages: int = 50) -> None:
        self._clock = clock
        self._keep_phones = keep_phones
        self._keep_messages = keep_messages
        self._lock = threading.Lock()
        self._inboxes: dict[str, deque[dict[str, Any]]] = {}
        self._last = 0

    def remember(self, phone: str) -> None:
        """Add a phone to the list, or move it to the front."""
        with self._lock:
            self._remember(phone)

    def send_sms(self, phone: str, message: str, *, paid: bool, sender: str = "M-PESA") -> None:
        """Send an SMS to a phone. ``paid`` is whether a payment was made, or failed."""
        at = self._clock.now().isoformat(timespec="seconds")
        with self._lock:
            self._last += 1
            self._remember(phone).append(
                {"n": self._last, "at": at, "paid": paid, "from": sender, "text": message}
            )

    def phones(self) -> list[str]:
        """List the known phones, the most recent first."""
        with self._lock:
            return list(reversed(self._inboxes))

    def inbox(self, phone: str) -> list[dict[str, Any]]:
        """Return a phone's messages, newest first: ``n``, ``at``, ``paid``, ``from``, ``text``."""
        with self._lock:
            return list(reversed(self._inboxes.get(phone, ())))

    def clear(self) -> None:
        """Forget every phone and message."""
        with self._lock:
            self._inboxes.clear()

    def _remember(self, phone: str) -> deque[dict[str, Any]]:
        inbox = self._inboxes.pop(phone, None)
        if inbox is None:
            inbox = deque(maxlen=self._keep_messages)
            while len(self._inboxes) >= self._keep_phones:
                del self._inboxes[next(iter(self._inboxes))]
        self._inboxes[phone] = inbox
        return inbox


def prompt_words(config: Config, push: Push) -> dict[str, str]:
    """Return the texts of a prompt: ``question``, ``account``, and all of it as ``text``."""
    question = f"Do you want to pay KES {push.amount:,} to {config.merchant_name}?"
    account = _account(push)
    return {
        "question": question,
        "account": account,
        "text": f"{question} {account}. Enter M-PESA PIN",
    }


def ending_text(config: Config, push: Push, ending: Ending, balance: int) -> str:
    """Return the payer's SMS after a prompt, paid or not."""
    to = config.merchant_name
    if ending.entry is not None:
        entry = ending.entry
        return (
            f"{entry.receipt} Confirmed. {_kes(entry.amount)} paid to {to}, {_account(push)}, "
            f"on {_when(entry)}. Your M-PESA balance is {_kes(entry.wallet_after)}."
        )
    reason = NOTICES.get(ending.code, ending.desc.rstrip("."))
    return (
        f"Failed: {reason}. {_kes(push.amount)} was not paid to {to}, {_account(push)}. "
        f"Your M-PESA balance is still {_kes(balance)}."
    )


def c2b_paid_text(to: str, entry: Entry) -> str:
    """Return the payer's SMS after a C2B payment."""
    return (
        f"{entry.receipt} Confirmed. {_kes(entry.amount)} paid to {to}"
        f"{_for_account(entry.purpose.reference)}, on {_when(entry)}. "
        f"Your M-PESA balance is {_kes(entry.wallet_after)}."
    )


def c2b_failed_text(
    to: str, account: str, amount: int, code: str, words: str | None, balance: int
) -> str:
    """Return the payer's SMS after a failed C2B payment, with the reason in plain language."""
    reason = words or NOTICES.get(code) or describe(code).rstrip(".")
    return (
        f"Failed: {reason}. {_kes(amount)} was not paid to {to}{_for_account(account)}. "
        f"Your M-PESA balance is still {_kes(balance)}."
    )


def received_text(sender: str, entry: Entry) -> str:
    """Return the SMS for money received."""
    return (
        f"{entry.receipt} Confirmed. You have received {_kes(entry.amount)} from {sender} on "
        f"{_when(entry)}. New M-PESA balance is {_kes(entry.wallet_after)}."
    )


def returned_text(sender: str, entry: Entry) -> str:
    """Return the payer's SMS after a reversal."""
    return (
        f"{entry.receipt} Confirmed. Your payment {entry.purpose.reverses} to {sender} was "
        f"reversed on {_when(entry)} and {_kes(entry.amount)} is back in your account. "
        f"New M-PESA balance is {_kes(entry.wallet_after)}."
    )


def _for_account(account: str) -> str:
    return f", Account no. {account}" if account else ""


def _when(entry: Entry) -> str:
    return f"{entry.time:%d/%m/%y} at {entry.time:%I:%M %p}"


def _kes(amount: int) -> str:
    return f"KES {amount:,}.00"


def _account(push: Push) -> str:
    if push.transaction_type == "CustomerBuyGoodsOnline":
        return f"Till no. {push.party_b}"
    return f"Account no. {push.reference}"
