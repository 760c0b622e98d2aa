"""The books on disk: a line a movement, written before it counts, so that a restart knows it all.

Only added to, one line at a time: a process that is killed in the middle of one leaves a line
without its end, which never counted and is taken off at the next start.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .clock import EAT
from .entries import Entry, Purpose, TopUp


@dataclass(frozen=True)
class WalletSet:
    """A phone's wallet was set to this balance, in KES."""

    phone: str
    amount: int


@dataclass(frozen=True)
class WorkingSet:
    """The working account of a shortcode was set to this balance, in KES."""

    shortcode: str
    amount: int


@dataclass(frozen=True)
class NewBooks:
    """Everything before this was cleared."""


Record = Entry | TopUp | WalletSet | WorkingSet | NewBooks

#: What a line is about; its other fields are those of the record.
_KINDS: dict[str, type[Record]] = {
    "moved": Entry,
    "topped_up": TopUp,
    "wallet": WalletSet,
    "working": WorkingSet,
    "new": NewBooks,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class BooksFile:
    """One file of lines of JSON, open for as long as this lives, for one simulator alone.

    Raises ValueError for a file that another simulator has open, or that holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise ValueError(f"another simulator keeps its books in {path}") from None
        self._lines = self._read()

    def records(self) -> Iterator[Record]:
        """Give every record that was there at the start, oldest first; once. Raises ValueError."""
        lines, self._lines = self._lines, []
        yield from map(_record_of, lines)

    def add(self, record: Record) -> None:
        """Write one line; it is there when this returns. Raises OSError where it could not be.

        Then nothing of it is left.
        """
        line = _line_of(record)
        end = os.fstat(self._file).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError:
            os.ftruncate(self._file, end)
            raise

    def close(self) -> None:
        """Let another have the file. Safe to repeat."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read(self) -> list[dict[str, Any]]:
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(self._file, len(whole))
        lines = []
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                read = json.loads(line)
                read["what"]
            except (ValueError, TypeError, KeyError):
                self.close()
                raise ValueError(f"{self._path}, line {number}: no line of the books") from None
            lines.append(read)
        return lines


def _line_of(record: Record) -> bytes:
    fields = {"what": _NAMES[type(record)], **asdict(record)}
    return json.dumps(fields, separators=(",", ":"), default=datetime.isoformat).encode() + b"\n"


def _record_of(line: dict[str, Any]) -> Record:
    what = line.pop("what")
    try:
        if "time" in line:
            line["time"] = datetime.fromisoformat(line["time"]).astimezone(EAT)
        if "purpose" in line:
            line["purpose"] = Purpose(**line["purpose"])
        return _KINDS[what](**line)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"the books hold a line that is none: {error}") from error
