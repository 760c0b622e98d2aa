"""Fuzzing: any response to an initiator's request means accepted, refused or unknown."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omachemainproj.strict_json import NotStrictJson, read_json
from payments.daraja.client import Conversation, MemoryTokenStore, StatementPage
from payments.daraja.errors import DarajaRefused, DarajaUnknown

from .conftest import A_PAYOUT, A_REVERSAL
from .gateway import PAY, PULL, REVERSE, replies, running_gateway
from .test_callback_fuzz import anything, ids, odd
from .test_statement import A_ROW, FROM, TO

over_the_wire = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

statuses = st.sampled_from([200, 200, 201, 302, 400, 401, 404, 409, 429, 500, 503])
codes = st.sampled_from(
    ["400.002.02", "401.002.01", "500.003.02", "500.002.1001", "500.001.1001", "404.001.03"]
)
words = st.sampled_from(["Spike Arrest Violation", "Duplicate OriginatorConversationID.", "Busy"])
answers = st.fixed_dictionaries(
    {},
    optional={
        "ResponseCode": st.sampled_from(["0", 0, "1", "15", "17", "1000", "1001"]) | odd,
        "ConversationID": ids | odd,
        "OriginatorConversationID": ids | odd,
        "errorCode": codes | odd,
        "errorMessage": words | odd,
        "Response": odd | st.lists(odd | st.lists(odd | st.just(A_ROW), max_size=3), max_size=3),
    },
)


@pytest.fixture(scope="module")
def gateway():
    with running_gateway() as gateway:
        yield gateway


def with_token(make_client, gateway):
    tokens = MemoryTokenStore()
    tokens.set("token-0", 3000)
    return make_client(gateway.url, tokens=tokens)


def is_readable(answer):
    """Whether the response is an object that a strict parser accepts: no NaN, no NUL."""
    try:
        return isinstance(read_json(json.dumps(answer).encode()), dict)
    except NotStrictJson:
        return False


@pytest.mark.long
@over_the_wire
@given(status=statuses, answer=answers | anything)
def test_money_that_may_have_moved_is_never_refused(make_client, gateway, status, answer):
    for path in (PAY, REVERSE):
        gateway.on(path, replies(status, json.dumps(answer).encode()))
    client = with_token(make_client, gateway)

    for ask in (lambda: client.b2c_payment(**A_PAYOUT), lambda: client.reversal(**A_REVERSAL)):
        try:
            ended = ask()
        except (DarajaRefused, DarajaUnknown) as error:
            ended = error
        if isinstance(ended, Conversation):
            assert status == 200
            assert answer["ResponseCode"] in (0, "0")
            assert not answer.get("errorCode")
        if isinstance(ended, DarajaRefused) and is_readable(answer):
            assert not answer.get("ConversationID")
            assert str(answer.get("ResponseCode")) != "0"


@over_the_wire
@given(status=statuses, answer=answers | anything)
def test_a_statement_is_a_page_or_an_error(make_client, gateway, status, answer):
    gateway.on(PULL, replies(status, json.dumps(answer).encode()))

    try:
        page = with_token(make_client, gateway).pull_transactions(start=FROM, end=TO)
    except (DarajaRefused, DarajaUnknown):
        return
    assert isinstance(page, StatementPage)
    rows = answer.get("Response") or []
    assert page.size == sum(len(part) if isinstance(part, list) else 1 for part in rows)
