"""Demo data: people, products and pictures for development. Never for production."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib.auth.models import Group

from accounts.addresses.services import add_address
from accounts.backoffice.audit import CHANGED, log
from accounts.backoffice.roles import ROLES
from accounts.models import User
from omachemainproj.images import normalise_own
from products.listings.services import create_product
from products.models import Product

from .catalogue import CATALOGUE, Goods
from .pictures import draw

PASSWORD = "karibu2026"  # noqa: S105
#: The sellers, and the numbers they are paid at.
SELLERS = {
    "amina": "254712345601",
    "baraka": "254712345602",
    "chebet": "254712345603",
    "dalmas": "254112345604",
    "esther": "254112345605",
}
#: The buyers, and the phones that get payment prompts. The first is the one to sign in as.
BUYERS = {
    "wanjiku": "254790111222",
    "otieno": "254723456701",
    "njeri": "254723456702",
    "kiprop": "254723456703",
}
PHONES = {**SELLERS, **BUYERS}
#: Their addresses: label, county, area, directions. The first is the default, and a seller's goods
#: are collected there.
ADDRESSES = {
    "amina": [("shop", "mombasa", "Kongowea Market, stall 14", "Behind the fish auction")],
    "baraka": [("shop", "nairobi", "Gikomba, Quarry Road", "Third gate, blue container")],
    "chebet": [("home", "uasin_gishu", "Eldoret, Elgon View", "Opposite the water tower")],
    "dalmas": [("workshop", "kisumu", "Kibuye, Kakamega Road", "Next to the petrol station")],
    "esther": [("shop", "nakuru", "Nakuru, Kenyatta Avenue 20", "First floor, ring at the grille")],
    "wanjiku": [
        ("home", "nairobi", "Kilimani, Argwings Kodhek Road", "Blue gate; ask for flat 4"),
        ("mother", "nyeri", "Karatina, market side", "Ask for Mama Wanjiku at the posho mill"),
    ],
    "otieno": [("home", "kisumu", "Milimani, Ring Road", "White wall with bougainvillea")],
    "njeri": [("work", "kiambu", "Thika, Kenyatta Highway", "Reception of the clinic")],
    "kiprop": [("home", "kericho", "Kericho, Moi Highway", "Green roof beside the school")],
}
BUYER, ADMIN = "wanjiku", "admin"
#: Staff accounts, each named after its role and in the group of that name.
STAFF = tuple(ROLES)
#: The keepers of pick-up points, by the point's name (orders.demo). They have no role.
KEEPERS = {"Kilimani Pick-up": "faith"}


class Added(NamedTuple):
    """How many people and products were added."""

    people: int
    products: int


def add_demo_shop() -> Added:
    """Add the demo's missing people and products. Safe to repeat.

    Existing ones are left unchanged.
    """
    people = add_people()
    add_addresses()
    sellers = list(User.objects.filter(username__in=SELLERS).order_by("username"))
    existing = set(Product.objects.filter(seller__in=sellers).values_list("name", flat=True))
    missing = [
        (sellers[turn % len(sellers)], category, goods)
        for turn, (category, goods) in enumerate(_interleaved())
        if goods.name not in existing
    ]
    for seller, category, goods in missing:
        _add_product(seller, category, goods)
    return Added(people, len(missing))


def add_people() -> int:
    """Add the demo's missing people and return how many there were. Safe to repeat."""
    # The admin comes first, because the audit names them as having assigned the roles.
    wanted = [ADMIN, *SELLERS, *BUYERS, *STAFF, *KEEPERS.values()]
    existing = set(User.objects.filter(username__in=wanted).values_list("username", flat=True))
    for username in wanted:
        if username not in existing:
            _add_person(username)
    return len(set(wanted) - existing)


def add_addresses() -> int:
    """Add addresses for the demo's people without one, and return how many. Safe to repeat."""
    people = User.objects.filter(username__in=ADDRESSES, addresses__isnull=True).order_by("pk")
    added = 0
    for person in list(people):
        for label, county, area, directions in ADDRESSES[person.username]:
            says = {
                "label": label,
                "recipient": person.first_name or person.username.title(),
                "phone": PHONES[person.username],
                "county": county,
                "area": area,
                "directions": directions,
                "is_collection_place": person.username in SELLERS,
            }
            added += add_address(person, says).is_new
    return added


def _add_person(username: str) -> None:
    email = f"{username}@omache.example"
    if username == ADMIN:
        User.objects.create_superuser(username, email, PASSWORD)
        return
    named = {
        "first_name": username.title(),
        "is_staff": username in STAFF,
        "phone": PHONES.get(username, ""),
        "phone_chosen": username in PHONES,
    }
    person = User.objects.create_user(username, email, PASSWORD, **named)
    if username in STAFF:
        person.groups.add(Group.objects.get(name=username))
        admin = User.objects.get(username=ADMIN)
        log(admin, "Changed", person, action=CHANGED, changes={"groups": [[], [username]]})


def _interleaved() -> list[tuple[str, Goods]]:
    """All products, alternating between categories, so that the newest are from all of them."""
    columns = [[(category, goods) for goods in each] for category, each in CATALOGUE.items()]
    return [item for row in zip(*columns, strict=True) for item in row]


def _add_product(seller: User, category: str, goods: Goods) -> None:
    create_product(
        seller=seller,
        name=goods.name,
        category=category,
        price=goods.price,
        item_number=goods.item_number,
        payment_mpesa_number=SELLERS[seller.username],
        description=goods.description,
        picture=normalise_own(draw(goods.icon, goods.name, category), gallery=True),
    )
