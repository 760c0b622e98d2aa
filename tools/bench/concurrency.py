"""Latency of the home page under many connections: ``python -m tools.bench.concurrency``.

Runs the shop as ``deploy/`` does, over PostgreSQL, with the simulator as an M-Pesa that takes ten
seconds for every prompt. Some clients request ``GET /`` all the time: first alone, then alongside
16, 64 and 256 connections, some of which buy and some are slow
(``load_clients.clients_of_each_kind``). The result is the p99 under load as a multiple of the p99
measured just before without other clients; the command fails if even the lowest round exceeds
``BUDGET``.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import requests

from payments.demo.processes import free_port
from tools import nginx

from .load_clients import ARRIVE, Plan, clients_of_each_kind
from .processes import Cpu, Server, running
from .shop import create, drop, environment

DATABASE = "omache_many"
#: Allowed multiple of the p99 without other clients.
BUDGET = 5
#: Connections that measure, each with ten requests a second.
PROBES = 4
#: Seconds M-Pesa takes for a prompt.
GATEWAY = 10
PRODUCTS, BUYERS = 1_000, 4_000


@dataclass
class Beside:
    """Latency of ``GET /`` alongside this number of connections, per round."""

    connections: int
    #: p99 divided by the p99 before the load.
    ratios: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    #: CPU seconds per second: of the web and the database.
    web: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def __str__(self) -> str:
        summary = "; ".join(
            f"{kind} {', '.join(f'{what} {n}' for what, n in counted.items())}"
            for kind, counted in self.answers.items()
        )
        ratios = (
            f"{min(self.ratios):7.1f}{median(self.ratios):7.1f}{max(self.ratios):7.1f}"
            if self.ratios
            else " " * 21
        )
        who = self.connections or "nobody else"
        return (
            f"{who:>12}{min(self.waits):8.1f}{median(self.waits):8.1f}{p99(self.waits):8.1f}{ratios}{median(self.web):8.0%}{median(self.stored):6.0%}"
            f"  {summary}"
        )


HEAD = (
    f"{'connections':>12}{'min ms':>8}{'median':>8}{'p99':>8}{'p99 as':>7}{'times':>7}{'quiet':>7}"
    f"{'web':>8}{'db':>6}  answers"
)


def p99(waits: list[float]) -> float:
    ordered = sorted(waits)
    return ordered[int(len(ordered) * 0.99)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.concurrency", description=__doc__)
    parser.add_argument(
        "--database",
        default="postgres://postgres@127.0.0.1:5432/postgres",
        help="a PostgreSQL address that may create",
    )
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15, help="of load, per round (15)")
    parser.add_argument(
        "--quiet", type=float, default=10, help="seconds without load before it (10)"
    )
    parser.add_argument("--without-nginx", action="store_true", help="connect directly to gunicorn")
    parser.add_argument(
        "--gunicorn", default="", help="options for gunicorn; they override its file"
    )
    parser.add_argument("--keep", metavar="NAME", help="fill this database once and keep it")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    parts = urlsplit(options.database)
    server = parts._replace(path="/postgres").geturl()
    name = options.keep or DATABASE
    create(server, name, recreate=not options.keep)
    try:
        with tempfile.TemporaryDirectory(prefix="omache-concurrency-") as folder:
            missed = Many(options, Path(folder), parts._replace(path=f"/{name}").geturl()).run()
    finally:
        if not options.keep:
            drop(server, name)
    if missed:
        sys.exit(f"Over {BUDGET} times the quiet p99 in every round: {', '.join(missed)}")


class Many:
    """One shop, and the load put on it."""

    def __init__(self, options: argparse.Namespace, folder: Path, database: str) -> None:
        self.options, self.folder = options, folder
        self.database = urlsplit(database).path[1:]
        self.web, self.http, self.https, self.mpesa = (free_port() for _ in range(4))
        self.behind = not options.without_nginx
        os.environ.update(environment(database) | self._extra_environment())
        self.products: list[int] = []
        self.tokens: list[str] = []

    def _extra_environment(self) -> dict[str, str]:
        phone = f"http://127.0.0.1:{self.mpesa}"
        environ = {
            "BIND": f"127.0.0.1:{self.web}",
            "STATIC_ROOT": str(self.folder / "static"),
            "MEDIA_ROOT": str(self.folder / "media"),
            "DARAJA_BASE_URL": phone,
            "DARAJA_CALLBACK_BASE_URL": f"http://127.0.0.1:{self.web}",
            "DARAJA_CONSUMER_KEY": "simulator-key",
            "DARAJA_CONSUMER_SECRET": "simulator-secret",
            "DARAJA_PASSKEY": "simulator-passkey",
        }
        # The proxy sets https. Callbacks are not part of the measurement.
        return environ | (
            {"DJANGO_ALLOWED_HOSTS": "localhost", "TRUSTED_PROXIES": "1"} if self.behind else {}
        )

    def run(self) -> list[str]:
        """Print the table. Returns the numbers of connections at which the page was too slow."""
        self._fill()
        simulator = ["manage.py", "daraja_simulator", "--port", str(self.mpesa)]
        web = ["-m", "gunicorn", "omachemainproj.wsgi", *self.options.gunicorn.split()]
        with (
            running([*simulator, "--default", "success"], port=self.mpesa),
            running(web, port=self.web) as server,
            self._proxy(),
        ):
            self._slow_gateway()
            return self._measure(server)

    def _fill(self) -> None:
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from products.models import Product

        from . import data

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        data.fill(PRODUCTS)
        self.products = list(Product.objects.on_sale().values_list("pk", flat=True))
        # New buyers: in a kept database, earlier ones have unpaid orders and cannot buy more.
        self.tokens = data.tokens(BUYERS, first=random.randrange(10**9))
        connection.close()

    def _slow_gateway(self) -> None:
        script = {"operation": "stk_push", "answer_delay": GATEWAY, "times": 10_000}
        address = f"http://127.0.0.1:{self.mpesa}/control/scripts"
        requests.post(address, json=script, timeout=30).raise_for_status()

    @contextmanager
    def _proxy(self) -> Iterator[None]:
        if not self.behind:
            yield
            return
        nginx.write_certificate(self.folder)
        configuration = nginx.write_configuration(
            self.folder, http=self.http, https=self.https, web=self.web
        )
        command = nginx.command()
        if command is None:
            raise SystemExit("This needs nginx (apt-get install nginx-light), or --without-nginx.")
        with (self.folder / "proxy.log").open("wb") as log:
            proxy = subprocess.Popen([command, "-c", str(configuration)], stdout=log, stderr=log)
        try:
            yield
        finally:
            proxy.terminate()
            proxy.wait(30)

    def _measure(self, server: Server) -> list[str]:
        quiet = Beside(0)
        table = [Beside(count) for count in self.options.connections]
        self._round(server, quiet, seconds=2)
        quiet = Beside(0)
        for _ in range(self.options.rounds):
            for beside in table:
                alone = self._round(server, quiet, seconds=self.options.quiet)
                busy = self._round(server, beside, seconds=self.options.seconds)
                beside.ratios.append(busy / alone)
        where = "behind nginx" if self.behind else "connect directly to gunicorn"
        print(f"{where} {self.options.gunicorn}\n{HEAD}")
        for row in (quiet, *table):
            print(row, flush=True)
        return [f"{row.connections} connections" for row in table if min(row.ratios) > BUDGET]

    def _round(self, server: Server, beside: Beside, *, seconds: float) -> float:
        """Run one more round; returns its p99, ms."""
        others = None
        if beside.connections:
            # Opening the connections is not part of the measurement.
            others = self._begin(clients_of_each_kind(beside.connections), ARRIVE + 1 + seconds)
            time.sleep(ARRIVE + 1)
        before = Cpu.of(server.pid, self.database)
        probe = self._begin({"probe": PROBES}, seconds)
        met = [_end(come) for come in (probe, others) if come is not None]
        web, stored = Cpu.of(server.pid, self.database).since(before)
        beside.web.append(web / seconds)
        beside.stored.append(stored / seconds)
        for one in met:
            for kind, counted in one["answers"].items():
                beside.answers[kind] += Counter(counted)
        waits = met[0]["waits"].get("probe")
        if not waits:
            raise SystemExit(f"GET / was never answered: {met[0]['answers']}")
        beside.waits += waits
        return p99(waits)

    def _begin(self, people: dict[str, int], seconds: float) -> "subprocess.Popen[str]":
        plan = Plan(
            port=self.https if self.behind else self.web,
            host="localhost" if self.behind else "127.0.0.1",
            trusted=str(self.folder / "fullchain.pem") if self.behind else "",
            seconds=seconds,
            people=people,
            products=self.products,
            tokens=random.sample(self.tokens, len(self.tokens)),
        )
        come = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.load_clients"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert come.stdin is not None
        come.stdin.write(json.dumps(asdict(plan)))
        come.stdin.close()
        return come


def _end(come: "subprocess.Popen[str]") -> dict[str, Any]:
    assert come.stdout is not None
    output = come.stdout.read()
    if come.wait():
        raise SystemExit("The load clients failed: see above.")
    met: dict[str, Any] = json.loads(output)
    return met


if __name__ == "__main__":
    main()
