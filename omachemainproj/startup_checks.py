"""Checks before a process starts, and the log line of its start.

Problems of the settings themselves are reported before (settings/checks/).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection

logger = logging.getLogger(__name__)

OUR_APPS = ("omachemainproj", "accounts", "products", "orders", "payments")


_NO_LETTERS = (
    "This database does not know letters beyond ASCII, so searches and limits of lengths are wrong "
    "for names with them: restore a backup into one with ENCODING 'UTF8' and LC_CTYPE 'C.UTF-8'."
)


def check_before_start(process: str) -> None:
    """Raise ImproperlyConfigured with all problems that would break a production process.

    An unreachable database is no problem: it may be starting too.
    """
    if not settings.PRODUCTION:
        return
    problems = [
        *_find_uncollected(process),
        *_find_unwritable(process),
        *_find_wrong_with_database(),
    ]
    if problems:
        raise ImproperlyConfigured("\n- ".join(["", *problems]) if problems[1:] else problems[0])
    media, program = Path(settings.MEDIA_ROOT).resolve(), Path(settings.BASE_DIR).resolve()
    if media.is_relative_to(program):
        logger.warning(
            "MEDIA_ROOT, %s, is inside the program's folder: whoever replaces that loses every "
            "picture. Set MEDIA_ROOT, and move them.",
            media,
        )


def _find_uncollected(process: str) -> Iterator[str]:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if process == "web" and not manifest.is_file():
        yield (
            "run `python manage.py collectstatic --no-input`: without the files in "
            f"{settings.STATIC_ROOT} the admin and /docs/ answer 500."
        )


def _find_unwritable(process: str) -> Iterator[str]:
    media = Path(settings.MEDIA_ROOT).absolute()
    there = next(folder for folder in (media, *media.parents) if folder.exists())
    if process == "web" and not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        yield (
            f"MEDIA_ROOT must be a folder that the web may write to, for pictures: {media} is not."
        )


def _find_wrong_with_database() -> Iterator[str]:
    """Missing migrations and permissions, and missing statement and lock timeouts."""
    limits: dict[str, int] = {}
    unreadable: list[str] = []
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                limits = _read_limits(cursor)
                if not _knows_letters(cursor):
                    logger.warning(_NO_LETTERS)
                _warn_of_another_collation(cursor)
                unreadable = _find_unreadable_tables(cursor)
            if unreadable:
                applied = set(_migration_names())
            elif "django_migrations" in connection.introspection.table_names(cursor):
                cursor.execute("SELECT app, name FROM django_migrations")
                applied = set(cursor.fetchall())
            else:
                applied = set()
    except Error:
        return
    finally:
        # gunicorn forks after this, and neither connections nor a pool's threads survive a fork.
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    missing = [step for step in _migration_names() if step not in applied]
    if missing:
        first = ".".join(missing[0])
        yield f"run `python manage.py migrate`: {len(missing)} steps are missing, {first} first."
    if unreadable:
        yield (
            "run `python manage.py database_role` as the owner of the tables, with the name of the "
            f"role that DATABASE_URL connects as: it may not read {len(unreadable)} tables, "
            f"{unreadable[0]} first."
        )
    # A role may have shorter timeouts.
    if any(not 0 < limit <= settings.DATABASE_TIMEOUTS[name] for name, limit in limits.items()):
        actual = ", ".join(f"{name} {limit}" for name, limit in limits.items())
        wanted = ", ".join(str(settings.DATABASE_TIMEOUTS[name]) for name in limits)
        yield (
            f"PostgreSQL has {actual} for this connection, not {wanted} (ms; 0 is no limit): a "
            "forgotten lock would silence the shop. Where a PgBouncer stands between, say "
            "pooling=transaction in DATABASE_URL, run `python manage.py database_timeouts`, and "
            "have it connect anew."
        )


def _find_unreadable_tables(cursor: Any) -> list[str]:
    """Our tables that the role of this connection may not read: created, and not yet granted."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    cursor.execute(
        "SELECT relname FROM pg_class WHERE pg_table_is_visible(oid) AND relkind IN ('r', 'p')"
        " AND relname = ANY(%s) AND NOT has_table_privilege(oid, 'SELECT') ORDER BY relname",
        [[*tables, "django_migrations"]],
    )
    return [name for (name,) in cursor.fetchall()]


def _knows_letters(cursor: Any) -> bool:
    """Whether the database has characters, not bytes, and their upper and lower case.

    One that Debian created without a locale is SQL_ASCII, and accepts everything.
    """
    cursor.execute("SHOW server_encoding")
    if cursor.fetchone() != ("UTF8",):
        return False
    cursor.execute("SELECT lower('Ñ') = 'ñ'")
    return bool(cursor.fetchone()[0])


def _warn_of_another_collation(cursor: Any) -> None:
    """Warn if the operating system sorts text differently from when the indexes were built.

    Then an index may miss a text that is there, and a unique one may accept it again.
    """
    if connection.pg_version < 150000:  # type: ignore[attr-defined]
        return
    cursor.execute(
        "SELECT datname, datcollversion, pg_database_collation_actual_version(oid)"
        " FROM pg_database WHERE datname = current_database()"
        " AND datcollversion <> pg_database_collation_actual_version(oid)"
    )
    for name, before, now in cursor.fetchall():
        logger.warning(
            "the operating system sorts text by another version (%s) than when the indexes were "
            "built (%s), so they may miss rows and accept duplicates. As their owner, soon: "
            "REINDEX DATABASE %s; then ALTER DATABASE %s REFRESH COLLATION VERSION.",
            now,
            before,
            name,
            name,
        )


def _read_limits(cursor: Any) -> dict[str, int]:
    """The timeouts in effect (milliseconds): a proxy may drop a connection's options."""
    names = list(settings.DATABASE_TIMEOUTS)
    cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)", [names])
    limits = dict(cursor.fetchall())
    return {name: limits[name] for name in names}


def _migration_names() -> Iterator[tuple[str, str]]:
    """Our migrations by file name: loading them costs half a second and memory.

    Squashed ones are left out: where one was applied, those it replaces are recorded.
    """
    for label in OUR_APPS:
        folder = Path(apps.get_app_config(label).path) / "migrations"
        for file in sorted(folder.glob("[0-9]*.py")):
            if "_squashed_" not in file.stem or "\n    replaces = [" not in file.read_text():
                yield label, file.stem


def log_start(process: str) -> None:
    """Log the start of a process and its configuration, without secrets.

    ``process`` is ``web``, ``worker``, ``beat`` or ``clock``. Makes no network calls.
    """
    broker = settings.CELERY_BROKER_URL.partition("://")[0] or "none"
    logger.info(
        "%s starts: release %s, %s, database %s, cache %s, broker %s, HTTPS %s, THROTTLES %s, "
        "LOCKOUT %s, STAFF_MFA %s, TRUSTED_PROXIES %s; set by somebody: %s",
        process,
        settings.RELEASE,
        "production" if settings.PRODUCTION else "laptop",
        connection.vendor,
        settings.CACHES["default"]["BACKEND"].rpartition(".")[2],
        broker,
        *(_on(name) for name in ("HTTPS", "THROTTLES", "LOCKOUT", "STAFF_MFA")),
        settings.TRUSTED_PROXIES,
        " ".join(settings.GIVEN_SETTINGS) or "nothing",
    )


def _on(name: str) -> str:
    return "on" if getattr(settings, name) else "off"
