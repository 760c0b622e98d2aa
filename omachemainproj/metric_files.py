"""Metric files shared by the processes of a shop, so that each can report the metrics of all.

``prometheus_client`` gives each process its own files in a shared folder, named by its process id.
The files of ended processes stay for ever (a worker is replaced every 20,000 requests), are read at
every scrape, and deleting them would make counters fall. Here a process takes the first free
*place* instead, and continues the counters of the previous process in that place: there are as many
files as processes ever ran concurrently. A place is a lock held by the kernel while the process
lives, so a killed process leaves nothing to clean up, and processes in other containers are seen.

Does not import Django: gunicorn's configuration imports it before the settings are loaded.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

logger = logging.getLogger(__name__)

#: The environment variable that ``prometheus_client`` itself reads.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Place:
    """The number of this process's metric files: that of a lock no other living process holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = 0
        self._lock = -1
        self._number = 0

    def number(self) -> int:
        """Return this process's number; its first call, also after a fork, takes a place."""
        if self._process != os.getpid():
            self._take()
        return self._number

    def _take(self) -> None:
        if self._lock != -1:
            # The parent's: its own descriptor still holds the lock.
            os.close(self._lock)
        number = 0
        try:
            while (lock := _locked(self._folder / f"{number}.lock")) is None:
                number += 1
        except OSError as error:
            # No folder, or no room for another file: the counts stay in memory.
            logger.warning("METRICS_DIR cannot be used: %s", error)
            self._lock, self._number, self._process = -1, os.getpid(), os.getpid()
            return
        self._lock, self._number, self._process = lock, number, os.getpid()
        for file in _files_of(self._folder, number):
            # A process killed while writing may have left a damaged file. A gauge described only
            # the process that is gone.
            if file.name.startswith("gauge_") or not is_whole(file):
                file.unlink(missing_ok=True)


class AllocatedFile(MmapedDict):
    """A process's file of metrics, all of whose bytes have room on the disk.

    The library's own file has holes. Writing into a hole of a mapped file on a full disk ends the
    process (SIGBUS), so all web workers would end, again and again. Without room, a process counts
    in its own memory, which ``/metrics/`` does not show, and serves.
    """

    #: The bytes of a new file, as the library's.
    SIZE = 1 << 16

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        self._is_shared = read_mode or _allocate(filename, self.SIZE)
        if not self._is_shared:
            # A file in memory, which also begins at this size.
            filename = f"/proc/self/fd/{os.memfd_create('metrics', os.MFD_CLOEXEC)}"
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        # The key, padded, its length, and two numbers.
        needed = self._used + len(key.encode()) + 40
        while needed > self._capacity:
            self._double()
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _double(self) -> None:
        size = self._capacity * 2
        if self._is_shared and _allocate(self._fname, size):
            larger = mmap.mmap(self._f.fileno(), size)
        else:
            self._is_shared = False
            larger = mmap.mmap(-1, size)
            larger[: self._used] = self._m[: self._used]
        self._m, self._capacity = larger, size


def _allocate(filename: str, size: int) -> bool:
    """Give a file this size at least, and room on the disk for every byte; False without room."""
    try:
        descriptor = os.open(filename, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.posix_fallocate(descriptor, 0, max(size, os.fstat(descriptor).st_size))
        finally:
            os.close(descriptor)
    except OSError as error:
        logger.warning(
            "METRICS_DIR cannot be used, so this process counts without sharing: %s", error
        )
        return False
    return True


def files_to_read(folder: Path) -> list[str]:
    """The files to report from; gauges only of living processes."""
    return [
        str(file)
        for file in sorted(folder.glob("*.db"))
        if is_whole(file) and (not file.name.startswith("gauge_") or not _is_free(folder, file))
    ]


def sweep(folder: Path) -> None:
    """Delete the files of places without a living process.

    For the start of the web: another release may have used other names and other buckets. A folder
    that cannot be made is reported by whoever counts there.
    """
    with suppress(OSError):
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
    """A descriptor that holds the lock, or None if a living process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with suppress(OSError):
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        return descriptor
    os.close(descriptor)
    return None
