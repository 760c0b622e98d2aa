"""``manage.py migrate``, one at a time, and with enough time for large tables."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, connections

from omachemainproj.postgresql.migrating import one_at_a_time

_NOT_THE_OWNER = (
    "DATABASE_URL names a role that may not change the tables. Migrate as their owner, then run "
    'database_role for this one (docs/deploy.md, "A role of its own").'
)


class Command(migrate.Command):
    """Django's own, except that concurrent runs wait for each other (``one_at_a_time``).

    A second run waits, and then finds nothing to do: containers may each migrate at their start. A
    migration that waited too long for a table's lock has changed nothing: run it again. Raises
    CommandError as a role that may not change the tables.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with one_at_a_time(connections[options["database"]], self.stderr.write):
            try:
                super().handle(*args, **options)
            except DatabaseError as error:
                if _is_not_allowed(error):
                    raise CommandError(_NOT_THE_OWNER) from error
                raise


def _is_not_allowed(error: BaseException | None) -> bool:
    """Whether an error is, or follows from, PostgreSQL's "insufficient privilege" (42501)."""
    while error is not None:
        if getattr(error, "sqlstate", None) == "42501":
            return True
        error = error.__cause__ or error.__context__
    return False
