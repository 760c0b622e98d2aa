"""Where a message came from, as far as that can be told."""

from __future__ import annotations

from django.conf import settings

from omachemainproj.ip_addresses import is_listed
from payments.models import GatewayEvent


def is_from_elsewhere(event: GatewayEvent) -> bool:
    """Whether a list of Safaricom's addresses is set, and the message came from none of them.

    Addresses and networks are compared as such, however they are spelt.
    """
    known = settings.DARAJA_CALLBACK_IPS
    return bool(known) and not is_listed(event.remote_address, known)
