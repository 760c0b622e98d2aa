"""Payouts: finance approves large ones, numbers are refused and fixed, M-Pesa stays silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from accounts.backoffice.proposals import agree, reject
from accounts.models import Proposal, ProposalState
from payments.models import Payout, Refund, SellerShare, TransferStatus

from .activity import Activity
from .faults import ASYNC_FAULTS
from .shop_people import BARAKA, OTHERS, PASSWORD

AMINA = "254722000000"
#: Where sellers are paid.
NUMBERS = (AMINA, BARAKA, *OTHERS)
#: Faults of a payout on M-Pesa's side; forged results are scripted by tools.simulation.actors.
FAULTS = [fault for fault in ASYNC_FAULTS["b2c"] if "forge" not in fault]


@dataclass
class Payouts(Activity):
    """What sellers and finance do about payouts."""

    WEIGHTS: ClassVar[dict[str, int]] = {
        "approve": 5,
        "keep_back": 1,
        "refuse": 2,
        "release": 3,
        "try_again": 3,
        "new_number": 3,
        "second": 4,
        "register": 2,
        "fault": 5,
        "look_at_portal": 2,
        "other_amount": 1,
        "statement": 1,
    }

    def approve(self) -> None:
        if payout := self.one_of(Payout.objects.to_approve()):
            self.press("payout.approve", payout, self.finance())

    def keep_back(self) -> None:
        if payout := self.one_of(Payout.objects.to_approve()):
            self.press("payout.hold", payout, self.finance())

    def refuse(self) -> None:
        if payout := self.one_of(Payout.objects.to_approve()):
            self.press("payout.reject", payout, self.finance())

    def release(self) -> None:
        if share := self.one_of(SellerShare.objects.withheld()):
            self.press("share.release", share, self.finance())

    def try_again(self) -> None:
        """Finance retries a refused payout: to the same number, or to another."""
        if payout := self.one_of(Payout.objects.refused()):
            if self.chance.happens(0.5):
                self.press("payout.again", payout, self.finance())
            else:
                to = self.chance.choice(OTHERS)
                self.press("payout.send", payout, self.finance(), phone=to)

    def new_number(self) -> None:
        """A seller enters another number, for a refused payout or for any other."""
        payouts = Payout.objects.refused()
        if self.chance.happens(0.2):
            payouts = Payout.objects.all()
        if payout := self.one_of(payouts.select_related("seller")):
            sent = {"mpesa_number": self.chance.choice(NUMBERS), "password": PASSWORD}
            self.ask(payout.seller, "POST", f"/seller/payouts/{payout.pk}/number/", sent)

    def second(self) -> None:
        """A second person approves or rejects a proposal."""
        if proposal := self.one_of(Proposal.objects.filter(state=ProposalState.OPEN)):
            action = agree if self.chance.happens(0.8) else reject
            self.do(action.staff_action, proposal, self.finance())

    def register(self) -> None:
        """A seller's number loses M-PESA, or gets it back."""
        number, has_it = self.chance.choice(NUMBERS), self.chance.choice([True, False])
        self.run.log(f"  {number} {'has' if has_it else 'has no'} M-PESA")
        self.run.safaricom.set_registered(number, has_it)

    def fault(self) -> None:
        phone, fault = self.chance.choice(NUMBERS[:2]), self.chance.choice(FAULTS)
        self.run.log(f"  {phone} {fault}")
        times = self.chance.choice([1, 1, 2])
        self.run.safaricom.script(operation="b2c", phone=phone, times=times, **fault)

    def look_at_portal(self) -> None:
        """Finance settles a payout without a result, as M-Pesa's portal shows it."""
        silent = Payout.objects.still_open().filter(next_check_at=None)
        payout = self.one_of(silent.exclude(status=TransferStatus.DUE))
        if payout is None:
            return
        outgoing = [
            entry.receipt
            for entry in self.run.safaricom.world.books.entries()
            if entry.purpose.originator_conversation_id == payout.originator_conversation_id
        ]
        if outgoing:
            self.press("payout.done", payout, self.finance(), number=outgoing[0])
        else:
            self.press("payout.not-done", payout, self.finance())

    def other_amount(self) -> None:
        """Finance record how much of a payout went, after M-Pesa reported another amount."""
        payouts = Payout.objects.exclude(reported_amount=None).exclude(status=TransferStatus.DONE)
        if payout := self.one_of(payouts):
            self._record_amount(payout)

    def _record_amount(self, payout: Payout) -> None:
        for entry in self.run.safaricom.world.books.entries():
            if entry.purpose.originator_conversation_id == payout.originator_conversation_id:
                sent = {"number": entry.receipt, "amount": entry.amount}
                self.press("payout.amount", payout, self.finance(), **sent)

    def statement(self) -> None:
        """A seller reads their statement: the newest movement's balance is the current balance."""
        seller = self.chance.choice(self.people.sellers)
        self.ask(seller, "GET", "/seller/balance/")
        self.ask(seller, "GET", "/seller/statement/")

    def finish(self) -> None:
        """Finance decides everything that waits for it; every number has M-PESA."""
        for number in NUMBERS:
            self.run.safaricom.set_registered(number, True)
        # Whoever recorded a payment, or approved that, cannot approve what follows from it.
        for by in (self.people.owner, self.people.second, *self.people.finance):
            for payout in Payout.objects.to_approve():
                self.press("payout.approve", payout, by)
            for refund in Refund.objects.to_approve():
                self.press("refund.approve", refund, by)
        for share in SellerShare.objects.withheld():
            self.press("share.release", share, self.finance())
        for payout in Payout.objects.needs_action():
            self.press("payout.again", payout, self.finance())
        for proposal in Proposal.objects.filter(state=ProposalState.OPEN):
            self._decide(proposal)
        self.look_at_portal()

    def _decide(self, proposal: Proposal) -> None:
        """Somebody who may approves a proposal; if nobody may, somebody rejects it."""
        for action in (agree, reject):
            for by in (self.people.second, self.people.owner, *self.people.finance):
                if Proposal.objects.filter(pk=proposal.pk, state=ProposalState.OPEN).exists():
                    self.do(action.staff_action, proposal, by)
