"""Every rule of the books, by what it is about (see payments.proof.prove)."""

from . import (
    agreements,
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
    steps,
    stock,
)
from .rule import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "agreements",
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
    "steps",
    "stock",
]
