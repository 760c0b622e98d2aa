"""Parses the addresses in settings: hosts, origins, URLs of services, databases and e-mail.

Every function returns the canonical form that Django, browsers and libraries compare with, and
raises ValueError for an invalid text. No message repeats a URL, which may contain a password.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: Unlike public host names, names of machines on a private network may contain an underscore.
_MACHINE = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")
_VISIBLE = re.compile(r"[!-~]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_host(text: str) -> str:
    """A host or IP address as Django compares it: lower case, no trailing dot, ``[::1]``."""
    name = text.lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        return f"[{address}]" if address.version == 6 else str(address)
    except ValueError:
        pass
    labels = name.split(".")
    if len(name) > 253 or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("not a host name")
    return name


def read_allowed_host(text: str) -> str:
    """An entry of ``ALLOWED_HOSTS``: a host, ``.example.co.ke`` with all subdomains, or ``*``."""
    if text == "*":
        return text
    if text.startswith("."):
        host = read_host(text[1:])
        if "." not in host or not host[-1].isalpha():
            raise ValueError("not a domain")
        return f".{host}"
    return read_host(text)


def read_origin(text: str, *, may_be_wild: bool = False) -> str:
    """A web origin as browsers send it: ``https://shop.example.co.ke``, no trailing slash.

    With ``may_be_wild``, ``https://*.example.co.ke`` matches all subdomains.
    """
    scheme, separator, rest = text.partition("://")
    wild = may_be_wild and rest.startswith("*.")
    parts = _split(f"{scheme}{separator}{rest.removeprefix('*.') if wild else rest}")
    if parts.path not in {"", "/"}:
        raise ValueError("an origin has no path")
    return f"{parts.scheme}://{'*.' if wild else ''}{_netloc(parts)}"


def read_base_url(text: str) -> str:
    """An http(s) URL to append paths to: its host in lower case, no trailing slash."""
    parts = _split(text)
    return f"{parts.scheme}://{_netloc(parts)}{parts.path.rstrip('/')}"


def _split(text: str) -> SplitResult:
    parts = urlsplit(text) if _VISIBLE.fullmatch(text) else urlsplit("")
    if parts.scheme not in _DEFAULT_PORTS or "\\" in text:
        raise ValueError("not an address that begins with http:// or https://")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError("more than an address")
    return parts


def _netloc(parts: SplitResult) -> str:
    host, port = read_host(parts.hostname or ""), parts.port
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("not a port")
    return host if port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{host}:{port}"


def read_service_url(text: str, schemes: Collection[str]) -> str:
    """The URL of a cache or a broker, or several joined by ``;``, returned unchanged."""
    for one in text.split(";"):
        parts = urlsplit(one) if _VISIBLE.fullmatch(one) else urlsplit("")
        if parts.scheme not in schemes or "#" in one:
            raise ValueError("not a service we can use")
        machine = parts.netloc.rpartition("@")[2]
        if not (machine or parts.path.strip("/")):
            raise ValueError("no machine and no socket")
        if machine:
            _machine_and_port(machine)
    return text


def hosts_of(text: str) -> list[str]:
    """The hosts in a valid service URL; empty for a socket or a file."""
    netlocs = [urlsplit(one).netloc.rpartition("@")[2] for one in text.split(";")]
    return [
        _machine_and_port(machine)[0].strip("[]")
        for netloc in netlocs
        for machine in netloc.split(",")
        if machine and not machine.lower().startswith("%2f")
    ]


def _machine_and_port(text: str) -> tuple[str, str]:
    found = re.fullmatch(rf"({_MACHINE.pattern})(?::([0-9]{{1,5}}))?", text)
    if not found or (found[2] and not 0 < int(found[2]) < 65536):
        raise ValueError("not a machine and its port")
    return found[1], found[2] or ""


# --- Databases --------------------------------------------------------------------------------

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
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
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


def _sqlite(name: str) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name}


def _machines(text: str) -> tuple[str, str]:
    if text.lower().startswith("%2f"):
        return unquote(text), ""
    pairs = [_machine_and_port(one) for one in text.split(",")] if text else []
    hosts = ",".join(host.strip("[]") for host, _ in pairs)
    ports = [port for _, port in pairs]
    return hosts, ",".join(port or "5432" for port in ports) if any(ports) else ""


# --- E-mail -----------------------------------------------------------------------------------

_MAIL = {
    "smtp": ("smtp", False, False),
    "smtps": ("smtp", True, False),
    "smtp+tls": ("smtp", True, False),
    "smtp+ssl": ("smtp", False, True),
    "consolemail": ("console", False, False),
    "filemail": ("filebased", False, False),
    "memorymail": ("locmem", False, False),
    "dummymail": ("dummy", False, False),
}


@dataclass(frozen=True, slots=True)
class Mail:
    """How e-mail is sent, as values of Django's settings."""

    backend: str
    host: str | None
    port: int | None
    user: str | None
    password: str | None
    use_tls: bool
    use_ssl: bool
    #: The folder of ``filemail:////folder``, which keeps each e-mail as a file.
    folder: str


def read_mail_url(text: str) -> Mail:
    """``smtp+tls://user:password@host:587``, ``smtp+ssl://…``, ``consolemail://`` and others."""
    parts = urlsplit(text) if text.isprintable() else urlsplit("")
    if parts.scheme not in _MAIL or "?" in text or "#" in text or "\\" in text:
        raise ValueError("not a way for e-mail")
    kind, use_tls, use_ssl = _MAIL[parts.scheme]
    if kind == "smtp":
        _machine_and_port(parts.netloc.rpartition("@")[2])
    folder = unquote(parts.path[1:])
    if kind == "filebased" and not folder:
        raise ValueError("no folder")
    return Mail(
        backend=f"django.core.mail.backends.{kind}.EmailBackend",
        host=parts.hostname,
        port=parts.port,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        use_tls=use_tls,
        use_ssl=use_ssl,
        folder=folder,
    )
