"""``manage.py database_role``: grants for the role that web, workers and clock connect as."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from accounts.models import Audit
from omachemainproj.postgresql.migrating import one_at_a_time
from orders.models import (
    DeliveryDigest,
    FeeReturn,
    JoinedOrder,
    OrderDigest,
    ParcelEvent,
    PriceReduction,
    ProblemMessage,
)
from payments.models import LedgerEntry, LedgerPosting, Original, ReceiptEvidence
from products.models import ListingTerms, ReviewDigest

#: Append-only tables: the role may add rows, but not change or delete them.
ADDED_TO = (
    Audit,
    ListingTerms,
    ReviewDigest,
    OrderDigest,
    DeliveryDigest,
    JoinedOrder,
    FeeReturn,
    ParcelEvent,
    ProblemMessage,
    PriceReduction,
    ReceiptEvidence,
    LedgerPosting,
    LedgerEntry,
)
#: Written only by triggers.
READ_ONLY = (Original,)
#: Written only by the tables' owner.
OF_THE_OWNER = ("django_migrations",)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def grants(role: str, *, schema: str, tables: list[str]) -> list[str]:
    """The statements that grant a role what the shop's processes need, and nothing more.

    Safe to repeat: earlier grants that are no longer needed are revoked.
    """
    added = [model._meta.db_table for model in ADDED_TO]
    read = [*(model._meta.db_table for model in READ_ONLY), *OF_THE_OWNER]
    free = sorted(set(tables) - {*added, *read})
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
        f"REVOKE CREATE ON SCHEMA {schema} FROM {role}, PUBLIC",
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        *(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.{_quoted(table)} TO {role}"
            for table in free
        ),
        *(f"GRANT SELECT, INSERT ON {schema}.{_quoted(table)} TO {role}" for table in added),
        *(f"GRANT SELECT ON {schema}.{_quoted(table)} TO {role}" for table in read),
    ]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


class Command(BaseCommand):
    help = (
        "Grant a PostgreSQL role what web, workers and clock need: to read and write rows, to add "
        "to the ledger, the audit and other append-only tables without changing them, and no "
        "rights on the tables themselves. Run it as the tables' owner after each migrate. Safe to "
        "repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", nargs="?", default="omache_app")
        parser.add_argument("--print", action="store_true", help="only print the statements")

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"]
        if not _NAME.fullmatch(role):
            raise CommandError(
                "A role name has lower-case letters, digits and _, and begins with a letter."
            )
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles.")
        # Concurrent grants make each other fail.
        alone = one_at_a_time(connection, self.stderr.write)
        with alone, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_schema(), current_user")
            schema, owner = cursor.fetchone()
            if role == owner:
                raise CommandError(
                    f"DATABASE_URL connects as {role} itself. Run this as the owner of the tables, "
                    "for another role, which the shop's processes connect as."
                )
            statements = grants(role, schema=_quoted(schema), tables=_tables())
            if options["print"]:
                self.stdout.write("".join(f"{statement};\n" for statement in statements))
                return
            _check(cursor, role)
            for statement in statements:
                cursor.execute(statement)
        self.stdout.write(f"{role} may read and write rows, but not change append-only tables.")


def _tables() -> list[str]:
    """Every table of the shop's models, including many-to-many tables."""
    return [model._meta.db_table for model in apps.get_models(include_auto_created=True)] + [
        "django_migrations"
    ]


def _check(cursor: Any, role: str) -> None:
    """Raise CommandError for a role that does not exist, or that grants cannot limit."""
    cursor.execute(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls"
        " OR pg_has_role(rolname, current_user, 'member')"
        " FROM pg_roles WHERE rolname = %s",
        [role],
    )
    found = cursor.fetchone()
    if found is None:
        raise CommandError(
            f"There is no role {role}. As a superuser:\n"
            f"CREATE ROLE {role} LOGIN PASSWORD '…' NOSUPERUSER NOCREATEDB NOCREATEROLE"
        )
    if found[0]:
        raise CommandError(f"{role} has too many rights to be limited by grants.")
