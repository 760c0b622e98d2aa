"""A fake of our own Daraja client, without the network."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from payments.daraja.client import (
    Conversation,
    PushAccepted,
    StatementPage,
    StkOutcome,
    StkStatus,
)
from tests.guards import open_transaction

PAID = StkStatus(StkOutcome.PAID, "0", "The service request is processed successfully.")
CANCELLED = StkStatus(StkOutcome.FAILED, "1032", "Request cancelled by user")
SILENCE = StkStatus(StkOutcome.UNKNOWN, "4999", "The transaction is still under processing")


@dataclass
class FakeDaraja:
    """Accepts every prompt and refund, reports nothing, and has an empty statement.

    ``on_push``, ``answer``, ``on_pull`` and ``on_pay`` change that.
    """

    answer: StkStatus = SILENCE
    on_push: Callable[[dict[str, Any]], None] = lambda push: None
    on_pull: Callable[[dict[str, Any]], StatementPage] = lambda pull: StatementPage((), ())
    on_pay: Callable[[dict[str, Any]], None] = lambda payout: None
    pushes: list[dict[str, Any]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    reversals: list[dict[str, Any]] = field(default_factory=list)
    payouts: list[dict[str, Any]] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def stk_push(self, **push: Any) -> PushAccepted:
        assert not open_transaction(), "M-Pesa was asked inside a transaction"
        number = next(self._numbers)
        self.pushes.append(push)
        self.on_push(push)
        return PushAccepted(f"m-push-{number}", f"ws_CO_push_{number}", "Success.")

    def stk_query(self, *, checkout_request_id: str) -> StkStatus:
        assert not open_transaction(), "M-Pesa was asked inside a transaction"
        self.queries.append(checkout_request_id)
        return self.answer

    def pull_transactions(self, **pull: Any) -> StatementPage:
        assert not open_transaction(), "M-Pesa was asked inside a transaction"
        self.pulls.append(pull)
        return self.on_pull(pull)

    def reversal(self, **reversal: Any) -> Conversation:
        return self._take(self.reversals, reversal)

    def b2c_payment(self, **payout: Any) -> Conversation:
        taken = self._take(self.payouts, payout)
        self.on_pay(payout)
        return taken

    def transaction_status(self, **question: Any) -> Conversation:
        return self._take(self.questions, question)

    def _take(self, taken: list[dict[str, Any]], request: dict[str, Any]) -> Conversation:
        assert not open_transaction(), "M-Pesa was asked inside a transaction"
        taken.append(request)
        number = next(self._numbers)
        return Conversation(f"AG_{number}", f"ours-{number}")
