"""The HTTP server: malformed requests, memory limits, shutdown."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from daraja_simulator import PortInUse, Simulator
from daraja_simulator.clock import Clock
from daraja_simulator.events import EventLog
from daraja_simulator.settings_input import read_settings

from .caller import error_of
from .waiting import PATIENCE

RUN = (
    "from daraja_simulator.process import run;"
    "run(host='127.0.0.1', port=0, default='person', output=print)"
)


def started(*arguments):
    """Start Python at the root of the project, with stdout and stderr combined."""
    return subprocess.Popen(
        [sys.executable, "-u", *arguments],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def raw(simulator, data):
    """Send bytes, and return everything received until the connection is closed."""
    port = int(simulator.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while part := connection.recv(65_536):
                answer += part
        except ConnectionResetError:
            pass  # closed with bytes of ours unread
        return answer


@pytest.mark.parametrize(
    "path", ["/nothing", "/mpesa/b2c/v9/paymentrequest", "/a//b", "/%00", "/?" + "a=1&" * 99]
)
def test_an_unknown_address_is_not_found(simulator, path):
    answer = requests.get(simulator.url + path, timeout=PATIENCE)

    assert error_of(answer) == (404, "404.001.01", "Resource not found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/mpesa/stkpush/v1/processrequest"),
        ("PUT", "/mpesa/stkpush/v1/processrequest"),
        ("GET", "/mpesa/stkpushquery/v1/query"),
        ("POST", "/oauth/v1/generate"),
    ],
)
def test_a_wrong_method_is_refused(simulator, method, path):
    answer = requests.request(method, simulator.url + path, timeout=PATIENCE)

    assert error_of(answer) == (405, "405.001", "Method Not Allowed")


def test_one_connection_serves_many_requests(simulator):
    one = b"GET /oauth HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /oauth HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    assert raw(simulator, one + one + last).count(b"HTTP/1.1 404") == 3


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n", b"413"),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"BREW /x HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
        (b"\x16\x03\x01 nonsense\r\n\r\n", b"400"),
    ],
)
def test_a_malformed_request_gets_an_error_and_the_connection_is_closed(
    simulator, request_bytes, status
):
    answer = raw(simulator, request_bytes.replace(b"Host: a", b"Host: a\r\nConnection: close"))

    assert status in answer.split(b"\r\n")[0] or answer.startswith(b"{")
    assert requests.get(simulator.url + "/control/about", timeout=PATIENCE).status_code == 200


def test_a_caller_who_hangs_up_half_way_harms_nobody(simulator):
    port = int(simulator.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST /oauth HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf")

    assert requests.get(simulator.url + "/control/about", timeout=PATIENCE).status_code == 200


def test_the_event_log_forgets_the_oldest():
    log = EventLog(Clock(), keep=3)
    for _ in range(5):
        log.add("knock")

    assert [event["n"] for event in log.list()] == [3, 4, 5]


def test_phones_of_dropped_prompts_are_free_again(daraja):
    daraja.simulator.world.prompts._keep = 2
    ids = [daraja.pay(amount=amount) for amount in (1, 2, 3)]

    assert [p["checkout_request_id"] for p in daraja.simulator.prompts()] == ids[1:]
    assert error_of(daraja.query(ids[0]))[2] == "The transaction does not Exist"


def test_stopping_closes_idle_connections(make_simulator):
    simulator = make_simulator()
    with requests.Session() as session:
        session.get(simulator.url + "/control/about", timeout=PATIENCE)
        simulator.stop()
        simulator.stop()

        with pytest.raises(requests.ConnectionError):
            session.get(simulator.url + "/control/about", timeout=PATIENCE)


def test_a_simulator_never_started_can_be_stopped():
    simulator = Simulator(port=0)

    simulator.stop()

    with pytest.raises(requests.ConnectionError):
        requests.get(simulator.url + "/control/about", timeout=PATIENCE)


def test_a_port_in_use_is_reported_in_one_sentence(simulator):
    port = int(simulator.url.rpartition(":")[2])

    with pytest.raises(PortInUse) as refused:
        Simulator(port=port)

    assert str(refused.value) == (
        f"Port {port} on 127.0.0.1 is in use by another program. Choose another with --port."
    )


def test_an_invalid_port_is_reported_in_one_sentence():
    with pytest.raises(PortInUse, match=r"Port 70000 does not exist\. Choose one up to 65535\."):
        Simulator(port=70_000)


def test_another_program_may_listen_there_afterwards(make_simulator):
    first = make_simulator()
    port = int(first.url.rpartition(":")[2])
    requests.get(first.url + "/control/about", timeout=PATIENCE)
    first.stop()

    with Simulator(port=port) as second:
        assert requests.get(second.url + "/control/about", timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_process_prints_what_to_open_and_ends_when_asked(ending):
    with started("-c", RUN) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = first.rpartition(" ")[2].strip()
        about = requests.get(url + "/control/about", timeout=PATIENCE).json()
        process.send_signal(ending)
        rest = process.stdout.read()

    assert first.startswith("The Daraja simulator is listening on http://127.0.0.1:")
    assert about["default"] == "person"
    assert f"Phone page:     {url}/  (PIN 1234)" in rest
    assert rest.endswith("The simulator has stopped.\n")
    assert process.returncode == 0


def test_the_command_line_says_in_one_sentence_that_its_port_is_taken(simulator):
    port = simulator.url.rpartition(":")[2]

    with started("-m", "daraja_simulator", "--port", port) as process:
        assert process.stdout is not None
        said = process.stdout.read()

    assert said == (
        f"Port {port} on 127.0.0.1 is in use by another program. Choose another with --port.\n"
    )
    assert process.returncode == 1


def test_the_command_line_writes_a_certificate_and_takes_settings(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files = ["--certificate", str(certificate), "--key", str(key)]
    with started("-m", "daraja_simulator", "--port", "0", "--set", "utility=77", *files) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        served = requests.get(url + "/control/certificate", timeout=PATIENCE).text
        books = requests.get(url + "/control/books", timeout=PATIENCE).json()
        process.send_signal(signal.SIGTERM)
        process.stdout.read()

    assert certificate.read_text() == served
    assert served.startswith("-----BEGIN CERTIFICATE-----")
    assert key.exists()
    assert books["accounts"]["600000"]["utility"] == 77
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("wallet=5", {"wallet": 5}),
        ("production=on", {"production": True}),
        ("local-callbacks=no", {"local_callbacks": False}),
        ("decide_after=0.5", {"decide_after": 0.5}),
        ("initiator_roles=b2c, reversal", {"initiator_roles": ("b2c", "reversal")}),
        ("merchant_name=A = B", {"merchant_name": "A = B"}),
    ],
)
def test_a_setting_is_read_by_its_name(given, read):
    assert read_settings([given]) == read


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("walet=5", "There is no setting 'walet'"),
        ("wallet", "There is no setting 'wallet'"),
        ("wallet=much", "wallet must be a number"),
        ("magic=maybe", "magic must be on or off"),
    ],
)
def test_an_invalid_setting_is_refused_with_a_message(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_settings([given])


def test_an_invalid_key_file_is_refused_at_the_start(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("not a key")
    with started("-m", "daraja_simulator", "--port", "0", "--key", str(key)) as process:
        assert process.stdout is not None
        said = process.stdout.read()

    assert process.returncode == 1
    assert "Traceback" not in said
