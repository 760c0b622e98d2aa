"""A simulated day of trading: its users, their plans, and running it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from random import Random
from typing import Any, NamedTuple

from accounts.counties import County
from products.demo.seed import PASSWORD

from .api_client import Person, Phones
from .progress import Progress
from .scenarios import HANDLING, PAYING, Handling, Paying, Scene

#: The most orders of a day, so that payouts stay within the daily limit.
MAX_ORDERS = 1000
#: Orders played at the same time.
WORKERS = 4
#: Products of the day: name, category, price in KES. Prices are low, so that a long day stays below
#: the daily limit on payouts.
GOODS = [
    ("Enamel mug", "kitchen", 180),
    ("Wooden spoon, olive", "kitchen", 120),
    ("Kikoy towel", "fashions", 650),
    ("Beaded bracelet", "fashions", 250),
    ("USB-C cable, 1 m", "phones", 300),
    ("Phone pouch in kitenge", "phones", 220),
    ("AA batteries, four", "electronics", 160),
    ("Torch with dynamo", "electronics", 480),
    ("Skipping rope", "sports", 350),
    ("Mouse mat", "computing", 200),
    ("Card game Kadi", "gaming", 150),
    ("Folding stool", "furniture", 850),
]
#: First names of buyers and sellers, used in turn.
NAMES = ("achieng", "brian", "cherono", "daudi", "edna", "faraji", "grace", "hassan", "imani")
STOCK = 500


class OrderPlan(NamedTuple):
    """The plan of one order, drawn before the day starts."""

    buyer: int
    seller: int
    goods: tuple[tuple[int, int], ...]
    paying: Paying
    handling: tuple[Handling, ...]
    seed: int


class TradingDay:
    """One day, from the first registration to the last action on the last order.

    The same seed and number of orders give the same day.
    """

    def __init__(self, shop: str, mpesa: str, *, orders: int, seed: int, mark: str) -> None:
        self.phones = Phones(mpesa)
        self.seed = seed
        self.actions: Counter[str] = Counter()
        self._shop, self._mark = shop, mark
        self._chance = Random(seed)  # noqa: S311 - a game
        sellers, buyers = max(2, orders // 12), max(2, (orders + 1) // 2)
        self.sellers = [self._newcomer("seller", number) for number in range(sellers)]
        self.buyers = [self._newcomer("buyer", number) for number in range(buyers)]
        self.agent, self.support = (Person(shop, who, PASSWORD) for who in ("delivery", "support"))
        self._plans = [self._draw(number) for number in range(orders)]
        self._products: list[list[int]] = []

    @property
    def usernames(self) -> list[str]:
        """The user names of all sellers and buyers of this day."""
        return [person.username for person in (*self.sellers, *self.buyers)]

    def open(self) -> None:
        """Register all users and list the sellers' products. Raises DemoError."""
        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(Person.register, [*self.sellers, *self.buyers]))
            self._products = list(workers.map(self._list_goods, range(len(self.sellers))))

    def play(self, progress: Progress, *, a_second: float = 0) -> None:
        """Run all orders, at most ``a_second`` per second (0: no limit).

        Raises DemoError, after finishing the orders that were started.
        """
        between, now = 1 / a_second if a_second else 0, time.monotonic()
        with ThreadPoolExecutor(WORKERS) as workers:
            begun = [
                workers.submit(self._play, number, plan, not_before=now + number * between)
                for number, plan in enumerate(self._plans)
            ]
            for done, played in enumerate(as_completed(begun), 1):
                who, actions = played.result()
                self.actions.update(actions)
                progress.say(done, f"{who} {actions[0]}")
        progress.end()

    def _play(self, number: int, plan: OrderPlan, *, not_before: float) -> tuple[str, list[str]]:
        """Run one order; return the buyer's user name and the actions."""
        time.sleep(max(0.0, not_before - time.monotonic()))
        goods = self._products[plan.seller]
        scene = Scene(
            buyer=self.buyers[plan.buyer],
            # One per order: M-Pesa accepts the same amount from a phone only once in two minutes.
            phone=self._phone(7, number),
            seller=self.sellers[plan.seller],
            agent=self.agent,
            support=self.support,
            phones=self.phones,
            lines=tuple((goods[which], pieces) for which, pieces in plan.goods),
            chance=Random(plan.seed),  # noqa: S311 - a game
        )
        order = plan.paying(scene)
        actions = [_in_words(plan.paying)]
        if order["payment_status"] == "paid":
            for line, handling in zip(order["order"], plan.handling, strict=True):
                handling(scene, order, line)
                actions.append(_in_words(handling))
        return scene.buyer.username, actions

    def _draw(self, number: int) -> OrderPlan:
        chance = self._chance
        different = chance.choice([1, 1, 2])
        # In a day that is long enough, each scenario happens at least once.
        first = list(PAYING)[number : number + 1]
        paying = first or chance.choices(list(PAYING), list(PAYING.values()))
        handling = list(HANDLING)[number : number + 1] * different
        if not handling:
            handling = chance.choices(list(HANDLING), list(HANDLING.values()), k=different)
        which = chance.sample(range(len(GOODS) // 2), different)
        return OrderPlan(
            buyer=number % len(self.buyers),
            seller=chance.randrange(len(self.sellers)),
            goods=tuple((each, chance.randint(1, 3)) for each in which),
            paying=paying[0],
            handling=tuple(handling),
            seed=chance.randrange(2**32),
        )

    def _newcomer(self, kind: str, number: int) -> Person:
        name = NAMES[number % len(NAMES)]
        return Person(self._shop, f"{name}.{kind}{number}.{self._mark}", f"day of {self._mark}")

    def _list_goods(self, number: int) -> list[int]:
        """List half of the products for one seller; the next seller lists the other half.

        Before that, set the address where they are collected.
        """
        place = {
            "label": "shop",
            "recipient": NAMES[number % len(NAMES)].title(),
            "phone": self._phone(1, number),
            "county": County.values[number % len(County.values)],
            "area": f"Market, stall {number + 1}",
            "is_collection_place": True,
        }
        self.sellers[number].post("/account/addresses/", place)
        ids = []
        for name, category, price in GOODS[number % 2 :: 2]:
            listed: dict[str, Any] = {
                "name": name,
                "category": category,
                "price": price,
                "item_number": STOCK,
                "payment_mpesa_number": self._phone(1, number),
            }
            ids.append(self.sellers[number].post("/create/", listed)["id"])
        return ids

    def _phone(self, kind: int, number: int) -> str:
        """A unique phone. It ends in 5, which has no special meaning for the simulator."""
        return f"254{kind}{int(self._mark, 36) % 1000:03}{number:04}5"


def _in_words(action: Callable[..., Any]) -> str:
    return action.__name__.replace("_", " ")
