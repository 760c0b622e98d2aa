"""Start servers to measure, and read the CPU time they and PostgreSQL used."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
_NANOSECONDS = 1_000_000_000

Server = subprocess.Popen[bytes]


@contextmanager
def running(arguments: list[str], *, port: int) -> Iterator[Server]:
    """Run a Python module as a server until the block ends; yields its process."""
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            _wait(server, port, said)
            yield server
        finally:
            _stop(server)


def _stop(server: Server) -> None:
    if server.poll() is not None:
        return
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait(server: Server, port: int, said: IO[bytes], patience: float = 90) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if server.poll() is not None:
            said.seek(0)
            raise SystemExit(said.read().decode(errors="replace"))
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"nothing answers on port {port}")


class Cpu(NamedTuple):
    """CPU seconds by process, of a server and its workers, and of a database's backends."""

    web: dict[int, float]
    database: dict[int, float]

    @classmethod
    def of(cls, leader: int, database: str) -> "Cpu":
        """CPU used so far by the session of ``leader`` and by the backends of a database.

        PostgreSQL's processes have the database's name in their title.
        """
        web: dict[int, float] = {}
        backends: dict[int, float] = {}
        for stat in _stats():
            if stat.session == leader:
                web[stat.pid] = stat.seconds
            elif stat.command.startswith("postgres:") and f" {database} " in stat.command:
                backends[stat.pid] = stat.seconds
        return cls(web, backends)

    def since(self, before: "Cpu") -> tuple[float, float]:
        """Seconds used since then by web and database; only of processes still alive."""
        return (_grown(before.web, self.web), _grown(before.database, self.database))


def _grown(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def settled(leader: int, database: str, patience: float = 20) -> Cpu:
    """CPU used, once everything is idle: work after an answer counts too."""
    deadline = time.monotonic() + patience
    last = Cpu.of(leader, database)
    while True:
        time.sleep(0.05)
        now = Cpu.of(leader, database)
        if sum(now.since(last)) < 0.001 or time.monotonic() > deadline:
            return now
        last = now


class _Stat(NamedTuple):
    pid: int
    command: str
    session: int
    #: CPU time.
    seconds: float


def _stats() -> Iterator[_Stat]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            rest = text[text.rindex(")") + 2 :].split()
            # proc(5): after the name come state, ppid, pgrp, session …; utime is the 12th.
            seconds = _nanoseconds(entry) or (int(rest[11]) + int(rest[12])) / TICKS
        except OSError:
            continue
        yield _Stat(int(entry.name), command, int(rest[3]), seconds)


def _nanoseconds(process: Path) -> float:
    """CPU seconds of a process's living threads, if the kernel counts nanoseconds; else 0.

    ``stat`` counts hundredths of a second, as much as ten small requests use.
    """
    total = 0
    for thread in (process / "task").iterdir():
        try:
            total += int((thread / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            return 0.0
        except OSError:
            continue
    return total / _NANOSECONDS


def memory_of_session(leader: int) -> float:
    """Proportional memory (PSS) of a server and its workers, MB."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
            if int(text[text.rindex(")") + 2 :].split()[3]) != leader:
                continue
            rollup = (entry / "smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line)
    return total / 1024
