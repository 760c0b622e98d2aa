"""A gunicorn thread worker that slow or incomplete requests cannot block.

gunicorn reads a request in the thread that answers it, with no time limit between bytes: as many
incomplete requests as there are threads block it. Here a connection gets no thread until its head,
and a short body too, are in the kernel's buffer. A larger body is read by a thread, by at most half
of them, and only for as long as it takes at a slow connection's rate.
"""

from __future__ import annotations

import math
import os
import re
import signal
import socket
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, NamedTuple

from gunicorn.workers.gthread import ThreadWorker

#: Seconds within which a request has to arrive, from the connection's first wait.
REQUEST_TIMEOUT_SECONDS = 10
#: Bytes. Larger bodies are read by a thread: JSON_BODY_MAX, which fits in the kernel's buffer.
SHORT_BODY = 64 * 1024
#: The lowest rate for a larger body, in bytes per second, after REQUEST_TIMEOUT_SECONDS.
SLOWEST = 64 * 1024
#: Bytes assumed for a body of unknown length: MULTIPART_BODY_MAX.
_UNKNOWN = 13 * 1024 * 1024
#: Seconds a larger body waits for a thread to read it.
THREAD_WAIT_SECONDS = 60
#: Bytes to look at; longer heads are left to the parser to refuse.
_MOST = SHORT_BODY + 64 * 1024
#: Signals that end a worker.
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)


def _unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


os.register_at_fork(after_in_parent=_unblock_signals)


class _Request(NamedTuple):
    """What is known about a connection's request before it is read."""

    #: The number of bytes to wait for before looking again; 0: proceed.
    wait_for: int = 0
    #: Bytes of its body that have not arrived.
    rest: int = 0


class PatientWorker(ThreadWorker):
    """Gives a connection to a thread once its request has arrived, or closes it after a time limit.

    Everything here runs in gunicorn's main thread.

    A newly forked worker still has the master's signal handlers, which only write to its copy of
    the master's queue: it would miss an order to stop, and be killed later while serving requests.
    So the stopping signals are blocked from before the fork until its own handlers are installed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        #: Connections without a complete request, and when each is closed.
        self._waiting: dict[Any, float] = {}
        #: Connections whose larger body a thread is reading, and when reading is cut off.
        self._reading: dict[Any, float] = {}
        #: Connections whose larger body waits for a thread, and the bytes still to come.
        self._queue: dict[Any, int] = {}

    def init_signals(self) -> None:
        """Install the worker's signal handlers, then deliver the signals blocked since the fork."""
        super().init_signals()
        _unblock_signals()

    def enqueue_req(self, conn: Any) -> None:
        """Let a thread answer the connection's request, now or once it has arrived."""
        # TLS ends at the proxy; a request inside gunicorn's own TLS cannot be inspected.
        request = _Request() if self.cfg.is_ssl else _look(conn)
        if request.wait_for:
            self._waiting.setdefault(conn, time.monotonic() + REQUEST_TIMEOUT_SECONDS)
            # Otherwise the poller would keep waking for the bytes that are already there.
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, request.wait_for)
            self.poller.register(conn.sock, EVENT_READ, partial(self._on_more, conn))
            return
        self._waiting.pop(conn, None)
        if not request.rest:
            conn.data_ready = True
            super().enqueue_req(conn)
        elif len(self._reading) < max(self.cfg.threads // 2, 1):
            self._read(conn, request.rest)
        else:
            self._waiting[conn] = time.monotonic() + THREAD_WAIT_SECONDS
            self._queue[conn] = request.rest

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Finish the request as gunicorn does, then start reading the next larger body."""
        self._reading.pop(conn, None)
        super().finish_request(conn, fs)
        if self._queue and len(self._reading) < max(self.cfg.threads // 2, 1):
            first = next(iter(self._queue))
            self._waiting.pop(first, None)
            self._read(first, self._queue.pop(first))

    def murder_pending(self) -> None:
        """Close connections past their time limit; called at least once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn, until in self._waiting.items() if until <= now]:
            del self._waiting[conn]
            if self._queue.pop(conn, None) is None:
                self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()
        for conn in [conn for conn, until in self._reading.items() if until <= now]:
            self._reading[conn] = math.inf
            with suppress(OSError):
                # The thread sees the end of the body, and answers that it is incomplete.
                conn.sock.shutdown(socket.SHUT_RD)

    def _on_more(self, conn: Any, client: socket.socket) -> None:
        self.poller.unregister(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self.enqueue_req(conn)

    def _read(self, conn: Any, size: int) -> None:
        self._reading[conn] = time.monotonic() + REQUEST_TIMEOUT_SECONDS + size / SLOWEST
        conn.data_ready = True
        super().enqueue_req(conn)


def _look(conn: Any) -> _Request:
    """What to wait for: nothing if the client has gone, or if it cannot be determined."""
    if conn.parser is not None and conn.parser.unreader.buf.getvalue():
        # Part of this request was read together with the previous one.
        return _Request(rest=_UNKNOWN)
    try:
        there = conn.sock.recv(_MOST, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return _Request(wait_for=1)
    except OSError:
        return _Request()
    head, end, _ = there.partition(b"\r\n\r\n")
    if not end:
        more = there and len(there) < _MOST
        return _Request(wait_for=len(there) + 1 if more else 0)
    length = _LENGTH.search(head + b"\r\n")
    body = _UNKNOWN if _CHUNKED.search(head) else int(length[1]) if length else 0
    whole = len(head) + len(end) + body
    if len(there) >= whole:
        return _Request()
    return _Request(rest=whole - len(there)) if body > SHORT_BODY else _Request(wait_for=whole)
