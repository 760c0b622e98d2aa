"""The console's buttons about money that came: receipts, and attempts to pay."""

from __future__ import annotations

from accounts.backoffice.actions import ApprovalPolicy, StaffAction, perform, register
from accounts.backoffice.second_person import Cost
from accounts.models import User
from omachemainproj.money import format_kes
from omachemainproj.phones import PhoneMatch, match_phone
from orders.lookup import find_by_typed_reference
from payments.interest import NAMED, SAID_PAID, WROTE_DOWN
from payments.models import (
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    RefundMethod,
    TransferStatus,
    Verification,
)
from payments.models.same_payments import is_undecided

from . import receipt_services, transfer_services
from .forms import OrderReferenceForm, ReceiptNumberForm, SeenPaymentForm
from .kinds import LEAVES_THE_LIST, Given, console_action, where_it_goes, whole_amount
from .permissions import ACTING


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
    written = receipt_services.record_seen_receipt(
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
        approval=ApprovalPolicy(whole_amount, (ACTING,), new=_seen),
    )
)


def record_payment(given: Given, *, by: User) -> Receipt:
    """Record a payment a person has seen, and who saw it. Raises Refusal, as ``perform`` does."""
    receipt = _seen(given)
    perform(WRITE_DOWN, receipt, given, by=by)
    receipt.refresh_from_db()
    return receipt


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
    credited = receipt_services.match_receipt_to_order(
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
    named = receipt_services.merge_with_order(
        receipt.pk, reference=given["reference"], why=given["why"]
    )
    return f"{format_kes(named.amount)} under {named.number} is the receipt of order {named.order}."


@console_action(
    "receipt",
    "apart",
    "It is a payment of its own",
    "Not what any prompt was paid with, though amount, time and phone would fit. Then it may be "
    "given to an order, or sent back.",
    applies=is_undecided,
    price=whole_amount,
)
def say_apart(receipt: Receipt, given: Given, by: User) -> str:
    receipt_services.mark_payment_of_its_own(receipt.pk)
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
    refund = receipt_services.refund_receipt(receipt.pk, by=by)
    if refund.way == RefundMethod.PORTAL:
        return (
            f"{format_kes(refund.amount)} is owed back. No way is known: decide about the refund."
        )
    return where_it_goes(refund)


@console_action(
    "receipt",
    "came",
    "It did come",
    "Since it is in doubt, M-Pesa's own statement or answer has shown it with this amount and "
    "number. Money of it may leave again.",
    applies=lambda receipt: receipt.is_in_doubt and receipt.provider == Provider.MPESA,
)
def say_it_came(receipt: Receipt, given: Given, by: User) -> str:
    receipt_services.say_it_came(receipt.pk, by=by)
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
    return receipt_services.say_it_never_came(receipt.pk, by=by).note


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
    receipt_services.ask_about_receipt(receipt.pk)
    return "M-Pesa is asked."


def _is_a_banks(receipt: Receipt, *states: str) -> bool:
    return receipt.provider != Provider.MPESA and receipt.verification in states


@console_action(
    "receipt",
    "confirm",
    "The bank's statement shows it",
    "You have seen it there, with this amount and number. Then money of it may leave.",
    applies=lambda receipt: _is_a_banks(receipt, Verification.REPORTED, Verification.DOUBTED),
    price=whole_amount,
)
def confirm_bank_receipt(receipt: Receipt, given: Given, by: User) -> str:
    seen = receipt_services.confirm_bank_receipt(receipt.pk, by=by)
    return f"{seen} is {seen.get_verification_display()}."


@console_action(
    "receipt",
    "doubt",
    "The bank's statement does not show it",
    "Nothing of it leaves, and nothing bought with it is handed over, until it is decided.",
    applies=lambda receipt: _is_a_banks(receipt, Verification.REPORTED),
)
def doubt_bank_receipt(receipt: Receipt, given: Given, by: User) -> str:
    return f"{receipt_services.doubt_bank_receipt(receipt.pk)} is in doubt."


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
    price=whole_amount,
)
def say_reversed(receipt: Receipt, given: Given, by: User) -> str:
    return transfer_services.record_reversal_seen(receipt.pk, number=given["number"])


@console_action(
    "receipt",
    "name",
    NAMED,
    "As the portal shows it for this payment.",
    applies=lambda receipt: not receipt.number and receipt.same_as_id is None,
    form=ReceiptNumberForm,
    price=whole_amount,
)
def name_number(receipt: Receipt, given: Given, by: User) -> str:
    named = receipt_services.set_receipt_number(receipt.pk, number=given["number"], by=by)
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
    asked = receipt_services.query_attempt(payment.pk)
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
    price=whole_amount,
)
def say_paid(payment: OrderPayment, given: Given, by: User) -> str:
    paid = receipt_services.mark_attempt_paid(payment.pk, number=given["number"], by=by)
    return f"{format_kes(paid.amount)} is credited to order {paid.order}."


@console_action(
    "attempt",
    "unpaid",
    "Say that no money came",
    "After looking on the portal. A success that comes late still counts.",
    applies=lambda payment: payment.is_open and not payment.live,
)
def say_unpaid(payment: OrderPayment, given: Given, by: User) -> str:
    receipt_services.mark_attempt_unpaid(payment.pk)
    return "The attempt has ended without money."


@console_action(
    "receipt",
    "seen",
    "Acknowledge it",
    LEAVES_THE_LIST,
    applies=lambda receipt: receipt.unacknowledged,
)
def acknowledge_receipt(receipt: Receipt, given: Given, by: User) -> str:
    transfer_services.acknowledge(receipt)
    return "Acknowledged."
