"""How much of a shop attackers can tie up without paying: ``python -m tools.holding_attack``.

A thousand products with one unit each, an hour of simulated time, M-Pesa accepts every prompt and
nobody answers one. Each attacking account places as many orders as the shop allows, as large as it
allows, requests a new prompt as soon as it may, uses a new phone every time, and starts again when
an order is over. Visitors come all the time, each for one random product, and leave it to the next:
the share they cannot buy is the damage. Some reserved products can be bought although no list
shows them as free.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.memory_shop import open_memory_shop

BEGINNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PRODUCTS, MINUTES, VISITORS_A_MINUTE = 1000, 60, 5
#: How long a phone shows a prompt (payments.checkout.stk_push).
PROMPT = timedelta(minutes=2)
#: Maximum lines of an order (orders.serializers).
MOST_LINES = 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.holding_attack", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--minutes", type=int, default=MINUTES)
    options = parser.parse_args()
    # With the limit of production, which a laptop does not have.
    open_memory_shop(UNPAID_GOODS_PER_NETWORK="40")
    logging.disable(logging.CRITICAL)
    print(f"{'accounts':>8}  {'networks':<12}{'kept from others':>18}{'not shown as free':>20}")
    for accounts in options.accounts:
        for networks in ("one", "one each")[: 1 if accounts == 1 else 2]:
            kept, hidden = _attack(accounts, networks == "one", options.minutes)
            print(f"{accounts:>8}  {networks:<12}{kept:>18.1%}{hidden:>20.1%}", flush=True)


class _Accepts:
    """A minimal M-Pesa for the attack: it accepts every prompt and never reports a result."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def stk_push(self, **push: Any) -> Any:
        from payments.daraja.stk import PushAccepted

        number = next(self._numbers)
        return PushAccepted(f"m-{number}", f"ws_CO_{number}", "Success.")


def _attack(accounts: int, one_network: bool, minutes: int) -> tuple[float, float]:
    """The average shares of products visitors could not buy, and that no list showed as free."""
    from unittest import mock

    import time_machine

    from .simulation.database import in_memory

    chance = random.Random(f"{accounts} {one_network}")
    with (
        in_memory(),
        mock.patch("payments.gateway.daraja", return_value=_Accepts()),
        time_machine.travel(BEGINNING, tick=False) as traveller,
    ):
        shop = _Shop(chance)
        attackers = [
            _Attacker(shop, "105.161.0.1" if one_network else f"105.161.{n // 200}.{n % 200 + 1}")
            for n in range(accounts)
        ]
        refused, hidden = Counter[bool](), 0
        for _ in range(minutes):
            chance.shuffle(attackers)
            for attacker in attackers:
                attacker.act()
            hidden += PRODUCTS - len(shop.free())
            for _ in range(VISITORS_A_MINUTE):
                refused[shop.refuses_a_visitor()] += 1
            traveller.shift(timedelta(minutes=1))
            shop.run_clock()
    return refused[True] / refused.total(), hidden / minutes / PRODUCTS


class _Shop:
    """A thousand products of one seller, and the actions open to everyone."""

    def __init__(self, chance: random.Random) -> None:
        from accounts.models import User
        from products.models import Product

        self.chance, self._people = chance, itertools.count(1)
        self._phones = itertools.count(254700000000)
        seller = User.objects.create_user(username="seller")
        Product.objects.bulk_create(
            Product(
                seller=seller, name=f"Kettle {n}", category="kitchen", price=1500, item_number=1,
                payment_mpesa_number="254722000000",
            )
            for n in range(PRODUCTS)
        )  # fmt: skip
        self.products = list(Product.objects.values_list("pk", flat=True))

    def new_account(self, address: str) -> Callable[..., Any]:
        from rest_framework.test import APIClient

        from accounts.models import User

        client = APIClient(REMOTE_ADDR=address, SERVER_NAME="localhost")
        client.force_authenticate(User.objects.create_user(username=f"u{next(self._people)}"))

        def post(path: str, sent: Any = None) -> Any:
            response = client.post(path, sent, format="json")
            assert response.status_code < 500
            return response

        return post

    def phone(self) -> str:
        return str(next(self._phones))

    def free(self) -> list[int]:
        from django.db.models import F

        from products.models import Product

        return list(Product.objects.filter(held__lt=F("item_number")).values_list("pk", flat=True))

    def refuses_a_visitor(self) -> bool:
        """A new visitor wants one product, and cancels if they get it. Returns whether refused."""
        post = self.new_account(f"41.90.{self.chance.randrange(250)}.{self.chance.randrange(250)}")
        line = {"product": self.chance.choice(self.products), "number": 1}
        answer = post("/cashout/", {"order": [line], "mpesa_number": self.phone()})
        if answer.status_code == 201:
            post(f"/cashout/{answer.json()['order_token']}/cancel/")
        return bool(answer.status_code != 201)

    @staticmethod
    def run_clock() -> None:
        from django.utils import timezone

        from orders.lifecycle import expire_unpaid_orders
        from payments.checkout.stk_push import expire_stk_pushes

        expire_stk_pushes(timezone.now())
        expire_unpaid_orders()


class _Attacker:
    """One account that reserves as much as it can for as long as it can."""

    def __init__(self, shop: _Shop, address: str) -> None:
        self._shop, self._post = shop, shop.new_account(address)
        #: By order token: when its phone may be prompted again.
        self._orders: dict[str, datetime] = {}
        self._is_full = False

    def act(self) -> None:
        # Prompt another phone once a prompt is over: then nobody else can get the goods.
        before = len(self._orders)
        for token, over in list(self._orders.items()):
            if over <= datetime.now(UTC) and not self._rings(token):
                del self._orders[token]
        if len(self._orders) == before and self._is_full:
            return
        while self._places_an_order():
            pass
        self._is_full = bool(self._orders)

    def _rings(self, token: str) -> bool:
        answer = self._post(f"/cashout/{token}/pay/", {"mpesa_number": self._shop.phone()})
        rings = answer.status_code == 200 or answer.json()["code"] == "prompt_open"
        if rings:
            self._orders[token] = datetime.now(UTC) + PROMPT
        return bool(rings)

    def _places_an_order(self) -> bool:
        free = self._shop.free()
        lines = self._shop.chance.sample(free, min(len(free), MOST_LINES))
        while lines:
            order = [{"product": product, "number": 1} for product in lines]
            answer = self._post("/cashout/", {"order": order, "mpesa_number": self._shop.phone()})
            if answer.status_code == 201:
                self._orders[answer.json()["order_token"]] = datetime.now(UTC) + PROMPT
                return True
            if answer.json().get("code") == "too_many_unpaid_orders":
                return False
            most = answer.json().get("most", len(lines))
            lines = lines[: most if most < len(lines) else len(lines) // 2]
        return False


if __name__ == "__main__":
    main()
