"""A healthy shop in which every movement of money has happened once."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.backoffice import audit
from orders.fulfilment import move_line
from orders.lifecycle import cancel_order
from orders.models.notifications import Notice
from orders.notifications.composing import compose
from orders.notifications.sending import deliver_notifications
from payments import clock
from payments.backoffice import receipt_services, transfer_services
from payments.models import AccessToken, GatewayEvent, Payout, PayoutStop, Refund
from tests.factories import ProductFactory, UserFactory
from tests.payments.bodies import by_hand, post, post_c2b, success
from tests.payments.conftest import ringing
from tests.payments.paying_out import post_result, run_clock_without_waits
from tests.shopping import an_order


def trade(buyer, settings):
    """Goods of two sellers are bought and fetched, and most payouts and notifications are sent.

    One payout was large and was approved; one receipt is in suspense, and one went back.
    """
    settings.SMS = "console"
    settings.PAYOUT_APPROVAL_ABOVE = 2500
    settings.COMMISSION_PERCENT = 10
    client = Client()
    amina, baraka = UserFactory(username="amina"), UserFactory(username="baraka")
    kettle = ProductFactory(seller=amina, price=1500)
    pan = ProductFactory(seller=baraka, price=1500)
    drill = ProductFactory(seller=baraka, price=3000, payment_mpesa_number="254722000009")
    agent = UserFactory(username="agent", is_superuser=True, is_staff=True)
    keeper = UserFactory(username="keeper", is_superuser=True, is_staff=True)
    lines = []
    for number, product in enumerate((kettle, pan, drill)):
        order = an_order(buyer, (product, 1))
        paid = ringing(order.payments.get(), f"ws_CO_{number}")
        post(client, paid, success(paid, receipt=f"SHK{number:07d}"))
        lines.append(order.tracks.get())
    clock.process_stored_events(timezone.now() + timedelta(minutes=1))
    for line in lines:
        move_line(line.pk, "fetched", actor=agent)
    run_clock_without_waits()
    large = Payout.objects.get(needs_approval=True)
    transfer_services.approve_payout(large.pk, by=keeper)
    audit.log(keeper, "Approve the payout", large, action="console.payout.approve", why="Seen.")
    run_clock_without_waits()
    for payout in Payout.objects.order_by("pk"):
        post_result(payout)
    _give_back(client, buyer, kettle, keeper)
    _stop_and_go_on(keeper)
    post_c2b(client, by_hand("nobody's", 700, receipt="SHC0000009"))
    client.post("/safwebhook/", {"hello": 1}, content_type="application/json")
    clock.process_stored_events(timezone.now() + timedelta(minutes=1))
    aside = GatewayEvent.objects.get(source="prompt", payment=None, refund=None, payout=None)
    receipt_services.set_message_aside(aside.pk)
    audit.log(keeper, "Set it aside", aside, action="console.message.aside", why="Noise.")
    AccessToken.objects.create(
        account="a" * 64, token="t", good_until=timezone.now() + timedelta(hours=1)
    )
    # The other notifications are composed but not sent.
    deliver_notifications(lines[0].order_id)
    for notice in Notice.objects.to_compose():
        compose(notice.pk)


def _give_back(client, buyer, kettle, keeper):
    """A cancelled order is paid manually and refunded by a reversal."""
    order = an_order(buyer, (kettle, 2))
    cancel_order(order.pk, cancelled_by="buyer")
    post_c2b(client, by_hand(order.reference, 3000, receipt="SHC0000001"))
    clock.process_stored_events(timezone.now() + timedelta(minutes=1))
    Refund.objects.update(next_check_at=timezone.now())
    clock.run_periodic(timezone.now() + timedelta(minutes=1))
    post_result(Refund.objects.get(), number="TKR0000001", amount=3000)


def _stop_and_go_on(keeper):
    PayoutStop.objects.stop_transfers("The initiator is locked.")
    stop = PayoutStop.objects.get()
    transfer_services.lift_payout_stop(stop.pk)
    audit.log(keeper, "Resume outgoing payments", stop, action="console.stop.end", why="Renewed.")
