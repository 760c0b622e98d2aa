"""Bringing the shop back: beside what is there, checked and stopped, then in its place at once."""

from __future__ import annotations

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
The shop of {taken_at} is back, and nothing leaves it: payouts and refunds are stopped.

1. Where processes connect as a role of their own: python manage.py database_role ROLE
2. Start web, worker and clock. People can buy; the clock reads what Pull Transactions shows.
3. python manage.py replay_events --all     (acts again on every message that is kept)
4. Download M-Pesa's statements of all your numbers from the portal, from {taken_at} (UTC) until
   now, and run: python manage.py read_statement FILE …
5. On the console, say what each withdrawal was that is asked about, give money without an order to
   its order or back, then: Outgoing payments are stopped → Resume outgoing payments.
6. python manage.py prove --against-statement

docs/night.md, “Restored”, says more about each.{kept}"""


def bring_back(
    server: Server,
    *,
    media: Path,
    source: Path,
    identity: Path | None = None,
    replace: bool = False,
    say: Say,
) -> int:
    """Restore a backup. What was there is kept under another name.

    Returns 0, or BROKEN_BOOKS where ``prove`` names broken rules in what came back. Raises
    Refused where the database or the folder of pictures is not empty and ``replace`` does not say
    so, or somebody is connected; Damaged for a file that is not whole; Failed. Then the shop is as
    it was.
    """
    _refuse_to_destroy(server, media, replace=replace)
    media.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{media.name}-restoring-", dir=media.parent) as work:
        dump, pictures = Path(work) / archive.DUMP, Path(work) / "media"
        manifest = archive.extract(source, identity=identity, dump=dump, media=pictures)
        say(
            f"{source} is whole: taken at {manifest.taken_at}, {sum(manifest.rows.values()):,} "
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
    """Refuse what newer code than this has migrated."""
    import django
    from django.db.migrations.loader import MigrationLoader

    django.setup()
    known = MigrationLoader(None).disk_migrations
    strange = [
        f"{app}.{name}" for app, name in manifest.migrations.items() if (app, name) not in known
    ]
    if strange:
        raise Failed(
            f"The backup is of newer code than this (it has {strange[0]}): check out its version, "
            f"{manifest.version[:12]}, and restore with that."
        )


def _prepare(server: Server, staged: str, manifest: Manifest, *, say: Say) -> int:
    """Migrate what came back, stop all payouts of it, and prove it. Raises Failed."""
    for command in (
        ("migrate", "--no-input", "--verbosity", "0"),
        # Before anybody can connect to it: what was sent since would be sent again.
        ("restored", "--backup-taken", manifest.taken_at),
    ):
        code, said = server.manage(*command, name=staged)
        if code:
            raise Failed(f"{command[0]} failed: {said[-600:]}")
    broken, said = server.manage("prove", name=staged)
    say(said)
    return BROKEN_BOOKS if broken else 0


def _switch(server: Server, staged: str, media: Path, pictures: Path) -> str:
    """Put what came back in its place; say where what was there is kept."""
    mark, kept = f"{datetime.now(UTC):%Y%m%dT%H%M%S}", []
    before = f"{server.name}_before_{mark}"
    if server.put_in_place(staged, keep_as=before):
        kept.append(f"the database {before}")
    try:
        if media.is_dir():
            beside = media.with_name(f"{media.name}.before-{mark}")
            media.rename(beside)
            kept.append(str(beside))
        pictures.rename(media)
    except OSError as error:
        raise Failed(
            f"The database is back, and its pictures are not: {error}. Take {archive.MEDIA} of the "
            f"file apart into {media} (tar -x). All else is done."
        ) from error
    what = " and ".join(kept)
    return f"\nWhat was there is kept as {what}. Delete it once all is well." if kept else ""
