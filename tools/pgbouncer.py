"""PgBouncer as deploy/pgbouncer/pgbouncer.ini sets it up, before a PostgreSQL, at a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

from payments.demo.processes import free_port

from .nginx import moved

SAMPLE = Path(__file__).parents[1] / "deploy" / "pgbouncer" / "pgbouncer.ini"


def command() -> str | None:
    """Debian keeps it where an ordinary user's path does not lead."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Bouncer:
    """One that runs: the address for the shop, and what it counts."""

    def __init__(self, database: str, port: int) -> None:
        at = urlsplit(database)
        login, _, _ = at.netloc.rpartition("@")
        self.port = port
        self._console = f"postgres://{login}@127.0.0.1:{port}/pgbouncer"
        #: As the shop's DATABASE_URL.
        self.url = f"postgres://{login}@127.0.0.1:{port}{at.path}?pooling=transaction"

    def show(self, what: str) -> list[dict[str, Any]]:
        """A table of its console: ``POOLS``, ``STATS``."""
        with psycopg.connect(self._console, autocommit=True) as console:
            shown = console.execute(f"SHOW {what}")
            assert shown.description is not None
            names = [column.name for column in shown.description]
            return [dict(zip(names, row, strict=True)) for row in shown.fetchall()]

    def reconnect(self) -> None:
        """Have it use no connection of before: they have the limits of before."""
        with psycopg.connect(self._console, autocommit=True) as console:
            console.execute("RECONNECT")


@contextmanager
def before(database: str, folder: Path, *, connections: int) -> Iterator[Bouncer]:
    """Run one before the PostgreSQL of ``database`` until the block ends.

    It has so many of its connections. Raises SystemExit where it is not installed.
    """
    program = command()
    if program is None:
        raise SystemExit("This needs PgBouncer as Debian has it: apt-get install pgbouncer")
    at, port = urlsplit(database), free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(_configuration(database, folder, port, connections))
    (folder / "userlist.txt").write_text(
        f'"{unquote(at.username or "")}" "{unquote(at.password or "")}"\n'
    )
    # It serves as nobody where root starts it.
    folder.chmod(0o755)
    with (folder / "pgbouncer.log").open("wb") as log:
        running = subprocess.Popen([program, str(configuration)], stdout=log, stderr=log)
    try:
        _wait_for(port, running, folder / "pgbouncer.log")
        yield Bouncer(database, port)
    finally:
        running.terminate()
        running.wait(30)


def _configuration(database: str, folder: Path, port: int, connections: int) -> str:
    at = urlsplit(database)
    user = unquote(at.username or "")
    text = moved(
        SAMPLE.read_text(),
        {
            "omache = host=127.0.0.1 port=5432": f"{at.path[1:]} = host={at.hostname}"
            f" port={at.port or 5432}",
            "listen_port = 6432": f"listen_port = {port}",
            "auth_type = scram-sha-256": "auth_type = trust",
            "/etc/pgbouncer/": f"{folder}/",
            "default_pool_size = 20": f"default_pool_size = {connections}",
            "logfile = /var/log/postgresql/pgbouncer.log": "logfile =",
            "pidfile = /var/run/postgresql/pgbouncer.pid": "pidfile =",
            "unix_socket_dir = /var/run/postgresql": "unix_socket_dir =",
            "admin_users = postgres": f"admin_users = {user}",
        },
    )
    return f"{text}user = nobody\n" if os.geteuid() == 0 else text


def _wait_for(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if running.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(log.read_text()) from None
            time.sleep(0.05)
