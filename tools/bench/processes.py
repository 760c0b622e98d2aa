"""Servers to measure, and what they used of the processor."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")

Server = subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(arguments: list[str], *, port: int) -> Iterator[Server]:
    """Run a Python module as a server until the block ends; yields its process."""
    server = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _wait(server, port)
        yield server
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def _wait(server: Server, port: int, patience: float = 30) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if server.poll() is not None:
            assert server.stderr is not None
            raise SystemExit(server.stderr.read().decode())
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"nothing answers on port {port}")


def cpu_of_session(leader: int) -> float:
    """CPU seconds of a server and its workers."""
    return sum(stat.seconds for stat in _stats() if stat.session == leader)


def cpu_of_database(name: str) -> float:
    """CPU seconds of PostgreSQL's backends for one database; they carry its name in theirs."""
    return sum(stat.seconds for stat in _stats() if f" {name} " in stat.command)


class Stat(NamedTuple):
    """A process as /proc has it; ``seconds`` are CPU time."""

    command: str
    session: int
    seconds: float


def _stats() -> Iterator[Stat]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        rest = text[text.rindex(")") + 2 :].split()
        # proc(5): after the name come state, ppid, pgrp, session …; utime is the 12th of them.
        yield Stat(command, int(rest[3]), (int(rest[11]) + int(rest[12])) / TICKS)


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
