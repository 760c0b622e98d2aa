"""Servers to measure, and what they used of the processor."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(arguments, *, port, environment=None):
    """Run a Python module as a server until the block ends; yields its process."""
    server = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **(environment or {})},
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


def _wait(server, port, patience=30):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if server.poll() is not None:
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
    return sum(stat["seconds"] for stat in _stats() if stat[3] == leader)


def cpu_of_database(name: str) -> float:
    """CPU seconds of PostgreSQL's backends for one database; they carry its name in theirs."""
    return sum(stat["seconds"] for stat in _stats() if f" {name} " in stat["command"])


class Stat(dict):
    """What /proc tells of a process: ``command``, ``seconds`` of CPU, its session by 3."""


def _stats():
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        rest = text[text.rindex(")") + 2 :].split()
        stat = Stat(enumerate(rest[:20]))
        # proc(5): after the name come state, ppid, pgrp, session …; utime is the 12th of them.
        stat["command"], stat[3] = command, int(rest[3])
        stat["seconds"] = (int(rest[11]) + int(rest[12])) / TICKS
        yield stat


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
