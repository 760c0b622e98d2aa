"""The books on disk: an append-only file of JSON lines, one per movement.

Each line is written before the movement counts, so a restart loses nothing. If the process is
killed while writing, the incomplete last line never counted and is removed at the next start.
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

#: The kinds of lines, by the field ``what``. The other fields are those of the record.
_KINDS: dict[str, type[Record]] = {
    "moved": Entry,
    "topped_up": TopUp,
    "wallet": WalletSet,
    "working": WorkingSet,
    "new": NewBooks,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class BooksFile:
    """The open file, locked for one simulator.

    Raises ValueError if another simulator has it open, or if it has other content.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise ValueError(f"{path} is in use by another simulator") from None
        self._lines = self._read()

    def records(self) -> Iterator[Record]:
        """Yield the records read when the file was opened, oldest first. Raises ValueError.

        They are returned by the first call only.
        """
        lines, self._lines = self._lines, []
        yield from map(_record_of, lines)

    def add(self, record: Record) -> None:
        """Append one record. Raises OSError if it cannot be written; nothing of it is left then."""
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
        """Close the file and release its lock. Safe to repeat."""
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
                raise ValueError(f"{self._path}, line {number}: not a line of the books") from None
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
        raise ValueError(f"the books have an invalid line: {error}") from error
