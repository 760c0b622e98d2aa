"""The access log and metrics of every request.

A line contains the route, never the path, which may hold a secret. So nothing needs masking, and it
costs a tenth of another log line.
"""

from __future__ import annotations

import logging
import re
import threading
from functools import lru_cache
from time import perf_counter
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from .logs import ZonedFormatter, request_id
from .metrics import REQUEST_SECONDS, REQUEST_STATEMENTS, REQUESTS

logger = logging.getLogger("omache.access")

#: Requests without a route: not found, or refused before routing.
NO_ROUTE = "(none)"
#: Static files, where the web process serves them instead of a proxy.
STATIC = "/static/"
#: Any other method.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "OTHER"

#: Groups of a URL pattern, as ``re_path`` and ``path`` write them.
_GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()\[\]]|\[[^\]]*\])*\)")
_CONVERTER = re.compile(r"<\w+:(\w+)>")


class _StatementCounter:
    """An execute wrapper that counts a connection's statements."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.statements += 1
        return execute(sql, params, many, context)


_own = threading.local()
#: Metrics by method, route and status class; bounded by the number of routes.
_counters: dict[tuple[str, str, int], tuple[Any, Any, Any]] = {}


class Request:
    """Measures one request, starting now."""

    __slots__ = ("_before", "_began", "_counter")

    def __init__(self) -> None:
        self._began = perf_counter()
        self._counter = _statement_counter()
        self._before = self._counter.statements

    def ended(self, request: HttpRequest, status: int) -> None:
        """Log and count the request. Never raises."""
        seconds = perf_counter() - self._began
        statements = self._counter.statements - self._before
        method = request.method if request.method in _METHODS else OTHER
        route = route_of(request)
        try:
            counts, times, statement_counts = _counters_of(method, route, status // 100)
            counts.inc()
            times.observe(seconds)
            statement_counts.inc(statements)
            if settings.ACCESS_LOG:
                logger.info(
                    "%s %s %d %.1f ms %d statements",
                    method,
                    route,
                    status,
                    seconds * 1000,
                    statements,
                )
        except Exception:
            # Logging may fail, on a full disk for example; the answer must not.
            logging.getLogger(__name__).exception("a request could not be logged")


def route_of(request: HttpRequest) -> str:
    """The request's URL pattern, such as ``/cashout/<order_token>/``, never its path."""
    match = request.resolver_match
    if match is not None:
        return _readable(match.route)
    return STATIC if request.path_info.startswith(STATIC) else NO_ROUTE


@lru_cache(maxsize=2000)
def _readable(pattern: str) -> str:
    pattern = _CONVERTER.sub(r"<\1>", _GROUP.sub(r"<\1>", pattern))
    return "/" + pattern.replace("^", "").replace("$", "").replace("\\", "").lstrip("/")


def _statement_counter() -> _StatementCounter:
    """The statement counter of this thread's connection."""
    counter: _StatementCounter | None = getattr(_own, "counter", None)
    wrappers = connection.execute_wrappers
    if counter is None or counter not in wrappers:
        counter = _own.counter = _StatementCounter()
        # First: ``execute_wrapper`` removes the last wrapper when it ends.
        wrappers.insert(0, counter)
    return counter


def _counters_of(method: str, route: str, kind: int) -> tuple[Any, Any, Any]:
    key = (method, route, kind)
    counters = _counters.get(key)
    if counters is None:
        counters = _counters[key] = (
            REQUESTS.labels(method, route, f"{kind}xx"),
            REQUEST_SECONDS.labels(method, route),
            REQUEST_STATEMENTS.labels(method, route),
        )
    return counters


class JSONLine(ZonedFormatter):
    """A line of the access log as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        method, route, status, ms, statements = record.args  # type: ignore[misc]
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "request_id": request_id.get(),
            "method": method,
            "route": route,
            "status": status,
            "ms": round(ms, 1),  # type: ignore[arg-type]
            "statements": statements,
        }
        return orjson.dumps(line).decode()
