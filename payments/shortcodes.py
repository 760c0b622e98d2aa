"""The shop's short codes, and the one that a payment was made to."""

from __future__ import annotations

from django.conf import settings

from .models import Provider, Receipt, ReceiptEvidence


def receiving_shortcode() -> str:
    """The short code that prompts are paid to and the pulled statement covers."""
    return settings.DARAJA_PARTY_B or settings.DARAJA_SHORTCODE


def paid_shortcode(number: str) -> str:
    """The short code the M-Pesa payment with this number was made to.

    As far as a source reported it; a returned transfer came to the one that pays out.
    """
    reports = ReceiptEvidence.objects.filter(
        receipt__number=number, receipt__provider=Provider.MPESA
    ).exclude(shortcode="")
    first = reports.order_by("pk").first()
    return first.shortcode if first is not None else receiving_shortcode()


def is_our_shortcode(shortcode: str) -> bool:
    """Whether this is one of the shop's short codes."""
    return bool(shortcode) and shortcode in {settings.DARAJA_SHORTCODE, settings.DARAJA_PARTY_B}


def was_paid_to_us(receipt: Receipt, shortcode: str) -> bool:
    """Whether a payment to this short code was one to the shop, by its current or earlier numbers:
    the first reports of a payment name the number it was paid to."""
    return is_our_shortcode(shortcode) or (
        bool(shortcode) and receipt.evidence.filter(shortcode=shortcode).exists()
    )


def reversing_shortcode(number: str) -> str:
    """The short code at which M-Pesa's payment of this number is reversed: the current one, except
    for a payment to an earlier number."""
    paid_to = paid_shortcode(number)
    return receiving_shortcode() if is_our_shortcode(paid_to) else paid_to
