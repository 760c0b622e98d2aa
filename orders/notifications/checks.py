"""What ``manage.py check --deploy`` says of messages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004

from omachemainproj.ip_addresses import is_loopback_url


def warn_of_dead_ends(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a shop whose e-mails name nobody to turn to, or lead to the reader's own machine."""
    warnings: list[CheckMessage] = []
    if not settings.SHOP_CONTACT:
        warnings.append(
            Warning(
                "SHOP_CONTACT is not set: e-mails about orders ask people to answer them.",
                hint="Set it to a phone and an e-mail at which somebody helps.",
                id="orders.W001",
            )
        )
    if is_loopback_url(settings.FRONTEND_URL):
        warnings.append(
            Warning(
                "FRONTEND_URL is on this machine: the links in e-mails lead nowhere.",
                hint="Set it to where people open the shop.",
                id="orders.W002",
            )
        )
    return warnings
