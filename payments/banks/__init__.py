"""Banks where the shop has an account: one module each, registered below.

A bank's module reads its notifications and knows its settings (payments.banks.bank.Bank says what
else). From its registration follow its address, its receipts and clearing account, the staff's
lists and the way to pay that buyers are shown. Its secrets are settings (omachemainproj.settings),
checked at the start by omachemainproj.production.
"""

from __future__ import annotations

from . import equity
from .bank import (
    Bank,
    BankDirection,
    BankNotification,
    PayBill,
    UnreadableNotification,
    find_bank,
    register,
    registered_banks,
)

__all__ = [
    "Bank",
    "BankDirection",
    "BankNotification",
    "PayBill",
    "UnreadableNotification",
    "find_bank",
    "register",
    "registered_banks",
]

register(equity.BANK)
