"""The files in which the processes of a shop count, so that any of them can tell of all.

``prometheus_client`` gives each process files of its own in a shared folder, by its id. Those of
processes that are gone stay for ever (a worker is replaced every 20,000 requests), are read at
every scrape, and cannot be deleted without counters that fall. Here a process takes the first free
*place* instead, and goes on counting where the one before it in that place has ended: there are as
many files as processes ever ran at once. A place is a lock that the kernel holds for as long as the
process lives, so one that is killed leaves nothing to tidy up, and one in another container is seen
too.

Knows nothing of Django: gunicorn's configuration reads it before there is a shop.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

#: What ``prometheus_client`` itself reads, wherever it is used.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Place:
    """The number under which this process counts: that of a lock which no living process shares."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = 0
        self._lock = -1
        self._number = 0

    def number(self) -> int:
        """Take a place at the first call of a process, also of one that was forked."""
        if self._process != os.getpid():
            self._take()
        return self._number

    def _take(self) -> None:
        if self._lock != -1:
            # The parent's: its own descriptor still holds the lock.
            os.close(self._lock)
        number = 0
        while (lock := _locked(self._folder / f"{number}.lock")) is None:
            number += 1
        self._lock, self._number, self._process = lock, number, os.getpid()
        for file in _files_of(self._folder, number):
            # A process that was killed while it wrote may have left one that nobody can go on with.
            # What a gauge said was of that process alone.
            if file.name.startswith("gauge_") or not is_whole(file):
                file.unlink(missing_ok=True)


def files_to_read(folder: Path) -> list[str]:
    """The files that make up what is told: of gauges only those of processes that live."""
    return [
        str(file)
        for file in sorted(folder.glob("*.db"))
        if is_whole(file) and (not file.name.startswith("gauge_") or not _is_free(folder, file))
    ]


def sweep(folder: Path) -> None:
    """Delete what nobody counts in any more. For the start of the web: what another release has
    counted has other names and other buckets."""
    folder.mkdir(parents=True, exist_ok=True)
    for lock in folder.glob("*.lock"):
        held = _locked(lock)
        if held is not None:
            for file in _files_of(folder, int(lock.stem)):
                file.unlink(missing_ok=True)
            os.close(held)


def is_whole(file: Path) -> bool:
    """Whether a file can be read to its end."""
    try:
        for _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            pass
    except Exception:
        return False
    return True


def _files_of(folder: Path, number: int) -> Iterator[Path]:
    return folder.glob(f"*_{number}.db")


def _is_free(folder: Path, file: Path) -> bool:
    held = _locked(folder / f"{_number_in(file)}.lock", shared=True)
    if held is None:
        return False
    os.close(held)
    return True


def _number_in(file: Path) -> str:
    return file.stem.rpartition("_")[2]


def _locked(path: Path, *, shared: bool = False) -> int | None:
    """A descriptor that holds the lock, or None where a living process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with suppress(OSError):
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        return descriptor
    os.close(descriptor)
    return None
