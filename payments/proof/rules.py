"""Every rule of the books, by what it is about (see payments.proof.prove)."""

from . import attempts, reviews
from . import ledger as books
from . import liveness as waiting
from . import money_in as orders
from . import money_out as payouts
from . import refunds as money_out
from . import stock as goods
from .rule import RULES, Rule

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
