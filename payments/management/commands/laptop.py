"""``manage.py laptop``: the whole shop on one machine, as ``make run`` starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from payments.demo.processes import (
    HOST,
    Servers,
    ServerStopped,
    environment,
    is_free,
    open_shop,
    refuse_dead,
)
from products.demo.seed import PASSWORD, STAFF

_WELCOME = """
O-Mache is open.

  The shop                          http://{host}:{web}/shop/
  The API, to try in the browser    http://{host}:{web}/docs/
  The home page, as JSON            http://{host}:{web}/
  The admin                         http://{host}:{web}/admin/
  The phone that rings when you pay http://{host}:{phone}/
  The e-mails it sends, a file each .simulator/mail/

  Sign in as wanjiku (buys), amina (sells), admin (runs the shop), or one of its staff
  ({staff}): password {password}

A story is being played meanwhile: orders, payments and deliveries that went well and badly.
A whole day of trade: python manage.py demo_day, in another terminal.

Ctrl-C closes it.
"""


class Command(BaseCommand):
    help = (
        "Migrate, fill in demo data, then serve the API, the pretend M-Pesa and the clock, and "
        "play the demo's story."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the API (8000)")
        parser.add_argument("--phone-port", type=int, default=8001, help="of the simulator (8001)")
        parser.add_argument("--without-story", action="store_true", help="sell, and play no story")
        parser.add_argument(
            "--kept",
            type=Path,
            default=settings.BASE_DIR / ".simulator",
            help="folder of the simulator's key and of the e-mails (.simulator)",
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
                    f"Port {port} is taken. Stop what uses it, or choose another with --port or "
                    "--phone-port."
                )
        call_command("migrate", verbosity=0)
        call_command("demo", "--without-story", stdout=self.stdout)

        kept: Path = options["kept"]
        ours = environment(web=web, phone=phone, kept=kept)
        environ = {
            **{name: value for name, value in ours.items() if f"{name}_FILE" not in os.environ},
            **os.environ,
        }
        try:
            with open_shop(environ, web=web, phone=phone, kept=kept) as servers:
                welcome = {"host": HOST, "web": web, "phone": phone, "password": PASSWORD}
                self.stdout.write(_WELCOME.format(**welcome, staff=", ".join(STAFF)))
                if not options["without_story"]:
                    servers["the story"] = _begin_story(environ)
                self._watch(servers)
        except ServerStopped as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("\nClosed.")

    def _watch(self, servers: Servers) -> None:
        story = servers.get("the story")
        while True:
            if story and story.poll() is not None:
                # Played or not, it has said so itself. The shop stays open.
                servers.pop("the story", None)
            refuse_dead(servers)
            time.sleep(0.5)


def _begin_story(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Play the demo's story beside the shop: it takes a quarter of a minute."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, sys.argv[0], "demo"],
        env=environ,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
