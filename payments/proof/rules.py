"""Every rule of the books, by what it is about (see payments.proof.prove)."""

from . import attempts, ledger, liveness, money_in, payouts, refunds, reviews, staff, stock
from .rule import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "attempts",
    "ledger",
    "liveness",
    "money_in",
    "payouts",
    "refunds",
    "reviews",
    "staff",
    "stock",
]
