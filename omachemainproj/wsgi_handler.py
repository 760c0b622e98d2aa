"""How a request is read from what the WSGI server hands over, before any middleware."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Utf8Request(WSGIRequest):
    """A request whose query and forms are UTF-8, whatever its ``Content-Type`` says.

    Django decodes both by the charset that the client names: ``charset=hex`` is an error before
    the first middleware (500), and ``unicode_escape`` makes a NUL of what had been checked as
    UTF-8. The API refuses a body in another charset (415, omachemainproj.api.parsers).
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except (LookupError, ValueError):
            # A parameter in a charset that does not exist, or numbered with thousands of digits.
            self.content_type, self.content_params = "", {}
        self._encoding = None


class Utf8Handler(WSGIHandler):
    """Django's own handler, but for its kind of requests."""

    request_class: type[WSGIRequest] = Utf8Request
