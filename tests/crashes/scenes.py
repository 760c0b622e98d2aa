"""Scenes: what is about to happen when the process is killed, with a separate order for each crash.

A scene is prepared by a process that lives; ``run`` is the part that may be killed. Each has its
own phone, buyer and goods, so that hundreds of them are settled together.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from django.utils import timezone

from daraja_simulator.tests.waiting import wait_until
from orders.cashout import LineRequest, place_order
from orders.delivery.destinations import Destination
from orders.fulfilment_actions import move_line_for
from orders.lifecycle import cancel_order, expire_order
from orders.models import DeliveryRate, Order, OrderTrack, PickupPoint
from orders.parcels.actions import move_parcel_for
from orders.problems.services import open_problem
from payments.disbursement import process_payout, process_refund
from payments.models import OrderPayment, Payout, Transfer
from payments.refunds.services import refund_excess
from products.models import Product, StockMovement
from tests.factories import ProductFactory, UserFactory
from tests.orders.deliveries import a_point, a_rate
from tests.payments.bodies import success
from tests.shopping import an_order, body

PRICE, NUMBER, STOCK = 150, 2, 5
AMOUNT, FEE = PRICE * NUMBER, 100

_phones = (f"2547{number:08d}" for number in count(11_000_000))


@dataclass
class Scene:
    """One order with its phone and goods, and the process that will be killed."""

    phone: str
    goods: Product
    buyer: object
    run: Callable[..., dict]
    #: Who moves the goods.
    rider: object = None

    @property
    def order(self) -> Order | None:
        return Order.objects.filter(buyer=self.buyer).first()

    @property
    def line(self) -> OrderTrack:
        return OrderTrack.objects.get(order__buyer=self.buyer)

    def went(self, simulator, direction: str) -> list[int]:
        """What M-Pesa moved for this phone."""
        return _moved(simulator, self.phone, direction)

    def went_to_seller(self, simulator) -> list[int]:
        return _moved(simulator, self.goods.payment_mpesa_number, "out")


def _moved(simulator, phone: str, direction: str) -> list[int]:
    entries = simulator.books()["entries"]
    of_phone = [entry for entry in entries if entry["phone"] == phone]
    return [entry["amount"] for entry in of_phone if entry["direction"] == direction]


def cash_out(shop, simulator) -> Scene:
    """A buyer is about to place an order, and will pay."""
    scene = _people()
    asked = json.dumps(body((scene.goods, NUMBER), phone=scene.phone)).encode()
    scene.run = partial(
        shop.request, "POST", "/cashout/", asked,
        phases=["cash-out"], buyer=scene.buyer, key=scene.phone,
    )  # fmt: skip
    return scene


def callback(shop, simulator) -> Scene:
    """The buyer has paid, and M-Pesa is about to report it."""
    scene = _people()
    simulator.script(phone=scene.phone, callbacks=0)
    payment = _prompted(simulator, scene)
    scene.run = _posted(shop, payment.callback_token, _callback_body(simulator, payment))
    return scene


def late_callback(shop, simulator) -> Scene:
    """The same, but the order was cancelled in the meantime and its goods are gone."""
    scene = callback(shop, simulator)
    cancel_order(scene.order.pk, cancelled_by="staff")
    Product.objects.filter(pk=scene.goods.pk).update(item_number=0)
    StockMovement.objects.create(product=scene.goods, quantity=-STOCK, reference="lost")
    return scene


def expiry(shop, simulator) -> Scene:
    """The buyer has not paid, the time is over, and someone opens the order."""
    scene = _people()
    order = _unanswered(simulator, scene)
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())
    scene.run = partial(
        shop.request, "GET", f"/cashout/{order.order_token}/",
        phases=["expiry"], buyer=scene.buyer,
    )  # fmt: skip
    return scene


def owe(shop, simulator) -> Scene:
    """Half the money was paid manually, the order expired, and the clock is about to refund it."""
    scene = _people()
    order = _unanswered(simulator, scene)
    _pay(simulator, scene, order, PRICE)
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(expires_at=now)
    expire_order(order.pk, now=now)
    scene.run = partial(
        shop.call, "payments.refunds.services.refund_excess", order.pk, phase="refund, owe"
    )
    return scene


def send_reversal(shop, simulator) -> Scene:
    """That refund is due, and the clock is about to send it: a reversal."""
    scene = owe(shop, simulator)
    refund_excess(scene.order.pk)
    return _sending(shop, scene, "refund, send by reversal")


def send_b2c(shop, simulator) -> Scene:
    """The buyer paid KES 50 too much, and the clock is about to send them to the phone."""
    scene = _people()
    order = _unanswered(simulator, scene)
    _pay(simulator, scene, order, AMOUNT + 50)
    # M-Pesa was queried, and the payment still stands.
    order.refunds.update(receipt_checked_at=timezone.now())
    return _sending(shop, scene, "refund, send by B2C")


def result_of_reversal(shop, simulator) -> Scene:
    """M-Pesa has reversed the half, and is about to report it."""
    return _resulting(shop, simulator, send_reversal(shop, simulator), "reversal")


def result_of_b2c(shop, simulator) -> Scene:
    """M-Pesa has paid the phone, and is about to report it."""
    return _resulting(shop, simulator, send_b2c(shop, simulator), "b2c")


def fetch(shop, simulator) -> Scene:
    """A parcel is paid for, and an agent is about to collect it: its seller has earned it then."""
    scene = _bought(simulator, brought=True)
    return _deliver_parcel(shop, scene, "move", {"to": "fetched"}, "fetch")


def hand_over(shop, simulator) -> Scene:
    """A parcel is at its pick-up point, and is about to be handed over with its buyer's code."""
    scene = _bought(simulator, brought=True)
    for to in ("fetched", "shipping", "arrived"):
        move_parcel_for(scene.line.parcel, to, actor=scene.rider, note="Seen.")
    code = {"to": "delivered", "code": scene.line.collection_code}
    return _deliver_parcel(shop, scene, "move", code, "hand over")


def send_payout(shop, simulator) -> Scene:
    """Goods were collected, and the clock is about to pay their seller."""
    scene, payout = _owed(simulator)
    scene.run = partial(
        shop.call, "payments.disbursement.process_payout", payout.pk, phase="payout, send"
    )
    return scene


def result_of_payout(shop, simulator) -> Scene:
    """M-Pesa has paid the seller, and is about to report it."""
    scene, payout = _owed(simulator)
    simulator.script(operation="b2c", phone=payout.phone, callbacks=0)
    process_payout(payout.pk)
    return _post_transfer_result(shop, simulator, scene, payout, "payout, result")


def agree_to_refund(shop, simulator) -> Scene:
    """There is a problem with collected goods, and the seller is about to refund them in full."""
    scene, _ = _owed(simulator)
    open_problem(scene.line.pk, buyer=scene.buyer, kind="damaged", text="It is broken.")
    scene.run = partial(
        shop.request, "POST", f"/track/{scene.line.pk}/problem/accept/", b"{}",
        phases=["agree"], buyer=scene.goods.seller,
    )  # fmt: skip
    return scene


def _bought(simulator, *, brought: bool = False) -> Scene:
    """A paid order of two items, to be delivered to a pick-up point or not."""
    scene = _people()
    scene.rider = UserFactory(is_superuser=True)
    to = None
    if brought:
        to = Destination(pickup_point=(PickupPoint.objects.first() or a_point()).pk)
        if not DeliveryRate.objects.exists():
            a_rate(fee=FEE)
    order = place_order(
        buyer=scene.buyer,
        lines=[LineRequest(scene.goods.pk, NUMBER)],
        mpesa_number=scene.phone,
        idempotency_key=scene.phone,
        delivery=to,
    ).order
    assert simulator.wait_until_quiet(10)
    wait_until(Order.objects.filter(pk=order.pk, payment_status="paid").exists)
    return scene


def _owed(simulator) -> tuple[Scene, Payout]:
    """A collected order whose payout is due."""
    scene = _bought(simulator)
    move_line_for(scene.line, "fetched", actor=scene.rider, note="Seen.")
    due = Payout.objects.filter(shares__track=scene.line)
    wait_until(due.exists)
    return scene, due.get()


def _deliver_parcel(shop, scene, what, sent, phase) -> Scene:
    scene.run = partial(
        shop.request, "POST", f"/deliveries/{scene.line.parcel_id}/{what}/",
        json.dumps(sent).encode(), phases=[phase], buyer=scene.rider,
    )  # fmt: skip
    return scene


def _people() -> Scene:
    goods = ProductFactory(
        price=PRICE, item_number=STOCK, payment_mpesa_number=next(_phones), seller=UserFactory()
    )
    return Scene(next(_phones), goods, UserFactory(), dict)


def _prompted(simulator, scene) -> OrderPayment:
    order = an_order(scene.buyer, (scene.goods, NUMBER), phone=scene.phone)
    assert simulator.wait_until_quiet()
    return order.payments.get()


def _unanswered(simulator, scene) -> Order:
    """An order whose prompt was cancelled."""
    simulator.script(phone=scene.phone, outcome="cancelled")
    order = _prompted(simulator, scene).order
    wait_until(order.payments.filter(status="failed").exists)
    return order


def _pay(simulator, scene, order, amount) -> None:
    assert simulator.pay_by_hand(scene.phone, amount, order.reference)["result_code"] == "0"
    wait_until(order.receipts.exists)


def _callback_body(simulator, payment) -> bytes:
    """The callback of a paid prompt, as M-Pesa would have sent it."""
    entry = next(
        entry
        for entry in simulator.books()["entries"]
        if entry["checkout_request_id"] == payment.checkout_request_id
    )
    return json.dumps(success(payment, receipt=entry["receipt"])).encode()


def _sending(shop, scene, phase) -> Scene:
    refund = scene.order.refunds.get()
    scene.run = partial(shop.call, "payments.disbursement.process_refund", refund.pk, phase=phase)
    return scene


def _resulting(shop, simulator, scene, operation) -> Scene:
    simulator.script(operation=operation, phone=scene.phone, callbacks=0)
    refund = scene.order.refunds.get()
    process_refund(refund.pk)
    return _post_transfer_result(shop, simulator, scene, refund, f"refund, result of {operation}")


def _post_transfer_result(shop, simulator, scene, row: Transfer, phase: str) -> Scene:
    """M-Pesa has made the transfer, and is about to post the result that it withheld."""
    assert simulator.wait_until_quiet()
    row.refresh_from_db()
    ended = next(
        asked for asked in simulator.conversations()
        if asked["conversation_id"] == row.conversation_id
    )  # fmt: skip
    result = {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": ended["originator_conversation_id"],
        "ConversationID": ended["conversation_id"],
        "TransactionID": ended["receipt"],
    }
    body = json.dumps({"Result": result}).encode()
    scene.run = _posted(shop, row.callback_token, body, of=phase)
    return scene


def _posted(shop, token, told, *, of="callback"):
    return partial(
        shop.request, "POST", f"/safwebhook/{token}/", told,
        phases=[f"{of}, ingest", f"{of}, apply"],
    )  # fmt: skip
