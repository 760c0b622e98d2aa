"""The demo's story: orders in every state, including failed payments and returned goods.

Each chapter is an order with its own idempotency key, named after its method (so do not rename
those), and is played only once. Everything happens through the API and the phones, so the
simulator's books stay complete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from orders.models import Order, OrderTrack
from payments.models import Receipt, StatementPull
from products.demo.seed import BUYERS, KEEPERS, PASSWORD, SELLERS, STAFF
from products.models import Product

from .api_client import TIMEOUT, DemoError, Person, Phones
from .scenarios import move

#: The account number and the phone of a payment for no order.
MISTYPED, STRANGER = "NYUMBA7", "254733444555"
#: A phone that can pay but cannot be paid: its ending 2040 means that to the simulator.
UNREACHABLE = "254711002040"
#: The pick-up point that has a keeper.
(KILIMANI,) = KEEPERS
#: Seconds that M-Pesa takes for the payout in progress.
THINKING = 3600


class Story:
    """The users of the story, and its chapters in order."""

    def __init__(self, shop: str, mpesa: str) -> None:
        names = (*SELLERS, *BUYERS, *STAFF, *KEEPERS.values())
        self._people = {name: Person(shop, name, PASSWORD) for name in names}
        self._phones = Phones(mpesa)

    def play(self) -> Iterator[str]:
        """Play the chapters that were not played yet, and yield a sentence about each.

        Raises DemoError if the shop behaves unexpectedly.
        """
        played = set(
            Order.objects.filter(
                buyer__username__in=BUYERS, idempotency_key__startswith="story-"
            ).values_list("idempotency_key", flat=True)
        )
        for chapter in self._chapters():
            key = f"story-{chapter.__name__.strip('_')}"
            if key not in played:
                yield chapter(key)
        if not Receipt.objects.filter(reference=MISTYPED).exists():
            yield self._unmatched_payment()
        if not Order.objects.unpaid().filter(buyer__username="wanjiku").exists():
            yield self._requested(f"story-requested-{time.time_ns()}")

    def _chapters(self) -> tuple[Callable[[str], str], ...]:
        return (
            self._delivered,
            self._disappointing,
            self._partly_returned,
            self._refunded,
            self._refund_due,
            self._paid,
            self._payout_under_way,
            self._payout_to_approve,
            self._shipping,
            self._cancelled,
            self._expired,
            self._short,
            self._over,
            self._collected,
            self._on_its_way_home,
            self._not_brought,
            self._put_right,
            self._wrong_size,
            self._free_to_take,
            self._taken_on,
            self._picked_up,
            self._at_the_point,
        )

    def _delivered(self, key: str) -> str:
        order = self._pays("wanjiku", key, ("Chai flask 2 L, unbreakable", 2))
        self._hand_over(order)
        self._review("wanjiku", order, 5, "Chai is still hot at four. Asante!", "Karibu tena!")
        return "Wanjiku has her chai flasks, and leaves a good review."

    def _disappointing(self, key: str) -> str:
        order = self._pays("otieno", key, ("Energy-saving charcoal jiko", 1))
        self._hand_over(order)
        opinion, answer = "The lining was cracked.", "Pole sana. Send it back, we refund you."
        self._review("otieno", order, 2, opinion, answer)
        return "Otieno's jiko was cracked; its seller answers his review."

    def _partly_returned(self, key: str) -> str:
        goods = [("Sufuria set of five with lids", 1), ("Ramtons cordless kettle 1.7 L", 1)]
        order = self._pays("njeri", key, *goods)
        self._hand_over(order)
        note = "The kettle does not switch itself off."
        move(self._people["support"], order["order"][1], "cancelled", note=note, goods_there=False)
        return "Njeri keeps her sufurias and returns the kettle: it is refunded."

    def _put_right(self, key: str) -> str:
        order = self._pays("wanjiku", key, ("Sufuria set of five with lids", 1))
        self._hand_over(order)
        seller = self._reports("wanjiku", order, "damaged", "One lid is dented.")
        address = f"/track/{order['order'][0]['id']}/problem/"
        seller.post(f"{address}messages/", {"text": "Pole! Would KES 200 put it right?"})
        self._people["wanjiku"].post(f"{address}messages/", {"text": "Yes, asante."})
        seller.post(f"{address}accept/", {"amount": 200, "note": "For the lid."})
        return "One of Wanjiku's lids was dented: she keeps it, and KES 200 is refunded."

    def _wrong_size(self, key: str) -> str:
        order = self._pays("njeri", key, ("Kitenge wrap skirt", 1))
        self._hand_over(order)
        self._reports("njeri", order, "wrong_goods", "It is another size than I ordered.")
        return (
            "Njeri's skirt is another size: the seller has to answer, and is not paid until then."
        )

    def _reports(self, name: str, order: dict[str, Any], kind: str, text: str) -> Person:
        """Report a problem with the order's first line; returns its seller."""
        line = order["order"][0]["id"]
        self._people[name].post(f"/track/{line}/problem/", {"kind": kind, "text": text})
        seller = OrderTrack.objects.values_list("seller__username", flat=True).get(pk=line)
        return self._people[seller]

    def _shipping(self, key: str) -> str:
        order = self._pays("wanjiku", key, ("Kitenge wrap skirt", 1))
        self._fetch(order, "shipping")
        return "Wanjiku's skirt is on the road."

    def _paid(self, key: str) -> str:
        self._pays("njeri", key, ("Maasai tyre sandals", 2))
        return "Njeri's sandals are paid, but not fetched yet."

    def _collected(self, key: str) -> str:
        to = {"pickup_point": self._point(KILIMANI)}
        goods = [("Sufuria set of five with lids", 1), ("Kitenge wrap skirt", 1)]
        order = self._pays("wanjiku", key, *goods, delivery=to)
        for parcel in self._claim(order):
            self._bring(parcel, "fetched", "shipping")
            self._at_point(parcel, "arrived")
            first = parcel["lines"][0]["id"]
            code = next(each["collection_code"] for each in order["order"] if each["id"] == first)
            self._at_point(parcel, "delivered", code=code)
        return (
            "Wanjiku collected her parcels in Kilimani; "
            f"the delivery fee of KES {order['delivery_fee']} is earned."
        )

    def _on_its_way_home(self, key: str) -> str:
        (home, *_) = self._people["njeri"].get("/account/addresses/")
        order = self._pays(
            "njeri", key, ("Chai flask 2 L, unbreakable", 1), delivery={"address": home["id"]}
        )
        self._fetch(order, "shipping")
        return f"Njeri's flask is on its way to {order['delivery']['area']}."

    def _not_brought(self, key: str) -> str:
        to = {"pickup_point": self._point("Kisumu Oginga Odinga Pick-up")}
        order = self._pays("otieno", key, ("Maasai tyre sandals", 1), delivery=to)
        move(self._people["otieno"], order["order"][0], "cancelled")
        self._people["otieno"].await_order(order, is_now="refunded")
        return "Otieno cancelled before the goods were fetched: price and fee were refunded."

    def _free_to_take(self, key: str) -> str:
        (home, *_) = self._people["wanjiku"].get("/account/addresses/")
        goods = ("Maasai tyre sandals", 1)
        self._pays("wanjiku", key, goods, delivery={"address": home["id"]})
        return "Wanjiku's sandals wait for an agent to claim them."

    def _taken_on(self, key: str) -> str:
        to = {"pickup_point": self._point(KILIMANI)}
        order = self._pays("kiprop", key, ("Chai flask 2 L, unbreakable", 1), delivery=to)
        self._claim(order)
        return "The agent has claimed Kiprop's flask, but not fetched it yet."

    def _picked_up(self, key: str) -> str:
        to = {"pickup_point": self._point("Moi Avenue Pick-up")}
        order = self._pays("njeri", key, ("Kitenge wrap skirt", 2), delivery=to)
        for parcel in self._claim(order):
            self._bring(parcel, "fetched")
        return "The agent has fetched two skirts for Njeri."

    def _at_the_point(self, key: str) -> str:
        to = {"pickup_point": self._point(KILIMANI)}
        order = self._pays("otieno", key, ("Kitenge wrap skirt", 1), delivery=to)
        for parcel in self._claim(order):
            self._bring(parcel, "fetched", "shipping")
            self._at_point(parcel, "arrived")
        return "Otieno's skirt waits in Kilimani; he has been notified."

    def _claim(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        """Let the agent claim all parcels of an order; returns them."""
        agent = self._people["delivery"]
        listed = agent.get("/deliveries/?status=to_fetch&mine=false&page_size=100")
        return [
            agent.post(_to(parcel, "claim"))
            for parcel in listed
            if parcel["order"] == order["reference"]
        ]

    def _bring(self, parcel: dict[str, Any], *ways: str) -> None:
        for to in ways:
            self._people["delivery"].post(_to(parcel, "move"), {"to": to})

    def _at_point(self, parcel: dict[str, Any], to: str, **proof: str) -> None:
        """Let the keeper of the point mark a parcel as arrived or delivered."""
        self._people[KEEPERS[KILIMANI]].post(_to(parcel, "move"), {"to": to, **proof})

    def _point(self, name: str) -> int:
        points = self._people["wanjiku"].get("/pickup-points/?page_size=100")
        try:
            return next(point["id"] for point in points if point["name"] == name)
        except StopIteration as missing:
            raise DemoError(f"The demo's {name} is not there.") from missing

    def _refunded(self, key: str) -> str:
        order = self._pays("kiprop", key, ("Harambee Stars jersey", 1), ("Mikasa volleyball", 1))
        for line in order["order"]:
            move(self._people["kiprop"], line, "cancelled")
        self._people["kiprop"].await_order(order, is_now="refunded")
        return "Kiprop changed his mind and was refunded."

    def _refund_due(self, key: str) -> str:
        self._phones.script(operation="reversal", phone=UNREACHABLE, outcome="R000002")
        order = self._pays("otieno", key, ("Badminton set for four", 1), phone=UNREACHABLE)
        move(self._people["otieno"], order["order"][0], "cancelled")
        return "Otieno cannot be refunded automatically: the console asks staff."

    def _payout_under_way(self, key: str) -> str:
        order = self._pays("kiprop", key, ("SanDisk flash disk 64 GB", 2))
        line = OrderTrack.objects.get(pk=order["order"][0]["id"])
        self._phones.script(
            operation="b2c",
            phone=line.payment_mpesa_number,
            amount=line.share,
            decide_after=THINKING,
        )
        self._fetch(order)
        return "Kiprop's flash disks are fetched; M-Pesa has not paid the seller yet."

    def _payout_to_approve(self, key: str) -> str:
        order = self._pays("njeri", key, ("Lenovo IdeaPad Slim 3", 1))
        self._hand_over(order)
        return "Njeri's laptop was expensive: a second person must approve the payout."

    def _cancelled(self, key: str) -> str:
        buyer, order = self._orders("otieno", key, ("Linen shirt for men", 1))
        self._phones.cancel(BUYERS["otieno"])
        buyer.await_prompt(order, has="failed")
        buyer.post(f"/cashout/{order['order_token']}/cancel/")
        return "Otieno dismissed the prompt and cancelled the order."

    def _expired(self, key: str) -> str:
        self._phones.ignore_next(BUYERS["kiprop"])
        buyer, order = self._orders("kiprop", key, ("Nike running shoes", 1))
        buyer.await_prompt(order, has="failed")
        # Instead of waiting for 15 minutes.
        placed = Order.objects.filter(order_token=order["order_token"]).unpaid()
        placed.update(expires_at=timezone.now())
        buyer.await_order(order, is_now="expired")
        return "Kiprop ignored the prompt: his order expired."

    def _short(self, key: str) -> str:
        phone = BUYERS["otieno"]
        self._phones.script(phone=phone, outcome="success", paid_amount=2000)
        buyer, order = self._orders("otieno", key, ("Sun King solar lantern with phone charger", 1))
        buyer.await_due(order, order["amount"] - 2000)
        return f"Otieno paid part of his lantern: KES {order['amount'] - 2000} is missing."

    def _over(self, key: str) -> str:
        self._phones.script(phone=BUYERS["kiprop"], outcome="success", paid_amount=3000)
        buyer, order = self._orders("kiprop", key, ("Adidas match football, size 5", 1))
        buyer.await_order(order, is_now="paid")
        return f"Kiprop paid KES {3000 - order['amount']} too much: it is refunded."

    def _unmatched_payment(self) -> str:
        """A payment for no order. Validation would refuse it, so its URL is deregistered first."""
        self._phones.forget_addresses()
        self._phones.pay(STRANGER, MISTYPED, 750)
        call_command("register_c2b_urls", "--statement-number", "254700000000", stdout=StringIO())
        StatementPull.objects.update(next_pull_at=timezone.now())
        deadline = time.monotonic() + TIMEOUT
        while not Receipt.objects.filter(reference=MISTYPED).exists():
            if time.monotonic() > deadline:
                raise DemoError("M-Pesa's statement was not read: is the clock running?")
            time.sleep(0.2)
        return f"Somebody paid KES 750 for {MISTYPED}: it is in suspense until staff decide."

    def _requested(self, key: str) -> str:
        _, order = self._orders("wanjiku", key, ("Ankara maxi dress", 1))
        return f"Wanjiku has a prompt for KES {order['amount']}: the PIN is 1234."

    def _orders(
        self,
        name: str,
        key: str,
        *goods: tuple[str, int],
        phone: str = "",
        delivery: dict[str, Any] | None = None,
    ) -> tuple[Person, dict[str, Any]]:
        ids = dict(Product.objects.filter(seller__username__in=SELLERS).values_list("name", "pk"))
        try:
            lines = [(ids[product], number) for product, number in goods]
        except KeyError as missing:
            raise DemoError(f"The demo's {missing} is not there.") from missing
        buyer = self._people[name]
        phone = phone or BUYERS[name]
        return buyer, buyer.cash_out(phone, *lines, key=key, delivery=delivery)

    def _pays(
        self,
        name: str,
        key: str,
        *goods: tuple[str, int],
        phone: str = "",
        delivery: dict[str, Any] | None = None,
    ) -> Any:
        phone = phone or BUYERS[name]
        buyer, order = self._orders(name, key, *goods, phone=phone, delivery=delivery)
        self._phones.enter_pin(phone)
        return buyer.await_order(order, is_now="paid")

    def _fetch(self, order: dict[str, Any], *further: str) -> None:
        for line in order["order"]:
            for to in ("fetched", *further):
                move(self._people["delivery"], line, to)

    def _hand_over(self, order: dict[str, Any]) -> None:
        self._fetch(order, "shipping")
        for line in order["order"]:
            move(self._people["delivery"], line, "delivered", code=line["collection_code"])

    def _review(self, name: str, order: dict[str, Any], stars: int, *words: str) -> None:
        opinion, answer = words
        line = order["order"][0]["id"]
        given = {"stars": stars, "text": opinion}
        review = self._people[name].post(f"/track/{line}/review/", given)
        seller = OrderTrack.objects.values_list("seller__username", flat=True).get(pk=line)
        self._people[seller].post(f"/review/{review['id']}/answer/", {"text": answer})


def _to(parcel: dict[str, Any], what: str) -> str:
    return f"/deliveries/{parcel['id']}/{what}/"
