"""The shop's short codes, and the one that a payment was made to."""

from __future__ import annotations

from django.conf import settings

from .models import (
    Provider,
    ReceiptEvidence,
)


def receiving_shortcode() -> str:
    """The short code that prompts and the statement are about."""
    return settings.DARAJA_PARTY_B or settings.DARAJA_SHORTCODE


def paid_shortcode(number: str) -> str:
    """The short code that M-Pesa's payment of this number was made to, as far as it is told: what
    came back came to the one that pays out."""
    reports = ReceiptEvidence.objects.filter(
        receipt__number=number, receipt__provider=Provider.MPESA
    ).exclude(shortcode="")
    first = reports.order_by("pk").first()
    return first.shortcode if first is not None else receiving_shortcode()


def is_our_shortcode(shortcode: str) -> bool:
    """Whether payments to this short code are payments to the shop."""
    return bool(shortcode) and shortcode in {settings.DARAJA_SHORTCODE, settings.DARAJA_PARTY_B}
