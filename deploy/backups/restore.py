"""Restores the shop next to the current one, checks and stops it, then swaps the two."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from . import archive
from .archive import Manifest
from .backup import load
from .errors import BROKEN_BOOKS, Failed, Refused
from .postgres import Server

Say = Callable[[str], object]

NEXT = """
The shop of {taken_at} is restored. No money is sent: payouts and refunds are stopped.

1. If processes connect as a separate role: python manage.py database_role ROLE
2. Start web, worker and clock. People can buy; the clock reads what Pull Transactions shows.
3. python manage.py replay_events --all     (processes every stored message again)
4. Download M-Pesa's statements of all your numbers from the portal, from {taken_at} (UTC) until
   now, and run: python manage.py read_statement FILE …
5. On the console, say what each listed withdrawal was, match money without an order to its order or
   send it back, then: Outgoing payments are stopped → Resume outgoing payments.
6. python manage.py prove --against-statement

docs/night.md, “Restored”, explains each step.{kept}"""


def restore_backup(
    server: Server,
    *,
    media: Path,
    source: Path,
    identity: Path | None = None,
    replace: bool = False,
    say: Say,
) -> int:
    """Restore a backup. The current shop is kept under another name.

    Returns 0, or BROKEN_BOOKS if ``prove`` finds broken rules in the restored data. Raises Refused
    if the database or the folder of pictures is not empty and ``replace`` is not set, or if anyone
    is connected; Damaged for an incomplete file; Failed. After an error the shop is unchanged,
    unless only its pictures could not be put in place (at a mount point): the message says so.
    """
    _refuse_to_destroy(server, media, replace=replace)
    media.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{media.name}-restoring-", dir=media.parent) as work:
        dump, pictures = Path(work) / archive.DUMP, Path(work) / "media"
        manifest = archive.extract(source, identity=identity, dump=dump, media=pictures)
        say(
            f"{source} is complete: taken at {manifest.taken_at}, {sum(manifest.rows.values()):,} "
            f"rows, {len(manifest.files)} pictures."
        )
        _refuse_newer(manifest)
        staged = f"{server.name}_restoring"
        server.create(staged)
        try:
            load(server, dump, manifest.rows, into=staged)
            verdict = _prepare(server, staged, manifest, say=say)
            kept = _switch(server, staged, media, pictures)
        except BaseException:
            server.drop(staged)
            raise
    say(NEXT.format(taken_at=manifest.taken_at, kept=kept))
    return verdict


def _refuse_to_destroy(server: Server, media: Path, *, replace: bool) -> None:
    is_there = server.exists(server.name)
    if is_there and (users := server.users_of(server.name)):
        raise Refused(
            f"Stop the shop first: {len(users)} connections to {server.name}, such as {users[0]}."
        )
    if replace:
        return
    if is_there and (tables := server.tables(server.name)):
        raise Refused(
            f"The database {server.name} is not empty: it has {len(tables)} tables. With --replace "
            "it is kept under another name, and the backup takes its place."
        )
    if media.is_dir() and any(media.iterdir()):
        raise Refused(
            f"{media} is not empty. With --replace it is kept under another name, and the "
            "backup's pictures take its place."
        )


def _refuse_newer(manifest: Manifest) -> None:
    """Refuse a backup migrated by newer code."""
    import django
    from django.db.migrations.loader import MigrationLoader

    django.setup()
    known = MigrationLoader(None).disk_migrations
    unknown = [
        f"{app}.{name}" for app, name in manifest.migrations.items() if (app, name) not in known
    ]
    if unknown:
        raise Failed(
            f"The backup was made by newer code (it has {unknown[0]}): check out its version, "
            f"{manifest.version[:12]}, and restore with that."
        )


def _prepare(server: Server, staged: str, manifest: Manifest, *, say: Say) -> int:
    """Migrate the restored data, stop all its payouts, and prove it. Raises Failed."""
    for command in (
        ("migrate", "--no-input", "--verbosity", "0"),
        # Before anyone can connect: transfers sent since the backup would be sent again.
        ("restored", "--backup-taken", manifest.taken_at),
    ):
        code, said = server.manage(*command, name=staged)
        if code:
            raise Failed(f"{command[0]} failed: {said[-600:]}")
    broken, said = server.manage("prove", name=staged)
    say(said)
    return BROKEN_BOOKS if broken else 0


def _give_to_owner_of(folder: Path, pictures: Path) -> None:
    """Give restored pictures to whom the shop's belong, if root restores them; and let all read
    them, whatever root's umask is: the proxy does."""
    theirs = folder.stat()
    for path in (pictures, *pictures.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if os.geteuid() == 0:
            os.chown(path, theirs.st_uid, theirs.st_gid)


def _switch(server: Server, staged: str, media: Path, pictures: Path) -> str:
    """Swap the restored shop in; returns a sentence that says where the old one is kept."""
    mark, kept = f"{datetime.now(UTC):%Y%m%dT%H%M%S}", []
    before = f"{server.name}_before_{mark}"
    if server.put_in_place(staged, keep_as=before):
        kept.append(f"the database {before}")
    try:
        _give_to_owner_of(media if media.is_dir() else media.parent, pictures)
        if media.is_dir():
            beside = media.with_name(f"{media.name}.before-{mark}")
            media.rename(beside)
            kept.append(str(beside))
        pictures.rename(media)
    except OSError as error:
        raise Failed(
            f"The database is restored, but its pictures are not: {error}. Extract {archive.MEDIA} "
            f"of the file into {media} (tar -x), and continue with the next step of docs/night.md, "
            f"“Restored”.{_where_kept(kept)}"
        ) from error
    return _where_kept(kept)


def _where_kept(kept: list[str]) -> str:
    """A sentence with the names of the old database and pictures; empty if there were none."""
    what = " and ".join(kept)
    return f"\nThe old shop is kept as {what}. Delete it once everything works." if kept else ""
