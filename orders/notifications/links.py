"""Where a message leads: the pages of the frontend, whose own addresses these are.

``FRONTEND_URL`` is what they stand behind, as ``https://shop.example.co.ke/shop``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from django.conf import settings

from orders.models import Order


class Page(StrEnum):
    """A page of the frontend, and its path there."""

    #: A buyer's order; it asks them to sign in.
    ORDER = "/orders/{order_token}"
    #: What a seller sold in an order. Sellers know orders by their references alone.
    SALES = "/selling/orders?order={reference}"
    #: What a seller was paid.
    MONEY = "/selling/money"


class Link(NamedTuple):
    """A page, and its whole address."""

    page: Page
    address: str


def link_to(page: Page, order: Order | None = None) -> Link:
    """The way to a page; ``order`` is the one it is about, where it is about one."""
    about = {"order_token": order.order_token, "reference": order.reference} if order else {}
    return Link(page, settings.FRONTEND_URL + page.format(**about))
