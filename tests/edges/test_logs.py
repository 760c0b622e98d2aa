"""Log lines: one line each, with the request's id, and nothing private in them."""

import json
import logging
import sys

import pytest
from django.test import Client

from omachemainproj.logs import JSONFormatter, PrivateFilter, request_id

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMSJ9.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _no_request():
    """No request is being answered, whatever ran before in this thread."""
    token = request_id.set("-")
    yield
    request_id.reset(token)


def record(message, *args, **extra):
    made = logging.LogRecord("shop", logging.INFO, "shop.py", 1, message, args, None)
    made.__dict__.update(extra)
    return made


def plain(made):
    PrivateFilter().filter(made)
    return logging.Formatter("[%(request_id)s] %(message)s").format(made)


def as_json(made):
    PrivateFilter().filter(made)
    return json.loads(JSONFormatter().format(made))


@pytest.mark.parametrize(
    ("message", "hidden"),
    [
        ("paid by 254712345678", "paid by 254712***678"),
        ("POST /safwebhook/0123456789abcdef0123456789abcdef/", "POST /safwebhook/***/"),
        ("POST /safwebhook/equity/0123456789abcdef/", "POST /safwebhook/equity/***/"),
        ("asked for ws_CO_191220191020363925", "asked for ws_CO_***"),
        (f"Bearer {JWT} came", "Bearer *** came"),
        ("nothing private", "nothing private"),
    ],
)
def test_what_is_private_is_hidden(message, hidden):
    assert plain(record(message)) == f"[-] {hidden}"


def test_it_is_hidden_in_arguments_too():
    assert plain(record("paid by %s", "0712345678")) == "[-] paid by 0712***678"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("a\r\nINFO forged", r"a\r\nINFO forged"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\x00b", r"a\x00b"),
        ("a\u2028b", r"a\u2028b"),
        ("Wanjikũ 🙂", "Wanjikũ 🙂"),
    ],
)
def test_one_line_stays_one_line(sent, written):
    assert plain(record("search for %s", sent)) == f"[-] search for {written}"


def failed(text):
    try:
        raise ValueError(text)
    except ValueError:
        made = record("it broke")
        made.exc_info = sys.exc_info()
        return made


@pytest.mark.parametrize("write", [plain, lambda made: as_json(made)["exc_info"]])
def test_a_traceback_is_kept_and_hides_what_is_private(write):
    text = write(failed(f"no receipt for 254712345678 {JWT}"))

    assert "Traceback (most recent call last)" in text
    assert "no receipt for 254712***678 ***" in text
    assert "254712345678" not in text


def test_a_wrong_log_call_breaks_nothing():
    assert plain(record("%d phones", "many")) == "[-] %d phones ('many',)"


def test_json_has_a_member_for_each_thing_asked_for():
    token = request_id.set("abc123")
    try:
        line = as_json(record("hello", status_code=200))
    finally:
        request_id.reset(token)

    assert line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "shop",
        "request_id": "abc123",
        "message": "hello",
        "status_code": 200,
    }


def test_what_is_hung_on_a_record_is_hidden_too():
    line = as_json(record("hello", phone="0712345678", request=object()))

    assert line["phone"] == "0712***678"
    assert "request" not in line


def test_a_line_about_a_request_carries_the_id_its_answer_carries(caplog):
    caplog.handler.addFilter(PrivateFilter())

    response = Client().get("/nothing/here/")

    assert [entry.request_id for entry in caplog.records] == [response["X-Request-ID"]]
