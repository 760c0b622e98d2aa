"""Sends SMS through the provider named in the settings."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Protocol

from django.conf import settings

from .africastalking import AfricasTalking

logger = logging.getLogger(__name__)

#: The id of an SMS that was only logged, since there is no provider.
LOGGED = "logged"


class SmsProvider(Protocol):
    """A company that sends SMS."""

    def send(self, *, phone: str, text: str) -> str:
        """Send one SMS to a number of 12 digits, once, and return the provider's id of it.

        Raises NotSent and MaybeSent (omachemainproj.sms.errors).
        """


class LogOnly:
    """For laptops: the SMS is only logged, with the middle of the number masked."""

    def send(self, *, phone: str, text: str) -> str:
        logger.info("SMS to %s: %s", phone, text)
        return LOGGED


def is_sms_on() -> bool:
    """Whether this shop sends SMS."""
    return settings.SMS != "off"


def sms_provider() -> SmsProvider:
    """The provider named in the settings. Safe to share between threads."""
    if settings.SMS != "africastalking":
        return LogOnly()
    return _africastalking(
        settings.AFRICASTALKING_BASE_URL,
        settings.AFRICASTALKING_USERNAME,
        settings.AFRICASTALKING_API_KEY,
        settings.AFRICASTALKING_SENDER_ID,
    )


@lru_cache(maxsize=8)
def _africastalking(base_url: str, username: str, api_key: str, sender: str) -> AfricasTalking:
    return AfricasTalking(base_url, username=username, api_key=api_key, sender=sender)
