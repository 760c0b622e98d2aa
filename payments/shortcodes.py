"""The shop's short codes, and the one that a payment was made to."""

from __future__ import annotations

from django.conf import settings

from .models import (
    OrderPayment,
    Payout,
    Provider,
    Receipt,
    ReceiptEvidence,
    Refund,
    StatementPull,
    Transfer,
)


def receiving_shortcode() -> str:
    """The short code that prompts are paid to and the pulled statement covers."""
    return settings.DARAJA_PARTY_B or settings.DARAJA_SHORTCODE


def paid_shortcode(number: str) -> str:
    """The short code the M-Pesa payment with this number was made to.

    As far as a source reported it, or else as its prompt was sent; a returned transfer came to the
    one that pays out.
    """
    reports = ReceiptEvidence.objects.filter(
        receipt__number=number, receipt__provider=Provider.MPESA
    ).exclude(shortcode="")
    first = reports.order_by("pk").first()
    if first is not None:
        return first.shortcode
    receipt = Receipt.objects.numbered(Provider.MPESA, number).select_related("payment").first()
    return (receipt is not None and _prompted_shortcode(receipt)) or receiving_shortcode()


def _prompted_shortcode(receipt: Receipt) -> str:
    """The short code the prompt of a payment was sent with; "" if there was no prompt."""
    return receipt.payment.shortcode if receipt.payment is not None else ""


def is_our_shortcode(shortcode: str) -> bool:
    """Whether this is one of the shop's short codes."""
    return bool(shortcode) and shortcode in {settings.DARAJA_SHORTCODE, settings.DARAJA_PARTY_B}


def was_our_shortcode(shortcode: str) -> bool:
    """Whether this is one of the shop's short codes that pay in or out, or was: a prompt, a refund
    or a payout was sent with it, or its statement pulled."""
    if not shortcode or shortcode == settings.DARAJA_B2C_SHORTCODE:
        return bool(shortcode)
    sent = (Refund, Payout)
    return is_or_was_paid_to(shortcode) or any(
        model._default_manager.filter(shortcode=shortcode).exists() for model in sent
    )


def is_or_was_paid_to(shortcode: str) -> bool:
    """Whether buyers pay to this short code, or did: prompts were sent with it, or its statement
    was pulled."""
    if is_our_shortcode(shortcode):
        return True
    prompts = OrderPayment.objects.filter(shortcode=shortcode)
    return prompts.exists() or StatementPull.objects.filter(shortcode=shortcode).exists()


def was_paid_to_us(receipt: Receipt, shortcode: str) -> bool:
    """Whether a payment to this short code was one to the shop, by its current or earlier numbers:
    the first reports of a payment name the number it was paid to, and other prompts were paid
    there."""
    if not shortcode:
        return False
    if is_our_shortcode(shortcode) or shortcode == _prompted_shortcode(receipt):
        return True
    return receipt.evidence.filter(shortcode=shortcode).exists() or is_or_was_paid_to(shortcode)


def sending_shortcode(row: Transfer) -> str:
    """The short code that a transfer is sent from now, or at which its payment is reversed."""
    if row.is_reversal:
        return reversing_shortcode(row.receipt_to_reverse)
    paying: str = settings.DARAJA_B2C_SHORTCODE
    return paying


def uses_retired_shortcode(row: Transfer) -> bool:
    """Whether money to a phone was sent from a short code that no longer pays out: M-Pesa may not
    recognise its id at another one, so it is not sent again."""
    return not row.is_reversal and row.shortcode not in {"", settings.DARAJA_B2C_SHORTCODE}


def reversing_shortcode(number: str) -> str:
    """The short code at which M-Pesa's payment of this number is reversed: the current one, except
    for a payment to an earlier number."""
    paid_to = paid_shortcode(number)
    return receiving_shortcode() if is_our_shortcode(paid_to) else paid_to
