"""The staff of a drill: two people of finance who do on the console what it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Model

from accounts.backoffice.actions import perform
from accounts.backoffice.approval_limits import SecondPersonNeeded
from accounts.backoffice.proposals import agree
from accounts.models import Proposal, User
from payments.backoffice.kinds import KINDS
from payments.backoffice.queues import load_queues
from payments.models import Payout, PayoutStop, Receipt, Refund, Withdrawal
from products.models import Product

Say = Callable[[str], object]


class People:
    """Two people of finance; where one is not enough, the other approves."""

    def __init__(self) -> None:
        self._first, self._second = (
            User.objects.create_user(f"drill.{name}", is_staff=True, is_superuser=True)
            for name in ("one", "two")
        )

    def console(self) -> list[str]:
        """The console's queues that need staff: a line per queue, its rows below."""
        lines = []
        for view in load_queues(self._first)[0]:
            if view.count:
                lines.append(f"  {view.queue.title}: {view.count}")
            for _, columns in view.table[:4]:
                shown = (f"{name}: {value}" for name, value in columns if value not in {"", None})
                lines.append(f"      {'; '.join(shown)}"[:230])
            if view.count > 4:
                lines.append(f"      … and {view.count - 4} more")
        return lines

    def explain_withdrawals(self, say: Say) -> None:
        """Identify each withdrawal by the number it went to, and what they had paid."""
        for withdrawal in Withdrawal.objects.still_open():
            kind, given = self._what_it_was(withdrawal)
            say(f"  {withdrawal.number}: {self._do('withdrawal', kind, withdrawal, given)}")

    def _what_it_was(self, withdrawal: Withdrawal) -> tuple[str, Mapping[str, Any]]:
        if withdrawal.reverses:
            return "refund", {"number": withdrawal.reverses}
        listed = Product.objects.filter(payment_mpesa_number=withdrawal.phone).first()
        if listed is not None:
            return "seller", {"seller": listed.seller.username}
        for receipt in Receipt.objects.filter(phone=withdrawal.phone).order_by("-pk"):
            back = sum(row.amount for row in Refund.objects.owed().filter(receipt=receipt))
            if back + withdrawal.amount <= receipt.amount:
                return "refund", {"number": receipt.number}
        return "aside", {}

    def send_back_what_has_no_order(self) -> int:
        """Send back the payments of lost orders; returns how many."""
        unmatched = list(Receipt.objects.unmatched())
        for receipt in unmatched:
            self._do("receipt", "back", receipt, {})
        return len(unmatched)

    def acknowledge(self) -> None:
        """Acknowledge notes, and approve what waits for a second person."""
        for kind, rows in (
            ("receipt", Receipt.objects.unacknowledged()),
            ("refund", Refund.objects.unacknowledged()),
            ("payout", Payout.objects.unacknowledged()),
        ):
            for row in rows:
                self._do(kind, "seen", row, {})
        for kind, waiting in (
            ("payout", Payout.objects.to_approve()),
            ("refund", Refund.objects.to_approve()),
        ):
            for row in waiting:
                perform(KINDS[kind].actions["approve"], row, {"why": "Drill"}, by=self._second)

    def let_money_leave(self) -> str:
        """End the stop. Raises Refusal while something is missing."""
        return self._do("stop", "end", PayoutStop.objects.after_a_restore().get(), {})

    def _do(self, kind: str, key: str, row: Model, given: Mapping[str, Any]) -> str:
        action = KINDS[kind].actions[key]
        try:
            return perform(action, row, {"why": "Drill", **given}, by=self._first) or ""
        except SecondPersonNeeded:
            proposal = Proposal.objects.order_by("-pk")[0]
            perform(agree.staff_action, proposal, {"why": "Drill"}, by=self._second)
            return f"{action.label}: a second person agreed."
