"""What is reported about each row of an import."""

from __future__ import annotations

from dataclasses import dataclass, field

CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"
STATUSES = (CREATED, UPDATED, UNCHANGED, FAILED)

Errors = dict[str, list[str]]


@dataclass(slots=True)
class RowReport:
    """What was done with a row, or would be, when it is only checked."""

    row: int
    status: str
    id: int | None = None
    errors: Errors = field(default_factory=dict)
    notes: Errors = field(default_factory=dict)


class RowFailed(Exception):
    def __init__(self, column: str, message: str) -> None:
        self.errors: Errors = {column: [message]}
        super().__init__(message)
