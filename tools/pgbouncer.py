"""PgBouncer, configured from deploy/pgbouncer/pgbouncer.ini, in front of a PostgreSQL."""

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
    """The program's path; Debian installs it outside an ordinary user's PATH."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Bouncer:
    """A running PgBouncer: the shop's URL for it, and its statistics."""

    def __init__(self, database: str, port: int) -> None:
        at = urlsplit(database)
        login, _, _ = at.netloc.rpartition("@")
        self.port = port
        self._console = f"postgres://{login}@127.0.0.1:{port}/pgbouncer"
        #: The shop's DATABASE_URL.
        self.url = f"postgres://{login}@127.0.0.1:{port}{at.path}?pooling=transaction"

    def show(self, what: str) -> list[dict[str, Any]]:
        """A table of its console, such as ``POOLS`` or ``STATS``."""
        with psycopg.connect(self._console, autocommit=True) as console:
            shown = console.execute(f"SHOW {what}")
            assert shown.description is not None
            names = [column.name for column in shown.description]
            return [dict(zip(names, row, strict=True)) for row in shown.fetchall()]

    def reconnect(self) -> None:
        """Replace its server connections, which still have the old limits."""
        with psycopg.connect(self._console, autocommit=True) as console:
            console.execute("RECONNECT")


@contextmanager
def before(database: str, folder: Path, *, connections: int) -> Iterator[Bouncer]:
    """Run a PgBouncer in front of the PostgreSQL of ``database`` until the block ends.

    ``connections`` is its pool size. Raises SystemExit if PgBouncer is not installed.
    """
    program = command()
    if program is None:
        raise SystemExit("This needs PgBouncer: apt-get install pgbouncer")
    at, port = urlsplit(database), free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(_configuration(database, folder, port, connections))
    (folder / "userlist.txt").write_text(
        f'"{unquote(at.username or "")}" "{unquote(at.password or "")}"\n'
    )
    # Started by root, it runs as nobody.
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
