"""The shared access token: fetched once, renewed in time, replaced once."""

import base64
import contextlib
import threading
import time
from datetime import UTC, datetime

import pytest

from daraja_simulator.tests.waiting import PATIENCE, wait_until
from payments.daraja.client import MemoryTokenStore
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown

from .conftest import A_PAYOUT, A_PUSH, A_REVERSAL, SAID_LATER, an_account, patience_for
from .gateway import (
    ACCEPTED,
    BALANCE,
    CHECKOUT_ID,
    OAUTH,
    OPENED,
    PAID,
    PAY,
    PULL,
    PUSH,
    QUERY,
    REVERSE,
    STATUS,
    error,
    gives_token,
    hangs_up,
    replies,
    resets,
    stays_silent,
)


class RecordingStore(MemoryTokenStore):
    def __init__(self):
        super().__init__()
        self.kept = []

    def set(self, token, seconds):
        self.kept.append((token, seconds))
        super().set(token, seconds)


class CrowdedStore(MemoryTokenStore):
    """A store that records every attempt to fetch a token."""

    def __init__(self):
        super().__init__()
        self.came = []

    def refreshing(self):
        self.came.append(threading.get_ident())
        return super().refreshing()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def at_once(number, call):
    """Run the call in threads that start together. Returns each result or exception."""
    barrier = threading.Barrier(number, timeout=PATIENCE)
    results = []

    def run():
        barrier.wait()
        try:
            results.append(call())
        except Exception as raised:
            results.append(raised)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_the_token_is_asked_for_with_key_and_secret(daraja, gateway):
    daraja.stk_push(**A_PUSH)

    (heard,) = gateway.heard_on(OAUTH)
    basic = base64.b64encode(b"the-key:the-secret").decode()
    assert heard.method == "GET"
    assert heard.path == OAUTH + "?grant_type=client_credentials"
    assert heard.headers["Authorization"] == f"Basic {basic}"


def test_a_key_beyond_latin_1_is_still_sent(gateway, make_client):
    account = an_account(gateway.url, consumer_key="ufunguo-🔑")

    make_client(gateway.url, account=account).stk_push(**A_PUSH)

    basic = base64.b64encode("ufunguo-🔑:the-secret".encode()).decode()
    assert gateway.heard_on(OAUTH)[0].headers["Authorization"] == f"Basic {basic}"


def test_two_pushes_share_a_token(daraja, gateway):
    daraja.stk_push(**A_PUSH)
    daraja.stk_push(**A_PUSH)

    assert gateway.tokens_given == 1


def test_two_clients_share_a_token_through_the_store(gateway, make_client):
    make_client(gateway.url).stk_push(**A_PUSH)
    make_client(gateway.url).stk_push(**A_PUSH)

    assert gateway.tokens_given == 1


@pytest.mark.parametrize(
    ("expires_in", "kept"),
    [
        ("3599", [("t", 3539)]),
        (3599, [("t", 3539)]),
        (3599.0, [("t", 3539)]),
        ("121", [("t", 61)]),
        (10**9, [("t", 3540)]),
        # Always kept for a while: a token fetched per call would invalidate the others.
        ("61", [("t", 31)]),
        ("60", [("t", 30)]),
        ("1", [("t", 1)]),
        ("0", [("t", 60)]),
        (-5, [("t", 60)]),
        ("soon", [("t", 60)]),
        (True, [("t", 60)]),
        (None, [("t", 60)]),
        ("NaN", [("t", 60)]),
        ("Infinity", [("t", 60)]),
    ],
)
def test_a_token_is_kept_until_a_minute_before_its_end(gateway, make_client, expires_in, kept):
    gateway.on(OAUTH, replies(200, {"access_token": "t", "expires_in": expires_in}))
    tokens = RecordingStore()

    make_client(gateway.url, tokens=tokens).stk_push(**A_PUSH)

    assert tokens.kept == kept
    assert gateway.heard_on(PUSH)[0].headers["Authorization"] == "Bearer t"


def test_many_threads_fetch_one_token(daraja, gateway):
    def slowly(handler):
        time.sleep(0.1)
        gives_token(handler)

    gateway.on(OAUTH, slowly)

    results = at_once(12, lambda: daraja.stk_push(**A_PUSH))

    assert [accepted.checkout_request_id for accepted in results] == [CHECKOUT_ID] * 12
    assert gateway.tokens_given == 1


def test_many_threads_with_an_old_token_fetch_one_new_one(daraja, gateway, tokens):
    tokens.set("token-0", 3000)
    together = threading.Barrier(8, timeout=PATIENCE)

    def only_the_new_one(handler):
        if handler.headers["Authorization"] == "Bearer token-1":
            return replies(200, ACCEPTED)(handler)
        together.wait()
        return error(404, "404.001.03", "Invalid Access Token")(handler)

    gateway.on(PUSH, only_the_new_one)

    results = at_once(8, lambda: daraja.stk_push(**A_PUSH))

    assert [accepted.checkout_request_id for accepted in results] == [CHECKOUT_ID] * 8
    assert gateway.tokens_given == 1


def test_threads_that_waited_for_a_failed_fetch_share_its_outcome(gateway, make_client):
    store = CrowdedStore()

    def refuse_when_everybody_waits(handler):
        wait_until(lambda: len(store.came) == 6)
        error(400, "400.008.01", "Invalid Authentication passed")(handler)

    gateway.on(OAUTH, refuse_when_everybody_waits)
    daraja = make_client(gateway.url, tokens=store)

    results = at_once(6, lambda: daraja.stk_push(**A_PUSH))

    assert {(type(each), each.kind, each.code) for each in results} == {
        (DarajaRefused, DarajaRefusal.CONFIGURATION, "400.008.01")
    }
    assert len(gateway.heard_on(OAUTH)) == 1


def test_a_fetch_that_failed_before_is_tried_again(daraja, gateway):
    gateway.on(OAUTH, replies(400, b""), gives_token)
    with pytest.raises(DarajaRefused):
        daraja.stk_push(**A_PUSH)

    assert daraja.stk_push(**A_PUSH).checkout_request_id == CHECKOUT_ID


@pytest.mark.parametrize(
    "turned_down",
    [
        error(404, "404.001.03", "Invalid Access Token"),
        error(400, "400.003.01", "Invalid Access Token"),
        error(401, "401.002.01", "Error Occurred - Invalid Access Token"),
        error(200, "404.001.03", "Invalid Access Token"),
        replies(401, b""),
        replies(401, {"fault": {"faultstring": "Invalid access token", "detail": {}}}),
    ],
)
def test_a_token_that_is_turned_down_is_replaced_and_the_push_sent_again(
    daraja, gateway, tokens, turned_down
):
    tokens.set("token-0", 3000)
    gateway.on(PUSH, turned_down, replies(200, ACCEPTED))

    assert daraja.stk_push(**A_PUSH).checkout_request_id == CHECKOUT_ID
    first, second = gateway.heard_on(PUSH)
    assert first.headers["Authorization"] == "Bearer token-0"
    assert second.headers["Authorization"] == "Bearer token-1"
    assert first.body == second.body


@pytest.mark.parametrize(
    "turned_down",
    [
        error(404, "404.001.03", "Invalid Access Token"),
        replies(401, {"fault": {"faultstring": "Invalid access token", "detail": {}}}),
    ],
)
def test_a_push_whose_new_tokens_are_turned_down_too_goes_again_so_often_and_no_more(
    daraja, gateway, turned_down
):
    gateway.on(PUSH, turned_down)

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.TOKEN
    assert refused.value.is_over_later
    assert len(gateway.heard_on(PUSH)) == 4
    assert gateway.tokens_given == 4


RECEIPT = "TAV1DE2FGH"
CALLS = {
    "push": (PUSH, lambda daraja: daraja.stk_push(**A_PUSH)),
    "payout": (PAY, lambda daraja: daraja.b2c_payment(**A_PAYOUT)),
    "reversal": (REVERSE, lambda daraja: daraja.reversal(**A_REVERSAL)),
    "status": (STATUS, lambda daraja: daraja.transaction_status(receipt=RECEIPT, **SAID_LATER)),
    "balance": (BALANCE, lambda daraja: daraja.account_balance(**SAID_LATER)),
    "query": (QUERY, lambda daraja: daraja.stk_query(checkout_request_id=CHECKOUT_ID)),
    "pull": (
        PULL,
        lambda daraja: daraja.pull_transactions(
            start=datetime(2025, 1, 30, tzinfo=UTC), end=datetime(2025, 1, 31, tzinfo=UTC)
        ),
    ),
}
GOOD = {PUSH: ACCEPTED, QUERY: PAID, PULL: {"ResponseCode": "1001", "Response": [[]]}}


@pytest.mark.parametrize(
    "turned_down",
    [
        error(404, "404.001.03", "Invalid Access Token"),
        error(400, "400.003.01", "Invalid Access Token"),
        error(401, "401.002.01", "Error Occurred - Invalid Access Token"),
    ],
)
@pytest.mark.parametrize("call", CALLS)
def test_any_call_goes_again_until_it_has_a_token_that_is_taken(
    daraja, gateway, tokens, call, turned_down
):
    """Another client of the key invalidated the token twice; nothing was processed meanwhile."""
    tokens.set("token-0", 3000)
    path, send = CALLS[call]
    gateway.on(path, turned_down, turned_down, replies(200, GOOD.get(path, OPENED)))

    send(daraja)

    sent = [heard.headers["Authorization"] for heard in gateway.heard_on(path)]
    assert sent == ["Bearer token-0", "Bearer token-1", "Bearer token-2"]


def test_a_resend_that_is_lost_is_unknown(daraja, gateway):
    gateway.on(PUSH, error(404, "404.001.03", "Invalid Access Token"), hangs_up)

    with pytest.raises(DarajaUnknown):
        daraja.stk_push(**A_PUSH)

    assert len(gateway.heard_on(PUSH)) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "asked"),
    [
        (error(400, "400.008.01", "Invalid Authentication passed"), "configuration", 1),
        (error(400, "400.008.02", "Invalid grant type passed"), "configuration", 1),
        (replies(400, b""), "configuration", 1),
        (replies(401, b""), "configuration", 1),
        (replies(401, {"fault": {"faultstring": "Invalid ApiKey"}}), "configuration", 1),
        (replies(404, b"<html>Not here</html>"), "gateway", 1),
        (replies(302, b"", Location="/login"), "gateway", 1),
        (replies(200, b"<html>Sign in to this network</html>"), "gateway", 1),
        (replies(200, {"access_token": "", "expires_in": "3599"}), "gateway", 1),
        (replies(200, {"access_token": "a b\r\nX: y", "expires_in": "3599"}), "gateway", 1),
        (replies(200, {"access_token": 7, "expires_in": "3599"}), "gateway", 1),
        (replies(429, b""), "busy_gateway", 2),
        (error(500, "500.003.02", "Spike Arrest Violation"), "busy_gateway", 2),
        (error(200, "500.003.03", "Quota Violation"), "busy_gateway", 2),
        (replies(503, b""), "busy_gateway", 2),
        (resets, "unreachable", 2),
        (stays_silent, "unreachable", 1),
    ],
)
def test_without_a_token_the_push_is_refused_and_never_sent(
    gateway, make_client, answer, kind, asked
):
    gateway.on(OAUTH, answer)
    daraja = make_client(gateway.url, timeout=patience_for(answer))

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert refused.value.kind == kind
    wait_until(lambda: len(gateway.heard_on(OAUTH)) >= asked)
    assert len(gateway.heard_on(OAUTH)) == asked
    assert gateway.heard_on(PUSH) == []


@pytest.mark.parametrize("stumble", [resets, error(500, "500.003.02", "Spike Arrest Violation")])
def test_a_stumble_over_the_token_is_tried_once_more(daraja, gateway, stumble):
    gateway.on(OAUTH, stumble, gives_token)

    assert daraja.stk_push(**A_PUSH).checkout_request_id == CHECKOUT_ID


def test_a_second_try_at_a_token_that_gets_no_answer_is_a_refusal(daraja, gateway):
    gateway.on(OAUTH, replies(503, b""), hangs_up)

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.UNREACHABLE


class BrokenStore(MemoryTokenStore):
    """A store whose server becomes unreachable at a given operation."""

    def __init__(self, *broken):
        super().__init__()
        self.broken = broken

    def get(self):
        self._fail("get")
        return super().get()

    def set(self, token, seconds):
        self._fail("set")
        super().set(token, seconds)

    def forget(self, token):
        self._fail("forget")
        super().forget(token)

    @contextlib.contextmanager
    def refreshing(self):
        self._fail("refreshing")
        with super().refreshing():
            yield

    def _fail(self, operation):
        if operation in self.broken:
            raise OSError("redis://:the-password@cache is gone")


@pytest.mark.parametrize("operation", ["get", "set", "forget", "refreshing"])
def test_a_store_that_fails_is_a_refusal_that_gives_nothing_away(gateway, make_client, operation):
    gateway.on(PUSH, error(404, "404.001.03", "Invalid Access Token"))

    with pytest.raises(DarajaRefused) as refused:
        make_client(gateway.url, tokens=BrokenStore(operation)).stk_push(**A_PUSH)

    assert str(refused.value) == "no token could be fetched (OSError)"


def test_the_memory_store_gives_a_token_until_its_time_is_over():
    clock = Clock()
    store = MemoryTokenStore(clock=clock)
    assert store.get() is None

    store.set("a", 10)
    clock.now += 9.9
    assert store.get() == "a"
    clock.now += 0.1
    assert store.get() is None


def test_the_memory_store_forgets_only_the_token_it_was_told_to():
    store = MemoryTokenStore()
    store.set("b", 10)

    store.forget("a")
    assert store.get() == "b"

    store.forget("b")
    assert store.get() is None
