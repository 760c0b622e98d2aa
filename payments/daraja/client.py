"""The Daraja client, and the names its callers need."""

from omachemainproj.callback_addresses import check_callback_url

from .account import DarajaAccount
from .c2b import C2bCalls
from .initiator import Conversation, InitiatorCalls
from .statement import StatementCalls, StatementPage, StatementRow
from .stk import PushAccepted, StkCalls, StkOutcome, StkStatus
from .tokens import MemoryTokenStore, TokenStore

__all__ = [
    "Conversation",
    "DarajaAccount",
    "DarajaClient",
    "MemoryTokenStore",
    "PushAccepted",
    "StatementPage",
    "StatementRow",
    "StkOutcome",
    "StkStatus",
    "TokenStore",
    "check_callback_url",
]


class DarajaClient(StkCalls, InitiatorCalls, C2bCalls, StatementCalls):
    """All calls to Daraja for one account. Safe to share between threads."""
