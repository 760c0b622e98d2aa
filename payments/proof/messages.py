"""Every message that was acted on is read again, and what it did is looked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from omachemainproj.phones import PhoneMatch, match_phone, normalise_phone
from payments.banks import UnreadableNotification, find_bank
from payments.daraja.c2b import read_c2b_payment
from payments.daraja.results import Result, read_transfer_callback
from payments.daraja.stk_callback import read_stk_callback
from payments.daraja.transaction_types import Direction
from payments.daraja.values import UnreadableCallback
from payments.models import (
    EventState,
    GatewayEvent,
    LedgerPosting,
    MoneyOut,
    OrderPayment,
    Payout,
    Provider,
    Receipt,
    Refund,
    Source,
    TransferStatus,
)

from .rule import chunks, rule

_OF_TRANSFER = ("callback_token", "amount", "phone", "status", "number")
#: What is read of a message, and of what it is about.
_READ = (
    "source",
    "token",
    "remote_address",
    "body",
    *(f"payment__{name}" for name in ("callback_token", "rung_at")),
    *(f"payment__{name}" for name in ("merchant_request_id", "checkout_request_id")),
    *(f"refund__{name}" for name in (*_OF_TRANSFER, "way")),
    *(f"payout__{name}" for name in _OF_TRANSFER),
)


class _Told(NamedTuple):
    """Money in, as a message told of it."""

    provider: str
    number: str
    amount: int
    phone: str = ""


def _without_effect(event_ids: list[int]) -> list[int]:
    return sorted(astray for chunk in chunks(event_ids) for astray in _astray(chunk))


def _messages(event_ids: list[int]) -> QuerySet[GatewayEvent]:
    """Messages with what they are about, and no column that is not asked for: there are many."""
    about = GatewayEvent.objects.filter(pk__in=event_ids)
    return about.select_related("payment", "refund", "payout").only(*_READ)


def _astray(event_ids: list[int]) -> Iterator[int]:
    events = list(_messages(event_ids))
    told = {event.pk: found for event in events if (found := _money_in(event)) is not None}
    receipts = {
        (receipt.provider, receipt.number): receipt
        for receipt in Receipt.objects.filter(
            number__in=[each.number for each in told.values()]
        ).only("provider", "number", "amount", "phone", "payment")
    }
    corrected = set(
        LedgerPosting.objects.filter(
            receipt__in=[receipt.pk for receipt in receipts.values()],
            event__startswith="correction:",
        ).values_list("receipt_id", flat=True)
    )
    for event in events:
        found = told.get(event.pk)
        if found is not None:
            receipt = receipts.get((found.provider, found.number))
            if receipt is None:
                yield event.pk
            elif event.payment_id and receipt.payment_id != event.payment_id:
                continue  # told of twice, and counted for the attempt that was first
            elif not _fits(receipt, found, receipt.pk in corrected):
                yield event.pk
        elif not _has_moved(event):
            yield event.pk


def _fits(receipt: Receipt, told: _Told, is_corrected: bool) -> bool:
    if receipt.amount != told.amount and not is_corrected:
        return False
    return not told.phone or not _differ(told.phone, receipt.phone)


def _differ(shown: str, kept: str) -> bool:
    """Whether two ways to show a phone cannot be of one: as far as either is a whole number."""
    try:
        return match_phone(shown, normalise_phone(kept)) == PhoneMatch.DIFFERS
    except ValueError:
        pass
    try:
        return match_phone(kept, normalise_phone(shown)) == PhoneMatch.DIFFERS
    except ValueError:
        return False


def _money_in(event: GatewayEvent) -> _Told | None:
    """The payment a message told of that was believed; None where it told of none."""
    body = _body(event)
    try:
        if event.source == Source.C2B:
            return _of_pay_bill(event, body)
        if event.source == Source.PROMPT:
            return _of_prompt(event, body) if event.payment is not None else None
    except UnreadableCallback:
        return None
    bank = find_bank(event.source)
    try:
        notification = bank.read(body) if bank else None
    except UnreadableNotification:
        return None
    if bank is None or notification is None or not notification.is_money_in:
        return None
    return _Told(bank.key, notification.number, notification.amount, notification.phone)


def _body(event: GatewayEvent) -> bytes:
    # SQLite keeps a text in a column of bytes, if somebody writes one.
    body: object = event.body
    return body.encode() if isinstance(body, str) else bytes(event.body)


def _of_pay_bill(event: GatewayEvent, body: bytes) -> _Told | None:
    payment = read_c2b_payment(body)
    ours = {settings.DARAJA_SHORTCODE, settings.DARAJA_PARTY_B}
    is_money_in = payment.direction in {Direction.IN, Direction.UNSAID}
    if payment.is_reversal or not is_money_in or payment.shortcode not in ours:
        return None
    return _Told(Provider.MPESA, payment.receipt, payment.amount, payment.phone)


def _of_prompt(event: GatewayEvent, body: bytes) -> _Told | None:
    payment = event.payment
    callback = read_stk_callback(body)
    if payment is None or not callback.succeeded or callback.amount is None:
        return None
    ids = (callback.merchant_request_id, callback.checkout_request_id)
    is_believed = (
        event.token == payment.callback_token
        and ids == (payment.merchant_request_id, payment.checkout_request_id)
        and payment.rung_at is not None
        and not event.is_from_elsewhere
    )
    return _Told(Provider.MPESA, callback.receipt, callback.amount) if is_believed else None


def _has_moved(event: GatewayEvent) -> bool:
    """Whether the refund or the payout of a result is as the result said."""
    row: MoneyOut | None = event.refund or event.payout
    if row is None or event.token != row.callback_token or event.is_from_elsewhere:
        return True
    try:
        result = read_transfer_callback(_body(event))
    except UnreadableCallback:
        return True
    if not isinstance(result, Result) or not result.succeeded:
        return True
    if result.amount not in {None, row.amount}:
        return True  # it is put before a person, and ends nothing
    if row.status != TransferStatus.DONE:
        return False
    receiver = result.facts.get("ReceiverPartyPublicName", "").partition(" ")[0]
    is_elsewhere = bool(row.phone) and not row.is_reversal and _differ(receiver, row.phone)
    return not is_elsewhere and (not result.transaction_id or bool(row.number))


@rule("A message that was acted on did what it says: its money is there", only=_without_effect)
def _effect(now: datetime) -> QuerySet[GatewayEvent]:
    return GatewayEvent.objects.filter(state=EventState.APPLIED).exclude(source=Source.STATEMENT)


def _numbered_otherwise(event_ids: list[int]) -> list[int]:
    astray = []
    for chunk in chunks(event_ids):
        astray += [event.pk for event in _messages(chunk) if _names_another(event)]
    return sorted(astray)


def _names_another(event: GatewayEvent) -> bool:
    row: MoneyOut | None = event.refund or event.payout
    if row is None or event.token != row.callback_token or event.is_from_elsewhere:
        return False
    try:
        result = read_transfer_callback(_body(event))
    except UnreadableCallback:
        return False
    is_end = isinstance(result, Result) and result.succeeded
    if not is_end or not isinstance(result, Result) or not result.transaction_id:
        return False
    return row.status == TransferStatus.DONE and row.number != result.transaction_id


def _only_result() -> Q:
    """That no other message at any of its addresses, and no person, can have named its number."""
    others = GatewayEvent.objects.filter(state=EventState.APPLIED).exclude(pk=OuterRef("pk"))
    of_refund = Q(refund__isnull=False) & ~Exists(others.filter(refund=OuterRef("refund")))
    of_payout = Q(payout__isnull=False) & ~Exists(others.filter(payout=OuterRef("payout")))
    return of_refund | of_payout


@rule("A transfer of which one result alone came has the number it named", only=_numbered_otherwise)
def _named(now: datetime) -> QuerySet[GatewayEvent]:
    by_person = ["Seen on M-Pesa's portal.", "Sent on M-Pesa's portal."]
    applied = GatewayEvent.objects.filter(_only_result(), state=EventState.APPLIED)
    return applied.exclude(refund__result_text__in=by_person).exclude(
        payout__result_text__in=by_person
    )


@rule("A message that came to an attempt's, a refund's or a payout's own address is about it")
def _about_it(now: datetime) -> QuerySet[GatewayEvent]:
    read = GatewayEvent.objects.filter(
        state__in=[EventState.APPLIED, EventState.CHECKING, EventState.UNMATCHED]
    )
    of_attempt = OrderPayment.objects.filter(callback_token=OuterRef("token"))
    addresses = Q(callback_token=OuterRef("token")) | Q(status_token=OuterRef("token"))
    of_refund, of_payout = Refund.objects.filter(addresses), Payout.objects.filter(addresses)
    # Nearly all are about the row whose address it is, which is found by its key: random tokens are
    # looked for among all of them only for the others.
    own = (
        Q(Exists(of_attempt.filter(pk=OuterRef("payment"))))
        | Q(Exists(of_refund.filter(pk=OuterRef("refund"))))
        | Q(Exists(of_payout.filter(pk=OuterRef("payout"))))
    )
    astray = Q(payment__isnull=True) & Q(Exists(of_attempt))
    astray |= Q(refund__isnull=True) & Q(Exists(of_refund))
    astray |= Q(payout__isnull=True) & Q(Exists(of_payout))
    return read.filter(~own, astray, source=Source.PROMPT).exclude(token="")
