"""The one way a person decides about money: a service, recorded with who and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model

from accounts.backoffice import audit
from accounts.models import User
from payments.models import Receipt

from . import resolve_money_in as decisions
from .forms import Decision

#: Who may look, and who may decide. Superusers may both.
LOOKING = "payments.view_receipt"
PERMISSION = "payments.decide_money"


def decide(row: Model, decision: Decision, given: Mapping[str, Any], *, by: User) -> str:
    """Do what was decided, and record who did it, why, and what it changed: all, or nothing.

    What asks M-Pesa is recorded first, since no transaction is open while M-Pesa is asked, and
    again for what it changed. Raises Refusal.
    """
    if decision.asks:
        _record(row, decision.label, given, by=by)
        before = audit.values_of(row)
        said = decision.do(row, {**given, "by": by})
        changes = audit.difference(before, audit.values_of(row))
        if changes:
            audit.log(by, f"What came of it: {decision.label}", row, changes=changes)
        return said
    with transaction.atomic():
        before = audit.values_of(row)
        said = decision.do(row, {**given, "by": by})
        changes = audit.difference(before, audit.values_of(row))
        _record(row, decision.label, given, by=by, changes=changes)
    return said


def write_down(given: Mapping[str, Any], *, by: User) -> Receipt:
    """Write down a payment a person has seen, and who saw it. Raises Refusal."""
    with transaction.atomic():
        receipt = decisions.record_seen_receipt(
            number=given["number"],
            amount=given["amount"],
            reference=given["reference"],
            phone=given["phone"],
        )
        changes = audit.difference({}, audit.values_of(receipt))
        _record(receipt, "Wrote it down", given, by=by, changes=changes)
    return receipt


def _record(
    row: Model,
    label: str,
    given: Mapping[str, Any],
    *,
    by: User,
    changes: audit.Changes | None = None,
) -> None:
    typed = ", ".join(str(value) for name, value in given.items() if name != "why" and value)
    what = f"{label} ({typed})" if typed else label
    audit.log_with_history(by, what, row, why=given["why"], changes=changes)
