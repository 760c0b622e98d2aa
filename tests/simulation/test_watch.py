"""The simulation's checks find what is wrong, and accept a correct state."""

from types import SimpleNamespace

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from daraja_simulator.clock import Clock
from daraja_simulator.events import EventLog
from orders.fulfilment import move_line
from orders.models import ParcelEvent, ParcelStep, TrackEvent
from payments.models import Payout, TransferStatus
from payments.payouts import allocation
from payments.payouts.balances import SellerBalance
from payments.transfers import mark_done
from products.models import Product
from tests.factories import ProductFactory, UserFactory
from tests.orders.deliveries import paid_delivery
from tests.shopping import fetched_line
from tools.simulation.watch import Watch, duplicate_messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def found():
    return []


@pytest.fixture
def watch(found):
    return Watch(found.append)


@pytest.fixture
def kettle():
    return ProductFactory(price=1500, item_number=9)


@pytest.fixture
def line(kettle):
    return fetched_line(UserFactory(), kettle)


@pytest.fixture
def paid_out(line):
    """A line whose seller was paid out."""
    allocation.create_payouts(line.seller_id)
    payout = Payout.objects.get()
    Payout.objects.update(status=TransferStatus.SENT)
    payout.refresh_from_db()
    mark_done(payout, number="SGP0000001")
    return payout


@pytest.fixture
def indebted(line, paid_out):
    """The same, with the line cancelled afterwards."""
    staff = UserFactory(is_superuser=True)
    move_line(line.pk, "cancelled", actor=staff, note="It broke.", goods_there=False)
    return line.seller


def test_a_correct_state_is_accepted(watch, found, paid_out, line):
    watch.look()
    watch.look()

    assert found == []


def test_a_debt_deducted_from_the_next_payout_is_accepted(watch, found, indebted, kettle):
    watch.look()
    fetched_line(UserFactory(), kettle)
    allocation.create_payouts(indebted.pk)
    watch.look()

    assert found == []


def test_a_forgotten_debt_is_found(watch, found, indebted, kettle, monkeypatch):
    watch.look()
    monkeypatch.setattr(allocation, "balance_of", lambda seller_id: SellerBalance(0, 0, 0))
    fetched_line(UserFactory(), kettle)
    allocation.create_payouts(indebted.pk)
    watch.look()

    assert [what for what in found if "is sent KES 1500 and owes 1500" in what]


def test_a_payout_that_is_sent_twice_is_found(watch, found, paid_out):
    Payout.objects.create(
        seller=paid_out.seller, phone=paid_out.phone, gross=1500, amount=1500, next_check_at=None
    )
    watch.look()

    assert [what for what in found if "owes KES 1500 without a cause" in what]


def test_goods_that_are_handed_over_twice_are_found(watch, found, line):
    for _ in range(2):
        TrackEvent.objects.create(track=line, track_status="delivered", note="Seen.")
    watch.look()

    assert found == [f"line {line.pk} became delivered 2 times"]


def test_a_parcel_with_two_holders_is_found(watch, found, kettle):
    parcel = paid_delivery(UserFactory(), (kettle, 1)).parcels.get()
    for agent in (UserFactory(), UserFactory()):
        ParcelEvent.objects.create(parcel=parcel, step=ParcelStep.CLAIMED, agent=agent, actor=agent)
    watch.look()

    assert len([what for what in found if what.startswith(f"parcel {parcel.pk} ")]) == 2


def test_stock_that_no_movement_explains_is_found(watch, found, kettle):
    Product.objects.filter(pk=kettle.pk).update(item_number=8)
    watch.look()

    assert found == [f"{kettle}: 8 on the shelf, 9 by its movements"]


def test_a_line_that_moves_backwards_is_found(watch, found, line):
    watch.look()
    type(line).objects.filter(pk=line.pk).update(track_status="paid")
    watch.look()

    assert found == [f"line {line.pk} went from fetched to paid"]


def test_a_message_sent_twice_is_found():
    mail.outbox[:] = [EmailMessage("Paid", "Paid.", to=["wanjiku@example.com"])]
    events = EventLog(Clock())
    events.add("sms", phone="254712345678", status_code=403, text="Never left.")
    safaricom = SimpleNamespace(world=SimpleNamespace(events=events))

    assert list(duplicate_messages(safaricom)) == [
        "wanjiku@example.com was told 1 times of 0: 'Paid.'"
    ]
