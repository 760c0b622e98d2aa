"""The console's buttons about incoming money: receipts and payment attempts."""

from __future__ import annotations

from accounts.backoffice.actions import ApprovalPolicy, StaffAction, perform, register
from accounts.backoffice.approval_limits import Cost
from accounts.models import User
from omachemainproj.money import format_kes
from omachemainproj.phones import PhoneMatch, match_phone
from orders.lookup import find_by_typed_reference
from payments.models import (
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    RefundMethod,
    TransferStatus,
    Verification,
)
from payments.payment_matching import is_undecided
from payments.reconciliation.misapplied import may_be_misapplied

from . import receipt_services, transfer_services
from .forms import OrderReferenceForm, PartReversedForm, ReceiptNumberForm, SeenPaymentForm
from .kinds import ACKNOWLEDGE_ONLY, Given, console_action, cost_full_amount, describe_refund
from .permissions import DECIDE_MONEY


def _cost_of_matching(receipt: Receipt, given: Given) -> Cost:
    """Nothing is at risk if the payer's phone is one the order had prompted before the payment.

    Only attempts before the payment count: an order placed later could name the phone of a
    stranger's payment. A phone that staff entered does not count either.
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


def _cost_of_refund(receipt: Receipt, given: Given) -> Cost:
    """A reversal can only reach the payer. Any other refund puts the amount at risk."""
    is_reversed = receipt.provider == Provider.MPESA and receipt.source != ReceiptSource.STAFF
    if is_reversed and not receipt.refunds.exists():
        return Cost(moved=receipt.amount)
    return Cost(at_risk=receipt.amount)


def _record_seen(receipt: Receipt, given: Given, by: User) -> str:
    written = receipt_services.record_seen_receipt(
        number=given["number"],
        amount=given["amount"],
        reference=given["reference"],
        phone=given["phone"],
        by=by,
    )
    receipt.pk = written.pk
    return f"{written} is recorded."


def _seen(given: Given) -> Receipt:
    """The receipt as staff saw it, not saved."""
    return Receipt(
        provider=Provider.MPESA,
        number=given["number"],
        amount=given["amount"],
        source=ReceiptSource.STAFF,
        phone=given["phone"],
    )


#: On no row's page: the console has a separate form for it.
WRITE_DOWN = register(
    StaffAction(
        "Record a payment that was seen",
        _record_seen,
        SeenPaymentForm,
        key="console.receipt.write",
        approval=ApprovalPolicy(cost_full_amount, (DECIDE_MONEY,), new=_seen),
    )
)


def record_payment(given: Given, *, by: User) -> Receipt:
    """Record a payment that ``by`` has seen. Raises Refusal, as ``perform`` does."""
    receipt = _seen(given)
    perform(WRITE_DOWN, receipt, given, by=by)
    receipt.refresh_from_db()
    return receipt


def _is_unmatched(receipt: Receipt) -> bool:
    return Receipt.objects.to_match().filter(pk=receipt.pk).exists()


@console_action(
    "receipt",
    "give",
    "Match it to an order",
    "The order is paid if this covers its price. Any excess is refunded automatically.",
    applies=lambda receipt: _is_unmatched(receipt) and not receipt.is_returned_transfer,
    form=OrderReferenceForm,
    cost=_cost_of_matching,
)
def match_to_order_action(receipt: Receipt, given: Given, by: User) -> str:
    credited = receipt_services.match_receipt_to_order(
        receipt.pk, reference=given["reference"], why=given["why"]
    )
    return f"{format_kes(credited.amount)} is matched to order {credited.order}."


@console_action(
    "receipt",
    "same",
    "It is the receipt of a prompt",
    "M-Pesa confirmed the order's prompt without a receipt number, and this is that receipt. It is "
    "counted once, for the order.",
    applies=is_undecided,
    form=OrderReferenceForm,
    cost=_cost_of_matching,
)
def merge_with_prompt_action(receipt: Receipt, given: Given, by: User) -> str:
    named = receipt_services.merge_with_order(
        receipt.pk, reference=given["reference"], why=given["why"]
    )
    return f"{format_kes(named.amount)} under {named.number} is the receipt of order {named.order}."


@console_action(
    "receipt",
    "apart",
    "It is a separate payment",
    "This is a separate payment, even though its amount, time and phone match a prompt. After this "
    "you can match it to an order or refund it.",
    applies=is_undecided,
    cost=cost_full_amount,
)
def mark_separate_payment_action(receipt: Receipt, given: Given, by: User) -> str:
    receipt_services.mark_as_separate_payment(receipt.pk)
    return "Marked as a separate payment."


@console_action(
    "receipt",
    "back",
    "Refund it",
    "The money goes back to its payer.",
    applies=_is_unmatched,
    cost=_cost_of_refund,
)
def refund_receipt_action(receipt: Receipt, given: Given, by: User) -> str:
    refund = receipt_services.refund_receipt(receipt.pk, by=by)
    if refund.way == RefundMethod.PORTAL:
        return (
            f"{format_kes(refund.amount)} is owed. There is no automatic way to refund it. Decide "
            "how on the refund's page."
        )
    return describe_refund(refund)


@console_action(
    "receipt",
    "came",
    "The payment arrived",
    "Since it was put in doubt, M-Pesa's own statement or answer has shown it with this amount and "
    "number. Its money can then be sent out.",
    applies=lambda receipt: receipt.is_in_doubt and receipt.provider == Provider.MPESA,
)
def confirm_doubted_receipt_action(receipt: Receipt, given: Given, by: User) -> str:
    receipt_services.confirm_doubted_receipt(receipt.pk, by=by)
    return f"{receipt} is confirmed."


@console_action(
    "receipt",
    "never",
    "The payment never arrived",
    "You have checked the portal or the bank's statement. The payment is written off and its "
    "sellers are not paid. Cancel what was bought with it. What was refunded of it before is the "
    "shop's loss.",
    applies=lambda receipt: receipt.is_in_doubt,
)
def write_off_receipt_action(receipt: Receipt, given: Given, by: User) -> str:
    return receipt_services.write_off_receipt(receipt.pk, by=by).note


@console_action(
    "receipt",
    "after",
    "It came after all",
    "It was written off, and M-Pesa's own statement or answer, or the bank's statement, shows it "
    "now, as you have checked. It is counted again: it pays for its order's goods, and any excess "
    "is refunded.",
    applies=lambda receipt: receipt.verification == Verification.NEVER_CAME,
    cost=cost_full_amount,
)
def count_after_all_action(receipt: Receipt, given: Given, by: User) -> str:
    seen = receipt_services.count_after_all(receipt.pk, by=by)
    return f"{seen} is counted again, and is {seen.get_verification_display()}."


@console_action(
    "receipt",
    "other",
    receipt_services.MOVE_TO_ORDER,
    "Its number was entered for the wrong order, or its payer typed the wrong reference, as both "
    "buyers confirm. It pays for the order you enter. The order it is recorded for is left without "
    "it: cancel what was bought with it there.",
    applies=may_be_misapplied,
    form=OrderReferenceForm,
    cost=cost_full_amount,
)
def move_to_order_action(receipt: Receipt, given: Given, by: User) -> str:
    moved = receipt_services.move_receipt_to_order(receipt.pk, reference=given["reference"], by=by)
    return f"{format_kes(moved.amount)} under {moved.number} is credited to order {moved.order}."


def _may_be_queried(receipt: Receipt) -> bool:
    return not receipt.is_confirmed and receipt.provider == Provider.MPESA and bool(receipt.number)


@console_action(
    "receipt",
    "ask",
    "Query M-Pesa about it",
    "The clock queries it by its receipt number in a moment. It is confirmed if M-Pesa reports "
    "this amount, paid to us.",
    applies=_may_be_queried,
)
def query_receipt_action(receipt: Receipt, given: Given, by: User) -> str:
    receipt_services.query_receipt_again(receipt.pk)
    return "M-Pesa will be queried in a moment."


def _is_a_banks(receipt: Receipt, *states: str) -> bool:
    return receipt.provider != Provider.MPESA and receipt.verification in states


@console_action(
    "receipt",
    "confirm",
    "The bank's statement shows it",
    "You have seen it there, with this amount and number. Its money can then be sent out.",
    applies=lambda receipt: _is_a_banks(receipt, Verification.REPORTED, Verification.DOUBTED),
    cost=cost_full_amount,
)
def confirm_bank_receipt_action(receipt: Receipt, given: Given, by: User) -> str:
    seen = receipt_services.confirm_bank_receipt(receipt.pk, by=by)
    return f"{seen} is {seen.get_verification_display()}."


@console_action(
    "receipt",
    "doubt",
    "The bank's statement does not show it",
    "Or it shows that the bank took it back. Until this is decided, its money is not sent out and "
    "its goods are not handed over.",
    applies=lambda receipt: _is_a_banks(receipt, Verification.REPORTED, Verification.CONFIRMED),
)
def doubt_bank_receipt_action(receipt: Receipt, given: Given, by: User) -> str:
    return f"{receipt_services.doubt_bank_receipt(receipt.pk)} is in doubt."


def _may_be_reversed(receipt: Receipt) -> bool:
    if receipt.provider != Provider.MPESA or not receipt.amount:
        return False
    ours = receipt.refunds.filter(way=RefundMethod.REVERSAL, status=TransferStatus.DONE)
    return not (receipt.refunds.taken_back().exists() or ours.exists())


@console_action(
    "receipt",
    "reversed",
    "M-Pesa reversed it",
    "Safaricom reversed this payment at the customer's request. Enter the receipt number of the "
    "reversal. Nothing more will be refunded from it. The shop absorbs the cost of any lines that "
    "are not cancelled.",
    applies=_may_be_reversed,
    form=ReceiptNumberForm,
    cost=cost_full_amount,
)
def record_reversal_action(receipt: Receipt, given: Given, by: User) -> str:
    return transfer_services.record_reversal_seen(receipt.pk, number=given["number"])


def _cost_of_part(receipt: Receipt, given: Given) -> Cost:
    """The part is at risk, since it depends on what one person says."""
    return Cost(at_risk=given["amount"])


@console_action(
    "receipt",
    "part",
    "M-Pesa reversed a part of it",
    "Safaricom reversed a part of this payment at the customer's request. Enter the receipt number "
    "of the reversal, and its amount. What is left of the payment stays what it was. The shop "
    "absorbs the cost of any lines that are not covered then and not cancelled.",
    applies=_may_be_reversed,
    form=PartReversedForm,
    cost=_cost_of_part,
)
def record_part_reversal_action(receipt: Receipt, given: Given, by: User) -> str:
    return transfer_services.record_part_reversal_seen(
        receipt.pk, number=given["number"], amount=given["amount"]
    )


@console_action(
    "receipt",
    "name",
    "Enter its receipt number",
    "The receipt number that the portal shows for this payment.",
    applies=lambda receipt: not receipt.number and receipt.same_as_id is None,
    form=ReceiptNumberForm,
    cost=cost_full_amount,
)
def set_number_action(receipt: Receipt, given: Given, by: User) -> str:
    named = receipt_services.set_receipt_number(receipt.pk, number=given["number"], by=by)
    return f"The receipt number is now {named.number}."


@console_action(
    "attempt",
    "ask",
    "Query M-Pesa now",
    "At most once every ten seconds.",
    applies=lambda payment: payment.is_open and bool(payment.checkout_request_id),
    calls_gateway=True,
)
def query_attempt_action(payment: OrderPayment, given: Given, by: User) -> str:
    asked = receipt_services.query_attempt(payment.pk)
    if asked.is_open:
        return "M-Pesa has no result yet. Query it again later."
    return f"M-Pesa reports: {asked.result_text} The attempt is now {asked.status}."


@console_action(
    "attempt",
    "paid",
    "Mark it as paid",
    "Enter the receipt number that the portal shows for this phone, amount and time.",
    applies=lambda payment: payment.is_open,
    form=ReceiptNumberForm,
    cost=cost_full_amount,
)
def mark_paid_action(payment: OrderPayment, given: Given, by: User) -> str:
    paid = receipt_services.mark_attempt_paid(payment.pk, number=given["number"], by=by)
    return f"{format_kes(paid.amount)} is credited to order {paid.order}."


@console_action(
    "attempt",
    "unpaid",
    "It was not paid",
    "Check the portal first. A late success still counts.",
    applies=lambda payment: payment.is_open and not payment.live,
)
def mark_unpaid_action(payment: OrderPayment, given: Given, by: User) -> str:
    receipt_services.mark_attempt_unpaid(payment.pk)
    return "The attempt is recorded as not paid."


@console_action(
    "receipt",
    "seen",
    "Acknowledge",
    ACKNOWLEDGE_ONLY,
    applies=lambda receipt: receipt.unacknowledged,
)
def acknowledge_receipt_action(receipt: Receipt, given: Given, by: User) -> str:
    transfer_services.acknowledge(receipt)
    return "Acknowledged."
