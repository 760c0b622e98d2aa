"""The released version and this one serve side by side over one database, as in each upgrade.

Real processes of both: a web and a clock each, and each step of a purchase is answered by the other
one. In the end both find the books in order. And the released version serves alone, over its own
tables, while the next one's migrations run.
"""

import itertools
import os
import secrets
import threading
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from daraja_simulator import Simulator
from payments.demo.api_client import Person, Phones, call
from payments.demo.processes import free_port
from products.demo.seed import PASSWORD
from tests.databases import url_of_test_database
from tools.soak.machine import clock, environment, gunicorn, manage

from .versions import ROOT, lay_out, released_commit

pytestmark = pytest.mark.skipif(
    not released_commit(), reason="the history of git, with the last release, is not installed"
)
PRICE, COMMISSION = 700, 5
#: Seconds anything may take here, on a busy machine.
PATIENCE = 90


class Version:
    """The processes of one version."""

    def __init__(self, name, program, scratch, **told):
        self.scratch = scratch / name
        self.scratch.mkdir()
        self.program = program
        self.port = free_port()
        self.environ = environment(web=self.port, scratch=self.scratch, **told) | {
            "PYTHONPATH": str(program),
            "COMMISSION_PERCENT": str(COMMISSION),
            "STATIC_ROOT": str(scratch / "static"),
            "MEDIA_ROOT": str(scratch / "media"),
            "WEB_CONCURRENCY": "1",
            "RELEASE": name,
        }
        self.web = gunicorn(self.environ, self.scratch, folder=program)
        self.clock = clock(1, self.environ, self.scratch, every=0.5, folder=program)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *command, check=True):
        return manage(self.environ, *command, check=check, folder=self.program)


class Visitor(Person):
    """A client whose requests alternate between the versions."""

    def __init__(self, versions, name, password=PASSWORD):
        self._versions = itertools.cycle(versions)
        super().__init__(next(self._versions).address, name, password)

    def ask(self, *asked, **options):
        self._shop = next(self._versions).address
        return super().ask(*asked, **options)


@pytest.fixture
def mpesa():
    with Simulator(port=0, decide_after=0.2) as simulator:
        yield simulator


@pytest.fixture
def versions(tmp_path, mpesa):
    """Yields a function from a database to both versions on it: the released one, and this one."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "staticfiles.json").write_text('{"version": "1.1", "paths": {}}')
    secret = secrets.token_hex(40)
    with ExitStack() as stack:

        def of(database):
            both = []
            old_program = lay_out(released_commit(), tmp_path / "released")
            for name, program in (("old", old_program), ("new", ROOT)):
                told = {"database": database, "mpesa": mpesa.url, "hold": 15}
                version = Version(name, program, tmp_path, **told)
                version.environ["DJANGO_SECRET_KEY"] = secret
                (version.scratch / "certificate.pem").write_text(mpesa.certificate)
                stack.callback(version.web.stop)
                stack.callback(version.clock.stop)
                both.append(version)
            old, new = both
            # M-Pesa answers one version's requests at the other.
            old.environ["DARAJA_CALLBACK_BASE_URL"] = new.address
            new.environ["DARAJA_CALLBACK_BASE_URL"] = old.address
            return old, new

        yield of


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_released_version_and_this_one_trade_over_the_tables_of_this_one(versions, mpesa):
    old, new = versions(url_of_test_database())
    add_staff(old)
    for version in (old, new):
        version.web.start()

    trade(old, new, mpesa)
    trade(new, old, mpesa)

    assert_proven(old, new)


#: Migrations of a version after this one: one of each kind in docs/upgrade.md, on the most used
#: tables.
NEXT = {
    "0001_columns": (
        True,
        "ALTER TABLE orders_order ADD COLUMN next_note varchar(20) NULL;"
        "ALTER TABLE products_product ADD COLUMN next_grams integer DEFAULT 0 NOT NULL;"
        "ALTER TABLE accounts_user ADD COLUMN next_word varchar(9) DEFAULT '' NOT NULL",
    ),
    "0002_index": (False, "CREATE INDEX CONCURRENTLY next_index ON orders_ordertrack (created_at)"),
    "0003_constraint": (
        True,
        "ALTER TABLE payments_orderpayment"
        " ADD CONSTRAINT next_amount CHECK (amount >= 0) NOT VALID",
    ),
    "0004_validated": (True, "ALTER TABLE payments_orderpayment VALIDATE CONSTRAINT next_amount"),
}
MIGRATION = """\
from django.db import migrations

class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = {after!r}
    operations = [migrations.RunSQL({sql!r})]
"""
#: The visitors' password.
OWN_WORDS = "ngoma ya pwani 1963"
#: Seconds a table stays in use at most, if nobody gives up waiting for it; and seconds within which
#: a waiting session is noticed and gives up.
IN_USE, SEEN_WITHIN = 90.0, 1.5


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_released_version_serves_while_the_next_ones_migrations_run(versions, mpesa, tmp_path):
    write_next_version(tmp_path / "next")
    with another_database() as url:
        old, new = versions(url)
        old.environ["DARAJA_CALLBACK_BASE_URL"] = old.address
        new.environ["DJANGO_SETTINGS_MODULE"] = "next_version.settings"
        new.environ["PYTHONPATH"] += os.pathsep + str(tmp_path / "next")
        old.manage("migrate", "--verbosity", "0")
        add_staff(old)
        old.web.start()
        trade(old, old, mpesa)

        with visitors(old) as answers, longest_wait(url) as waited:
            with in_use(url, "orders_order"):
                refused = new.manage("migrate", check=False)
            tries = [new.manage("migrate", check=False) for _ in range(5)]
            trade(old, old, mpesa)

        assert "lock timeout" in refused.stderr
        assert tries[-1].returncode == 0
        assert "No migrations to apply" in tries[-1].stdout
        assert {(status, code) for status, code in answers if status >= 500} <= {(503, "busy")}
        assert len([status for status, _ in answers if status == 200]) > 10
        assert 1 < max(waited) < settings.DATABASE_TIMEOUTS["lock_timeout"] / 1000 + SEEN_WITHIN
        assert_proven(old, new)


def migrate(version):
    """Run it again if it waited too long for a table, as docs/upgrade.md says."""
    for _ in range(5):
        ran = version.manage("migrate", check=False)
        if not ran.returncode:
            break
    return ran


def write_next_version(folder):
    """Create an app with migrations of the shop's tables, next to the current shop."""
    migrations = folder / "next_version" / "migrations"
    migrations.mkdir(parents=True)
    for package in (migrations.parent, migrations):
        (package / "__init__.py").touch()
    (migrations.parent / "settings.py").write_text(
        "from omachemainproj.settings import *\n"
        "INSTALLED_APPS = [*INSTALLED_APPS, 'next_version']\n"
    )
    after = [(app, "__latest__") for app in ("accounts", "products", "orders", "payments")]
    for name, (atomic, sql) in NEXT.items():
        text = MIGRATION.format(atomic=atomic, after=after, sql=sql)
        (migrations / f"{name}.py").write_text(text)
        after = [("next_version", name)]


@contextmanager
def another_database():
    """An empty database of its own, whose tables no other test uses."""
    name = f"{connection.settings_dict['NAME']}_upgraded"
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(url_of_test_database())._replace(path=f"/{name}"))
    finally:
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def in_use(url, table):
    """Read a table in a slow transaction, until the context ends or IN_USE is over."""
    with psycopg.connect(url) as reader:
        reader.execute(f"SELECT count(*) FROM {table}")
        over = threading.Timer(IN_USE, reader.rollback)
        over.start()
        yield
        over.cancel()
        over.join()


@contextmanager
def visitors(version):
    """Three clients that browse and buy; yields the status and code of every answer."""
    answers, left = [], threading.Event()
    buyer = Person(version.address, f"looker.{secrets.token_hex(4)}", OWN_WORDS)
    buyer.register()

    def look_around():
        paths = itertools.cycle(["/", "/product/kitchen/", "/track/order/", "/readyz/"])
        while not left.wait(0.05):
            status, said = buyer.ask("GET", next(paths))
            answers.append((status, said.get("code") if isinstance(said, dict) else None))

    def join():
        while not left.wait(0.5):
            sent = {"username": f"n.{secrets.token_hex(6)}", "password1": OWN_WORDS}
            sent |= {"password2": OWN_WORDS, "email": f"{sent['username']}@omache.example"}
            status, said = call("POST", f"{version.address}/registration/", sent)
            answers.append((status, said.get("code") if isinstance(said, dict) else None))

    threads = [threading.Thread(target=work) for work in (look_around, look_around, join)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        left.set()
        for thread in threads:
            thread.join()


@contextmanager
def longest_wait(url):
    """Yields the longest wait for a lock, in seconds, measured repeatedly.

    Ignores concurrent migrations: CREATE INDEX CONCURRENTLY waits for transactions, and blocks
    nobody.
    """
    waited, left = [0.0], threading.Event()

    def look():
        with psycopg.connect(url, autocommit=True) as watcher:
            while not left.wait(0.1):
                (seconds,) = watcher.execute(
                    "SELECT extract(epoch FROM max(clock_timestamp() - waitstart))"
                    " FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
                ).fetchone()
                waited.append(float(seconds or 0))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield waited
    finally:
        left.set()
        thread.join()


def add_staff(version):
    """Add an agent, with a password hash production can read."""
    version.manage("shell", "-c", "from products.demo.seed import add_people; add_people()")


def trade(one, other, mpesa):
    """Register, list, buy, pay, have it fetched, be paid; the first version runs the clock."""
    one.clock.stop()
    other.clock.stop()
    one.clock.start()
    mark, both, phones = secrets.token_hex(4), (one, other), Phones(mpesa.url)
    seller, buyer = (
        Visitor(both, f"{who}.{mark}", f"ngoma ya {mark}") for who in ("seller", "buyer")
    )
    agent = Visitor(both, "delivery")
    seller.register()
    listed = seller.post("/create/", goods(mark))
    buyer.register()
    phone = f"2547{int(mark, 16) % 10**7:07}5"
    order = buyer.cash_out(phone, (listed["id"], 2))
    paid = buyer.await_order(order, is_now="paid")
    agent.post(f"/track/{paid['order'][0]['id']}/move/", {"to": "fetched"})
    await_payout(phones, goods(mark)["payment_mpesa_number"])


def goods(mark):
    phone = f"2541{int(mark, 16) % 10**7:07}5"
    listed = {"name": f"Enamel mug {mark}", "category": "kitchen", "price": PRICE}
    return listed | {"item_number": 5, "payment_mpesa_number": phone}


def await_payout(phones, phone):
    """Wait until M-Pesa has paid a seller."""
    deadline = time.monotonic() + PATIENCE
    while not (sent := sent_to(phones, phone)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert sent == [2 * PRICE * (100 - COMMISSION) // 100]


def sent_to(phones, phone):
    entries = phones.books()["entries"]
    return [
        each["amount"] for each in entries if (each["direction"], each["phone"]) == ("out", phone)
    ]


def assert_proven(*versions):
    """Both versions' rules pass, including the comparison with M-Pesa's books."""
    for version in versions:
        version.clock.stop()
    for version in versions:
        proven = version.manage("prove", "--against-simulator", check=False)
        assert proven.returncode == 0, proven.stdout + proven.stderr
