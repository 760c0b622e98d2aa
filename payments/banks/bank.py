"""What the shop needs to know of a bank that notifies it of payments, and the list of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.http import HttpRequest

#: Columns have room for this much, and it is a part of an address.
_KEY = re.compile(r"[a-z]{2,7}")
#: Names in the same columns that are no bank's.
_TAKEN = {"mpesa", "prompt"}


class UnreadableNotification(ValueError):
    """The body is not a notification that can be believed. Its text is a plain sentence."""


class BankDirection(StrEnum):
    """Which way money went, by what the bank says of it. Never a guess, and never a default."""

    IN = "in"
    #: A debit, or an earlier credit that was reversed.
    OUT = "out"
    #: It says nothing, or a word that is not in its documentation.
    UNSAID = "unsaid"


@dataclass(frozen=True, slots=True)
class BankNotification:
    """A movement of money at the shop's account at a bank, by whatever means it was made.

    ``direction`` has no default, so that every bank must say that money came in: nothing else is
    credited. ``amount`` is whole units of ``currency``; ``number`` the bank's own reference, which
    it gives no other payment; ``reference`` what the payer typed; ``phone`` and ``payer`` are as
    the bank shows them; ``paid_at`` is aware, or None. One that did not succeed moved no money, and
    ``remarks`` say why. ``other_account`` is the account it names, where that is not the shop's.

    Raises UnreadableNotification where money came in without a number, or an amount of 1 or more.
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
            raise UnreadableNotification("The bank does not say which way the money went.")
        # Money is recorded once by its number.
        if self.is_money_in and (not self.number or self.amount < 1):
            raise UnreadableNotification("The bank's reference or the amount is missing.")

    @property
    def is_money_in(self) -> bool:
        """Whether money came in."""
        return self.succeeded and self.direction == BankDirection.IN


class PayBill(NamedTuple):
    """Where M-Pesa's customers pay into the bank, and what they type as account number."""

    number: str
    account: str


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank that notifies the shop of payments into its account there.

    ``key`` is what the bank is called in data, 2 to 7 small letters: the ``provider`` of its
    receipts, the ``source`` of its stored events, the last part of the address it posts to
    (``/safwebhook/bank/<key>/``) and the first of its clearing account (``<key>_clearing``). It
    never changes. ``name`` is for people.
    """

    key: str
    name: str
    #: Whether a request is the bank's own.
    authenticate: Callable[[HttpRequest], bool]
    #: Reads the body of a request, up to 64 kB. Raises UnreadableNotification, and nothing else.
    read: Callable[[bytes], BankNotification]
    #: Where a buyer pays by hand for an order's reference; None where the bank is not set up.
    pay_bill: Callable[[str], PayBill | None]


_banks: dict[str, Bank] = {}


def register(bank: Bank) -> None:
    """Let the shop take notifications of a bank.

    Raises ValueError for a key that is no key or is taken.
    """
    if not _KEY.fullmatch(bank.key) or bank.key in _TAKEN or bank.key in _banks:
        raise ValueError(f"a bank's key is 2 to 7 small letters of its own, not {bank.key!r}")
    _banks[bank.key] = bank


def registered_banks() -> tuple[Bank, ...]:
    """Every bank, in the order they were registered."""
    return tuple(_banks.values())


def find_bank(key: str) -> Bank | None:
    """The bank of this key, if there is one."""
    return _banks.get(key)
