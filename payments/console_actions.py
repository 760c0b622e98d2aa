"""The one way a person decides about money: a service, recorded with who and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import Model

from accounts.models import User

from . import decisions
from .console_forms import Decision
from .models import Receipt

#: Who may decide. Superusers may.
PERMISSION = "payments.decide_money"


def decide(row: Model, decision: Decision, given: Mapping[str, Any], *, by: User) -> str:
    """Do what was decided, and record who did it and why: both, or neither. Raises Refusal.

    What asks M-Pesa is recorded first, since no transaction is open while M-Pesa is asked.
    """
    if decision.asks:
        record(row, decision.label, given, by=by)
        return decision.do(row, given)
    with transaction.atomic():
        said = decision.do(row, given)
        record(row, decision.label, given, by=by)
    return said


def record(row: Model, label: str, given: Mapping[str, Any], *, by: User) -> None:
    """Write down who decided what about a row, and why, where the admin keeps its history."""
    typed = ", ".join(str(value) for name, value in given.items() if name != "why" and value)
    what = f"{label} ({typed})" if typed else label
    LogEntry.objects.log_actions(
        by.pk, [row], CHANGE, f"{what}. Why: {given['why']}", single_object=True
    )


def write_down(given: Mapping[str, Any], *, by: User) -> Receipt:
    """Write down a payment a person has seen, and who saw it. Raises Refusal."""
    with transaction.atomic():
        receipt = decisions.write_receipt_down(
            number=given["number"],
            amount=given["amount"],
            reference=given["reference"],
            phone=given["phone"],
        )
        record(receipt, "Wrote it down", given, by=by)
    return receipt
