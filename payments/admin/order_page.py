"""An order's page in the admin: everything support answers a buyer from, and may do about it.

What stands of its money is told in sums to whoever sees orders; the payments, refunds and messages
themselves to those who see them anywhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet, Sum, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.backoffice.formats import (
    Tone,
    badge,
    kes,
    moment,
    phone_link,
    status_badge,
    write_moment,
)
from accounts.backoffice.links import link_to, shown_elsewhere
from accounts.backoffice.row_page import (
    NEWEST,
    Buttons,
    Content,
    Facts,
    Link,
    Part,
    Table,
    list_of,
    newest_of,
    section,
)
from accounts.backoffice.sent_forms import PageForm
from accounts.models import User
from orders.fulfilment_actions import actions_for
from orders.models import (
    FeeState,
    Order,
    OrderTrack,
    Parcel,
    ParcelStatus,
    PaymentStatus,
    Problem,
    ProblemMessage,
    ProblemPicture,
    TrackStatus,
    status_of_parcel,
)
from orders.models.notifications import Message
from orders.parcels.actions import form_name, offered
from orders.parcels.queries import Reader
from orders.sections import describe_messages, describe_order, describe_problem, price_of
from payments.backoffice.kinds import KINDS, act_name, console_page
from payments.backoffice.order_story import tell_order
from payments.backoffice.permissions import DECIDING_PROBLEMS, LOOKING, LOOKING_AT_PROBLEMS
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Receipt,
    Refund,
    SellerShare,
    TransferStatus,
    order_balance,
)

from .fees import give_fee_back, may_return_fee

SEES_ORDERS = "orders.view_order"
#: Who moves lines and parcels.
MOVES = ("orders.move_track", "orders.decide_lines")
#: Things that were said about an order's problems, the newest of all of them.
MOST_SAID = 200

_FEE_WORDS = {
    FeeState.HELD: "the buyer's until it is handed over",
    FeeState.EARNED: "earned",
    FeeState.RETURNED: "given back",
}


def read_around(order: Order) -> None:
    """Read what all of an order's page is made of, each kind of row at once."""
    lines = OrderTrack.objects.select_related("seller", "parcel").order_by("pk")
    parcels = Parcel.objects.select_related("seller", "agent").order_by("pk")
    prefetch_related_objects([order], Prefetch("tracks", lines), Prefetch("parcels", parcels))


@shown_elsewhere(Order)
def _story_of_order(viewer: User, order: Order) -> str:
    """Who sees money, and not orders, finds an order's story on the console."""
    return console_page(order) if viewer.has_perm(LOOKING) else ""


# --- What stands -----------------------------------------------------------------------------


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


@section(Order, "stands", "What stands", permission=SEES_ORDERS, place=10)
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


# --- Parcels and lines -----------------------------------------------------------------------


@section(Order, "goods", "Goods", permission=SEES_ORDERS, place=20)
def show_goods(order: Order, viewer: User) -> Content:
    lines: dict[int | None, list[OrderTrack]] = defaultdict(list)
    for line in order.tracks.all():
        lines[line.parcel_id].append(line)
    may_move = any(viewer.has_perm(name) for name in MOVES)
    reader = Reader.of(viewer) if may_move and order.parcels.all() else None
    groups = [
        _parcel(order, parcel, lines[parcel.pk], reader, viewer) for parcel in order.parcels.all()
    ]
    alone = [_line(line, viewer, may_move=may_move) for line in lines[None]]
    if alone:
        groups.append({"parcel": None, "lines": alone})
    forms = [form for group in groups for form in group.get("forms", ())]
    return Part("admin/payments/page/goods.html", {"groups": groups}, forms)


def _line(line: OrderTrack, viewer: User, *, may_move: bool) -> dict[str, Any]:
    return {
        "name": link_to(line, viewer),
        "price": price_of(line),
        "status": status_badge(line, "track_status"),
        "since": moment(line.updated_at),
        "seller": link_to(line.seller, viewer),
        "seller_phone": phone_link(line.payment_mpesa_number),
        "disputed": line.disputed,
        "buttons": Buttons(line, actions_for(line, viewer) if may_move else []),
    }


def _parcel(
    order: Order,
    parcel: Parcel,
    lines: Sequence[OrderTrack],
    reader: Reader | None,
    viewer: User,
) -> dict[str, Any]:
    status = status_of_parcel(
        {line.track_status for line in lines}, has_arrived=parcel.arrived_at is not None
    )
    forms = []
    if reader is not None and status is not None:
        parcel.order = order
        to_move = [line for line in lines if line.track_status in _MOVED]
        actions = offered(parcel, status, viewer, at_point=reader.is_at_point(parcel))
        forms = [
            PageForm.of(
                action,
                form_name(parcel, key),
                reverse("parcels-act", args=[parcel.pk, key]),
                f"parcel {parcel.pk}",
            )
            for key, action in actions.items()
            # Of a single line its own buttons say the same.
            if len(to_move) > 1 or key in {"claim", "release", "arrived", "attempt"}
        ]
    # By any line of it: the action finds its parcel.
    may_return = viewer.has_perm("orders.decide_lines") and may_return_fee(lines[0])
    return {
        "parcel": parcel,
        "status": status.label if status else "nothing to bring",
        "is_done": status in {None, ParcelStatus.DELIVERED},
        "agent": link_to(parcel.agent, viewer),
        "fee": f"{kes(parcel.fee)}, {_FEE_WORDS[FeeState(parcel.fee_state)]}"
        if parcel.fee
        else "free",
        "forms": forms,
        "fee_buttons": Buttons(
            lines[0], [(give_fee_back.__name__, give_fee_back.short_description)]
        )
        if may_return
        else None,
        "lines": [_line(line, viewer, may_move=reader is not None) for line in lines],
    }


_GIVE_BACK = [(give_fee_back.__name__, give_fee_back.short_description)]
_MOVED = frozenset({TrackStatus.PAID, TrackStatus.FETCHED, TrackStatus.SHIPPING})


# --- Problems --------------------------------------------------------------------------------


@section(Order, "problems", "Problems", permission=LOOKING_AT_PROBLEMS, place=30)
def show_problems(order: Order, viewer: User) -> Content | None:
    mine = Problem.objects.filter(track__order=order.pk).select_related("track__parcel")
    problems, has_more = newest_of(mine)
    if not problems:
        return None
    more = list_of(Problem, "All problems", track__order=order.pk) if has_more else None
    return _tell_problems(problems, viewer, more)


@section(Problem, "problems", "What was said", permission=LOOKING_AT_PROBLEMS, place=10)
def show_problem(problem: Problem, viewer: User) -> Content:
    """A problem's own page says and offers what its order's does."""
    return _tell_problems([problem], viewer, None)


def _tell_problems(problems: Sequence[Problem], viewer: User, more: Link | None) -> Part:
    said = _said_about(problems)
    shown: list[dict[str, Any]] = [
        {
            "problem": problem,
            "outcome": describe_problem(problem),
            "page": console_page(problem),
            "thread": said[problem.pk],
            "forms": _forms_of(problem, viewer),
        }
        for problem in problems
    ]
    forms = [form for each in shown for form in each["forms"]]
    return Part("admin/payments/page/problems.html", {"problems": shown, "more": more}, forms)


def _said_about(problems: Sequence[Problem]) -> dict[int, list[ProblemMessage]]:
    """What was said about these, oldest first, the newest MOST_SAID of all. Two queries."""
    # Not the pictures themselves, which may be a megabyte.
    pictures = ProblemPicture.objects.only("pk", "message_id").order_by("pk")
    all_said = ProblemMessage.objects.filter(problem__in=problems).order_by("-pk")
    found = defaultdict(list)
    for message in reversed(all_said.prefetch_related(Prefetch("pictures", pictures))[:MOST_SAID]):
        found[message.problem_id].append(message)
    return found


def _forms_of(problem: Problem, viewer: User) -> list[PageForm]:
    """The console's buttons about a problem as it is now, for who may press them."""
    if not viewer.has_perm(DECIDING_PROBLEMS):
        return []
    return [
        PageForm.of(
            action,
            act_name("problem", problem.pk, key),
            reverse("console-act", args=["problem", problem.pk, key]),
            f"problem {problem.pk}",
        )
        for key, action in KINDS["problem"].actions.items()
        if action.applies(problem)
    ]


# --- Money -----------------------------------------------------------------------------------


@section(Order, "refunds", "Refunds", permission="payments.view_refund", place=40)
def show_refunds(order: Order, viewer: User) -> Content | None:
    refunds, has_more = newest_of(order.refunds.select_related("receipt"))
    if not refunds:
        return None
    rows = [
        (
            console_link(refund, kes(refund.amount)),
            status_badge(refund, "status"),
            refund.get_cause_display(),
            format_html("{} {}", refund.get_way_display(), phone_link(refund.phone))
            if refund.phone
            else refund.get_way_display(),
            refund.number,
            moment(refund.created_at),
        )
        for refund in refunds
    ]
    more = list_of(Refund, "All refunds of this order", order=order.pk) if has_more else None
    return Table(
        ("Amount", "Stands", "Why", "Way", "M-Pesa's number", "Owed since"), rows, "", more
    )


@section(Order, "receipts", "Money that came", permission="payments.view_receipt", place=50)
def show_receipts(order: Order, viewer: User) -> Content:
    receipts, has_more = newest_of(Receipt.objects.filter(order=order.pk))
    rows = [
        (
            console_link(receipt, receipt.number or "number to come"),
            kes(receipt.amount),
            status_badge(receipt, "verification"),
            format_html("{} {}", receipt.payer, phone_link(receipt.phone)),
            receipt.get_provider_display(),
            moment(receipt.paid_at or receipt.created_at),
        )
        for receipt in receipts
    ]
    more = list_of(Receipt, "All receipts of this order", order=order.pk) if has_more else None
    headings = ("Receipt", "Amount", "Stands", "From", "Through", "Paid")
    return Table(headings, rows, "No money has come.", more)


@section(Order, "prompts", "Prompts", permission="payments.view_orderpayment", place=60)
def show_prompts(order: Order, viewer: User) -> Content:
    payments, has_more = newest_of(OrderPayment.objects.filter(order=order.pk))
    rows = [
        (
            console_link(payment, kes(payment.amount)),
            status_badge(payment, "status"),
            phone_link(payment.phone) if payment.phone else payment.get_channel_display(),
            payment.result_text,
            moment(payment.created_at),
        )
        for payment in payments
    ]
    more = list_of(OrderPayment, "All prompts of this order", order=order.pk) if has_more else None
    return Table(("Asked", "Stands", "Phone", "M-Pesa said", "When"), rows, "None.", more)


@section(Order, "shares", "What sellers get", permission="payments.view_sellershare", place=65)
def show_shares(order: Order, viewer: User) -> Content | None:
    mine = SellerShare.objects.filter(track__order=order.pk)
    shares, has_more = newest_of(mine.select_related("track", "seller", "payout"))
    if not shares:
        return None
    rows = [
        (
            console_link(share, share.track),
            link_to(share.seller, viewer),
            kes(share.due),
            describe_share(share),
            console_link(share.payout, kes(share.payout.amount)) if share.payout else "",
        )
        for share in shares
    ]
    more = list_of(SellerShare, "All of this order", track__order=order.pk) if has_more else None
    return Table(("Goods", "Seller", "Share", "Stands", "Payout"), rows, "", more)


def describe_share(share: SellerShare) -> str:
    """Where a seller's share is, as a badge."""
    if share.reversed_at is not None:
        return badge("not owed any more", Tone.QUIET)
    if share.payout is not None:
        return status_badge(share.payout, "status")
    return badge("kept back" if share.withheld_why else "owed", Tone.OPEN)


@section(Order, "gateway", "M-Pesa's messages", permission="payments.view_gatewayevent", place=70)
def show_gateway(order: Order, viewer: User) -> Content | None:
    # By ids: the database then finds each by its own index.
    payments = OrderPayment.objects.filter(order=order.pk).order_by("-pk")
    receipts = Receipt.objects.filter(order=order.pk).order_by("-pk")
    refunds = Refund.objects.filter(order=order.pk).order_by("-pk")
    events: list[GatewayEvent] = []
    about: list[tuple[str, QuerySet[Any]]] = [
        ("payment__in", payments),
        ("receipt__in", receipts),
        ("refund__in", refunds),
    ]
    for column, rows in about:
        ids = list(rows.values_list("pk", flat=True)[:MOST_SAID])
        if ids:
            mine = GatewayEvent.objects.filter(**{column: ids}).defer("headers", "body")
            events += mine.order_by("-pk")[: NEWEST + 1]
    newest = sorted({event.pk: event for event in events}.values(), key=lambda each: -each.pk)
    if not newest:
        return None
    shown = [
        (
            console_link(event, event.get_source_display()),
            status_badge(event, "state"),
            event.note,
            moment(event.received_at),
        )
        for event in newest[:NEWEST]
    ]
    has_more = len(newest) > NEWEST
    more = list_of(GatewayEvent, "All of this order", q=order.reference) if has_more else None
    return Table(("Came to", "What became of it", "Note", "When"), shown, "", more)


def console_link(row: Any, words: Any) -> str:
    """The way to a row's page on the console, where its story and its buttons are."""
    return format_html('<a href="{}">{}</a>', console_page(row), words)


# --- What was told, and the story ------------------------------------------------------------


@section(Order, "told", "What was told", permission="orders.view_message", place=80)
def show_told(order: Order, viewer: User) -> Content:
    messages, has_more = newest_of(Message.objects.with_delivery().filter(notice__order=order.pk))
    more = list_of(Message, "All messages", q=order.reference) if has_more else None
    told = describe_messages(messages, viewer)
    return Part("admin/orders/page/told.html", {"messages": told, "more": more})


@section(Order, "story", "What happened", permission=SEES_ORDERS, place=90)
def show_story(order: Order, viewer: User) -> Content:
    sees_money = viewer.has_perm(LOOKING)
    entries = tell_order(order, sees_money=sees_money)
    console = console_page(order) if sees_money else ""
    return Part("admin/payments/page/story.html", {"entries": entries, "console": console})


def time_left(order: Order) -> bool:
    """Whether an unpaid order's phone may still be rung."""
    return order.is_unpaid and order.held_until > timezone.now()
