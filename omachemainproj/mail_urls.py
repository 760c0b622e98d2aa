"""Parses ``EMAIL_URL`` into Django's settings of e-mail.

No message repeats the URL, which may contain a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from .service_urls import Explained, machine_and_port

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


#: The port on which a mail server speaks TLS at once, and never answers STARTTLS.
_TLS_FROM_THE_START = 465


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
        machine_and_port(parts.netloc.rpartition("@")[2])
        if use_tls and parts.port == _TLS_FROM_THE_START:
            raise Explained("must begin with smtp+ssl:// for port 465, or have port 587")
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
