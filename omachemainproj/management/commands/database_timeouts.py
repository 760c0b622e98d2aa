"""``manage.py database_timeouts``: sets timeouts on the role where connections cannot set them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection


class Command(BaseCommand):
    help = (
        "Have PostgreSQL give the role that this connects as, in this database, the limits that a "
        "connection asks for by itself elsewhere: a PgBouncer that pools transactions passes no "
        "options on. Connections that are open keep theirs. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--print", action="store_true", help="print the statements, and run none of them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles.")
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_user), quote_ident(current_database())")
            role, database = cursor.fetchone()
            for name, limit in settings.DATABASE_TIMEOUTS.items():
                statement = f"ALTER ROLE {role} IN DATABASE {database} SET {name} = {limit}"
                if options["print"]:
                    self.stdout.write(f"{statement};")
                else:
                    cursor.execute(statement)
        if not options["print"]:
            self.stdout.write(
                f"New connections of {role} to {database} have these limits. A PgBouncer keeps old "
                "ones: RECONNECT, in its console."
            )
