"""The console's buttons about outgoing money: stops, withdrawals, refunds, payouts, earnings."""

from __future__ import annotations

from accounts.backoffice.approval_limits import Cost
from accounts.backoffice.formats import dial
from accounts.models import User
from omachemainproj.money import format_kes
from payments.models import (
    Payout,
    PayoutStop,
    Refund,
    RefundMethod,
    SellerShare,
    Transfer,
    TransferStatus,
    Withdrawal,
)

from . import transfer_services
from .forms import AmountSentForm, PaymentForm, PhoneForm, ReceiptNumberForm, SellerForm
from .kinds import (
    ACKNOWLEDGE_ONLY,
    Given,
    console_action,
    cost_full_amount,
    describe_refund,
    no_cost,
)


@console_action(
    "stop",
    "end",
    "Resume outgoing payments",
    "Only once the cause is fixed: M-Pesa accepts the initiator (a wrong password locks it), or, "
    "after a restore, the statements were read and every withdrawal is explained.",
    applies=lambda stop: stop.is_open,
)
def lift_stop_action(stop: PayoutStop, given: Given, by: User) -> str:
    transfer_services.lift_payout_stop(stop.pk)
    return "Outgoing payments have resumed."


@console_action(
    "withdrawal",
    "returned",
    "The money came back",
    "M-Pesa reversed it, and the receipt shown beside it is the same money. Both are settled and "
    "nothing is sent. Whatever it paid for was paid another way or is still owed.",
    applies=lambda withdrawal: withdrawal.is_open and withdrawal.return_receipt_id is not None,
)
def settle_as_returned_action(withdrawal: Withdrawal, given: Given, by: User) -> str:
    receipt = transfer_services.settle_withdrawal_as_returned(withdrawal.pk)
    return f"{format_kes(receipt.amount)} was sent and came back as {receipt.number}."


@console_action(
    "withdrawal",
    "seller",
    "It paid a seller",
    "It is matched to one of their payouts that may have been sent. If none fits, it is deducted "
    "from their next payouts, so that they are not paid twice for the same goods.",
    applies=lambda withdrawal: withdrawal.is_open and not withdrawal.reverses,
    form=SellerForm,
    cost=cost_full_amount,
)
def settle_as_payout_action(withdrawal: Withdrawal, given: Given, by: User) -> str:
    payout = transfer_services.settle_withdrawal_as_payout(withdrawal.pk, username=given["seller"])
    return f"{format_kes(payout.amount)} as {payout.number} was paid to {payout.seller}."


@console_action(
    "withdrawal",
    "refund",
    "It refunded a payment",
    "Enter the payment's receipt number. Cancel what was bought with it, if that is not done yet: "
    "the money is not sent again.",
    applies=lambda withdrawal: withdrawal.is_open,
    form=PaymentForm,
    cost=cost_full_amount,
)
def settle_as_refund_action(withdrawal: Withdrawal, given: Given, by: User) -> str:
    refund = transfer_services.settle_withdrawal_as_refund(withdrawal.pk, number=given["number"])
    return f"It refunded {format_kes(refund.amount)} of {refund.receipt.number}."


@console_action(
    "withdrawal",
    "aside",
    "It was not for a sale",
    "Withdrawn on the portal, unrelated to any sale. If it did pay for something, that will be "
    "paid a second time.",
    applies=lambda withdrawal: withdrawal.is_open,
    cost=cost_full_amount,
)
def set_withdrawal_aside_action(withdrawal: Withdrawal, given: Given, by: User) -> str:
    transfer_services.set_withdrawal_aside(withdrawal.pk)
    return "Set aside."


NEW_REQUEST = "Sent as a new request with a new ID; M-Pesa has definitely rejected this one."
ENTER_RECEIPT = "Enter the receipt number that the portal shows for it."
STILL_OWED = "Confirm on the portal first. The money will still be owed."


def _is_unresolved(row: Transfer) -> bool:
    """Whether its outcome is unknown and M-Pesa is no longer queried."""
    return row.is_under_way and row.next_check_at is None


def _is_refused_refund(refund: Refund) -> bool:
    return Refund.objects.refused().filter(pk=refund.pk).exists()


def _is_refused_payout(payout: Payout) -> bool:
    return payout.status == TransferStatus.REFUSED


@console_action(
    "payout",
    "approve",
    "Approve the payout",
    "You have checked what was sold, to whom, and the number it goes to.",
    applies=lambda payout: Payout.objects.to_approve().filter(pk=payout.pk).exists(),
)
def approve_payout_action(payout: Payout, given: Given, by: User) -> str:
    transfer_services.approve_payout(payout.pk, by=by)
    return f"{format_kes(payout.amount)} will be sent to {dial(payout.phone)}."


@console_action(
    "payout",
    "hold",
    "Put it on hold",
    "It moves to “Payouts on hold” until staff approve or reject it. The seller is told only that "
    "it is under review.",
    applies=lambda payout: payout.awaits_approval and payout.on_hold_since is None,
)
def hold_payout_action(payout: Payout, given: Given, by: User) -> str:
    held = transfer_services.hold_payout(payout.pk, why=given["why"])
    return f"{format_kes(held.amount)} is on hold."


@console_action(
    "payout",
    "reject",
    "Reject the payout",
    "It is dropped, and its earnings move to “Withheld earnings” until staff release them into a "
    "new payout. If the goods must be cancelled, support does that.",
    applies=lambda payout: payout.awaits_approval and payout.shares.exists(),
)
def reject_payout_action(payout: Payout, given: Given, by: User) -> str:
    count = transfer_services.reject_payout(payout.pk, why=given["why"])
    return f"The payout is rejected. Earnings withheld: {count}."


@console_action(
    "share",
    "release",
    "Release the earnings",
    "They go into the seller's next payout. A large payout still needs approval.",
    applies=lambda share: bool(share.withheld_why) and share.reversed_at is None,
    cost=lambda share, given: Cost(moved=share.due),
)
def release_earnings_action(share: SellerShare, given: Given, by: User) -> str:
    released = transfer_services.release_share(share.pk)
    return f"{format_kes(released.due)} will be part of the seller's next payout."


@console_action(
    "refund",
    "approve",
    "Approve the refund",
    "You have checked the payment it refunds and the number it goes to.",
    applies=lambda refund: refund.awaits_approval,
)
def approve_refund_action(refund: Refund, given: Given, by: User) -> str:
    return describe_refund(transfer_services.approve_refund(refund.pk, by=by))


@console_action(
    "refund",
    "again",
    "Retry the same way",
    NEW_REQUEST,
    applies=lambda refund: refund.way != RefundMethod.PORTAL and _is_refused_refund(refund),
    cost=no_cost,
)
def retry_refund_action(refund: Refund, given: Given, by: User) -> str:
    return describe_refund(transfer_services.retry_refund(refund.pk, by=by))


@console_action(
    "refund",
    "send",
    "Send it to another number",
    "Sent to that phone once a second person has approved it.",
    applies=_is_refused_refund,
    form=PhoneForm,
    cost=cost_full_amount,
)
def send_refund_action(refund: Refund, given: Given, by: User) -> str:
    return describe_refund(transfer_services.retry_refund(refund.pk, phone=given["phone"], by=by))


@console_action(
    "payout",
    "again",
    "Retry to the same number",
    NEW_REQUEST,
    applies=_is_refused_payout,
    cost=no_cost,
)
def retry_payout_action(payout: Payout, given: Given, by: User) -> str:
    transfer_services.retry_refused_payout(payout.pk)
    return f"A new payout goes to {dial(payout.phone)}."


@console_action(
    "payout",
    "send",
    "Send it to another number",
    "Only use a number the seller gave you and that you have called back. A second person must "
    "approve it.",
    applies=_is_refused_payout,
    form=PhoneForm,
    cost=cost_full_amount,
)
def send_payout_action(payout: Payout, given: Given, by: User) -> str:
    transfer_services.retry_refused_payout(payout.pk, phone=given["phone"], by=by)
    return f"A new payout goes to {dial(given['phone'])}."


@console_action(
    "refund",
    "portal",
    "It was refunded on the portal",
    ENTER_RECEIPT,
    applies=_is_refused_refund,
    form=ReceiptNumberForm,
    cost=cost_full_amount,
)
def record_portal_refund_action(refund: Refund, given: Given, by: User) -> str:
    done = transfer_services.record_refund_on_portal(refund.pk, number=given["number"])
    return f"{format_kes(done.amount)} was refunded as {done.number}."


@console_action(
    "payout",
    "portal",
    "It was sent on the portal",
    ENTER_RECEIPT,
    applies=lambda payout: _is_refused_payout(payout) and not payout.has_other_amount,
    form=ReceiptNumberForm,
    cost=cost_full_amount,
)
def record_portal_payout_action(payout: Payout, given: Given, by: User) -> str:
    transfer_services.record_payout_on_portal(payout.pk, number=given["number"])
    return "Recorded as sent."


@console_action(
    "payout",
    "amount",
    "Record the amount that was sent",
    "M-Pesa reported another amount. What it did not send is paid with another payout; what it "
    "sent beyond it is deducted from what the seller is sent next.",
    applies=lambda payout: payout.has_other_amount,
    form=AmountSentForm,
    cost=lambda payout, given: Cost(at_risk=max(payout.amount, payout.reported_amount or 0)),
)
def record_amount_sent_action(payout: Payout, given: Given, by: User) -> str:
    done = transfer_services.record_amount_sent(
        payout.pk, number=given["number"], amount=given["amount"]
    )
    return f"{format_kes(done.amount_sent)} was sent as {done.number}."


@console_action(
    "refund",
    "done",
    "The money was sent",
    ENTER_RECEIPT,
    applies=_is_unresolved,
    form=ReceiptNumberForm,
    cost=cost_full_amount,
)
def mark_refund_sent_action(refund: Refund, given: Given, by: User) -> str:
    done = transfer_services.record_transfer_outcome(refund, number=given["number"])
    return f"{format_kes(done.amount)} was refunded as {done.number}."


@console_action(
    "payout",
    "done",
    "The money was sent",
    ENTER_RECEIPT,
    applies=lambda payout: _is_unresolved(payout) and not payout.has_other_amount,
    form=ReceiptNumberForm,
    cost=cost_full_amount,
)
def mark_payout_sent_action(payout: Payout, given: Given, by: User) -> str:
    transfer_services.record_transfer_outcome(payout, number=given["number"])
    return "Recorded as sent."


@console_action(
    "refund",
    "not-done",
    "The money was not sent",
    STILL_OWED,
    applies=_is_unresolved,
    cost=cost_full_amount,
)
def mark_refund_not_sent_action(refund: Refund, given: Given, by: User) -> str:
    transfer_services.record_transfer_outcome(refund)
    return "Recorded as not sent. The money is still owed."


@console_action(
    "payout",
    "not-done",
    "The money was not sent",
    STILL_OWED,
    applies=_is_unresolved,
    cost=cost_full_amount,
)
def mark_payout_not_sent_action(payout: Payout, given: Given, by: User) -> str:
    transfer_services.record_transfer_outcome(payout)
    return "Recorded as not sent. Retry it, or send it to another number."


def _has_unexpected_outcome(row: Transfer) -> bool:
    return row.unacknowledged and not row.is_under_way


@console_action("refund", "seen", "Acknowledge", ACKNOWLEDGE_ONLY, applies=_has_unexpected_outcome)
@console_action("payout", "seen", "Acknowledge", ACKNOWLEDGE_ONLY, applies=_has_unexpected_outcome)
def acknowledge_transfer_action(row: Refund | Payout, given: Given, by: User) -> str:
    transfer_services.acknowledge(row)
    return "Acknowledged."
