"""How money came and went: attempts to collect it, what arrived, what left, whose it is."""

from .gateway_events import EventState, GatewayEvent, Source
from .ledger import (
    Account,
    LedgerEntry,
    LedgerPosting,
    Side,
)
from .order_balances import OrderMoney, credited_to, money_of
from .order_payments import OPEN, AttemptStatus, Channel, OrderPayment, new_callback_token
from .payouts import (
    Payout,
    PayoutDay,
    SellerShare,
)
from .receipts import Door, Provider, QueryBudget, Receipt, StatementPull
from .transfers import Cause, MoneyOut, PayoutStop, Refund, TransferStatus, Way, new_conversation_id

__all__ = [
    "OPEN",
    "Account",
    "AttemptStatus",
    "Cause",
    "Channel",
    "Door",
    "EventState",
    "GatewayEvent",
    "LedgerEntry",
    "LedgerPosting",
    "MoneyOut",
    "OrderMoney",
    "OrderPayment",
    "Payout",
    "PayoutDay",
    "PayoutStop",
    "Provider",
    "QueryBudget",
    "Receipt",
    "Refund",
    "SellerShare",
    "Side",
    "Source",
    "StatementPull",
    "TransferStatus",
    "Way",
    "credited_to",
    "money_of",
    "new_callback_token",
    "new_conversation_id",
]
