"""The test database: migrated once and then copied, and emptied after tests that commit."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase
from psycopg._preparing import PrepareManager

from daraja_simulator.tests.waiting import wait_until

#: Written identically by every migrate, and rarely changed by a test.
WRITTEN_BY_MIGRATE = (
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
)
#: Modules of the shop that migrations import: their content is in the database too.
_IMPORTED = re.compile(
    r"^(?:import|from) ((?:omachemainproj|accounts|products|orders|payments)[.\w]*)", re.MULTILINE
)


@contextmanager
def migrated_database(folder: Path) -> Iterator[None]:
    """A new test database with every migration applied, until the context ends.

    The first caller migrates and leaves a copy: a file in ``folder``, or on PostgreSQL a second
    database. Others, and later runs, copy that one as long as no migration has changed.
    """
    before = connection.settings_dict["NAME"], connection.settings_dict["TEST"].get("TEMPLATE")
    known = _KeptFile(folder) if connection.vendor == "sqlite" else _KeptDatabase()
    with _no_timeouts(), known.alone():
        if known.is_there():
            known.copy()
            # Roles may have changed without a migration.
            emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
        else:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            connection.close()
            known.keep()
    try:
        yield
    finally:
        connection.settings_dict["TEST"]["TEMPLATE"] = before[1]
        with _no_timeouts():
            _end_other_sessions()
            connection.creation.destroy_test_db(before[0], verbosity=0)


@contextmanager
def _no_timeouts() -> Iterator[None]:
    """Creating, copying and dropping whole databases takes as long as the disk does.

    The timeouts of ``tests/settings.py`` are for tests: a minute was too little for a DROP DATABASE
    while others were writing.
    """
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor != "postgresql":
        yield
        return
    before = options["options"]
    connection.close()
    options["options"] = f"{before} -c statement_timeout=0 -c lock_timeout=0"
    try:
        yield
    finally:
        connection.close()
        options["options"] = before


@contextmanager
def prepared_for_the_next_test() -> Iterator[None]:
    """Keep prepared statements when a test is rolled back.

    psycopg forgets them at every rollback, that is after every test. Parsing and planning them anew
    was most of what PostgreSQL did.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("psycopg._connection_base.PrepareManager", _OfManyTests)
        patch.setattr("omachemainproj.postgresql.base._PREPARED_STATEMENTS", _STATEMENTS_KEPT)
        yield


#: Of all the shop's, by each connection.
_STATEMENTS_KEPT = 1000


class _OfManyTests(PrepareManager):
    """Forgets prepared statements when something is altered, and when that is rolled back."""

    _altered = False
    _alters = re.compile(rb"(?:DROP|ALTER|DISCARD ALL|DEALLOCATE ALL)\b").match

    def _should_discard(self, prep: Any, results: Any) -> bool:
        said = [each.command_status or b"" for each in results]
        if any(map(self._alters, said)):
            self._altered = True
            return super().clear()
        return b"ROLLBACK" in said and self.clear()

    def clear(self) -> bool:
        """At a rollback."""
        altered, self._altered = self._altered, False
        return altered and super().clear()


def url_of_test_database() -> str:
    """The DATABASE_URL of this worker's test database, for other processes."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    # A host may be the folder of a socket.
    user, password, host = (quote(at[key], safe="") for key in ("USER", "PASSWORD", "HOST"))
    who = f"{user}:{password}" if password else user
    where = f"{host}:{at['PORT']}" if at["PORT"] else host
    return f"postgres://{who}@{where}/{at['NAME']}"


def copy_of_migrated(name: str) -> None:
    """Create a migrated PostgreSQL database by copying, replacing one of this name.

    Call it within ``migrated_database``. For programs that need their own: migrating takes ten
    seconds.
    """
    quote, kept = connection.ops.quote_name, connection.settings_dict["TEST"]["TEMPLATE"]
    with _no_timeouts(), connection.creation._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {quote(name)} TEMPLATE {quote(kept)}")


def _end_other_sessions() -> None:
    """End the sessions of threads or processes a test left behind, which would block a DROP."""
    if connection.vendor == "postgresql":
        # They end asynchronously, and DROP DATABASE waits five seconds for them.
        wait_until(_no_other_session)


def _no_other_session() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return not cursor.fetchall()


def fingerprint() -> str:
    """A digest of everything a migrated database depends on: migrations and what they import."""
    read = hashlib.sha256(f"{django.VERSION} {connection.vendor}".encode())
    for path in sorted(_sources()):
        read.update(f"\n{path.name} ".encode() + path.read_bytes())
    return read.hexdigest()[:16]


def _sources() -> set[Path]:
    found: set[Path] = set()
    for app in apps.get_app_configs():
        for path in Path(app.path, "migrations").glob("*.py"):
            found.add(path)
            for name in _IMPORTED.findall(path.read_text()):
                found |= _files_of(name)
    return found


def _files_of(module: str) -> set[Path]:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return set()
    path = Path(spec.origin)
    return set(path.parent.glob("*.py")) if path.name == "__init__.py" else {path}


class _KeptFile:
    """The stored copy of a migrated SQLite database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / f"{fingerprint()}.sqlite3"

    @contextmanager
    def alone(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def is_there(self) -> bool:
        return self.path.exists()

    def copy(self) -> None:
        _point_at(connection.creation._get_test_db_name())
        shutil.copyfile(self.path, connection.settings_dict["NAME"])

    def keep(self) -> None:
        for other in self._folder.glob("*.sqlite3*"):
            other.unlink()
        # Renamed only once it is complete.
        half = self.path.with_suffix(".sqlite3-half")
        shutil.copyfile(connection.settings_dict["NAME"], half)
        half.rename(self.path)


class _KeptDatabase:
    """The stored copy of a migrated PostgreSQL database: a second one on the same server."""

    def __init__(self) -> None:
        self._family = f"migrated_{connection.settings_dict['NAME']}_"
        self._name = self._family + fingerprint()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [self._family])
            yield

    def is_there(self) -> bool:
        with connection.creation._nodb_cursor() as cursor:
            return connection.creation._database_exists(cursor, self._name)

    def copy(self) -> None:
        connection.settings_dict["TEST"]["TEMPLATE"] = self._name
        _point_at(connection.creation._create_test_db(verbosity=0, autoclobber=True))

    def keep(self) -> None:
        with connection.creation._nodb_cursor() as cursor:
            quote = connection.ops.quote_name
            cursor.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self._family]
            )
            for (other,) in cursor.fetchall():
                cursor.execute(f"DROP DATABASE {quote(other)}")
            source = connection.settings_dict["NAME"]
            cursor.execute(f"CREATE DATABASE {quote(self._name)} TEMPLATE {quote(source)}")
        connection.settings_dict["TEST"]["TEMPLATE"] = self._name


def copy_kept_file(folder: Path, wanted: Path) -> None:
    """Copy the stored database of the current migrations in ``folder``, if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    known = _KeptFile(folder)
    with known.alone():
        if known.is_there():
            shutil.copyfile(known.path, wanted)


def _point_at(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def emptied_quickly() -> Iterator[None]:
    """After a test that commits, delete everything except what migrate wrote, and that too if
    needed.

    Django deletes everything, and writes it again with every signal of a migrate: ten times the
    work.
    """
    written, thorough = _written_by_migrate(), TransactionTestCase._fixture_teardown
    rest = _tables_of_tests()

    def empty(test: Any) -> None:
        nonlocal written
        if _written_by_migrate() != written:
            thorough(test)
            written = _written_by_migrate()
            return
        for patience in range(5, -1, -1):
            try:
                _empty(rest, own)
                return
            except OperationalError:
                # A deadlock: a live server's thread is still working after its last answer.
                if not patience:
                    raise
                time.sleep(0.2)

    with _connection_to_empty_by() as own, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        patch.setattr(TransactionTestCase, "_should_reload_connections", _must_reconnect)
        yield


def _must_reconnect(test: Any) -> bool:
    """Whether the next test needs a new connection, as Django gives it after a test that commits.

    A new one has read nothing of the schema yet and planned nothing: that cost more than the test.
    On PostgreSQL this one is made as new instead, but for what it has prepared.
    """
    if connection.vendor != "postgresql" or connection.errors_occurred:
        return True
    with connection.cursor() as cursor:
        # DISCARD ALL, but for plans and prepared statements.
        cursor.execute(
            "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *;"
            " SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
        )
    connection.ensure_timezone()
    return False


def _empty(tables: list[str], own: Any) -> None:
    """Delete the rows of those tables that have any.

    PostgreSQL's TRUNCATE creates new files for sixty tables and their indexes: a hundred times the
    cost of deleting a test's few rows.
    """
    filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables
    )
    if own is None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(filled)
            deletes = [f"DELETE FROM {table}" for (table,) in cursor.fetchall()]
            connection.ops.execute_sql_flush(deletes)
        return
    with own.wrap_database_errors, own.connection.transaction():
        # Writers finish first, as with TRUNCATE.
        own.connection.execute(f"LOCK TABLE {_quoted(tables)} IN SHARE ROW EXCLUSIVE MODE")
        if not _may_silence_triggers(own.connection):
            own.connection.execute(f"TRUNCATE {_quoted(tables)}")
            return
        for (table,) in own.connection.execute(filled).fetchall():
            own.connection.execute(f"DELETE FROM {table}")


@contextmanager
def _connection_to_empty_by() -> Iterator[Any]:
    """A connection of its own, without append-only and foreign-key triggers; None on SQLite.

    To switch them off and on makes a connection plan all it has prepared anew.
    """
    if connection.vendor != "postgresql":
        yield None
        return
    own = connection.copy()
    own.ensure_connection()
    if _may_silence_triggers(own.connection):
        own.connection.execute("SET session_replication_role = replica")
    try:
        yield own
    finally:
        own.close()


def forget_statistics() -> None:
    """Until the transaction ends, PostgreSQL plans as for tables never analyzed.

    It remembers how many rows a table had when autovacuum or an ANALYZE counted them, even one that
    was rolled back: the plan of a statement depended on which tests had run before, and on the
    minute.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        tables = _tables_of_tests()
        if not _may_silence_triggers(cursor):
            cursor.execute(f"TRUNCATE {_quoted(tables)}")
            return
        # Keeps autovacuum out.
        cursor.execute(f"LOCK TABLE {_quoted(tables)} IN SHARE UPDATE EXCLUSIVE MODE")
        for kind, pages, rows in (("r", 0, -1), ("i", 1, 0)):
            cursor.execute(
                "UPDATE pg_class SET relpages = %s, reltuples = %s WHERE relkind = %s"
                " AND relnamespace = current_schema()::regnamespace"
                " AND (relpages, reltuples) <> (%s, %s)",
                [pages, rows, kind, pages, rows],
            )
        cursor.execute(
            "DELETE FROM pg_statistic USING pg_class WHERE pg_class.oid = starelid"
            " AND relnamespace = current_schema()::regnamespace"
        )


def shrink_large_tables() -> None:
    """Free the pages that rolled back rows have left, which PostgreSQL takes for rows."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind = 'r' AND pg_relation_size(oid) > %s",
            [_AS_NEW],
        )
        if cursor.fetchone():
            cursor.execute(f"TRUNCATE {_quoted(_tables_of_tests())}")


#: PostgreSQL takes a table of fewer than ten pages for one of ten.
_AS_NEW = 5 * 8192


def _tables_of_tests() -> list[str]:
    """All tables but those that migrate writes."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted({*names} - {*WRITTEN_BY_MIGRATE})


def _quoted(tables: list[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, tables))


def _may_silence_triggers(cursor: Any) -> bool:
    """Whether the tests' database role is a superuser, as in the gate."""
    asked = cursor.execute("SELECT current_setting('is_superuser') = 'on'")
    return bool((asked or cursor).fetchone()[0])


def _written_by_migrate() -> list[Any]:
    with connection.cursor() as cursor:
        rows = []
        for table in WRITTEN_BY_MIGRATE:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            rows.append(cursor.fetchall())
        return rows
