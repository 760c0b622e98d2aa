"""Models of money in and out: attempts, receipts, refunds, payouts, and the ledger."""

from .access_tokens import AccessToken
from .evidence import AUTHORITATIVE_SOURCES, ReceiptEvidence, ReceiptQuestion
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
from .order_balances import (
    BuyerMoney,
    OrderBalance,
    SettlementContext,
    amount_credited,
    buyers_money,
    buyers_money_of,
    fees_earned,
    given_back,
    is_rest_confirmed,
    order_balance,
    with_confirmed_cover,
)
from .order_payments import (
    OPEN,
    AttemptStatus,
    Channel,
    OrderPayment,
    OrderPaymentQuerySet,
    new_callback_token,
)
from .originals import Original
from .payouts import Payout, PayoutDay, SellerShare, share_due
from .portal_statements import PortalStatement, Withdrawal, WithdrawalState
from .query_budgets import QueryBudget
from .query_schedules import STK_QUERIES, TRANSFER_QUERIES
from .receipts import (
    AMOUNT_REPORTING_SOURCES,
    DOUBTFUL,
    Provider,
    Receipt,
    ReceiptSource,
    Verification,
    provider_choices,
)
from .refunds import Refund, RefundDay, RefundMethod, RefundReason
from .statement_pulls import StatementPull
from .strangers import StrangersPosts
from .transfers import (
    AWAITS_APPROVAL,
    MAX_TRIES,
    DailyTransferTotal,
    PayoutStop,
    StopCause,
    Transfer,
    TransferStatus,
    Unnumbered,
    new_conversation_id,
)
from .watch import AlertMail, NightlyProof, Trouble

__all__ = [
    "AMOUNT_REPORTING_SOURCES",
    "AUTHORITATIVE_SOURCES",
    "AWAITS_APPROVAL",
    "DOUBTFUL",
    "MAX_TRIES",
    "OPEN",
    "STK_QUERIES",
    "TRANSFER_QUERIES",
    "AccessToken",
    "Account",
    "AlertMail",
    "AttemptStatus",
    "BuyerMoney",
    "Channel",
    "DailyTransferTotal",
    "EventState",
    "GatewayEvent",
    "LedgerEntry",
    "LedgerPosting",
    "NightlyProof",
    "OrderBalance",
    "OrderPayment",
    "OrderPaymentQuerySet",
    "Original",
    "Payout",
    "PayoutDay",
    "PayoutStop",
    "PortalStatement",
    "Provider",
    "QueryBudget",
    "Receipt",
    "ReceiptEvidence",
    "ReceiptQuestion",
    "ReceiptSource",
    "Refund",
    "RefundDay",
    "RefundMethod",
    "RefundReason",
    "SellerShare",
    "SettlementContext",
    "Side",
    "Source",
    "StatementPull",
    "StopCause",
    "StrangersPosts",
    "Transfer",
    "TransferStatus",
    "Trouble",
    "Unnumbered",
    "Verification",
    "Withdrawal",
    "WithdrawalState",
    "account_choices",
    "amount_credited",
    "buyers_money",
    "buyers_money_of",
    "clearing_account",
    "fees_earned",
    "given_back",
    "is_clearing",
    "is_rest_confirmed",
    "new_callback_token",
    "new_conversation_id",
    "order_balance",
    "provider_choices",
    "share_due",
    "with_confirmed_cover",
]
