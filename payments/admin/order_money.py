"""The status of an order and of its money, at the top of its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.utils.html import format_html

from accounts.backoffice.formats import (
    kes,
    moment,
    phone_link,
    write_moment,
)
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import (
    Content,
    Facts,
    section,
)
from accounts.models import User
from orders.models import (
    Order,
    PaymentStatus,
)
from orders.sections.descriptions import describe_order
from payments.models import (
    Refund,
    TransferStatus,
    order_balance,
)


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """Amounts of an order in KES: its price, and what was received, refunded and is due back."""

    price: int
    received: int
    refunded: int
    to_refund: int

    @property
    def missing(self) -> int:
        """The part of the price that has not been paid."""
        return max(self.price - self.received + self.refunded + self.to_refund, 0)


def read_money(order: Order) -> OrderMoney:
    """Read the amounts of an order. Two queries."""
    balance = order_balance(order.pk)
    refunds = Refund.objects.owed().filter(order=order.pk).order_by()
    sums: dict[str, int] = dict(
        refunds.values_list("status").annotate(total=Sum("amount")).values_list("status", "total")
    )
    refunded = sums.pop(TransferStatus.DONE, 0)
    to_refund = sum(sums.values())
    received = balance.credited + refunded + to_refund
    return OrderMoney(order.amount, received, refunded, to_refund)


@section(Order, "summary", "Status", permission="orders.view_order", place=10)
def show_standing(order: Order, viewer: User) -> Content:
    money = read_money(order)
    fees = sum(parcel.fee for parcel in order.parcels.all())
    price = f"{kes(money.price)}: goods {kes(money.price - fees)}, delivery {kes(fees)}"
    facts: list[tuple[str, Any]] = [
        ("Reference", format_html("<strong>{}</strong>", order.reference)),
        ("Placed", moment(order.created_at)),
        ("Buyer", _buyer_name(order, viewer)),
        ("Paying phone", phone_link(order.mpesa_number)),
        *_own_phone(order, viewer),
        ("Price", price if fees else kes(money.price)),
        ("Received", kes(money.received) if money.received else "nothing"),
    ]
    if money.refunded:
        facts.append(("Refunded", kes(money.refunded)))
    facts.append(("Owed", _owed(order, money)))
    return Facts([*facts, *_destination(order)], lead=_describe_payment_status(order))


def _describe_payment_status(order: Order) -> str:
    """The status of an order, as a badge and a sentence."""
    until = write_moment(order.expires_at)
    by = {"buyer": "The buyer cancelled it.", "staff": "The shop cancelled it."}
    sentences = {
        PaymentStatus.REQUESTED: f"It is not paid yet. Its goods are reserved until {until}.",
        PaymentStatus.PAID: "",
        PaymentStatus.CANCELLED: by.get(order.cancelled_by, "It was cancelled before it was paid."),
        PaymentStatus.EXPIRED: "It was not paid in time.",
        PaymentStatus.REFUND_DUE: f"Its payment is being refunded: {_refund_reason(order, by)}",
        PaymentStatus.REFUNDED: "Its payment was refunded.",
    }
    sentence = sentences[PaymentStatus(order.payment_status)]
    if order.in_doubt:
        sentence = "M-Pesa does not confirm the payment. Do not hand over or ship the goods."
    return format_html("{} {}", describe_order(order), sentence)


def _refund_reason(order: Order, by: Mapping[str, str]) -> str:
    if all(line.returned for line in order.tracks.all()):
        return "all its goods were cancelled."
    return by.get(order.cancelled_by, "it had expired.")


def _owed(order: Order, money: OrderMoney) -> str:
    owed = []
    if order.is_unpaid and money.missing:
        owed.append(f"{kes(money.missing)} by the buyer")
    if money.to_refund:
        owed.append(f"{kes(money.to_refund)} to the buyer")
    return ", ".join(owed) or "nothing"


def _buyer_name(order: Order, viewer: User) -> str:
    buyer = order.buyer
    if buyer.erased_at is not None:
        return format_html("{} (deleted account)", link_to(buyer, viewer))
    if order.is_of_guest:
        return link_to(buyer, viewer, "a guest without an account")
    name = buyer.get_full_name()
    return format_html("{}{}", link_to(buyer, viewer), f" ({name})" if name else "")


def _own_phone(order: Order, viewer: User) -> Iterable[tuple[str, Any]]:
    """The buyer's own number if it differs, for viewers who may see users' phones."""
    own = order.buyer.phone
    if own and own != order.mpesa_number and viewer.has_perm("accounts.help_user"):
        yield "Buyer's own phone", phone_link(own)


def _destination(order: Order) -> Iterable[tuple[str, Any]]:
    delivery = getattr(order, "delivery", None)
    if delivery is None:
        yield "Delivered to", "no delivery: buyer and seller arrange it themselves"
        return
    where = ", ".join(filter(None, [str(delivery), delivery.directions]))
    yield "Delivered to", f"{delivery.get_way_display()}: {where}"
    yield (
        "Received by",
        format_html("{}, {}", delivery.recipient, phone_link(delivery.phone)),
    )
