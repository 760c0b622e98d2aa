"""The test database is copied only where it is what a migrate would make, and emptied whole."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from accounts.backoffice.roles import ROLES
from accounts.models import User
from tests import databases
from tests.factories import UserFactory
from tests.threads import PATIENCE


class Committed(TransactionTestCase):
    """A test that commits, to be cleaned up after."""

    def runTest(self):
        """Do nothing."""


def clean_up():
    Committed()._fixture_teardown()


@pytest.mark.django_db
def test_every_migration_has_been_applied():
    call_command("migrate", check_unapplied=True, verbosity=0)


@pytest.mark.django_db
def test_every_role_is_there():
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
    assert all(group.permissions.exists() for group in Group.objects.all())


def test_what_a_database_depends_on_is_known():
    names = {f"{path.parent.parent.name}/{path.name}" for path in databases._sources()}

    assert {"payments/0001_initial.py", "auth/0001_initial.py"} <= names
    # A migration takes the index of the newest from the models of products, which are a package.
    assert any(path.match("products/models/products.py") for path in databases._sources())


def test_a_program_gets_a_copy_of_the_present_migrations_and_of_no_others(tmp_path):
    kept, wanted = tmp_path / f"{databases.fingerprint()}.sqlite3", tmp_path / "wanted"
    kept.write_text("present")
    (tmp_path / "0123456789abcdef.sqlite3").write_text("others")

    databases.copy_kept_file(tmp_path, wanted)
    assert wanted.read_text() == "present"

    kept.unlink()
    wanted.unlink()
    databases.copy_kept_file(tmp_path, wanted)
    assert not wanted.exists()


@pytest.mark.parametrize("change", ["edited", "added", "renamed"])
def test_another_migration_makes_another_database(change, tmp_path, monkeypatch):
    migration = tmp_path / "0001_initial.py"
    migration.write_text("operations = []")
    monkeypatch.setattr(databases, "_sources", lambda: set(tmp_path.glob("*.py")))
    before = databases.fingerprint()

    if change == "edited":
        migration.write_text("operations = [1]")
    elif change == "added":
        (tmp_path / "0002_more.py").write_text("")
    else:
        migration.rename(tmp_path / "0001_first.py")

    assert databases.fingerprint() != before


def test_a_copy_is_made_by_one_at_a_time(tmp_path):
    inside = threading.Event()
    first, second = databases._KeptFile(tmp_path), databases._KeptFile(tmp_path)

    def enter():
        with second.alone():
            inside.set()

    waiting = threading.Thread(target=enter)
    with first.alone():
        waiting.start()
        assert not inside.wait(0.1)
    assert inside.wait(PATIENCE)
    waiting.join()


@pytest.mark.django_db(transaction=True)
def test_committed_rows_are_removed_and_roles_stay():
    UserFactory()
    support = Group.objects.get(name="support").pk

    clean_up()

    assert not User.objects.exists()
    assert Group.objects.get(name="support").pk == support


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "broken",
    [
        "DELETE FROM auth_group_permissions",
        "UPDATE auth_group SET name = 'x' WHERE name = 'support'",
    ],
)
def test_changes_to_roles_are_undone(broken):
    with connection.cursor() as cursor:
        cursor.execute(broken)

    clean_up()

    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
    assert all(group.permissions.exists() for group in Group.objects.all())


def rows_expected():
    """How many people PostgreSQL plans for."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT json) SELECT * FROM accounts_user")
        return cursor.fetchone()[0][0]["Plan"]["Plan Rows"]


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_test_of_plans_does_not_see_what_an_analyze_has_counted(never_analyzed):
    new = rows_expected()
    UserFactory.create_batch(3)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user")
    assert rows_expected() == 3 != new

    databases.forget_statistics()

    assert rows_expected() == new


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("people", "left"), [(3, 3), (2000, 0)])
def test_only_pages_that_would_change_a_plan_are_freed(people, left):
    databases.shrink_large_tables()
    User.objects.bulk_create(User(username=f"person{number}") for number in range(people))

    databases.shrink_large_tables()

    assert User.objects.count() == left


@pytest.fixture
def own():
    """A connection of its own."""
    own = connection.copy()
    own.ensure_connection()
    yield own
    own.close()


def prepared_on(own):
    with own.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return cursor.fetchone()[0]


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(("between", "kept"), [("SELECT 1", 1), ("DROP INDEX user_by_joined", 0)])
def test_what_is_prepared_is_kept_over_a_rollback_unless_something_was_altered(own, between, kept):
    own.set_autocommit(False)
    with own.cursor() as cursor:
        for number in range(8):
            cursor.execute("SELECT username FROM accounts_user WHERE id = %s", [number])
        assert prepared_on(own) == 1
        cursor.execute(between)

    own.rollback()

    assert prepared_on(own) == kept


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_is_as_new_after_a_test_that_commits():
    def state():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_backend_pid(), current_setting('TimeZone'), current_user,"
                " current_setting('statement_timeout'), to_regclass('kept'),"
                " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND pid = pg_backend_pid())"
            )
            return cursor.fetchone()

    before = state()
    with connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'Africa/Nairobi'; SET statement_timeout = 7")
        cursor.execute("CREATE TEMP TABLE kept (); SELECT pg_advisory_lock(1)")
        cursor.execute("SET ROLE pg_monitor")

    assert state() != before
    assert not databases._must_reconnect(None)

    assert state() == before
