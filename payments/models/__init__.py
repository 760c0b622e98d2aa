"""How money came and went: attempts to collect it, what arrived, what left, whose it is."""

from .gateway_events import EventState, GatewayEvent, Source
from .ledger import (
    Account,
    LedgerEntry,
    LedgerPosting,
    Side,
)
from .order_balances import OrderBalance, amount_credited, order_balance
from .order_payments import OPEN, AttemptStatus, Channel, OrderPayment, new_callback_token
from .payouts import (
    Payout,
    PayoutDay,
    SellerShare,
)
from .receipts import Provider, QueryBudget, Receipt, ReceiptSource, StatementPull
from .transfers import Cause, MoneyOut, PayoutStop, Refund, TransferStatus, Way, new_conversation_id

__all__ = [
    "OPEN",
    "Account",
    "AttemptStatus",
    "Cause",
    "Channel",
    "EventState",
    "GatewayEvent",
    "LedgerEntry",
    "LedgerPosting",
    "MoneyOut",
    "OrderBalance",
    "OrderPayment",
    "Payout",
    "PayoutDay",
    "PayoutStop",
    "Provider",
    "QueryBudget",
    "Receipt",
    "ReceiptSource",
    "Refund",
    "SellerShare",
    "Side",
    "Source",
    "StatementPull",
    "TransferStatus",
    "Way",
    "amount_credited",
    "new_callback_token",
    "new_conversation_id",
    "order_balance",
]
