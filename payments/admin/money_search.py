"""Finding orders and money in the admin's search."""

from __future__ import annotations

from uuid import UUID

from accounts.backoffice.formats import EMPTY_VALUE, dial, kes, moment, status_badge
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import list_of
from accounts.backoffice.search import Found, Typed, finder, first_of
from accounts.models import User
from orders.lookup import find_by_typed_reference, letters_of_reference
from orders.models import REFERENCE_LENGTH, Order
from orders.sections.descriptions import SEES_ORDERS, describe_order
from payments.backoffice.permissions import VIEW_MONEY
from payments.models import OrderPayment, Payout, Receipt, Refund, Withdrawal

from .money_lookup import find_prompts as prompts_called
from .money_lookup import find_receipt, find_transfers, spellings_of_number

#: A longer text is no reference, though its letters may happen to contain one.
_LONGEST_REFERENCE = 40
#: Prompts and receipts of a phone to read for its newest orders.
_PAYMENTS = 50


def _describe_order(order: Order, viewer: User) -> tuple[str, ...]:
    return (
        describe_order(order),
        kes(order.amount),
        link_to(order.buyer, viewer),
        dial(order.mpesa_number),
        moment(order.created_at),
    )


@finder(
    "Orders",
    by=("an order’s reference", "a phone, as people dial it", "M-Pesa’s receipt number"),
    permissions=(SEES_ORDERS, VIEW_MONEY),
    headings=("Order", "Status", "Price", "Buyer", "Paying phone", "Placed"),
    cells=_describe_order,
    place=10,
)
def find_orders(typed: Typed, viewer: User) -> Found:
    """Find orders by reference, token, receipt number, or a phone that was prompted or paid.

    Also by the buyer's name, for viewers who cannot search users. A receipt number finds the order
    only for viewers who may see orders; others find the receipt itself.
    """
    orders = Order.objects.select_related("buyer")
    if typed.phone:
        return _paid_by(typed, viewer)
    known = orders.filter(**_filter_by_name(typed.text)).first()
    if known is None and viewer.has_perm(SEES_ORDERS):
        receipt = find_receipt(typed.text)
        if receipt and receipt.order_id:
            known = orders.filter(pk=receipt.order_id).first()
    if known is not None:
        return Found([known], is_certain=True)
    if len(typed.text) <= _LONGEST_REFERENCE:
        order_id = find_by_typed_reference(typed.text)
        if order_id is not None:
            return first_of(orders.filter(pk=order_id))
    if viewer.has_perm("accounts.view_user"):
        return Found()
    buyer = User.objects.called(typed.text).values_list("pk", flat=True).first()
    return first_of(orders.filter(buyer=buyer).order_by("-pk")) if buyer else Found()


def _filter_by_name(text: str) -> dict[str, object]:
    """A filter by token or reference. It matches nothing if the text can be neither."""
    try:
        return {"order_token": UUID(text)}
    except ValueError:
        pass
    letters = letters_of_reference(text)
    return {"reference": letters} if len(letters) == REFERENCE_LENGTH else {"pk__in": ()}


def _paid_by(typed: Typed, viewer: User) -> Found:
    """The newest orders that a phone was prompted for, or paid. Three queries."""
    prompted = OrderPayment.objects.filter(phone=typed.phone)
    paid = Receipt.objects.paid_from(typed.phone).filter(order__isnull=False)
    ids: set[int] = set()
    for rows in (prompted, paid):
        ids.update(rows.order_by("-pk").values_list("order", flat=True)[:_PAYMENTS])
    orders = Order.objects.select_related("buyer").filter(pk__in=ids)
    listed = Order if viewer.has_perm(SEES_ORDERS) else OrderPayment
    return first_of(orders.order_by("-pk"), list_of(listed, "All for this phone", q=typed.text))


def _describe_receipt(receipt: Receipt, viewer: User) -> tuple[str, ...]:
    order = link_to(receipt.order, viewer) or EMPTY_VALUE
    return status_badge(receipt, "verification"), order, moment(receipt.paid_at)


@finder(
    "Money in",
    by=("M-Pesa’s receipt number", "the phone that paid"),
    permissions=("payments.view_receipt",),
    headings=("Receipt", "Status", "Order", "Paid"),
    cells=_describe_receipt,
    place=11,
)
def find_money_in(typed: Typed, viewer: User) -> Found:
    """Find receipts by number, or by phone if M-Pesa reported it in full or hashed."""
    if typed.phone:
        paid = Receipt.objects.paid_from(typed.phone).select_related("order").order_by("-pk")
        return first_of(paid, list_of(Receipt, "All for this phone", q=typed.text))
    receipt = find_receipt(typed.text)
    return Found([receipt], is_certain=True) if receipt else Found()


def _describe_prompt(payment: OrderPayment, viewer: User) -> tuple[str, ...]:
    return link_to(payment.order, viewer), moment(payment.created_at)


@finder(
    "Payment attempts",
    by=("a checkout request ID",),
    permissions=("payments.view_orderpayment",),
    headings=("Attempt", "Order", "When"),
    cells=_describe_prompt,
    place=14,
)
def find_prompts(typed: Typed, viewer: User) -> Found:
    if not typed.text.startswith("ws_CO_"):
        return Found()
    return first_of(prompts_called(typed.text).select_related("order"))._replace(is_certain=True)


def _describe_transfer(row: Refund | Payout, viewer: User) -> tuple[str, ...]:
    return status_badge(row, "status"), dial(row.phone), moment(row.created_at)


@finder(
    "Refunds",
    by=("M-Pesa’s number of a refund, payout or withdrawal", "our ID of a refund or payout"),
    permissions=("payments.view_refund",),
    headings=("Refund", "Status", "Phone", "When"),
    cells=_describe_transfer,
    place=15,
)
def find_refunds(typed: Typed, viewer: User) -> Found:
    known = {} if typed.phone else find_transfers(Refund, typed.text)
    return first_of(Refund.objects.filter(**known)) if known else Found()


@finder(
    "Payouts",
    by=("M-Pesa’s number of a refund, payout or withdrawal", "a seller’s user name or phone"),
    permissions=("payments.view_payout",),
    headings=("Payout", "Status", "Phone", "When"),
    cells=_describe_transfer,
    place=16,
)
def find_payouts(typed: Typed, viewer: User) -> Found:
    """Find payouts by number, our ID or phone; by seller for viewers who cannot search users."""
    known = {"phone": typed.phone} if typed.phone else find_transfers(Payout, typed.text)
    if not known and not viewer.has_perm("accounts.view_user"):
        seller = User.objects.called(typed.text).values_list("pk", flat=True).first()
        known = {"seller": seller} if seller else {}
    if not known:
        return Found()
    more = list_of(Payout, "All of these payouts", q=typed.text)
    return first_of(Payout.objects.filter(**known).select_related("seller").order_by("-pk"), more)


def _describe_withdrawal(row: Withdrawal, viewer: User) -> tuple[str, ...]:
    return status_badge(row, "state"), dial(row.phone), moment(row.left_at)


@finder(
    "Unexplained withdrawals",
    by=("M-Pesa’s number of a refund, payout or withdrawal",),
    permissions=("payments.view_withdrawal",),
    headings=("Withdrawal", "Status", "Phone", "Sent"),
    cells=_describe_withdrawal,
    place=17,
)
def find_withdrawals(typed: Typed, viewer: User) -> Found:
    numbers = [] if typed.phone else spellings_of_number(typed.text)
    return first_of(Withdrawal.objects.filter(number__in=numbers)) if numbers else Found()
