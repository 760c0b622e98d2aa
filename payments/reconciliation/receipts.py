"""What came in: every movement of money once, whichever door the news of it came through."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from omachemainproj.compiled_queries import locked_row
from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments import ledger
from payments.models import AttemptStatus, Channel, OrderPayment, Provider, Receipt
from payments.refunds.services import refund_excess

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IncomingPayment:
    """News of money that has arrived: so many KES under a provider's receipt number.

    ``provider`` is M-Pesa's key or a bank's, ``door`` where the news came from (``ReceiptSource``);
    ``reference`` is what the payer typed, ``phone`` what the provider shows of their number,
    ``paid_at`` is aware.
    """

    provider: str
    number: str
    amount: int
    door: str
    reference: str = ""
    phone: str = ""
    payer: str = ""
    paid_at: datetime | None = None


@transaction.atomic
def record_receipt(news: IncomingPayment) -> tuple[Receipt, str]:
    """Write down money that came without a word from the prompt that may have asked for it.

    Finds its order by the reference that was typed, pays the order if that covers it, and owes
    back what is too much. Without an order the money waits in suspense for a person. Safe to
    repeat, through any door, in any order.

    Returns the receipt and what was made of the news.
    """
    known = find_receipt(news.number, news.provider)
    order_id = known.order_id if known else find_by_typed_reference(news.reference)
    order = locked_row(Order, order_id) if order_id else None
    # Another door may have been faster while the order was locked by it.
    known = find_receipt(news.number, news.provider)
    if known is not None:
        return known, _merge(known, news)
    if order is None:
        return _hold_in_suspense(news)
    unnamed = _without_number(order, news)
    if unnamed is not None:
        unnamed.number, unnamed.door = news.number, news.door
        _fill_in(unnamed, news)
        unnamed.save()
        return unnamed, "Counted already; its receipt number is known now."
    receipt = create_receipt(Receipt(order=order, number=news.number, **_reported(news)))
    record_manual_payment(receipt, order)
    refund_excess(order.pk)
    return receipt, "The money is credited."


def create_receipt(receipt: Receipt) -> Receipt:
    """Save and post a new receipt: to its order, or to suspense without one.

    Call inside a transaction that holds the order's lock.
    """
    order = receipt.order
    receipt.waiting = order is not None and receipt.amount < order.amount
    receipt.save()
    ledger.post_receipt(receipt)
    return receipt


@transaction.atomic
def match_to_order(receipt_id: int, order_id: int, *, note: str) -> Receipt:
    """Give money that waits in suspense to an order, at a person's word.

    The order is paid if that covers it; what is too much is owed back. Raises AlreadyMatched when
    the money has an order or is on its way back.
    """
    order = locked_row(Order, order_id)
    receipt = locked_row(Receipt, receipt_id)
    if receipt.order_id is not None or receipt.refunds.owed().exists():
        raise AlreadyMatched(f"{receipt} has its order, or is on its way back.")
    receipt.note = note[:200]
    match(receipt, order)
    record_manual_payment(receipt, order)
    refund_excess(order.pk)
    return receipt


class AlreadyMatched(ValueError):
    """The money has an order, or is on its way back. Its text is a plain sentence."""


def match(receipt: Receipt, order: Order) -> None:
    """Move money from suspense to an order. Call inside a transaction that locked both rows."""
    receipt.order, receipt.waiting = order, receipt.amount < order.amount
    receipt.save(update_fields=["order", "waiting", "note"])
    ledger.post_match(receipt)


def record_manual_payment(receipt: Receipt, order: Order) -> None:
    """Let money of an order have been paid by hand: an attempt of its own, born confirmed.

    Saving the attempt pays the order, if what came covers it.
    """
    by_hand = OrderPayment(
        order=order,
        channel=Channel.PAY_BILL if receipt.provider == Provider.MPESA else Channel.BANK,
        amount=receipt.amount,
        status=AttemptStatus.CONFIRMED,
        live=False,
        result_code="0",
        confirmed_at=timezone.now(),
    )
    by_hand.save()
    receipt.payment = by_hand
    receipt.save(update_fields=["payment"])


def correct_amount(receipt: Receipt, *, reported_amount: int) -> str:
    """Correct a receipt to the amount the provider reports, in KES. Returns a note.

    What came in addition is its order's, once nothing of the receipt is written off any more; what
    did not come is written off, and a person sees it. Call inside a transaction that holds the
    order's lock.
    """
    note = f"Counted as KES {receipt.amount}, but M-Pesa says KES {reported_amount}."
    logger.error("receipt %s: %s", receipt.number, note)
    ledger.post_correction(receipt, reported_amount=reported_amount)
    if receipt.order_id is not None:
        receipt.borne = max(receipt.borne + receipt.amount - reported_amount, 0)
    receipt.amount, receipt.note, receipt.unseen = reported_amount, note, True
    receipt.save(update_fields=["amount", "borne", "note", "unseen"])
    return note


def find_receipt(number: str, provider: str = Provider.MPESA) -> Receipt | None:
    """The receipt of this number, if it is written down. Never looks for an empty number."""
    receipts = Receipt.objects.filter(provider=provider, number=number)
    return receipts.select_related("payment").first() if number else None


def is_recorded(number: str) -> bool:
    """Whether M-Pesa's receipt of this number is written down. Never true of an empty number."""
    return find_receipt(number) is not None


def _hold_in_suspense(news: IncomingPayment) -> tuple[Receipt, str]:
    typed = news.reference[:40]
    note = f"No order has the reference “{typed}”." if typed else "No reference was typed."
    try:
        with transaction.atomic():
            receipt = create_receipt(Receipt(number=news.number, note=note, **_reported(news)))
    except IntegrityError:
        # Another door told of it in the same moment.
        known = find_receipt(news.number, news.provider)
        if known is None:
            raise
        return known, "Counted already."
    logger.error("receipt %s: %s In suspense.", news.number, note)
    return receipt, note


def _merge(known: Receipt, news: IncomingPayment) -> str:
    """Add what another door tells of money that is counted already."""
    _fill_in(known, news)
    known.save(update_fields=["phone", "payer", "reference", "paid_at"])
    if news.amount != known.amount:
        note = correct_amount(known, reported_amount=news.amount)
        if known.order_id is not None:
            refund_excess(known.order_id)
        return note
    return "Counted already."


def _fill_in(receipt: Receipt, news: IncomingPayment) -> None:
    told = _reported(news)
    for name in ("payer", "reference", "paid_at"):
        setattr(receipt, name, getattr(receipt, name) or told[name])
    # A confirmation masks the payer's number, the statement may not.
    if news.phone and ("*" in receipt.phone or not receipt.phone):
        receipt.phone = news.phone[:20]


def _without_number(order: Order, news: IncomingPayment) -> Receipt | None:
    """Money of the order that only a status query has told of: this is its number, by all signs."""
    if news.provider != Provider.MPESA:
        return None
    unnamed = Receipt.objects.filter(order=order, number="", provider=news.provider)
    return unnamed.filter(amount=news.amount).order_by("pk").first()


def _reported(news: IncomingPayment) -> dict[str, object]:
    return {
        "provider": news.provider,
        "amount": news.amount,
        "door": news.door,
        "phone": news.phone[:20],
        "payer": news.payer[:100],
        "reference": news.reference[:40],
        "paid_at": news.paid_at,
    }
