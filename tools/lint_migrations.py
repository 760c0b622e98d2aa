"""Refuse migrations that would break the previous version of the program: part of ``make lint``.

During an upgrade (docs/upgrade.md) the old version runs over the new tables. Each migration newer
than the release is read as PostgreSQL would run it: a column that is dropped, renamed, or NOT NULL
without a database default, an index that locks its table, data that cannot be restored.
``python -m tools.lint_migrations`` uses the PostgreSQL at POSTGRES_URL for its SQL dialect and
writes nothing there.

Exceptions are listed in ``SAFE``, each with its reason.
"""

from __future__ import annotations

import logging
import os
import sys
from urllib.parse import urlsplit, urlunsplit

import django

#: The newest migration every shop has, by app. A release sets them to its own.
RELEASED = {
    "omachemainproj": "0002",
    "accounts": "0014",
    "products": "0011",
    "orders": "0019",
    "payments": "0025",
}
#: Reviewed migrations, and why the old program works with them.
SAFE: dict[tuple[str, str], str] = {
    ("accounts", "0015_people_by_the_day_they_joined"): (
        "An index of people: registrations and sign-ins wait a second per million of them."
    ),
    ("accounts", "0016_people_by_phone"): (
        "An index of the people with a phone: registrations and sign-ins wait a second per million "
        "of them."
    ),
    ("accounts", "0017_people_by_name"): (
        "Two indexes of the people with a name: registrations and sign-ins wait a second or two "
        "per million of them."
    ),
    ("orders", "0020_attempted_deliveries"): (
        "A longer text rewrites nothing; rows of the old program get the column's default."
    ),
    ("orders", "0021_sms_reports"): (
        "A new table; an index of messages, during which new messages wait a second per million "
        "of them."
    ),
    ("orders", "0025_who_receives_them"): (
        "Two indexes of deliveries: cash-outs wait two seconds per million of them."
    ),
    ("payments", "0026_restored"): (
        "The tables are new, except that of stops, which has one row or none; a stop of the old "
        "program gets the column's default cause."
    ),
    ("payments", "0031_receipts_by_phone"): (
        "An index of receipts: recording a payment waits a second per million of them."
    ),
}


def main() -> int:
    """Print a line for each problem; returns 1 if there is any, 2 if they could not be read.

    Without a PostgreSQL it returns 0 on a laptop, where not everyone has one, and 2 in CI.
    """
    from django.db import OperationalError, connection

    if connection.vendor != "postgresql":
        print("Set POSTGRES_URL: migrations are read as PostgreSQL would run them.")
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
        print("The previous version would fail over these tables: see docs/upgrade.md.")
    return 1 if wrong else 0


def problems() -> list[tuple[str, str, str]]:
    """App, migration and a sentence for each unsafe migration newer than the release."""
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
        # A squash repeats released migrations.
        if not newer or migration.replaces or (app, name) in SAFE:
            continue
        errors, _, warnings = analyse_sql_statements(analyser, linter.get_sql(app, name))
        python, _, lost = linter.analyse_data_migration(migration)
        found += [(app, name, each.message) for each in (*errors, *warnings, *python, *lost)]
    return found


def _at_server(url: str) -> str:
    """The server's default database: only its SQL dialect is needed."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


if __name__ == "__main__":
    os.environ["DATABASE_URL"] = _at_server(
        os.environ.get("POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/omache")
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")
    django.setup()
    logging.disable(logging.INFO)
    sys.exit(main())
