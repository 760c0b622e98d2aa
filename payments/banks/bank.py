"""The interface to a bank that notifies the shop of payments, and the registry of banks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.http import HttpRequest

#: It must fit the columns and is part of a URL.
_KEY = re.compile(r"[a-z]{2,7}")
#: Other values of the same columns.
_TAKEN = {"mpesa", "prompt"}


class UnreadableNotification(ValueError):
    """The body is not a valid notification. The text is a sentence for staff."""


class BankDirection(StrEnum):
    """The direction of a movement as the bank states it. Never guessed or defaulted."""

    IN = "in"
    #: A debit, or an earlier credit that was reversed.
    OUT = "out"
    #: The bank states none, or a word that is not in its documentation.
    UNSAID = "unsaid"


@dataclass(frozen=True, slots=True)
class BankNotification:
    """A movement on the shop's bank account.

    ``direction`` has no default: only money that the bank states as incoming is credited.
    ``amount`` is in whole units of ``currency``. ``number`` is the bank's unique reference,
    ``reference`` what the payer typed, ``phone`` and ``payer`` are as the bank shows them,
    ``paid_at`` is aware or None. If ``succeeded`` is false no money moved, and ``remarks`` say why.
    ``other_account`` is the account named in the notification if it is not the shop's.

    Raises UnreadableNotification if money came in without a number or with an amount below 1.
    """

    number: str
    amount: int
    currency: str
    direction: BankDirection
    succeeded: bool
    reference: str
    phone: str
    payer: str
    remarks: str
    paid_at: datetime | None
    other_account: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.direction, BankDirection):
            raise UnreadableNotification("The bank does not state the direction of the payment.")
        # The number is what prevents recording a payment twice.
        if self.is_money_in and (not self.number or self.amount < 1):
            raise UnreadableNotification("The bank's reference or the amount is missing.")

    @property
    def is_money_in(self) -> bool:
        """Whether money came in."""
        return self.succeeded and self.direction == BankDirection.IN


class PayBill(NamedTuple):
    """The pay bill of the bank, and the account number that payers type."""

    number: str
    account: str


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank that notifies the shop of payments into its account there.

    ``key`` identifies the bank in data, with 2 to 7 lower-case letters: it is the ``provider`` of
    receipts, the ``source`` of stored events, the last part of the webhook address
    (``/safwebhook/bank/<key>/``) and the prefix of the clearing account (``<key>_clearing``). It
    never changes. ``name`` is the display name.
    """

    key: str
    name: str
    #: Whether a request comes from the bank.
    authenticate: Callable[[HttpRequest], bool]
    #: Reads the body of a request, up to 64 kB. Raises only UnreadableNotification.
    read: Callable[[bytes], BankNotification]
    #: Payment instructions for an order's reference; None if the bank is not configured.
    pay_bill: Callable[[str], PayBill | None]


_banks: dict[str, Bank] = {}


def register(bank: Bank) -> None:
    """Register a bank, so that the shop accepts its notifications.

    Raises ValueError for an invalid or duplicate key.
    """
    if not _KEY.fullmatch(bank.key) or bank.key in _TAKEN or bank.key in _banks:
        raise ValueError(f"a bank's key must be 2 to 7 unique lower-case letters, not {bank.key!r}")
    _banks[bank.key] = bank


def registered_banks() -> tuple[Bank, ...]:
    """All banks in the order of registration."""
    return tuple(_banks.values())


def find_bank(key: str) -> Bank | None:
    """The bank with this key, or None."""
    return _banks.get(key)
