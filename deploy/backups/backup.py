"""Takes a backup: one moment of the database, and the pictures; verified by restoring it."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import archive
from .errors import BROKEN_BOOKS, Failed
from .postgres import ROOT, Server, count_rows, last_migrations

#: Names of backup files; nothing else in the folder is ever changed.
NAME = re.compile(r"omache-[0-9]{8}T[0-9]{6}Z\.tar(\.age)?")
PARTIAL = ".partial-"
Say = Callable[[str], object]


def take(
    server: Server,
    *,
    media: Path,
    folder: Path,
    recipients: Sequence[str] = (),
    keep: int | None = None,
    say: Say,
) -> int:
    """Write a complete backup into a folder, or nothing; keep the newest ``keep`` of them.

    Returns 0, or BROKEN_BOOKS if the copy is complete but ``prove`` finds broken rules in it.
    Raises Failed; then nothing was added and nothing deleted.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"{folder} cannot be made: {error.strerror}.") from error
    with _alone(folder), _work_folder(folder) as work:
        dump, now = work / archive.DUMP, datetime.now(UTC).replace(microsecond=0)
        about = _dump(server, dump)
        say(f"Dumped {server.name}: {sum(about['rows'].values()):,} rows, {_size(dump)}.")
        verdict = _check(server, dump, about["rows"], work, say=say)
        ending = ".tar.age" if recipients else ".tar"
        target = folder / f"omache-{now:%Y%m%dT%H%M%SZ}{ending}"
        half = work / target.name
        manifest = archive.write(
            half,
            dump=dump,
            media=media,
            recipients=recipients,
            taken_at=about["taken_at"],
            version=_version(),
            server=about["server"],
            migrations=about["migrations"],
            rows=about["rows"],
        )
        _publish(half, target)
        say(f"{target}: {len(manifest.files)} pictures, {_size(target)}.")
        if keep is not None:
            _delete_old(folder, keep, say=say)
    return verdict


def _dump(server: Server, dump: Path) -> dict[str, Any]:
    """Dump a snapshot of the database, and count its rows in the same snapshot."""
    with server.connection(server.name, autocommit=False) as at:
        at.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = at.execute("SELECT pg_export_snapshot(), now(), version()").fetchone()
        assert row is not None
        snapshot, taken_at, version = row
        rows, migrations = count_rows(at), last_migrations(at)
        server.run(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={dump}",
            name=server.name,
        )
    return {
        "taken_at": taken_at.astimezone(UTC).isoformat(),
        "server": str(version).split(" on ")[0],
        "rows": rows,
        "migrations": migrations,
    }


def _check(server: Server, dump: Path, rows: dict[str, int], work: Path, *, say: Say) -> int:
    """Restore the dump into a temporary database, compare, and prove the books there."""
    scratch = f"{server.name}_check_{secrets.token_hex(4)}"
    server.create(scratch)
    try:
        load(server, dump, rows, into=scratch)
        broken, said = server.manage("prove", name=scratch)
    finally:
        server.drop(scratch)
    if broken:
        say("The copy is complete, but prove finds broken rules in it, as in the shop:")
        say(said)
        return BROKEN_BOOKS
    say(f"Restored into a temporary database, and proven: {said.splitlines()[-1]}")
    return 0


def load(server: Server, dump: Path, rows: dict[str, int], *, into: str) -> None:
    """Restore a dump into an empty database. Raises Failed unless every row is restored."""
    server.run(
        "pg_restore",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        f"--dbname={into}",
        str(dump),
        name=into,
    )
    with server.connection(into) as at:
        found = count_rows(at)
    if found != rows:
        wrong = sorted(
            table for table in found.keys() | rows if found.get(table) != rows.get(table)
        )
        raise Failed(
            f"What was restored is not what was dumped: {', '.join(wrong[:5])} "
            "have other numbers of rows."
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"Another backup is being written into {folder}.") from None
        yield


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """A private folder beside the backups; deletes what an interrupted run left behind."""
    for left in folder.glob(f"{PARTIAL}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=folder) as work:
        yield Path(work)


def _publish(half: Path, target: Path) -> None:
    half.replace(target)
    opened = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _delete_old(folder: Path, keep: int, *, say: Say) -> None:
    ours = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))
    for old in ours[: max(0, len(ours) - keep)]:
        old.unlink()
        say(f"Deleted {old.name}: {keep} newer ones are kept.")


def _version() -> str:
    """The code's commit in a checkout; otherwise ``unknown``."""
    git = shutil.which("git")
    ran = git and subprocess.run(
        [git, "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or "unknown" if ran else "unknown"


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1_000_000:,.1f} MB"
