"""Every rule of the books, by what it is about (see payments.proof.prove)."""

from . import (
    attempts,
    bounds,
    days,
    evidence,
    ledger,
    liveness,
    messages,
    money_in,
    originals,
    payouts,
    people,
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
    "bounds",
    "days",
    "evidence",
    "ledger",
    "liveness",
    "messages",
    "money_in",
    "originals",
    "payouts",
    "people",
    "refunds",
    "reviews",
    "staff",
    "stock",
]
