"""The shop's processes on one machine: the M-Pesa simulator, the API and the clock."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

HOST = "127.0.0.1"
#: The simulator's books, in its folder.
BOOKS = "books.jsonl"
#: The last part of the URL of delivery reports; on a laptop it is not secret.
REPORTS_TOKEN = "laptop-only"  # noqa: S105
#: The folder of the shop's e-mails, which the simulator shows as a page.
MAILS = "mail"
#: Seconds to wait for the servers to answer.
PATIENCE = 180
#: Below the ports that the system assigns to outgoing connections.
_PORTS = range(20_000, 32_000)

Servers = dict[str, subprocess.Popen[bytes]]


class ServerStopped(Exception):
    """A server that should be running is not. The text is a sentence."""


def environment(*, web: int, phone: int, folder: Path) -> dict[str, str]:
    """The default environment of the processes.

    ``folder`` has the simulator's key and certificate.
    """
    return {
        "DARAJA_CERTIFICATE": str(folder / "certificate.pem"),
        "DARAJA_BASE_URL": f"http://{HOST}:{phone}",
        "DARAJA_CALLBACK_BASE_URL": f"http://{HOST}:{web}",
        "FRONTEND_URL": f"http://{HOST}:{web}/shop",
        # The simulator has no limit on queries.
        "DARAJA_QUERIES_A_MINUTE": "600",
        # One agent carries everything that a demo day sells.
        "STAFF_MOVES_DAILY_LIMIT": "1000000000",
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        # In files, since on the terminal they would hide the welcome.
        "EMAIL_URL": f"filemail:///{quote(str(folder.resolve() / MAILS))}",
        # Default credentials of the simulator (daraja_simulator/config.py): its phones show SMS.
        "SMS": "africastalking",
        "AFRICASTALKING_BASE_URL": f"http://{HOST}:{phone}",
        "AFRICASTALKING_USERNAME": "omache",
        "AFRICASTALKING_API_KEY": "simulator-sms-key",
        "AFRICASTALKING_SENDER_ID": "O-MACHE",
        "AFRICASTALKING_REPORTS_TOKEN": REPORTS_TOKEN,
    }


@contextmanager
def open_simulator(
    environ: dict[str, str], *, phone: int, folder: Path, log: IO[bytes] | None = None
) -> Iterator[Servers]:
    """Run only the simulator until the block ends."""
    folder.mkdir(exist_ok=True)
    servers: Servers = {}
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _start(servers, _simulator(environ, phone, folder), environ, log)
        _wait_until_open(servers, (phone,))
        yield servers
    finally:
        _stop(servers)


def _simulator(environ: dict[str, str], phone: int, folder: Path) -> dict[str, list[str]]:
    key = ["--certificate", environ["DARAJA_CERTIFICATE"], "--key", str(folder / "key.pem")]
    key += ["--books", str(folder / BOOKS), "--mails", str(folder / MAILS)]
    # As at Safaricom, a new token invalidates the previous one.
    newest = ["--set", "newest_token_only=on"]
    reports = f"{environ['DARAJA_CALLBACK_BASE_URL']}/safwebhook/sms/{REPORTS_TOKEN}/"
    sms = ["--set", f"sms_reports_url={reports}"]
    return {"the simulator": ["daraja_simulator", "--port", str(phone), *key, *newest, *sms]}


@contextmanager
def open_shop(
    environ: dict[str, str],
    *,
    web: int,
    phone: int,
    folder: Path,
    log: IO[bytes] | None = None,
    with_simulator: bool = True,
) -> Iterator[Servers]:
    """Run a shop until the block ends; the block starts once it is open. Raises ServerStopped.

    The processes print to ``log``, or to this process's output. ``with_simulator=False`` uses one
    that is already running at ``phone``.
    """
    folder.mkdir(exist_ok=True)
    commands = {
        **(_simulator(environ, phone, folder) if with_simulator else {}),
        "the API": ["runserver", "--skip-checks", "--noreload", f"{HOST}:{web}"],
    }
    # Often, so that viewers need not wait.
    clock = {"the clock": ["clock", "--every", "2"]}
    servers: Servers = {}
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _start(servers, commands, environ, log)
        _wait_until_open(servers, (web, phone))
        # A new simulator has no URLs for manual payments.
        manage(environ, "register_c2b_urls", "--statement-number", "254700000000")
        _start(servers, clock, environ, log)
        yield servers
    finally:
        _stop(servers)


def manage(environ: dict[str, str], *command: str) -> None:
    """Run a management command silently. Raises ServerStopped if it fails."""
    ran = subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, sys.argv[0], *command],
        env=environ,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ran.returncode:
        raise ServerStopped(f"{command[0]} failed: {ran.stdout}")


def check_servers_alive(servers: Servers) -> None:
    """Raise ServerStopped if a server has ended."""
    for name, server in servers.items():
        if server.poll() is not None:
            raise ServerStopped(f"{name} stopped (exit {server.returncode}); see above for why.")


def is_free(port: int) -> bool:
    """Whether a server can listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A free port that the system will not assign to an outgoing connection."""
    while not is_free(port := random.choice(_PORTS)):  # noqa: S311 - no secret
        pass
    return port


def _start(
    servers: Servers, commands: dict[str, list[str]], environ: dict[str, str], log: IO[bytes] | None
) -> None:
    for name, command in commands.items():
        servers[name] = subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, sys.argv[0], *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if "simulator" in name else log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_open(servers: Servers, ports: tuple[int, ...]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(_answers(port) for port in ports):
        check_servers_alive(servers)
        if time.monotonic() > deadline:
            raise ServerStopped(f"The servers did not answer within {PATIENCE} seconds.")
        time.sleep(0.1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _stop(servers: Servers) -> None:
    """Stop all servers and their child processes; each has its own session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for server in servers.values():
            with suppress(ProcessLookupError):
                os.killpg(server.pid, number)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if all(server.poll() is not None for server in servers.values()):
                break
            time.sleep(0.05)
