"""Backups are complete or fail; a restore brings everything back and stops outgoing payments."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from deploy.backups import __main__ as command
from deploy.backups import archive, backup, restore
from deploy.backups.errors import Damaged, Failed, Refused
from deploy.backups.postgres import Server, count_rows
from tests.databases import copy_of_migrated

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("pg_dump") is None, reason="needs PostgreSQL's programs"),
]


@pytest.fixture(scope="module")
def url():
    """An address of a database that is not there, on the server of the tests."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/omache_backup_{os.getpid()}"))


@pytest.fixture(scope="module")
def shop(url, tmp_path_factory, django_db_setup, django_db_blocker):
    """A shop with goods and pictures; its database, and the folder of its pictures."""
    server, media = Server(url), tmp_path_factory.mktemp("shop") / "media"
    with django_db_blocker.unblock():
        copy_of_migrated(server.name)
    patch = pytest.MonkeyPatch()
    with patch.context() as environ:
        environ.setenv("MEDIA_ROOT", str(media))
        environ.setenv("OMACHE_ENV_FILE", os.devnull)
        environ.delenv("DJANGO_SETTINGS_MODULE", raising=False)
        code, said = server.manage("demo", "--without-story", name=server.name)
        assert code == 0, said
        yield server, media
    for name in names_like(server):
        server.drop(name)


@pytest.fixture(scope="module")
def taken(shop, tmp_path_factory):
    """A backup, and the output of the command."""
    said, folder = [], tmp_path_factory.mktemp("backups")
    assert backup.take(shop[0], media=shop[1], folder=folder, keep=2, say=said.append) == 0
    return only(folder), said


def only(folder: Path) -> Path:
    (found,) = [path for path in folder.iterdir() if backup.NAME.fullmatch(path.name)]
    return found


def names_like(server):
    with server.connection("postgres") as at:
        query = "SELECT datname FROM pg_database WHERE datname LIKE %s"
        return sorted(row[0] for row in at.execute(query, [f"{server.name}%"]))


def rows_of(server):
    with server.connection(server.name) as at:
        return count_rows(at)


def pictures_of(media):
    return {path.relative_to(media): path.read_bytes() for path in media.rglob("*.webp")}


def test_a_backup_is_proven_in_a_database_of_its_own(shop, taken):
    _, said = taken

    assert "proven: Nothing is broken" in said[1]
    assert not [name for name in names_like(shop[0]) if "_check_" in name]


def test_only_its_owner_can_read_a_backup(taken):
    assert taken[0].stat().st_mode & 0o077 == 0


def test_a_restore_brings_back_everything_and_keeps_the_old_database(shop, taken):
    server, media = shop
    rows, pictures = rows_of(server), pictures_of(media)
    assert pictures
    with server.connection(server.name) as at:
        at.execute("DELETE FROM products_stockmovement WHERE false")
        at.execute("UPDATE products_product SET name = 'Gone'")
    next(iter(media.rglob("*.webp"))).unlink()
    said = []

    code = restore.restore_backup(
        server, media=media, source=taken[0], replace=True, say=said.append
    )

    assert code == 0
    # One stop more, and what the commands themselves write.
    assert rows_of(server) == {**rows, "payments_payoutstop": 1}
    assert pictures_of(media) == pictures
    with server.connection(server.name) as at:
        (stop,) = at.execute("SELECT cause, is_open, lost_since FROM payments_payoutstop")
        assert at.execute("SELECT 1 FROM products_product WHERE name = 'Gone'").fetchone() is None
    assert stop[:2] == ("restore", True)
    assert stop[2].isoformat()[:19] in said[-1].replace("+00:00", "")
    kept = [name for name in names_like(server) if "_before_" in name]
    assert len(kept) == 1
    assert kept[0] in said[-1]
    assert [path.name[:13] for path in media.parent.glob("media.*")] == ["media.before-"]


def test_a_restore_refuses_a_database_that_is_not_empty(shop, taken):
    before = rows_of(shop[0])

    with pytest.raises(Refused, match=r"is not empty: it has .* tables\. With --replace"):
        restore.restore_backup(shop[0], media=shop[1], source=taken[0], say=print)

    assert rows_of(shop[0]) == before


def test_a_restore_refuses_a_media_folder_that_is_not_empty(url, taken, tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.webp").write_bytes(b"x")

    with pytest.raises(Refused, match="media is not empty"):
        restore.restore_backup(
            Server(f"{url}_none"), media=tmp_path / "media", source=taken[0], say=print
        )


def test_a_restore_refuses_while_the_shop_runs(shop, taken):
    with (
        shop[0].connection(shop[0].name),
        pytest.raises(Refused, match="Stop the shop first: 1 connection"),
    ):
        restore.restore_backup(shop[0], media=shop[1], source=taken[0], replace=True, say=print)


@pytest.fixture
def owner_without_rights(shop):
    """The server as a role sees it that may see nothing of others' connections."""
    name = f"omache_owner_{os.getpid()}"
    with shop[0].connection("postgres") as at:
        at.execute(f"CREATE ROLE {name} LOGIN")
    parts = urlsplit(shop[0].url_of(shop[0].name))
    yield Server(urlunsplit(parts._replace(netloc=f"{name}@{parts.netloc.rpartition('@')[2]}")))
    with shop[0].connection("postgres") as at:
        at.execute(f"DROP ROLE {name}")


def test_the_tables_owner_sees_that_the_shop_runs_as_another_role(shop, owner_without_rights):
    with shop[0].connection(shop[0].name):
        seen = owner_without_rights.users_of(shop[0].name)

    assert len(seen) == 1


@pytest.mark.parametrize("how", ["cut", "changed", "taken away", "added"])
def test_a_damaged_file_changes_nothing(shop, taken, tmp_path, how):
    damaged = tmp_path / "omache.tar"
    content = taken[0].read_bytes()
    if how == "cut":
        damaged.write_bytes(content[: len(content) // 2])
    elif how == "changed":
        where = content.index(b"RIFF") + 100
        damaged.write_bytes(content[:where] + b"\0\1\2\3" + content[where + 4 :])
    else:
        rewrite(taken[0], damaged, without=how == "taken away")
    names = names_like(shop[0])

    with pytest.raises(Damaged):
        restore.restore_backup(shop[0], media=shop[1], source=damaged, replace=True, say=print)

    assert names_like(shop[0]) == names


def rewrite(source, target, *, without):
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        pictures = [each for each in old if each.name.startswith("media/")]
        for each in old:
            if not (without and each.name == pictures[0].name):
                new.addfile(each, old.extractfile(each))
        if not without:
            extra = tarfile.TarInfo("media/../../etc/passwd")
            new.addfile(extra)


@pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
def test_with_a_key_it_is_encrypted_and_comes_back(shop, tmp_path):
    key = tmp_path / "key.txt"
    keygen = shutil.which("age-keygen")
    subprocess.run([keygen, "-o", key], check=True, capture_output=True)
    public = subprocess.run([keygen, "-y", key], check=True, capture_output=True, text=True)
    dump = tmp_path / "dump"
    dump.write_bytes(b"PGDMP of amina's secrets")
    (tmp_path / "media").mkdir()
    about = {"taken_at": "", "version": "", "server": "", "migrations": {}, "rows": {}}

    target = tmp_path / "omache.tar.age"
    archive.write(
        target, dump=dump, media=tmp_path / "media", recipients=[public.stdout.strip()], **about
    )

    assert b"secrets" not in target.read_bytes()
    with pytest.raises(Failed, match="is encrypted: name the key's file with --identity"):
        archive.extract(target, identity=None, dump=tmp_path / "a", media=tmp_path / "b")
    archive.extract(target, identity=key, dump=tmp_path / "c", media=tmp_path / "d")
    assert (tmp_path / "c").read_bytes() == dump.read_bytes()


def test_without_age_it_says_what_to_install(shop, tmp_path, monkeypatch):
    monkeypatch.setattr("deploy.backups.archive.shutil.which", lambda name: None)
    (tmp_path / "dump").touch()
    about = {"taken_at": "", "version": "", "server": "", "migrations": {}, "rows": {}}

    with pytest.raises(Failed, match="apt-get install age"):
        archive.write(
            tmp_path / "x", dump=tmp_path / "dump", media=tmp_path, recipients=["age1x"], **about
        )


def test_a_backup_that_fails_leaves_nothing_and_deletes_nothing(shop, tmp_path, monkeypatch):
    old = tmp_path / "omache-20200101T000000Z.tar"
    old.touch()
    monkeypatch.setattr(backup, "load", lambda *a, **k: fail())

    with pytest.raises(Failed, match="no room"):
        backup.take(shop[0], media=shop[1], folder=tmp_path, keep=1, say=print)

    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == [old.name]
    assert not [name for name in names_like(shop[0]) if "_check_" in name]


def fail():
    raise Failed("no room")


def test_retention_touches_its_own_files_alone(tmp_path):
    for name in ("omache-20200101T000000Z.tar", "omache-20200102T000000Z.tar.age", "notes.tar"):
        (tmp_path / name).touch()

    backup._delete_old(tmp_path, 1, say=print)

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["notes.tar", "omache-20200102T000000Z.tar.age"]


def test_two_at_once_into_one_folder_is_refused(tmp_path):
    with (
        backup._alone(tmp_path),
        pytest.raises(Failed, match="Another backup is being written"),
        backup._alone(tmp_path),
    ):
        pass


def test_pictures_that_cannot_be_put_in_place_are_reported_with_the_old_database(tmp_path):
    media = tmp_path / "media"
    media.mkdir()
    swapped = SimpleNamespace(name="shop", put_in_place=lambda staged, keep_as: True)

    with pytest.raises(
        Failed, match="The database is restored, but its pictures are not"
    ) as failed:
        restore._switch(swapped, "shop_restoring", media, tmp_path / "missing")

    assert "The old shop is kept as the database shop_before_" in str(failed.value)


def test_no_password_is_an_argument_of_a_program(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(
        "deploy.backups.postgres.subprocess.run",
        lambda arguments, **more: (
            seen.append((arguments, more["env"])) or subprocess.CompletedProcess(arguments, 0, "")
        ),
    )
    server = Server("postgres://amina:s3cr%40t@db.example:5433/shop?sslmode=require")

    server.run("pg_dump", "--format=custom", name="shop")
    server.manage("prove", name="shop_check")

    assert all("s3cr" not in " ".join(arguments) for arguments, _ in seen)
    assert seen[0][1]["PGPASSWORD"] == "s3cr@t"
    assert (seen[0][1]["PGHOST"], seen[0][1]["PGPORT"]) == ("db.example", "5433")
    assert seen[1][1]["DATABASE_URL"].endswith("@db.example:5433/shop_check?sslmode=require")


@pytest.mark.parametrize(
    ("url", "why"),
    [("sqlite:///db.sqlite3", "not a PostgreSQL"), ("postgres://x@y/", "no database name")],
)
def test_what_is_no_database_of_postgresql_is_refused(url, why):
    with pytest.raises(Failed, match=why):
        Server(url)


def test_the_command_reports_errors_and_exits_with_a_code(url, tmp_path):
    ran = subprocess.run(
        [settings.BASE_DIR / "deploy" / "restore", tmp_path / "none.tar"],
        env={
            **{key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
            "DATABASE_URL": f"{url}_none",
            "MEDIA_ROOT": str(tmp_path / "media"),
            "OMACHE_ENV_FILE": os.devnull,
            "PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout) == (1, "")
    assert "none.tar cannot be opened: No such file or directory." in ran.stderr


def test_newer_code_s_backup_is_refused():
    manifest = archive.Manifest("", "abcdef", "", {"orders": "9999_tomorrow"}, {}, "", {})

    with pytest.raises(Failed, match=r"newer code \(it has orders.9999_tomorrow\)"):
        restore._refuse_newer(manifest)


def test_a_missing_server_is_reported(tmp_path):
    server = Server("postgres://nobody@127.0.0.1:1/shop")

    with pytest.raises(Failed, match="cannot be reached"):
        server.exists("shop")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """As on a machine of deploy/install, with nothing set in the environment."""
    settings_file, owner = tmp_path / "omache.env", tmp_path / "owner.env"
    owner.write_text("DATABASE_URL=postgres://omache:pw@127.0.0.1/omache?sslmode=require\n")
    monkeypatch.setattr(command, "SETTINGS", settings_file)
    monkeypatch.setattr(command, "OWNER", owner)
    monkeypatch.setattr(command, "RELEASES", command.ROOT.parent)
    environ = {"PATH": os.environ["PATH"]}
    monkeypatch.setattr(os, "environ", environ)
    return environ


def test_an_installed_release_uses_the_installations_settings_as_the_tables_owner(
    installed, tmp_path
):
    command._use_settings_of_installation()

    assert (
        installed.items()
        >= {
            "OMACHE_ENV_FILE": str(tmp_path / "omache.env"),
            "DATABASE_URL": "postgres://omache:pw@127.0.0.1/omache?sslmode=require",
        }.items()
    )


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", "sqlite:"), ("OMACHE_ENV_FILE", "/dev/null")]
)
def test_what_somebody_set_goes_before_the_installations_settings(installed, name, value):
    installed[name] = value
    before = dict(installed)

    command._use_settings_of_installation()

    assert installed == before


def test_a_checkout_does_not_use_the_installations_settings(installed, monkeypatch):
    monkeypatch.setattr(command, "RELEASES", Path("/opt/omache/releases"))
    before = dict(installed)

    command._use_settings_of_installation()

    assert installed == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_restored_pictures_are_the_shops_again_and_readable_for_the_proxy(tmp_path):
    media, pictures = tmp_path / "media", tmp_path / "restored"
    media.mkdir()
    os.chown(media, 12345, 23456)
    (pictures / "products").mkdir(parents=True)
    (pictures / "products" / "a.webp").write_bytes(b"")
    for path in (pictures, *pictures.rglob("*")):
        path.chmod(0o700)

    restore._give_to_owner_of(media, pictures)

    found = [path.stat() for path in (pictures, *pictures.rglob("*"))]
    assert [(at.st_uid, at.st_gid, oct(at.st_mode & 0o777)) for at in found] == [
        (12345, 23456, "0o755"),
        (12345, 23456, "0o755"),
        (12345, 23456, "0o644"),
    ]
