"""The database role of web and workers: the shop works, and append-only tables are protected."""

from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction

from omachemainproj import startup_checks
from payments.management.commands.database_role import ADDED_TO, READ_ONLY
from payments.proof.prove import prove

from .healthy import trade

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

ROLE = "omache_app_in_tests"

#: What an attacker with the processes' password tries.
ATTACKS = [
    "UPDATE payments_ledgerentry SET amount = 1",
    "DELETE FROM payments_ledgerentry",
    "DELETE FROM payments_ledgerposting",
    "UPDATE accounts_audit SET why = 'As agreed.'",
    "DELETE FROM accounts_audit",
    "UPDATE payments_original SET digest = 'x'",
    "DELETE FROM payments_original",
    "INSERT INTO payments_original (kind, row, digest) VALUES ('refund', 999, 'x')",
    "UPDATE payments_gatewayevent SET body = '{}'",
    "DELETE FROM payments_gatewayevent WHERE source = 'c2b'",
    "TRUNCATE payments_gatewayevent CASCADE",
    "TRUNCATE payments_original",
    "DROP TABLE payments_original",
    "ALTER TABLE payments_refund ADD COLUMN spare integer",
    "ALTER TABLE payments_ledgerentry DISABLE TRIGGER ALL",
    "DROP TRIGGER payments_gatewayevent_is_kept_from_update ON payments_gatewayevent",
    "ALTER TABLE payments_payout DROP CONSTRAINT payout_above_the_limit_is_approved",
    "SET session_replication_role = replica",
    "CREATE TABLE mine (id integer)",
    "CREATE OR REPLACE FUNCTION keep_refund() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RETURN NULL; END $$",
    "DELETE FROM django_migrations",
    "SET ROLE postgres",
]


@pytest.fixture
def role(db):
    """The role, with its rights, for as long as the test's transaction lasts."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOSUPERUSER NOCREATEDB NOCREATEROLE")
    call_command("database_role", ROLE, stdout=StringIO())
    return ROLE


@pytest.fixture
def as_role(role):
    """Run all further statements as this role, which is no member of the owner's."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {role}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_the_shop_trades_as_that_role_and_cannot_undo_what_is_kept(
    as_role, buyer, daraja, settings
):
    trade(buyer, settings)

    done = [attack for attack in ATTACKS if not _is_refused(attack)]

    assert done == []
    assert [str(broken) for broken in prove().broken] == []


def test_the_role_may_only_add_rows_to_append_only_tables(role):
    rights = {model: _rights(role, model._meta.db_table) for model in (*ADDED_TO, *READ_ONLY)}

    assert rights == {
        **{model: ["SELECT", "INSERT"] for model in ADDED_TO},
        **{model: ["SELECT"] for model in READ_ONLY},
    }


def _rights(role, table) -> list[str]:
    rights = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r FROM unnest(%s::text[]) r WHERE has_table_privilege(%s, %s, r)",
            [rights, role, table],
        )
        return [right for (right,) in cursor.fetchall()]


def _is_refused(attack: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)
            transaction.set_rollback(True)
    except Error:
        return True
    return False


def test_a_role_that_grants_cannot_limit_is_refused(db):
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} SUPERUSER")

    with pytest.raises(CommandError, match="too many rights"):
        call_command("database_role", ROLE)


def test_a_missing_role_is_reported_with_the_statement_to_create_it(db):
    with pytest.raises(CommandError, match=f"CREATE ROLE {ROLE} LOGIN"):
        call_command("database_role", ROLE)


def test_nothing_starts_as_a_role_that_was_not_granted_a_new_table(
    as_role, settings, tmp_path, monkeypatch
):
    with connection.cursor() as cursor:
        cursor.execute("RESET SESSION AUTHORIZATION")
        cursor.execute(f"REVOKE ALL ON orders_order, django_migrations FROM {ROLE}")
        cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {ROLE}")
    settings.PRODUCTION = True
    monkeypatch.setattr(startup_checks.connection, "close", lambda: None)

    with pytest.raises(ImproperlyConfigured) as refused:
        startup_checks.check_before_start("clock")

    assert str(refused.value) == (
        "run `python manage.py database_role` as the owner of the tables, with the name of the "
        "role that DATABASE_URL connects as: it may not read 2 tables, django_migrations first."
    )


def test_whoever_grants_as_the_role_itself_is_told_to_do_it_as_the_owner():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (itself,) = cursor.fetchone()

    with pytest.raises(CommandError, match=f"^DATABASE_URL connects as {itself} itself"):
        call_command("database_role", itself)
