"""What ``manage.py check --deploy`` says of messages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004


def warn_without_contact(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a shop whose e-mails name nobody to turn to."""
    if settings.SHOP_CONTACT:
        return []
    return [
        Warning(
            "SHOP_CONTACT is not set: e-mails about orders ask people to answer them.",
            hint="Set it to a phone and an e-mail at which somebody helps, or see that somebody "
            "reads what comes to DEFAULT_FROM_EMAIL.",
            id="orders.W001",
        )
    ]
