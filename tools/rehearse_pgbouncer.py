"""A day of trading through a PgBouncer that pools transactions: ``make rehearse-pgbouncer``.

The gunicorns of two machines, a worker with its Redis and a clock share a few connections of
PostgreSQL. People order at one gunicorn, M-Pesa calls back at the other; goods are handed over,
sellers and buyers are paid. Then every stored message is replayed and
``prove --against-simulator`` must find nothing. Before it, commands that need a session must refuse
to run through the proxy. Exits with 1 otherwise.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from payments.demo.processes import free_port

from . import pgbouncer
from .bench.shop import create, drop
from .soak.machine import Process, environment, gunicorn, manage

#: Connections of PostgreSQL for four web processes of four threads each, a worker and a clock.
CONNECTIONS = 5
#: Seconds to wait until nothing is waiting.
PATIENCE = 240


def main() -> int:
    """Run it; returns 0 if nothing is broken."""
    parser = argparse.ArgumentParser(prog="make rehearse-pgbouncer", description=__doc__)
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="of PostgreSQL (5)")
    parser.add_argument(
        "--server", default="postgres://postgres@127.0.0.1:5432/postgres", help="PostgreSQL"
    )
    options = parser.parse_args()
    # On SIGTERM, stop the started processes first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    server = urlsplit(options.server)._replace(path="/postgres").geturl()
    name = f"omache_pooled_{secrets.token_hex(3)}"
    create(server, name)
    try:
        with tempfile.TemporaryDirectory(prefix="omache-pooled-") as folder:
            database = urlsplit(options.server)._replace(path=f"/{name}").geturl()
            return Rehearsal(options, Path(folder), database).play()
    finally:
        drop(server, name)


class Rehearsal:
    """One rehearsal, from an empty database to the comparison of the books."""

    def __init__(self, options: argparse.Namespace, folder: Path, database: str) -> None:
        self.options, self.folder, self.database = options, folder, database
        self.webs, self.phone, self.redis = (free_port(), free_port()), free_port(), free_port()
        self.began = time.monotonic()
        self.trouble: list[str] = []

    def play(self) -> int:
        """Run it; returns the exit code."""
        connections = self.options.connections
        with ExitStack() as stack:
            bouncer = stack.enter_context(
                pgbouncer.before(self.database, self.folder, connections=connections)
            )
            environ = self._environment(bouncer.url)
            services, shop = self._services(environ), self._shop(environ)
            for process in (*services, *shop):
                if process is shop[0]:
                    self._prepare(environ, bouncer)
                stack.callback(process.stop)
                process.start()
            manage(environ, "register_c2b_urls", "--statement-number", "254700000000")
            self._trade(environ)
            self._say(f"Through {self._what_it_carried(bouncer)}.")
            for command in (("replay_events", "--all"), ("prove", "--against-simulator")):
                ran = manage(environ, *command, check=False)
                self._say(f"$ manage.py {' '.join(command)}\n{ran.stdout}{ran.stderr}".rstrip())
                if ran.returncode:
                    self.trouble.append(f"manage.py {command[0]} ended with {ran.returncode}")
            self._look_for_lost_sessions()
        for sentence in self.trouble:
            self._say(f"BROKEN: {sentence}")
        self._say("NOT CLEAN" if self.trouble else "CLEAN")
        return 1 if self.trouble else 0

    def _environment(self, database: str) -> dict[str, str]:
        ours, theirs = self.webs
        shared = environment(
            database=database,
            web=ours,
            mpesa=f"http://127.0.0.1:{self.phone}",
            scratch=self.folder,
            hold=15,
        )
        return shared | {
            "WEB_THREADS": "4",
            "DARAJA_CALLBACK_BASE_URL": f"http://127.0.0.1:{theirs}",
            "CACHE_URL": f"redis://127.0.0.1:{self.redis}/0",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.redis}/1",
            # The day's people log in as the demo's staff, and read codes on their phones.
            "STAFF_MFA": "off",
            "STAFF_MOVES_DAILY_LIMIT": "1000000000",
            "COMMISSION_PERCENT": "5",
            "SMS": "africastalking",
            "AFRICASTALKING_BASE_URL": f"http://127.0.0.1:{self.phone}",
            "AFRICASTALKING_USERNAME": "omache",
            "AFRICASTALKING_API_KEY": "simulator-sms-key",
        }

    def _prepare(self, environ: dict[str, str], bouncer: pgbouncer.Bouncer) -> None:
        """Migrate directly at the database, and set the role's limits through the proxy."""
        at_itself = environ | {"DATABASE_URL": self.database}
        manage(at_itself, "migrate", "--verbosity", "0")
        manage(environ, "collectstatic", "--no-input", "--verbosity", "0")
        refused = manage(environ, "migrate", check=False)
        if "pooling=transaction" not in refused.stderr:
            self.trouble.append(f"migrate went through the proxy: {refused.stdout}{refused.stderr}")
        unlimited = manage(
            environ, "-m", "gunicorn", "omachemainproj.wsgi", "--check-config", check=False
        )
        if "database_timeouts" not in unlimited.stderr:
            self.trouble.append(f"gunicorn started without limits: {unlimited.stderr}")
        manage(environ, "database_timeouts")
        bouncer.reconnect()

    def _services(self, environ: dict[str, str]) -> list[Process]:
        redis = shutil.which("redis-server")
        if redis is None:
            raise SystemExit("This needs Redis: apt-get install redis-server")
        folder = self.folder
        return [
            Process(
                "Redis", "--port", str(self.redis), "--save", "", "--appendonly", "no",
                environ={}, log=folder / "redis.log", program=redis,
            ),
            Process(
                "the M-Pesa simulator", "manage.py", "daraja_simulator", "--port", str(self.phone),
                "--certificate", environ["DARAJA_CERTIFICATE"], "--set", "newest_token_only=on",
                environ={"OMACHE_ENV_FILE": os.devnull}, log=folder / "simulator.log",
                answers=f"127.0.0.1:{self.phone}",
            ),
        ]  # fmt: skip

    def _shop(self, environ: dict[str, str]) -> list[Process]:
        other = environ | {"BIND": f"127.0.0.1:{self.webs[1]}"}
        folder = self.folder
        logs = {name: folder / name for name in ("one", "other")}
        for log in logs.values():
            log.mkdir()
        celery = ("-m", "celery", "-A", "omachemainproj", "worker", "--concurrency", "2")
        return [
            gunicorn(environ, logs["one"]),
            gunicorn(other, logs["other"]),
            Process(
                "the worker", *celery, "--beat", "--schedule", str(folder / "beat"),
                environ=environ, log=folder / "worker.log",
            ),
            Process(
                "the clock", "manage.py", "clock", "--every", "2",
                environ=environ, log=folder / "clock.log",
            ),
        ]  # fmt: skip

    def _trade(self, environ: dict[str, str]) -> None:
        """Play a day at the shop, until nothing is waiting."""
        os.environ.update(environ)
        import django

        django.setup()
        logging.disable(logging.WARNING)
        from payments.demo.api_client import DemoError
        from payments.demo.closing import summary, wait_until_settled
        from payments.demo.pending import ids_of
        from payments.demo.trading_day import TradingDay
        from products.demo.seed import add_people

        add_people()
        shop, mpesa = f"http://{environ['BIND']}", environ["DARAJA_BASE_URL"]
        orders, seed = self.options.orders, self.options.seed
        day = TradingDay(shop, mpesa, orders=orders, seed=seed, mark=secrets.token_hex(3))
        day.phones.fill_float(environ["DARAJA_B2C_SHORTCODE"], 1_000_000)
        try:
            day.open()
            day.play(_Silent())  # type: ignore[arg-type]
            people = ids_of(day.usernames)
            wait_until_settled(people, patience=PATIENCE, say=self._say)
        except DemoError as error:
            self.trouble.append(str(error))
            return
        for line in summary(people, day.actions):
            self._say(line)

    def _what_it_carried(self, bouncer: pgbouncer.Bouncer) -> str:
        name = urlsplit(self.database).path[1:]
        pool = next(row for row in bouncer.show("POOLS") if row["database"] == name)
        total = next(row for row in bouncer.show("STATS") if row["database"] == name)
        clients = pool["cl_active"] + pool["cl_waiting"]
        servers = sum(pool[key] for key in ("sv_active", "sv_idle", "sv_used"))
        waited = int(total["total_wait_time"]) / 1000 / max(int(total["total_xact_count"]), 1)
        return (
            f"{servers} connections of PostgreSQL: {total['total_xact_count']} transactions of"
            f" {clients} clients, each of which waited {waited:.2f} ms for one of them"
        )

    def _look_for_lost_sessions(self) -> None:
        """Search the logs for errors PostgreSQL or psycopg report when a session is lost."""
        signs = ("prepared statement", 'cursor "', "unsupported startup", "InvalidCursorName")
        for log in self.folder.rglob("*.log"):
            for line in log.read_text(errors="replace").splitlines():
                if any(sign in line for sign in signs):
                    self.trouble.append(f"{log.name}: {line[:300]}")

    def _say(self, words: str) -> None:
        for line in words.splitlines():
            print(f"{time.monotonic() - self.began:6.1f} s  {line}", flush=True)


class _Silent:
    """A progress display that shows nothing."""

    def say(self, done: int, words: str = "") -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore the end."""


if __name__ == "__main__":
    sys.exit(main())
