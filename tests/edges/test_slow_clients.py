"""Attacks: half requests, as many as there are threads and more, and silence."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from daraja_simulator.tests.waiting import PATIENCE, wait_until
from payments.demo.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
HEAD = b"POST / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n"
THREADS = 2


@contextmanager
def worker(whole_within):
    """Where a worker with two threads listens, which waits so many seconds for a whole request."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "/dev/null", "--threads", str(THREADS)]
    command += ["-k", "omachemainproj.gunicorn_worker.PatientWorker", "-b", f"127.0.0.1:{port}"]
    command += ["--no-control-socket", "tests.edges.slow_application:application"]
    told = os.environ | {"PYTHONPATH": str(ROOT), "REQUEST_TIMEOUT_SECONDS": str(whole_within)}
    server = subprocess.Popen(command, cwd=ROOT, env=told)
    try:
        wait_until(lambda: _listens(port))
        yield port
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(PATIENCE)


@pytest.fixture(scope="module")
def port():
    """Of a worker that cuts nobody off who waits for an answer here."""
    with worker(whole_within=10 * PATIENCE) as port:
        yield port


@pytest.fixture(scope="module")
def impatient():
    with worker(whole_within=1) as port:
        yield port


def _listens(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def talk(port, *pieces):
    """Send these, and return what was answered until the other side closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
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


HALVES = pytest.mark.parametrize(
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


@HALVES
def test_half_requests_take_no_thread_from_whole_ones(port, half):
    with ExitStack() as open_ones:
        for _ in range(3 * THREADS):
            client = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(half)

        # Taken in after them, and they wait for longer than we do.
        assert talk(port, HEAD + b"Content-Length: 3\r\n\r\nabc").endswith(b"3 bytes")


@HALVES
def test_a_half_request_is_cut_off_without_an_answer_that_says_it_was_done(impatient, half):
    assert b"200 OK" not in talk(impatient, half)


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
