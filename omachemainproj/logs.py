"""Log formatting: one line per record, with a time zone, and private or secret data masked."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from .phones import mask_phones

#: The id of the request being answered; it is also in the answer's ``X-Request-ID``.
request_id: ContextVar[str] = ContextVar("request_id", default="-")

#: The client address of the current request, in normalised form.
client_address: ContextVar[str] = ContextVar("client_address", default="-")

#: The rest of a callback's path: some fixed words and a secret token.
_CALLBACK = re.compile(r"(safwebhook(?:/|%2F))([^\s?#\"'<>,]+)", re.IGNORECASE)
_CALLBACK_WORDS = {"", "bank", "c2b", "confirmation", "equity", "validation"}
_BETWEEN_SEGMENTS = re.compile(r"(/|%2F)", re.IGNORECASE)
#: Prefixes that are kept, each followed by a secret that is masked.
_SECRETS = re.compile(
    r"(ws_CO_)\w+"
    # A JSON web token.
    r"|(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"
    # Links in e-mails, and to a seller's sheet.
    r"|((?:password/reset/confirm|email/confirm|seller/products/export)/)[^\s?#\"'<>]+"
    # Query parameters; then members of a form or a JSON body quoted by an error.
    r"|([?&](?:code|token|key|uid|refresh|access|otp|pin|secret)=)[^&\s\"'#]+"
    r"|(\b(?:old_|new_)?(?:password|passkey|secret)[12]?[\"']?\s?[=:]\s?[\"']?)[^&\s\"',;}]+"
    r"|(\b(?:[Bb]earer|[Bb]asic) )[\w.+/=~-]{8,}"
    # A collection code, or a code from an authenticator app.
    r"|((?:\b|_)(?:code|msimbo)[\"']?(?:\s(?:is|ni))?[:=]?\s?[\"']?)[0-9]{6}\b(?!\.[0-9])"
    # The user and the password in a URL such as redis://.
    r"|(://)[^\s/@\"'<>]+(?=@)"
    # E-mail addresses: the first letter and the domain are kept, to recognise the address.
    r"|((?<![\w.+-])[\w.+-])[\w.+-]*(?=@[\w-]+\.)",
    re.IGNORECASE,
)
#: Every ASCII text matched by ``_SECRETS`` contains one of these. Most lines contain none, and
#: searching for these takes a tenth of the time.
_SIGNS = (
    *("ws_co_", "eyj", "confirm/", "export/", "=", "password", "passkey", "secret"),
    *("bearer", "basic", "code", "msimbo", "@"),
)
#: A line break forges a log line; other control characters rewrite a terminal.
_CONTROLS = {
    code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}


def mask_private(text: str) -> str:
    """Return the text with private data and credentials replaced by ``***``.

    Phones, e-mails, tokens of callbacks and of users, mailed links, codes, passwords.
    """
    folded = text.lower() if text.isascii() else ""
    # Tokens first: ten digits inside one may look like a phone.
    if not folded or "safwebhook" in folded:
        text = _CALLBACK.sub(_mask_callback, text)
    if not folded or any(sign in folded for sign in _SIGNS):
        text = _SECRETS.sub(_mask_secret, text)
    return mask_phones(text)


def _mask_secret(found: re.Match[str]) -> str:
    return f"{found[found.lastindex] if found.lastindex else ''}***"


def _mask_callback(found: re.Match[str]) -> str:
    parts = _BETWEEN_SEGMENTS.split(found[2])
    # Every second part is a separator.
    parts[::2] = [part if part.lower() in _CALLBACK_WORDS else "***" for part in parts[::2]]
    return found[1] + "".join(parts)


class PrivateFilter(logging.Filter):
    """Adds the request id, masks private data and escapes line breaks. Never raises."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        try:
            message = record.getMessage()
        except Exception:
            # A log call with the wrong arguments must not break what it reports on.
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = mask_private(message).translate(_CONTROLS), None
        if record.exc_info and not record.exc_text:
            record.exc_text = mask_private(_TRACEBACKS.formatException(record.exc_info))
        return True


class RefusalFilter(logging.Filter):
    """Makes one warning, without a traceback, of what Django refuses to read from a client.

    Django logs a strange host, a form with too many fields and the like (``django.security.…``) as
    errors of ours. Anyone who reaches the port could fill the log with them. Never drops a line.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security.") and record.levelno >= logging.ERROR:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
            sentence = record.getMessage().replace(" to ALLOWED_HOSTS", " to DJANGO_ALLOWED_HOSTS")
            record.msg, record.args = sentence[:_LONGEST_REFUSAL], None
        return True


#: Characters of a line about a request that cannot be read: it quotes what the client sent.
_LONGEST_REFUSAL = 300
_TRACEBACKS = logging.Formatter()


class ZonedFormatter(logging.Formatter):
    """Writes the time in ISO 8601, in UTC on every machine, with milliseconds and the offset."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class PlainFormatter(ZonedFormatter):
    """One line for a terminal: time, level, logger, request id, message."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} [{request_id}] {message}", style="{")


class JSONFormatter(ZonedFormatter, JsonFormatter):
    """One JSON object per line: time, level, logger, request id, message, traceback."""

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{request_id}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            # Django adds the whole request to its records; the message already names the path.
            reserved_attrs=[*RESERVED_ATTRS, "request", "server_time"],
        )

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return mask_private(str(super().formatException(ei)))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Mask private data in the record's extra fields; the message is already masked."""
        return {
            name: mask_private(value)
            if isinstance(value, str) and name not in _OF_EVERY_LINE
            else value
            for name, value in log_data.items()
        }


#: Members already masked by ``PrivateFilter``, or without any client's data.
_OF_EVERY_LINE = frozenset({"time", "level", "logger", "request_id", "message"})
