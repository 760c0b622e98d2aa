"""Behind a proxy that gives each transaction another connection nothing asks for a session."""

import ast
import re
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from omachemainproj import startup_checks
from tests.deploy.proxied import url_of_test_database
from tools import pgbouncer
from tools.deploy_check import PRODUCTION

from .startup import problems_of, production

POOLED = "postgres://a:b@127.0.0.1:6432/omache?pooling=transaction"
postgres = pytest.mark.postgres


def test_a_proxy_is_asked_for_nothing_that_outlives_a_transaction():
    options = production("DATABASES", DATABASE_URL=POOLED)["default"]["OPTIONS"]

    assert "options" not in options
    assert "pooling" not in options
    assert options["prepare_threshold"] is None
    assert options["pool"]["max_size"] == 16


def test_a_proxy_that_keeps_prepared_statements_may_be_sent_some():
    told = {"DATABASE_URL": POOLED, "DATABASE_PREPARED_STATEMENTS": "on"}

    assert production("DATABASES", **told)["default"]["OPTIONS"]["prepare_threshold"] == 5


def test_connection_options_in_the_url_still_apply():
    read = production("DATABASES", DATABASE_URL=f"{POOLED}&options=-c%20jit=off")

    assert read["default"]["OPTIONS"]["options"] == "-c jit=off"


@pytest.mark.parametrize("pooling", ["statement", "on"])
def test_another_pooling_stops_the_start(pooling):
    url = POOLED.replace("transaction", pooling)
    assert problems_of(PRODUCTION, DATABASE_URL=url)[0].startswith("DATABASE_URL must be ")


@pytest.fixture
def pooled():
    """A connection of its own, which is said to lead through such a proxy, and has no limits."""
    wrapper = connection.copy(alias="pooled")
    wrapper.settings_dict |= {"POOLING": "transaction"}
    wrapper.settings_dict["OPTIONS"] = {**wrapper.settings_dict["OPTIONS"], "options": ""}
    yield wrapper
    wrapper.close()


@pytest.fixture
def fit(settings, tmp_path):
    """Production whose files are collected."""
    settings.PRODUCTION = True
    settings.STATIC_ROOT = settings.MEDIA_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text("{}")


@postgres
@pytest.mark.django_db
def test_a_connection_without_limits_stops_the_start(fit, pooled, monkeypatch):
    monkeypatch.setattr(startup_checks, "connection", pooled)

    with pytest.raises(startup_checks.ImproperlyConfigured) as stopped:
        startup_checks.check_before_start("web")

    assert str(stopped.value) == (
        "PostgreSQL has statement_timeout 0, lock_timeout 0, idle_in_transaction_session_timeout 0 "
        "for this connection, not 60000, 50000, 60000 (ms; 0 is no limit): a forgotten lock would "
        "silence the shop. Where a PgBouncer stands between, say pooling=transaction in "
        "DATABASE_URL, run `python manage.py database_timeouts`, and have it connect anew."
    )


@postgres
@pytest.mark.django_db
def test_stricter_limits_of_its_role_let_it_start(fit, pooled, monkeypatch):
    monkeypatch.setattr(startup_checks, "connection", pooled)
    stricter = {name: limit - 1 for name, limit in settings.DATABASE_TIMEOUTS.items()}
    options = " ".join(f"-c {name}={limit}" for name, limit in stricter.items())
    pooled.settings_dict["OPTIONS"]["options"] = options

    startup_checks.check_before_start("web")


@postgres
@pytest.mark.django_db(transaction=True)
def test_the_roles_own_limits_are_those_of_each_new_connection(fit, pooled, monkeypatch):
    call_command("database_timeouts", stdout=StringIO())
    try:
        monkeypatch.setattr(startup_checks, "connection", pooled)
        startup_checks.check_before_start("web")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_user), quote_ident(current_database())")
            role, database = cursor.fetchone()
            cursor.execute(f"ALTER ROLE {role} IN DATABASE {database} RESET ALL")


@postgres
@pytest.mark.django_db
def test_the_timeouts_are_printed_without_being_set():
    said = StringIO()
    call_command("database_timeouts", print=True, stdout=said)

    assert [line.partition(" SET ")[2] for line in said.getvalue().splitlines()] == [
        "statement_timeout = 60000;",
        "lock_timeout = 50000;",
        "idle_in_transaction_session_timeout = 60000;",
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_db_role_setting"
            " WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert cursor.fetchone()[0] == 0


@pytest.mark.django_db
def test_sqlite_has_no_roles():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has")
    with pytest.raises(CommandError, match="Only PostgreSQL has roles"):
        call_command("database_timeouts")


@postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", ["migrate", "database_role"])
def test_session_locks_do_not_go_through_a_proxy(command, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "POOLING", "transaction")

    with pytest.raises(CommandError, match="needs PostgreSQL itself"):
        call_command(command, stdout=StringIO(), stderr=StringIO())


#: What PostgreSQL keeps for a session, or sends to one.
_OF_A_SESSION = re.compile(
    r"\b(?:UN)?LISTEN\s|\bNOTIFY\s|pg_(?:try_)?advisory_lock|\bCREATE\s+(?:LOCAL\s+)?TEMP"
    r"|\bDISCARD\s|\bDECLARE\s|\bSET\s+SESSION|\ASET\s+(?!LOCAL|TRANSACTION|CONSTRAINTS)"
)
#: Those that say so, and refuse to go through a proxy.
_ASK_FOR_ONE = {"omachemainproj/postgresql/migrating.py"}


def test_nothing_else_of_the_shop_uses_a_session():
    root = Path(settings.BASE_DIR)
    files = [
        file
        for app in startup_checks.OUR_APPS
        for file in (root / app).rglob("*.py")
        if "migrations" not in file.parts
    ]
    found = {str(file.relative_to(root)) for file in files if _uses_a_session(file)}

    assert found == _ASK_FOR_ONE


def _uses_a_session(file):
    tree = ast.parse(file.read_text())
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _OF_A_SESSION.search(node.value)
        for node in ast.walk(tree)
    )


@pytest.fixture
def through(pooled, tmp_path):
    """Makes connections through a PgBouncer that has two of PostgreSQL's."""
    made = []

    def connect():
        made.append(pooled.copy())
        return made[-1]

    with pgbouncer.before(url_of_test_database(), tmp_path, connections=2) as bouncer:
        del pooled.settings_dict["OPTIONS"]["options"]
        pooled.settings_dict |= {"HOST": "127.0.0.1", "PORT": bouncer.port}
        yield connect
        for wrapper in made:
            wrapper.close()


@postgres
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(pgbouncer.command() is None, reason="PgBouncer is not installed")
def test_rows_are_read_on_while_others_take_the_connection(through):
    ours, other = through(), through()
    with ours.chunked_cursor() as rows:
        rows.execute("SELECT generate_series(1, 3000)")
        read = rows.fetchmany(1000)
        # It begins at the connection that was used last.
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
        while more := rows.fetchmany(1000):
            read += more

    assert [number for (number,) in read] == list(range(1, 3001))
    with other.cursor() as cursor:
        cursor.execute("ROLLBACK")


@postgres
@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_rows_still_come_a_few_at_a_time(pooled):
    pooled.set_autocommit(False)
    pooled.in_atomic_block = True
    try:
        with pooled.chunked_cursor() as rows:
            assert rows.name
    finally:
        pooled.in_atomic_block = False
        pooled.rollback()
