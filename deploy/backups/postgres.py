"""Calls PostgreSQL's programs, and queries the server. A password is never an argument."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from .errors import Failed, Refused

ROOT = Path(__file__).resolve().parents[2]
_RENAME = sql.SQL("ALTER DATABASE {} RENAME TO {}")
_VARIABLES = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "host": "PGHOST",
    "port": "PGPORT",
}


class Server:
    """A PostgreSQL server and one database on it, by the shop's DATABASE_URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme.split("+")[0] not in {"postgres", "postgresql", "pgsql"}:
            raise Failed(
                "DATABASE_URL is not a PostgreSQL database. For SQLite, copy the file with "
                "sqlite3 db.sqlite3 '.backup copy.sqlite3', and MEDIA_ROOT."
            )
        self.name = unquote(parts.path.lstrip("/"))
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", self.name):
            raise Failed("DATABASE_URL contains no database name.")
        self._parts = parts
        self.environ = {
            key: value
            for key, value in {
                "PGHOST": unquote(parts.hostname or ""),
                "PGPORT": str(parts.port or ""),
                "PGUSER": unquote(parts.username or ""),
                "PGPASSWORD": unquote(parts.password or ""),
                **{
                    _VARIABLES[name]: value
                    for name, value in parse_qsl(parts.query)
                    if name in _VARIABLES
                },
            }.items()
            if value
        }

    def url_of(self, name: str) -> str:
        """The URL of another database on the same server."""
        return urlunsplit(self._parts._replace(path=f"/{quote(name)}"))

    @contextmanager
    def connection(self, name: str, *, autocommit: bool = True) -> Iterator[psycopg.Connection]:
        """A connection to a database. Raises Failed if it cannot be reached."""
        words = {key.removeprefix("PG").lower(): value for key, value in self.environ.items()}
        address = make_conninfo(
            dbname=name, connect_timeout=10, application_name="omache backup", **words
        )
        try:
            opened = psycopg.connect(address, autocommit=autocommit)
        except psycopg.OperationalError as error:
            raise Failed(f"The database {name} cannot be reached: {_first(error)}") from error
        try:
            yield opened
        finally:
            opened.close()

    def run(self, program: str, *arguments: str, name: str) -> None:
        """Run one of PostgreSQL's programs on a database. Raises Failed with its output."""
        found = shutil.which(program)
        if found is None:
            raise Failed(f"{program} is not installed: apt-get install postgresql-client.")
        ran = subprocess.run(
            [found, *arguments],
            env={**os.environ, **self.environ, "PGDATABASE": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise Failed(f"{program} failed: {ran.stdout.strip()[-600:]}")

    def manage(self, *command: str, name: str) -> tuple[int, str]:
        """Run a management command on a database; returns its exit code and output."""
        environ = {key: value for key, value in os.environ.items() if key != "DATABASE_URL_FILE"}
        ran = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *command],
            cwd=ROOT,
            env={**environ, "DATABASE_URL": self.url_of(name)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout.strip()

    def exists(self, name: str) -> bool:
        """Whether this database exists."""
        with self.connection("postgres") as at:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            return at.execute(query, [name]).fetchone() is not None

    def tables(self, name: str) -> list[str]:
        """The tables of a database."""
        with self.connection(name) as at:
            return tables_of(at)

    def users_of(self, name: str) -> list[str]:
        """Other connections to a database.

        The owner of the tables does not see what kind of backend another role's is, only that it
        is a role's.
        """
        query = (
            "SELECT coalesce(nullif(application_name, ''), 'a process')"
            " || ' (pid ' || pid || ')' FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
            " AND coalesce(backend_type, 'client backend') = 'client backend'"
        )
        with self.connection("postgres") as at:
            return [str(row[0]) for row in at.execute(query, [name])]

    def create(self, name: str) -> None:
        """Create an empty database, replacing one of this name. Raises Failed."""
        self.drop(name)
        statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"
        with_letters = f"{statement} LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        self._administer(sql.SQL(with_letters if self._has_c_utf8() else statement), name)

    def _has_c_utf8(self) -> bool:
        """Whether the server's machine has this locale, which never sorts differently."""
        with self.connection("postgres") as at:
            query = "SELECT 1 FROM pg_collation WHERE collcollate IN ('C.UTF-8', 'C.utf8')"
            return at.execute(query).fetchone() is not None

    def drop(self, name: str) -> None:
        """Drop a database, if it exists."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {}"), name)

    def put_in_place(self, staged: str, *, keep_as: str) -> bool:
        """Give a database the shop's name, and the current one another name, both or neither.

        Returns whether there was a current one. Raises Refused if anyone is connected.
        """
        if users := self.users_of(self.name):
            raise Refused(f"Someone is connected to {self.name}: {', '.join(users[:5])}.")
        was_there = self.exists(self.name)
        with self.connection("postgres", autocommit=False) as at:
            try:
                if was_there:
                    at.execute(_RENAME.format(*map(sql.Identifier, (self.name, keep_as))))
                at.execute(_RENAME.format(*map(sql.Identifier, (staged, self.name))))
                at.commit()
            except psycopg.Error as error:
                raise Failed(f"{self.name} could not be renamed: {_first(error)}") from error
        return was_there

    def _administer(self, statement: sql.SQL, *names: str) -> None:
        with self.connection("postgres") as at:
            try:
                at.execute(statement.format(*map(sql.Identifier, names)))
            except psycopg.errors.InsufficientPrivilege as error:
                raise Failed(
                    f"{_first(error)}: run it as the owner of the database, who needs CREATEDB. As "
                    f"a superuser: ALTER ROLE {self.environ.get('PGUSER', '…')} CREATEDB"
                ) from error
            except psycopg.Error as error:
                raise Failed(f"{names[0]}: {_first(error)}") from error


def tables_of(at: psycopg.Connection) -> list[str]:
    """The names of a connection's tables, sorted."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    return [str(row[0]) for row in at.execute(query)]


def count_rows(at: psycopg.Connection) -> dict[str, int]:
    """The number of rows of each table."""
    counts = {}
    for table in tables_of(at):
        counted = at.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        row = counted.fetchone()
        counts[table] = int(row[0]) if row else 0
    return counts


def last_migrations(at: psycopg.Connection) -> dict[str, str]:
    """The last migration of each app."""
    query = "SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app"
    return {str(app): str(name) for app, name in at.execute(query)}


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [repr(error)])[0]
