"""Fixtures of the shop and M-Pesa: a fake client, or the simulator over real HTTP."""

import time

import pytest

from daraja_simulator import Simulator
from daraja_simulator.tests.waiting import PATIENCE
from payments import gateway
from payments.models import AttemptStatus, GatewayEvent, OrderPayment
from tests.factories import ProductFactory
from tests.guards import balanced_books, no_network_in_transactions  # noqa: F401
from tests.shopping import an_order

from .bodies import post, success
from .fakes import FakeDaraja
from .reversals import PAID


@pytest.fixture(autouse=True)
def _watched(balanced_books, no_network_in_transactions, monkeypatch):  # noqa: F811
    # Without a server, a token is requested twice: not half a second apart.
    monkeypatch.setattr("payments.daraja.connection.BACKOFF_SECONDS", 0)


@pytest.fixture
def daraja(monkeypatch):
    """A fake M-Pesa that accepts every prompt and reports nothing."""
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


@pytest.fixture
def reference():
    """The order's reference, for a test to override."""
    return


@pytest.fixture
def order(buyer, kettle, reference):
    """An unpaid order of two of five kettles, KES 3,000."""
    return an_order(buyer, (kettle, 2), reference=reference)


@pytest.fixture
def payment(order):
    """The attempt for that order, with its prompt open."""
    return ringing(order.payments.get())


def ringing(payment: OrderPayment, checkout: str = "ws_CO_1") -> OrderPayment:
    """The attempt after M-Pesa accepted the request."""
    OrderPayment.objects.filter(pk=payment.pk).update(
        status=AttemptStatus.SUBMITTED,
        rung_at=payment.created_at,
        shortcode="174379",
        next_check_at=payment.created_at,
        merchant_request_id=f"m-{checkout}",
        checkout_request_id=checkout,
    )
    payment.refresh_from_db()
    return payment


@pytest.fixture
def simulator_habits():
    """Settings of the simulator, for a file to override."""
    return {}


@pytest.fixture
def simulator(live_server, settings, simulator_habits):
    """A simulator whose callbacks reach the shop, and whose prompts are paid immediately."""
    habits = {
        "port": 0,
        "default": "success",
        "decide_after": 0.02,
        "newest_token_only": True,
        # A slow answer on a loaded machine must not count as none.
        "callback_timeout": PATIENCE,
        "validation_timeout": PATIENCE,
        **simulator_habits,
    }
    with Simulator(**habits) as simulator:
        settings.DARAJA_BASE_URL = simulator.url
        settings.DARAJA_CALLBACK_BASE_URL = live_server.url
        yield simulator
        # Includes what a test scheduled for later, which does not come.
        simulator.wait_until_quiet(5)
        _wait_for(lambda: not GatewayEvent.objects.filter(state="new", tries=0).exists(), 1.0)
    gateway._client.cache_clear()


@pytest.fixture
def initiator_certificate(simulator, settings, tmp_path):
    """The certificate with which the shop can send money through the simulator."""
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(simulator.certificate)
    settings.DARAJA_CERTIFICATE = str(certificate)


@pytest.fixture
def c2b_urls(simulator):
    """The shop's addresses for payments by hand, registered at the simulator."""
    gateway.daraja().register_c2b_urls(
        confirmation_url=gateway.c2b_url("confirmation"),
        validation_url=gateway.c2b_url("validation"),
    )


def settled(simulator, *, events=1):
    """Wait until the simulator is quiet and the shop has processed N messages."""
    assert simulator.wait_until_quiet()
    kept = GatewayEvent.objects.all()
    done = _wait_for(
        lambda: kept.count() >= events and not kept.filter(state="new").exists(), PATIENCE
    )
    assert done, f"not settled: {list(kept.values('state', 'note'))}"


def _wait_for(condition, timeout: float) -> bool:
    deadline = time.perf_counter() + timeout
    while not (met := condition()) and time.perf_counter() < deadline:
        time.sleep(0.01)
    return bool(met)


@pytest.fixture
def paid(client, buyer, kettle, blender, daraja):
    """A paid order of two lines, KES 1,500 and KES 2,000, by the receipt SGL7654321."""
    order = an_order(buyer, (kettle, 1), (blender, 1))
    payment = ringing(order.payments.get())
    post(client, payment, success(payment, receipt=PAID))
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return order


@pytest.fixture
def blender(seller):
    return ProductFactory(seller=seller, item_number=4, price=2000)
