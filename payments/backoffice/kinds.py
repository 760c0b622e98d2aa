"""The kinds of rows that have a page on the console, and how their buttons are declared.

The buttons are in ``receipt_actions``, ``transfer_actions``, ``message_actions`` and
``problem_actions``: each is a ``StaffAction`` that calls one service and returns a sentence about
the result. A page shows them in the order of their declaration. ``payments.admin`` imports them.
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
from accounts.backoffice.approval_limits import Cost
from accounts.backoffice.formats import dial
from accounts.backoffice.proposals import agree, reject
from accounts.models import Proposal
from omachemainproj.money import format_kes
from orders.models import Order, Problem
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    SellerShare,
    Transfer,
    Withdrawal,
)

from .permissions import DECIDE_MONEY, DECIDE_PROBLEMS, PROBLEM_ACTIONS, VIEW_MONEY, VIEW_PROBLEMS

Given = Mapping[str, Any]
#: The explanation of buttons that only acknowledge a row.
ACKNOWLEDGE_ONLY = "This removes it from the list. Nothing else changes."


class ConsoleKind(NamedTuple):
    """A kind of row with its own page on the console, its buttons by key, and the permissions."""

    model: type[Model]
    actions: dict[str, StaffAction]
    view_permission: str = VIEW_MONEY
    act_permission: str = DECIDE_MONEY


#: By the name of the kind in the address of the row's page.
KINDS = {
    # Read-only here: staff act on orders in the admin's list and page of orders.
    "order": ConsoleKind(Order, {}),
    "stop": ConsoleKind(PayoutStop, {}),
    "receipt": ConsoleKind(Receipt, {}),
    "attempt": ConsoleKind(OrderPayment, {}),
    "refund": ConsoleKind(Refund, {}),
    "payout": ConsoleKind(Payout, {}),
    "share": ConsoleKind(SellerShare, {}),
    "withdrawal": ConsoleKind(Withdrawal, {}),
    # Support handles goods, finance handles money.
    "problem": ConsoleKind(Problem, {}, VIEW_PROBLEMS, DECIDE_PROBLEMS),
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
    """The address of a row's page on the console; empty if it has none."""
    for kind, known in KINDS.items():
        if isinstance(row, known.model):
            return reverse("console-timeline", args=[kind, row.pk])
    return ""


def act_name(kind: str, pk: int, key: str) -> str:
    """The form name of a button that is shown outside the row's own console page."""
    return f"{kind}-{pk}-{key}"


def permissions_for(kind: str, row: Model | None) -> tuple[str, str]:
    """The permissions to view a row of this kind, and to act on it.

    A proposal has those of the kind it is about.
    """
    if isinstance(row, Proposal) and row.action.startswith(PROBLEM_ACTIONS):
        kind = "problem"
    return KINDS[kind].view_permission, KINDS[kind].act_permission


def console_action(  # noqa: PLR0913
    kind: str,
    key: str,
    label: str,
    about: str,
    *,
    applies: Callable[[Any], bool],
    form: type[ReasonForm] = ReasonForm,
    calls_gateway: bool = False,
    cost: CostFunction | None = None,
    lock: Callable[[Any], Any] | None = None,
) -> Callable[[Handler], Handler]:
    """Declare a button on the page of a row; ``key`` names it in its address.

    ``applies`` says whether the page offers it. ``cost`` is how much money it sends or risks, which
    decides whether a second person must approve it; ``lock`` locks what that is read from.
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
                approval=ApprovalPolicy(cost, (KINDS[kind].act_permission,), lock)
                if cost
                else None,
            )
        )
        return do

    return decorate


def cost_full_amount(row: Receipt | OrderPayment | Transfer | Withdrawal, given: Given) -> Cost:
    """The whole amount is at risk, since it depends on what one person says."""
    return Cost(at_risk=row.amount)


def no_cost(row: Transfer, given: Given) -> Cost:
    """The amount is sent as it was owed, so none of it is at risk."""
    return Cost(moved=row.amount)


def describe_refund(refund: Refund) -> str:
    """A sentence for staff about where a refund is going."""
    to = f" to {dial(refund.phone)}" if refund.phone else ""
    if refund.awaits_approval:
        return f"{format_kes(refund.amount)}{to} needs a second person's approval."
    return f"{format_kes(refund.amount)} is being refunded by {refund.get_way_display()}{to}."
