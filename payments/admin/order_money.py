"""How an order and its money are, at the top of its page."""

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
from orders.sections import describe_order
from payments.models import (
    Refund,
    TransferStatus,
    order_balance,
)


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """KES of an order: asked, what came of it, what went back, and what is still owed back."""

    asked: int
    came: int
    went_back: int
    goes_back: int

    @property
    def missing(self) -> int:
        """What has not come of what was asked."""
        return max(self.asked - self.came + self.went_back + self.goes_back, 0)


def read_money(order: Order) -> OrderMoney:
    """How an order's money stands. Two queries."""
    balance = order_balance(order.pk)
    refunds = Refund.objects.owed().filter(order=order.pk).order_by()
    sums: dict[str, int] = dict(
        refunds.values_list("status").annotate(total=Sum("amount")).values_list("status", "total")
    )
    went_back = sums.pop(TransferStatus.DONE, 0)
    goes_back = sum(sums.values())
    came = balance.credited + went_back + goes_back
    return OrderMoney(order.amount, came, went_back, goes_back)


@section(Order, "stands", "What stands", permission="orders.view_order", place=10)
def show_standing(order: Order, viewer: User) -> Content:
    money = read_money(order)
    fees = sum(parcel.fee for parcel in order.parcels.all())
    asked = f"{kes(money.asked)}: goods {kes(money.asked - fees)}, delivery {kes(fees)}"
    facts: list[tuple[str, Any]] = [
        ("Reference", format_html("<strong>{}</strong>", order.reference)),
        ("Placed", moment(order.created_at)),
        ("Buyer", _name_of_buyer(order, viewer)),
        ("Phone that pays", phone_link(order.mpesa_number)),
        *_own_phone(order, viewer),
        ("Asked", asked if fees else kes(money.asked)),
        ("Came", kes(money.came) if money.came else "nothing"),
    ]
    if money.went_back:
        facts.append(("Went back", kes(money.went_back)))
    facts.append(("Owed", _owed(order, money)))
    return Facts([*facts, *_destination(order)], lead=_lead(order))


def _lead(order: Order) -> str:
    """How an order stands, as a badge and a sentence."""
    until = write_moment(order.expires_at)
    by = {"buyer": "Its buyer cancelled it.", "staff": "The shop cancelled it."}
    sentences = {
        PaymentStatus.REQUESTED: f"It waits for its money, and holds its goods until {until}.",
        PaymentStatus.PAID: "",
        PaymentStatus.CANCELLED: by.get(order.cancelled_by, "It was cancelled before it was paid."),
        PaymentStatus.EXPIRED: "Its money did not come in time.",
        PaymentStatus.REFUND_DUE: f"Money came for it, and goes back: {_why_back(order, by)}",
        PaymentStatus.REFUNDED: "Its money went back.",
    }
    sentence = sentences[PaymentStatus(order.payment_status)]
    if order.in_doubt:
        sentence = "M-Pesa does not know what it was paid with: its goods stay where they are."
    return format_html("{} {}", describe_order(order), sentence)


def _why_back(order: Order, by: Mapping[str, str]) -> str:
    if all(line.returned for line in order.tracks.all()):
        return "all of its goods were cancelled."
    return by.get(order.cancelled_by, "its time was over.")


def _owed(order: Order, money: OrderMoney) -> str:
    owed = []
    if order.is_unpaid and money.missing:
        owed.append(f"{kes(money.missing)} by the buyer")
    if money.goes_back:
        owed.append(f"{kes(money.goes_back)} to the buyer")
    return ", ".join(owed) or "nothing"


def _name_of_buyer(order: Order, viewer: User) -> str:
    buyer = order.buyer
    if buyer.erased_at is not None:
        return format_html("{} (deleted account)", link_to(buyer, viewer))
    if order.is_of_guest:
        return link_to(buyer, viewer, "a guest, without an account")
    name = buyer.get_full_name()
    return format_html("{}{}", link_to(buyer, viewer), f" ({name})" if name else "")


def _own_phone(order: Order, viewer: User) -> Iterable[tuple[str, Any]]:
    """The buyer's own number, for who may see where people are called, where it is another."""
    own = order.buyer.phone
    if own and own != order.mpesa_number and viewer.has_perm("accounts.help_user"):
        yield "Buyer's own phone", phone_link(own)


def _destination(order: Order) -> Iterable[tuple[str, Any]]:
    delivery = getattr(order, "delivery", None)
    if delivery is None:
        yield "Goes to", "no delivery: buyer and seller arrange it between them"
        return
    where = ", ".join(filter(None, [str(delivery), delivery.directions]))
    yield "Goes to", f"{delivery.get_way_display()}: {where}"
    yield (
        "Received by",
        format_html("{}, {}", delivery.recipient, phone_link(delivery.phone)),
    )
