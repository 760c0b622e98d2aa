"""``manage.py laptop``: the whole shop on one machine, started by ``make run``."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from payments.demo.processes import (
    BOOKS,
    HOST,
    Servers,
    ServerStopped,
    check_servers_alive,
    environment,
    is_free,
    open_shop,
)
from payments.demo.terminal import collecting
from products.demo.seed import KEEPERS, PASSWORD, STAFF

_WELCOME = """
O-Mache is running.

  The shop                          http://{host}:{web}/shop/
  The API, to try in the browser    http://{host}:{web}/docs/
  The home page, as JSON            http://{host}:{web}/
  The admin                         http://{host}:{web}/admin/
  The phone that shows the prompts  http://{host}:{phone}/
  The e-mails it sends              http://{host}:{phone}/mails/
  The servers' log                  {kept}/servers.log

  Sign in as wanjiku (buys), amina (sells), admin (runs the shop), one of its staff
  ({staff}), or {keepers} (works at a pick-up
  point, without a role): password {password}

To simulate a day of trading, run python manage.py demo_day in another terminal. Ctrl-C stops
the shop.
"""
_STORY = """
A story of orders is being played. Its errors and warnings are intended:
"""


class Command(BaseCommand):
    help = (
        "Migrate, add demo data, then run the API, the M-Pesa simulator and the clock, and play "
        "the demo's story."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the API (8000)")
        parser.add_argument(
            "--phone-port", type=int, default=8001, help="port of the simulator (8001)"
        )
        parser.add_argument("--without-story", action="store_true", help="do not play the story")
        parser.add_argument(
            "--kept",
            type=Path,
            default=settings.BASE_DIR / ".simulator",
            help="folder for the simulator's key and books, and for e-mails (.simulator)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(
                "DJANGO_SECRET_KEY is set: this is not a laptop. See docs/deploy.md."
            )
        web, phone = options["port"], options["phone_port"]
        for port in (web, phone):
            if not is_free(port):
                raise CommandError(
                    f"Port {port} is in use. Stop the process that uses it, or choose another port "
                    "with --port or --phone-port."
                )
        # Progress is written as sentences below, not logged.
        logging.getLogger().setLevel(logging.WARNING)
        folder: Path = options["kept"]
        self.stdout.write("Creating the database …")
        if not connection.introspection.table_names():
            # The simulator's books belong to an earlier database.
            (folder / BOOKS).unlink(missing_ok=True)
        call_command("migrate", verbosity=0)
        self.stdout.write("Adding demo data …")
        call_command("demo", "--without-story", stdout=StringIO())
        self.stdout.write("Starting …")

        folder.mkdir(exist_ok=True)
        ours = environment(web=web, phone=phone, folder=folder)
        environ = {
            **{name: value for name, value in ours.items() if f"{name}_FILE" not in os.environ},
            **os.environ,
        }
        try:
            with (
                collecting(folder / "servers.log", self.stdout.write) as log,
                open_shop(environ, web=web, phone=phone, folder=folder, log=log) as servers,
            ):
                welcome = {"host": HOST, "web": web, "phone": phone, "password": PASSWORD}
                named = {"staff": ", ".join(STAFF), "keepers": ", ".join(KEEPERS.values())}
                self.stdout.write(_WELCOME.format(**welcome, **named, kept=_shown(folder)))
                if not options["without_story"]:
                    self.stdout.write(_STORY)
                    servers["the story"] = _begin_story(environ)
                    Thread(target=self._tell, args=(servers["the story"],), daemon=True).start()
                self._watch(servers)
        except ServerStopped as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")

    def _tell(self, story: subprocess.Popen[bytes]) -> None:
        for line in story.stdout or ():
            self.stdout.write(f"  · {line.decode(errors='replace').rstrip()}")
        if not story.wait():
            self.stdout.write("The story has ended. The shop keeps running.")

    def _watch(self, servers: Servers) -> None:
        story = servers.get("the story")
        while True:
            if story and story.poll() is not None:
                # It has reported its own outcome.
                servers.pop("the story", None)
            check_servers_alive(servers)
            time.sleep(0.5)


def _begin_story(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Play the demo's story in another process; it takes 15 seconds."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, sys.argv[0], "demo"],
        env={**environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _shown(folder: Path) -> str:
    """The folder relative to the current one, if it is inside."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
