"""A seller's balance and payouts on the admin page of the user."""

from __future__ import annotations

from accounts.backoffice.formats import kes, moment, phone_link, status_badge
from accounts.backoffice.row_page import Content, Facts, Table, list_of, newest_of, section
from accounts.models import User
from payments.models import Payout
from payments.payouts.balances import balance_of, held_back

from .order_payments import console_link


@section(User, "balance", "Balance", permission="payments.view_payout", place=50)
def show_balance(person: User, viewer: User) -> Content | None:
    """A seller's balance, or None for users without one. Two queries."""
    balance, held = balance_of(person.pk), held_back(person.pk)
    if not any(balance):
        return None
    facts = [
        ("Owed to the seller", kes(balance.owed)),
        ("Being sent", kes(balance.in_transit)),
        ("To be sent", kes(balance.pending)),
        ("Of that, withheld for problems", kes(held)),
    ]
    if balance.unallocated < 0:
        facts.append(("Owed to the shop", kes(-balance.unallocated)))
    return Facts(facts)


@section(User, "payouts", "Payouts", permission="payments.view_payout", place=60)
def show_payouts(person: User, viewer: User) -> Content | None:
    payouts, has_more = newest_of(Payout.objects.of_seller(person))
    if not payouts:
        return None
    rows = [
        (
            console_link(payout, kes(payout.amount)),
            status_badge(payout, "status"),
            phone_link(payout.phone),
            payout.number,
            payout.result_text,
            moment(payout.created_at),
        )
        for payout in payouts
    ]
    more = list_of(Payout, "All payouts", seller=person.pk) if has_more else None
    headings = ("Payout", "Status", "To", "M-Pesa receipt", "Result", "Created")
    return Table(headings, rows, "", more)
