"""Outgoing money: what finance decides about refunds and withdrawals, and pays by hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import QuerySet

from payments.models import Payout, PayoutStop, Refund, Transfer, Withdrawal
from payments.reconciliation.portal_statement_import import (
    CannotBeRead,
    open_statement,
    our_shortcodes,
    read_statements,
)

from .activity import Activity, Typed
from .processes import DatabaseAway
from .seed_data import PHONES


@dataclass
class MoneyOut(Activity):
    """The console's buttons about money that leaves or left, and the portal's statement."""

    WEIGHTS: ClassVar[dict[str, int]] = {
        "decide_transfer": 8,
        "pay_by_hand": 1,
        "read_statement": 1,
    }
    #: The refund or payout that was paid by hand under a number, by that number.
    paid: dict[str, Transfer] = field(default_factory=dict)
    #: What finance remember of what a restore lost: what a refund or payout was for, by its id or
    #: the number it was paid by hand under.
    remembered: dict[str, Typed] = field(default_factory=dict)

    @property
    def buttons(self) -> dict[str, tuple[QuerySet[Any], Callable[[Any], Typed]]]:
        """Each button with its rows and what is typed for one; None if the portal forbids it."""
        refunds, left = Refund.objects, Withdrawal.objects.still_open()
        return {
            "refund.approve": (refunds.to_approve(), self.nothing),
            "refund.again": (refunds.refused(), self._if_nobody_paid_it),
            "refund.send": (refunds.refused(), self._a_phone),
            "refund.portal": (refunds.refused(), self._paid_by_hand),
            "refund.done": (refunds.unresolved(), self._its_number),
            "refund.not-done": (refunds.unresolved(), self._if_it_did_not_leave),
            "refund.seen": (refunds.unacknowledged(), self.nothing),
            "payout.portal": (Payout.objects.refused(), self._paid_by_hand),
            "payout.seen": (Payout.objects.unacknowledged(), self.nothing),
            "withdrawal.refund": (left, self._the_payment),
            "withdrawal.seller": (left, self._the_seller),
            "stop.end": (PayoutStop.objects.filter(is_open=True), self.nothing),
            "withdrawal.returned": (left.exclude(return_receipt=None), self.nothing),
        }

    def decide_transfer(self) -> None:
        """Finance decide about one refund, payout or withdrawal."""
        self.press_one(self.buttons, self.finance())

    def pay_by_hand(self) -> None:
        """Somebody pays a refused refund or payout on the portal, and does not say so."""
        kinds: list[QuerySet[Any]] = [Refund.objects.refused(), Payout.objects.refused()]
        row = self.one_of(self.chance.choice(kinds))
        if row is not None and row not in self.paid.values():
            self._pay(row)

    def read_statement(self) -> None:
        """Finance read the portal's statement of the number that pays out."""
        self.run.processes.run("read the portal's statement", self._read_statement)

    def remember(self) -> None:
        """Keep in mind what each refund and payout is for, before a restore loses some."""
        for model in (Refund, Payout):
            for row in model._default_manager.all():
                self.remembered[row.originator_conversation_id] = _purpose(row)
        self.remembered |= {number: _purpose(row) for number, row in self.paid.items()}

    def forget_rows(self) -> None:
        """After a restore: which of the rows that were paid by hand are still there."""
        self.paid = {
            number: row
            for number, paid in self.paid.items()
            for row in type(paid)._default_manager.filter(
                originator_conversation_id=paid.originator_conversation_id
            )
        }

    def finish(self) -> None:
        """Finance explain every withdrawal, and decide every refund that waits for them."""
        is_restored = PayoutStop.objects.after_a_restore().exists()
        if is_restored or any(not _is_known(number) for number in self._unexplained()):
            self.read_statement()
        for row in Withdrawal.objects.still_open():
            if row.return_receipt_id is not None:
                self.press("withdrawal.returned", row, self.people.owner)
                continue
            for what, typed in (("refund", self._the_payment), ("seller", self._the_seller)):
                if (given := typed(row)) is not None:
                    self.press(f"withdrawal.{what}", row, self.finance(), **given)
            if self.run.restores.restored_at and not self._was_for(row):
                self.press("withdrawal.aside", row, self.finance())
        for refund in Refund.objects.unresolved():
            number = self._its_number(refund)
            what = "not-done" if number is None else "done"
            self.press(f"refund.{what}", refund, self.finance(), **(number or {}))

    def _unexplained(self) -> list[str]:
        """The numbers that finance look for on the statement. M-Pesa may make what was requested
        before a restore long after it."""
        if self.run.restores.restored_at is None:
            return list(self.paid)
        entries = self.run.safaricom.world.books.entries()
        return [entry.receipt for entry in entries if entry.purpose.kind == "b2c"]

    def _read_statement(self) -> None:
        safaricom = self.run.safaricom
        try:
            stop = PayoutStop.objects.after_a_restore().first()
        except DatabaseAway:
            return
        numbers = [safaricom.config.b2c_shortcode]
        if stop:
            numbers = list(dict.fromkeys([*our_shortcodes(), *self.run.receiving.numbers]))
        for number in numbers:
            shown = safaricom.portal_statement(number, stop.lost_since if stop else None)
            # There is nothing to read before any money moved.
            with suppress(DatabaseAway, CannotBeRead):
                read = read_statements([open_statement(shown.encode(), ends=None)])
                self.run.log(f"  the portal's statement of {number} is read: {read}")

    def _pay(self, row: Transfer) -> str:
        """Pay a row on the portal; returns the number, "" if M-Pesa declined."""
        phone = row.phone or self.chance.choice(PHONES)
        try:
            number: str = self.run.safaricom.pay_on_portal(phone, row.amount)["receipt"]
        except ValueError as no:
            self.run.log(f"  {row.kind} {row.pk} cannot be paid on the portal: {no}")
            return ""
        self.paid[number] = row
        self.run.log(f"  {row.kind} {row.pk} is paid to {phone} on the portal: {number}")
        return number

    def _paid_by_hand(self, row: Transfer) -> Typed:
        known = (number for number, paid in self.paid.items() if paid == row)
        number = next(known, "") or self._pay(row)
        return {"number": number} if number else None

    def _if_nobody_paid_it(self, row: Transfer) -> Typed:
        """Nothing is typed; None if a colleague paid it on the portal: it would be paid twice."""
        return None if row in self.paid.values() else {}

    def _a_phone(self, row: Transfer) -> Typed:
        phone = self.chance.choice(PHONES)
        return None if self._if_nobody_paid_it(row) is None else {"phone": phone}

    def _its_number(self, row: Transfer) -> Typed:
        outgoing = [
            entry.receipt
            for entry in self.run.safaricom.world.books.entries()
            if row.originator_conversation_id == entry.purpose.originator_conversation_id
            or (row.receipt_to_reverse and row.receipt_to_reverse == entry.purpose.reverses)
        ]
        return {"number": outgoing[0]} if outgoing else None

    def _if_it_did_not_leave(self, row: Transfer) -> Typed:
        return {} if self._its_number(row) is None else None

    def _the_payment(self, left: Withdrawal) -> Typed:
        """The payment that the portal's withdrawal refunded."""
        return self._was_for(left, "number")

    def _the_seller(self, left: Withdrawal) -> Typed:
        return self._was_for(left, "seller")

    def _was_for(self, left: Withdrawal, what: str = "") -> Typed:
        """What finance know of a withdrawal: the payment it refunded, or the seller it paid."""
        entry = self.run.safaricom.world.books.find(left.number)
        ours = entry.purpose.originator_conversation_id if entry else ""
        row = self.paid.get(left.number) or _row_of(ours)
        known = _purpose(row) if row else self.remembered.get(ours or left.number)
        return known if known and (not what or known.get(what)) else None


def _row_of(request_id: str) -> Transfer | None:
    """The refund or payout with this id of ours."""
    for model in (Refund, Payout):
        found = model._default_manager.filter(originator_conversation_id=request_id)
        if request_id and (row := found.first()) is not None:
            return row
    return None


def _purpose(row: Transfer) -> dict[str, Any]:
    """The payment that was refunded, or the seller who was paid, as typed into a form."""
    if isinstance(row, Refund):
        return {"number": row.receipt.number}
    assert isinstance(row, Payout)
    return {"seller": row.seller.username}


def _is_known(number: str) -> bool:
    kinds = (Refund, Payout, Withdrawal)
    return any(kind._default_manager.filter(number=number).exists() for kind in kinds)
