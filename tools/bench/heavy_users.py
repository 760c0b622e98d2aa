"""The heaviest users of a benchmark shop, and the pages they and staff open (slow_pages)."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db.models import Count, Model
from django.utils import timezone

from accounts.models import User
from orders.models import Order, OrderTrack, Parcel, ParcelStatus, PickupPoint
from orders.models.line_status import TrackStatus
from payments.backoffice.dashboard.panels import PANELS
from payments.backoffice.period import CHOICES
from payments.models import OrderPayment, Payout, Receipt, Refund
from products.catalogue.filters import STATUSES
from products.models import Product

from .data import token_of

#: Sort orders of the seller's own list.
_ORDERS = ("newest", "price", "-price", "available", "-available", "best-selling")
_SELLER = (
    *(f"/seller/products/?ordering={order}" for order in _ORDERS),
    *(f"/seller/products/?search=kettle&ordering={order}" for order in _ORDERS),
    *(f"/seller/products/?search={words}" for words in ("samsung%20gold", "kett", "zzqqx", "good")),
    *(f"/seller/products/?listed={flag}" for flag in ("true", "false")),
    *(f"/seller/products/?soldout={flag}" for flag in ("true", "false")),
    *(f"/seller/products/?status={status}" for status in STATUSES),
    "/seller/products/?low_stock=3",
    "/seller/products/?sku=none",
    "/seller/products/export/",
    "/seller/orders/",
    *(f"/seller/orders/?status={status}" for status in TrackStatus.values),
    "/seller/problems/",
    "/seller/reviews/",
    "/seller/summary/",
    "/seller/balance/",
    "/seller/statement/",
    "/seller/statement/export/",
    "/seller/payouts/",
)
_BUYER = (
    "/orders/",
    "/track/order/",
    *(f"/track/order/?status={status}" for status in TrackStatus.values),
)
_AGENT = (
    "/deliveries/",
    *(f"/deliveries/?{flag}={value}" for flag in ("open", "mine") for value in ("true", "false")),
    *(f"/deliveries/?status={status}" for status in ParcelStatus.values),
    "/deliveries/?county=nairobi",
)
_EVERYBODY = ("/account/", "/me/", "/notices/", "/account/export/", "/account/sessions/")


class Person(NamedTuple):
    """A user, authenticated by an access token."""

    user: User

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {token_of(self.user)}"}


class HeavyUsers(NamedTuple):
    """Search terms for the admin, other staff pages, and the pages of each person."""

    words: list[str]
    of_staff: list[str]
    of_people: dict[Person, list[str]]


def staff() -> User:
    """The benchmark's own superuser."""
    person, _ = User.objects.get_or_create(
        username="walker",
        defaults={
            "password": make_password(None),
            "is_staff": True,
            "is_superuser": True,
            "second_factor_at": timezone.now(),
        },
    )
    return person


def find() -> HeavyUsers:
    """Find the users with most rows, starting from some of the first orders."""
    seller, buyer = _most(OrderTrack, "seller"), _most(Order, "buyer")
    point = PickupPoint.objects.order_by("pk").first()
    agents = [_courier(), *(point.agents.order_by("pk")[:1] if point else [])]
    order = Order.objects.filter(buyer=buyer, payment_status="paid").order_by("-pk")[0]
    product = Product.objects.filter(seller=seller).order_by("-sold", "pk")[0]
    sellers = [f"/seller/{seller.username}/", f"/product/search/?seller={seller.username}"]
    return HeavyUsers(
        words=_words(order, seller, product),
        of_staff=[*_of_staff(order, seller, buyer, product), "/metrics/"],
        of_people={
            Person(seller): [
                *_SELLER,
                *sellers,
                f"/product/{product.pk}/stock/",
                f"/product/{product.pk}/reviews/",
                *_EVERYBODY,
            ],
            Person(buyer): [*_BUYER, f"/cashout/{order.order_token}/", *_EVERYBODY],
            **{Person(agent): [*_AGENT, *_EVERYBODY] for agent in agents},
        },
    )


def _courier() -> User:
    """The agent with the most parcels."""
    courier = _most(Parcel, "agent")
    courier.groups.add(Group.objects.get(name="delivery"))
    return courier


def _most(model: type[Model], column: str) -> User:
    rows = model._default_manager.filter(**{f"{column}__isnull": False})
    counted = rows.values_list(column).annotate(many=Count("pk"))
    return User.objects.get(pk=counted.order_by("-many", column)[0][0])


def _words(order: Order, seller: User, product: Product) -> list[str]:
    receipt = Receipt.objects.exclude(number="").order_by("-pk")[0]
    return [
        str(order.pk),
        str(order.reference),
        str(order.mpesa_number),
        receipt.number,
        seller.username,
        seller.username[:3],
        seller.email or "nobody@example.test",
        product.name,
        "kettle",
        "zzqqx",
    ]


def _of_staff(order: Order, seller: User, buyer: User, product: Product) -> list[str]:
    rows = [*_rows(order), seller, buyer, product]
    return [
        *(f"/admin/dashboard/?period={period}" for period in CHOICES),
        *(f"/admin/dashboard/{panel.key}/csv/" for panel in PANELS),
        "/admin/",
        "/admin/payments/console/",
        *(f"/admin/deliveries/?part={part}" for part in ("", "fetch", "bring", "point")),
        *(f"/admin/find/?q={word}" for word in _words(order, seller, product)),
        *(f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/" for row in rows),
        *(
            f"/admin/payments/console/{row._meta.model_name}/{row.pk}/"
            for row in rows
            if isinstance(row, (Receipt, Refund, Payout))
        ),
    ]


def _rows(order: Order) -> list[Any]:
    found = [
        OrderTrack.objects.filter(order=order),
        OrderPayment.objects.filter(order=order),
        Receipt.objects.filter(order=order),
        Refund.objects.all(),
        Payout.objects.all(),
    ]
    return [order, *(row for row in (rows.order_by("-pk").first() for rows in found) if row)]
