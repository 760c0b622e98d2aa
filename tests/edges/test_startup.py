"""Starting: production says in one sentence what it lacks, and starts when nothing is missing."""

import logging
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from omachemainproj import startup_checks
from tools.deploy_check import PRODUCTION

from .startup import production

ROOT = Path(__file__).resolve().parents[2]


def run(*command, **changes):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}
    }
    environment |= PRODUCTION | changes
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


SHOW = "from django.conf import settings as s; print({})"


def setting(expression, **changes):
    done = run("-c", SHOW.format(expression), **changes)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"DJANGO_SECRET_KEY": "short"},
            "DJANGO_SECRET_KEY is too weak: give it at least 50 random characters.",
        ),
        (
            {"DJANGO_SECRET_KEY": "a" * 60},
            "DJANGO_SECRET_KEY is too weak: give it at least 50 random characters.",
        ),
        (
            {"DJANGO_ALLOWED_HOSTS": None, "DARAJA_PASSKEY": None},
            "set DJANGO_ALLOWED_HOSTS, DARAJA_PASSKEY: DJANGO_SECRET_KEY is set, so this is "
            "production.",
        ),
        (
            {"DARAJA_TRANSACTION_TYPE": "CustomerBuyGoodsOnline"},
            "set DARAJA_PARTY_B: DJANGO_SECRET_KEY is set, so this is production.",
        ),
        (
            {"DJANGO_ALLOWED_HOSTS": "*"},
            "DJANGO_ALLOWED_HOSTS must list the hosts; * would let anyone forge links.",
        ),
        (
            {"CORS_ALLOWED_ORIGINS": "*"},
            "CORS_ALLOWED_ORIGINS must list the frontends; * is not an origin.",
        ),
        (
            {"DARAJA_CALLBACK_BASE_URL": "http://api.omache.example"},
            "DARAJA_CALLBACK_BASE_URL must start with https://: Safaricom calls nothing else.",
        ),
        (
            {"DARAJA_BASE_URL": "http://127.0.0.1:8001"},
            "DARAJA_BASE_URL must start with https:// when callbacks come from the internet.",
        ),
        (
            {"DARAJA_INITIATOR_NAME": "payer", "DARAJA_INITIATOR_PASSWORD": "Right1234#"},
            "set DARAJA_B2C_SHORTCODE, DARAJA_CERTIFICATE too, or none of the initiator's "
            "settings.",
        ),
        (
            {
                "DARAJA_INITIATOR_NAME": "payer",
                "DARAJA_INITIATOR_PASSWORD": "Right1234#",
                "DARAJA_B2C_SHORTCODE": "600000",
                "DARAJA_CERTIFICATE": "/nowhere.pem",
            },
            "DARAJA_CERTIFICATE must be a readable file; /nowhere.pem is not.",
        ),
        (
            {"AFRICASTALKING_REPORTS_TOKEN": "guess"},
            "AFRICASTALKING_REPORTS_TOKEN must be at least 16 small letters and digits: nobody may "
            "guess it.",
        ),
        (
            {"DARAJA_C2B_TOKEN": "guess"},
            "DARAJA_C2B_TOKEN must be at least 16 lower-case letters and digits, hard to guess.",
        ),
        (
            {"EQUITY_IPN_PASSWORD": "0123456789abcdef"},
            "EQUITY_IPN_PASSWORD must be at least 16 characters, and EQUITY_IPN_USERNAME set.",
        ),
        (
            {"SMS": "africastalking", "AFRICASTALKING_USERNAME": "omache"},
            "set AFRICASTALKING_API_KEY too: SMS is africastalking.",
        ),
        (
            {"AFRICASTALKING_API_KEY": "key"},
            "AFRICASTALKING_API_KEY is set: set SMS to africastalking too, or neither.",
        ),
        (
            {"AFRICASTALKING_SENDER_ID": "far too long a name"},
            "AFRICASTALKING_SENDER_ID must be a short code or 1 to 11 letters and digits.",
        ),
        (
            {"AFRICASTALKING_BASE_URL": "http://api.africastalking.com"},
            "AFRICASTALKING_BASE_URL must start with https://: it is sent the API key.",
        ),
        (
            {"EMAIL_URL": "smtp://shop:secret@mail.example.co.ke:587"},
            "EMAIL_URL must begin with smtp+tls:// (port 587) or smtp+ssl:// (port 465): a mail "
            "server elsewhere is sent a password.",
        ),
        (
            {"SHOP_CONTACT": "the shop"},
            "SHOP_CONTACT must be a phone number, an e-mail address or both, in 100 characters.",
        ),
        (
            {"SHOP_CONTACT": "help@omache.co.ke" + " or " * 30},
            "SHOP_CONTACT must be a phone number, an e-mail address or both, in 100 characters.",
        ),
        (
            {"SMS": "console"},
            "SMS=console is for a laptop: it writes collection codes to the log.",
        ),
        (
            {"PHONE_LOGIN": "on"},
            "PHONE_LOGIN=on needs an SMS provider: set SMS too.",
        ),
        (
            {"GUEST_CHECKOUT": "on"},
            "GUEST_CHECKOUT=on needs PHONE_LOGIN=on: a guest's goods are handed over for a code "
            "that is seen once the phone is proved.",
        ),
        (
            {"DATABASE_URL": None},
            "set DATABASE_URL: postgres://…, or sqlite:////path/of/a/file for a small shop on one "
            "machine.",
        ),
        (
            {"FRONTEND_URL": None},
            "set FRONTEND_URL: the links in e-mails and SMS lead there (https://…/shop).",
        ),
        (
            {"FRONTEND_URL": "http://localhost:5173"},
            "FRONTEND_URL leads to this machine: nobody else can open it.",
        ),
        (
            {"EMAIL_URL": None},
            "set EMAIL_URL: people get back in by e-mail; dummymail:// sends none.",
        ),
        (
            {"DEFAULT_FROM_EMAIL": None},
            "set DEFAULT_FROM_EMAIL: an address of yours, which e-mail comes from.",
        ),
        (
            {"HTTPS": "off"},
            "HTTPS=off is only for rehearsals: DARAJA_CALLBACK_BASE_URL must be loopback then.",
        ),
        (
            {"THROTTLES": "off"},
            "THROTTLES=off is only for rehearsals: DARAJA_CALLBACK_BASE_URL must be loopback then.",
        ),
    ],
)
def test_missing_or_dangerous_settings_stop_the_start_with_one_sentence(changes, sentence):
    done = run("manage.py", "check", **changes)

    assert done.returncode == 1
    assert done.stderr == f"O-Mache cannot start: {sentence}\n"


@pytest.mark.long
def test_a_complete_production_passes_djangos_own_inspection():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "url",
    [
        "smtp://shop:secret@localhost:25",
        "smtp://mail.example.co.ke:25",
        "smtp+tls://shop:secret@mail.example.co.ke:587",
        "smtp+ssl://shop:secret@mail.example.co.ke:465",
    ],
)
def test_a_password_for_mail_that_leaves_no_machine_in_the_clear_is_fine(url):
    assert run("manage.py", "check", EMAIL_URL=url).stderr == ""


def test_production_is_strict():
    assert setting(
        "s.DEBUG, s.HTTPS, s.THROTTLES, s.LOCKOUT, s.SECURE_HSTS_SECONDS,"
        " s.SESSION_COOKIE_NAME, s.REST_FRAMEWORK['DEFAULT_THROTTLE_CLASSES']"
    ) == (
        "False True True True 3600 __Host-sessionid ['omachemainproj.api.throttles.ScopedThrottle']"
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (None, "3600 False False"),
        ("day", "86400 False False"),
        ("year", "31536000 False False"),
        ("Preload", "63072000 True True"),
    ],
)
def test_browsers_are_told_of_subdomains_and_years_only_where_somebody_says_so(said, told):
    header = "s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD"

    assert setting(header, HSTS=said) == told


def test_a_laptop_needs_nothing():
    laptop = dict.fromkeys(PRODUCTION) | {
        "OMACHE_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
    }

    assert setting("s.DEBUG, s.HTTPS, s.THROTTLES, s.LOCKOUT", **laptop) == (
        "True False False False"
    )


def test_a_rehearsal_on_a_loopback_address_needs_no_https():
    rehearsal = {
        "DARAJA_CALLBACK_BASE_URL": "http://127.0.0.1:8000",
        "DARAJA_BASE_URL": "http://127.0.0.1:8001",
        "HTTPS": "off",
    }

    assert setting("s.DEBUG, s.HTTPS, s.SECURE_SSL_REDIRECT", **rehearsal) == "False False False"


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("smtp+tls://ann:s%40y@mail.example:587", "smtp mail.example 587 ann s@y True False"),
        ("smtp+ssl://mail.example", "smtp mail.example None None None False True"),
        ("consolemail://", "console None None None None False False"),
    ],
)
def test_one_url_configures_e_mail(url, settings):
    assert settings == setting(
        "s.EMAIL_BACKEND.split('.')[-2], s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_USER,"
        " s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL",
        EMAIL_URL=url,
    )


def test_a_folder_may_keep_e_mail():
    shown = setting("s.EMAIL_BACKEND.split('.')[-2], s.EMAIL_FILE_PATH", EMAIL_URL="filemail:////m")

    assert shown == "filebased /m"


def test_tokens_are_signed_with_a_key_of_their_own():
    assert setting("s.SIMPLE_JWT['SIGNING_KEY'] != s.SECRET_KEY") == "True"
    assert int(setting("len(s.SIMPLE_JWT['SIGNING_KEY'])")) >= 32


def test_passwords_are_hashed_with_argon2():
    script = "__import__('django.contrib.auth.hashers', fromlist=['x']).make_password('a')[:16]"

    assert setting(script) == "argon2$argon2id$"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"TRUSTED_PROXIES": "one"}, "TRUSTED_PROXIES must be a whole number from 0, not one."),
        ({"THROTTLES": "enabled"}, "THROTTLES must be on or off, not enabled."),
        ({"SMS": "twilio"}, "SMS must be one of off, console, africastalking, not twilio."),
        ({"ORDER_HOLD_MINUTES": "0"}, "ORDER_HOLD_MINUTES must be a whole number from 1, not 0."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_misspelt_setting_stops_the_start_with_one_sentence(changes, sentence):
    done = run("manage.py", "check", **changes)

    assert done.returncode == 1
    assert done.stderr.strip() == f"O-Mache cannot start: {sentence}"


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "check"),
        ("manage.py", "runserver", "--noreload"),
        ("-c", "import omachemainproj.wsgi"),
        ("-c", "import omachemainproj.celery"),
        ("-m", "gunicorn", "omachemainproj.wsgi", "--bind", "127.0.0.1:0"),
    ],
    ids=["check", "runserver", "wsgi", "celery", "gunicorn"],
)
def test_every_way_to_start_tells_all_that_is_wrong(command):
    done = run(*command, DJANGO_SECRET_KEY=" \n", DARAJA_CALLBACK_IPS="196.201.214")

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert (
        "O-Mache cannot start: \n"
        "- DJANGO_SECRET_KEY is set but empty: give it a value, or remove it.\n"
        "- DARAJA_CALLBACK_IPS must list IP addresses, and networks like 196.201.212.0/23: "
        "196.201.214 is not one.\n"
    ) in done.stderr


UNFIT = [
    "run `python manage.py collectstatic --no-input`: without the files in {static} the admin and "
    "/docs/ answer 500.",
    "run `python manage.py migrate`: {steps} steps are missing, omachemainproj.0001_cache_entries "
    "first.",
]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("-c", "import omachemainproj.wsgi"), UNFIT),
        (("manage.py", "clock"), UNFIT[1:]),
        (
            (
                "-c",
                "import omachemainproj.celery as c, django; django.setup(); c.log_worker_start()",
            ),
            UNFIT[1:],
        ),
    ],
    ids=["web", "clock", "worker"],
)
def test_nothing_starts_over_a_database_or_files_of_yesterday(command, expected, tmp_path):
    files = [
        file.name
        for app in startup_checks.OUR_APPS
        for file in (ROOT / app / "migrations").glob("[0-9]*.py")
    ]
    steps = len([name for name in files if "_squashed_" not in name])
    done = run(
        *command, DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3", STATIC_ROOT=str(tmp_path)
    )

    said = [each.format(static=tmp_path, steps=steps) for each in expected]
    assert done.returncode == 1
    assert done.stderr.replace("CommandError: ", "") == (
        f"O-Mache cannot start: {said[0]}\n"
        if len(said) == 1
        else "O-Mache cannot start: \n- " + "\n- ".join(said) + "\n"
    )


@pytest.fixture
def fit(settings, tmp_path):
    """Production on the test's database, with its files collected."""
    settings.PRODUCTION = True
    settings.STATIC_ROOT = settings.MEDIA_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text("{}")


@pytest.mark.django_db
def test_a_migrated_and_collected_shop_starts_without_warnings(fit, caplog, monkeypatch):
    monkeypatch.setattr(startup_checks.connection, "close", lambda: None)
    startup_checks.check_before_start("web")

    assert caplog.messages == []


def test_a_database_that_is_down_keeps_nothing_from_starting(fit, monkeypatch):
    class Down:
        def cursor(self):
            raise OperationalError("connection refused")

        def close(self):
            pass

    monkeypatch.setattr(startup_checks, "connection", Down())
    startup_checks.check_before_start("web")


@pytest.fixture
def another_database():
    """Create a database with this encoding and these letters, and return a cursor in it."""
    name, opened = f"omache_letters_{os.getpid()}", []
    connection.ensure_connection()
    address = connection.get_connection_params()
    known = ("host", "port", "user", "password")
    words = {key: address[key] for key in known if address.get(key)}
    server = psycopg.connect(dbname="postgres", autocommit=True, **words)

    def create(encoding, letters):
        server.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'"
            f" LC_COLLATE '{letters}' LC_CTYPE '{letters}'"
        )
        opened.append(psycopg.connect(dbname=name, **words))
        opened[0].execute("SET client_encoding = 'UTF8'")
        return opened[0].cursor()

    yield create
    for each in opened:
        each.close()
    server.execute(f"DROP DATABASE IF EXISTS {name}")
    server.close()


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("encoding", "letters", "knows"),
    [("UTF8", "C.UTF-8", True), ("UTF8", "C", False), ("SQL_ASCII", "C", False)],
)
def test_a_database_knows_letters_by_its_encoding_and_locale(
    another_database, encoding, letters, knows
):
    assert startup_checks._knows_letters(another_database(encoding, letters)) is knows


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_start_over_a_database_that_does_not_know_letters_warns(fit, monkeypatch, caplog):
    monkeypatch.setattr(startup_checks.connection, "close", lambda: None)
    monkeypatch.setattr(startup_checks, "_knows_letters", lambda cursor: False)

    startup_checks.check_before_start("clock")

    assert caplog.messages == [startup_checks._NO_LETTERS]


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_system_that_sorts_text_by_another_version_is_warned_of(caplog):
    class Cursor:
        def execute(self, statement):
            pass

        def fetchall(self):
            return [("omache", "2.31", "2.36")]

    connection.ensure_connection()
    startup_checks._warn_of_another_collation(Cursor())

    assert caplog.messages == [
        "the operating system sorts text by another version (2.36) than when the indexes were "
        "built (2.31), so they may miss rows and accept duplicates. As their owner, soon: REINDEX "
        "DATABASE omache; then ALTER DATABASE omache REFRESH COLLATION VERSION."
    ]


def test_pictures_inside_the_programs_folder_are_warned_of(fit, settings, caplog, monkeypatch):
    monkeypatch.setattr(startup_checks, "_find_wrong_with_database", list)
    settings.MEDIA_ROOT = settings.BASE_DIR / "media"
    startup_checks.check_before_start("web")

    assert caplog.messages == [
        f"MEDIA_ROOT, {settings.MEDIA_ROOT}, is inside the program's folder: whoever replaces that "
        "loses every picture. Set MEDIA_ROOT, and move them."
    ]


@pytest.mark.parametrize("inside", ["", "of/it"])
def test_the_web_does_not_start_without_a_folder_for_pictures(
    fit, settings, tmp_path, monkeypatch, inside
):
    monkeypatch.setattr(startup_checks, "_find_wrong_with_database", list)
    file = tmp_path / "file"
    file.write_text("no folder")
    settings.MEDIA_ROOT = file / inside

    with pytest.raises(ImproperlyConfigured) as refused:
        startup_checks.check_before_start("web")

    assert str(refused.value) == (
        "MEDIA_ROOT must be a folder that the web may write to, for pictures: "
        f"{settings.MEDIA_ROOT} is not."
    )
    startup_checks.check_before_start("clock")


def test_a_folder_for_pictures_may_be_made_later(fit, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(startup_checks, "_find_wrong_with_database", list)
    settings.MEDIA_ROOT = tmp_path / "new" / "media"

    startup_checks.check_before_start("web")


def test_a_relative_folder_is_beside_the_program(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert production("MEDIA_ROOT", MEDIA_ROOT="media") == ROOT / "media"
    assert production("STATIC_ROOT", STATIC_ROOT="/srv/static") == Path("/srv/static")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("WEB_CONCURRENCY", "0", "WEB_CONCURRENCY must be a whole number from 1, not 0."),
        ("WEB_THREADS", "0", "WEB_THREADS must be a whole number from 1, not 0."),
        (
            "WEB_THREADS",
            "",
            "WEB_THREADS is set but empty: give it a value, or remove it.",
        ),
    ],
)
def test_the_servers_own_numbers_are_checked_too(name, text, sentence):
    done = run("-m", "gunicorn", "omachemainproj.wsgi", "--check-config", **{name: text})

    assert done.returncode == 1
    assert done.stderr == f"O-Mache cannot start: {sentence}\n"


@pytest.mark.long
def test_the_servers_own_numbers_are_trimmed():
    numbers = {"WEB_CONCURRENCY": " 3\n", "WEB_THREADS": "5 ", "BIND": " 127.0.0.1:8009\n"}
    done = run("-m", "gunicorn", "omachemainproj.wsgi", "--print-config", **numbers)

    told = {
        line.partition(" = ")[0].strip(): line.partition(" = ")[2]
        for line in done.stdout.splitlines()
    }
    assert (told["workers"], told["threads"], told["bind"]) == ("3", "5", "['127.0.0.1:8009']")


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, False),
        ({"DATABASE_POOL_SIZE": "13"}, False),
        ({"DATABASE_POOL_SIZE": "12"}, True),
        ({"TASK_THREADS": "16"}, True),
        ({"WEB_THREADS": "10", "TASK_THREADS": "3"}, True),
    ],
)
def test_more_threads_than_connections_are_warned_of(
    monkeypatch, caplog, tmp_path, changes, warned
):
    for name, value in {"METRICS_DIR": str(tmp_path), **changes}.items():
        monkeypatch.setenv(name, value)
    server = SimpleNamespace(log=logging.getLogger("gunicorn.error"))

    runpy.run_path(str(ROOT / "gunicorn.conf.py"))["on_starting"](server)

    assert any("are more than DATABASE_POOL_SIZE" in line for line in caplog.messages) is warned
