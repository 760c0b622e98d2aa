"""Refuses migrations that the program before them could not live with: part of ``make lint``.

While a new version comes (docs/upgrade.md), the old one serves over the new tables. Each migration
that is newer than what is released is read as PostgreSQL would run it: a column that is dropped,
renamed, or NOT NULL without a database default, an index that locks its table, data that cannot be
brought back. ``python -m tools.lint_migrations`` asks PostgreSQL at POSTGRES_URL for its dialect
and writes nothing there; where none answers it says so, and the gate has one.

What is safe all the same stands in ``SAFE`` here, with the reason.
"""

from __future__ import annotations

import logging
import os
import sys
from urllib.parse import urlsplit, urlunsplit

import django

#: The newest that every shop has, by app. A release raises them to its own.
RELEASED = {
    "omachemainproj": "0002",
    "accounts": "0014",
    "products": "0011",
    "orders": "0019",
    "payments": "0025",
}
#: Migrations that were looked at by a person, and why the old program lives with them.
SAFE: dict[tuple[str, str], str] = {
    ("accounts", "0015_people_by_the_day_they_joined"): (
        "An index of people: who joins or signs in waits a second for each million of them."
    ),
    ("accounts", "0016_people_by_phone"): (
        "An index of the people who gave a phone: who joins or signs in waits a second for each "
        "million of them."
    ),
    ("accounts", "0017_people_by_name"): (
        "Two indexes of the people who gave a name: who joins or signs in waits a second or two "
        "for each million of them."
    ),
    ("orders", "0020_attempted_deliveries"): (
        "A longer text rewrites nothing; what the old program adds has the column's own default."
    ),
    ("orders", "0021_sms_reports"): (
        "A table of its own; an index of messages, for which who is told something waits a second "
        "for each million of them."
    ),
    ("orders", "0025_who_receives_them"): (
        "Two indexes of deliveries: who cashes out waits two seconds for each million of them."
    ),
    ("payments", "0026_restored"): (
        "The tables are new, but for that of stops, which has a row or none; a stop of the old "
        "program's has the cause that the column says by itself."
    ),
    ("payments", "0031_receipts_by_phone"): (
        "An index of receipts: whoever's payment is written down waits a second for each million."
    ),
}


def main() -> int:
    """Say what is wrong, a line each; 1 where something is."""
    from django.db import OperationalError, connection

    if connection.vendor != "postgresql":
        print("The migrations are read as PostgreSQL would run them: set POSTGRES_URL.")
        return 2
    try:
        connection.ensure_connection()
    except OperationalError:
        print("No PostgreSQL answers at POSTGRES_URL: the migrations were not read.")
        return 0 if not os.environ.get("CI") else 2
    wrong = 0
    for app, name, said in problems():
        wrong += 1
        print(f"{app}/migrations/{name}.py: {said}")
    if wrong:
        print("The program before would fail over these tables: docs/upgrade.md says how else.")
    return 1 if wrong else 0


def problems() -> list[tuple[str, str, str]]:
    """App, migration and a sentence, of each that is newer than the release and not safe."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django_migration_linter import MigrationLinter
    from django_migration_linter.sql_analyser.analyser import (
        analyse_sql_statements,
        get_sql_analyser_class,
    )

    loader = MigrationLoader(None, ignore_no_migrations=True)
    linter = MigrationLinter(no_cache=True, quiet=["ok", "ignore", "warning", "error"])
    analyser = get_sql_analyser_class(connection.vendor)
    found: list[tuple[str, str, str]] = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        newer = app in RELEASED and name[:4] > RELEASED[app]
        # A squash repeats what was released.
        if not newer or migration.replaces or (app, name) in SAFE:
            continue
        errors, _, warnings = analyse_sql_statements(analyser, linter.get_sql(app, name))
        python, _, lost = linter.analyse_data_migration(migration)
        found += [(app, name, each.message) for each in (*errors, *warnings, *python, *lost)]
    return found


def _at_server(url: str) -> str:
    """The server's own database: only its dialect is asked for."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


if __name__ == "__main__":
    os.environ["DATABASE_URL"] = _at_server(
        os.environ.get("POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/omache")
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")
    django.setup()
    logging.disable(logging.INFO)
    sys.exit(main())
