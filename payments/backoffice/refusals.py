"""Refusals of the console's actions, with a sentence for staff."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from omachemainproj.api.errors import Refusal


class ActionNotAvailable(Refusal):
    """The action is not possible in the row's current state."""

    code = "cannot_do"


@contextmanager
def not_available_on(error_class: type[Exception]) -> Iterator[None]:
    """Raise ActionNotAvailable, with the same text, for errors of this class."""
    try:
        yield
    except error_class as error:
        raise ActionNotAvailable(str(error)) from error
