"""gunicorn's threads, and few of them for who has not yet sent a whole request.

gunicorn reads a request in the thread that answers it, and waits for its next byte without end:
as many half requests as there are threads silence it. Here a connection waits beside the threads
until its head, and a short body too, lie in the kernel's buffer. A larger body is read by a thread,
by half of them at most, and no longer than it takes at a slow connection's rate.
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

#: Seconds from a connection's first wait until its request has to be there.
WHOLE_WITHIN = 10
#: Larger bodies are not waited for: JSON_BODY_MAX, which the kernel's buffer holds.
SHORT_BODY = 64 * 1024
#: Bytes a second at which a larger body has to come, after WHOLE_WITHIN.
SLOWEST = 64 * 1024
#: What a body may be that does not say how long it is: MULTIPART_BODY_MAX.
_UNKNOWN = 13 * 1024 * 1024
#: Seconds a larger body waits for a thread that may read it.
TURN_WITHIN = 60
#: Longer heads are the parser's to refuse.
_MOST = SHORT_BODY + 64 * 1024
#: What ends a worker.
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)


def _hear_ending() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


os.register_at_fork(after_in_parent=_hear_ending)


class _Request(NamedTuple):
    """What is known of a connection's request before anything of it is read."""

    #: How many bytes there have to be before it is worth looking again; 0: go on.
    wait_for: int = 0
    #: How many bytes of its body a thread has to wait for.
    rest: int = 0


class PatientWorker(ThreadWorker):
    """Gives a connection to a thread once its request is there, and closes it if it never is.

    Everything here runs in gunicorn's main thread.

    A worker that was just forked has the master's handlers for a moment, and what they put into its
    copy of the master's queue nobody reads: told to end, it would serve on until it is killed, with
    whom it serves. So what ends it is kept for it, from before the fork until it can hear.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        #: Connections without a whole request, and when each is closed.
        self._waiting: dict[Any, float] = {}
        #: Those whose larger body a thread reads, and when nothing more is read.
        self._reading: dict[Any, float] = {}
        #: Those whose larger body waits for such a thread, and how much of it is to come.
        self._queue: dict[Any, int] = {}

    def init_signals(self) -> None:
        """Handle signals as a worker does, those first that came since the fork."""
        super().init_signals()
        _hear_ending()

    def enqueue_req(self, conn: Any) -> None:
        """Let a thread answer the connection's request, now or when it is there."""
        # The proxy ends TLS: gunicorn's own cannot be looked into.
        request = _Request() if self.cfg.is_ssl else _look(conn)
        if request.wait_for:
            self._waiting.setdefault(conn, time.monotonic() + WHOLE_WITHIN)
            # The poller would else wake for the bytes that are there already, again and again.
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
            self._waiting[conn] = time.monotonic() + TURN_WITHIN
            self._queue[conn] = request.rest

    def finish_request(self, conn: Any, fs: Any) -> None:
        """What gunicorn does after a request; then the next larger body has its turn."""
        self._reading.pop(conn, None)
        super().finish_request(conn, fs)
        if self._queue and len(self._reading) < max(self.cfg.threads // 2, 1):
            first = next(iter(self._queue))
            self._waiting.pop(first, None)
            self._read(first, self._queue.pop(first))

    def murder_pending(self) -> None:
        """Close connections whose request never came; called once a second or more often."""
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
                # The thread reads the end of it, and answers that the body broke off.
                conn.sock.shutdown(socket.SHUT_RD)

    def _on_more(self, conn: Any, client: socket.socket) -> None:
        self.poller.unregister(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self.enqueue_req(conn)

    def _read(self, conn: Any, size: int) -> None:
        self._reading[conn] = time.monotonic() + WHOLE_WITHIN + size / SLOWEST
        conn.data_ready = True
        super().enqueue_req(conn)


def _look(conn: Any) -> _Request:
    """What has to be waited for: nothing too where the other side is gone, or nobody can tell."""
    if conn.parser is not None and conn.parser.unreader.buf.getvalue():
        # A part of this request was read with the one before.
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
