"""The released version and this one serve side by side over one database, as in each upgrade.

Real processes of both: a web and a clock each, and each step of a purchase is answered by the
other. In the end either finds the books in order.
"""

import itertools
import secrets
import time
from contextlib import ExitStack

import pytest

from daraja_simulator import Simulator
from payments.demo.api_client import Person, Phones
from payments.demo.processes import free_port
from products.demo.seed import PASSWORD
from tools.soak.machine import clock, environment, gunicorn, manage

from .proxied import url_of_test_database
from .versions import ROOT, lay_out, released_commit

pytestmark = pytest.mark.skipif(
    not released_commit(), reason="the history of git, with the last release, is not installed"
)
PRICE, COMMISSION = 700, 5
#: Seconds that anything may take here, on a machine with much else to do.
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
    """Somebody whom another version answers each time."""

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
    """Gives both, by the database they are to share: the released one, and this."""
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
            # What one asked of M-Pesa the other is told.
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


def add_staff(version):
    """Add who fetches, with a password that production can read."""
    version.manage("shell", "-c", "from products.demo.seed import add_people; add_people()")


def trade(one, other, mpesa):
    """Join, list, buy, pay, have it fetched, be paid; the clock is the first one's."""
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
    """Nothing that either knows to ask is wrong, with M-Pesa's books too."""
    for version in versions:
        version.clock.stop()
    for version in versions:
        proven = version.manage("prove", "--against-simulator", check=False)
        assert proven.returncode == 0, proven.stdout + proven.stderr
