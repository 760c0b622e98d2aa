"""``python -m tools.drill``: see the package. Exits with 1 if anything is broken."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[2]
#: How long the shop may take to settle, seconds.
PATIENCE = 240


def main() -> int:
    """Run the drill; returns 0 if every shilling was recovered."""
    parser = ArgumentParser(prog="make drill")
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", default="postgres://postgres@127.0.0.1:5432/postgres")
    options = parser.parse_args()
    sys.argv[0] = str(ROOT / "manage.py")
    with tempfile.TemporaryDirectory(prefix="omache-drill-") as folder:
        environ = _environment(options.server, Path(folder))
        os.environ.update(environ)
        import django

        django.setup()
        logging.disable(logging.CRITICAL)
        return Drill(Path(folder), environ, orders=options.orders, seed=options.seed).play()


def _environment(server: str, folder: Path) -> dict[str, str]:
    from payments.demo.processes import environment, free_port

    web, phone = free_port(), free_port()
    name = f"omache_drill_{secrets.token_hex(3)}"
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("DARAJA_")},
        **environment(web=web, phone=phone, folder=folder / "simulator"),
        "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
        "OMACHE_ENV_FILE": os.devnull,
        "DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}")),
        "MEDIA_ROOT": str(folder / "media"),
        "COMMISSION_PERCENT": "5",
        "DARAJA_STATEMENT": "on",
        "PYTHON": sys.executable,
    }


class Drill:
    """One drill, from the first order to the last check of the books."""

    def __init__(self, folder: Path, environ: dict[str, str], *, orders: int, seed: int) -> None:
        from deploy.backups.postgres import Server

        self.folder, self.environ, self.orders, self.seed = folder, environ, orders, seed
        self.server = Server(environ["DATABASE_URL"])
        self.web, self.phone = (
            int(environ[name].rpartition(":")[2])
            for name in ("DARAJA_CALLBACK_BASE_URL", "DARAJA_BASE_URL")
        )
        self.began = time.monotonic()
        self.trouble: list[str] = []

    def play(self) -> int:
        """Run it; returns the exit code."""
        from payments.demo.processes import ServerStopped, manage, open_simulator

        self.server.create(self.server.name)
        try:
            manage(self.environ, "migrate", "--verbosity", "0")
            with (self.folder / "servers.log").open("ab") as log, ExitStack() as stack:
                stack.enter_context(
                    open_simulator(
                        self.environ, phone=self.phone, folder=self._simulator_folder(), log=log
                    )
                )
                self._trade(log)
                left = self._money_out()
                self._destroy()
                self._restore()
                self._recover(log, left)
        except ServerStopped as error:
            self.trouble.append(f"{error}\n{(self.folder / 'servers.log').read_text()[-3000:]}")
        finally:
            self._close()
            for name in self._databases():
                self.server.drop(name)
        for sentence in self.trouble:
            self._say(f"BROKEN: {sentence}")
        self._say(
            "The drill failed." if self.trouble else "The drill is over: everything was recovered."
        )
        return 1 if self.trouble else 0

    def _trade(self, log: Any) -> None:
        """Trade, with a backup in the middle; at the end kill every process."""
        from payments.demo.processes import open_shop
        from payments.demo.trading_day import TradingDay
        from payments.management.commands.demo_day import _mark
        from products.demo.seed import add_people

        with open_shop(
            self.environ,
            web=self.web,
            phone=self.phone,
            folder=self._simulator_folder(),
            log=log,
            with_simulator=False,
        ) as servers:
            add_people()
            self._close()
            shop, mpesa = (
                self.environ[name] for name in ("DARAJA_CALLBACK_BASE_URL", "DARAJA_BASE_URL")
            )
            day = TradingDay(shop, mpesa, orders=self.orders, seed=self.seed, mark=_mark())
            day.open()
            self.phones = day.phones
            halfway = _Halfway(self.orders // 2, self._backup, self._say)
            day.play(halfway)  # type: ignore[arg-type]
            halfway.wait()
            self._let_payouts_go()
            self._say(f"{self.orders} orders were placed. Every process of the shop is killed.")
            for server in servers.values():
                os.killpg(server.pid, 9)
                server.wait()

    def _let_payouts_go(self) -> None:
        """Send some payouts and refunds after the backup: these must not be sent again."""
        from django.utils import timezone

        from payments.models import Payout, Refund

        for _ in range(8):
            for rows in (Payout, Refund):
                rows.objects.filter(status="due", next_check_at__isnull=False).update(
                    next_check_at=timezone.now()
                )
            time.sleep(1)
        self._close()

    def _backup(self) -> None:
        """Run ``deploy/backup`` while people trade."""
        ran = self._run(str(ROOT / "deploy" / "backup"), str(self.folder / "backups"))
        if ran.returncode:
            self.trouble.append(f"deploy/backup ended with {ran.returncode}: {ran.stderr}")

    def _destroy(self) -> None:
        self._counts_before = self._counts()
        self._close()
        self.server.drop(self.server.name)
        self._say("The database is destroyed.")

    def _restore(self) -> None:
        from payments.demo.processes import ServerStopped

        (file,) = (self.folder / "backups").glob("omache-*.tar")
        ran = self._run(str(ROOT / "deploy" / "restore"), str(file), "--replace")
        if ran.returncode:
            raise ServerStopped(f"deploy/restore ended with {ran.returncode}")
        before, now = self._counts_before, self._counts()
        lost = {what: before[what] - now[what] for what in before}
        self._say("Lost: " + ", ".join(f"{count} {what}" for what, count in lost.items()) + ".")

    def _recover(self, log: Any, left: int) -> None:
        from payments.demo.processes import open_shop

        from .people import People

        with open_shop(
            self.environ,
            web=self.web,
            phone=self.phone,
            folder=self._simulator_folder(),
            log=log,
            with_simulator=False,
        ):
            self._shown("replay_events", "--all")
            time.sleep(8)
            self._expect(self._money_out() == left, "money was sent before the statement was read")
            files = self._statements()
            self._shown("read_statement", *files, may_fail=True)
            people = People()
            self._say("The console's queues:")
            for line in people.console():
                self._say(line)
            people.explain_withdrawals(self._say)
            self._shown("read_statement", *files)
            self._expect(self._money_out() == left, "money was sent before staff ended the stop")
            self._say(f"{people.let_money_leave()}")
            self._say(
                f"{people.send_back_what_has_no_order()} payments without an order are sent back."
            )
            self._settle(people)
            self._shown("prove", "--against-simulator")

    def _statements(self) -> list[str]:
        """Download M-Pesa's statements of both numbers, as staff would from the portal."""
        import requests

        from payments.models import PayoutStop
        from payments.reconciliation.portal_statement_import import our_shortcodes

        since = PayoutStop.objects.after_a_restore().get().lost_since
        assert since is not None
        time.sleep(1.5)
        files = []
        for number in our_shortcodes():
            answer = requests.get(
                f"{self.environ['DARAJA_BASE_URL']}/control/accounts/{number}/statement",
                params={"from": (since - timedelta(minutes=1)).isoformat(timespec="seconds")},
                timeout=30,
            )
            file = self.folder / f"{number}.csv"
            file.write_bytes(answer.content)
            files.append(str(file))
        return files

    def _settle(self, people: Any) -> None:
        from accounts.models import User
        from payments.demo.pending import count_pending_work, end_waits
        from payments.models import Receipt

        everybody = list(User.objects.values_list("pk", flat=True))
        deadline, quiet = time.monotonic() + PATIENCE, 0
        while quiet < 3 and time.monotonic() < deadline:
            people.acknowledge()
            end_waits(everybody)
            _bring_forward_suspense()
            time.sleep(1)
            waits = {**count_pending_work(everybody), **_suspense_waits()}
            quiet = 0 if waits else quiet + 1
        if quiet < 3:
            self.trouble.append(f"after {PATIENCE} seconds these still wait: {waits}")
        self._expect(not Receipt.objects.unmatched().exists(), "there is money without an order")

    def _money_out(self) -> int:
        """How many outgoing payments M-Pesa's books contain."""
        import requests

        books = requests.get(f"{self.environ['DARAJA_BASE_URL']}/control/books", timeout=30)
        return sum(entry["direction"] == "out" for entry in books.json()["entries"])

    def _counts(self) -> dict[str, int]:
        from orders.models import Order, TrackEvent
        from payments.models import Payout, Receipt, Refund

        sent = {"status": "done"}
        counts = {
            "orders": Order.objects.count(),
            "steps of lines": TrackEvent.objects.count(),
            "payments": Receipt.objects.count(),
            "refunds that went": Refund.objects.filter(**sent).count(),
            "payouts that went": Payout.objects.filter(amount__gt=0, **sent).count(),
        }
        self._close()
        return counts

    def _databases(self) -> list[str]:
        with self.server.connection("postgres") as at:
            query = "SELECT datname FROM pg_database WHERE datname LIKE %s"
            return [str(row[0]) for row in at.execute(query, [f"{self.server.name}%"])]

    def _shown(self, *command: str, may_fail: bool = False) -> None:
        """Run a management command as an operator would, and show its output."""
        ran = self._run(sys.executable, str(ROOT / "manage.py"), *command)
        if ran.returncode and not may_fail:
            self.trouble.append(f"manage.py {command[0]} ended with {ran.returncode}")

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        shown = [part.removeprefix(f"{ROOT}/") for part in command if part != sys.executable]
        self._say(f"$ {' '.join(shown)}")
        ran = subprocess.run(
            command, env=self.environ, cwd=ROOT, capture_output=True, text=True, check=False
        )
        # Log lines are not part of what an operator reads.
        output = [line for line in ran.stderr.splitlines() if not line.startswith("20")]
        for line in [*ran.stdout.strip().splitlines(), *output]:
            self._say(f"    {line}")
        return ran

    def _expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.trouble.append(otherwise)

    def _simulator_folder(self) -> Path:
        return self.folder / "simulator"

    def _close(self) -> None:
        from django.db import connections

        for connection in connections.all(initialized_only=True):
            connection.close()
            if hasattr(connection, "close_pool"):
                connection.close_pool()

    def _say(self, sentence: str) -> None:
        stamp = f"{datetime.now():%H:%M:%S}"  # noqa: DTZ005 - of this machine, for who watches
        for line in sentence.replace(str(self.folder), "…").splitlines() or [""]:
            print(f"{stamp}  {line}", flush=True)


class _Halfway:
    """Follows the progress of a day, and starts something concurrently in the middle of it."""

    def __init__(self, when: int, begin: Any, say: Any) -> None:
        self._when, self._say = when, say
        self._thread = threading.Thread(target=begin)
        self._begun = False

    def say(self, done: int, words: str = "") -> None:
        """Note how many orders were placed."""
        if done >= self._when and not self._begun:
            self._begun = True
            self._say(f"{done} orders were placed; a backup is taken while people trade.")
            self._thread.start()

    def end(self) -> None:
        """Note that the day is over."""

    def wait(self) -> None:
        """Wait for what was started."""
        if self._begun:
            self._thread.join()


def _bring_forward_suspense() -> None:
    """Make refunds of money without an order due now."""
    from django.utils import timezone

    from payments.models import ReceiptQuestion, Refund

    now = timezone.now()
    lately = now - timedelta(seconds=3)
    waiting = Refund.objects.filter(order=None, next_check_at__gt=now)
    waiting.exclude(sent_at__gt=lately).update(next_check_at=now)
    unsent = ReceiptQuestion.objects.filter(receipt__order=None, next_check_at__gt=now, queries=0)
    unsent.update(next_check_at=now)


def _suspense_waits() -> dict[str, int]:
    from payments.models import Refund

    count = Refund.objects.filter(order=None, next_check_at__isnull=False).count()
    return {"refunds of money without an order": count} if count else {}


if __name__ == "__main__":
    sys.exit(main())
