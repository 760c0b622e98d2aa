"""Locking one row until the transaction ends."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet

from .compiled_queries import AnyModel, Fixed, compiled


def lock_row(model: type[AnyModel], pk: int) -> AnyModel:
    """Get the row with this primary key and lock it until the transaction ends. One query.

    The lock still lets others insert references to the row (``FOR NO KEY UPDATE``). Raises the
    model's ``DoesNotExist``, and TransactionManagementError outside of a transaction.
    """
    rows = _row_to_lock(model, pk)
    if not rows:
        raise model.DoesNotExist(f"no {model.__name__} {pk}")  # type: ignore[attr-defined]
    row: AnyModel = rows[0]
    return row


@compiled
def _row_to_lock(model: Fixed[type[Model]], pk: int) -> QuerySet[Any, Any]:
    return model._default_manager.select_for_update(no_key=True).filter(pk=pk)
