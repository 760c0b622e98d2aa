"""Requests to the asynchronous APIs: payouts, reversals, status queries and balance queries."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .behaviour import Script
from .prompts import Ending
from .wire import DarajaError


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """A valid request to one of these APIs.

    ``body`` is the original body. ``amount`` is whole KES. Fields that an API does not have are
    empty or 0. ``original_…`` identify the transaction to reverse or to find.
    """

    api: Literal["b2c", "reversal", "transaction_status", "account_balance"]
    initiator: str
    credential: str
    command: str
    shortcode: str
    result_url: str
    timeout_url: str
    remarks: str
    body: Mapping[str, Any]
    phone: str = ""
    amount: int = 0
    original_transaction_id: str = ""
    original_conversation_id: str = ""


@dataclass(eq=False, kw_only=True)
class Conversation:
    """A request and its outcome. ``ending`` is None until it ends, and stays None if it expires."""

    instruction: Instruction
    conversation_id: str
    originator_id: str
    transaction_id: str
    script: Script
    asked_at: datetime
    ending: Ending | None = None
    ended_at: datetime | None = None
    expired: bool = False

    @property
    def status(self) -> str:
        """The status, in the terms of Transaction Status."""
        if self.expired:
            return "Expired"
        if self.ending is None:
            return "Initiated"
        return "Completed" if self.ending.code == "0" else "Declined"

    def as_json(self) -> dict[str, Any]:
        """Return the request as in ``GET /control/conversations``, without its credential."""
        ending = self.ending
        return {
            "api": self.instruction.api,
            "conversation_id": self.conversation_id,
            "originator_conversation_id": self.originator_id,
            "transaction_id": self.transaction_id,
            "asked_at": self.asked_at.isoformat(timespec="seconds"),
            "command": self.instruction.command,
            "shortcode": self.instruction.shortcode,
            "phone": self.instruction.phone,
            "amount": self.instruction.amount,
            "status": self.status,
            "result_code": ending.code if ending else None,
            "result_desc": ending.desc if ending else None,
            "receipt": ending.entry.receipt if ending and ending.entry else None,
        }


class Conversations:
    """Keeps all such requests, and refuses reused ids. Thread-safe."""

    def __init__(self, keep: int = 20_000) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._by_originator: dict[str, Conversation] = {}
        self._by_transaction: dict[str, Conversation] = {}

    def add(self, conversation: Conversation) -> None:
        """Add a request. Raises DarajaError if its OriginatorConversationID was used before."""
        with self._lock:
            self._refuse_known(conversation.originator_id)
            while len(self._by_originator) >= self._keep:
                oldest = self._by_originator.pop(next(iter(self._by_originator)))
                self._by_transaction.pop(oldest.transaction_id, None)
            self._by_originator[conversation.originator_id] = conversation
            self._by_transaction[conversation.transaction_id] = conversation

    def refuse_known(self, originator_id: str) -> None:
        """Raise DarajaError if this id was used before."""
        with self._lock:
            self._refuse_known(originator_id)

    def find(self, *, transaction_id: str = "", originator_id: str = "") -> Conversation | None:
        """Return the request with this transaction id or OriginatorConversationID, if any."""
        with self._lock:
            return self._by_transaction.get(transaction_id) or self._by_originator.get(
                originator_id
            )

    def list(self) -> list[Conversation]:
        """Return all requests in memory, oldest first."""
        with self._lock:
            return list(self._by_originator.values())

    def clear(self) -> None:
        """Forget all requests and their ids."""
        with self._lock:
            self._by_originator.clear()
            self._by_transaction.clear()

    def _refuse_known(self, originator_id: str) -> None:
        if originator_id in self._by_originator:
            raise duplicate()


def duplicate() -> DarajaError:
    """The error for a reused OriginatorConversationID."""
    return DarajaError(500, "500.002.1001", "Duplicate OriginatorConversationID.")
