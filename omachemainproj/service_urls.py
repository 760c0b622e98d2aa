"""Parses the addresses in settings: hosts, origins, and URLs of services.

Every function returns the canonical form that Django, browsers and libraries compare with, and
raises ValueError for an invalid text. No message repeats a URL, which may contain a password.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit


class Explained(ValueError):
    """An invalid value, with the words that follow the setting's name in its sentence."""


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
    is_wildcard = may_be_wild and rest.startswith("*.")
    parts = _split(f"{scheme}{separator}{rest.removeprefix('*.') if is_wildcard else rest}")
    if parts.path not in {"", "/"}:
        raise ValueError("an origin has no path")
    return f"{parts.scheme}://{'*.' if is_wildcard else ''}{_netloc(parts)}"


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
            machine_and_port(machine)
    return text


def hosts_of(text: str) -> list[str]:
    """The hosts in a valid service URL; empty for a socket or a file."""
    netlocs = [urlsplit(one).netloc.rpartition("@")[2] for one in text.split(";")]
    return [
        machine_and_port(machine)[0].strip("[]")
        for netloc in netlocs
        for machine in netloc.split(",")
        if machine and not machine.lower().startswith("%2f")
    ]


def machine_and_port(text: str) -> tuple[str, str]:
    """A host, as written, and its port, or "" without one."""
    match = re.fullmatch(rf"({_MACHINE.pattern})(?::([0-9]{{1,5}}))?", text)
    if not match or (match[2] and not 0 < int(match[2]) < 65536):
        raise ValueError("not a machine and its port")
    return match[1], match[2] or ""
