"""Banks where the shop has an account: one module each, registered below.

A bank's module reads its notifications and its settings (see payments.banks.bank.Bank). Registering
it adds its webhook address, receipts, clearing account, admin filters and the payment instructions
for buyers. Its secrets are settings (omachemainproj.settings.banks), checked at startup by
omachemainproj.settings.checks.
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
