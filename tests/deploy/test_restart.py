"""The web restarts for a new version without refusing any request."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from daraja_simulator.tests.waiting import PATIENCE, wait_until
from tools.soak.machine import gunicorn_at

from .proxied import Shop, open_folder, production_environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def unit(db, tmp_path):
    """Emulates systemd with omache-web.socket and omache-web.service."""
    shop = Shop(tmp_path)
    open_folder(shop)
    with socket.create_server(("127.0.0.1", shop.web), backlog=2048) as held:
        unit = gunicorn_at(held, production_environment(shop, "http://127.0.0.1:9"), tmp_path)
        unit.shop = shop
        unit.start()
        yield unit
        unit.stop()


@pytest.fixture
def shop(unit):
    return unit.shop


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_requests_during_a_restart_wait_and_are_answered(unit, shop):
    answers, done = [], threading.Event()

    def ask():
        while not done.is_set():
            try:
                answers.append(shop.ask_gunicorn("/product/kitchen/").status)
            except OSError as error:
                answers.append(repr(error))

    def wait_for_more(count=20):
        enough = len(answers) + count
        wait_until(lambda: len(answers) >= enough)

    crowd = [threading.Thread(target=ask) for _ in range(4)]
    for one in crowd:
        one.start()
    try:
        wait_for_more()
        for _ in range(2):
            assert unit.end() == 0
            unit.start()
            wait_for_more()
        # One of the two workers may serve before the other is listening.
        assert unit.end() == 0
        unit.start()
        wait_for_more()
    finally:
        done.set()
        for one in crowd:
            one.join(PATIENCE)

    assert set(answers) == {200}
    assert shop.log.count("web starts") == 4


@pytest.mark.long
def test_a_worker_terminated_right_after_its_fork_exits(tmp_path):
    (tmp_path / "conf.py").write_text(
        "import os, signal\n"
        "def post_fork(server, worker):\n"
        "    if worker.age == 1:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    command = [sys.executable, "-m", "gunicorn", "--config", str(tmp_path / "conf.py")]
    command += ["-k", "omachemainproj.gunicorn_worker.PatientWorker", "-b", "127.0.0.1:0"]
    command += ["--no-control-socket", "tests.edges.slow_application:application"]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "REQUEST_TIMEOUT_SECONDS": "1"}
    log = tmp_path / "log"
    with log.open("wb") as said:
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=said, stderr=said)
    try:
        # The master replaces exited workers.
        wait_until(lambda: log.read_text().count("Booting worker") >= 2)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
