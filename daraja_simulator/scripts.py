"""Choosing the script for a request: the queue, then phones, amounts and magic numbers."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .behaviour import Rule, Script, changes, magic
from .script_input import read_rule


@dataclass
class ScriptBook:
    """Keeps the scripts and chooses one for each request. Thread-safe.

    Scripts for the next request come first, oldest first. Then come scripts for the phone, then for
    the amount, the newest first, and then magic numbers.
    """

    magic: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rules: list[Rule] = field(default_factory=list)

    def add(self, given: Mapping[str, Any]) -> None:
        """Add a script, in the format of the control API. Raises ValueError."""
        rule = read_rule(given)
        with self._lock:
            if len(self._rules) >= 10_000:
                raise ValueError("there are already 10000 scripts; reset first")
            self._rules.append(rule)

    def pick(self, operation: str, *, phone: str = "", amount: int = 0) -> Script:
        """Return the script for a request and count its use; an empty script if none matches."""
        with self._lock:
            fitting = [r for r in self._rules if r.matches(operation, phone, amount)]
            rule = (
                next((r for r in fitting if r.phone is None and r.amount is None), None)
                or next((r for r in reversed(fitting) if r.phone is not None), None)
                or next(reversed(fitting), None)
            )
            if rule is not None:
                self._use(rule)
                return rule.script
        return (magic(operation, phone) if self.magic else None) or Script()

    def magic_outcome(self, phone: str) -> str | None:
        """Return the result code for the last digits of a phone number, if they are magic."""
        script = magic("stk_push", phone) if self.magic else None
        return script.outcome if script else None

    def as_json(self) -> list[dict[str, Any]]:
        """List the remaining scripts, oldest first, with the fields each changes."""
        with self._lock:
            rules = list(self._rules)
        return [
            {
                "operation": rule.operation,
                "phone": rule.phone,
                "amount": rule.amount,
                "times": rule.remaining,
                **changes(rule.script),
            }
            for rule in rules
        ]

    def clear(self) -> None:
        """Forget all scripts."""
        with self._lock:
            self._rules.clear()

    def _use(self, rule: Rule) -> None:
        if rule.remaining is None:
            return
        rule.remaining -= 1
        if rule.remaining == 0:
            self._rules = [r for r in self._rules if r is not rule]
