"""Processed gateway messages are read again, and their effects are checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from omachemainproj.phones import PhoneMatch, match_phone, normalise_phone
from payments.banks import UnreadableNotification, find_bank
from payments.daraja.c2b import read_c2b_payment
from payments.daraja.results import Result, read_transfer_callback
from payments.daraja.stk_callback import read_stk_callback
from payments.daraja.transaction_types import Direction
from payments.daraja.values import UnreadableCallback
from payments.evidence import is_amount_on_gateway
from payments.models import (
    AMOUNT_REPORTING_SOURCES,
    EventState,
    GatewayEvent,
    LedgerPosting,
    OrderPayment,
    Payout,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    Source,
    Transfer,
    TransferStatus,
    Verification,
    Withdrawal,
)

from .rule import chunks, rule

_OF_TRANSFER = ("callback_token", "amount", "phone", "status", "number")
#: Columns read of a message and of the row it is about.
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


class _Payment(NamedTuple):
    """An incoming payment, as a message reports it."""

    provider: str
    number: str
    amount: int
    phone: str = ""


def _without_effect(event_ids: list[int]) -> list[int]:
    return sorted(event_id for chunk in chunks(event_ids) for event_id in _misrecorded(chunk))


def _messages(event_ids: list[int]) -> QuerySet[GatewayEvent]:
    """Messages with the rows they are about, and only the columns that are needed."""
    about = GatewayEvent.objects.filter(pk__in=event_ids)
    return about.select_related("payment", "refund", "payout").only(*_READ)


def _misrecorded(event_ids: list[int]) -> Iterator[int]:
    events = list(_messages(event_ids))
    reported = {event.pk: found for event in events if (found := _money_in(event)) is not None}
    receipts = {
        (receipt.provider, receipt.number): receipt
        for receipt in Receipt.objects.filter(
            number__in=[each.number for each in reported.values()]
        ).only("provider", "number", "amount", "phone", "payment", "verification")
    }
    corrected = set(
        LedgerPosting.objects.filter(
            receipt__in=[receipt.pk for receipt in receipts.values()],
            event__startswith="correction:",
        ).values_list("receipt_id", flat=True)
    )
    for event in events:
        found = reported.get(event.pk)
        if found is not None:
            receipt = receipts.get((found.provider, found.number))
            if receipt is None:
                yield event.pk
            elif event.payment_id and receipt.payment_id != event.payment_id:
                continue  # reported twice, and counted for the first attempt
            elif not _matches(
                receipt, found, receipt.pk in corrected or _is_outranked(receipt, found)
            ):
                yield event.pk
        elif not _has_outcome(event):
            yield event.pk


def _is_outranked(receipt: Receipt, reported: _Payment) -> bool:
    """Whether a message reports another amount than M-Pesa's own answer shows, or than an earlier
    callback of the attempt did, or another than was written off because it never came: it changed
    nothing, and was shown to staff.

    Each report is a row that is only added.
    """
    if receipt.amount == reported.amount:
        return False
    reports = receipt.evidence.filter(source__in=AMOUNT_REPORTING_SOURCES)
    sources = dict(reports.order_by("-pk").values_list("amount", "source"))
    if receipt.verification == Verification.NEVER_CAME:
        return reported.amount in sources
    if not {receipt.amount, reported.amount} <= sources.keys():
        return False
    is_own_again = sources[reported.amount] == ReceiptSource.CALLBACK
    return is_own_again or is_amount_on_gateway(receipt)


def _matches(receipt: Receipt, reported: _Payment, may_differ: bool) -> bool:
    if receipt.amount != reported.amount and not may_differ:
        return False
    return not reported.phone or not _differ(reported.phone, receipt.phone)


def _differ(shown: str, stored: str) -> bool:
    """Whether two representations cannot be the same phone. One of them must be a full number."""
    try:
        return match_phone(shown, normalise_phone(stored)) == PhoneMatch.DIFFERS
    except ValueError:
        pass
    try:
        return match_phone(stored, normalise_phone(shown)) == PhoneMatch.DIFFERS
    except ValueError:
        return False


def _money_in(event: GatewayEvent) -> _Payment | None:
    """The payment that a message reports and that was trusted, or None."""
    body = _body(event)
    try:
        if event.source == Source.C2B:
            return _of_pay_bill(event, body)
        if event.source == Source.CALLBACK:
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
    return _Payment(bank.key, notification.number, notification.amount, notification.phone)


def _body(event: GatewayEvent) -> bytes:
    # SQLite returns text from a bytes column if text was written to it.
    body: object = event.body
    return body.encode() if isinstance(body, str) else bytes(event.body)


def _of_pay_bill(event: GatewayEvent, body: bytes) -> _Payment | None:
    payment = read_c2b_payment(body)
    is_money_in = payment.direction in {Direction.IN, Direction.UNSAID}
    if payment.is_reversal or not is_money_in:
        return None
    return _Payment(Provider.MPESA, payment.receipt, payment.amount, payment.phone)


def _of_prompt(event: GatewayEvent, body: bytes) -> _Payment | None:
    payment = event.payment
    callback = read_stk_callback(body)
    if payment is None or not callback.succeeded or callback.amount is None:
        return None
    ids = (callback.merchant_request_id, callback.checkout_request_id)
    is_believed = (
        event.token == payment.callback_token
        and ids == (payment.merchant_request_id, payment.checkout_request_id)
        and payment.rung_at is not None
        and not event.is_from_unknown_ip
    )
    return _Payment(Provider.MPESA, callback.receipt, callback.amount) if is_believed else None


def _has_outcome(event: GatewayEvent) -> bool:
    """Whether the transfer of a result has the outcome that the result reports."""
    row: Transfer | None = event.refund or event.payout
    if row is None or event.token != row.callback_token or event.is_from_unknown_ip:
        return True
    try:
        result = read_transfer_callback(_body(event))
    except UnreadableCallback:
        return True
    if not isinstance(result, Result) or not result.succeeded:
        return True
    if result.amount not in {None, row.amount}:
        return True  # a different amount goes to staff and does not end the transfer
    if row.status != TransferStatus.DONE:
        # M-Pesa may have said since that it reversed it.
        return bool(row.was_returned)
    receiver = result.facts.get("ReceiverPartyPublicName", "").partition(" ")[0]
    is_elsewhere = bool(row.phone) and not row.is_reversal and _differ(receiver, row.phone)
    return not is_elsewhere and (not result.transaction_id or bool(row.number))


@rule("A processed message had its effect: its money is recorded", only=_without_effect)
def message_had_its_effect(now: datetime) -> QuerySet[GatewayEvent]:
    return GatewayEvent.objects.filter(state=EventState.APPLIED).exclude(source=Source.STATEMENT)


def _numbered_otherwise(event_ids: list[int]) -> list[int]:
    wrong = []
    for chunk in chunks(event_ids):
        wrong += [event.pk for event in _messages(chunk) if _names_another(event)]
    return sorted(wrong)


def _names_another(event: GatewayEvent) -> bool:
    row: Transfer | None = event.refund or event.payout
    if row is None or event.token != row.callback_token or event.is_from_unknown_ip:
        return False
    try:
        result = read_transfer_callback(_body(event))
    except UnreadableCallback:
        return False
    is_end = isinstance(result, Result) and result.succeeded
    if not is_end or not isinstance(result, Result) or not result.transaction_id:
        return False
    if row.status != TransferStatus.DONE or row.number == result.transaction_id:
        return False
    # Money was sent twice, and staff see the second movement, or have said what it was.
    return not Withdrawal.objects.filter(number=result.transaction_id).exists()


def _only_result() -> Q:
    """No other processed message can have set the number of the transfer."""
    others = GatewayEvent.objects.filter(state=EventState.APPLIED).exclude(pk=OuterRef("pk"))
    of_refund = Q(refund__isnull=False) & ~Exists(others.filter(refund=OuterRef("refund")))
    of_payout = Q(payout__isnull=False) & ~Exists(others.filter(payout=OuterRef("payout")))
    return of_refund | of_payout


@rule("A transfer with a single result has the number which that names", only=_numbered_otherwise)
def transfer_number_matches_result(now: datetime) -> QuerySet[GatewayEvent]:
    by_staff = ["Seen on M-Pesa's portal.", "Sent on M-Pesa's portal."]
    applied = GatewayEvent.objects.filter(_only_result(), state=EventState.APPLIED)
    return applied.exclude(refund__result_text__in=by_staff).exclude(
        payout__result_text__in=by_staff
    )


@rule("A message to the address of an attempt, refund or payout is about that row")
def message_belongs_to_its_address(now: datetime) -> QuerySet[GatewayEvent]:
    read = GatewayEvent.objects.filter(
        state__in=[EventState.APPLIED, EventState.CHECKING, EventState.UNMATCHED]
    )
    of_attempt = OrderPayment.objects.filter(callback_token=OuterRef("token"))
    addresses = Q(callback_token=OuterRef("token")) | Q(status_token=OuterRef("token"))
    of_refund, of_payout = Refund.objects.filter(addresses), Payout.objects.filter(addresses)
    # Checked first, by primary key, since nearly all messages are about the right row. Only the
    # others need the search by token.
    own = (
        Q(Exists(of_attempt.filter(pk=OuterRef("payment"))))
        | Q(Exists(of_refund.filter(pk=OuterRef("refund"))))
        | Q(Exists(of_payout.filter(pk=OuterRef("payout"))))
    )
    crossed = Q(payment__isnull=True) & Q(Exists(of_attempt))
    crossed |= Q(refund__isnull=True) & Q(Exists(of_refund))
    crossed |= Q(payout__isnull=True) & Q(Exists(of_payout))
    return read.filter(~own, crossed, source=Source.CALLBACK).exclude(token="")
