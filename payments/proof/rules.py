"""Every rule of the books, by what it is about (see payments.proof.prove)."""

from . import (
    agreements,
    attempts,
    evidence,
    ledger,
    liveness,
    money_in,
    payouts,
    refunds,
    reviews,
    staff,
    steps,
    stock,
)
from .rule import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "agreements",
    "attempts",
    "evidence",
    "ledger",
    "liveness",
    "money_in",
    "payouts",
    "refunds",
    "reviews",
    "staff",
    "steps",
    "stock",
]
