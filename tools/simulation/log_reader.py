"""Fails a run on what is logged as an error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .processes import DatabaseAway

if TYPE_CHECKING:
    from .run import Run


class LogReader(logging.Handler):
    """Reads the shop's log: an unexpected exception is a failure, wherever it was caught."""

    def __init__(self, run: Run) -> None:
        super().__init__(logging.WARNING)
        self._run = run

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not _is_injected_fault(error):
            self._run.fail(f"{record.getMessage()[:200]}: {error!r}")
        elif record.getMessage().startswith("constraint refused a write"):
            # A constraint is the last guard: earlier code should have refused.
            self._run.fail(record.getMessage()[:200])
        else:
            self._run.log(f"  · {record.getMessage()[:160]}")


def _is_injected_fault(error: BaseException | None) -> bool:
    """Whether an error is caused by this run's database faults."""
    while error is not None:
        if isinstance(error, DatabaseAway):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def logs_are_read(run: Run) -> Iterator[None]:
    """Within this context, the run reads what is logged, and nothing else does."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [LogReader(run)]
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
