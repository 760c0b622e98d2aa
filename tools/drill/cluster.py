"""A temporary PostgreSQL server that can be stopped as by a power cut."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from payments.demo.processes import free_port


def binaries() -> Path | None:
    """The folder with the programs of the newest installed PostgreSQL, or None.

    Debian installs them outside the path. PostgreSQL refuses to run as root, so root needs the user
    ``postgres``.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    on_path = shutil.which("initdb")
    if not found and on_path:
        found = [Path(on_path).parent]
    if not found or (os.geteuid() == 0 and not shutil.which("runuser")):
        return None
    return found[-1]


class Cluster:
    """One server with one superuser, ``postgres``, open to every local user."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self.port = folder, port
        self.url = f"postgres://postgres@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        self._control("start", "--options", f"-p {self.port} -c unix_socket_directories=''")

    def crash(self) -> None:
        """Stop immediately, without finishing or notifying anything; the next start recovers."""
        self._control("stop", "--mode", "immediate")

    def kill(self) -> None:
        """``kill -9`` its main process; its backends end when they notice."""
        first, *_ = (self._folder / "data" / "postmaster.pid").read_text().split()
        os.kill(int(first), signal.SIGKILL)

    def _control(self, *what: str) -> None:
        log = str(self._folder / "log")
        run("pg_ctl", "--pgdata", str(self._folder / "data"), "--log", log, "--wait", *what)


@contextmanager
def a_cluster() -> Iterator[Cluster]:
    """A server that is removed afterwards, with its files."""
    folder = Path(tempfile.mkdtemp(prefix="omache-cluster-"))
    cluster = Cluster(folder, free_port())
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = str(folder / "data")
        letters = ("--encoding", "UTF8", "--locale", "C.UTF-8")
        owner = ("--username", "postgres", "--auth", "trust")
        run("initdb", "--pgdata", data, *owner, *letters, "--no-sync")
        cluster.start()
        yield cluster
        cluster.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs, not as root."""
    folder = binaries()
    assert folder is not None
    who = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*who, str(folder / program), *arguments]
    # Not a pipe: the server would inherit it, and keep it open.
    with tempfile.TemporaryFile() as said:
        ran = subprocess.run(command, stdout=said, stderr=said, check=False, cwd="/")
        said.seek(0)
        assert ran.returncode == 0, f"{program}: {said.read().decode()}"
