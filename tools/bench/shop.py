"""A database for a bench, and the settings of the shop over it."""

import atexit
import os
import random
import shutil
import tempfile

import psycopg


def create(server: str, name: str, *, recreate: bool = True) -> None:
    """Create the database: ``recreate``, or only if it does not exist."""
    if recreate:
        drop(server, name)
    with psycopg.connect(server, autocommit=True) as db:
        known = db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not known:
            db.execute(f'CREATE DATABASE "{name}"')


def drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


#: Production settings for this machine; throttles off, because one client sends everything.
SETTINGS = {
    "OMACHE_ENV_FILE": os.devnull,
    "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    "HTTPS": "off",
    "THROTTLES": "off",
    "DARAJA_BASE_URL": "http://127.0.0.1:1",
    "DARAJA_CALLBACK_BASE_URL": "http://127.0.0.1:1",
    "DARAJA_CONSUMER_KEY": "key",
    "DARAJA_CONSUMER_SECRET": "secret",
    "DARAJA_SHORTCODE": "174379",
    "DARAJA_PASSKEY": "passkey",
    "FRONTEND_URL": "http://127.0.0.1:1/shop",
    "EMAIL_URL": "dummymail://",
    "DEFAULT_FROM_EMAIL": "O-Mache <hello@omache.example>",
}
_ITS_OWN = ("DATABASE_URL", "DJANGO_SECRET_KEY", "STATIC_ROOT")


def a_secret_key() -> str:
    return "".join(random.choices("abcdefghijklmnop0123456789", k=60))


def environment(database: str) -> dict[str, str]:
    """The environment of the shop's processes, with this database."""
    static = tempfile.mkdtemp(prefix="omache-bench-")
    atexit.register(shutil.rmtree, static, ignore_errors=True)
    own = (database, a_secret_key(), static)
    return SETTINGS | dict(zip(_ITS_OWN, own, strict=True))


def environment_without_shop() -> dict[str, str]:
    """This process's environment, for a process that starts its own shop."""
    settings = {*SETTINGS, *_ITS_OWN}
    return {name: value for name, value in os.environ.items() if name not in settings}
