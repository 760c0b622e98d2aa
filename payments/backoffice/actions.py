"""The console's buttons: what staff may do about each kind of row, each a ``StaffAction``.

Each calls one service and says in a sentence what came of it. The order in which they are declared
is the order in which they stand on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from django.db.models import Model
from django.urls import reverse

from accounts.backoffice.actions import (
    ApprovalPolicy,
    CostFunction,
    Handler,
    ReasonForm,
    StaffAction,
    perform,
    register,
)
from accounts.backoffice.formats import dial
from accounts.backoffice.proposals import agree, reject
from accounts.backoffice.second_person import Cost
from accounts.models import Proposal, User
from omachemainproj.money import format_kes
from omachemainproj.phones import PhoneMatch, match_phone
from orders.lookup import find_by_typed_reference
from orders.models import Order, Problem
from payments.interest import NAMED, SAID_PAID, SENT_ELSEWHERE, WROTE_DOWN
from payments.models import (
    EventState,
    GatewayEvent,
    MoneyOut,
    OrderPayment,
    Payout,
    PayoutStop,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    RefundMethod,
    SellerShare,
    TransferStatus,
    Verification,
    Withdrawal,
)
from payments.models.same_payments import is_undecided

from . import receipt_actions as money_in
from . import transfer_actions as money_out
from .forms import (
    OrderReferenceForm,
    PaymentForm,
    PhoneForm,
    ReceiptNumberForm,
    SeenPaymentForm,
    SellerForm,
)
from .permissions import ACTING, DECIDING_PROBLEMS, LOOKING, LOOKING_AT_PROBLEMS, OF_PROBLEMS

Given = Mapping[str, Any]


class ConsoleKind(NamedTuple):
    """A kind of row with a page of its own on the console, and its buttons by their keys.

    ``looking`` and ``acting`` are the permissions it takes to look at such a row, and to act.
    """

    model: type[Model]
    actions: dict[str, StaffAction]
    looking: str = LOOKING
    acting: str = ACTING


#: By kind, as the address of the row's page names it.
KINDS = {
    # To read only: an order is acted on where it is listed.
    "order": ConsoleKind(Order, {}),
    "stop": ConsoleKind(PayoutStop, {}),
    "receipt": ConsoleKind(Receipt, {}),
    "attempt": ConsoleKind(OrderPayment, {}),
    "refund": ConsoleKind(Refund, {}),
    "payout": ConsoleKind(Payout, {}),
    "share": ConsoleKind(SellerShare, {}),
    "withdrawal": ConsoleKind(Withdrawal, {}),
    # What was bought is support's, and money finance's.
    "problem": ConsoleKind(Problem, {}, LOOKING_AT_PROBLEMS, DECIDING_PROBLEMS),
    "message": ConsoleKind(GatewayEvent, {}),
    "proposal": ConsoleKind(
        Proposal,
        {
            one.__name__: replace(one.staff_action, applies=lambda proposal: proposal.is_open)
            for one in (agree, reject)
        },
    ),
}


def console_page(row: Model) -> str:
    """The address of the console's page about a row; "" where it has none."""
    for kind, known in KINDS.items():
        if isinstance(row, known.model):
            return reverse("console-timeline", args=[kind, row.pk])
    return ""


def act_name(kind: str, pk: int, key: str) -> str:
    """What the form of a button is called on another page than the row's own on the console."""
    return f"{kind}-{pk}-{key}"


def permissions_for(kind: str, row: Model | None) -> tuple[str, str]:
    """The permissions it takes to look at a row of a kind, and to act.

    A proposal takes those of what it is about.
    """
    if isinstance(row, Proposal) and row.action.startswith(OF_PROBLEMS):
        kind = "problem"
    return KINDS[kind].looking, KINDS[kind].acting


def console_action(  # noqa: PLR0913
    kind: str,
    key: str,
    label: str,
    about: str,
    *,
    applies: Callable[[Any], bool],
    form: type[ReasonForm] = ReasonForm,
    calls_gateway: bool = False,
    price: CostFunction | None = None,
    lock: Callable[[Any], Any] | None = None,
) -> Callable[[Handler], Handler]:
    """Make a button of what is done with one row; ``key`` names it in its address.

    ``applies`` says whether the row's page offers it; ``price`` what leaves by it, for what one
    person does not decide alone, and ``lock`` what is locked for that.
    """

    def decorate(do: Handler) -> Handler:
        KINDS[kind].actions[key] = register(
            StaffAction(
                label,
                do,
                form,
                about,
                applies=applies,
                calls_gateway=calls_gateway,
                key=f"console.{kind}.{key}",
                approval=ApprovalPolicy(price, (KINDS[kind].acting,), lock) if price else None,
            )
        )
        return do

    return decorate


def _all_of_it(row: Receipt | OrderPayment | MoneyOut | Withdrawal, given: Given) -> Cost:
    """One person's word decides about the whole amount: it may be lost."""
    return Cost(at_risk=row.amount)


def _where_it_is_owed(row: MoneyOut, given: Given) -> Cost:
    """It goes to whom it is owed, by the way it was to go."""
    return Cost(moved=row.amount)


def _unless_its_payer_s(receipt: Receipt, given: Given) -> Cost:
    """Nothing where M-Pesa or the bank named a phone that the order had asked before that.

    An order placed since could have been placed with the number of a stranger's payment.
    """
    order_id = find_by_typed_reference(given["reference"])
    if order_id is None or receipt.source == ReceiptSource.STAFF:
        return Cost(at_risk=receipt.amount)
    asked = OrderPayment.objects.filter(order=order_id, created_at__lt=receipt.created_at)
    agrees = any(
        match_phone(receipt.phone, phone) == PhoneMatch.AGREES
        for phone in asked.exclude(phone="").values_list("phone", flat=True)
    )
    return Cost(at_risk=0 if agrees else receipt.amount)


def _of_sending_back(receipt: Receipt, given: Given) -> Cost:
    """A reversal can only reach who paid; what a person wrote down, or a bank took, cannot be."""
    is_reversed = receipt.provider == Provider.MPESA and receipt.source != ReceiptSource.STAFF
    if is_reversed and not receipt.refunds.exists():
        return Cost(moved=receipt.amount)
    return Cost(at_risk=receipt.amount)


def _write_down(receipt: Receipt, given: Given, by: User) -> str:
    written = money_in.record_seen_receipt(
        number=given["number"],
        amount=given["amount"],
        reference=given["reference"],
        phone=given["phone"],
        by=by,
    )
    receipt.pk = written.pk
    return f"{written} is written down."


def _seen(given: Given) -> Receipt:
    """The receipt as a person has seen it, before it is recorded."""
    return Receipt(
        provider=Provider.MPESA,
        number=given["number"],
        amount=given["amount"],
        source=ReceiptSource.STAFF,
        phone=given["phone"],
    )


#: Of no row's page: the console has a form of its own for it.
WRITE_DOWN = register(
    StaffAction(
        WROTE_DOWN,
        _write_down,
        SeenPaymentForm,
        key="console.receipt.write",
        approval=ApprovalPolicy(_all_of_it, (ACTING,), new=_seen),
    )
)


def record_payment(given: Given, *, by: User) -> Receipt:
    """Record a payment a person has seen, and who saw it. Raises Refusal, as ``perform`` does."""
    receipt = _seen(given)
    perform(WRITE_DOWN, receipt, given, by=by)
    receipt.refresh_from_db()
    return receipt


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
    money_out.lift_payout_stop(stop.pk)
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
    receipt = money_out.say_it_came_back(withdrawal.pk)
    return f"{format_kes(receipt.amount)} left, and came back under {receipt.number}."


@console_action(
    "withdrawal",
    "seller",
    "It paid a seller",
    "A payout of theirs that may have left is this one. Where none fits, it is deducted from what "
    "they are sent next, so that nothing is paid twice once their goods are fetched again.",
    applies=lambda withdrawal: withdrawal.is_open and not withdrawal.reverses,
    form=SellerForm,
    price=_all_of_it,
)
def withdrawal_paid_a_seller(withdrawal: Withdrawal, given: Given, by: User) -> str:
    payout = money_out.say_it_paid_a_seller(withdrawal.pk, username=given["seller"])
    return f"{format_kes(payout.amount)} under {payout.number} paid {payout.seller}."


@console_action(
    "withdrawal",
    "refund",
    "It gave a payment back",
    "Name the payment. What was bought with it should be cancelled, if it is not: no money is sent "
    "for that again.",
    applies=lambda withdrawal: withdrawal.is_open,
    form=PaymentForm,
    price=_all_of_it,
)
def withdrawal_gave_back(withdrawal: Withdrawal, given: Given, by: User) -> str:
    refund = money_out.say_it_gave_back(withdrawal.pk, number=given["number"])
    return f"{format_kes(refund.amount)} of {refund.receipt.number} went back by it."


@console_action(
    "withdrawal",
    "aside",
    "It is none of the shop's",
    "Taken out on the portal, for nothing that was sold. What it was for, if it was for anything, "
    "would be paid again.",
    applies=lambda withdrawal: withdrawal.is_open,
    price=_all_of_it,
)
def set_withdrawal_aside(withdrawal: Withdrawal, given: Given, by: User) -> str:
    money_out.say_it_is_none_of_ours(withdrawal.pk)
    return "Set aside."


# --- Money that came -------------------------------------------------------------------------


def _is_unmatched(receipt: Receipt) -> bool:
    return Receipt.objects.to_match().filter(pk=receipt.pk).exists()


@console_action(
    "receipt",
    "give",
    "Give it to an order",
    "The order is paid if this covers it. What is too much goes back by itself.",
    applies=lambda receipt: _is_unmatched(receipt) and not receipt.came_back,
    form=OrderReferenceForm,
    price=_unless_its_payer_s,
)
def give_to_order(receipt: Receipt, given: Given, by: User) -> str:
    credited = money_in.match_receipt_to_order(
        receipt.pk, reference=given["reference"], why=given["why"]
    )
    return f"{format_kes(credited.amount)} is given to order {credited.order}."


@console_action(
    "receipt",
    "same",
    "It is a prompt's receipt",
    "M-Pesa said that the order's prompt was paid and named no receipt: this is it. It is counted "
    "once, on the order.",
    applies=is_undecided,
    form=OrderReferenceForm,
    price=_unless_its_payer_s,
)
def say_same(receipt: Receipt, given: Given, by: User) -> str:
    named = money_in.merge_with_order(receipt.pk, reference=given["reference"], why=given["why"])
    return f"{format_kes(named.amount)} under {named.number} is the receipt of order {named.order}."


@console_action(
    "receipt",
    "apart",
    "It is a payment of its own",
    "Not what any prompt was paid with, though amount, time and phone would fit. Then it may be "
    "given to an order, or sent back.",
    applies=is_undecided,
    price=_all_of_it,
)
def say_apart(receipt: Receipt, given: Given, by: User) -> str:
    money_in.mark_payment_of_its_own(receipt.pk)
    return "It is a payment of its own."


@console_action(
    "receipt",
    "back",
    "Send it back",
    "To whoever paid it.",
    applies=_is_unmatched,
    price=_of_sending_back,
)
def send_back(receipt: Receipt, given: Given, by: User) -> str:
    refund = money_in.refund_receipt(receipt.pk, by=by)
    if refund.way == RefundMethod.PORTAL:
        return (
            f"{format_kes(refund.amount)} is owed back. No way is known: decide about the refund."
        )
    return _goes_back(refund)


@console_action(
    "receipt",
    "came",
    "It did come",
    "M-Pesa's own statement shows it with this amount and number. Money of it may leave again.",
    applies=lambda receipt: receipt.is_in_doubt and receipt.provider == Provider.MPESA,
)
def say_it_came(receipt: Receipt, given: Given, by: User) -> str:
    money_in.say_it_came(receipt.pk, by=by)
    return f"{receipt} is confirmed."


@console_action(
    "receipt",
    "never",
    "It never came",
    "You have looked on the portal, or on the bank's statement. It is written off; what was bought "
    "with it should be cancelled, and what its sellers earned does not leave.",
    applies=lambda receipt: receipt.is_in_doubt,
)
def say_it_never_came(receipt: Receipt, given: Given, by: User) -> str:
    return money_in.say_it_never_came(receipt.pk, by=by).note


def _may_be_asked_about(receipt: Receipt) -> bool:
    is_open = receipt.verification in {Verification.REPORTED, Verification.DOUBTED}
    return is_open and receipt.provider == Provider.MPESA and bool(receipt.number)


@console_action(
    "receipt",
    "ask",
    "Ask M-Pesa about it",
    "The clock asks in a moment, by its number. Where M-Pesa shows it with this amount, paid to "
    "us, it is confirmed.",
    applies=_may_be_asked_about,
)
def ask_about(receipt: Receipt, given: Given, by: User) -> str:
    money_in.ask_about_receipt(receipt.pk)
    return "M-Pesa is asked."


def _is_a_banks(receipt: Receipt, *states: str) -> bool:
    return receipt.provider != Provider.MPESA and receipt.verification in states


@console_action(
    "receipt",
    "confirm",
    "The bank's statement shows it",
    "You have seen it there, with this amount and number. Then money of it may leave.",
    applies=lambda receipt: _is_a_banks(receipt, Verification.REPORTED, Verification.DOUBTED),
    price=_all_of_it,
)
def confirm_bank_receipt(receipt: Receipt, given: Given, by: User) -> str:
    seen = money_in.confirm_bank_receipt(receipt.pk, by=by)
    return f"{seen} is {seen.get_verification_display()}."


@console_action(
    "receipt",
    "doubt",
    "The bank's statement does not show it",
    "Nothing of it leaves, and nothing bought with it is handed over, until it is decided.",
    applies=lambda receipt: _is_a_banks(receipt, Verification.REPORTED),
)
def doubt_bank_receipt(receipt: Receipt, given: Given, by: User) -> str:
    return f"{money_in.doubt_bank_receipt(receipt.pk)} is in doubt."


def _may_be_reversed(receipt: Receipt) -> bool:
    if receipt.provider != Provider.MPESA or not receipt.amount:
        return False
    gone = receipt.refunds.filter(status=TransferStatus.DONE)
    return not gone.filter(way__in=(RefundMethod.OUTSIDE, RefundMethod.REVERSAL)).exists()


@console_action(
    "receipt",
    "reversed",
    "M-Pesa took it back",
    "Safaricom reversed this payment at the customer's word. Name the reversal's own receipt. "
    "Nothing of it is sent back any more; what was not cancelled the shop bears.",
    applies=_may_be_reversed,
    form=ReceiptNumberForm,
    price=_all_of_it,
)
def say_reversed(receipt: Receipt, given: Given, by: User) -> str:
    return money_out.record_reversal_seen(receipt.pk, number=given["number"])


@console_action(
    "receipt",
    "name",
    NAMED,
    "As the portal shows it for this payment.",
    applies=lambda receipt: not receipt.number and receipt.same_as_id is None,
    form=ReceiptNumberForm,
    price=_all_of_it,
)
def name_number(receipt: Receipt, given: Given, by: User) -> str:
    named = money_in.set_receipt_number(receipt.pk, number=given["number"], by=by)
    return f"Its number is {named.number}."


@console_action(
    "attempt",
    "ask",
    "Ask M-Pesa now",
    "At most once in ten seconds.",
    applies=lambda payment: payment.is_open and bool(payment.checkout_request_id),
    calls_gateway=True,
)
def ask_mpesa(payment: OrderPayment, given: Given, by: User) -> str:
    asked = money_in.query_attempt(payment.pk)
    if asked.is_open:
        return "M-Pesa was asked and does not say yet. Ask again later."
    return f"M-Pesa says: {asked.result_text} The attempt is {asked.status} now."


@console_action(
    "attempt",
    "paid",
    SAID_PAID,
    "Name the receipt the portal shows for this phone, amount and time.",
    applies=lambda payment: payment.is_open,
    form=ReceiptNumberForm,
    price=_all_of_it,
)
def say_paid(payment: OrderPayment, given: Given, by: User) -> str:
    paid = money_in.mark_attempt_paid(payment.pk, number=given["number"], by=by)
    return f"{format_kes(paid.amount)} is credited to order {paid.order}."


@console_action(
    "attempt",
    "unpaid",
    "Say that no money came",
    "After looking on the portal. A success that comes late still counts.",
    applies=lambda payment: payment.is_open and not payment.live,
)
def say_unpaid(payment: OrderPayment, given: Given, by: User) -> str:
    money_in.mark_attempt_unpaid(payment.pk)
    return "The attempt has ended without money."


# --- Money that goes out: refunds and payouts ------------------------------------------------

UNDER_A_NEW_ID = "Under an id of its own: M-Pesa has definitely refused this one."
NAME_THE_RECEIPT = "Name the receipt the portal shows for it."
STILL_OWED = "After looking on the portal. The money is still owed."
LEAVES_THE_LIST = "It leaves the list. Nothing else changes."


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
    money_out.approve_payout(payout.pk, by=by)
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
    held = money_out.hold_payout(payout.pk, why=given["why"])
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
    count = money_out.refuse_payout(payout.pk, why=given["why"])
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
    released = money_out.release_share(share.pk)
    return f"{format_kes(released.due)} goes into the seller's next payout."


@console_action(
    "refund",
    "approve",
    "Let it leave",
    "You have looked at the payment it goes back of, and at the number it goes to.",
    applies=lambda refund: refund.awaits_approval,
)
def approve_refund(refund: Refund, given: Given, by: User) -> str:
    return _goes_back(money_out.approve_refund(refund.pk, by=by))


def _goes_back(refund: Refund) -> str:
    to = f" to {dial(refund.phone)}" if refund.phone else ""
    if refund.awaits_approval:
        return f"{format_kes(refund.amount)}{to} waits for a second person to look at it."
    return f"{format_kes(refund.amount)} goes back by {refund.get_way_display()}{to}."


@console_action(
    "refund",
    "again",
    "Try again the same way",
    UNDER_A_NEW_ID,
    applies=lambda refund: refund.way != RefundMethod.PORTAL and _is_refused_refund(refund),
    price=_where_it_is_owed,
)
def retry_refund(refund: Refund, given: Given, by: User) -> str:
    return _goes_back(money_out.retry_refund(refund.pk, by=by))


@console_action(
    "refund",
    "send",
    SENT_ELSEWHERE,
    "By a payment to that phone, once a second person has looked at it.",
    applies=_is_refused_refund,
    form=PhoneForm,
    price=_all_of_it,
)
def send_refund(refund: Refund, given: Given, by: User) -> str:
    return _goes_back(money_out.retry_refund(refund.pk, phone=given["phone"], by=by))


@console_action(
    "payout",
    "again",
    "Try again at the same number",
    UNDER_A_NEW_ID,
    applies=_is_refused_payout,
    price=_where_it_is_owed,
)
def retry_payout(payout: Payout, given: Given, by: User) -> str:
    money_out.retry_refused_payout(payout.pk)
    return f"Another payout goes to {dial(payout.phone)}."


@console_action(
    "payout",
    "send",
    SENT_ELSEWHERE,
    "Only one its seller has given you, and you have called back. A second person has to look.",
    applies=_is_refused_payout,
    form=PhoneForm,
    price=_all_of_it,
)
def send_payout(payout: Payout, given: Given, by: User) -> str:
    money_out.retry_refused_payout(payout.pk, phone=given["phone"], by=by)
    return f"Another payout goes to {dial(given['phone'])}."


@console_action(
    "refund",
    "portal",
    "It was given back on the portal",
    NAME_THE_RECEIPT,
    applies=_is_refused_refund,
    form=ReceiptNumberForm,
    price=_all_of_it,
)
def refunded_on_portal(refund: Refund, given: Given, by: User) -> str:
    by_person = money_out.record_refund_on_portal(refund.pk, number=given["number"])
    return f"{format_kes(by_person.amount)} went back under {by_person.number}."


@console_action(
    "payout",
    "portal",
    "It was sent on the portal",
    NAME_THE_RECEIPT,
    applies=_is_refused_payout,
    form=ReceiptNumberForm,
    price=_all_of_it,
)
def paid_out_on_portal(payout: Payout, given: Given, by: User) -> str:
    money_out.record_payout_on_portal(payout.pk, number=given["number"])
    return "It is written down as sent."


@console_action(
    "refund",
    "done",
    "It went",
    NAME_THE_RECEIPT,
    applies=_is_silent,
    form=ReceiptNumberForm,
    price=_all_of_it,
)
def refund_went(refund: Refund, given: Given, by: User) -> str:
    done = money_out.record_transfer_outcome(refund, number=given["number"])
    return f"{format_kes(done.amount)} went back under {done.number}."


@console_action(
    "payout",
    "done",
    "It went",
    NAME_THE_RECEIPT,
    applies=_is_silent,
    form=ReceiptNumberForm,
    price=_all_of_it,
)
def payout_went(payout: Payout, given: Given, by: User) -> str:
    money_out.record_transfer_outcome(payout, number=given["number"])
    return "It is written down as sent."


@console_action(
    "refund", "not-done", "It never went", STILL_OWED, applies=_is_silent, price=_all_of_it
)
def refund_never_went(refund: Refund, given: Given, by: User) -> str:
    money_out.record_transfer_outcome(refund)
    return "The money never went, and is still owed."


@console_action(
    "payout", "not-done", "It never went", STILL_OWED, applies=_is_silent, price=_all_of_it
)
def payout_never_went(payout: Payout, given: Given, by: User) -> str:
    money_out.record_transfer_outcome(payout)
    return "It never went: try it again, or send it to another number."


# --- Messages --------------------------------------------------------------------------------


@console_action(
    "message",
    "again",
    "Act on it again",
    "As if it had just come. What was counted is not counted again.",
    applies=lambda event: event.state not in {EventState.APPLIED, EventState.NEW},
    calls_gateway=True,
)
def process_again(event: GatewayEvent, given: Given, by: User) -> str:
    processed = money_in.reprocess_message(event.pk)
    return f"{processed.get_state_display()}: {processed.note}"


@console_action(
    "message",
    "aside",
    "Set it aside",
    "It leaves the list and is kept. Nothing else changes.",
    applies=lambda event: event.state in money_in.MAY_BE_SET_ASIDE,
)
def set_aside(event: GatewayEvent, given: Given, by: User) -> str:
    money_in.set_message_aside(event.pk)
    return "Set aside."


# --- What was seen and leaves the list -------------------------------------------------------


def _ended_otherwise(row: MoneyOut) -> bool:
    return row.unacknowledged and not row.is_under_way


@console_action(
    "receipt",
    "seen",
    "Acknowledge it",
    LEAVES_THE_LIST,
    applies=lambda receipt: receipt.unacknowledged,
)
@console_action("refund", "seen", "Acknowledge it", LEAVES_THE_LIST, applies=_ended_otherwise)
@console_action("payout", "seen", "Acknowledge it", LEAVES_THE_LIST, applies=_ended_otherwise)
def acknowledge(row: Receipt | Refund | Payout, given: Given, by: User) -> str:
    money_out.acknowledge(row)
    return "Acknowledged."
