"""The command line of ``deploy/backup`` and ``deploy/restore``."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from omachemainproj.env_file import read_env_file

from .backup import take
from .errors import Failed
from .postgres import ROOT, Server
from .restore import restore_backup

#: Where ``deploy/install`` puts programs, and the settings of the shop and of the tables' owner.
RELEASES, SETTINGS, OWNER = (
    Path("/opt/omache/releases"),
    Path("/etc/omache/omache.env"),
    Path("/etc/omache/owner.env"),
)


def main() -> int:
    """Run the command; the exit codes are in docs/night.md."""
    options = _parser().parse_args()
    _use_settings_of_installation()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        media = Path(settings.MEDIA_ROOT)
        server = Server(_database_url())
        return _run(options, server, media)
    except ImproperlyConfigured as error:
        return _end(f"The settings are not right: {error}", 1)
    except Failed as error:
        return _end(str(error), error.code)
    except OSError as error:
        return _end(f"{error.filename or 'A file'}: {error.strerror}.", 1)


def _run(options: Namespace, server: Server, media: Path) -> int:
    if options.what == "backup":
        return take(
            server,
            media=media,
            folder=options.folder,
            recipients=options.recipient,
            keep=options.keep,
            say=_say,
        )
    return restore_backup(
        server,
        media=media,
        source=options.file,
        identity=options.identity,
        replace=options.replace,
        say=_say,
    )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="deploy", description=__doc__)
    ways = parser.add_subparsers(dest="what", required=True)
    backup = ways.add_parser("backup", help="write a backup, verified by restoring it")
    backup.add_argument("folder", type=Path, help="where backups are stored: not only on this disk")
    backup.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="KEY",
        help="encrypt it with age for this public key (age1…); may be repeated",
    )
    backup.add_argument("--keep", type=_whole, metavar="N", help="delete all but the newest N")
    restore = ways.add_parser("restore", help="restore the shop from a backup")
    restore.add_argument("file", type=Path)
    restore.add_argument("--identity", type=Path, metavar="FILE", help="the age key")
    restore.add_argument(
        "--replace",
        action="store_true",
        help="replace an existing shop, which is kept under another name",
    )
    return parser


def _use_settings_of_installation() -> None:
    """In a release of ``deploy/install``, use its settings, as the owner of the tables.

    At night nobody knows where they are. Whoever sets an address is left alone.
    """
    is_set = not {"DATABASE_URL", "DATABASE_URL_FILE", "OMACHE_ENV_FILE"}.isdisjoint(os.environ)
    if is_set or not ROOT.is_relative_to(RELEASES) or not os.access(OWNER, os.R_OK):
        return
    os.environ["OMACHE_ENV_FILE"] = str(SETTINGS)
    values, _ = read_env_file(OWNER, must_exist=True)
    os.environ.update(values)


def _whole(typed: str) -> int:
    number = int(typed)
    if number < 1:
        raise ValueError
    return number


def _database_url() -> str:
    named = os.environ.get("DATABASE_URL_FILE")
    if named and not os.environ.get("DATABASE_URL"):
        return Path(named).read_text().strip()
    return os.environ.get("DATABASE_URL", "sqlite:")


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _end(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
