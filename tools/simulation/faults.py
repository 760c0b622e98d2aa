"""The faults of M-Pesa that actors script into the simulator."""

from __future__ import annotations

from typing import Any

ASYNC_FAULTS: dict[str, list[dict[str, Any]]] = {
    "b2c": [
        {"answer": "nothing"},
        {"answer": "html"},
        {"callbacks": 0},
        {"callbacks": 3, "together": True},
        {"callback_delay": 4000.0},
        {"callback_before_answer": True, "answer": "nothing"},
        {"reorder": "failure_then_success"},
        {"reorder": "success_then_failure"},
        {"forge": "wrong_token"},
        {"queue_timeout": "with_result"},
        {"queue_timeout": "without_result"},
        {"queue_timeout": "not_done"},
        {"outcome": "2040"},
        {"outcome": "1"},
        {"outcome": "8"},
        {"outcome": "17"},
        {"refuse": "busy"},
        {"refuse": "unavailable"},
        {"decide_after": 600.0},
    ],
    "transaction_status": [
        {"answer": "nothing"},
        {"callbacks": 0},
        {"callback_delay": 500.0},
        {"refuse": "internal_error"},
        {"status": "Initiated"},
        {"outcome": "17"},
        {"outcome": "SFC_IC0003"},
        {"status": "Cancelled"},
        {"queue_timeout": "not_done"},
    ],
}
ASYNC_FAULTS["reversal"] = [
    *(fault for fault in ASYNC_FAULTS["b2c"] if fault.get("outcome") not in ("2040", "8")),
    {"outcome": "R000002"},
]
C2B_FAULTS: list[dict[str, Any]] = [
    {"callbacks": 0},
    {"callbacks": 2, "together": True},
    {"callback_delay": 1000.0},
    {"confirmation_first": True},
    {"forge": "wrong_token"},
]
PULL_FAULTS: list[dict[str, Any]] = [
    {"answer": "nothing"},
    {"answer": "half"},
    {"refuse": "unavailable"},
    {"refuse": "internal_error"},
]
QUERY_FAULTS = ["4999", "processing", "unknown", "invalid", "flaky"]
PUSH_FAULTS: list[dict[str, Any]] = [
    {"answer": "half"},
    {"answer": "nothing"},
    {"answer": "html"},
    {"answer": "error"},
    {"refuse": "busy"},
    {"refuse": "locked"},
    {"refuse": "unavailable"},
    {"refuse": "internal_error"},
    {"refuse": "error_in_200"},
    {"refuse": "refused_in_200"},
    {"refuse": "empty"},
    {"invalidate_token": True},
    {"callbacks": 0},
    {"callbacks": 2},
    {"callbacks": 3, "together": True},
    {"callback_delay": 5.0},
    {"callback_delay": 200.0},
    {"callback_delay": 3000.0},
    {"callback_before_answer": True},
    {"callback_before_answer": True, "answer": "nothing"},
    {"outcome": "success", "reorder": "failure_then_success"},
    {"outcome": "success", "reorder": "success_then_failure"},
    {"outcome": "success", "reorder": "failure_then_success", "callback_delay": 30.0},
    {"outcome": "success", "reorder": "success_then_failure", "callback_delay": 30.0},
    {"forge": "wrong_token"},
    {"forge": "no_token"},
    {"outcome": "success", "paid_amount": 7},
    {"payer": "masked", "balance": "text", "amount_as": "text", "shuffle": True},
    {"payer": "absent", "balance": "absent", "amount_as": "int"},
    {"outcome": "no_money"},
    {"outcome": "timeout", "decide_after": 45.0},
    {"outcome": "success", "decide_after": 90.0},
    {"query": "4999"},
    {"query": "flaky"},
    {"query": "unknown"},
]
