"""PostgreSQL dies in the middle of everything and comes back; the shop says so, and loses nothing.

Real processes: a PostgreSQL of the test's own, gunicorn and a clock. Buyers and strangers go on
asking all the while.
"""

import hashlib
import http.client
import json
import threading

import psycopg
import pytest

from daraja_simulator import Simulator
from daraja_simulator.tests.waiting import PATIENCE, wait_until
from payments.demo.processes import free_port
from tools.drill.cluster import a_cluster, binaries
from tools.soak.machine import clock, environment, gunicorn, manage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        binaries() is None, reason="needs initdb and pg_ctl, and to be root the user postgres"
    ),
]


class Crowd:
    """Threads that ask until they are told to stop, and remember every answer."""

    def __init__(self, web: int) -> None:
        self._web = web
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.answers: list[tuple[str, int, bytes, bytes]] = []
        self.errors: list[str] = []

    def ask(self, make, pause: float) -> None:
        """Let one more thread send what ``make(n)`` gives: path, body and token."""

        def run() -> None:
            number = 0
            while not self._stop.is_set():
                number += 1
                self._send(*make(number))
                self._stop.wait(pause)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def _send(self, path: str, body: bytes, token: str = "") -> None:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self._web, timeout=PATIENCE)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            self.answers.append((path, response.status, body, response.read()))
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(repr(error))
        finally:
            connection.close()

    def wait_for(self, status: int) -> None:
        """Wait until somebody is answered so who asked lately."""
        before = len(self.answers)
        wait_until(lambda: any(seen == status for _, seen, *_ in self.answers[before:]))

    def go_home(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)


@pytest.fixture
def cluster():
    with a_cluster() as cluster:
        yield cluster


@pytest.fixture
def mpesa():
    with Simulator(port=0, decide_after=0.3, external_validation=False) as simulator:
        yield simulator


@pytest.fixture
def shop(cluster, mpesa, tmp_path):
    """The shop's processes, open for business; yields what they are told."""
    (tmp_path / "certificate.pem").write_text(mpesa.certificate)
    told = environment(
        database=cluster.url, web=free_port(), mpesa=mpesa.url, scratch=tmp_path, hold=1
    )
    manage(told, "migrate", "--verbosity", "0")
    web, ticking = gunicorn(told, tmp_path), clock(1, told, tmp_path, every=0.5)
    try:
        web.start()
        ticking.start()
        manage(told, "register_c2b_urls", "--statement-number", "254700000000")
        yield told
    finally:
        ticking.stop()
        web.stop()


def test_a_database_that_dies_loses_nothing_and_lies_to_nobody(shop, cluster, mpesa):
    goods = json.loads(manage(shop, "-m", "tools.soak.data", "--buyers", "300").stdout)
    crowd = Crowd(int(shop["BIND"].rpartition(":")[2]))
    for thread in range(3):
        crowd.ask(lambda number, thread=thread: cash_out(goods, 100 * thread + number % 100), 0.05)
    for thread in range(2):
        crowd.ask(lambda number, thread=thread: a_stranger(thread, number), 0.02)

    for _ in range(2):
        crowd.wait_for(201)
        cluster.crash()
        crowd.wait_for(503)
        cluster.start()
    crowd.wait_for(201)
    crowd.go_home()

    assert_nobody_was_lied_to(crowd)
    assert mpesa.wait_until_quiet()
    settled = manage(shop, "-m", "tools.soak.waits", "--patience", "90", check=False)
    assert settled.returncode == 0, settled.stdout[-1000:]
    assert_kept(crowd, mpesa, cluster)
    assert_placed(crowd, cluster)
    proven = manage(shop, "prove", "--against-simulator", check=False)
    assert proven.returncode == 0, proven.stdout


def cash_out(goods, number):
    product = goods["ample"][number % len(goods["ample"])][0]
    asked = {"order": [{"product": product, "number": 1}], "mpesa_number": f"2547{number:08d}"}
    return "/cashout/", json.dumps(asked).encode(), goods["tokens"][number]


def a_stranger(thread, number):
    """No two bodies are the same: each must be found again."""
    return "/safwebhook/", json.dumps({"stranger": thread, "number": number}).encode()


def assert_nobody_was_lied_to(crowd):
    """Nothing but what the shop says on purpose; what could not be done is said to be so."""
    assert crowd.errors == []
    refused = [json.loads(said) for _, status, _, said in crowd.answers if status == 503]
    assert {answer["code"] for answer in refused} == {"busy"}
    # A cash-out may also have waited until the database was back.
    paths = {path for path, status, *_ in crowd.answers if status == 503}
    assert paths, "nobody met the database while it was away"
    strange = {
        (path, status, said)
        for path, status, _, said in crowd.answers
        if status not in {200, 201, 503} and b"too_many_unpaid_orders" not in said
    }
    assert strange == set()


def assert_kept(crowd, mpesa, cluster):
    """Every message that was taken is in the database, whoever posted it."""
    taken = {
        body for path, status, body, _ in crowd.answers if (path, status) == ("/safwebhook/", 200)
    }
    taken |= {
        json.dumps(sent["body"]).encode() for sent in mpesa.callbacks if sent["status"] == 200
    }
    with psycopg.connect(cluster.url) as database:
        kept = {
            digest for (digest,) in database.execute("SELECT sha256 FROM payments_gatewayevent")
        }
    assert taken
    assert {hashlib.sha256(body).hexdigest() for body in taken} - kept == set()


def assert_placed(crowd, cluster):
    """Every order that was confirmed to its buyer is in the database."""
    tokens = {
        json.loads(said)["order_token"] for _, status, _, said in crowd.answers if status == 201
    }
    with psycopg.connect(cluster.url) as database:
        placed = {
            str(token) for (token,) in database.execute("SELECT order_token FROM orders_order")
        }
    assert tokens
    assert tokens - placed == set()
