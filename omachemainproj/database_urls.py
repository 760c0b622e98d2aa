"""Parses ``DATABASE_URL`` into Django's settings of a database.

No message repeats the URL, which may contain a password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from psycopg.pq import Conninfo

from .service_urls import Explained, machine_and_port

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_POSTGRES = {"postgres", "postgresql", "psql", "pgsql"}


def read_database_url(text: str) -> dict[str, Any]:
    """``sqlite:///file`` or ``postgres://user:password@host:port/name?sslmode=require``.

    Returns Django's settings for it. A socket is ``postgres:////run/postgresql/name``, several
    hosts are joined by commas, and the query contains libpq's options and one of ours:
    ``pooling=transaction`` means that a proxy may give each transaction another connection.
    """
    if text in {"sqlite://:memory:", "sqlite://"}:
        return _sqlite(":memory:")
    if not text.isprintable():
        raise ValueError("not a URL")
    parts = urlsplit(text)
    path = unquote(parts.path[1:])
    if "#" in text or "\\" in text:
        raise ValueError("percent-encode what is special")
    if parts.scheme == "sqlite" and not parts.netloc and not parts.query:
        return _sqlite(path or ":memory:")
    if parts.scheme not in _POSTGRES:
        raise ValueError("neither SQLite nor PostgreSQL")
    login, _, machines = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    host, port = _machines(machines)
    if path.startswith("/"):
        host, _, path = path.rpartition("/")
    if not path or "/" in path:
        raise ValueError("no name of a database")
    options = _options(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    pooling = options.pop("pooling", "session")
    if pooling not in {"session", "transaction"}:
        raise ValueError("no pooling of ours")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": path,
        "USER": unquote(user),
        "PASSWORD": unquote(password),
        "HOST": host,
        "PORT": port,
        "OPTIONS": options,
        # Ours, unknown to Django: omachemainproj.postgresql reads it.
        "POOLING": pooling,
    }


def _options(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The options of the connection. A misspelt one would be noticed when the first buyer comes."""
    options = dict(pairs)
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} | {"pooling"}
    for name in options:
        if name not in known:
            raise Explained(f"has an option unknown to PostgreSQL, {name}")
    if len(options) < len(pairs):
        raise Explained("has an option twice: keep one of them")
    if options.get("sslmode", "require") not in _SSL_MODES:
        raise Explained(f"has another sslmode than {', '.join(_SSL_MODES)}")
    return options


def _sqlite(name: str) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name}


def _machines(text: str) -> tuple[str, str]:
    if text.lower().startswith("%2f"):
        return unquote(text), ""
    pairs = [machine_and_port(one) for one in text.split(",")] if text else []
    hosts = ",".join(host.strip("[]") for host, _ in pairs)
    ports = [port for _, port in pairs]
    return hosts, ",".join(port or "5432" for port in ports) if any(ports) else ""
