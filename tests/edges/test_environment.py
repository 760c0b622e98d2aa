"""Settings are read raw, trimmed and checked; what cannot be read stops the start."""

import os

import pytest

from omachemainproj.env_file import read_env_file
from omachemainproj.environment import Environment
from omachemainproj.settings.base import BASE_DIR
from omachemainproj.settings.monitoring import read_release
from tools.deploy_check import PRODUCTION

from .startup import LAPTOP, problems_of, production, settings_of

KEY = "$k3y-$(is)_&raw#" + "abcdefghijklmnopqrstuvwxyz0123456789"
SET_BUT_EMPTY = "{} is set but empty: give it a value, or remove it."


@pytest.mark.parametrize("key", [KEY, f"  {KEY}\n", f"\t{KEY}\r\n", f"\u00a0{KEY}"])
def test_a_key_is_read_raw_and_trimmed(key):
    assert production("SECRET_KEY", DJANGO_SECRET_KEY=key) == KEY
    assert production("DEBUG", DJANGO_SECRET_KEY=key) is False


@pytest.mark.parametrize("name", ["k3y", "k3y-$(is)_&raw#abcdefghijklmnopqrstuvwxyz0123456789"])
def test_a_dollar_names_no_other_variable(name):
    assert production("SECRET_KEY", DJANGO_SECRET_KEY=KEY, **{name: "x" * 60}) == KEY


@pytest.mark.parametrize(
    "name",
    [
        "DARAJA_CONSUMER_KEY", "DARAJA_CONSUMER_SECRET", "DARAJA_PASSKEY", "EQUITY_ACCOUNT",
        "EQUITY_IPN_USERNAME", "AFRICASTALKING_USERNAME", "MEDIA_ROOT", "STATIC_ROOT",
    ],
)  # fmt: skip
def test_every_text_is_read_raw(name):
    read = str(production(name, **{name: " $HOME\n", "HOME": "/root"}))

    # A relative folder is one beside the program.
    assert read.removeprefix(f"{BASE_DIR}/") == "$HOME"


@pytest.mark.parametrize("base", [LAPTOP, PRODUCTION], ids=["laptop", "production"])
@pytest.mark.parametrize("key", ["", " ", "\n", "\t \r\n", "\u00a0"])
def test_a_key_that_comes_to_nothing_is_no_laptop(base, key):
    assert problems_of(base, DJANGO_SECRET_KEY=key) == [SET_BUT_EMPTY.format("DJANGO_SECRET_KEY")]


@pytest.mark.parametrize(
    "changes",
    [
        {"DJANGO_ALLOWED_HOSTS": "api.omache.co.ke"},
        {"DJANGO_ALLOWED_HOSTS": "192.168.1.20"},
        {"DJANGO_ALLOWED_HOSTS": "127.0.0.1,*"},
        {"CORS_ALLOWED_ORIGINS": "https://shop.omache.co.ke"},
        {"CSRF_TRUSTED_ORIGINS": "https://*.omache.co.ke"},
        {"FRONTEND_URL": "https://shop.omache.co.ke"},
        {"TRUSTED_PROXIES": "1"},
        {"HTTPS": "on"},
        {"DATABASE_URL": "postgres://omache:secret@db.omache.co.ke/omache"},
        {"DATABASE_URL": "postgres://omache@127.0.0.1,10.0.0.7/omache"},
        {"CACHE_URL": "redis://10.0.0.7:6379/0"},
        {"CELERY_BROKER_URL": "amqps://omache:secret@broker"},
        {"EMAIL_URL": "smtp+tls://omache:secret@mail.omache.co.ke"},
        {"DARAJA_BASE_URL": "https://api.safaricom.co.ke"},
        {"DARAJA_BASE_URL": "https://sandbox.safaricom.co.ke"},
        {"DARAJA_BASE_URL": "https://127.0.0.1.omache.co.ke"},
        {"DARAJA_CALLBACK_BASE_URL": "https://api.omache.co.ke"},
        {"DARAJA_CONSUMER_KEY": "qxgk"},
        {"DARAJA_CONSUMER_SECRET": "wjrp"},
        {"DARAJA_PASSKEY": "bfb279f9"},
        {"DARAJA_C2B_TOKEN": "0123456789abcdef0123456789abcdef"},
        {"DARAJA_INITIATOR_PASSWORD": "Right1234#"},
        {"DARAJA_CALLBACK_IPS": "196.201.214.200"},
        {"EQUITY_IPN_PASSWORD": "0123456789abcdef"},
    ],
    ids=lambda changes: " ".join(f"{name}={value}" for name, value in changes.items()),
)
def test_anything_of_a_real_shop_without_a_key_is_no_laptop(changes):
    (name,) = changes

    assert problems_of(LAPTOP, **changes) == [
        f"set DJANGO_SECRET_KEY too, or remove the settings of a real shop: {name}."
    ]


def test_a_production_that_lost_its_key_is_told_of_all_that_it_has():
    assert problems_of(PRODUCTION, DJANGO_SECRET_KEY=None) == [
        "set DJANGO_SECRET_KEY too, or remove the settings of a real shop: "
        "DJANGO_ALLOWED_HOSTS, FRONTEND_URL, EMAIL_URL, DARAJA_BASE_URL, "
        "DARAJA_CALLBACK_BASE_URL, DARAJA_CONSUMER_KEY, DARAJA_CONSUMER_SECRET, DARAJA_PASSKEY."
    ]


def test_sms_that_cost_money_are_no_laptops():
    account = {"AFRICASTALKING_USERNAME": "omache", "AFRICASTALKING_API_KEY": "key"}

    assert problems_of(LAPTOP, SMS="africastalking", **account) == [
        "set DJANGO_SECRET_KEY too, or remove the settings of a real shop: AFRICASTALKING_API_KEY."
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"DJANGO_ALLOWED_HOSTS": "localhost, 127.0.0.1, [::1], shop.localhost"},
        {"CORS_ALLOWED_ORIGINS": "http://localhost:4000"},
        {"DATABASE_URL": "postgres://postgres@127.0.0.1:5432/omache"},
        {"DATABASE_URL": "postgres:////run/postgresql/omache"},
        {"CACHE_URL": "redis://localhost:6379/0", "CELERY_BROKER_URL": "redis://[::1]/1"},
        {"CACHE_URL": "unix:///run/redis.sock"},
        {"DARAJA_BASE_URL": "http://127.0.0.2:9000/", "DARAJA_SHORTCODE": "600111"},
        {"DARAJA_CONSUMER_KEY": "", "DARAJA_C2B_TOKEN": "", "CACHE_URL": ""},
        {"EMAIL_URL": "smtp://localhost:1025"},
        {"THROTTLES": "on"},
    ],
    ids=lambda changes: " ".join(changes) or "nothing",
)
def test_a_laptop_may_have_what_stays_on_it(changes):
    assert settings_of(LAPTOP, **changes)["DEBUG"] is True


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HTTPS", " ON\n", True),
        ("THROTTLES", "Yes ", True),
        ("DARAJA_STATEMENT", "\tTrue", True),
        ("ORDER_HOLD_MINUTES", " 20\n", 20),
        ("TRUSTED_PROXIES", "1\r\n", 1),
        ("DARAJA_TRANSACTION_TYPE", " customerpaybillonline\n", "CustomerPayBillOnline"),
        ("SMS", " OFF\n", "off"),
        ("DARAJA_SHORTCODE", " 600000\n", "600000"),
        ("DARAJA_PASSKEY", "passkey\n", "passkey"),
        ("DARAJA_CONSUMER_SECRET", " secret ", "secret"),
        ("DARAJA_C2B_TOKEN", " 0123456789abcdef\n", "0123456789abcdef"),
        ("DARAJA_BASE_URL", " HTTPS://API.Gateway.example:443/ \n", "https://api.gateway.example"),
        ("DARAJA_CALLBACK_BASE_URL", "https://API.omache.co.ke/\n", "https://api.omache.co.ke"),
        ("FRONTEND_URL", "https://shop.omache.co.ke/app/ ", "https://shop.omache.co.ke/app"),
        ("CACHE_URL", " redis://127.0.0.1:6379/0\n", "redis://127.0.0.1:6379/0"),
        ("CELERY_BROKER_URL", "amqp://127.0.0.1\n", "amqp://127.0.0.1"),
        ("DEFAULT_FROM_EMAIL", "O-Mache <hello@omache.co.ke>\n", "O-Mache <hello@omache.co.ke>"),
        ("EQUITY_ACCOUNT", " 0180#{reference}\n", "0180#{reference}"),
        ("SHOP_CONTACT", " 0712 345 678\n", "0712 345 678"),
        ("SHOP_CONTACT", "help@omache.co.ke", "help@omache.co.ke"),
    ],
)
def test_white_space_around_a_value_is_no_part_of_it(name, text, value):
    assert production(name, **{name: text}) == value


@pytest.mark.parametrize(
    "name",
    [
        "HTTPS", "TRUSTED_PROXIES", "COMMISSION_PERCENT", "SMS", "DARAJA_BASE_URL",
        "DARAJA_PASSKEY", "DARAJA_SHORTCODE", "DARAJA_CALLBACK_IPS", "DARAJA_C2B_TOKEN",
        "CORS_ALLOWED_ORIGINS", "DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL", "EMAIL_URL",
        "DEFAULT_FROM_EMAIL", "MEDIA_ROOT", "EQUITY_IPN_PASSWORD",
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", [" ", "\n"])
def test_a_value_of_white_space_is_none(name, text):
    assert SET_BUT_EMPTY.format(name) in problems_of(PRODUCTION, **{name: text})


@pytest.mark.parametrize(
    "name", ["HTTPS", "THROTTLES", "ORDER_HOLD_MINUTES", "SMS", "DATABASE_URL", "EMAIL_URL"]
)
def test_an_empty_switch_choice_number_or_address_is_none(name):
    assert problems_of(PRODUCTION, **{name: ""}) == [SET_BUT_EMPTY.format(name)]


@pytest.mark.parametrize("name", ["DARAJA_CALLBACK_IPS", "CORS_ALLOWED_ORIGINS"])
@pytest.mark.parametrize("text", [",", " , ,\n"])
def test_a_list_of_commas_is_none(name, text):
    assert problems_of(PRODUCTION, **{name: text}) == [SET_BUT_EMPTY.format(name)]


@pytest.mark.parametrize(
    "text", ["pass\nkey", "pass\u200bkey", "\ufeffpasskey", "pass\x00key", "pass\u2060key"]
)
def test_values_with_invisible_characters_are_refused(text):
    environment = Environment({"DARAJA_PASSKEY": text})
    environment.visible("DARAJA_PASSKEY")

    assert environment.problems == [
        "DARAJA_PASSKEY contains a line break or another invisible character."
    ]


@pytest.mark.parametrize("text", ["'passkey'", '"passkey"', ' "passkey"\n'])
def test_quotes_around_a_value_are_refused(text):
    assert problems_of(PRODUCTION, DARAJA_PASSKEY=text) == [
        "DARAJA_PASSKEY is in quotes, which would become part of its value: remove them."
    ]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES must be a whole number from 0, not -1."),
        ("TRUSTED_PROXIES", "1.0", "TRUSTED_PROXIES must be a whole number from 0, not 1.0."),
        ("TRUSTED_PROXIES", "²", "TRUSTED_PROXIES must be a whole number from 0, not ²."),
        ("TRUSTED_PROXIES", "11", "TRUSTED_PROXIES must be at most 10, not 11."),
        ("ORDER_HOLD_MINUTES", "1441", "ORDER_HOLD_MINUTES must be at most 1440, not 1441."),
        ("DELIVERY_CONFIRM_DAYS", "366", "DELIVERY_CONFIRM_DAYS must be at most 365, not 366."),
        ("PAYOUT_DAILY_LIMIT", "1",
         "PAYOUT_DAILY_LIMIT must be a whole number from 250000, not 1."),
        ("PAYOUT_APPROVAL_ABOVE", "250001",
         "PAYOUT_APPROVAL_ABOVE must be at most 250000, not 250001."),
        ("DARAJA_QUERIES_A_MINUTE", "100001",
         "DARAJA_QUERIES_A_MINUTE must be at most 100000, not 100001."),
        ("DATABASE_POOL_SIZE", "none",
         "DATABASE_POOL_SIZE must be a whole number from 1, not none."),
        ("DATABASE_POOL_SIZE", "1001", "DATABASE_POOL_SIZE must be at most 1000, not 1001."),
        ("COMMISSION_PERCENT", "100",
         "COMMISSION_PERCENT must be a percentage from 0 to 99.99, not 100."),
        ("COMMISSION_PERCENT", "5%",
         "COMMISSION_PERCENT must be a percentage from 0 to 99.99, not 5%."),
        ("HTTPS", "enabled", "HTTPS must be on or off, not enabled."),
        (
            "DARAJA_TRANSACTION_TYPE", "CustomerBuyGoods",
            "DARAJA_TRANSACTION_TYPE must be one of CustomerPayBillOnline, CustomerBuyGoodsOnline, "
            "not CustomerBuyGoods.",
        ),
        ("DARAJA_SHORTCODE", "600 000", "DARAJA_SHORTCODE must be 5 to 7 digits."),
        ("DARAJA_PARTY_B", "till 600111", "DARAJA_PARTY_B must be 5 to 7 digits."),
        (
            "DARAJA_CONSUMER_KEY", "a key # mine",
            "DARAJA_CONSUMER_KEY must be ASCII characters without spaces.",
        ),
        (
            "DEFAULT_FROM_EMAIL", "O-Mache",
            "DEFAULT_FROM_EMAIL must be an e-mail address, or a name and an <address>.",
        ),
        (
            "EQUITY_ACCOUNT", "0180#{refernce}",
            "EQUITY_ACCOUNT must contain no braces except those of {reference}.",
        ),
        ("DARAJA_CALLBACK_IP", "196.201.214.200",
         "DARAJA_CALLBACK_IP is not a known setting; did you mean DARAJA_CALLBACK_IPS?"),
    ],
)  # fmt: skip
def test_invalid_choices_and_values_out_of_bounds_are_reported(name, text, sentence):
    assert problems_of(PRODUCTION, **{name: text}) == [sentence]


def test_all_problems_are_told_at_once_a_line_each():
    changes = {"HTTPS": "maybe", "DARAJA_SHORTCODE": "x", "CACHE_URL": "reddis://x", "SMS": " "}

    assert problems_of(PRODUCTION, **changes) == [
        "HTTPS must be on or off, not maybe.",
        "CACHE_URL must be like redis://:password@127.0.0.1:6379/0, with what is special in a "
        "password percent-encoded.",
        "DARAJA_SHORTCODE must be 5 to 7 digits.",
        SET_BUT_EMPTY.format("SMS"),
    ]


@pytest.fixture
def secret(tmp_path):
    def write(text):
        path = tmp_path / "secret"
        path.write_bytes(text)
        return str(path)

    return write


@pytest.mark.parametrize("text", [f"{KEY}\n", f" {KEY}\r\n\r\n", f"\ufeff{KEY}"])
def test_a_secret_may_be_in_a_file_that_ends_with_a_line(secret, text):
    changes = {"DJANGO_SECRET_KEY": None, "DJANGO_SECRET_KEY_FILE": f" {secret(text.encode())}\n"}

    assert production("SECRET_KEY", **changes) == KEY


@pytest.mark.parametrize("text", ["", "\n", " \r\n"])
@pytest.mark.parametrize("name", ["DJANGO_SECRET_KEY", "DARAJA_C2B_TOKEN", "DATABASE_URL"])
def test_a_file_with_nothing_in_it_is_a_secret_nobody_filled_in(secret, name, text):
    changes = {name: None, f"{name}_FILE": secret(text.encode())}

    assert problems_of(PRODUCTION, **changes) == [SET_BUT_EMPTY.format(name)]


@pytest.mark.parametrize("path", ["/nowhere/secret", "/", ""])
def test_a_file_that_is_not_there_is_told(path):
    changes = {"DJANGO_SECRET_KEY": None, "DJANGO_SECRET_KEY_FILE": path}
    told = problems_of(PRODUCTION, **changes)

    assert told in (
        [SET_BUT_EMPTY.format("DJANGO_SECRET_KEY")],
        [f"DJANGO_SECRET_KEY_FILE must be a readable text file; {path} is not."],
    )


def test_bytes_are_no_text(secret):
    path = secret(b"\xff\xfe\x00")

    assert problems_of(PRODUCTION, DARAJA_PASSKEY=None, DARAJA_PASSKEY_FILE=path) == [
        f"DARAJA_PASSKEY_FILE must be a readable text file; {path} is not."
    ]


def test_a_value_and_a_file_of_it_are_one_too_many(secret):
    assert problems_of(PRODUCTION, DARAJA_PASSKEY_FILE=secret(b"another")) == [
        "DARAJA_PASSKEY and DARAJA_PASSKEY_FILE are both set: keep one of them."
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"DJANGO_SECRET_KEY={KEY}", KEY),
        (f"DJANGO_SECRET_KEY='{KEY}'", KEY),
        (f"DJANGO_SECRET_KEY = '{KEY}'  # ours", KEY),
        (f'export DJANGO_SECRET_KEY="{KEY}"', KEY),
        (r'DJANGO_SECRET_KEY="a\"b\\c\$d\n"', r'a"b\c$d\n'),
        (r"DJANGO_SECRET_KEY='a\$b'", r"a\$b"),
        ("DJANGO_SECRET_KEY=#not-a-comment", "#not-a-comment"),
        ("DJANGO_SECRET_KEY=a=b", "a=b"),
        ("DJANGO_SECRET_KEY=", ""),
        ("  DJANGO_SECRET_KEY=a  ", "a"),
    ],
)
@pytest.mark.parametrize("around", ["{}\n", "\ufeff{}\r\n", "# ours\n\n{}\nHTTPS=on\n"])
def test_a_line_of_the_file_is_read_raw(tmp_path, around, line, value):
    path = tmp_path / ".env"
    path.write_text(around.format(line), encoding="utf-8", newline="")

    found, problems = read_env_file(path, must_exist=True)

    assert (found["DJANGO_SECRET_KEY"], problems) == (value, [])


@pytest.mark.parametrize(
    "line",
    [
        "DJANGO_SECRET_KEY",
        "DJANGO_SECRET_KEY: abc",
        "DJANGO_SECRET_KEY='abc",
        'DJANGO_SECRET_KEY="abc',
        "DJANGO_SECRET_KEY='abc'def",
        "DJANGO_SECRET_KEY=abc # ours",
        "set DJANGO_SECRET_KEY=abc",
        "DJANGO-SECRET-KEY=abc",
    ],
)
def test_a_line_that_cannot_be_read_stops_the_start(tmp_path, line):
    path = tmp_path / ".env"
    path.write_text(f"HTTPS=on\n{line}\n")

    assert problems_of(LAPTOP, OMACHE_ENV_FILE=str(path)) == [
        f"Line 2 of {path} cannot be read: write NAME=value, a value with a # or a quote in "
        "quotes.",
        "set DJANGO_SECRET_KEY too, or remove the settings of a real shop: HTTPS.",
    ]


def test_a_name_that_is_set_twice_stops_the_start(tmp_path):
    path = tmp_path / ".env"
    path.write_text("SMS=off\nSMS=console\n")

    assert problems_of(LAPTOP, OMACHE_ENV_FILE=str(path)) == [f"SMS is set twice in {path}."]


@pytest.mark.parametrize("content", [b"\xff\xfeA\x00=\x00", b"A\x00=\x00b\x00", None])
def test_a_file_that_cannot_be_read_stops_the_start(tmp_path, content):
    path = tmp_path / ".env"
    path.mkdir() if content is None else path.write_bytes(content)

    assert problems_of(LAPTOP, OMACHE_ENV_FILE=str(path)) == [
        f"{path} cannot be read: it must be a UTF-8 text file."
    ]


def test_a_file_that_was_named_has_to_be_there(tmp_path):
    assert problems_of(LAPTOP, OMACHE_ENV_FILE=f"{tmp_path}/env") == [
        f"OMACHE_ENV_FILE is {tmp_path}/env, which does not exist."
    ]


@pytest.mark.parametrize("named", ["", " "])
def test_a_file_without_a_name_stops_the_start(named):
    assert problems_of(LAPTOP, OMACHE_ENV_FILE=named) == [
        "OMACHE_ENV_FILE is set but empty: name a file, or remove it."
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PAYOUT_DAILY_LIMT", "PAYOUT_DAILY_LIMIT"),
        ("ALERT_MAIL", "ALERT_EMAIL"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("DJANGO_ALLOWED_HOST", "DJANGO_ALLOWED_HOSTS"),
        ("METRIC_TOKEN_FILE", "METRICS_TOKEN_FILE"),
    ],
)
def test_a_name_in_the_file_that_is_almost_a_settings_stops_the_start(tmp_path, name, meant):
    path = tmp_path / ".env"
    path.write_text(f"{name}=1\n")

    assert problems_of(PRODUCTION, OMACHE_ENV_FILE=str(path)) == [
        f"{name} is not a known setting; did you mean {meant}?"
    ]


def test_names_in_the_file_that_are_read_by_others_are_left_alone(tmp_path):
    path = tmp_path / ".env"
    names = ("HTTPS_PROXY", "WEB_CONCURRENCY", "WEB_THREADS", "BIND", "PYTHONUNBUFFERED", "TZ")
    path.write_text("".join(f"{name}=1\n" for name in names))

    assert problems_of(PRODUCTION, OMACHE_ENV_FILE=str(path)) == []


def test_the_file_and_the_process_are_read_alike(tmp_path, secret):
    path = tmp_path / ".env"
    given = {**PRODUCTION, "DJANGO_SECRET_KEY": KEY, "DARAJA_CALLBACK_IPS": " 196.201.212.0/23 "}
    del given["OMACHE_ENV_FILE"]
    path.write_text("".join(f"{name}='{value}'\n" for name, value in given.items()))

    read = settings_of(LAPTOP, OMACHE_ENV_FILE=str(path))

    assert read["SECRET_KEY"] == KEY
    assert read["DARAJA_CALLBACK_IPS"] == ["196.201.212.0/23"]


def test_the_process_goes_before_the_file(tmp_path, secret):
    path = tmp_path / ".env"
    path.write_text("DARAJA_PASSKEY=old\nDARAJA_SHORTCODE=111111\nDARAJA_CONSUMER_KEY=filed\n")
    changes = {"DARAJA_PASSKEY": None, "DARAJA_PASSKEY_FILE": secret(b"new\n")}

    read = settings_of(PRODUCTION, OMACHE_ENV_FILE=str(path), **changes)

    assert (read["DARAJA_PASSKEY"], read["DARAJA_SHORTCODE"]) == ("new", "600000")


def test_variables_from_the_file_reach_child_processes(tmp_path, monkeypatch):
    path = tmp_path / ".env"
    path.write_text("HTTPS_PROXY=http://proxy.omache.co.ke:3128\n")
    monkeypatch.setattr(os, "environ", {"OMACHE_ENV_FILE": str(path)})

    Environment.of_process(tmp_path)

    assert os.environ["HTTPS_PROXY"] == "http://proxy.omache.co.ke:3128"


def test_the_release_is_what_the_programs_own_file_says(tmp_path):
    assert read_release(tmp_path) == ""

    (tmp_path / "RELEASE").write_text("v7-3-gabcdef0\n")
    assert read_release(tmp_path) == "v7-3-gabcdef0"


def test_the_release_that_the_environment_names_goes_before_it():
    assert production("RELEASE", RELEASE="v8") == "v8"
    # A checkout is nobody's release.
    assert production("RELEASE") == "unnamed"


def test_only_this_very_machine_is_told_which_release_answers(client, settings, db):
    settings.RELEASE = "v7"

    assert client.get("/readyz/").json() == {"status": "ready", "release": "v7"}
    for said in ({"REMOTE_ADDR": "10.0.0.9"}, {"HTTP_X_FORWARDED_FOR": "41.90.1.2"}):
        assert client.get("/readyz/", **said).json() == {"status": "ready"}
