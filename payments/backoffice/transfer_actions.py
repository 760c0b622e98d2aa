"""The console's buttons about money that goes out: refunds, payouts, what stops them, and what left
unexplained.
"""

from __future__ import annotations

from accounts.backoffice.formats import dial
from accounts.backoffice.second_person import Cost
from accounts.models import User
from omachemainproj.money import format_kes
from payments.interest import SENT_ELSEWHERE
from payments.models import (
    MoneyOut,
    Payout,
    PayoutStop,
    Refund,
    RefundMethod,
    SellerShare,
    TransferStatus,
    Withdrawal,
)

from . import transfer_services
from .forms import PaymentForm, PhoneForm, ReceiptNumberForm, SellerForm
from .kinds import LEAVES_THE_LIST, Given, as_owed, console_action, where_it_goes, whole_amount

# --- Stops -----------------------------------------------------------------------------------


@console_action(
    "stop",
    "end",
    "Let money leave again",
    "Only once what stopped it is over: M-Pesa accepts the initiator, for a wrong password locks "
    "it; or, after a restore, its statements were read and every withdrawal is explained.",
    applies=lambda stop: stop.is_open,
)
def end_stop(stop: PayoutStop, given: Given, by: User) -> str:
    transfer_services.lift_payout_stop(stop.pk)
    return "Money may leave again."


# --- Withdrawals that no row of ours tells of ---------------------------------------------------


@console_action(
    "withdrawal",
    "returned",
    "It came back: that is all of it",
    "M-Pesa took it back from where it had gone, and what came back is what had left: both are "
    "settled, and nothing is sent. What it was for was given another way, or is owed as before.",
    applies=lambda withdrawal: withdrawal.is_open and withdrawal.came_back_id is not None,
)
def withdrawal_came_back(withdrawal: Withdrawal, given: Given, by: User) -> str:
    receipt = transfer_services.say_it_came_back(withdrawal.pk)
    return f"{format_kes(receipt.amount)} left, and came back under {receipt.number}."


@console_action(
    "withdrawal",
    "seller",
    "It paid a seller",
    "A payout of theirs that may have left is this one. Where none fits, it is deducted from what "
    "they are sent next, so that nothing is paid twice once their goods are fetched again.",
    applies=lambda withdrawal: withdrawal.is_open and not withdrawal.reverses,
    form=SellerForm,
    price=whole_amount,
)
def withdrawal_paid_a_seller(withdrawal: Withdrawal, given: Given, by: User) -> str:
    payout = transfer_services.say_it_paid_a_seller(withdrawal.pk, username=given["seller"])
    return f"{format_kes(payout.amount)} under {payout.number} paid {payout.seller}."


@console_action(
    "withdrawal",
    "refund",
    "It gave a payment back",
    "Name the payment. What was bought with it should be cancelled, if it is not: no money is sent "
    "for that again.",
    applies=lambda withdrawal: withdrawal.is_open,
    form=PaymentForm,
    price=whole_amount,
)
def withdrawal_gave_back(withdrawal: Withdrawal, given: Given, by: User) -> str:
    refund = transfer_services.say_it_gave_back(withdrawal.pk, number=given["number"])
    return f"{format_kes(refund.amount)} of {refund.receipt.number} went back by it."


@console_action(
    "withdrawal",
    "aside",
    "It is none of the shop's",
    "Taken out on the portal, for nothing that was sold. What it was for, if it was for anything, "
    "would be paid again.",
    applies=lambda withdrawal: withdrawal.is_open,
    price=whole_amount,
)
def set_withdrawal_aside(withdrawal: Withdrawal, given: Given, by: User) -> str:
    transfer_services.say_it_is_none_of_ours(withdrawal.pk)
    return "Set aside."


# --- Refunds and payouts ------------------------------------------------

UNDER_A_NEW_ID = "Under an id of its own: M-Pesa has definitely refused this one."
NAME_THE_RECEIPT = "Name the receipt the portal shows for it."
STILL_OWED = "After looking on the portal. The money is still owed."


def _is_silent(row: MoneyOut) -> bool:
    """Whether it was sent and M-Pesa is not asked about it any more."""
    return row.is_under_way and row.next_check_at is None


def _is_refused_refund(refund: Refund) -> bool:
    return Refund.objects.refused().filter(pk=refund.pk).exists()


def _is_refused_payout(payout: Payout) -> bool:
    return payout.status == TransferStatus.REFUSED


@console_action(
    "payout",
    "approve",
    "Let it leave",
    "You have looked at what was sold, to whom, and at the number it goes to.",
    applies=lambda payout: Payout.objects.to_approve().filter(pk=payout.pk).exists(),
)
def approve(payout: Payout, given: Given, by: User) -> str:
    transfer_services.approve_payout(payout.pk, by=by)
    return f"{format_kes(payout.amount)} goes to {dial(payout.phone)}."


@console_action(
    "payout",
    "hold",
    "Keep it back for now",
    "It leaves this list for that of payouts kept back, until somebody lets it leave or refuses "
    "it. Its seller is told only that somebody looks at it first.",
    applies=lambda payout: payout.awaits_approval and payout.held_at is None,
)
def hold(payout: Payout, given: Given, by: User) -> str:
    held = transfer_services.hold_payout(payout.pk, why=given["why"])
    return f"{format_kes(held.amount)} is kept back."


@console_action(
    "payout",
    "refuse",
    "Do not send it",
    "It is dropped, and what it carried waits under “Earnings kept back” until somebody lets it "
    "go: then it is in a new payout. Where the goods are to be cancelled, support cancels them.",
    applies=lambda payout: payout.awaits_approval and payout.shares.exists(),
)
def refuse(payout: Payout, given: Given, by: User) -> str:
    count = transfer_services.refuse_payout(payout.pk, why=given["why"])
    return f"It is not sent; {count} {'line waits' if count == 1 else 'lines wait'} for a person."


@console_action(
    "share",
    "release",
    "Let it go",
    "It goes into the seller's next payout, which waits for a second person again if it is large.",
    applies=lambda share: bool(share.withheld_why) and share.reversed_at is None,
    price=lambda share, given: Cost(moved=share.due),
)
def release(share: SellerShare, given: Given, by: User) -> str:
    released = transfer_services.release_share(share.pk)
    return f"{format_kes(released.due)} goes into the seller's next payout."


@console_action(
    "refund",
    "approve",
    "Let it leave",
    "You have looked at the payment it goes back of, and at the number it goes to.",
    applies=lambda refund: refund.awaits_approval,
)
def approve_refund(refund: Refund, given: Given, by: User) -> str:
    return where_it_goes(transfer_services.approve_refund(refund.pk, by=by))


@console_action(
    "refund",
    "again",
    "Try again the same way",
    UNDER_A_NEW_ID,
    applies=lambda refund: refund.way != RefundMethod.PORTAL and _is_refused_refund(refund),
    price=as_owed,
)
def retry_refund(refund: Refund, given: Given, by: User) -> str:
    return where_it_goes(transfer_services.retry_refund(refund.pk, by=by))


@console_action(
    "refund",
    "send",
    SENT_ELSEWHERE,
    "By a payment to that phone, once a second person has looked at it.",
    applies=_is_refused_refund,
    form=PhoneForm,
    price=whole_amount,
)
def send_refund(refund: Refund, given: Given, by: User) -> str:
    return where_it_goes(transfer_services.retry_refund(refund.pk, phone=given["phone"], by=by))


@console_action(
    "payout",
    "again",
    "Try again at the same number",
    UNDER_A_NEW_ID,
    applies=_is_refused_payout,
    price=as_owed,
)
def retry_payout(payout: Payout, given: Given, by: User) -> str:
    transfer_services.retry_refused_payout(payout.pk)
    return f"Another payout goes to {dial(payout.phone)}."


@console_action(
    "payout",
    "send",
    SENT_ELSEWHERE,
    "Only one its seller has given you, and you have called back. A second person has to look.",
    applies=_is_refused_payout,
    form=PhoneForm,
    price=whole_amount,
)
def send_payout(payout: Payout, given: Given, by: User) -> str:
    transfer_services.retry_refused_payout(payout.pk, phone=given["phone"], by=by)
    return f"Another payout goes to {dial(given['phone'])}."


@console_action(
    "refund",
    "portal",
    "It was given back on the portal",
    NAME_THE_RECEIPT,
    applies=_is_refused_refund,
    form=ReceiptNumberForm,
    price=whole_amount,
)
def refunded_on_portal(refund: Refund, given: Given, by: User) -> str:
    by_person = transfer_services.record_refund_on_portal(refund.pk, number=given["number"])
    return f"{format_kes(by_person.amount)} went back under {by_person.number}."


@console_action(
    "payout",
    "portal",
    "It was sent on the portal",
    NAME_THE_RECEIPT,
    applies=_is_refused_payout,
    form=ReceiptNumberForm,
    price=whole_amount,
)
def paid_out_on_portal(payout: Payout, given: Given, by: User) -> str:
    transfer_services.record_payout_on_portal(payout.pk, number=given["number"])
    return "It is written down as sent."


@console_action(
    "refund",
    "done",
    "It went",
    NAME_THE_RECEIPT,
    applies=_is_silent,
    form=ReceiptNumberForm,
    price=whole_amount,
)
def refund_went(refund: Refund, given: Given, by: User) -> str:
    done = transfer_services.record_transfer_outcome(refund, number=given["number"])
    return f"{format_kes(done.amount)} went back under {done.number}."


@console_action(
    "payout",
    "done",
    "It went",
    NAME_THE_RECEIPT,
    applies=_is_silent,
    form=ReceiptNumberForm,
    price=whole_amount,
)
def payout_went(payout: Payout, given: Given, by: User) -> str:
    transfer_services.record_transfer_outcome(payout, number=given["number"])
    return "It is written down as sent."


@console_action(
    "refund", "not-done", "It never went", STILL_OWED, applies=_is_silent, price=whole_amount
)
def refund_never_went(refund: Refund, given: Given, by: User) -> str:
    transfer_services.record_transfer_outcome(refund)
    return "The money never went, and is still owed."


@console_action(
    "payout", "not-done", "It never went", STILL_OWED, applies=_is_silent, price=whole_amount
)
def payout_never_went(payout: Payout, given: Given, by: User) -> str:
    transfer_services.record_transfer_outcome(payout)
    return "It never went: try it again, or send it to another number."


def _ended_otherwise(row: MoneyOut) -> bool:
    return row.unacknowledged and not row.is_under_way


@console_action("refund", "seen", "Acknowledge it", LEAVES_THE_LIST, applies=_ended_otherwise)
@console_action("payout", "seen", "Acknowledge it", LEAVES_THE_LIST, applies=_ended_otherwise)
def acknowledge_transfer(row: Refund | Payout, given: Given, by: User) -> str:
    transfer_services.acknowledge(row)
    return "Acknowledged."
