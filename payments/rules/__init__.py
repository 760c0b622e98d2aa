"""Every rule of the books, by what it is about (see payments.proof)."""

from . import attempts, books, goods, money_out, orders, payouts, reviews, waiting
from .base import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "attempts",
    "books",
    "goods",
    "money_out",
    "orders",
    "payouts",
    "reviews",
    "waiting",
]
