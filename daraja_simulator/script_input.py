"""Parsing and validating scripts. Every error is a ValueError with a message."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from . import ids
from .behaviour import (
    NAMED_OUTCOMES,
    NAMED_REFUSALS,
    OPERATIONS,
    PERSON,
    STATUSES,
    Refusal,
    Rule,
    Script,
)

_CHOICES: dict[str, tuple[str | None, ...]] = {
    "answer": ("whole", "half", "nothing", "html", "error"),
    "reorder": (None, "failure_then_success", "success_then_failure"),
    "forge": (None, "wrong_token", "right_token", "no_token"),
    "payer": ("full", "masked", "absent"),
    "balance": ("empty", "absent", "text"),
    "amount_as": ("float", "int", "text"),
    "queue_timeout": (None, "with_result", "without_result", "not_done"),
    "originator": ("ours", "other"),
    "status": (None, *STATUSES),
    "report": (None, "Success", "Sent", "Submitted", "Buffered", "Rejected", "Failed"),
    "query": ("truth", "4999", "processing", "unknown", "invalid", "flaky", "contradictory"),
}
_SECONDS = ("decide_after", "answer_delay", "callback_delay")
_SWITCHES = (
    "invalidate_token",
    "together",
    "callback_before_answer",
    "confirmation_first",
    "shuffle",
)
_TARGET = ("operation", "phone", "amount", "times")


def read_outcome(value: Any) -> str:
    """Read an outcome: a name, ``"person"`` or a result code. Raises ValueError."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and (text in NAMED_OUTCOMES or text == PERSON):
        return NAMED_OUTCOMES.get(text, text)
    if isinstance(text, str) and re.fullmatch(r"[A-Z0-9_]{1,20}", text):
        return text
    names = ", ".join(NAMED_OUTCOMES)
    raise ValueError(f'outcome must be one of {names}, {PERSON}, or a result code such as "1032"')


def read_rule(given: Mapping[str, Any]) -> Rule:
    """Read a script with its target, from JSON or keywords. Raises ValueError."""
    known = {f.name for f in fields(Script)}
    unknown_fields = sorted(set(given) - known - set(_TARGET))
    if unknown_fields:
        raise ValueError(f"unknown fields: {', '.join(unknown_fields)}")
    operation = given.get("operation", "stk_push")
    if operation not in OPERATIONS:
        raise ValueError(f"operation must be one of {', '.join(OPERATIONS)}")
    if operation != "stk_push" and given.get("outcome") == PERSON:
        raise ValueError("the outcome person is for stk_push only")
    phone, amount, times = (given.get(name) for name in ("phone", "amount", "times"))
    if phone is not None and not isinstance(phone, str | int):
        raise ValueError("phone must be text")
    is_next = phone is None and amount is None
    return Rule(
        script=_read_script({k: v for k, v in given.items() if k in known}),
        operation=operation,
        phone=None if phone is None else ids.msisdn(str(phone)),
        amount=None if amount is None else _whole("amount", amount, 1, 250_000),
        remaining=_whole("times", times, 1, 10_000)
        if times is not None
        else 1
        if is_next
        else None,
    )


def _read_script(given: Mapping[str, Any]) -> Script:
    values: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        values[name] = _reader(name)(value)
    return Script(**values)


def _reader(name: str) -> Callable[[Any], Any]:
    if name in _CHOICES:
        return lambda value: _choice(name, value)
    if name in _SECONDS:
        return lambda value: _seconds(name, value)
    if name in _SWITCHES:
        return lambda value: _switch(name, value)
    return {
        "outcome": read_outcome,
        "desc": lambda value: _text("desc", value),
        "account": lambda value: _text("account", value),
        "paid_amount": lambda value: _whole("paid_amount", value, 1, 10_000_000),
        "callbacks": lambda value: _whole("callbacks", value, 0, 100),
        "refuse": _refusal,
    }[name]


def _choice(name: str, value: Any) -> str:
    allowed = [c for c in _CHOICES[name] if c is not None]
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}")
    return str(value)


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise ValueError(f"{name} must be 0 to 86400 seconds")
    return float(value)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")
    return value


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number, {least} to {most}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 10_000:
        raise ValueError(f"{name} must be text")
    return value


def _refusal(value: Any) -> Refusal:
    if isinstance(value, Refusal):
        return value
    if isinstance(value, str) and value in NAMED_REFUSALS:
        return NAMED_REFUSALS[value]
    if not isinstance(value, Mapping) or set(value) - {f.name for f in fields(Refusal)}:
        names = ", ".join(NAMED_REFUSALS)
        raise ValueError(
            f"refuse must be one of {names}, or an object with status, code, message, body,"
            " content_type"
        )
    texts = {k: _text(k, v) for k, v in value.items() if k != "status" and v is not None}
    if any(c in texts.get("content_type", "") for c in "\r\n"):
        raise ValueError("content_type must be a single line")
    return Refusal(status=_whole("status", value.get("status", 500), 200, 599), **texts)
