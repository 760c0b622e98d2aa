"""Where a message came from, as far as that can be told."""

from __future__ import annotations

from django.conf import settings

from payments.models import GatewayEvent


def is_from_elsewhere(event: GatewayEvent) -> bool:
    """Whether a list of Safaricom's addresses is set, and the message came from none of them."""
    known = settings.DARAJA_CALLBACK_IPS
    return bool(known) and event.remote_address not in known
