"""Links in messages: the pages of the frontend, with its own paths.

They are relative to ``FRONTEND_URL``, for example ``https://shop.example.co.ke/shop``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from django.conf import settings

from orders.models import Order


class Page(StrEnum):
    """The path of a page of the frontend."""

    #: A buyer's order, which requires a sign-in.
    ORDER = "/orders/{order_token}"
    #: A seller's lines of an order. Sellers know orders by their references only.
    SALES = "/selling/orders?order={reference}"
    #: A seller's payouts.
    MONEY = "/selling/money"


class Link(NamedTuple):
    """A page, and its full address."""

    page: Page
    address: str


def link_to(page: Page, order: Order | None = None) -> Link:
    """The link to a page, about ``order`` if the page is about one."""
    about = {"order_token": order.order_token, "reference": order.reference} if order else {}
    return Link(page, settings.FRONTEND_URL + page.format(**about))
