"""``manage.py migrate``, one at a time, and with enough time for large tables."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from omachemainproj.postgresql.migrating import one_at_a_time


class Command(migrate.Command):
    """Django's own, except that concurrent runs wait for each other (``one_at_a_time``).

    A second run waits, and then finds nothing to do: containers may each migrate at their start. A
    migration that waited too long for a table's lock has changed nothing: run it again.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with one_at_a_time(connections[options["database"]], self.stderr.write):
            super().handle(*args, **options)
