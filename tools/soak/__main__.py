"""Thousands of orders through real processes with every fault, killed all the time.

``make soak-orders`` or ``python -m tools.soak --orders 20000``: PostgreSQL, gunicorn, two clocks
and the simulator, whose books are the truth and which alone is never killed. Once everything is
ordered the faults end, waits of hours are brought forward (see ``waits``), and
``manage.py prove --against-simulator`` must find nothing. Exits with 1 otherwise.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tools import pgbouncer

from .buyers import Buyers, HttpConnection
from .faults import Faults
from .machine import Process, clock, environment, gunicorn, manage

#: Seconds between two kills, and between two faults of the gateway itself.
KILL_AFTER, FAULT_AFTER = (20, 40), (3, 9)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=16, help="concurrent buyers")
    parser.add_argument("--web", type=int, default=18410, help="port of the shop")
    parser.add_argument("--phone", type=int, default=18411, help="port of the simulator")
    parser.add_argument(
        "--server", default="postgres://postgres@127.0.0.1:5432/postgres", help="PostgreSQL"
    )
    parser.add_argument(
        "--through-pgbouncer",
        action="store_true",
        help="share ten connections of PostgreSQL, pooled per transaction",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch, ExitStack() as stack:
        return Soak(options, Path(scratch)).run(stack)


class Soak:
    """One run, from an empty database to the comparison of the books."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.options, self.scratch = options, scratch
        self.draw = Faults(options.seed)
        self.mpesa = f"127.0.0.1:{options.phone}"
        name = f"soak_{options.web}"
        self.database = urlsplit(options.server)._replace(path=f"/{name}").geturl()
        self._make_database(name)
        self.environ = environment(
            database=self.database,
            web=options.web,
            mpesa=f"http://{self.mpesa}",
            scratch=scratch,
        )
        self.kills: Counter = Counter()
        self.gateway_faults: Counter = Counter()
        self.began = time.monotonic()

    def run(self, stack: ExitStack) -> int:
        """Run, settle, compare. Returns the exit code."""
        simulator = self._simulator()
        simulator.start()
        manage(self.environ, "migrate", "--verbosity", "0")
        if self.options.through_pgbouncer:
            manage(self.environ, "database_timeouts")
            proxy = pgbouncer.before(self.database, self.scratch, connections=10)
            self.environ["DATABASE_URL"] = stack.enter_context(proxy).url
        manage(self.environ, "collectstatic", "--no-input", "--verbosity", "0")
        goods = self._goods()
        web = gunicorn(self.environ, self.scratch)
        clocks = [clock(number, self.environ, self.scratch) for number in (1, 2)]
        try:
            for process in (web, *clocks):
                process.start()
            manage(self.environ, "register_c2b_urls", "--statement-number", "254700000000")
            buyers = self._buyers(goods)
            buyers.start(self.options.threads)
            self._play(buyers, web, clocks)
            return self._end(buyers)
        finally:
            for process in (web, *clocks, simulator):
                process.stop()

    def _play(self, buyers: Buyers, web: Process, clocks: list[Process]) -> None:
        chance, line = self.draw.random, HttpConnection(self.mpesa, Counter())
        next_kill = next_fault = next_word = time.monotonic()
        next_kill += chance.uniform(*KILL_AFTER)
        while not buyers.are_done:
            now = time.monotonic()
            if now >= next_kill:
                self._kill(web, clocks)
                next_kill = time.monotonic() + chance.uniform(*KILL_AFTER)
            if now >= next_fault:
                name, script = self.draw.gateway()
                line.ask("POST", "/control/scripts", script)
                self.gateway_faults[name] += 1
                next_fault = now + chance.uniform(*FAULT_AFTER)
            if now >= next_word:
                self._say(f"{buyers.placed} placed, {sum(self.kills.values())} kills")
                next_word = now + 10
            time.sleep(0.3)

    def _kill(self, web: Process, clocks: list[Process]) -> None:
        chance = self.draw.random
        victim = chance.choice(["a worker", "a worker", "gunicorn whole", "a clock", "a clock"])
        self.kills[victim] += 1
        if victim == "a worker":
            web.kill_a_child(chance.choice)
        elif victim == "a clock":
            chance.choice(clocks).kill()
        else:
            web.kill()

    def _end(self, buyers: Buyers) -> int:
        self._say("everything is ordered; the faults end")
        self._forget_scripts()
        settled = manage(self.environ, "-m", "tools.soak.waits", "--patience", "900", check=False)
        self._say(settled.stdout.strip().splitlines()[-1] if settled.stdout else settled.stderr)
        proven = manage(self.environ, "prove", "--against-simulator", check=False)
        print(f"\n{proven.stdout}{proven.stderr}")
        self._summary(buyers)
        server_errors = {met: n for met, n in buyers.met.items() if met == "HTTP 500"}
        ok = not (settled.returncode or proven.returncode or server_errors or buyers.unexpected)
        print("CLEAN" if ok else "NOT CLEAN", f"after {self._minutes()} minutes")
        return 0 if ok else 1

    def _forget_scripts(self) -> None:
        """End M-Pesa's faults. Its books are kept; messages under way still arrive."""
        line = HttpConnection(self.mpesa, Counter())
        line.ask("POST", "/control/scripts/forget", {})

    def _summary(self, buyers: Buyers) -> None:
        tables = {
            "orders": "SELECT payment_status, count(*) FROM orders_order"
            " GROUP BY 1 ORDER BY 2 DESC",
            "attempts": "SELECT channel || ' ' || status, count(*) FROM payments_orderpayment"
            " GROUP BY 1 ORDER BY 2 DESC",
            "receipts by door": "SELECT door, count(*) FROM payments_receipt"
            " GROUP BY 1 ORDER BY 2 DESC",
            "refunds": "SELECT way || ' ' || status, count(*) FROM payments_refund"
            " GROUP BY 1 ORDER BY 2 DESC",
            "messages": "SELECT source || ' ' || state, count(*) FROM payments_gatewayevent"
            " GROUP BY 1 ORDER BY 2 DESC",
            "waiting for a person": "SELECT 'without an order', count(*) FROM payments_receipt"
            " WHERE order_id IS NULL UNION ALL SELECT 'refunds refused', count(*)"
            " FROM payments_refund r WHERE status = 'refused' AND NOT EXISTS"
            " (SELECT 1 FROM payments_refund a WHERE a.replaces_id = r.id)",
        }
        with psycopg.connect(self.database) as connection:
            for name, question in tables.items():
                rows = connection.execute(question).fetchall()
                _table(name, {str(what): count for what, count in rows})
        _table("kills (-9)", self.kills)
        _table("faults of prompts", buyers.faults)
        _table("faults of the gateway", self.gateway_faults)
        _table("what buyers did besides", buyers.actions)
        _table("refused", buyers.refused)
        _table("answers that were none", buyers.met)
        for unexpected in buyers.unexpected[:10]:
            print(f"  STRANGE: {unexpected}")

    def _buyers(self, goods: dict) -> Buyers:
        phones = [self.draw.phone(number) for number in range(len(goods["tokens"]))]
        return Buyers(
            web=self.environ["BIND"],
            mpesa=self.mpesa,
            goods=goods,
            phones=phones,
            draw=self.draw,
            orders=self.options.orders,
        )

    def _goods(self) -> dict:
        buyers = max(200, self.options.orders // 5)
        wanted = ("--buyers", str(buyers), "--ample", "40", "--scarce", "20")
        filled = manage(self.environ, "-m", "tools.soak.data", *wanted)
        goods: dict = json.loads(filled.stdout)
        return goods

    def _simulator(self) -> Process:
        return Process(
            "the M-Pesa simulator", "manage.py", "daraja_simulator",
            "--port", str(self.options.phone), "--default", "success",
            "--certificate", str(self.scratch / "certificate.pem"),
            # Money moves whatever the shop would answer: wrong amounts, wrong references.
            "--set", "external_validation=off",
            environ={"OMACHE_ENV_FILE": "/dev/null"}, log=self.scratch / "simulator.log",
            answers=self.mpesa,
        )  # fmt: skip

    def _make_database(self, name: str) -> None:
        with psycopg.connect(self.options.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")

    def _say(self, words: str) -> None:
        print(f"{self._minutes():>5} min  {words}", flush=True)

    def _minutes(self) -> str:
        return f"{(time.monotonic() - self.began) / 60:.1f}"


def _table(name: str, counts: dict) -> None:
    print(f"{name}:")
    for what, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        print(f"  {count:>7}  {what}")


if __name__ == "__main__":
    sys.exit(main())
