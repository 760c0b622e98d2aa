"""The WSGI handler: reads requests before any middleware."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Utf8Request(WSGIRequest):
    """A request whose query and forms are decoded as UTF-8, whatever its ``Content-Type`` says.

    Django decodes both with the charset named by the client: ``charset=hex`` raises an error before
    the first middleware (500), and ``unicode_escape`` can produce a NUL from input already checked
    as UTF-8. The API refuses bodies in another charset (415, omachemainproj.api.parsers).
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except (LookupError, ValueError):
            # A parameter in an unknown charset, or with a number of thousands of digits.
            self.content_type, self.content_params = "", {}
        self._encoding = None


class WithoutBody:
    """A response of which only the head is sent, and which is closed as any other."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        self._response.close()


class Utf8Handler(WSGIHandler):
    """Django's own handler, with ``Utf8Request`` for its requests, and without the bodies of HEAD,
    for each of which gunicorn would log a warning."""

    request_class: type[WSGIRequest] = Utf8Request

    def __call__(self, environ: Any, start_response: Any) -> Any:
        response = super().__call__(environ, start_response)
        return WithoutBody(response) if environ["REQUEST_METHOD"] == "HEAD" else response
