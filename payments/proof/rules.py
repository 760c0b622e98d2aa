"""Every rule of the books, by what it is about (see payments.proof.prove)."""

from . import (
    agreements,
    attempts,
    ledger,
    liveness,
    money_in,
    payouts,
    refunds,
    reviews,
    steps,
    stock,
)
from .rule import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "agreements",
    "attempts",
    "ledger",
    "liveness",
    "money_in",
    "payouts",
    "refunds",
    "reviews",
    "steps",
    "stock",
]
