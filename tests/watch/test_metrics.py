"""``/metrics/``: access and content."""

import re
import time

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from kombu import Connection

from omachemainproj.background import task_broker
from omachemainproj.celery import app
from omachemainproj.heartbeats import beat
from payments.gateway import daraja
from payments.models import GatewayEvent
from tests.edges.startup import problems_of
from tools.deploy_check import PRODUCTION

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-many-letters"


def read(client, **how):
    answer = client.get("/metrics/", **how)
    assert answer.status_code == 200
    return answer.content.decode()


def value_of(text, sample):
    """The value of a sample, by its name and labels as they are written."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def bearing(token):
    return {"headers": {"Authorization": f"Bearer {token}"}, "REMOTE_ADDR": "203.0.113.9"}


def test_metrics_can_be_read_from_this_machine(client):
    assert client.get("/metrics/", REMOTE_ADDR="127.0.0.1").status_code == 200
    assert client.get("/metrics/", REMOTE_ADDR="::1").status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"]
)
@pytest.mark.parametrize("says", ["127.0.0.1", "203.0.113.9"])
def test_what_a_proxy_on_this_machine_passes_on_is_not_this_machines(client, header, says):
    answer = client.get("/metrics/", REMOTE_ADDR="127.0.0.1", headers={header: says})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("proxies", [0, 1])
def test_who_says_that_they_are_this_machine_is_not(client, settings, proxies):
    settings.TRUSTED_PROXIES = proxies
    forged = {"X-Forwarded-For": "127.0.0.1"}

    assert client.get("/metrics/", REMOTE_ADDR="203.0.113.9", headers=forged).status_code == 404


def test_who_brings_the_token_may_read_it_from_anywhere(client, settings):
    settings.METRICS_TOKEN = TOKEN

    assert client.get("/metrics/", **bearing(TOKEN)).status_code == 200


@pytest.mark.parametrize("token", ["", "a-token", TOKEN + "x", "ünïcode"])
def test_another_token_finds_no_such_page(client, settings, token):
    settings.METRICS_TOKEN = TOKEN

    assert client.get("/metrics/", **bearing(token)).status_code == 404


def test_without_a_token_in_the_settings_no_token_is_one(client, settings):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics/", **bearing("")).status_code == 404


def test_prometheus_asks_by_any_host_and_over_plain_http(client, settings):
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True

    assert client.get("/metrics/", headers={"Host": "10.0.0.7:8000"}).status_code == 200


def test_a_refused_request_makes_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/metrics/", REMOTE_ADDR="203.0.113.9")


@pytest.mark.parametrize("token", ["short", "with a space in it, and long"])
def test_a_token_that_can_be_guessed_stops_the_start(token):
    assert problems_of(PRODUCTION, METRICS_TOKEN=token) == [
        "METRICS_TOKEN must be 16 to 200 letters, digits and symbols, hard to guess."
    ]


def test_requests_are_counted_by_route_and_never_by_path(client):
    sample = 'omache_requests_total{method="GET",route="/cashout/<order_token>/",status="4xx"}'
    before = value_of(read(client), sample) or 0
    client.get("/cashout/0e6d2b3c-7a41-4f6d-9f0b-2b9c3d4e5f60/")

    text = read(client)

    assert value_of(text, sample) == before + 1
    assert "0e6d2b3c" not in text


def test_what_no_route_answers_is_one_line_whatever_was_asked(client):
    sample = 'omache_requests_total{method="OTHER",route="(none)",status="4xx"}'
    before = value_of(read(client), sample) or 0
    for method, path in (("PROPFIND", "/no/such/page/"), ("BREW", "/pot/1/x/")):
        client.generic(method, path)

    text = read(client)

    assert value_of(text, sample) == before + 2
    assert "/pot" not in text


def test_statements_are_counted_with_their_requests(client):
    sample = 'omache_request_statements_total{method="GET",route="/readyz/"}'
    before = value_of(read(client), sample) or 0
    client.get("/readyz/")

    assert value_of(read(client), sample) == before + 1


def test_calls_to_mpesa_are_counted_by_what_they_were_and_how_they_ended(client):
    sample = 'omache_gateway_call_seconds_count{call="token",outcome="unreachable"}'
    before = value_of(read(client), sample) or 0
    # Nothing listens at the address of the tests.
    daraja().stk_query(checkout_request_id="ws_CO_1")

    # Asked again once, as a token is.
    assert value_of(read(client), sample) == before + 2


def test_pending_work_is_read_from_the_database(client):
    GatewayEvent.objects.create(body=b"{}", sha256="0" * 64)
    beat("clock")

    text = read(client)

    assert value_of(text, "omache_gateway_messages_waiting") == 1
    assert value_of(text, 'omache_heartbeat_age_seconds{process="clock"}') < 5
    assert value_of(text, 'omache_console_rows{needs="person",queue="stops"}') == 0
    assert value_of(text, "omache_database_up") == 1


def test_every_group_of_gauges_can_be_read(client):
    assert 'omache_scrape_failed{group="prompts"} 0.0' in read(client)
    assert not re.search(r"omache_scrape_failed\{.*\} 1", read(client))


def test_a_group_that_fails_is_named_and_the_others_are_there(client, monkeypatch):
    def broken(now):
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setitem(
        __import__("payments.watch.gauges", fromlist=["GROUPS"]).GROUPS, "console", broken
    )

    text = read(client)

    assert value_of(text, 'omache_scrape_failed{group="console"}') == 1
    assert value_of(text, 'omache_scrape_failed{group="messages"}') == 0
    assert value_of(text, "omache_gateway_messages_waiting") == 0


def test_without_a_database_the_counters_are_still_there(client, monkeypatch):
    def gone(self, sql, params=None):
        raise OperationalError("connection refused")

    monkeypatch.setattr(CursorWrapper, "execute", gone)

    text = read(client)

    assert value_of(text, "omache_database_up") == 0
    assert "omache_requests_total{" in text


def test_an_alert_address_that_is_none_stops_the_start():
    said = ["ALERT_EMAIL must be one e-mail address, such as ops@example.co.ke."]

    for wrong in ("ops", "ops@", "a@example.co.ke, b@example.co.ke", "Ops <a@example.co.ke>"):
        assert problems_of(PRODUCTION, ALERT_EMAIL=wrong) == said
    assert problems_of(PRODUCTION, ALERT_EMAIL="ops@example.co.ke") == []


def test_the_brokers_queue_is_told_of_also_while_it_is_empty(client, settings, monkeypatch):
    settings.CELERY_BROKER_URL = "memory://"
    monkeypatch.setattr(app, "connection_for_read", lambda: Connection("memory://"))

    assert value_of(read(client), "omache_broker_tasks") == 0


def test_a_broker_that_is_gone_is_named_and_nobody_does_without_it_for_that(
    client, settings, monkeypatch
):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    gone = Connection("redis://127.0.0.1:9/0", transport_options={"socket_connect_timeout": 0.5})
    monkeypatch.setattr(app, "connection_for_read", lambda: gone)

    assert value_of(read(client), 'omache_scrape_failed{group="broker"}') == 1
    assert not task_broker.is_open


def test_a_broker_that_is_left_alone_for_a_while_is_named_all_the_while(
    client, settings, monkeypatch, caplog
):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    monkeypatch.setattr(task_broker, "_until", time.monotonic() + 10)

    assert value_of(read(client), 'omache_scrape_failed{group="broker"}') == 1
    assert caplog.records == []
