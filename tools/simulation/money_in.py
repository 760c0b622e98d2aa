"""Incoming money: what finance decides about payments, prompts and messages on the console.

They look at M-Pesa's portal first, which is Safaricom's books; now and then one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.backoffice.actions import ACTIONS
from daraja_simulator.entries import CUSTOMER_REVERSAL, Entry
from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments.models import (
    EventState,
    GatewayEvent,
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    Source,
    Verification,
)
from payments.payment_matching import matching_receipts
from payments.proof.rule import FORGOTTEN

from .activity import Activity, Typed
from .books import STATEMENT
from .seed_data import PHONES

#: Probability that somebody mistakes one payment, number or order for another.
MISTAKEN = 0.1
#: Messages that staff may set aside. A reversal on the statement is somebody's money.
BORING = (EventState.UNMATCHED, EventState.UNREADABLE)


@dataclass
class MoneyIn(Activity):
    """The console's buttons about incoming money, and payments that staff write down."""

    WEIGHTS: ClassVar[dict[str, int]] = {"decide_payment": 8, "write_down": 3}

    @property
    def buttons(self) -> dict[str, tuple[QuerySet[Any], Callable[[Any], Typed]]]:
        """Each button with its rows and what is typed for one; None if the portal forbids it."""
        receipts, prompts = Receipt.objects, OrderPayment.objects.filter(channel="stk")
        # Read again, an old one counts as forgotten if the process dies.
        messages = GatewayEvent.objects.filter(received_at__gt=timezone.now() - FORGOTTEN)
        messages = messages.exclude(state=EventState.APPLIED)
        banks = receipts.exclude(provider=Provider.MPESA)
        return {
            "receipt.give": (receipts.unmatched(), self._an_order),
            "receipt.same": (receipts.unidentified_payments(), self._an_order),
            "receipt.apart": (receipts.unidentified_payments(), self._if_no_prompt_asked),
            "receipt.back": (receipts.unmatched(), self.nothing),
            "receipt.came": (receipts.in_doubt(), self._if_it_came),
            "receipt.never": (receipts.in_doubt(), self._if_it_did_not_come),
            "receipt.after": (receipts.filter(verification="never_came"), self._if_it_came),
            "receipt.ask": (receipts.exclude(verification="confirmed"), self.nothing),
            "receipt.confirm": (banks, self._if_it_came),
            "receipt.doubt": (banks, self._if_it_did_not_come),
            "receipt.reversed": (receipts.exclude(number=""), self._its_reversal),
            "receipt.part": (receipts.exclude(number=""), self._its_partial_reversal),
            "receipt.name": (receipts.without_number(), self._its_number),
            "receipt.other": (receipts.filter(order__isnull=False), self._its_order),
            "receipt.seen": (receipts.unacknowledged(), self.nothing),
            "attempt.ask": (prompts, self.nothing),
            "attempt.paid": (prompts, self._number_or_anothers),
            "attempt.unpaid": (prompts, self._if_it_was_not_paid),
            "message.again": (messages, self.nothing),
            "message.aside": (
                messages.filter(state__in=BORING).exclude(source=Source.STATEMENT),
                self.nothing,
            ),
        }

    def decide_payment(self) -> None:
        """Finance decide about one payment, prompt or message."""
        self.press_one(self.buttons, self.finance())

    def write_down(self) -> None:
        """Staff record a receipt shown on a phone: its number, amount or order may be mistyped."""
        came = self._entries(is_payment=True)
        if not came:
            return
        entry = self.chance.choice(came)
        number, amount, reference = entry.receipt, entry.amount, entry.purpose.reference
        if self.chance.happens(MISTAKEN):
            number = f"TKX{self.chance.getrandbits(30):07d}"[:10]
        # Not of a prompt: if M-Pesa's answer proves it without a number too, nobody can tell that
        # both are one payment.
        is_by_hand = not entry.purpose.checkout_request_id
        if is_by_hand and self.chance.happens(2 * MISTAKEN):
            amount += self.chance.choice([1, 50, 9 * amount])
        if self.chance.happens(3 * MISTAKEN):
            order = self.one_of(Order.objects.all())
            reference = reference if order is None else order.reference
        phone = self.chance.choice(["", entry.phone, self.chance.choice(PHONES)])
        typed = {"number": number, "amount": amount, "reference": reference, "phone": phone}
        seen = Receipt(provider=Provider.MPESA, number=number, amount=amount, phone=phone)
        seen.source = ReceiptSource.STAFF
        self.do(ACTIONS["console.receipt.write"], seen, self.finance(), **typed)

    def finish(self) -> None:
        """Finance decide everything that waits for them, as the portal and the banks have it."""
        self._move_misapplied()
        self._match_prompted()
        for receipt in Receipt.objects.in_doubt():
            self._end_doubt(receipt)
        for receipt in Receipt.objects.filter(verification=Verification.NEVER_CAME):
            if self.came(receipt):
                self.press("receipt.ask", receipt, self.people.owner)
                self.press("receipt.after", receipt, self.finance())
        for payment in OrderPayment.objects.unresolved():
            self._end(payment)
        for receipt in Receipt.objects.bank_payments_to_verify():
            self.press("receipt.confirm", receipt, self.finance())
        waiting = Refund.objects.outstanding().filter(order__isnull=False).values("order")
        for receipt in Receipt.objects.without_number().filter(order__in=waiting):
            if number := self._exact_number(receipt):
                self.press("receipt.name", receipt, self.people.owner, **number)
        for event in GatewayEvent.objects.filter(source=Source.STATEMENT, state=EventState.FAILED):
            self.press("message.again", event, self.people.owner)

    def _move_misapplied(self) -> None:
        for receipt in Receipt.objects.exclude(number="").exclude(order=None):
            if order := self._its_order(receipt):
                self.press("receipt.other", receipt, self.people.owner, **order)

    def _match_prompted(self) -> None:
        """Match what a prompt asked for: at a till M-Pesa shows no order, but the phone and the
        time do."""
        for receipt in Receipt.objects.to_match().exclude(number=""):
            entry = self.run.safaricom.world.books.find(receipt.number)
            if entry is not None and entry.purpose.checkout_request_id:
                named = {"reference": entry.purpose.reference}
                self.press("receipt.give", receipt, self.finance(), **named)

    def _end(self, payment: OrderPayment) -> None:
        """End an attempt M-Pesa never answered for: what else came like it is another payment."""
        if number := self._number_of_prompt(payment):
            self.press("attempt.paid", payment, self.finance(), **number)
            return
        for receipt in matching_receipts(payment):
            self.press("receipt.apart", receipt, self.finance())
        self.press("attempt.unpaid", payment, self.people.owner)

    def _end_doubt(self, receipt: Receipt) -> None:
        if self.came(receipt, exactly=True):
            self.press("receipt.ask", receipt, self.people.owner)
            if receipt.provider == Provider.MPESA:
                self.press("receipt.came", receipt, self.people.owner)
            else:
                self.press("receipt.confirm", receipt, self.finance())
        else:
            self.press("receipt.never", receipt, self.people.owner)

    def came(self, receipt: Receipt, *, exactly: bool = False) -> bool:
        """Whether the portal, or the bank, shows this payment; exactly: with this amount."""
        amount = self.run.actors.goods.banks.amount(receipt.number)
        if receipt.provider == Provider.MPESA:
            entry = self.run.safaricom.world.books.find(receipt.number)
            amount = entry.amount if entry is not None and entry.direction == "in" else 0
        return amount == receipt.amount if exactly else amount > 0

    def _an_order(self, row: Model) -> Typed:
        order = self.one_of(Order.objects.all())
        return None if order is None else {"reference": order.reference}

    def _if_it_came(self, receipt: Receipt) -> Typed:
        return {} if self.came(receipt) else None

    def _if_it_did_not_come(self, receipt: Receipt) -> Typed:
        is_there = self.came(receipt) and not self.chance.happens(2 * MISTAKEN)
        return None if is_there else {}

    def _if_no_prompt_asked(self, receipt: Receipt) -> Typed:
        """Of two payments alike, finance see by the time which one a prompt asked for."""
        entry = self.run.safaricom.world.books.find(receipt.number)
        is_prompted = entry is not None and bool(entry.purpose.checkout_request_id)
        return None if is_prompted else {}

    def _its_reversal(self, receipt: Receipt) -> Typed:
        """That of the whole payment; now and then that of a part, which the statement corrects."""
        reversals = self._reversals_of(receipt)
        whole = [back for back in reversals if back.amount == receipt.amount]
        if not whole and self._is_corrected_later():
            whole = reversals
        return {"number": whole[0].receipt} if whole else None

    def _its_partial_reversal(self, receipt: Receipt) -> Typed:
        """A part that M-Pesa reversed; now and then with another amount, or the whole payment as a
        part, which the statement corrects."""
        parts = [back for back in self._reversals_of(receipt) if back.amount < receipt.amount]
        if wrong := self._is_corrected_later():
            parts = parts or self._reversals_of(receipt)
        if not parts:
            return None
        part = self.chance.choice(parts)
        amount = max(1, part.amount // 2) if wrong else part.amount
        return {"number": part.receipt, "amount": amount}

    def _is_corrected_later(self) -> bool:
        """Whether finance now record a reversal wrongly, in a shop that reads the statement."""
        return STATEMENT in self.run.sources and self.chance.happens(2 * MISTAKEN)

    def _reversals_of(self, receipt: Receipt) -> list[Entry]:
        reversals = self._entries(is_payment=False)
        return [back for back in reversals if back.purpose.reverses == receipt.number]

    def _its_number(self, receipt: Receipt) -> Typed:
        return None if receipt.payment is None else self._number_of_prompt(receipt.payment)

    def _exact_number(self, receipt: Receipt) -> Typed:
        """The number of its very prompt, which the portal shows by the time."""
        request_id = receipt.payment.checkout_request_id if receipt.payment else ""
        for entry in self._entries(is_payment=True):
            if request_id and entry.purpose.checkout_request_id == request_id:
                return {"number": entry.receipt}
        return None

    def _its_order(self, receipt: Receipt) -> Typed:
        """The order the portal shows for a payment, if it is recorded for another."""
        entry = self.run.safaricom.world.books.find(receipt.number) if receipt.number else None
        order = find_by_typed_reference(entry.purpose.reference) if entry else None
        if order in {None, receipt.order_id} or receipt.provider != Provider.MPESA:
            return None
        return {"reference": Order.objects.get(pk=order).reference}

    def _number_of_prompt(self, payment: OrderPayment) -> Typed:
        paid = self._paid_by(payment)
        return {"number": paid[0].receipt} if paid else None

    def _number_or_anothers(self, payment: OrderPayment) -> Typed:
        """The number of a prompt, now and then that of another order's prompt."""
        prompts = [
            entry
            for entry in self._entries(is_payment=True)
            if entry.purpose.checkout_request_id
            and entry.purpose.reference != payment.order.reference
        ]
        if prompts and self.chance.happens(MISTAKEN):
            return {"number": self.chance.choice(prompts).receipt}
        return self._number_of_prompt(payment)

    def _if_it_was_not_paid(self, payment: OrderPayment) -> Typed:
        return None if self._paid_by(payment) else {}

    def _paid_by(self, payment: OrderPayment) -> list[Entry]:
        """What the portal shows for a prompt: by its phone, amount and order; at a till, by its
        phone, amount and time."""
        shown = (payment.phone, payment.amount, payment.order.reference)
        return [
            entry
            for entry in self._entries(is_payment=True)
            if (entry.phone, entry.amount, entry.purpose.reference) == shown
            and entry.purpose.checkout_request_id
        ]

    def _entries(self, *, is_payment: bool) -> list[Entry]:
        """Safaricom's books: payments, or their reversals for customers."""
        return [
            entry
            for entry in self.run.safaricom.world.books.entries()
            if (entry.is_payment if is_payment else _is_reversal(entry))
        ]


def _is_reversal(entry: Entry) -> bool:
    return entry.purpose.transaction_type == CUSTOMER_REVERSAL
