"""What is owed to a person and left to them, as sections of their page in the admin."""

from __future__ import annotations

from accounts.backoffice.formats import kes, moment, phone_link, status_badge
from accounts.backoffice.row_page import Content, Facts, Table, list_of, newest_of, section
from accounts.models import User
from payments.models import Payout
from payments.payouts.balances import balance_of, held_back

from .order_payments import console_link


@section(User, "balance", "Balance", permission="payments.view_payout", place=50)
def show_balance(person: User, viewer: User) -> Content | None:
    """How a seller's account stands; nothing of who has none. Two queries."""
    balance, held = balance_of(person.pk), held_back(person.pk)
    if not any(balance):
        return None
    facts = [
        ("Owed to them", kes(balance.owed)),
        ("On its way", kes(balance.in_transit)),
        ("Waits to be sent", kes(balance.pending)),
        ("Of that, held back by problems", kes(held)),
    ]
    if balance.unallocated < 0:
        facts.append(("They owe the shop", kes(-balance.unallocated)))
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
    more = list_of(Payout, "All their payouts", seller=person.pk) if has_more else None
    headings = ("Payout", "Stands", "To", "M-Pesa's number", "M-Pesa said", "Made")
    return Table(headings, rows, "", more)
