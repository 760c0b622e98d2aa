"""Queries the status of a transaction of M-Pesa's; the answer is posted to a callback."""

from __future__ import annotations

import logging

from . import gateway
from .daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown
from .models import PayoutStop

logger = logging.getLogger(__name__)


def query_transaction_status(*, token: str, name: str, **about: str) -> bool:
    """Query a transaction; the answer is posted to the callback URL of ``token``.

    ``about`` are the arguments that identify it (``daraja.initiator.transaction_status``), ``name``
    is what the log calls it. Returns False if M-Pesa refused the query or did not answer. If the
    settings are to blame, transfers are stopped. Raises ValueError for a malformed receipt number.
    """
    address = gateway.callback_url(token)
    try:
        gateway.daraja().transaction_status(**about, result_url=address, queue_timeout_url=address)
    except DarajaRefused as refusal:
        logger.warning("%s could not be queried: %s", name, refusal)
        if refusal.kind == DarajaRefusal.CONFIGURATION:
            PayoutStop.objects.stop_transfers(f"M-Pesa rejected a status query: {refusal}")
        return False
    except DarajaUnknown as silence:
        logger.info("%s: no answer to the status query: %s", name, silence)
        return False
    return True
