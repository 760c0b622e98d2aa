"""Checks of ``manage.py check --deploy`` about messages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004

from omachemainproj.ip_addresses import is_loopback_url


def check_email_links(**kwargs: Any) -> list[CheckMessage]:
    """Warn if e-mails name no contact, or have links to the reader's own machine."""
    warnings: list[CheckMessage] = []
    if not settings.SHOP_CONTACT:
        warnings.append(
            Warning(
                "SHOP_CONTACT is not set: e-mails about orders ask people to answer them.",
                hint="Set it to the phone number and e-mail address of your support.",
                id="orders.W001",
            )
        )
    if is_loopback_url(settings.FRONTEND_URL):
        warnings.append(
            Warning(
                "FRONTEND_URL is on this machine: links in e-mails do not work elsewhere.",
                hint="Set it to the shop's public address.",
                id="orders.W002",
            )
        )
    return warnings
