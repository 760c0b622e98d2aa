"""What people do: buyers, payers on their phones, strangers, staff, and the clock."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.backoffice import audit
from accounts.models import User
from daraja_simulator.control import ControlError
from omachemainproj.api.errors import Refusal
from orders.lifecycle import cancel_order
from orders.models import Order
from payments import clock
from payments.backoffice import transfer_services
from payments.models import GatewayEvent
from products.models import Product, StockMovement

from .faults import ASYNC_FAULTS, C2B_FAULTS, PULL_FAULTS, PUSH_FAULTS, QUERY_FAULTS
from .goods import Goods
from .guests import Guests, buyer_of
from .network import SAFARICOM, STRANGER, Message
from .processes import DatabaseAway
from .reversals import Reversals
from .seed_data import PHONES, KnownOrder, SeedData, SentCashout

if TYPE_CHECKING:
    from .run import Run
#: The statuses an order may be seen in after each status. Money may come again for a refunded
#: one.
ONWARDS = {
    "requested": {"requested", "paid", "cancelled", "expired", "refund_due", "refunded"},
    "cancelled": {"cancelled", "paid", "refund_due", "refunded"},
    "expired": {"expired", "paid", "refund_due", "refunded"},
    "paid": {"paid", "refund_due", "refunded"},
    "refund_due": {"refund_due", "refunded"},
    "refunded": {"refunded", "refund_due"},
}


@dataclass
class Actors:
    """One method per kind of event; ``WEIGHTS`` says how often each is drawn."""

    run: Run
    data: SeedData
    orders: list[KnownOrder] = field(default_factory=list)
    sent_cashouts: list[SentCashout] = field(default_factory=list)
    hand_paid: int = 0

    WEIGHTS = {
        "cash_out": 20,
        "repeat_cash_out": 5,
        "poll": 8,
        "retry_payment": 8,
        "cancel": 3,
        "track": 1,
        "answer_phone": 22,
        "pay_by_hand": 3,
        "post_forgery": 5,
        "replay": 2,
        "tick": 14,
        "wait": 16,
        "wait_long": 2,
        "wait_for_deadline": 3,
        "restock": 2,
        "staff": 4,
        "set_float": 1,
        "script_fault": 14,
        "wallet": 1,
    }

    def act(self) -> None:
        """Perform one random event."""
        names = list(self.WEIGHTS)
        name = self.run.chance.choices(names, weights=list(self.WEIGHTS.values()))[0]
        self.run.log(f"{name}")
        getattr(self, name)()
        self.goods.act()
        self.reversals.act()

    @cached_property
    def goods(self) -> Goods:
        """Activities after a purchase."""
        return Goods(self.run, self.data.people)

    @property
    def guests(self) -> Guests:
        """Buyers who are not signed in."""
        return self.goods.guests

    @cached_property
    def reversals(self) -> Reversals:
        """Payments that customers have Safaricom reverse."""
        return Reversals(self.run, self.data.people)

    def cash_out(self) -> None:
        chance = self.run.chance
        buyer = None if self.guests.is_next() else chance.choice(self.data.buyers)
        stock = self.data.products + self.data.people.stall
        products = chance.sample(stock, chance.choice([1, 1, 2]))
        lines = [{"product": p.pk, "number": chance.choice([1, 1, 2, 4])} for p in products]
        sent: dict[str, Any] = {"order": lines, "mpesa_number": chance.choice(PHONES)}
        if to := self.goods.destination():
            sent["delivery"] = to
        asked = SentCashout(
            buyer, sent, f"key-{chance.getrandbits(40)}" if chance.happens(0.6) else ""
        )
        self._send(asked)

    def repeat_cash_out(self) -> None:
        keyed = [asked for asked in self.sent_cashouts if asked.key]
        if keyed:
            self._send(self.run.chance.choice(keyed))

    def _send(self, asked: SentCashout) -> None:
        if asked not in self.sent_cashouts:
            self.sent_cashouts.append(asked)
        headers = {"Idempotency-Key": asked.key} if asked.key else {}
        reply = self.run.shop.request(asked.buyer, "POST", "/cashout/", asked.sent, **headers)
        self._say("cash-out", reply)
        if reply is None or reply.status != 201:
            if reply and asked.token and reply.status != 503:
                self.run.fail(f"a repeated cash-out was answered {reply.status}")
            return
        if asked.token and reply.body["order_token"] != asked.token:
            self.run.fail("one key gave two orders")
        asked.token = reply.body["order_token"]
        self._see(reply.body)

    def poll(self) -> None:
        if order := self._some():
            self._visit(order, "GET", "")

    def retry_payment(self) -> None:
        if order := self._some("requested"):
            chance = self.run.chance
            sent = {"mpesa_number": chance.choice(PHONES)} if chance.happens(0.4) else {}
            self._visit(order, "POST", "pay/", sent)

    def cancel(self) -> None:
        if order := self._some("requested"):
            self._visit(order, "POST", "cancel/")

    def track(self) -> None:
        buyer = self.run.chance.choice(self.data.buyers)
        self._say("track", self.run.shop.request(buyer, "GET", "/track/order/"))

    def _visit(self, order: KnownOrder, method: str, what: str, sent: Any = None) -> None:
        path, before = f"/cashout/{order.token}/{what}", order.status
        buyer = buyer_of(order.token)
        reply = self.run.shop.request(buyer, method, path, sent)
        self._say(f"{method} {order.reference} {what}", reply)
        if reply is None:
            return
        # It may have joined an account in the meantime.
        if buyer is None and reply.status == 401 and buyer_of(order.token) is None:
            self.run.fail(f"a guest's order {order.reference} is hidden from its guest")
        if reply.status == 404:
            self.run.fail(f"order {order.reference} is gone")
        if reply.status == 200:
            self._see(reply.body, before)

    def _see(self, body: dict[str, Any], before: str = "") -> None:
        """Remember an order's status, and fail if it went backwards.

        A request that was overtaken may still see the status from ``before`` the other was
        answered: an answer is compared with what was known when the request was sent.
        """
        now = body["payment_status"]
        known = next((b for b in self.orders if b.token == body["order_token"]), None)
        if known is None:
            known = KnownOrder(body["order_token"], body["reference"], body["amount"], now)
            self.orders.append(known)
        before = before or now
        if now not in ONWARDS[before] or body["amount"] != known.amount:
            self.run.fail(f"order {known.reference} went from {before} to {now}")
        if now in ONWARDS[known.status]:
            known.status = now

    def _some(self, status: str = "") -> KnownOrder | None:
        orders = [b for b in self.orders if status in ("", b.status)]
        return self.run.chance.choice(orders[-6:]) if orders else None

    def answer_phone(self) -> None:
        safaricom, chance = self.run.safaricom, self.run.chance
        ringing = [p for p in PHONES if safaricom.phone(p)["rings"]]
        if not ringing:
            return
        phone = chance.choice(ringing)
        does = chance.choices(["pin", "wrong pin", "cancel"], weights=[8, 1, 1])[0]
        try:
            if does == "cancel":
                safaricom.cancel(phone)
            else:
                safaricom.enter_pin(phone, "0000" if does == "wrong pin" else None)
        except ControlError:
            does += ", too late"
        self.run.log(f"  {phone} {does}")
        if chance.happens(0.8):
            self.run.time.advance(chance.choice([0.1, 1, 3]))

    def pay_by_hand(self) -> None:
        chance = self.run.chance
        order = self._some()
        if order is None:
            return
        account = order.reference
        match chance.randrange(5):
            case 0:
                account = account[:3] + chance.choice("ACDEF34") + account[4:]
            case 1:
                account = chance.choice(["PAMOJA", "0712345678", account.lower(), f"{account} "])
        amount = order.amount + chance.choice([0, 0, 0, -1, 50])
        if amount < 1:
            return
        for _ in range(chance.choice([1, 1, 1, 2])):
            number = self.run.receiving.number_of_payer(chance)
            paid = self.run.safaricom.pay_by_hand(chance.choice(PHONES), amount, account, number)
            self.run.log(f"  by hand KES {amount} for {account!r}: {paid['result_code']}")
            self.hand_paid += paid["result_code"] == "0"

    def wallet(self) -> None:
        phone = self.run.chance.choice(PHONES)
        self.run.safaricom.set_wallet(phone, self.run.chance.choice([0, 100, 100_000]))

    def script_fault(self) -> None:
        """Script a fault for one of the next requests to Safaricom."""
        chance = self.run.chance
        who: dict[str, Any] = {"phone": chance.choice(PHONES)} if chance.happens(0.4) else {}
        kind = chance.random()
        if kind < 0.2:
            fault = {"operation": "stk_query", "query": chance.choice(QUERY_FAULTS)}
        elif kind < 0.45:
            operation = chance.choice(["b2c", "reversal", "reversal", "transaction_status"])
            fault = {"operation": operation, **chance.choice(ASYNC_FAULTS[operation])}
        elif kind < 0.55:
            who = {}
            fault = {"operation": "pull", **chance.choice(PULL_FAULTS)}
        elif kind < 0.65:
            fault = {"operation": "c2b", **chance.choice(C2B_FAULTS)}
        else:
            fault = dict(chance.choice(PUSH_FAULTS))
        if "paid_amount" in fault and self.run.sources:
            # M-Pesa was never seen to do this. If only the query reports it first, the shop
            # mistakes a later source's report for another payment.
            return
        self.run.log(f"  {who} {fault}")
        self.run.safaricom.script(times=chance.choice([1, 1, 2]), **{**who, **fault})

    def set_float(self) -> None:
        """Empty or fill the account refunds are paid from."""
        safaricom = self.run.safaricom
        amount = self.run.chance.choice([0, 1_000_000])
        safaricom.set_account(safaricom.config.b2c_shortcode, utility=amount)

    def post_forgery(self) -> None:
        """A stranger posts a forged message, knowing everything except the secret addresses."""
        chance = self.run.chance
        token = chance.choice(["", "0" * 32, f"{chance.getrandbits(128):032x}"])
        path = f"/safwebhook/{token}/" if token else "/safwebhook/"
        body = self._made_up()
        if chance.happens(0.2) and self.orders:
            path = f"/safwebhook/c2b/{token or 'guess'}/confirmation/"
            body = self._made_up_by_hand()
        elif chance.happens(0.1):
            path, body = "/safwebhook/bank/equity/", b'{"callbackType": "IPN"}'
        self._post(path, body, STRANGER)

    def _made_up_by_hand(self) -> bytes:
        chance = self.run.chance
        order = chance.choice(self.orders)
        confirmation = {
            "TransID": f"FAKE{chance.getrandbits(20):06d}"[:10],
            "TransTime": "20261123120000",
            "TransAmount": f"{order.amount}.00",
            "BusinessShortCode": self.run.receiving.number,
            "BillRefNumber": order.reference,
            "MSISDN": PHONES[0],
        }
        return json.dumps(confirmation).encode()

    def replay(self) -> None:
        """Repeat an earlier post: at its address, or at the bare one."""
        events = list(GatewayEvent.objects.order_by("pk"))
        if not events:
            return
        event = self.run.chance.choice(events)
        path = f"/safwebhook/{event.token}/" if event.token else "/safwebhook/"
        if event.source == "c2b":
            path = f"/safwebhook/c2b/{event.token}/confirmation/"
        if self.run.chance.happens(0.5):
            path = "/safwebhook/"
        is_theirs = event.remote_address == SAFARICOM
        self._post(path, bytes(event.body), SAFARICOM if is_theirs else STRANGER)

    def _post(self, path: str, body: bytes, address: str) -> None:
        self.run.network.post(Message(path, body, {}, address))

    def _made_up(self) -> bytes:
        chance = self.run.chance
        prompts = self.run.safaricom.prompts()
        if chance.happens(0.15) or not prompts:
            return chance.choice([b"", b"{}", b"[]", b"\xff\xfe", b'{"Body": null}', b"0" * 70_000])
        about = chance.choice(prompts)
        receipts = [entry.receipt for entry in self.run.safaricom.world.books.entries()]
        made_up = f"FAKE{chance.getrandbits(20):06d}"[:10]
        receipt = chance.choice([*receipts[-3:], made_up])
        amount = about["amount"] + chance.choice([0, 0, 0, 1, -1])
        callback: dict[str, Any] = {
            "MerchantRequestID": about["merchant_request_id"],
            "CheckoutRequestID": about["checkout_request_id"],
            "ResultCode": chance.choice([0, 0, 0, 1032, 4999]),
            "ResultDesc": "made up",
        }
        if chance.happens(0.2):
            callback["CheckoutRequestID"] = chance.choice([None, "", "ws_CO_0", 0])
        if callback["ResultCode"] == 0:
            callback["CallbackMetadata"] = {
                "Item": [
                    {"Name": "Amount", "Value": amount},
                    {"Name": "MpesaReceiptNumber", "Value": receipt},
                ]
            }
        return json.dumps({"Body": {"stkCallback": callback}}).encode()

    def tick(self) -> None:
        self.run.tick()

    def wait(self) -> None:
        self.run.time.advance(self.run.chance.choice([0.5, 2, 5, 10, 31, 61]))

    def wait_long(self) -> None:
        self.run.time.advance(self.run.chance.choice([125, 300, 901, 1900]))

    def wait_for_deadline(self) -> None:
        """Wait until just before or after an order expires, and look at it."""
        dates = Order.objects.unpaid().order_by("pk").values_list("expires_at", flat=True)
        if not dates:
            return
        chance = self.run.chance
        left = (chance.choice(list(dates)) - timezone.now()).total_seconds()
        if left > 0:
            self.run.time.advance(max(0.0, left + chance.choice([-3, -0.5, 0, 1])))
        chance.choice([self.tick, self.poll, self.retry_payment, self.answer_phone])()

    def overtake(self) -> None:
        """Run another process before the current one continues: the most interfering kinds."""
        name = self.run.chance.choice(OVERTAKERS)
        self.run.log(name)
        getattr(self, name)()

    def restock(self) -> None:
        product = self.run.chance.choice(self.data.products)
        number = self.run.chance.choice([1, 5])
        reference = f"restock-{self.run.chance.getrandbits(60)}"
        with transaction.atomic():
            StockMovement.objects.create(product=product, quantity=number, reference=reference)
            Product.objects.filter(pk=product.pk).update(item_number=F("item_number") + number)

    def staff(self) -> None:
        """Staff decide about a payment, a transfer or an unpaid order."""
        if self.run.chance.happens(0.8):
            self.goods.decide()
        elif order := self._some("requested"):
            unpaid = Order.objects.get(order_token=order.token)
            self.run.log(f"  staff cancel {order.reference}")
            self.run.processes.run("staff: cancel", self._by_staff, unpaid.pk)

    @staticmethod
    def _by_staff(order_id: int) -> None:
        with suppress(Refusal, DatabaseAway):
            cancel_order(order_id, cancelled_by="staff")

    def _say(self, what: str, reply: Any) -> None:
        result = f"{reply.status} {json.dumps(reply.body)[:100]}" if reply else "no answer"
        self.run.log(f"  {what}: {result}")


def run_clock() -> None:
    """Run one round of the shop's clock, as ``manage.py clock`` does."""
    clock.run_periodic()


#: Events that interfere most with a running process.
OVERTAKERS = [
    *["answer_phone", "pay_by_hand", "cancel", "retry_payment", "tick", "replay", "wait"],
    *["cash_out", "repeat_cash_out", "staff", "staff", "poll"],
]


def end_stop(stop_id: int) -> None:
    """End a payout stop, audited, as on the console."""
    keeper = User.objects.filter(username="keeper").first()
    if keeper is None:
        keeper = User.objects.create_superuser("keeper")
    stop = transfer_services.lift_payout_stop(stop_id)
    audit.log(keeper, "Resume outgoing payments", stop, action="console.stop.end")
