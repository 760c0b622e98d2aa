"""``manage.py migrate``, one at a time, and with the time that a large table takes."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from omachemainproj.postgresql.migrating import one_at_a_time


class Command(migrate.Command):
    """Django's own, but that several at once do the work of one (``one_at_a_time``).

    Whoever comes second waits, and then finds nothing to do: containers that each migrate at their
    start, a deploy and a person beside it. A migration that had to wait too long for a table has
    changed nothing: run it again.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with one_at_a_time(connections[options["database"]], self.stderr.write):
            super().handle(*args, **options)
