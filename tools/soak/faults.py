"""Faults, drawn from a seed: answers on the phone, M-Pesa's behaviour, buyers' behaviour."""

import random
from dataclasses import dataclass, field
from typing import Any

#: Last digits of a phone, and their weights: 5566 pays, the others are the simulator's magic ones.
ENDINGS = {
    "5566": 60, "0001": 4, "1032": 7, "1037": 4, "2001": 4, "9000": 10, "9002": 11,
}  # fmt: skip

#: Percentage of each script for a prompt, and the function of a source of randomness that
#: returns it. The other prompts follow the phone's last digits.
PROMPT_FAULTS: dict[str, tuple[float, Any]] = {
    "callback late": (4, lambda r: {"callback_delay": r.uniform(2, 25)}),
    "callback three times at once": (4, lambda r: {"callbacks": 3, "together": True}),
    "callback before the answer": (3, lambda r: {"callback_before_answer": True}),
    "callback forged, wrong address": (2, lambda r: {"forge": "wrong_token"}),
    "callback forged, no address": (2, lambda r: {"forge": "no_token"}),
    "failure, then success": (2, lambda r: {"reorder": "failure_then_success"}),
    "success, then failure": (2, lambda r: {"reorder": "success_then_failure"}),
    "callback lost, query flaky": (2, lambda r: {"callbacks": 0, "query": "flaky"}),
    "answer lost": (2, lambda r: {"answer": "nothing"}),
    "answer cut off": (1.5, lambda r: {"answer": "half"}),
    "answer a web page": (1.5, lambda r: {"answer": "html"}),
    "answer an error": (1.5, lambda r: {"answer": "error"}),
    "answer and callback lost": (1, lambda r: {"answer": "nothing", "callbacks": 0}),
    "refused, 429": (1, lambda r: {"refuse": "too_many_requests"}),
    "refused, 503": (1, lambda r: {"refuse": "unavailable"}),
    "refused, busy": (1, lambda r: {"refuse": "busy"}),
    "token revoked": (1, lambda r: {"invalidate_token": True}),
    "result 17": (1, lambda r: {"outcome": "17"}),
    "paid after expiry": (
        2,
        lambda r: {"decide_after": r.uniform(50, 59), "callback_delay": 20},
    ),
}

#: A fault for one request of an operation, whoever sends it; drawn occasionally.
GATEWAY_FAULTS: dict[str, dict[str, Any]] = {
    "prompts: 429 burst": {"refuse": "too_many_requests", "times": 5},
    "prompts: 503 burst": {"refuse": "unavailable", "times": 5},
    "query: 4999": {"operation": "stk_query", "query": "4999", "times": 10},
    "query: 429 burst": {"operation": "stk_query", "refuse": "too_many_requests", "times": 10},
    "query: token revoked": {"operation": "stk_query", "invalidate_token": True},
    "statement: empty": {"operation": "pull", "query": "unknown"},
    "statement: 503": {"operation": "pull", "refuse": "unavailable"},
    "confirmation of pay bill lost": {"operation": "c2b", "callbacks": 0},
    "confirmation of pay bill twice": {"operation": "c2b", "callbacks": 2, "together": True},
    "confirmation first": {"operation": "c2b", "confirmation_first": True},
    "reversal: result lost": {"operation": "reversal", "callbacks": 0},
    "reversal: result three times": {"operation": "reversal", "callbacks": 3, "together": True},
    "reversal: result late": {"operation": "reversal", "callback_delay": 20},
    "reversal: answer lost": {"operation": "reversal", "answer": "nothing"},
    "reversal: refused": {"operation": "reversal", "outcome": "R000002"},
    "reversal: 429": {"operation": "reversal", "refuse": "too_many_requests"},
    "payout: result lost": {"operation": "b2c", "callbacks": 0},
    "payout: result three times": {"operation": "b2c", "callbacks": 3, "together": True},
    "payout: result late": {"operation": "b2c", "callback_delay": 20},
    "payout: result before the answer": {"operation": "b2c", "callback_before_answer": True},
    "payout: answer lost, result lost": {"operation": "b2c", "answer": "nothing", "callbacks": 0},
    "payout: no M-PESA": {"operation": "b2c", "outcome": "2040"},
    "payout: too little money": {"operation": "b2c", "outcome": "1"},
    "payout: late notice, then done": {"operation": "b2c", "queue_timeout": "with_result"},
    "payout: late notice, done unsaid": {"operation": "b2c", "queue_timeout": "without_result"},
    "payout: late notice, not done": {"operation": "b2c", "queue_timeout": "not_done"},
    "question: answer lost": {"operation": "transaction_status", "callbacks": 0},
}

#: What a buyer does afterwards, and its percentage.
BUYERS: dict[str, float] = {
    "cancels": 3,
    "rings again": 4,
    "pays by hand": 2.5,
    "pays by hand, reference misspelt": 0.4,
    "pays by hand, short, then the rest": 1,
    "pays by hand, over": 1,
    "pays by hand, twice": 1,
    "pays by hand, after expiry": 1.5,
}


@dataclass(frozen=True)
class OrderPlan:
    """The plan of one order: the script for its prompt, and its buyer's later steps."""

    fault: str = ""
    script: dict[str, Any] = field(default_factory=dict)
    buyer: str = ""


class Faults:
    """Draws phones, plans and faults, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def phone(self, number: int) -> str:
        """Draw the phone of the n-th buyer: 12 digits, of which the last four may be magic."""
        ending = self.random.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        return f"2547{number % 10_000:04d}{ending}"

    def order(self) -> OrderPlan:
        """Draw the plan of an order."""
        fault = self._one_of({name: share for name, (share, _) in PROMPT_FAULTS.items()})
        script = PROMPT_FAULTS[fault][1](self.random) if fault else {}
        return OrderPlan(fault, script, self._one_of(BUYERS))

    def gateway(self) -> tuple[str, dict[str, Any]]:
        """Draw one fault of the gateway itself."""
        return self.random.choice(list(GATEWAY_FAULTS.items()))

    def _one_of(self, shares: dict[str, float]) -> str:
        """A name drawn by its percentage; empty for the remainder."""
        names, weights = list(shares), list(shares.values())
        return self.random.choices([*names, ""], [*weights, max(0, 100 - sum(weights))])[0]
