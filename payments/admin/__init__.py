"""The admin's pages of what came and went."""

from . import ledger, transactions

__all__ = ["ledger", "transactions"]
