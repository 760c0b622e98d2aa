"""Limits how much is stored of messages posted to unknown webhook URLs.

A message to the secret URL of a prompt, a refund, a payout or a receipt query of ours, to the
registered URL of the pay bill, from a bank that sent its password, or from Safaricom's listed
addresses is always stored. The rest is about money only by accident, and a status query or the
statement would show that money too: so storage is limited for each network and for all together.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from django.conf import settings

from omachemainproj.api.errors import Refusal
from omachemainproj.ip_addresses import client_network, is_listed
from payments.gateway import is_balance_token
from payments.models import OrderPayment, Source, StrangersPosts

from . import c2b
from .receipt_status import find_receipt_query
from .transfer_result import find_transfer


class _Limit(NamedTuple):
    """A number of messages and of bytes, in a window of some seconds."""

    messages: int
    size: int
    seconds: int

    def window(self, now: float) -> int:
        """When the window began, seconds since 1970."""
        return int(now // self.seconds) * self.seconds

    def seconds_left(self, now: float) -> int:
        """Seconds until the current window ends, at least one."""
        return max(self.window(now) + self.seconds - int(now), 1)

    def allows(self, posts: StrangersPosts) -> bool:
        """Whether what was posted in a window, the new message included, is within the limit."""
        return posts.messages <= self.messages and posts.bytes <= self.size


#: One network: an IPv4 address, or an IPv6 /48, which is a site.
OF_A_NETWORK = _Limit(60, 128 * 1024, 3600)
#: All networks together: at most five megabytes a day.
OF_ALL = _Limit(5000, 5 * 1024 * 1024, 24 * 3600)
EVERYWHERE = ""


class TooManyStrangers(Refusal):
    """Too much was posted to unknown URLs; this message was not stored.

    ``retry_after`` is the number of seconds until more is accepted.
    """

    code = "throttled"
    message = "Too much was posted to unknown addresses. Nothing was stored."
    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


def count_unknown_post(*, source: str, token: str, remote_address: str | None, size: int) -> None:
    """Count a message to an unknown URL. Raises TooManyStrangers beyond the limits."""
    if not settings.BOUND_STRANGERS or _is_known(source, token, remote_address):
        return
    now = time.time()
    day = StrangersPosts.objects.filter(network=EVERYWHERE, since=OF_ALL.window(now)).first()
    if day is not None and (day.messages >= OF_ALL.messages or day.bytes >= OF_ALL.size):
        raise TooManyStrangers(OF_ALL.seconds_left(now))
    network = client_network(remote_address or "unknown", prefix=48)
    for name, limit in ((network, OF_A_NETWORK), (EVERYWHERE, OF_ALL)):
        if not limit.allows(StrangersPosts.objects.add(name, limit.window(now), size)):
            raise TooManyStrangers(limit.seconds_left(now))


def _is_known(source: str, token: str, remote_address: str | None) -> bool:
    if source not in Source.values or is_listed(remote_address, settings.DARAJA_CALLBACK_IPS):
        return True
    if source == Source.C2B:
        return c2b.is_our_address(token)
    if not token:
        return False
    is_prompts = OrderPayment.objects.filter(callback_token=token).exists()
    is_transfers = is_prompts or find_transfer(token) is not None
    return is_transfers or find_receipt_query(token) is not None or is_balance_token(token)


def delete_old_posts() -> int:
    """Delete counts whose window is over. Returns how many. Safe to repeat."""
    over = int(time.time()) - 2 * OF_ALL.seconds
    return StrangersPosts.objects.filter(since__lt=over).delete()[0]
