"""Output of the servers on a laptop: all in a file, warnings and errors on the terminal."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: A line of the log, as PlainFormatter writes it: its time and its level.
_LOGGED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+ ([A-Z]+) ")
_WRONG = {"WARNING", "ERROR", "CRITICAL"}


@contextmanager
def collecting(log: Path, show: Callable[[str], object]) -> Iterator[IO[bytes]]:
    """Yield a file for output: all goes to ``log``, warnings and errors also to ``show``."""
    reading, writing = os.pipe()

    def pass_on() -> None:
        with os.fdopen(reading, "rb") as printed, log.open("wb") as copy:
            for line in errors_in(_copied(printed, copy)):
                show(line)

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    with os.fdopen(writing, "wb") as file:
        yield file
    thread.join(5)


def errors_in(lines: Iterable[str]) -> Iterator[str]:
    """Yield warnings, errors and full tracebacks from a server's output."""
    in_traceback = False
    for line in lines:
        logged = _LOGGED.match(line)
        is_wrong = logged is not None and logged[1] in _WRONG
        starts = line.startswith("Traceback ")
        if is_wrong or starts or in_traceback:
            yield line
        # A traceback ends with the exception, which is not indented.
        in_traceback = starts or (in_traceback and line.startswith(" "))


def _copied(printed: IO[bytes], copy: IO[bytes]) -> Iterator[str]:
    for line in printed:
        copy.write(line)
        copy.flush()
        yield line.decode(errors="replace").rstrip("\n")
