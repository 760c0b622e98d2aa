"""Which script counts for a request: a queue, phones, amounts, magic numbers, in that order."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .behaviour import Rule, Script, changes, magic
from .script_input import read_rule


@dataclass
class ScriptBook:
    """Holds the scripts and picks the one that counts for a request. Safe from many threads.

    The order: the queue for next requests, then the phone's script, then the amount's, then a magic
    number. Within one rank the newest script counts, except in the queue, which is used up in the
    order it was filled.
    """

    magic: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rules: list[Rule] = field(default_factory=list)

    def add(self, given: Mapping[str, Any]) -> None:
        """Take one script, as the control plane receives it. Raises ValueError with a sentence."""
        rule = read_rule(given)
        with self._lock:
            if len(self._rules) >= 10_000:
                raise ValueError("10000 scripts are waiting already; reset first")
            self._rules.append(rule)

    def pick(self, operation: str, *, phone: str = "", amount: int = 0) -> Script:
        """Give the script for a request, and use it up where it is limited.

        An empty script when none fits.
        """
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
        """Tell the result code a phone number's last digits stand for, if they are magic."""
        script = magic("stk_push", phone) if self.magic else None
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
                "times": rule.remaining,
                **changes(rule.script),
            }
            for rule in rules
        ]

    def clear(self) -> None:
        """Forget every script."""
        with self._lock:
            self._rules.clear()

    def _use(self, rule: Rule) -> None:
        if rule.remaining is None:
            return
        rule.remaining -= 1
        if rule.remaining == 0:
            self._rules = [r for r in self._rules if r is not rule]
