"""Whether a push was sent, on real sockets. An error here prompts a buyer twice."""

import gc
import os
import socket
import threading

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daraja_simulator.tests.waiting import PATIENCE, wait_until
from omachemainproj import http_exchange as transport
from payments.daraja.client import MemoryTokenStore, PushAccepted
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown

from .conftest import A_PUSH
from .gateway import (
    ACCEPTED,
    CHECKOUT_ID,
    PUSH,
    answers_and_hangs_up,
    error,
    hangs_up,
    replies,
    resets,
    running_gateway,
    stays_silent,
    stops_half_way,
    trickles,
    writes,
)


@pytest.fixture
def deaf_port():
    """A port that accepts connections but never reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def full_port():
    """A port with a full backlog, so that connecting hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield address[1]
        for each in waiting:
            each.close()


def with_token(make_client, url, **how):
    tokens = MemoryTokenStore()
    tokens.set("token-0", 3000)
    return make_client(url, tokens=tokens, timeout=(0.2, 0.2), **how)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[", "not a url"])
def test_a_gateway_that_cannot_be_reached_is_a_refusal(make_client, url):
    with pytest.raises(DarajaRefused) as refused:
        with_token(make_client, url).stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.UNREACHABLE


def test_a_name_that_does_not_resolve_is_a_refusal(make_client, monkeypatch):
    def no_such_name(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)

    with pytest.raises(DarajaRefused) as refused:
        with_token(make_client, "https://api.example").stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.UNREACHABLE


def test_a_connection_that_never_stands_is_a_refusal(make_client, full_port):
    with pytest.raises(DarajaRefused) as refused:
        with_token(make_client, f"http://127.0.0.1:{full_port}").stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.UNREACHABLE


def test_a_tls_handshake_that_hangs_is_a_refusal(make_client, deaf_port):
    with pytest.raises(DarajaRefused) as refused:
        with_token(make_client, f"https://127.0.0.1:{deaf_port}").stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.UNREACHABLE
    assert isinstance(refused.value.__cause__, requests.ReadTimeout)


def test_a_tls_handshake_that_fails_is_a_refusal(make_client, gateway):
    url = gateway.url.replace("http://", "https://")

    with pytest.raises(DarajaRefused) as refused:
        with_token(make_client, url).stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.UNREACHABLE


def test_a_connection_that_is_never_read_from_is_unknown(make_client, deaf_port):
    with pytest.raises(DarajaUnknown):
        with_token(make_client, f"http://127.0.0.1:{deaf_port}").stk_push(**A_PUSH)


@pytest.mark.parametrize(
    "misfortune", [stays_silent, resets, hangs_up, stops_half_way, writes(b"\0\r\n")]
)
def test_an_answer_that_is_lost_is_unknown_and_the_push_is_sent_once(
    client_for, gateway, misfortune
):
    gateway.on(PUSH, misfortune)

    with pytest.raises(DarajaUnknown) as unknown:
        client_for(misfortune).stk_push(**A_PUSH)

    assert str(unknown.value).startswith(f"no answer from {PUSH} (")
    wait_until(lambda: gateway.heard_on(PUSH))
    assert len(gateway.heard_on(PUSH)) == 1


def test_an_answer_that_trickles_is_not_waited_for(client_for, gateway):
    gateway.on(PUSH, trickles)

    # The total timeout, or, if the machine stalls, that of one read.
    with pytest.raises(DarajaUnknown, match=r"TimeoutError|ReadTimeout"):
        client_for(trickles).stk_push(**A_PUSH)


def test_an_answer_without_end_is_given_up(daraja, gateway):
    gateway.on(PUSH, replies(200, b" " * 5_000_000))

    with pytest.raises(DarajaUnknown, match="ValueError"):
        daraja.stk_push(**A_PUSH)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_passes_nothing_on(daraja, gateway, status):
    gateway.on(PUSH, replies(status, b"", Location=gateway.url + "/elsewhere"))

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.GATEWAY

    assert len(gateway.heard_on(PUSH)) == 1
    assert gateway.heard_on("/elsewhere") == []


def test_one_connection_serves_many_requests_of_a_thread(daraja, gateway):
    for _ in range(3):
        daraja.stk_push(**A_PUSH)

    assert len({heard.peer for heard in gateway.heard}) == 1


def test_a_connection_the_gateway_closed_meanwhile_is_replaced(daraja, gateway):
    gateway.on(PUSH, answers_and_hangs_up, replies(200, ACCEPTED))
    daraja.stk_push(**A_PUSH)
    assert gateway.hung_up.wait(PATIENCE)

    assert daraja.stk_push(**A_PUSH).checkout_request_id == CHECKOUT_ID
    assert len({heard.peer for heard in gateway.heard_on(PUSH)}) == 2


def test_a_connection_that_lay_idle_is_not_trusted_with_a_push(daraja, gateway, monkeypatch):
    daraja.stk_push(**A_PUSH)
    monkeypatch.setattr(transport, "IDLE_SECONDS", -1)

    daraja.stk_push(**A_PUSH)

    assert len({heard.peer for heard in gateway.heard_on(PUSH)}) == 2


def test_each_thread_has_a_connection_of_its_own(daraja, gateway):
    daraja.stk_push(**A_PUSH)
    thread = threading.Thread(target=daraja.stk_push, kwargs=A_PUSH)
    thread.start()
    thread.join()

    assert len({heard.peer for heard in gateway.heard_on(PUSH)}) == 2


def test_a_forked_worker_does_not_use_its_parents_connection(daraja, gateway, monkeypatch):
    daraja.stk_push(**A_PUSH)
    monkeypatch.setattr(os, "getpid", lambda: -1)

    daraja.stk_push(**A_PUSH)

    assert len({heard.peer for heard in gateway.heard_on(PUSH)}) == 2


def test_a_netrc_file_does_not_replace_the_token(daraja, gateway, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    daraja.stk_push(**A_PUSH)

    assert gateway.heard_on(PUSH)[0].headers["Authorization"] == "Bearer token-1"


def test_a_push_is_sent_as_the_one_before_it(daraja, gateway):
    for _ in range(3):
        daraja.stk_push(**A_PUSH)

    said = [
        {name: value for name, value in heard.headers.items() if name != "Cookie"}
        for heard in gateway.heard_on(PUSH)
    ]
    assert said[0] == said[1] == said[2]
    assert said[0]["Content-Type"] == "application/json"
    assert said[0]["Content-Length"] == str(len(gateway.heard_on(PUSH)[0].body))


def test_a_cookie_of_the_gateways_is_sent_back_as_it_is_now(daraja, gateway):
    first, second = (replies(200, ACCEPTED, **{"Set-Cookie": f"at={n}; Path=/"}) for n in (1, 2))
    gateway.on(PUSH, first, second, replies(200, ACCEPTED))

    for _ in range(3):
        daraja.stk_push(**A_PUSH)

    sent = [heard.headers.get("Cookie") for heard in gateway.heard_on(PUSH)]
    assert sent == [None, "at=1", "at=2"]


def test_each_push_has_the_token_of_its_moment(daraja, gateway):
    is_over = error(401, "401.002.01", "Invalid Access Token")
    gateway.on(PUSH, replies(200, ACCEPTED), is_over, replies(200, ACCEPTED))

    for _ in range(2):
        daraja.stk_push(**A_PUSH)

    sent = [heard.headers["Authorization"] for heard in gateway.heard_on(PUSH)]
    assert sent == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_given_session_is_used(gateway, make_client):
    session = requests.Session()
    session.headers["X-Shop"] = "o-mache"

    make_client(gateway.url, session=session).stk_push(**A_PUSH)

    assert gateway.heard_on(PUSH)[0].headers["X-Shop"] == "o-mache"


# urllib3 leaves the socket of a response with contradictory headers to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    raw=st.one_of(
        st.binary(max_size=60),
        st.builds(
            "HTTP/1.1 {} {}\r\n{}\r\n\r\n{}".format,
            st.sampled_from(["200", "401", "99", "abc", "204", "304", "-1"]),
            st.text(max_size=5),
            st.sampled_from(
                [
                    "Content-Length: x",
                    "Content-Length: -5",
                    "Content-Length: 1, 2",
                    "Transfer-Encoding: chunked",
                    "Content-Encoding: gzip",
                    "Location: http://[",
                    "Set-Cookie: a=\xff; expires=never; domain=[",
                    ": nothing",
                    "",
                ]
            ),
            st.sampled_from(["", "{}", "5\r\nabc", "zz\r\n", '{"ResponseCode": 1}', "\x1f\x8b"]),
        ).map(lambda text: text.encode("utf-8", "replace")),
    )
)
def test_any_response_is_accepted_refused_or_unknown(shared_gateway, make_client, raw):
    shared_gateway.on(PUSH, writes(raw))

    try:
        ended = with_token(make_client, shared_gateway.url).stk_push(**A_PUSH)
    except (DarajaRefused, DarajaUnknown) as error:
        ended = error

    assert isinstance(ended, PushAccepted | DarajaRefused | DarajaUnknown)


@pytest.fixture
def shared_gateway():
    """One gateway for all examples; garbage is collected before other tests run."""
    with running_gateway() as gateway:
        yield gateway
    gc.collect()
