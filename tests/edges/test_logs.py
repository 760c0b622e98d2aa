"""Log lines: one line each, with the request's id, and nothing private in them."""

import io
import json
import logging
import runpy
import sys

import pytest
from celery.signals import setup_logging
from django.test import Client
from django.utils.module_loading import import_string
from gunicorn.config import Config
from hypothesis import example, given
from hypothesis import strategies as st

from omachemainproj.celery import keep_our_logging
from omachemainproj.logs import (
    JSONFormatter,
    PlainFormatter,
    PrivateFilter,
    mask_private,
    request_id,
)
from omachemainproj.startup_checks import log_start
from tools.deploy_check import PRODUCTION

from .startup import LAPTOP, production, settings_of

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
        ("at /safwebhook/c2b/laptop-only/confirmation/", "at /safwebhook/c2b/***/confirmation/"),
        ("at /safwebhook/Any-Thing_1/x/", "at /safwebhook/***/***/"),
        ("GET /safwebhook%2Fc2b%2Fsecret?x=1", "GET /safwebhook%2Fc2b%2F***?x=1"),
        ("POST /safwebhook/bank/equity/", "POST /safwebhook/bank/equity/"),
        ("at /password/reset/confirm/MQ/c5z-0f/", "at /password/reset/confirm/***"),
        ("at /email/confirm/WzFd:1v:x_y", "at /email/confirm/***"),
        ("/login/?code=123456&next=/a", "/login/?code=***&next=/a"),
        ("/x/?a=1&password=hunter2", "/x/?a=1&password=***"),
        ('{"new_password1": "hunter2"}', '{"new_password1": "***"}'),
        ("the code 482913 was given", "the code *** was given"),
        ("code=mfa_invalid, code: 500001.1", "code=mfa_invalid, code: 500001.1"),
        ("no answer of redis://:hunter2@10.0.0.7:6379", "no answer of redis://***@10.0.0.7:6379"),
        ("refused: amina.k@example.com", "refused: a***@example.com"),
        ("from 00254712345678", "from 00254712***678"),
        ("from 07 12 34 56 78", "from 07 12***6 78"),
        ("from +254 (0)712/345/678", "from +254 (0)712***678"),
        ("from 712345678", "from 712***678"),
        ("took 1.712345678 s from 10.0.171.123", "took 1.712345678 s from 10.0.171.123"),
        ("nothing private", "nothing private"),
    ],
)
def test_private_data_is_masked(message, hidden):
    assert plain(record(message)) == f"[-] {hidden}"


def test_private_data_in_arguments_is_masked_too():
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
def test_a_record_stays_on_one_line(sent, written):
    assert plain(record("search for %s", sent)) == f"[-] search for {written}"


#: What makes a text private, whole and in pieces.
PIECES = [
    *("ws_CO_1912", "eyJh.b.c", "safwebhook/", "safwebhook%2F", "c2b", "0123456789abcdef", "/x/"),
    *("password/reset/confirm/", "email/confirm/", "seller/products/export/", "MQ"),
    *("?code=", "&token=", "&pin=", "PASSWORD: ", "old_password2='", "passkey=", "Secret = "),
    *("Bearer ", "basic ", "dXNlcjpwYXNz", "code: ", "msimbo ni ", "123456", "://u:p@h", "a@b.ke"),
    *("0712345678", "0712 345 678", "712345678", "+254", "(0)7", "12", " ", "-", ".", "z", "="),
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@example("WS_co_191220191020363925")
def test_a_text_of_plain_letters_is_masked_as_any_other(text):
    # One sign that is not ASCII's has every pattern looked for.
    assert mask_private(text) + "\n\né" == mask_private(f"{text}\n\né")


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


def test_private_data_in_extra_fields_is_masked_too():
    line = as_json(record("hello", phone="0712345678", request=object()))

    assert line["phone"] == "0712***678"
    assert "request" not in line


def test_a_line_about_a_request_carries_the_id_its_answer_carries(caplog):
    caplog.handler.addFilter(PrivateFilter())

    response = Client().get("/nothing/here/")

    assert [entry.request_id for entry in caplog.records] == [response["X-Request-ID"]]


@pytest.mark.parametrize("formatter", [PlainFormatter, JSONFormatter])
def test_a_line_says_when_with_milliseconds_and_the_zone(formatter):
    made = record("hello")
    made.created = 1_790_000_000.25
    PrivateFilter().filter(made)

    assert "2026-09-21T14:13:20.250+00:00" in formatter().format(made)


@pytest.fixture
def console(settings):
    """What the handler of the shop's own logs writes, as production configures it."""
    stream = io.StringIO()
    written = logging.StreamHandler(stream)
    wanted = production("LOGGING")
    for name in wanted["handlers"]["console"]["filters"]:
        written.addFilter(import_string(wanted["filters"][name]["()"])())
    written.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(written)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(written)


def test_a_strange_host_is_one_warning_without_a_traceback(console):
    Client().get("/counties/", HTTP_HOST="evil.example")

    (line,) = [each for each in console() if each["logger"].startswith("django.security")]
    assert (line["level"], line["message"], "exc_info" in line) == (
        "WARNING",
        "Invalid HTTP_HOST header: 'evil.example'. You may need to add 'evil.example' to "
        "DJANGO_ALLOWED_HOSTS.",
        False,
    )


def test_a_line_about_a_long_strange_host_is_cut(console):
    Client().get("/counties/", HTTP_HOST="e" * 8000)

    (line,) = [each for each in console() if each["logger"].startswith("django.security")]
    assert len(line["message"]) == 300


def test_a_page_not_found_at_a_callbacks_address_shows_no_token(caplog):
    caplog.handler.addFilter(PrivateFilter())

    Client().get("/safwebhook/c2b/the-secret/nothing/")

    assert [entry.msg for entry in caplog.records] == ["Not Found: /safwebhook/c2b/***/***/"]


def test_a_start_is_logged_with_names_and_kinds_and_no_value(settings, caplog):
    caplog.set_level("INFO")
    settings.PRODUCTION, settings.THROTTLES = True, False
    settings.RELEASE = "v7"
    settings.CELERY_BROKER_URL = "redis://:hunter2@queue:6379/0"
    settings.GIVEN_SETTINGS = ["CELERY_BROKER_URL", "DJANGO_SECRET_KEY"]

    log_start("web")

    (line,) = caplog.messages
    assert line.startswith("web starts: release v7, production, database ")
    assert ", broker redis, " in line
    assert ", THROTTLES off, " in line
    assert line.endswith("; set by somebody: CELERY_BROKER_URL DJANGO_SECRET_KEY")
    assert "hunter2" not in line


def test_what_somebody_set_is_known_by_its_name_and_the_rest_is_not_named():
    assert "DJANGO_SECRET_KEY" in settings_of(PRODUCTION)["GIVEN_SETTINGS"]
    assert settings_of(LAPTOP, HTTPS="off")["GIVEN_SETTINGS"] == ["HTTPS"]


def test_lines_of_gunicorn_itself_pass_the_same_filter(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("METRICS_DIR", str(tmp_path))
    config = Config()
    config.set("accesslog", "-")
    own = runpy.run_path("gunicorn.conf.py")["logger_class"](config)

    own.access_log.info("GET /safwebhook/c2b/the-secret/confirmation/")
    own.error("Error handling request /safwebhook/0123456789abcdef/")

    written = "".join(capsys.readouterr())
    assert written.count("***") == 2
    assert "the-secret" not in written
    assert "0123456789abcdef" not in written
    assert "+00:00 INFO gunicorn.access [-] GET" in written


def test_a_worker_keeps_the_shops_logging():
    assert keep_our_logging in [found() for _, found in setup_logging.receivers]
