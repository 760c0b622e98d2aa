"""Complete request bodies: one that ends early is never processed.

A server passes on what arrived, and a parser would accept half a form: a product without its
picture, or KES 15 instead of 1500.
"""

from __future__ import annotations

import re
import time
from contextlib import closing
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

INCOMPLETE_BODY = "The body broke off before its end. Send it again."

_LENGTH = re.compile(r"[0-9]{1,18}")
_PIECE = 64 * 1024
#: Longer than the longest boundary (Django allows 200 characters), dashes and line breaks.
_TAIL = 300
#: How much of an unwanted body is read, in bytes and seconds: what deploy/'s proxies allow.
_DISCARDED = 16 * 1024 * 1024
_DISCARDED_FOR = 5.0
_LINE_ENDS = b"\r\n \t"


class IncompleteBody(UnreadablePostError):
    """The body ended before its stated length; Django treats it as a lost connection."""


class ClosingMissing(MultiPartParserError):
    """A form without its closing boundary, whose last part may be incomplete."""


class TooLarge(Exception):
    """A body without a stated length exceeds the limit."""


class NoLength(Exception):
    """The body has no stated length, and the server cannot tell where it ends."""


class WholeBody:
    """Reads a stream of known length; raises IncompleteBody if it ends early.

    A multipart form must also end with its closing boundary.
    """

    broke_off = False

    def __init__(self, stream: IO[bytes], length: int, boundary: bytes = b"") -> None:
        self._stream = stream
        self._left = length
        self._boundary = boundary
        self._tail = b""

    def read(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            piece = self._note(self._stream.read(size))
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def readline(self, size: int) -> bytes:
        return self._note(self._stream.readline(size))

    def _note(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._boundary:
            self._tail = (self._tail + piece)[-_TAIL:]
        if not piece or (self._boundary and not self._left and self._is_open()):
            self.broke_off = True
            raise IncompleteBody("the body ended before its stated length")
        return piece

    def _is_open(self) -> bool:
        return not _is_closed(self._tail, self._boundary)

    def discard(self) -> None:
        """Read and discard the rest of the body, at most 16 MB and five seconds. Never raises.

        If a server closes a connection while more is being sent, the client may lose the answer,
        and a proxy reports that the shop is down.
        Source: RFC 9112, section 9.6 (a reset may erase what was not read yet)
        """
        until = time.monotonic() + _DISCARDED_FOR
        try:
            while 0 < self._left <= _DISCARDED and time.monotonic() < until:
                piece = self._stream.read(min(_PIECE, self._left))
                if not piece:
                    return
                self._left -= len(piece)
        except Exception:
            # The client has disconnected, so nobody waits for the answer.
            return

    def close(self) -> None:
        """Release the file that chunks were collected in. Safe to repeat."""
        if isinstance(self._stream, SpooledTemporaryFile):
            self._stream.close()


class ClosedForms(FileUploadHandler):
    """Refuses a form that was read already and has no closing boundary; stores no files."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if isinstance(input_data, BytesIO) and not _is_closed(input_data.getvalue(), boundary):
            raise ClosingMissing(INCOMPLETE_BODY)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def _is_closed(end: bytes, boundary: bytes) -> bool:
    """Whether these last bytes of a form end with its closing boundary."""
    before, closing, after = end.rpartition(b"--" + boundary + b"--")
    return bool(closing) and not after.strip(_LINE_ENDS) and before[-1:] in {b"", b"\n"}


def watch_body(request: HttpRequest) -> WholeBody | None:
    """Make sure the request's body is read completely; None if there is none.

    A short body is read now, since a view that ignores it would not notice; a long one while it is
    parsed. Raises UnreadablePostError, TooLarge or NoLength.
    """
    stream = request.META.get("wsgi.input")
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        stream = _collect(request)
    # An invalid length is refused by the parsers.
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    length = int(text) if _LENGTH.fullmatch(text) else 0
    if stream is None or not length:
        return None
    is_short = length <= settings.JSON_BODY_MAX
    boundary = ""
    if request.content_type == "multipart/form-data" and not is_short:
        boundary = (request.content_params or {}).get("boundary", "")
    body = WholeBody(stream, length, boundary.encode("latin-1", "replace"))
    # Django has no public API to replace the request's stream.
    cast(Any, request)._stream = LimitedStream(cast(Any, body), length)
    if is_short and request.method not in {"GET", "HEAD", "OPTIONS"}:
        with closing(body):
            _ = request.body
    return body


def _collect(request: HttpRequest) -> IO[bytes]:
    """Collect a chunked body: Django reads nothing without a length."""
    if request.META.get("CONTENT_LENGTH") or not request.META.get("wsgi.input_terminated"):
        raise NoLength
    collected = SpooledTemporaryFile(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)  # noqa: SIM115
    total = 0
    try:
        while piece := _read_chunks(request):
            total += len(piece)
            if total > settings.MULTIPART_BODY_MAX:
                raise TooLarge
            collected.write(piece)
    except (IncompleteBody, TooLarge):
        collected.close()
        raise
    collected.seek(0)
    request.META["CONTENT_LENGTH"] = str(total)
    return collected


def _read_chunks(request: HttpRequest) -> bytes:
    try:
        return cast(bytes, request.META["wsgi.input"].read(_PIECE))
    except Exception as error:
        # Each server has its own exceptions for invalid or missing chunks.
        raise IncompleteBody("the chunks ended before the last one") from error
