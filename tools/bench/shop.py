"""A database for a bench, and the settings of the shop over it."""

import os
import random
import tempfile

import psycopg


def create(server: str, name: str, *, anew: bool = True) -> None:
    """Make the database, ``anew`` or where it is not there yet."""
    if anew:
        drop(server, name)
    with psycopg.connect(server, autocommit=True) as db:
        known = db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not known:
            db.execute(f'CREATE DATABASE "{name}"')


def drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def environment(database: str) -> dict[str, str]:
    """Production, rehearsed on this machine; throttles off, since one client asks it all."""
    return {
        "OMACHE_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
        "DATABASE_URL": database,
        "DJANGO_SECRET_KEY": "".join(random.choices("abcdefghijklmnop0123456789", k=60)),
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
        "STATIC_ROOT": tempfile.mkdtemp(prefix="omache-bench-"),
    }
