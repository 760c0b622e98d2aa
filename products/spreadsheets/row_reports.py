"""The report on each row of an import."""

from __future__ import annotations

from dataclasses import dataclass, field

CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"
STATUSES = (CREATED, UPDATED, UNCHANGED, FAILED)

Errors = dict[str, list[str]]


@dataclass(slots=True)
class RowReport:
    """The outcome of a row, or its expected outcome if it was only checked."""

    row: int
    status: str
    id: int | None = None
    errors: Errors = field(default_factory=dict)
    notes: Errors = field(default_factory=dict)


class RowFailed(Exception):
    """The row cannot be saved. ``errors`` has the message, under its column."""

    def __init__(self, column: str, message: str) -> None:
        self.errors: Errors = {column: [message]}
        super().__init__(message)
