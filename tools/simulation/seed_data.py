"""What a run begins with, and what its actors know of their orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import override_settings

from accounts.models import User
from products.listings.services import create_product
from products.models import Product

from .shop_people import HASHERS, PASSWORD, ShopPeople

PHONES = [f"2547{n:08d}" for n in (11_000_011, 22_000_022, 33_000_033, 44_000_044, 55_000_055)]


@dataclass
class KnownOrder:
    """An order as its buyer last saw it."""

    token: str
    reference: str
    amount: int
    status: str


@dataclass
class SentCashout:
    """A cash-out request, to be repeated."""

    #: None for a guest.
    buyer: User | None
    sent: dict[str, Any]
    key: str
    token: str = ""


@dataclass
class SeedData:
    """People and products, created once and restored at the beginning of every seed."""

    buyers: list[User]
    products: list[Product]
    people: ShopPeople

    @classmethod
    def make(cls) -> SeedData:
        seller = User.objects.create_user(username="amina")
        with override_settings(PASSWORD_HASHERS=HASHERS):
            buyers = [
                User.objects.create_user(username=f"buyer{n}", password=PASSWORD) for n in range(4)
            ]
        return cls(
            buyers=buyers,
            products=[
                create_product(
                    seller=seller,
                    name=name,
                    category="kitchen",
                    price=price,
                    item_number=number,
                    payment_mpesa_number="254722000000",
                )
                for name, price, number in (
                    ("Kettle", 1500, 6),
                    ("Mug", 250, 30),
                    ("Radio", 4000, 2),
                    ("Match", 1, 100),
                )
            ],
            people=ShopPeople.make(seller),
        )
