"""A shop that sends SMS, carriers that do as they are told, and people who have proven theirs."""

import pytest

from accounts.preferences import change_preferences
from daraja_simulator import Simulator
from omachemainproj.sms.errors import MaybeSent, NotSent
from orders.models.notifications import Message, Notice, NotificationKind
from orders.notifications import channels
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import ProductFactory, UserFactory, proven
from tests.guards import balanced_books, no_network_in_transactions, open_transaction  # noqa: F401
from tests.payments.fakes import FakeDaraja
from tests.shopping import PHONE, an_order


@pytest.fixture(autouse=True)
def _watched(balanced_books, no_network_in_transactions):  # noqa: F811
    pass


@pytest.fixture(autouse=True)
def daraja(monkeypatch):
    """M-Pesa, which accepts every prompt and never reports a result."""
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


class Carrier:
    """Accepts every SMS, unless ``trouble`` is set."""

    def __init__(self):
        self.sent = []
        self.trouble = None

    def send(self, *, phone, text):
        assert not open_transaction(), "an SMS was sent inside a transaction"
        self.sent.append((phone, text))
        if self.trouble:
            raise self.trouble
        return f"ATXid_{len(self.sent)}"


@pytest.fixture
def carrier(settings, monkeypatch):
    """SMS are on, and this is their provider."""
    settings.SMS = "console"
    carrier = Carrier()
    monkeypatch.setattr(channels, "sms_provider", lambda: carrier)
    return carrier


NOT_NOW = NotSent("HTTP 503", retryable=True)
NEVER = NotSent("403 InvalidPhoneNumber", retryable=False)
SILENCE = MaybeSent("no answer (ReadTimeout)")


@pytest.fixture
def buyer(db):
    wanjiku = UserFactory(username="wanjiku", email="wanjiku@example.com", first_name="Wanjiku")
    return proven(wanjiku, PHONE)


@pytest.fixture
def seller(db):
    return proven(UserFactory(username="amina", email="amina@example.com"), "254722000000")


@pytest.fixture
def order(buyer, kettle):
    """Two kettles, KES 3,000, not paid yet."""
    return an_order(buyer, (kettle, 2))


@pytest.fixture
def pan(seller):
    return ProductFactory(seller=seller, name="Pan", price=700)


def pay(order):
    told = AttemptOutcome(True, "0", "", "callback", order.amount, f"SGL{order.pk:07d}")
    record_outcome(order.payments.get().pk, told)
    order.refresh_from_db()
    return order


def fail(order, code="2001"):
    record_outcome(order.payments.get().pk, AttemptOutcome(False, code, "", "callback"))


def wish(user, **wishes):
    change_preferences(user, wishes)


def codes(order):
    return [track.collection_code for track in order.tracks.order_by("pk")]


def a_message(order, **changed):
    """An SMS to the buyer that is due now."""
    kind = changed.get("kind", NotificationKind.PAID)
    notice, _ = Notice.objects.get_or_create(
        key=f"test:{kind}:{order.pk}",
        defaults={"kind": kind, "order": order, "composed_at": order.created_at},
    )
    fields = {
        "notice": notice,
        "user": order.buyer,
        "kind": NotificationKind.PAID,
        "channel": "sms",
        "language": "en",
        "contact": order.mpesa_number,
        "text": "Paid.",
        "next_try_at": order.created_at,
    }
    return Message.objects.create(**fields | changed)


@pytest.fixture
def phones(settings):
    """A pretend Africa's Talking, over real HTTP."""
    with Simulator(port=0) as simulator:
        settings.SMS = "africastalking"
        settings.AFRICASTALKING_BASE_URL = simulator.url
        settings.AFRICASTALKING_USERNAME = "omache"
        settings.AFRICASTALKING_API_KEY = "simulator-sms-key"
        settings.AFRICASTALKING_SENDER_ID = "O-MACHE"
        yield simulator
