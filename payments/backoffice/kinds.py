"""The kinds of rows that have a page on the console, and how their buttons are declared.

What staff may do about each kind is in ``receipt_actions``, ``transfer_actions``,
``message_actions`` and ``problem_actions``: each a ``StaffAction`` that calls one service and says
in a sentence what came of it. The order in which they are declared is the order in which they stand
on the page. ``payments.admin`` imports all of them.
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
    register,
)
from accounts.backoffice.formats import dial
from accounts.backoffice.proposals import agree, reject
from accounts.backoffice.second_person import Cost
from accounts.models import Proposal
from omachemainproj.money import format_kes
from orders.models import Order, Problem
from payments.models import (
    GatewayEvent,
    MoneyOut,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    SellerShare,
    Withdrawal,
)

from .permissions import ACTING, DECIDING_PROBLEMS, LOOKING, LOOKING_AT_PROBLEMS, OF_PROBLEMS

Given = Mapping[str, Any]
#: What a button says of itself that changes nothing but what it acknowledges.
LEAVES_THE_LIST = "It leaves the list. Nothing else changes."


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


def whole_amount(row: Receipt | OrderPayment | MoneyOut | Withdrawal, given: Given) -> Cost:
    """One person's word decides about the whole amount: it may be lost."""
    return Cost(at_risk=row.amount)


def as_owed(row: MoneyOut, given: Given) -> Cost:
    """It goes to whom it is owed, by the way it was to go."""
    return Cost(moved=row.amount)


def where_it_goes(refund: Refund) -> str:
    """A sentence for whoever had it sent back: by which way, and to whom."""
    to = f" to {dial(refund.phone)}" if refund.phone else ""
    if refund.awaits_approval:
        return f"{format_kes(refund.amount)}{to} waits for a second person to look at it."
    return f"{format_kes(refund.amount)} goes back by {refund.get_way_display()}{to}."
