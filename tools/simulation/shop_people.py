"""The staff, sellers and agents of the shop, created once for all seeds."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.test import override_settings

from accounts.backoffice import audit
from accounts.models import User
from orders.models import DeliveryRate, DeliveryWay, PickupPoint
from products.listings.services import create_product
from products.models import Product

#: A cheap hash: no seed is about guessing passwords.
HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
PASSWORD = "githeri 4 chapati"
#: The second seller's number, and replacements for a number M-Pesa refused.
BARAKA, OTHERS = "254733000222", ("254733000333", "254733000444")


@dataclass
class ShopPeople:
    """Everyone except the buyers and the first seller.

    Support and finance are superusers here: the permission tests cover what each role may not do.
    """

    sellers: list[User]
    agents: list[User]
    point: User
    support: list[User]
    finance: list[User]
    #: They decide at the end what the others are involved in: one approves what those propose, and
    #: so is involved in it too; the other decides alone.
    second: User
    owner: User
    stall: list[Product]
    pickup_point: PickupPoint

    @classmethod
    def make(cls, first_seller: User) -> ShopPeople:
        """Create them, a pick-up point with rates, and a second seller's products."""
        with override_settings(PASSWORD_HASHERS=HASHERS):
            second = User.objects.create_user(username="baraka", password=PASSWORD)
            first_seller.set_password(PASSWORD)
            first_seller.save()
        people = cls(
            sellers=[first_seller, second],
            agents=[User.objects.create_user(username=f"agent{n}") for n in range(2)],
            point=User.objects.create_user(username="kiosk"),
            support=[User.objects.create_superuser(f"support{n}") for n in range(2)],
            finance=[User.objects.create_superuser(f"finance{n}") for n in range(3)],
            second=User.objects.create_superuser("second"),
            owner=User.objects.create_superuser("owner"),
            stall=[
                create_product(
                    seller=second,
                    name=name,
                    category="phones",
                    price=price,
                    item_number=number,
                    payment_mpesa_number=BARAKA,
                )
                for name, price, number in (("Phone", 12_000, 4), ("Charger", 7, 60))
            ],
            pickup_point=PickupPoint.objects.create(
                name="Kilimani Pick-up",
                county="nairobi",
                area="Argwings Kodhek Road",
                opening_hours="Mon–Sat 8:00–19:00",
                phone="254711000111",
            ),
        )
        for agent in people.agents:
            agent.groups.add(Group.objects.get(name="delivery"))
            given = {"groups": [[], ["delivery"]]}
            audit.log(people.support[0], "Changed", agent, action=audit.CHANGED, changes=given)
        people.pickup_point.agents.add(people.point)
        rate = {"county": "", "days": 2}
        DeliveryRate.objects.create(way=DeliveryWay.PICKUP, fee=100, free_above=4000, **rate)
        DeliveryRate.objects.create(way=DeliveryWay.HOME, fee=250, **rate)
        return people
