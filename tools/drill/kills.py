"""Kill each process of a shop while people trade, and check that it recovers: ``make kills``.

Uses its own PostgreSQL and Redis, gunicorn at a socket that is held for it as systemd does, a
worker, a clock, and the simulator. People buy all the time. Each process is killed (``kill -9``),
first for as long as systemd takes to restart it, then, except the web, long enough for an alert.
Reports what people got, what the probes, ``/metrics/`` and ALERT_EMAIL said, and how long it took.
Exits with 1 if anyone got an invalid answer, if an incident was not reported exactly once and once
when it was over, if an order is lost or counted twice, or if ``prove --against-simulator`` finds
anything.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.soak.machine import Process, clock, environment, gunicorn_at, manage

from .cluster import Cluster, a_cluster
from .load_clients import Answer, LoadClients
from .watching import Watch

ROOT = Path(__file__).resolve().parents[2]
#: Seconds of trading before the first kill and after each, in which its effects show.
CALM = 12
#: Seconds a process is away for an alert: silent for a minute, and still at the next check.
LONG = 150
#: Seconds that waiting work may take at the end.
PATIENCE = 240
#: Seconds until the end of an incident is reported (payments.watch.alerts), and one round.
OVER = 300 + 75


@dataclass(frozen=True)
class Kill:
    """One process, how it dies and restarts, and after how many seconds."""

    name: str
    die: Callable[[], object]
    restart: Callable[[], object]
    away: float


def main() -> int:
    parser = ArgumentParser(prog="make kills")
    parser.add_argument("--buyers", type=int, default=4, help="concurrent buyers (4)")
    parser.add_argument("--short", action="store_true", help="without the long absences")
    parser.add_argument(
        "--only",
        default="",
        metavar="NAME",
        help="only processes whose name starts with this: Postgre",
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="omache-kills-") as folder, a_cluster() as cluster:
        return Kills(Path(folder), cluster, options).play()


class Kills:
    """One run, from an empty database to the comparison of the books."""

    def __init__(self, folder: Path, cluster: Cluster, options: Namespace) -> None:
        from payments.demo.processes import free_port

        self.folder, self.cluster = folder, cluster
        self.buyers, self.short, self.only = options.buyers, options.short, options.only
        # Requests while the web is away wait at this socket; none is refused.
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=2048)
        web, self.phone, redis = self.socket.getsockname()[1], free_port(), free_port()
        self.environ = environment(
            database=cluster.url,
            web=web,
            mpesa=f"http://127.0.0.1:{self.phone}",
            scratch=folder,
            hold=15,
        ) | {
            "THROTTLES": "on",
            "TRUSTED_PROXIES": "1",
            "CACHE_URL": f"redis://127.0.0.1:{redis}/0",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{redis}/1",
            "METRICS_DIR": str(folder / "metrics"),
            "ALERT_EMAIL": "ops@omache.example",
            "EMAIL_URL": f"filemail:///{folder / 'mail'}",
            "STAFF_MOVES_DAILY_LIMIT": "1000000000",
            "COMMISSION_PERCENT": "5",
        }
        self.redis = Redis(redis, folder)
        self.began = time.monotonic()
        self.trouble: list[str] = []

    def play(self) -> int:
        """Run it; returns 0 if everything is as it should be."""
        with ExitStack() as stack:
            for server in (self.redis, self._simulator()):
                server.start()
                stack.callback(server.stop)
            manage(self.environ, "migrate", "--verbosity", "0")
            manage(self.environ, "collectstatic", "--no-input", "--verbosity", "0")
            os.environ.update(self.environ)
            import django

            django.setup()
            logging.disable(logging.CRITICAL)
            clients = self._clients()
            web, worker, ticking = self._processes()
            for process in (web, worker, ticking):
                process.start()
                stack.callback(process.stop)
            manage(self.environ, "register_c2b_urls", "--statement-number", "254700000000")
            watch = Watch(self.environ, self._say)
            with watch, clients:
                time.sleep(CALM)
                self._kill_all(clients, watch, web, worker, ticking)
                if not self.short:
                    self._say(
                        f"People trade for another {OVER} s: the ends of incidents are reported."
                    )
                    time.sleep(OVER)
            self._end(clients, watch)
        for sentence in self.trouble:
            self._say(f"BROKEN: {sentence}")
        self._say("Something is broken." if self.trouble else "Everything is as it should be.")
        return 1 if self.trouble else 0

    def _kill_all(
        self, clients: LoadClients, watch: Watch, web: Process, worker: Process, ticking: Process
    ) -> None:
        start_both = _both(worker.start, ticking.start)
        short = [
            Kill("one of two web workers", lambda: web.kill_a_child(min), lambda: None, 0),
            Kill("the web, whole", web.die, web.start, 2),
            Kill("the worker", worker.die, worker.start, 5),
            Kill("the clock", ticking.die, ticking.start, 5),
            Kill("Redis", self.redis.die, self.redis.start, 5),
            Kill("PostgreSQL", self.cluster.kill, self.cluster.start, 5),
        ]
        long = [
            Kill("worker and clock", _both(worker.die, ticking.die), start_both, LONG),
            Kill("Redis", self.redis.die, self.redis.start, LONG),
            Kill("PostgreSQL", self.cluster.kill, self.cluster.start, LONG),
        ]
        for kill in short + ([] if self.short else long):
            if kill.name.startswith(self.only):
                self._kill(kill, clients, watch)

    def _kill(self, kill: Kill, clients: LoadClients, watch: Watch) -> None:
        """Kill it, restart it, and report the answers until everything is back to normal."""
        self._say(f"kill -9: {kill.name}" + (f", away for {kill.away:g} s" if kill.away else ""))
        died = time.monotonic()
        kill.die()
        time.sleep(kill.away)
        kill.restart()
        back = time.monotonic()
        orders = clients.wait_for_paid_orders(4, began_after=back, patience=120)
        if not orders:
            self.trouble.append(
                f"nobody could buy within two minutes after {kill.name} had restarted"
            )
        time.sleep(CALM)
        self._tell(kill, clients.answers_since(died), died=died, back=back, paid=orders)
        watch.report_metrics()

    def _tell(
        self, kill: Kill, answers: list[Answer], *, died: float, back: float, paid: float
    ) -> None:
        for what, count in sorted(Counter(answer.what for answer in answers).items()):
            self._say(f"    {count:>5}  {what}")
        failed = [answer for answer in answers if not answer.is_well]
        if failed:
            first, last = failed[0].at - died, failed[-1].at - died
            self._say(f"    failed from {first:.1f} s to {last:.1f} s after the kill")
        slowest = max(answers, key=lambda answer: answer.seconds)
        self._say(f"    the slowest took {slowest.seconds:.1f} s ({slowest.what})")
        self._say(f"    bought and paid again {paid - back:.1f} s after {kill.name} had restarted")

    def _end(self, clients: LoadClients, watch: Watch) -> None:
        late = f": {', '.join(clients.unpaid)}" if clients.unpaid else ""
        self._say(f"{len(clients.unpaid)} buyers waited for more than a minute{late}")
        self._settle()
        proven = manage(self.environ, "prove", "--against-simulator", check=False)
        for line in (proven.stdout + proven.stderr).strip().splitlines()[-3:]:
            self._say(line)
        self._expect(proven.returncode == 0, "prove is not clean")
        self._expect(not clients.strange, f"invalid answers: {clients.strange[:5]}")
        self._compare_orders(clients)
        if not self.short:
            self._compare_mails(watch)

    def _settle(self) -> None:
        """Bring all waits forward until nothing waits; first read the statement."""
        from accounts.models import User
        from orders.models import Order
        from payments.demo.pending import count_pending_work, end_waits
        from tools.soak import waits

        everybody = list(User.objects.values_list("pk", flat=True))
        unpaid = Order.objects.unpaid().count()
        self._say(f"{unpaid} orders wait for M-Pesa's statement, which is read now.")
        deadline = time.monotonic() + PATIENCE
        while Order.objects.unpaid().exists() and time.monotonic() < deadline:
            waits.end_waits()
            time.sleep(2)
        left = count_pending_work(everybody)
        while left and time.monotonic() < deadline:
            end_waits(everybody)
            time.sleep(2)
            left = count_pending_work(everybody)
        self._expect(not left, f"these still wait: {left}")

    def _compare_orders(self, clients: LoadClients) -> None:
        """Compare with what people were told: each order exists once, and is paid once."""
        from orders.models import Order
        from payments.models import Receipt

        there = {str(token) for token in Order.objects.values_list("order_token", flat=True)}
        placed = set(clients.orders.values())
        self._say(f"{len(clients.orders)} orders were confirmed to buyers, {len(there)} exist.")
        self._expect(len(placed) == len(clients.orders), "two requests got the same order")
        self._expect(placed == there, f"{len(placed ^ there)} orders are lost, or belong to nobody")
        receipts = Counter(Receipt.objects.values_list("order_id", flat=True))
        unpaid = set(
            Order.objects.exclude(payment_status="paid").values_list("reference", flat=True)
        )
        self._say(f"{len(there) - len(unpaid)} are paid, by {receipts.total()} payments.")
        self._say(f"Not paid, because no prompt was shown: {', '.join(unpaid) or 'none'}.")
        self._expect(set(receipts.values()) == {1}, "an order was paid more than once")
        self._expect(receipts.total() == len(there) - len(unpaid), "money came without an order")
        self._expect(unpaid <= set(clients.unpaid), "an order its buyer saw as paid is not paid")

    def _compare_mails(self, watch: Watch) -> None:
        from payments.models import Trouble

        mails = Counter(watch.mails)
        for subject, count in mails.items():
            self._say(f"mail: {count} × {subject}")
        for incident in Trouble.objects.exclude(told_at=None):
            mailed = incident.mails.filter(sent_at__isnull=False).values_list("is_over", flat=True)
            self._expect(
                sorted(mailed) == [False, True], f"{incident.kind} was told of as {sorted(mailed)}"
            )
        self._expect(mails.total() == 2 * Trouble.objects.exclude(told_at=None).count(), "mails")

    def _clients(self) -> LoadClients:
        from django.db import connection

        from products.demo.seed import add_people
        from tools.soak.data import fill, token_of

        add_people()
        goods = fill(buyers=400, ample=20, scarce=0)
        agent = token_of("delivery")
        # Its server will be killed.
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
        return LoadClients(self.environ["BIND"], goods=goods, agent=agent, buyers=self.buyers)

    def _processes(self) -> tuple[Process, Process, Process]:
        worker = Process(
            "the worker", "-m", "celery", "-A", "omachemainproj", "worker", "--concurrency", "2",
            "--beat", "--schedule", str(self.folder / "schedule"),
            environ=self.environ, log=self.folder / "worker.log",
        )  # fmt: skip
        web = gunicorn_at(self.socket, self.environ, self.folder)
        return web, worker, clock(1, self.environ, self.folder, every=10)

    def _simulator(self) -> Process:
        return Process(
            "the M-Pesa simulator", "manage.py", "daraja_simulator",
            "--port", str(self.phone), "--default", "success",
            "--certificate", str(self.folder / "certificate.pem"),
            environ={"OMACHE_ENV_FILE": os.devnull}, log=self.folder / "simulator.log",
            answers=f"127.0.0.1:{self.phone}",
        )  # fmt: skip

    def _expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.trouble.append(otherwise)

    def _say(self, sentence: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f}  {sentence}", flush=True)


class Redis(Process):
    """A Redis without persistence."""

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(
            "Redis", "--port", str(port), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1",
            program="redis-server", environ={}, log=folder / "redis.log",
        )  # fmt: skip
        self._port = port

    def start(self) -> None:
        import redis

        super().start()
        with redis.Redis(port=self._port) as asked:
            for _ in range(100):
                try:
                    asked.ping()
                except redis.ConnectionError:
                    time.sleep(0.1)
                else:
                    return
        raise RuntimeError("Redis did not come up")


def _both(one: Callable[[], object], other: Callable[[], object]) -> Callable[[], object]:
    return lambda: (one(), other())


if __name__ == "__main__":
    sys.exit(main())
