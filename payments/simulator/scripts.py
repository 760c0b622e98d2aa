"""What is to become of requests, decided beforehand: scripts, magic numbers, and which of them
counts.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from payments.simulator import ids
from payments.simulator.results import DESCRIPTIONS

#: Outcomes with a name. Any other outcome is a result code as Daraja writes it.
NAMED_OUTCOMES = {
    "success": "0",
    "no_money": "1",
    "cancelled": "1032",
    "timeout": "1037",
    "wrong_pin": "2001",
}

#: The outcome that waits for somebody at the phone page.
PERSON = "person"

OPERATIONS = ("oauth", "stk_push", "stk_query")

_HTML = "<html><body><h1>503 Service Unavailable</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer that says no at once.

    ``body`` None means Daraja's envelope around ``code`` and ``message``.
    """

    status: int = 500
    code: str = "500.003.1001"
    message: str = "Internal Server Error"
    body: str | None = None
    content_type: str = "application/json"


#: Refusals with a name: every shape of bad news that has been seen from the real service.
NAMED_REFUSALS = {
    "busy": Refusal(code="500.003.02", message="System is busy. Please try again in few minutes."),
    "locked": Refusal(
        code="500.001.1001",
        message=DESCRIPTIONS["1001"].rstrip("."),
    ),
    "no_merchant": Refusal(code="500.001.1001", message="Merchant does not exist"),
    "internal_error": Refusal(),
    "spike_arrest": Refusal(code="500.003.02", message="Spike Arrest Violation"),
    "too_many_requests": Refusal(
        status=429,
        body='{"fault":{"faultstring":"Spike arrest violation. Allowed rate : 5pm",'
        '"detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}',
    ),
    "unavailable": Refusal(status=503, body=_HTML, content_type="text/html"),
    "empty": Refusal(status=400, body=""),
    "error_in_200": Refusal(status=200, code="500.001.1001", message=""),
    "refused_in_200": Refusal(
        status=200,
        body='{"MerchantRequestID":"","CheckoutRequestID":"","ResponseCode":"1",'
        '"ResponseDescription":"Rejected","CustomerMessage":"Rejected"}',
    ),
}


@dataclass(frozen=True, kw_only=True)
class Script:
    """How one request goes. Every field left out means: as usual. Seconds and whole KES.

    What each field does is told in ``docs/simulator.md``, one row each.
    """

    outcome: str | None = None
    desc: str | None = None
    decide_after: float | None = None
    paid_amount: int | None = None

    refuse: Refusal | None = None
    invalidate_token: bool = False
    answer: str = "whole"
    answer_delay: float = 0.0

    callbacks: int = 1
    together: bool = False
    callback_delay: float = 0.0
    callback_before_answer: bool = False
    reorder: str | None = None
    forge: str | None = None

    payer: str = "full"
    balance: str = "empty"
    amount_as: str = "float"
    shuffle: bool = False

    query: str = "truth"


#: Last digits of a phone number that decide for themselves, so that a test needs no script.
MAGIC = {
    "0001": Script(outcome="1"),
    "1032": Script(outcome="1032"),
    "1037": Script(outcome="1037"),
    "2001": Script(outcome="2001"),
    "9000": Script(outcome="0", callbacks=0),
    "9002": Script(outcome="0", callbacks=2),
}

_CHOICES: dict[str, tuple[str | None, ...]] = {
    "answer": ("whole", "half", "nothing", "html", "error"),
    "reorder": (None, "failure_then_success", "success_then_failure"),
    "forge": (None, "wrong_token", "right_token", "no_token"),
    "payer": ("full", "masked", "absent"),
    "balance": ("empty", "absent", "text"),
    "amount_as": ("float", "int", "text"),
    "query": ("truth", "4999", "processing", "unknown", "invalid", "flaky", "contradictory"),
}
_SECONDS = ("decide_after", "answer_delay", "callback_delay")
_SWITCHES = ("invalidate_token", "together", "callback_before_answer", "shuffle")
_TARGET = ("operation", "phone", "amount", "times")


@dataclass
class _Rule:
    script: Script
    operation: str
    phone: str | None
    amount: int | None
    left: int | None

    def fits(self, operation: str, phone: str, amount: int) -> bool:
        return (
            self.operation == operation
            and self.phone in (None, phone)
            and self.amount in (None, amount)
        )


@dataclass
class ScriptBook:
    """Holds the scripts and picks the one that counts for a request. Safe from many threads.

    The order: the queue for next requests, then the phone's script, then the amount's, then a magic
    number. Within one rank the newest script counts, except in the queue, which is used up in the
    order it was filled.
    """

    magic: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rules: list[_Rule] = field(default_factory=list)

    def add(self, given: Mapping[str, Any]) -> None:
        """Take one script, as the control plane receives it. Raises ValueError with a sentence."""
        rule = _read_rule(given)
        with self._lock:
            if len(self._rules) >= 10_000:
                raise ValueError("10000 scripts are waiting already; reset first")
            self._rules.append(rule)

    def pick(self, operation: str, *, phone: str = "", amount: int = 0) -> Script:
        """Give the script for a request, and use it up where it is limited.

        An empty script when none fits.
        """
        with self._lock:
            fitting = [r for r in self._rules if r.fits(operation, phone, amount)]
            rule = (
                next((r for r in fitting if r.phone is None and r.amount is None), None)
                or next((r for r in reversed(fitting) if r.phone is not None), None)
                or next(reversed(fitting), None)
            )
            if rule is not None:
                self._use(rule)
                return rule.script
        if self.magic and operation == "stk_push":
            return MAGIC.get(phone[-4:], Script())
        return Script()

    def magic_outcome(self, phone: str) -> str | None:
        """Tell the result code a phone number's last digits stand for, if they are magic."""
        script = MAGIC.get(phone[-4:]) if self.magic else None
        return script.outcome if script else None

    def as_json(self) -> list[dict[str, Any]]:
        """List the scripts still waiting, oldest first, with what each changes."""
        with self._lock:
            rules = list(self._rules)
        return [
            {
                "operation": rule.operation,
                "phone": rule.phone,
                "amount": rule.amount,
                "times": rule.left,
                **_changes(rule.script),
            }
            for rule in rules
        ]

    def clear(self) -> None:
        """Forget every script."""
        with self._lock:
            self._rules.clear()

    def _use(self, rule: _Rule) -> None:
        if rule.left is None:
            return
        rule.left -= 1
        if rule.left == 0:
            self._rules = [r for r in self._rules if r is not rule]


def read_outcome(value: Any) -> str:
    """Read an outcome: a name, ``"person"`` or a result code. Raises ValueError."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not 0 < len(text) <= 20 or not text.isascii():
        raise ValueError('outcome is "success", "person" or a result code such as "1032"')
    return NAMED_OUTCOMES.get(text, text)


def _changes(script: Script) -> dict[str, Any]:
    changed = {f.name: getattr(script, f.name) for f in fields(Script)}
    usual = Script()
    return {
        name: vars(value) if isinstance(value, Refusal) else value
        for name, value in changed.items()
        if value != getattr(usual, name)
    }


def _read_rule(given: Mapping[str, Any]) -> _Rule:
    known = {f.name for f in fields(Script)}
    strange = sorted(set(given) - known - set(_TARGET))
    if strange:
        raise ValueError(f"unknown: {', '.join(strange)}")
    operation = given.get("operation", "stk_push")
    if operation not in OPERATIONS:
        raise ValueError(f"operation is one of {', '.join(OPERATIONS)}")
    phone, amount, times = (given.get(name) for name in ("phone", "amount", "times"))
    if phone is not None and not isinstance(phone, str | int):
        raise ValueError("phone is text")
    is_next = phone is None and amount is None
    return _Rule(
        script=_read_script({k: v for k, v in given.items() if k in known}),
        operation=operation,
        phone=None if phone is None else ids.msisdn(str(phone)),
        amount=None if amount is None else _whole("amount", amount, 1, 250_000),
        left=_whole("times", times, 1, 10_000) if times is not None else 1 if is_next else None,
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
        "paid_amount": lambda value: _whole("paid_amount", value, 1, 10_000_000),
        "callbacks": lambda value: _whole("callbacks", value, 0, 100),
        "refuse": _refusal,
    }[name]


def _choice(name: str, value: Any) -> str:
    allowed = [c for c in _CHOICES[name] if c is not None]
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}")
    return str(value)


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise ValueError(f"{name} is seconds, 0 to 86400")
    return float(value)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false")
    return value


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is a whole number, {least} to {most}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 10_000:
        raise ValueError(f"{name} is text")
    return value


def _refusal(value: Any) -> Refusal:
    if isinstance(value, Refusal):
        return value
    if isinstance(value, str) and value in NAMED_REFUSALS:
        return NAMED_REFUSALS[value]
    if not isinstance(value, Mapping) or set(value) - {f.name for f in fields(Refusal)}:
        names = ", ".join(NAMED_REFUSALS)
        raise ValueError(
            f"refuse is one of {names}, or an object of status, code, message, body, content_type"
        )
    texts = {k: _text(k, v) for k, v in value.items() if k != "status" and v is not None}
    if any(c in texts.get("content_type", "") for c in "\r\n"):
        raise ValueError("content_type is one line")
    return Refusal(status=_whole("status", value.get("status", 500), 200, 599), **texts)
