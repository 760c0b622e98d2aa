"""The timeline of a row on the console: what happened, earliest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from accounts.backoffice.formats import dial, dial_in
from accounts.backoffice.proposals import row_proposed_about
from accounts.models import Proposal
from omachemainproj.money import format_kes
from orders.models import Order, Problem, TrackEvent, TrackStatus
from payments.models import (
    AttemptStatus,
    GatewayEvent,
    LedgerPosting,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    RefundMethod,
    SellerShare,
    Side,
    Transfer,
    TransferStatus,
    Withdrawal,
)

#: Rows shown per model: someone who learnt an address may have posted thousands.
MAX_ROWS = 100


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event: when, what, and the row it is read from."""

    at: datetime
    what: str
    row: Model
    #: For styling: order, attempt, receipt, refund, payout, books, message or person.
    kind: str
    detail: str = ""


def build_timeline(row: Model) -> list[TimelineEntry]:
    """The events around a row, earliest first. If it has an order, those of the whole order.

    A constant number of queries.
    """
    order_id = row.pk if isinstance(row, Order) else getattr(row, "order_id", None)
    if isinstance(row, GatewayEvent):
        order_id = _order_of(row)
    if isinstance(row, Proposal):
        about = row_proposed_about(row)
        entries = build_timeline(about) if type(about) in _BY_MODEL and about else []
        return sorted([*entries, *entries_of([row])], key=lambda entry: entry.at)
    if isinstance(row, Problem):
        return sorted(_of_problem(row), key=lambda entry: entry.at)
    entries = list(_of_order(order_id) if order_id else _of_row(row))
    if not any(entry.row == row for entry in entries):
        entries += entries_of([row])
    rows = {(type(entry.row), entry.row.pk): entry.row for entry in entries}
    entries += by_staff(rows.values())
    return sorted(entries, key=lambda entry: entry.at)


def _order_of(event: GatewayEvent) -> int | None:
    for row in (event.payment, event.receipt, event.refund):
        if row is not None and row.order_id is not None:
            order_id: int = row.order_id
            return order_id
    return None


def _of_order(order_id: int) -> Iterator[TimelineEntry]:
    yield from entries_of(Order.objects.filter(pk=order_id).select_related("buyer"))
    yield from entries_of(
        TrackEvent.objects.filter(track__order=order_id).select_related("track", "actor")
    )
    payments = list(OrderPayment.objects.filter(order=order_id).order_by("pk")[:MAX_ROWS])
    yield from entries_of(payments)
    # By id instead of a join, so that the database uses the index of each column.
    yield from _entries_about(Q(order=order_id), Q(order=order_id), Q(payment__in=payments))


def _of_problem(problem: Problem) -> list[TimelineEntry]:
    """Events of the goods and refunds for them, without the rest of the order's money."""
    line = problem.track
    entries = [
        *entries_of(Order.objects.filter(pk=line.order_id).select_related("buyer")),
        *entries_of(TrackEvent.objects.filter(track=line).select_related("track", "actor")),
        *entries_of(Problem.objects.filter(track=line).order_by("pk")),
        *entries_of(Refund.objects.filter(track=line).order_by("pk")),
    ]
    return [*entries, *by_staff([problem, line])]


def _of_row(row: Model) -> Iterator[TimelineEntry]:
    if isinstance(row, Receipt):
        yield from _entries_about(Q(pk=row.pk), Q(receipt=row.pk), Q(receipt=row.pk))
    elif isinstance(row, Payout):
        yield from _of_payout(row)
    elif isinstance(row, SellerShare):
        yield from _of_share(row)
    elif isinstance(row, Refund) or (isinstance(row, GatewayEvent) and row.receipt_id):
        receipt = row.receipt_id
        yield from _entries_about(Q(pk=receipt), Q(receipt=receipt), Q(receipt=receipt))


def _of_payout(payout: Payout) -> Iterator[TimelineEntry]:
    """Events of a payout, its lines, the messages about it and its postings."""
    yield from entries_of([payout])
    shares = list(SellerShare.objects.filter(payout=payout).select_related("track"))
    yield from entries_of(
        TrackEvent.objects.filter(track__seller_share__in=shares).select_related("track", "actor")
    )
    messages = GatewayEvent.objects.filter(payout=payout).defer("headers")
    yield from entries_of(messages.order_by("pk"))
    postings = LedgerPosting.objects.filter(Q(payout=payout) | Q(share__in=shares))
    yield from entries_of(postings.prefetch_related("entries").order_by("pk"))


def _of_share(share: SellerShare) -> Iterator[TimelineEntry]:
    """Events of the line that earned it, its last payout and its postings."""
    yield from entries_of(
        TrackEvent.objects.filter(track=share.track_id).select_related("track", "actor")
    )
    if share.payout_id is not None:
        yield from entries_of(Payout.objects.filter(pk=share.payout_id).select_related("seller"))
    postings = LedgerPosting.objects.filter(share=share).prefetch_related("entries")
    yield from entries_of(postings.order_by("pk"))


def _entries_about(
    which_receipts: Q, which_refunds: Q, which_messages: Q
) -> Iterator[TimelineEntry]:
    receipts = list(Receipt.objects.filter(which_receipts).order_by("pk")[:MAX_ROWS])
    refunds = list(Refund.objects.filter(which_refunds).order_by("pk")[:MAX_ROWS])
    yield from entries_of(receipts)
    yield from entries_of(refunds)
    about = Q(receipt__in=receipts) | Q(refund__in=refunds)
    messages = GatewayEvent.objects.filter(which_messages | about).defer("headers")
    yield from entries_of(messages.order_by("pk"))
    postings = LedgerPosting.objects.filter(about).prefetch_related("entries")
    yield from entries_of(postings.order_by("pk"))


def by_staff(rows: Iterable[Model]) -> Iterator[TimelineEntry]:
    """Staff actions on these rows, from the admin's log."""
    ids = defaultdict(list)
    for row in rows:
        ids[type(row)].append(str(row.pk))
    if not ids:
        return iter(())
    kinds = ContentType.objects.get_for_models(*ids, for_concrete_models=False)
    which = Q(pk__in=[])
    for model, pks in ids.items():
        which |= Q(content_type=kinds[model], object_id__in=pks)
    return entries_of(LogEntry.objects.filter(which).select_related("user").order_by("-pk"))


def entries_of(rows: QuerySet[Any] | list[Any]) -> Iterator[TimelineEntry]:
    """Events of the first MAX_ROWS of these rows."""
    for row in rows[:MAX_ROWS]:
        yield from _BY_MODEL[type(row)](row)


def _from_order(order: Order) -> Iterator[TimelineEntry]:
    what = f"{order.buyer} ordered for {format_kes(order.amount)}, to be paid from"
    yield TimelineEntry(order.created_at, f"{what} {dial(order.mpesa_number)}.", order, "order")


#: Names of the steps of a line.
STEPS = {
    TrackStatus.CREATED: "Ordered",
    TrackStatus.PAID: "Paid",
    TrackStatus.FETCHED: "Fetched from the seller",
    TrackStatus.SHIPPING: "On the way to the buyer",
    TrackStatus.DELIVERED: "Handed over",
    TrackStatus.CANCELLED: "Cancelled",
    TrackStatus.REFUNDED: "Refunded",
}


def _from_track(event: TrackEvent) -> Iterator[TimelineEntry]:
    by = f" by {event.actor}" if event.actor else ""
    what = f"{event.track}: {STEPS[TrackStatus(event.track_status)].lower()}{by}."
    yield TimelineEntry(event.created_at, what, event.track, "order", event.note)


def _from_attempt(payment: OrderPayment) -> Iterator[TimelineEntry]:
    def entry(at: datetime, what: str, detail: str = "") -> TimelineEntry:
        return TimelineEntry(at, what, payment, "attempt", detail)

    if not payment.phone:
        what = f"{format_kes(payment.amount)} was counted as paid {payment.get_channel_display()}."
        yield entry(payment.created_at, what)
        return
    yield entry(
        payment.created_at,
        f"A prompt for {format_kes(payment.amount)} to {dial(payment.phone)} was created.",
    )
    if payment.rung_at:
        known = payment.checkout_request_id
        detail = f"M-Pesa request ID: {known}" if known else "M-Pesa returned no request ID."
        yield entry(payment.rung_at, f"M-Pesa was asked to prompt {dial(payment.phone)}.", detail)
    if payment.checked_at:
        times = "once" if payment.checks == 1 else f"{payment.checks} times"
        yield entry(payment.checked_at, f"M-Pesa was queried for the result, {times} so far.")
    # Only paid prompts record when they ended. The others sort after their last known event.
    last = payment.confirmed_at or payment.checked_at or payment.rung_at or payment.created_at
    yield entry(last, _ATTEMPT_STATUS[AttemptStatus(payment.status)], payment.result_text)


_ATTEMPT_STATUS = {
    AttemptStatus.REQUESTED: "The prompt has not been sent yet.",
    AttemptStatus.UNKNOWN: "M-Pesa gave no clear answer.",
    AttemptStatus.SUBMITTED: "M-Pesa has not sent a result.",
    AttemptStatus.CONFIRMED: "The prompt was paid.",
    AttemptStatus.FAILED: "The prompt was not paid.",
}


def _from_receipt(receipt: Receipt) -> Iterator[TimelineEntry]:
    who = " ".join(filter(None, [receipt.payer, dial(receipt.phone)]))
    what = f"{format_kes(receipt.amount)} was received through {receipt.get_provider_display()}"
    if receipt.same_as_id:
        what = f"A payment through {receipt.get_provider_display()} had already been counted"
    else:
        what += f" as {receipt.number}" if receipt.number else ", receipt number not known yet"
    what += f", from {who}." if who else "."
    typed = f"Typed as reference: “{receipt.reference}”. " if receipt.reference else ""
    detail = f"{typed}{receipt.note} Its first source: {receipt.get_source_display()}."
    yield TimelineEntry(
        receipt.paid_at or receipt.created_at, what, receipt, "receipt", detail.strip()
    )


def _from_refund(refund: Refund) -> Iterator[TimelineEntry]:
    amount, way = format_kes(refund.amount), refund.get_way_display()
    to = f" to {dial(refund.phone)}" if refund.phone else ""
    what = f"A refund of {amount} by {way}{to} was created: {refund.get_cause_display()}."
    if refund.replaces_id:
        what = f"Another attempt to refund {amount} by {way}{to}."
    yield TimelineEntry(refund.created_at, what, refund, "refund")
    if refund.sent_at and refund.way != RefundMethod.PORTAL:
        yield TimelineEntry(
            refund.sent_at, f"M-Pesa was asked to refund {amount}.", refund, "refund"
        )
    detail = " ".join(filter(None, [refund.result_code, refund.result_text, refund.note]))
    yield from _outcome_entry(refund, "refund", f"{amount} was refunded", detail)


_TRANSFER_STATUS = {
    TransferStatus.DUE: "It has not been sent yet.",
    TransferStatus.UNKNOWN: "M-Pesa gave no clear answer.",
    TransferStatus.SENT: "M-Pesa accepted the request but has not sent a result.",
    TransferStatus.REFUSED: "M-Pesa rejected it.",
    TransferStatus.DROPPED: "It was dropped and never sent.",
}


def _from_payout(payout: Payout) -> Iterator[TimelineEntry]:
    amount, phone = format_kes(payout.amount), dial(payout.phone)
    what = f"A payout of {amount} to {payout.seller} at {phone} was created."
    yield TimelineEntry(payout.created_at, what, payout, "payout", payout.note)
    if payout.sent_at:
        yield TimelineEntry(payout.sent_at, f"M-Pesa was asked to send {amount}.", payout, "payout")
    detail = " ".join(filter(None, [payout.result_code, payout.result_text]))
    yield from _outcome_entry(payout, "payout", f"{amount} reached the seller", detail)


def _from_share(share: SellerShare) -> Iterator[TimelineEntry]:
    what = f"{share.seller} earned {format_kes(share.due)} for {share.track}."
    why = f"Withheld: {share.withheld_why}" if share.withheld_why else ""
    yield TimelineEntry(share.created_at, what, share, "payout", why)


def _from_problem(problem: Problem) -> Iterator[TimelineEntry]:
    what = f"The buyer reported a problem: {problem.get_kind_display()}."
    yield TimelineEntry(problem.opened_at, what, problem, "message")
    if problem.closed_at:
        ended = f"The problem was closed: {problem.get_outcome_display()}."
        yield TimelineEntry(problem.closed_at, ended, problem, "message")


def _outcome_entry(row: Transfer, kind: str, done: str, detail: str) -> Iterator[TimelineEntry]:
    """The latest status of a transfer; nothing while it is due and without a result."""
    if row.status == TransferStatus.DONE:
        what = f"{done} as {row.number}." if row.number else f"{done}."
    elif row.status != TransferStatus.DUE or detail:
        what = _TRANSFER_STATUS[TransferStatus(row.status)]
    else:
        return
    yield TimelineEntry(row.done_at or row.sent_at or row.created_at, what, row, kind, detail)


def _from_message(event: GatewayEvent) -> Iterator[TimelineEntry]:
    what = f"A message to {event.get_source_display()} was received: {event.get_state_display()}."
    body = bytes(event.body).decode("utf-8", "backslashreplace")[:2000]
    yield TimelineEntry(event.received_at, what, event, "message", f"{event.note}\n{body}".strip())


def _from_posting(posting: LedgerPosting) -> Iterator[TimelineEntry]:
    accounts: dict[str, list[str]] = {Side.DEBIT: [], Side.CREDIT: []}
    total = 0
    for entry in posting.entries.all():
        accounts[entry.side].append(entry.get_account_display())
        total += entry.amount if entry.side == Side.DEBIT else 0
    from_accounts, to_accounts = (
        " and ".join(accounts[side]) for side in (Side.DEBIT, Side.CREDIT)
    )
    what = f"Ledger posting of {format_kes(total)}: {from_accounts} → {to_accounts}."
    yield TimelineEntry(posting.created_at, what, posting, "books")


def _from_stop(stop: PayoutStop) -> Iterator[TimelineEntry]:
    yield TimelineEntry(
        stop.created_at, "Outgoing payments were stopped.", stop, "refund", stop.reason
    )
    if stop.ended_at:
        yield TimelineEntry(stop.ended_at, "Outgoing payments resumed.", stop, "refund")


def _from_withdrawal(withdrawal: Withdrawal) -> Iterator[TimelineEntry]:
    what = f"M-Pesa's statement shows an unexplained withdrawal of {format_kes(withdrawal.amount)}."
    detail = " ".join(filter(None, [withdrawal.reason, withdrawal.phone, withdrawal.reverses]))
    yield TimelineEntry(withdrawal.left_at, what, withdrawal, "refund", detail)
    if withdrawal.return_receipt is not None:
        yield from _from_receipt(withdrawal.return_receipt)
    if withdrawal.settled_at:
        what = f"It was explained: {withdrawal.get_state_display()}."
        yield TimelineEntry(withdrawal.settled_at, what, withdrawal, "refund")


def _from_proposal(proposal: Proposal) -> Iterator[TimelineEntry]:
    what = f"{proposal.proposed_by} proposed: {proposal}, for {format_kes(proposal.cost)}."
    yield TimelineEntry(proposal.proposed_at, what, proposal, "person", proposal.why)
    if proposal.decided_at:
        what = f"{proposal.decided_by}: {proposal.get_state_display()}."
        yield TimelineEntry(proposal.decided_at, what, proposal, "person")


def _from_log(entry: LogEntry) -> Iterator[TimelineEntry]:
    what = f"{entry.user} acted on {entry.object_repr}:"
    message = dial_in(entry.get_change_message())
    yield TimelineEntry(entry.action_time, what, entry, "person", message)


_BY_MODEL: dict[type[Model], Callable[[Any], Iterator[TimelineEntry]]] = {
    Order: _from_order,
    TrackEvent: _from_track,
    OrderPayment: _from_attempt,
    Receipt: _from_receipt,
    Refund: _from_refund,
    Payout: _from_payout,
    GatewayEvent: _from_message,
    LedgerPosting: _from_posting,
    PayoutStop: _from_stop,
    Withdrawal: _from_withdrawal,
    LogEntry: _from_log,
    Proposal: _from_proposal,
    SellerShare: _from_share,
    Problem: _from_problem,
}
