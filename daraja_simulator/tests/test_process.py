"""The simulator as a separate process."""

import os
import random
import socket
import subprocess
import sys
import time
from contextlib import suppress

import requests

from .waiting import PATIENCE


def test_a_closed_output_pipe_does_not_stop_the_server():
    """As with ``| head -1``: clients can still use the server."""
    port, nobody = free_port(), closed_pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "daraja_simulator", "--port", str(port)], stdout=nobody
    )
    os.close(nobody)
    try:
        assert books_once_served(port, process) == []
    finally:
        process.terminate()
    assert process.wait(timeout=PATIENCE) == 0


def free_port():
    """A port outside the range of ephemeral ports, so that nobody gets it before we listen."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as asked, suppress(OSError):
            asked.bind(("127.0.0.1", port))
            return port


def closed_pipe():
    read, write = os.pipe()
    os.close(read)
    return write


def books_once_served(port, process):
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and process.poll() is None:
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/control/books", timeout=PATIENCE)
        except requests.ConnectionError:
            time.sleep(0.05)
            continue
        return answer.json()["entries"]
    return f"ended with {process.poll()}"
