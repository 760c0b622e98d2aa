"""The shop as on a server: gunicorn, clocks, commands; each can be killed and restarted."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

C2B_TOKEN = "soak0registered0address"
#: Seconds a server may take to answer after its start.
PATIENCE = 180


def environment(*, database: str, web: int, mpesa: str, scratch: Path, hold: int = 1) -> dict:
    """Production settings for this machine; throttles off, because one client sends everything.

    Goods are reserved for ``hold`` minutes, so that orders expire during the run.
    """
    return {
        "OMACHE_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
        "DJANGO_SECRET_KEY": secrets.token_hex(40),
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "off",
        "THROTTLES": "off",
        "DATABASE_URL": database,
        "DATABASE_POOL_SIZE": "10",
        "FRONTEND_URL": "http://127.0.0.1:1/shop",
        "EMAIL_URL": "dummymail://",
        "DEFAULT_FROM_EMAIL": "O-Mache <hello@omache.example>",
        "STATIC_ROOT": str(scratch / "static"),
        "MEDIA_ROOT": str(scratch / "media"),
        "BIND": f"127.0.0.1:{web}",
        "WEB_CONCURRENCY": "2",
        "WEB_THREADS": "10",
        "ORDER_HOLD_MINUTES": str(hold),
        "DARAJA_BASE_URL": mpesa,
        "DARAJA_CALLBACK_BASE_URL": f"http://127.0.0.1:{web}",
        "DARAJA_CONSUMER_KEY": "simulator-key",
        "DARAJA_CONSUMER_SECRET": "simulator-secret",
        "DARAJA_SHORTCODE": "174379",
        "DARAJA_PASSKEY": "simulator-passkey",
        "DARAJA_C2B_TOKEN": C2B_TOKEN,
        "DARAJA_STATEMENT": "on",
        "DARAJA_QUERIES_A_MINUTE": "30000",
        "DARAJA_B2C_SHORTCODE": "600000",
        "DARAJA_INITIATOR_NAME": "simulator",
        "DARAJA_INITIATOR_PASSWORD": "simulator-password",
        "DARAJA_CERTIFICATE": str(scratch / "certificate.pem"),
    }


class Process:
    """One process of the shop, with its children, in their own session."""

    def __init__(
        self,
        name: str,
        *arguments: str,
        environ: dict,
        log: Path,
        answers: str = "",
        program: str = sys.executable,
        keeps: tuple[int, ...] = (),
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self._arguments, self._environ, self._log = (program, *arguments), environ, log
        #: ``host:port`` where a server answers once it is up.
        self._answers = answers
        #: File descriptors passed to it.
        self._keeps = keeps
        #: The folder of the program, if not this one.
        self._folder = folder
        self._running: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it; wait until it answers if it is a server."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._arguments,
                env={**os.environ, **self._environ},
                cwd=self._folder,
                pass_fds=self._keeps,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while self._answers and not _is_up(self._answers):
            if time.monotonic() > deadline or self._running.poll() is not None:
                raise RuntimeError(f"{self.name} did not come up; see {self._log}")
            time.sleep(0.05)

    def kill(self) -> None:
        """``kill -9`` it and its children, and start it again."""
        self.die()
        self.start()

    def die(self) -> None:
        """``kill -9`` it and its children."""
        self._end(signal.SIGKILL)

    def kill_a_child(self, choose: Callable[[list[str]], str]) -> None:
        """``kill -9`` one of its children, which it has to replace itself."""
        assert self._running is not None
        children = Path(f"/proc/{self._running.pid}/task/{self._running.pid}/children")
        if pids := children.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(choose(pids)), signal.SIGKILL)

    def stop(self) -> None:
        """Stop it as an operator would. Safe to repeat."""
        self._end(signal.SIGTERM)

    def end(self) -> int:
        """Stop only its main process, as systemd does (KillMode=mixed); returns its exit code."""
        assert self._running is not None
        self._running.terminate()
        code = self._running.wait(timeout=45)
        self._running = None
        return code

    def _end(self, how: int) -> None:
        if self._running is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, how)
        try:
            self._running.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
        self._running = None


def _is_up(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/livez/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def gunicorn(environ: dict, scratch: Path, *, folder: Path | None = None) -> Process:
    """The web servers: a master and its workers."""
    return Process(
        "gunicorn", "-m", "gunicorn", "omachemainproj.wsgi",
        environ=environ, log=scratch / "gunicorn.log", answers=environ["BIND"], folder=folder,
    )  # fmt: skip


#: Moves the descriptor of its first argument to 3, and runs the rest: sd_listen_fds(3).
_BECOME = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid()); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


def gunicorn_at(listening: socket.socket, environ: dict, scratch: Path) -> Process:
    """The same, with a socket held for it as systemd holds omache-web.socket."""
    number = listening.fileno()
    return Process(
        "gunicorn", "-c", _BECOME, str(number), "-m", "gunicorn", "omachemainproj.wsgi",
        environ={**environ, "LISTEN_FDS": "1"}, log=scratch / "gunicorn.log",
        answers=environ["BIND"], keeps=(number,),
    )  # fmt: skip


def clock(
    number: int, environ: dict, scratch: Path, *, every: float = 2, folder: Path | None = None
) -> Process:
    """One of the clocks."""
    name = f"clock {number}"
    return Process(
        name, "manage.py", "clock", "--every", str(every),
        environ=environ, log=scratch / f"clock{number}.log", folder=folder,
    )  # fmt: skip


def manage(
    environ: dict, *arguments: str, check: bool = True, folder: Path | None = None
) -> subprocess.CompletedProcess:
    """Run a management command, or a module with ``-m``, to its end."""
    command = arguments if arguments[0] == "-m" else ("manage.py", *arguments)
    ran = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and ran.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {ran.stdout}{ran.stderr}")
    return ran
