"""``manage.py laptop``: the whole shop on one machine, as ``make run`` starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from products.demo import PASSWORD

HOST = "127.0.0.1"
#: How long the servers may take to answer, seconds.
PATIENCE = 60

_WELCOME = """
O-Mache is open.

  The API, to try in the browser    http://{host}:{web}/docs/
  The home page, as JSON            http://{host}:{web}/
  The admin                         http://{host}:{web}/admin/
  The phone that rings when you pay http://{host}:{phone}/

  Sign in as wanjiku (buys), amina (sells) or admin (runs the shop): password {password}

Ctrl-C closes it.
"""


class Command(BaseCommand):
    help = "Migrate, fill in demo data, then serve the API, the pretend M-Pesa and the clock."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the API (8000)")
        parser.add_argument("--phone-port", type=int, default=8001, help="of the simulator (8001)")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(
                "DJANGO_SECRET_KEY is set: this is not a laptop. See docs/deploy.md."
            )
        web, phone = options["port"], options["phone_port"]
        for port in (web, phone):
            _refuse_taken(port)
        call_command("migrate", verbosity=0)
        call_command("demo", stdout=self.stdout)

        pretended = settings.BASE_DIR / ".simulator"
        pretended.mkdir(exist_ok=True)
        certificate = pretended / "certificate.pem"
        environment = {
            **os.environ,
            "DJANGO_RUNSERVER_HIDE_WARNING": "true",
            "DARAJA_CERTIFICATE": os.environ.get("DARAJA_CERTIFICATE", str(certificate)),
            "DARAJA_BASE_URL": os.environ.get("DARAJA_BASE_URL", f"http://{HOST}:{phone}"),
            "DARAJA_CALLBACK_BASE_URL": os.environ.get(
                "DARAJA_CALLBACK_BASE_URL", f"http://{HOST}:{web}"
            ),
            **_sms_to_the_phone(phone),
        }
        commands = {
            "the simulator": [
                "daraja_simulator",
                "--port",
                str(phone),
                "--certificate",
                str(certificate),
                "--key",
                str(pretended / "key.pem"),
            ],
            "the API": ["runserver", "--skip-checks", f"{HOST}:{web}"],
            "the clock": ["clock"],
        }
        servers = {
            name: subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, sys.argv[0], *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                # The API prints the e-mails a laptop sends; the phone page says the rest.
                stdout=subprocess.DEVNULL if "simulator" in name else None,
                start_new_session=True,
            )
            for name, command in commands.items()
        }
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            self._wait_until_open(servers, (web, phone))
            _register(environment)
            self.stdout.write(_WELCOME.format(host=HOST, web=web, phone=phone, password=PASSWORD))
            self._watch(servers)
        except KeyboardInterrupt:
            self.stdout.write("\nClosed.")
        finally:
            _stop(servers)

    def _wait_until_open(self, servers: dict[str, Any], ports: tuple[int, ...]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not all(_answers(port) for port in ports):
            self._refuse_dead(servers)
            if time.monotonic() > deadline:
                raise CommandError(f"The servers did not answer within {PATIENCE} seconds.")
            time.sleep(0.1)

    def _watch(self, servers: dict[str, Any]) -> None:
        while True:
            self._refuse_dead(servers)
            time.sleep(0.5)

    def _refuse_dead(self, servers: dict[str, Any]) -> None:
        for name, server in servers.items():
            if server.poll() is not None:
                raise CommandError(f"{name} stopped (exit {server.returncode}); see above for why.")


def _sms_to_the_phone(port: int) -> dict[str, str]:
    """Have the shop's SMS carried to the pretend phones, unless somebody else is named."""
    if "SMS" in os.environ:
        return {}
    # What the simulator is born with (payments/simulator/config.py).
    return {
        "SMS": "africastalking",
        "AFRICASTALKING_BASE_URL": f"http://{HOST}:{port}",
        "AFRICASTALKING_USERNAME": "omache",
        "AFRICASTALKING_API_KEY": "simulator-sms-key",
        "AFRICASTALKING_SENDER_ID": "O-MACHE",
    }


def _register(environment: dict[str, str]) -> None:
    """Tell the pretend M-Pesa, which remembers nothing, where to tell of payments by hand."""
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, sys.argv[0], "register_c2b_urls", "--statement-number", "254700000000"],
        env=environment,
        check=True,
        capture_output=True,
    )


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise CommandError(
                f"Port {port} is taken. Stop what uses it, or choose another with --port or "
                "--phone-port."
            ) from None


def _stop(servers: dict[str, Any]) -> None:
    """End every server and whatever it started; each has a session of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for server in servers.values():
            with suppress(ProcessLookupError):
                os.killpg(server.pid, number)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if all(server.poll() is not None for server in servers.values()):
                break
            time.sleep(0.05)
