"""Attacks: half requests, as many as there are threads and more, and silence."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAD = b"POST / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n"
THREADS = 2


@pytest.fixture(scope="module")
def port():
    """Where a worker with two threads listens, which waits a second for a whole request."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number = found.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "/dev/null", "--threads", str(THREADS)]
    command += ["-k", "omachemainproj.gunicorn_worker.PatientWorker", "-b", f"127.0.0.1:{number}"]
    command += ["--no-control-socket", "tests.edges.patience:application"]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        _wait_for(number)
        yield number
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(10)


def _wait_for(number):
    for _ in range(200):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", number)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("gunicorn does not listen")


def talk(port, *pieces):
    """Send these, and return what was answered until the other side closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.05)
        return _read(client)


def _read(client):
    answer = b""
    try:
        while piece := client.recv(4096):
            answer += piece
    except ConnectionResetError:
        pass  # closed with bytes of ours unread
    return answer


def a_whole_request_is_answered(port):
    started = time.monotonic()
    answer = talk(port, HEAD + b"Content-Length: 3\r\n\r\nabc")
    return answer.endswith(b"3 bytes") and time.monotonic() - started < 0.9


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"POST / HT",
        HEAD,
        HEAD + b"Content-Length: 100\r\n\r\nabc",
        HEAD + b"Content-Length: 9000000\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["silence", "first line", "head", "body", "large body", "chunks"],
)
def test_half_requests_take_no_thread_from_whole_ones(port, half):
    with ExitStack() as open_ones:
        for _ in range(3 * THREADS):
            client = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.settimeout(8)
            client.sendall(half)
        time.sleep(0.1)

        assert a_whole_request_is_answered(port)
        # Cut off: the connection ends, without an answer that says it was done.
        assert b"200 OK" not in _read(client)


@pytest.mark.parametrize(
    "pieces",
    [
        [
            b"POST / HTTP/1.1\r\nHo",
            b"st: shop\r\nConnection: close\r\nContent-",
            b"Length: 3\r\n\r\nabc",
        ],
        [HEAD + b"Content-Length: 3\r\n\r\n", b"a", b"bc"],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n"],
    ],
    ids=["head", "body", "chunks"],
)
def test_a_request_in_pieces_is_answered_when_its_last_piece_is_there(port, pieces):
    assert talk(port, *pieces).endswith(b"3 bytes")


def test_a_large_body_comes_through_whole(port):
    size = 3 * 1024 * 1024

    assert talk(port, HEAD + b"Content-Length: %d\r\n\r\n" % size, b"x" * size).endswith(
        b"%d bytes" % size
    )


def test_a_connection_is_used_again(port):
    request = b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\n\r\nx"

    answer = talk(port, request, request, HEAD + b"\r\n")

    assert (answer.count(b"1 bytes"), answer.count(b"0 bytes")) == (2, 1)
