"""M-Pesa as our own client shows it, without the network."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from payments.daraja.client import PushAccepted, StkOutcome, StkStatus
from tests.guards import open_transaction

PAID = StkStatus(StkOutcome.PAID, "0", "The service request is processed successfully.")
CANCELLED = StkStatus(StkOutcome.FAILED, "1032", "Request cancelled by user")
SILENCE = StkStatus(StkOutcome.UNKNOWN, "4999", "The transaction is still under processing")


@dataclass
class FakeDaraja:
    """Takes every prompt; ``on_push`` and ``answer`` make it behave otherwise."""

    answer: StkStatus = SILENCE
    on_push: Callable[[dict[str, Any]], None] = lambda push: None
    pushes: list[dict[str, Any]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def push(self, **push: Any) -> PushAccepted:
        assert not open_transaction(), "M-Pesa was asked inside a transaction"
        number = next(self._numbers)
        self.pushes.append(push)
        self.on_push(push)
        return PushAccepted(f"m-push-{number}", f"ws_CO_push_{number}", "Success.")

    def query(self, *, checkout_request_id: str) -> StkStatus:
        assert not open_transaction(), "M-Pesa was asked inside a transaction"
        self.queries.append(checkout_request_id)
        return self.answer
