"""Manual payments to the pay bill (C2B): M-Pesa's validation before, and its confirmation after.

M-Pesa confirms paid STK pushes here too, under the same receipt number.
"""

from __future__ import annotations

import hmac
import logging
from typing import TypedDict

from django.conf import settings

from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments.daraja.c2b import C2bPayment, read_c2b_payment
from payments.daraja.transaction_types import Direction
from payments.daraja.values import UnreadableCallback, receipt_text
from payments.models import EventState, GatewayEvent, Provider, ReceiptSource, amount_credited
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.returns import record_reversal_row
from payments.reconciliation.statement_rows import await_payment
from payments.shortcodes import is_or_was_paid_to

logger = logging.getLogger(__name__)


#: Transaction types that prove incoming money at the registered URL; "" if it is not named.
MONEY_IN = {Direction.IN, Direction.UNSAID}


class Verdict(TypedDict):
    """The answer to a validation, before money moves (Daraja portal, C2B validation)."""

    ResultCode: str
    ResultDesc: str


ACCEPTED: Verdict = {"ResultCode": "0", "ResultDesc": "Accepted"}


def is_our_address(token: str) -> bool:
    """Whether a message came to the secret URL that was registered with Safaricom."""
    ours = settings.DARAJA_C2B_TOKEN
    return bool(ours) and hmac.compare_digest(token.encode(), ours.encode())


def validate(body: bytes) -> Verdict:
    """Answer whether M-Pesa may accept a payment that someone is making. Writes nothing.

    Refuses a reference without an order that waits for money, an amount other than the one due, and
    a short code that is not ours; each with Daraja's own code.
    """
    try:
        payment = read_c2b_payment(body)
    except UnreadableCallback as error:
        logger.warning("a payment could not be validated: %s", error)
        return _refused("C2B00016")
    if not _is_ours(payment):
        return _refused("C2B00015")
    if payment.direction not in MONEY_IN:
        return _refused("C2B00016")
    order_id = find_by_typed_reference(payment.reference)
    order = Order.objects.filter(pk=order_id).first() if order_id else None
    if order is None or not order.is_unpaid:
        return _refused("C2B00012")
    if payment.amount != order.amount - amount_credited(order.pk):
        return _refused("C2B00013")
    return ACCEPTED


def handle(event: GatewayEvent) -> None:
    """Process a confirmation: the money has moved and can no longer be refused."""
    try:
        payment = read_c2b_payment(bytes(event.body))
    except UnreadableCallback as error:
        event.set_state(EventState.UNREADABLE, str(error))
        return
    if not is_our_address(event.token) or event.is_from_unknown_ip:
        # Anyone can post one. If the money did arrive, M-Pesa's statement shows it.
        logger.error("event %s: a payment was reported from a source we do not trust", event.pk)
        event.set_state(
            EventState.UNMATCHED,
            "It did not come from Safaricom to the registered address. The statement decides.",
        )
        return
    if not _is_ours(payment):
        logger.error("event %s: a payment to %s was reported", event.pk, payment.shortcode)
        event.set_state(
            EventState.UNMATCHED,
            f"It was paid to {payment.shortcode}, which is not one of our numbers.",
        )
        return
    if payment.is_reversal:
        # It was paid and reversed: it is not recorded as incoming money.
        row = {"number": payment.receipt, "reverses": receipt_text(payment.reference)}
        event.receipt, note = record_reversal_row(amount=payment.amount, **row)
        if event.receipt is None:
            await_payment(event.pk, **row)
        state = EventState.APPLIED if event.receipt else EventState.FAILED
        event.set_state(state, note)
        return
    if payment.direction not in MONEY_IN:
        logger.error("event %s: %s is not a payment", event.pk, payment.transaction_type)
        event.set_state(
            EventState.UNMATCHED,
            f"{payment.transaction_type} is not a payment to us. The statement shows what was "
            f"received.",
        )
        return
    event.receipt, note = record_receipt(_incoming_payment(payment))
    event.payment = event.receipt.payment
    event.set_state(EventState.APPLIED, note)


def _is_ours(payment: C2bPayment) -> bool:
    return bool(payment.shortcode) and is_or_was_paid_to(payment.shortcode)


def _incoming_payment(payment: C2bPayment) -> IncomingPayment:
    return IncomingPayment(
        provider=Provider.MPESA,
        number=payment.receipt,
        amount=payment.amount,
        source=ReceiptSource.C2B,
        reference=payment.reference,
        phone=payment.phone,
        payer=payment.first_name,
        paid_at=payment.paid_at,
        shortcode=payment.shortcode,
    )


def _refused(code: str) -> Verdict:
    return {"ResultCode": code, "ResultDesc": "Rejected"}
