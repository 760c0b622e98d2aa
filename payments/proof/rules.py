"""Every rule of the books, by what it is about (see payments.proof.prove)."""

from . import (
    attempts,
    evidence,
    ledger,
    liveness,
    money_in,
    payouts,
    refunds,
    reviews,
    staff,
    stock,
)
from .rule import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "attempts",
    "evidence",
    "ledger",
    "liveness",
    "money_in",
    "payouts",
    "refunds",
    "reviews",
    "staff",
    "stock",
]
