"""All integrity rules by subject (see payments.proof.prove).

A new rule needs a corruption that it finds: ``BREAKS`` in tests/test_proof.py, or the SQL in
tests/proof/corruptions_of_sales.py. A test fails for a rule that has never found anything.
"""

from . import (
    agreements,
    attempts,
    bounds,
    days,
    deliveries,
    evidence,
    immutable_columns,
    ledger,
    listings,
    liveness,
    messages,
    money_in,
    payouts,
    people,
    problems,
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
    "deliveries",
    "evidence",
    "immutable_columns",
    "ledger",
    "listings",
    "liveness",
    "messages",
    "money_in",
    "payouts",
    "people",
    "problems",
    "refunds",
    "reviews",
    "staff",
    "steps",
    "stock",
]
