"""Formatters of log lines: one line each, searchable, with phones and tokens masked."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from .phones import mask_phones

#: The id of the request being answered; it is also in the answer's ``X-Request-ID``.
request_id: ContextVar[str] = ContextVar("request_id", default="-")

_TOKENS = re.compile(
    r"(safwebhook/(?:[\w-]+/)??)[0-9a-f]{6,}|(ws_CO_)\w+|\beyJ[\w-]+\.[\w-]+\.[\w-]+"
)
#: A line break forges a log line; other control characters rewrite a terminal.
_CONTROLS = {
    code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}


def mask_private(text: str) -> str:
    """Return the text with its phones, callback tokens and other tokens masked."""
    # Tokens first: ten digits in the middle of one may look like a phone.
    return mask_phones(_TOKENS.sub(lambda found: f"{found[1] or found[2] or ''}***", text))


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


_TRACEBACKS = logging.Formatter()


class JSONFormatter(JsonFormatter):
    """One JSON object a line: time, level, logger, request id, message, traceback."""

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
        """Mask private data in the record's extra fields too."""
        return {
            name: mask_private(value) if isinstance(value, str) else value
            for name, value in log_data.items()
        }
