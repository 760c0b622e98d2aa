"""Log lines a machine can search and a stranger may see: phones and tokens are masked."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from .phones import mask_phones

#: The id of the request being answered; it is also in the answer's ``X-Request-ID``.
request_id: ContextVar[str] = ContextVar("request_id", default="-")

_TOKENS = re.compile(r"(safwebhook/)[0-9a-f]{6,}|(ws_CO_)\w+|\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_BREAKS = str.maketrans({"\r": "\\r", "\n": "\\n"})


class PrivateFilter(logging.Filter):
    """Adds the request id, hides phones, callback addresses and tokens, keeps one line one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        message = mask_phones(record.getMessage())
        message = _TOKENS.sub(lambda found: f"{found[1] or found[2] or ''}***", message)
        record.msg, record.args = message.translate(_BREAKS), None
        return True


class JSONFormatter(JsonFormatter):
    """One JSON object a line: time, level, logger, request id, message, traceback."""

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{request_id}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
