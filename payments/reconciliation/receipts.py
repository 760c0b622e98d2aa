"""Receipts: each payment that arrived is recorded once, whichever source reports it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.contacts import record_paid_from
from omachemainproj.compiled_queries import compiled
from omachemainproj.locking import locked_row
from omachemainproj.phones import PhoneMatch, clearer_phone, match_phone
from orders.lifecycle import mark_order_paid
from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments import evidence, ledger
from payments.evidence import SourceReport, lock_receipt
from payments.models import (
    DOUBTFUL,
    TELL_AMOUNTS,
    AttemptStatus,
    Channel,
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    amount_credited,
)
from payments.models.same_payments import (
    attempts_behind,
    may_be_paid_with,
    movement,
    movement_of,
    movements_behind,
    sure_attempt,
)
from payments.refunds.corrections import (
    drop_unsent,
    missing_of_order,
    missing_of_suspense,
    owe_anew,
)
from payments.refunds.external_reversals import CannotBeReversed, record_outside_reversal
from payments.refunds.services import drop_unsent_refunds, refund_excess, refund_excess_locked

logger = logging.getLogger(__name__)

#: What a later report may add to a receipt.
FILLED_IN = ("phone", "phone_by", "payer", "reference", "paid_at")


@dataclass(frozen=True, slots=True)
class IncomingPayment:
    """A payment as a source reports it: an amount in KES under a provider's receipt number.

    ``provider`` is M-Pesa's key or a bank's, ``source`` a ``ReceiptSource``; ``reference`` is what
    the payer typed, ``phone`` what the provider shows of their number, ``paid_at`` is aware.
    """

    provider: str
    number: str
    amount: int
    source: str
    reference: str = ""
    phone: str = ""
    payer: str = ""
    paid_at: datetime | None = None
    #: The number of ours that was paid, and the id of the person who tells.
    shortcode: str = ""
    by: int | None = None

    @property
    def told(self) -> SourceReport:
        """What of it may confirm a receipt."""
        return SourceReport(self.source, self.amount, self.number, self.shortcode, self.by)


@transaction.atomic
def record_receipt(incoming: IncomingPayment) -> tuple[Receipt, str]:
    """Record a payment that is not reported by a callback or query of the STK push behind it.

    Finds its order by the reference that was typed, pays the order if that covers it, and refunds
    what is too much. Without an order it names the receipt of the one prompt that was paid with
    this amount, then, from this phone; else the money is held in suspense for a person. What lies
    there becomes an order's as soon as a source tells its reference. Safe to repeat, from any
    source, in any order.

    Returns the receipt and a note of what was done.
    """
    known = find_receipt(incoming.number, incoming.provider)
    kept = None if known is None else known.order_id
    order_id = kept or find_by_typed_reference(incoming.reference)
    is_named = order_id is not None
    if known is None and order_id is None:
        order_id = _order_of_unnamed(incoming)
    order = locked_row(Order, order_id) if order_id else None
    # Another source may have been faster, and held the order's lock until now.
    known = _lock_known(incoming)
    if known is not None:
        note = _merge(known, incoming)
        if known.order_id is None and order is not None and is_named:
            return _give_named(known, order, note)
        return known, note
    if order is None:
        return _hold_in_suspense(incoming)
    unnamed = _find_without_number(order, Receipt(**_reported(incoming)))
    if unnamed is None and not is_named:
        # Another number came for it while its order's lock was waited for.
        return _hold_in_suspense(incoming)
    if unnamed is not None:
        unnamed.number, unnamed.source = incoming.number, incoming.source
        _fill_in(unnamed, incoming)
        unnamed.save(update_fields=["number", "source", *FILLED_IN])
        evidence.record(unnamed, incoming.told)
        return unnamed, "Counted already; its receipt number is known now."
    receipt = create_receipt(
        Receipt(order=order, number=incoming.number, **_reported(incoming)), incoming.told
    )
    record_manual_payment(receipt, order)
    refund_excess(order.pk)
    return receipt, "The money is credited."


def may_name_its_order(receipt: Receipt, reference: str) -> bool:
    """Whether a report with this reference may say whose money in suspense is."""
    return receipt.order_id is None and bool(reference.strip())


def _give_named(receipt: Receipt, order: Order, note: str) -> tuple[Receipt, str]:
    """Give money in suspense to the order whose reference a later report of it has, as if that had
    been the first. What may be no order's, or is on its way back, stays as it is.

    Returns the receipt that it is by then, and a note.
    """
    try:
        check_may_be_matched(receipt)
        given = _give(receipt, order, note="", by_reference=True)
    except AlreadyMatched as error:
        logger.warning("receipt %s: %s", receipt.number, error)
        return receipt, note
    return given, "Counted already; it is known to be this order's now."


def record_reversal_row(*, number: str, reverses: str, amount: int) -> tuple[Receipt | None, str]:
    """Record what tells of a payment that M-Pesa took back: its own number, the payment's, and KES.

    Where the payment is not named, the number may be its own. Safe to repeat. Returns the payment's
    receipt, None where it is not known and a person has to look, and a note.
    """
    receipt = find_receipt(reverses) or find_receipt(number)
    if receipt is None:
        # Not the empty one, which all refunds have that were not done yet.
        numbered = Refund.objects.filter(number=number).exclude(number="")
        ours = numbered.select_related("receipt").first()
        if ours is not None:
            return ours.receipt, "A reversal that is known."
        return None, "M-Pesa took a payment back, and does not say which one of ours."
    if amount != receipt.amount:
        return None, f"M-Pesa took KES {amount} of {receipt} back."
    own = "" if receipt.number == number else number
    try:
        return receipt, record_outside_reversal(receipt.pk, number=own)
    except CannotBeReversed as error:
        return None, str(error)


def create_receipt(receipt: Receipt, told: SourceReport) -> Receipt:
    """Save and post a new receipt, and who told of it: to its order, or to suspense without one.

    Call inside a transaction that holds the order's lock.
    """
    order = receipt.order
    receipt.waiting = order is not None and receipt.amount < order.amount
    receipt.save()
    ledger.post_receipt(receipt)
    evidence.record_first(receipt, told)
    return receipt


@transaction.atomic
def match_to_order(receipt_id: int, order_id: int, *, note: str) -> Receipt:
    """Match a receipt in suspense to an order, as a person decided.

    The order is paid if that covers it; what is too much is refunded. Where the order has a prompt
    that was paid with this amount, and its receipt has no number, it is that receipt, unless
    M-Pesa shows another phone. Raises AlreadyMatched when the receipt has an order or is being
    refunded, MayBeAnothers when it may be another order's prompt.
    """
    order = locked_row(Order, order_id)
    receipt = locked_row(Receipt, receipt_id)
    check_may_be_matched(receipt)
    return _give(receipt, order, note=note, by_reference=False)


def _give(receipt: Receipt, order: Order, *, note: str, by_reference: bool) -> Receipt:
    """Make money in suspense an order's: the receipt of its prompt that has no number, if it may be
    that, else a payment by hand.

    What no payer's reference says may be another order's prompt: that is decided first. Raises
    AlreadyMatched and MayBeAnothers. Returns the order's receipt.
    """
    same = _find_without_number(order, receipt)
    if same is not None and not receipt.is_no_prompts:
        return merge_receipts(same, receipt, order, note=note)
    if not by_reference:
        check_decided(receipt, besides=order.pk)
    receipt.note = note[:200]
    match(receipt, order)
    record_manual_payment(receipt, order)
    refund_excess(order.pk)
    return receipt


class AlreadyMatched(ValueError):
    """The money may be no order's: it has one, is being refunded, is in doubt, or is nobody's
    payment. Its text is a plain sentence."""


def check_may_be_given(receipt: Receipt, *, though_in_doubt: bool = False) -> None:
    """Raise AlreadyMatched for money that may be no order's: the one check of every way by which
    money in suspense becomes an order's. ``check_may_be_matched`` asks about refunds too, which a
    merge drops where they were not sent.

    ``though_in_doubt`` is for what M-Pesa itself reports of an attempt at its own address: a doubt
    is decided later, and the order's goods wait for that. Call inside a transaction that holds the
    receipt's lock.
    """
    if receipt.order_id is not None or receipt.same_as_id:
        raise AlreadyMatched(f"{receipt} has its order.")
    if receipt.verification in DOUBTFUL and not (though_in_doubt and receipt.is_in_doubt):
        raise AlreadyMatched(f"{receipt} is in doubt: decide first whether it came.")
    if receipt.came_back:
        raise AlreadyMatched(f"{receipt} is what the shop had sent: no buyer paid it.")


def check_may_be_matched(receipt: Receipt, *, though_in_doubt: bool = False) -> None:
    """Raise AlreadyMatched for money that may be no order's, or of which some is owed back.

    Call inside a transaction that holds the receipt's lock.
    """
    check_may_be_given(receipt, though_in_doubt=though_in_doubt)
    if receipt.refunds.owed().exists():
        raise AlreadyMatched(f"{receipt} is on its way back.")


def merge_receipts(unnamed: Receipt, movement: Receipt, order: Order, *, note: str) -> Receipt:
    """Make one of a receipt without a number and money in suspense: it came once.

    The receipt of the order takes the number, and the books take back what was posted for the
    other, by opposite entries. Where their amounts differ, the movement's is what came, unless only
    a person has said so. Call inside a transaction that holds the order's lock. Raises
    AlreadyMatched when either is something else by now, or the money is on its way back.

    Returns the order's receipt.
    """
    # In the order of their keys: a person may be matching either at this very moment.
    locked = {pk: locked_row(Receipt, pk) for pk in sorted((unnamed.pk, movement.pk))}
    unnamed, movement = locked[unnamed.pk], locked[movement.pk]
    if unnamed.number or unnamed.same_as_id or unnamed.order_id != order.pk:
        raise AlreadyMatched("The number of that receipt has come.")
    check_may_be_given(movement)
    if not movement.number or movement.provider != unnamed.provider:
        raise AlreadyMatched(f"{movement} is another payment.")
    if not drop_unsent_refunds(movement):
        raise AlreadyMatched(f"{movement} is on its way back.")
    ledger.post_merge(movement)
    number, amount = movement.number, movement.amount
    amount_told_by = evidence.source_of_amount(movement)
    movement.note = f"KES {amount} as {number} is the receipt of order {order.reference}. {note}"
    movement.note = movement.note.strip()[:200]
    movement.number, movement.amount, movement.same_as = "", 0, unnamed
    movement.save(update_fields=["number", "amount", "same_as", "note"])
    movement.events.update(receipt=unnamed, payment=unnamed.payment_id)
    unnamed.number, unnamed.source = number, movement.source
    if not unnamed.phone:
        unnamed.phone_by_id = movement.phone_by_id
    unnamed.phone = clearer_phone(unnamed.phone, movement.phone)
    for name in ("payer", "reference", "paid_at"):
        setattr(unnamed, name, getattr(unnamed, name) or getattr(movement, name))
    unnamed.save()
    evidence.copy_evidence(unnamed, movement)
    logger.info("receipt %s: found to be that of order %s", number, order.reference)
    if amount != unnamed.amount:
        correct_amount(unnamed, reported_amount=amount, source=amount_told_by)
    refund_excess(order.pk)
    return unnamed


@transaction.atomic
def merge_if_sure(receipt_id: int) -> bool:
    """Merge money in suspense with the receipt without a number that it is, where that is sure.

    Sure is where no other prompt and no other money agrees in amount, time and phone. Safe to
    repeat. Returns whether it was done.
    """
    receipt = Receipt.objects.get(pk=receipt_id)
    attempt = sure_attempt(movement_of(receipt))
    if attempt is None or not attempt.is_confirmed or len(movements_behind(attempt)) != 1:
        return False
    order = locked_row(Order, attempt.order_id)
    try:
        merge_receipts(attempt.receipt, receipt, order, note="")
    except AlreadyMatched:
        return False
    return True


class MayBeAnothers(ValueError):
    """The money may be a prompt's whose receipt has no number. Its text is a plain sentence."""


def check_decided(receipt: Receipt, *, besides: int = 0) -> None:
    """Raise MayBeAnothers for money that may be another order's prompt than ``besides``'s."""
    if receipt.is_no_prompts or receipt.provider != Provider.MPESA:
        return
    for attempt, _ in attempts_behind(movement_of(receipt)):
        if attempt.order_id != besides and attempt.is_confirmed:
            raise MayBeAnothers(
                f"It may be the receipt of order {attempt.order.reference}, whose number has not "
                "come. Say first whether it is."
            )


def match(receipt: Receipt, order: Order, *, though_in_doubt: bool = False) -> None:
    """Move money from suspense to an order. Call inside a transaction that locked both rows.

    Where a doubt about it is not decided, nothing of the order is handed over. Raises
    AlreadyMatched where it may be no order's.
    """
    check_may_be_matched(receipt, though_in_doubt=though_in_doubt)
    receipt.order, receipt.waiting = order, receipt.amount < order.amount
    receipt.save(update_fields=["order", "waiting", "note"])
    ledger.post_match(receipt)
    if receipt.is_in_doubt:
        evidence.stop_goods(receipt)


def record_manual_payment(receipt: Receipt, order: Order) -> None:
    """Record a manual payment as a confirmed OrderPayment.

    Saving it pays the order, if what came covers it.
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
    if _is_of_phone(receipt, order.mpesa_number):
        record_paid_from(order.buyer_id, order.mpesa_number, timezone.now())
    by_hand.save()
    receipt.payment = by_hand
    receipt.save(update_fields=["payment"])


def _is_of_phone(receipt: Receipt, phone: str) -> bool:
    """Whether M-Pesa names this very phone as the payer's, in full or hashed: not masked."""
    is_whole = receipt.provider == Provider.MPESA and "*" not in receipt.phone
    return is_whole and match_phone(receipt.phone, phone) == PhoneMatch.AGREES


def correct_amount(receipt: Receipt, *, reported_amount: int, source: str) -> str:
    """Correct a receipt to the amount the provider reports, in KES. Returns a note.

    ``source`` is the ``ReceiptSource`` that reports it; only a provider's own word changes what is
    counted. What came in addition is its order's, once nothing of the receipt is written off any
    more: the order is paid, if that covers it, and what is too much goes back. What did not come is
    owed back no more, where it was not sent, and else written off, where an order was paid with it
    or it has left. A person sees both. Call inside a transaction that holds the order's lock.
    """
    if source not in TELL_AMOUNTS:
        return f"KES {receipt.amount} is counted: only M-Pesa or a bank says what came."
    note = f"Counted as KES {receipt.amount}, but M-Pesa says KES {reported_amount}."
    logger.error("receipt %s: %s", receipt.number, note)
    order = None if receipt.order_id is None else locked_row(Order, receipt.order_id)
    less = receipt.amount - reported_amount
    if order is None:
        missing = missing_of_suspense(receipt, comes_to=reported_amount)
    else:
        missing = missing_of_order(order, less=less) if less > 0 else 0
    missing, dropped = drop_unsent(receipt, order, missing=missing, comes_to=reported_amount)
    lost = 0 if order is None else missing
    if less < 0:
        lost = -min(receipt.written_off, -less)
    ledger.post_correction(receipt, reported_amount=reported_amount, lost=abs(lost))
    receipt.written_off += lost
    receipt.amount, receipt.note, receipt.unacknowledged = reported_amount, note, True
    receipt.save(update_fields=["amount", "written_off", "note", "unacknowledged"])
    # What was said of it before was said of another amount.
    receipt.verification = evidence.reassess(receipt.pk).verification
    if receipt.order_id is not None:
        mark_order_paid(receipt.order_id, credited=partial(amount_credited, receipt.order_id))
        order = locked_row(Order, receipt.order_id)
    owe_anew(receipt, order, dropped)
    if order is not None:
        refund_excess_locked(order)
    return note


def find_receipt(number: str, provider: str = Provider.MPESA) -> Receipt | None:
    """The receipt with this number, if it is recorded. Never looks for an empty number."""
    return next(iter(_receipts_with(provider, number)), None) if number else None


@compiled
def _receipts_with(provider: str, number: str) -> QuerySet[Receipt]:
    """One at most: a number is a provider's once."""
    # Not the empty one: that has to be said, since the index leaves those without one out.
    numbered = Receipt.objects.filter(provider=provider, number=number).exclude(number="")
    return numbered.select_related("payment")


def _hold_in_suspense(incoming: IncomingPayment) -> tuple[Receipt, str]:
    typed = incoming.reference[:40]
    note = f"No order has the reference “{typed}”." if typed else "No reference was typed."
    try:
        with transaction.atomic():
            receipt = create_receipt(
                Receipt(number=incoming.number, note=note, **_reported(incoming)), incoming.told
            )
    except IntegrityError:
        # Another source reported it at the same moment.
        known = _lock_known(incoming)
        if known is None:
            raise
        return known, _merge(known, incoming)
    # Somebody typed no reference of ours, as people do: the queue of the console tells of it.
    logger.info("receipt %s: %s In suspense.", incoming.number, note)
    return receipt, note


def _lock_known(incoming: IncomingPayment) -> Receipt | None:
    """The receipt with the number that is reported, locked after its order: as it is by now, not as
    it was before a person matched it, or another source told more."""
    while (known := find_receipt(incoming.number, incoming.provider)) is not None:
        receipt = lock_receipt(known.pk)
        if receipt.number == incoming.number:
            return receipt
        # It was found to be another receipt's payment: that one has the number now.
    return None


def _merge(known: Receipt, incoming: IncomingPayment) -> str:
    """Add what another source reports about a receipt that is recorded already, and locked."""
    _fill_in(known, incoming)
    known.save(update_fields=FILLED_IN)
    evidence.record(known, incoming.told)
    if incoming.amount != known.amount:
        return correct_amount(known, reported_amount=incoming.amount, source=incoming.source)
    return "Counted already."


def _fill_in(receipt: Receipt, incoming: IncomingPayment) -> None:
    """Add the details a receipt does not have yet."""
    reported = _reported(incoming)
    for name in ("payer", "reference", "paid_at"):
        setattr(receipt, name, getattr(receipt, name) or reported[name])
    shown = clearer_phone("", incoming.phone[:64])
    is_typed = incoming.source == ReceiptSource.STAFF
    if receipt.phone_by_id is not None and shown and not is_typed:
        # What a person typed stands only where the provider's own word agrees with it.
        agrees = match_phone(shown, receipt.phone) == PhoneMatch.AGREES
        receipt.phone, receipt.phone_by_id = (receipt.phone if agrees else shown), None
    elif not is_typed:
        # A confirmation masks or hashes the payer's number, the statement may not.
        receipt.phone = clearer_phone(receipt.phone, shown)
    elif not receipt.phone:
        receipt.phone, receipt.phone_by_id = shown, incoming.by


def _order_of_unnamed(incoming: IncomingPayment) -> int | None:
    """The order whose prompt was paid with this money, where it can be nothing else."""
    if incoming.provider != Provider.MPESA:
        return None
    attempt = sure_attempt(
        movement(
            amount=incoming.amount,
            phone=incoming.phone,
            source=incoming.source,
            paid_at=incoming.paid_at,
            reported_at=timezone.now(),
        )
    )
    if attempt is None or not attempt.is_confirmed or movements_behind(attempt):
        return None
    return attempt.order_id


def _find_without_number(order: Order, movement: Receipt) -> Receipt | None:
    """The order's receipt that only a status query has proved, and that this money may be: of its
    amount, and not for certain from another phone than the prompt rang."""
    if movement.provider != Provider.MPESA:
        return None
    unnamed = Receipt.objects.without_number().filter(order=order, provider=movement.provider)
    unnamed = unnamed.filter(amount=movement.amount).select_related("payment").order_by("pk")
    return next((each for each in unnamed if may_be_paid_with(each.payment, movement)), None)


def _reported(incoming: IncomingPayment) -> dict[str, object]:
    """What is reported, as a receipt has it."""
    return {
        "provider": incoming.provider,
        "amount": incoming.amount,
        "source": incoming.source,
        "phone": clearer_phone("", incoming.phone[:64]),
        "phone_by_id": incoming.by if incoming.phone else None,
        "payer": incoming.payer[:100],
        "reference": incoming.reference[:40],
        "paid_at": incoming.paid_at,
    }
