"""How money came and went: attempts to collect it, what arrived, what left, whose it is."""

from .access_tokens import AccessToken
from .gateway_events import EventState, GatewayEvent, Source
from .ledger import (
    Account,
    LedgerEntry,
    LedgerPosting,
    Side,
    account_choices,
    clearing_account,
    is_clearing,
)
from .order_balances import OrderBalance, amount_credited, order_balance
from .order_payments import (
    OPEN,
    AttemptStatus,
    Channel,
    OrderPayment,
    OrderPaymentQuerySet,
    new_callback_token,
)
from .payouts import (
    AWAITS_APPROVAL,
    Payout,
    PayoutDay,
    SellerShare,
)
from .query_schedules import STK_QUERIES, TRANSFER_QUERIES
from .receipts import (
    Provider,
    QueryBudget,
    Receipt,
    ReceiptSource,
    StatementPull,
    provider_choices,
)
from .refunds import Cause, Refund, Way
from .strangers import StrangersPosts
from .transfers import MAX_TRIES, MoneyOut, PayoutStop, TransferStatus, new_conversation_id

__all__ = [
    "AWAITS_APPROVAL",
    "MAX_TRIES",
    "OPEN",
    "STK_QUERIES",
    "TRANSFER_QUERIES",
    "AccessToken",
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
    "OrderPaymentQuerySet",
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
    "StrangersPosts",
    "TransferStatus",
    "Way",
    "account_choices",
    "amount_credited",
    "clearing_account",
    "is_clearing",
    "new_callback_token",
    "new_conversation_id",
    "order_balance",
    "provider_choices",
]
