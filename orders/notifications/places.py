"""Sentences about where goods are delivered or collected, in English and Swahili.

Empty for an order without a delivery.
"""

from __future__ import annotations

from accounts.models import Address
from orders.models import DeliveryWay, OrderDelivery
from orders.models.notifications import NotificationKind

from .plain_text import plain

#: Maximum length of a point's name, its hours and an area in an SMS.
_CUT = 40

_POINT, _HOME = DeliveryWay.PICKUP, DeliveryWay.HOME
#: By kind of message, language and delivery method. ``{place}`` is a point with its hours, or an
#: area.
_WHERE: dict[tuple[str, str, str], str] = {
    (NotificationKind.PAID, "en", _POINT): (
        " Delivery {days} to {place}. We will tell you when it is there."
    ),
    (NotificationKind.PAID, "sw", _POINT): " Itafika {place} {days}. Tutakujulisha ikifika.",
    (NotificationKind.PAID, "en", _HOME): " Delivery {days} to {place}.",
    (NotificationKind.PAID, "sw", _HOME): " Italetwa {place} {days}.",
    (NotificationKind.SHIPPED, "en", _POINT): (
        " Delivery to {place}. We will tell you when it is there."
    ),
    (NotificationKind.SHIPPED, "sw", _POINT): " Inaelekea {place}. Tutakujulisha ikifika.",
    (NotificationKind.SHIPPED, "en", _HOME): " Delivery to {place}.",
    (NotificationKind.SHIPPED, "sw", _HOME): " Inaelekea {place}.",
    (NotificationKind.DELIVERED, "en", _POINT): " Collected at {place}.",
    (NotificationKind.DELIVERED, "sw", _POINT): " Imekabidhiwa {place}.",
    (NotificationKind.DELIVERED, "en", _HOME): " Brought to {place}.",
    (NotificationKind.DELIVERED, "sw", _HOME): " Imeletwa {place}.",
}
#: Kinds that give a point's opening hours, because the buyer has to go there.
_WITH_HOURS = {
    NotificationKind.PAID,
    NotificationKind.ARRIVED,
    NotificationKind.WAITING,
    NotificationKind.UNCOLLECTED,
}
_OPEN = {"en": "{point}, open {hours}", "sw": "{point} (saa za kazi {hours})"}
_DAYS = {
    "en": {0: "today", 1: "by tomorrow", 2: "within {days} days"},
    "sw": {0: "leo", 1: "kufikia kesho", 2: "ndani ya siku {days}"},
}
_COLLECT = {
    "en": " Our agent will collect them from {area}.",
    "sw": " Wakala wetu atazichukua {area}.",
}
_NO_PLACE = {
    "en": (
        " Our agent needs to know where to collect them: add a collection place in your account."
    ),
    "sw": (
        " Wakala wetu atakuja kuzichukua na hajui mahali: weka mahali pa kuchukulia kwenye akaunti "
        "yako."
    ),
}


def place_of(
    kind: str, language: str, delivery: OrderDelivery | None, *, in_full: bool = False
) -> str:
    """Return the pick-up point, with its hours for kinds that need them, or the area; else ""."""
    if delivery is None:
        return ""
    point = delivery.pickup_point
    area = delivery.area if in_full else plain(delivery.area)[:_CUT].rstrip()
    if in_full and delivery.directions:
        area = f"{area} ({delivery.directions})"
    if point is None:
        return area
    name = area if in_full else point.name[:_CUT].rstrip()
    if kind not in _WITH_HOURS:
        return name
    hours = point.opening_hours if in_full else point.opening_hours[:_CUT].rstrip()
    return _OPEN[language].format(point=name, hours=hours)


def where_sentence(
    kind: str, language: str, delivery: OrderDelivery | None, *, in_full: bool = False
) -> str:
    """Return a sentence on where and when goods are delivered; empty without a delivery.

    ``in_full`` adds the directions, for e-mails.
    """
    template = _WHERE.get((kind, language, delivery.way)) if delivery else None
    if template is None or delivery is None:
        return ""
    days = _DAYS[language][min(delivery.days, 2)].format(days=delivery.days)
    place = place_of(kind, language, delivery, in_full=in_full)
    return template.format(place=place, days=days)


def collect_sentence(language: str, place: Address | None) -> str:
    """Return a sentence that tells a seller where an agent collects their goods."""
    if place is None:
        return _NO_PLACE[language]
    return _COLLECT[language].format(area=plain(place.area)[:_CUT].rstrip())
