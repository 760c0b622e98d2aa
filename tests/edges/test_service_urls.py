"""Lists of hosts, origins and addresses, and the URLs of what the shop speaks to."""

import pytest

from omachemainproj.database_urls import read_database_url
from omachemainproj.mail_urls import read_mail_url
from tools.deploy_check import PRODUCTION

from .startup import problems_of, production

HOSTS = (
    "DJANGO_ALLOWED_HOSTS must list host names like api.example.co.ke, without scheme, port or path"
)
CORS = "CORS_ALLOWED_ORIGINS must list origins like https://shop.example.co.ke, without a path"
CSRF = "CSRF_TRUSTED_ORIGINS must list origins like https://api.example.co.ke, without a path"
IPS = "DARAJA_CALLBACK_IPS must list IP addresses, and networks like 196.201.212.0/23"


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("ALLOWED_HOSTS", " API.omache.co.ke. , 196.201.0.1,::1, [2C0F:FE38::1]",
         ["api.omache.co.ke", "196.201.0.1", "[::1]", "[2c0f:fe38::1]"]),
        ("ALLOWED_HOSTS", ".omache.co.ke\napi.omache.co.ke\n",
         [".omache.co.ke", "api.omache.co.ke"]),
        ("CORS_ALLOWED_ORIGINS", "https://Shop.omache.co.ke/, HTTPS://shop.omache.co.ke:443",
         ["https://shop.omache.co.ke"]),
        ("CORS_ALLOWED_ORIGINS", "http://localhost:5173 http://[::1]:80",
         ["http://localhost:5173", "http://[::1]"]),
        ("CSRF_TRUSTED_ORIGINS", "https://*.Omache.co.ke/,https://api.omache.co.ke",
         ["https://*.omache.co.ke", "https://api.omache.co.ke"]),
        ("DARAJA_CALLBACK_IPS", "196.201.214.200, 127.0.0.1", ["196.201.214.200", "127.0.0.1"]),
        ("DARAJA_CALLBACK_IPS", "196.201.212.0/23\n196.201.214.0/255.255.255.0",
         ["196.201.212.0/23", "196.201.214.0/24"]),
        ("DARAJA_CALLBACK_IPS", "::ffff:196.201.214.200,::FFFF:196.201.212.0/119, 2c0f:fe38::/32",
         ["196.201.214.200", "196.201.212.0/23", "2c0f:fe38::/32"]),
    ],
)  # fmt: skip
def test_each_entry_of_a_list_is_read_by_itself(name, text, read):
    variable = "DJANGO_ALLOWED_HOSTS" if name == "ALLOWED_HOSTS" else name

    assert production(name, **{variable: text}) == read


@pytest.mark.parametrize(
    ("name", "entry", "what"),
    [
        *[
            ("DJANGO_ALLOWED_HOSTS", entry, HOSTS)
            for entry in (
                "https://api.omache.co.ke", "api.omache.co.ke:443", "api.omache.co.ke/",
                "*.omache.co.ke", ".ke", ".", "api_omache.co.ke", "-api.co.ke", "1.2.3",
                '["api.omache.co.ke"]', "api.omache.co.ke;shop.omache.co.ke", "a@b.ke",
                "api..co.ke", "mañana.ke",
            )
        ],
        *[
            ("CORS_ALLOWED_ORIGINS", entry, CORS)
            for entry in (
                "shop.omache.co.ke", "//shop.omache.co.ke", "https://shop.omache.co.ke/app", "null",
                "https://*.omache.co.ke", "ftp://shop.omache.co.ke", "https://shop.omache.co.ke?a",
                "https://a:b@shop.omache.co.ke", "https://", "https:/a",
                "https://shop.omache.co.ke:",
                "https://shop.omache.co.ke:99999", "https://shop.omache.co.ke#a", "https://[::1",
            )
        ],
        *[
            ("CSRF_TRUSTED_ORIGINS", entry, CSRF)
            for entry in ("api.omache.co.ke", "https://*", "https://api.*.ke", "*.omache.co.ke")
        ],
        *[
            ("DARAJA_CALLBACK_IPS", entry, IPS)
            for entry in (
                "196.201.214", "196.201.214.256", "196.201.214.200:443", "196.201.212.0/33",
                "196.201.214.200/23", "196.201.212.0-196.201.213.255", "api.safaricom.co.ke", "any",
                "196.201.214.*", "$IPS", "196.201.214.200;196.201.214.206", "196.201.214.020",
            )
        ],
    ],
)  # fmt: skip
def test_an_entry_that_is_none_stops_the_start(name, entry, what):
    good = {"DJANGO_ALLOWED_HOSTS": "api.omache.co.ke", "DARAJA_CALLBACK_IPS": "196.201.214.200"}
    text = f"{good.get(name, 'https://shop.omache.co.ke')}, {entry}"

    assert problems_of(PRODUCTION, **{name: text}) == [f"{what}: {entry} is not one."]


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("https://mpesa.omache.co.ke", 'must not hold "mpesa", which Safaricom refuses'),
        ("https://M-PESA.omache.co.ke", 'must not hold "m-pesa", which Safaricom refuses'),
        ("https://api.safaricom-shop.co.ke", 'must not hold "safaricom", which Safaricom refuses'),
        ("https://api.omache.co.ke/execute", 'must not hold "exe", which Safaricom refuses'),
        ("https://mysql.omache.co.ke", 'must not hold "sql", which Safaricom refuses'),
        ("https://omache.ngrok.app", 'must not hold "ngrok", which Safaricom refuses'),
        ("https://10.0.0.7", "must have a public host name or a public IP address"),
        ("https://[fd00::1]", "must have a public host name or a public IP address"),
        ("https://shop.local", "must have a public host name or a public IP address"),
        ("https://web", "must have a public host name or a public IP address"),
        ("https://0.0.0.0", "must have a public host name or a public IP address"),
        ("https://api.omache.co.ke/Shop", "must be in lower case: capitals have been seen refused"),
        ("http://api.omache.co.ke", "must start with https://: Safaricom calls nothing else"),
    ],
)
def test_the_callback_address_is_asked_what_safaricom_asks_of_it(address, wrong):
    assert problems_of(PRODUCTION, DARAJA_CALLBACK_BASE_URL=address) == [
        f"DARAJA_CALLBACK_BASE_URL {wrong}."
    ]


@pytest.mark.parametrize(
    "address",
    [
        "api.omache.co.ke", "https://api.omache.co.ke?x=1", "https://api.omache.co.ke/#x",
        "https://a:b@api.omache.co.ke", "https://api omache.co.ke", "https:///shop", "ftp://a.co.ke",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "name",
    [
        "DARAJA_CALLBACK_BASE_URL", "DARAJA_BASE_URL", "FRONTEND_URL", "AFRICASTALKING_BASE_URL",
    ],
)  # fmt: skip
def test_an_address_that_is_none_stops_the_start(name, address):
    assert problems_of(PRODUCTION, **{name: address}) == [
        f"{name} must be an address like https://api.example.co.ke, with nothing behind its path."
    ]


@pytest.mark.parametrize(
    ("token", "wrong"),
    [
        ("laptop-only", "must be at least 16 lower-case letters and digits, hard to guess"),
        ("0000000000000000", "must be at least 16 lower-case letters and digits, hard to guess"),
        ("0123456789ABCDEF", "must be at least 16 lower-case letters and digits, hard to guess"),
        ("abcmpesa12345678", 'must not hold "mpesa", which Safaricom refuses'),
        ("abcquery12345678", 'must not hold "query", which Safaricom refuses'),
    ],
)
def test_the_secret_part_of_an_address_is_asked_too(token, wrong):
    assert problems_of(PRODUCTION, DARAJA_C2B_TOKEN=token) == [f"DARAJA_C2B_TOKEN {wrong}."]


def test_a_real_gateway_cannot_call_this_machine():
    (told,) = problems_of(PRODUCTION, DARAJA_CALLBACK_BASE_URL="http://127.0.0.1:8000", HTTPS="off")

    assert told.startswith("DARAJA_CALLBACK_BASE_URL must be an address that M-Pesa can reach:")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DARAJA_CONSUMER_KEY", "simulator-key"),
        ("DARAJA_CONSUMER_SECRET", "simulator-secret"),
        ("DARAJA_PASSKEY", "simulator-passkey"),
    ],
)
def test_the_simulators_secrets_are_no_secrets(name, value):
    assert problems_of(PRODUCTION, **{name: value}) == [
        f"{name} is the simulator's, which is public."
    ]


@pytest.mark.parametrize(
    "key", ["laptop-only-" + "0123456789abcdef" * 4, "django-insecure-" + "0123456789abcdef" * 4]
)
def test_a_key_that_others_know_is_none(key):
    assert problems_of(PRODUCTION, DJANGO_SECRET_KEY=key) == [
        "DJANGO_SECRET_KEY begins like a published one: generate your own."
    ]


@pytest.mark.parametrize(
    ("url", "host", "port", "name", "login"),
    [
        ("postgres://omache:a%23+b$c@db:5433/omache", "db", "5433", "omache", ("omache", "a#+b$c")),
        ("postgresql://omache@[::1]/omache", "::1", "", "omache", ("omache", "")),
        ("postgres://a:b@one:5433,two/omache", "one,two", "5433,5432", "omache", ("a", "b")),
        ("postgres:////run/postgresql/omache", "/run/postgresql", "", "omache", ("", "")),
        ("postgres://a@%2FRun%2Fpg/omache", "/Run/pg", "", "omache", ("a", "")),
    ],
)
def test_the_address_of_a_database_is_read_as_it_stands(url, host, port, name, login):
    read = read_database_url(url)

    assert (read["HOST"], read["PORT"], read["NAME"]) == (host, port, name)
    assert (read["USER"], read["PASSWORD"]) == login


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///db.sqlite3", "db.sqlite3"),
        ("sqlite:////srv/my%20shop.sqlite3", "/srv/my shop.sqlite3"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite://:memory:", ":memory:"),
    ],
)
def test_the_address_of_a_file_is_read_as_it_stands(url, name):
    assert read_database_url(url)["NAME"] == name


def test_connection_options_in_the_url_are_kept():
    options = production(
        "DATABASES",
        DATABASE_URL="postgres://a:b@db.omache.co.ke/omache?sslmode=verify-full&options=-c%20work_mem=8MB",
    )["default"]["OPTIONS"]

    assert options["sslmode"] == "verify-full"
    assert options["options"].startswith("-c work_mem=8MB -c jit=off -c statement_timeout=5000 ")
    assert options["pool"]["max_size"] == 16


@pytest.mark.parametrize(
    ("name", "urls"),
    [
        (
            "DATABASE_URL",
            [
                "mysql://a:b@db/omache", "postgress://db/omache", "db.sqlite3", "postgres://db",
                "postgres://db/", "postgres://a:p#w@db/omache", "postgres://a:p/w@db/omache",
                "postgres://a:p?w@db/omache", "postgres://db:port/omache", "postgres://db:0/omache",
                "sqlite://db.sqlite3", "sqlite:///db.sqlite3?mode=ro", "postgres://db/omache?sslmode",
                "$DATABASE_URL",
            ],
        ),
        (
            "CACHE_URL",
            ["127.0.0.1:6379", "http://127.0.0.1", "redis://", "redis://:p#w@a", "redis://a:b:c",
             "memcache://a", "redis://a b", "off"],
        ),
        (
            "CELERY_BROKER_URL",
            ["127.0.0.1", "kafka://a", "redis://", "amqp://a:b@c:d", "redis://a,b", "memory://"],
        ),
        (
            "EMAIL_URL",
            ["mail.omache.co.ke", "smpt://a", "smtp://", "smtp+tls://a:p#w@host:587", "filemail://",
             "smtp://host:port", "smtp://host?timeout=1"],
        ),
    ],
)  # fmt: skip
def test_an_invalid_service_url_stops_the_start(name, urls):
    told = [problems_of(PRODUCTION, **{name: url}) for url in urls]

    assert [len(sentences) for sentences in told] == [1] * len(urls)
    assert all(sentences[0].startswith(f"{name} must be ") for sentences in told)


@pytest.mark.parametrize(
    ("name", "url", "sentence"),
    [
        (
            "DATABASE_URL",
            "postgres://a:secret@db/omache?sslmod=require",
            "DATABASE_URL has an option unknown to PostgreSQL, sslmod.",
        ),
        (
            "DATABASE_URL",
            "postgres://a:secret@db/omache?sslmode=verify-full&sslmode=disable",
            "DATABASE_URL has an option twice: keep one of them.",
        ),
        (
            "DATABASE_URL",
            "postgres://a:secret@db/omache?sslmode=verify_full",
            "DATABASE_URL has another sslmode than disable, allow, prefer, require, verify-ca, "
            "verify-full.",
        ),
        *(
            (
                "EMAIL_URL",
                f"{scheme}://a:secret@mail.omache.co.ke:465",
                "EMAIL_URL must begin with smtp+ssl:// for port 465, or have port 587.",
            )
            for scheme in ("smtp+tls", "smtps")
        ),
    ],
)
def test_a_url_that_could_never_connect_stops_the_start(name, url, sentence):
    assert problems_of(PRODUCTION, **{name: url}) == [sentence]


def test_a_password_never_stands_in_a_sentence():
    url = "postgres://omache:hun#ter2@db/omache"

    assert "ter2" not in "".join(problems_of(PRODUCTION, DATABASE_URL=url))


def test_a_plus_in_a_password_for_e_mail_is_a_plus():
    mail = read_mail_url("smtp+tls://ann%40omache.co.ke:a+b%2Fc@mail.omache.co.ke:587")

    assert (mail.user, mail.password, mail.port) == ("ann@omache.co.ke", "a+b/c", 587)
