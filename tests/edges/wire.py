"""Raw bytes through gunicorn's own reading and writing of HTTP, to the shop and back.

What a gunicorn worker does with one connection, in this thread and with the test's database.
"""

import socket
from contextlib import contextmanager
from http.client import HTTPResponse
from threading import Thread

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from gunicorn import http
from gunicorn.config import Config
from gunicorn.http import wsgi

_application = WSGIHandler()


def exchange(raw):
    """Send the bytes and then nothing more; return the answer's status and body."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sending = Thread(target=_send, args=(ours, raw))
        sending.start()
        _serve(theirs)
        theirs.shutdown(socket.SHUT_WR)
        answer = HTTPResponse(ours)
        answer.begin()
        body = answer.read()
        # What nobody has read must not keep the sender waiting.
        theirs.close()
        sending.join()
    return answer.status, body


def request(method, path, body=b"", *, length=None, **headers):
    """The bytes of a request; ``length`` is what it says of its body, if that is not the truth."""
    lines = [f"{method} {path} HTTP/1.1", "Host: testserver"]
    if length != "none":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(body, *, size=100, end=b"0\r\n\r\n"):
    """The body in chunks."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def _send(ours, raw):
    try:
        ours.sendall(raw)
        ours.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the answer came first, and the other side has hung up


def _serve(theirs):
    config = Config()
    asked = next(http.get_parser(config, theirs, ("127.0.0.1", 50000)))
    answer, environ = wsgi.create(asked, theirs, ("127.0.0.1", 50000), ("127.0.0.1", 80), config)
    answer.force_close()
    with _connections_kept():
        pieces = _application(environ, answer.start_response)
        for piece in pieces:
            answer.write(piece)
        answer.close()
        pieces.close()


@contextmanager
def _connections_kept():
    """The connection to the database is the test's, and stays open, as for Django's own client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
