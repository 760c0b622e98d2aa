"""The access log: one line per request, without client-chosen text."""

import json
import logging

import pytest
from django.db import connection, connections

from omachemainproj.access_log import JSONLine, logger
from tests.conftest import signed_in
from tests.edges.startup import LAPTOP, settings_of
from tests.factories import UserFactory
from tools.deploy_check import PRODUCTION

pytestmark = pytest.mark.django_db


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.setFormatter(JSONLine())
        self.lines = []

    def emit(self, record):
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines(settings):
    settings.ACCESS_LOG = True
    handler = Lines()
    # Before the laptop's own, whose filter writes the message into the record.
    logger.handlers.insert(0, handler)
    yield handler.lines
    logger.removeHandler(handler)


def test_a_line_says_method_route_status_time_statements_and_the_requests_id(client, lines):
    answer = client.get("/readyz/")

    [line] = lines
    assert line.pop("ms") >= 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "omache.access",
        "request_id": answer["X-Request-ID"],
        "method": "GET",
        "route": "/readyz/",
        "status": 200,
        "statements": 1,
    }


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/safwebhook/0123456789abcdef0123456789abcdef/", "/safwebhook/<token>/"),
        ("/safwebhook/c2b/the-secret/confirmation/", "/safwebhook/c2b/<token>/confirmation/"),
        ("/seller/products/export/the-secret/", "/seller/products/export/<token>/"),
        ("/product/17/", "/product/<product_id>/"),
        ("/product/17/pictures/3/", "/product/<product_id>/pictures/<picture_id>/"),
        ("/product/kitchen/?search=the-secret", "/product/<category>/"),
        ("/the-secret/of/nobody/", "(none)"),
        ("/static/the-secret.css", "/static/"),
        ("/%FF%FEthe-secret/", "(none)"),
    ],
)
def test_the_access_log_contains_no_path(client, lines, path, route):
    client.get(path)

    assert [line["route"] for line in lines] == [route]
    assert "the-secret" not in json.dumps(lines)
    assert "0123456789" not in json.dumps(lines)


def test_a_method_nobody_knows_is_not_repeated(client, lines):
    client.generic('X"}\n{"forged": 1', "/livez/")

    assert [line["method"] for line in lines] == ["OTHER"]


def test_statements_are_those_of_this_very_request(lines):
    person = signed_in(UserFactory())
    for _ in range(2):
        person.get("/user/")

    first, second = lines
    assert first["statements"] == second["statements"] > 0


def test_a_request_that_breaks_has_a_line_too(client, lines, monkeypatch):
    def broken(request):
        raise RuntimeError("a bug")

    client.raise_request_exception = False
    monkeypatch.setattr("omachemainproj.health.connection", None)
    monkeypatch.setattr("omachemainproj.health.JsonResponse", broken)
    client.get("/livez/")

    assert [(line["route"], line["status"]) for line in lines] == [("/livez/", 500)]


def test_a_failing_access_log_does_not_break_the_response(client, settings, monkeypatch, caplog):
    def full(*args):
        raise OSError("No space left on device")

    settings.ACCESS_LOG = True
    monkeypatch.setattr(logger, "info", full)

    assert client.get("/livez/").status_code == 200
    assert "a request could not be logged" in caplog.messages


def test_the_access_log_is_on_in_production_and_off_on_a_laptop():
    assert settings_of(PRODUCTION)["ACCESS_LOG"] is True
    assert settings_of(LAPTOP)["ACCESS_LOG"] is False
    loggers = settings_of(PRODUCTION)["LOGGING"]["loggers"]
    assert loggers["omache.access"] == {
        "handlers": ["access"],
        "propagate": False,
        "level": "INFO",
    }


def test_a_refusal_is_one_line_of_the_log_in_production():
    assert settings_of(PRODUCTION)["LOGGING"]["loggers"]["django.request"] == {"level": "ERROR"}
    assert settings_of(LAPTOP)["LOGGING"]["loggers"]["django.request"] == {"level": "WARNING"}


def test_who_watches_a_connection_for_a_while_takes_nothing_away_but_their_own(client, monkeypatch):
    def watch(execute, *asked):
        return execute(*asked)

    monkeypatch.setattr(connections["default"], "execute_wrappers", [])

    for _ in range(2):
        with connection.execute_wrapper(watch):
            client.get("/readyz/")

    (left,) = connection.execute_wrappers
    assert left is not watch
