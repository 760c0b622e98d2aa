"""Compare Safaricom's books with the shop's, shilling by shilling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.db.models import Q

from daraja_simulator.entries import CUSTOMER_REVERSAL, PAYOUT_REVERSAL, Entry
from daraja_simulator.prompts import Prompt
from daraja_simulator.simulator import Simulator
from orders.lookup import find_by_typed_reference, letters_of_reference
from payments import ledger
from payments.models import (
    Account,
    AttemptStatus,
    OrderPayment,
    Payout,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Verification,
    Withdrawal,
    WithdrawalState,
)

#: Sources of reports about money that a shop may lack. The prompt's callback and the status query
#: always exist; without these, some money is only explained, not counted.
BY_HAND, STATEMENT = "by_hand", "statement"


@dataclass
class Comparison:
    """The differences that must not be, and the allowed ones, counted by reason.

    ``reported`` are the prompts and receipts whose message the shop received completely and
    answered with 200. With the statement among the ``sources`` nothing may be missing or different.
    """

    safaricom: Simulator
    reported: set[str]
    sources: Collection[str]
    #: Whether the database was restored: refunds and payouts of ours may be in no row.
    was_restored: bool = False
    #: Whether buyers pay to a till, where no payment names its order.
    has_till: bool = False
    wrong: list[str] = field(default_factory=list)
    explained: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        prompts = self.safaricom.world.prompts.list()
        self._prompts = {prompt.checkout_request_id: prompt for prompt in prompts}
        self._attempts = {row.callback_token: row for row in OrderPayment.objects.all()}
        receipts = Receipt.objects.filter(provider="mpesa").select_related("order", "payment")
        self._receipts = list(receipts)
        self._by_number = {row.number: row for row in self._receipts if row.number}
        self._by_payment = {row.payment_id: row for row in self._receipts if row.payment_id}
        #: KES that M-Pesa reversed for customers, by the number of the payment.
        self._reversed = Counter[str]()
        #: The same, with what the shop had reversed.
        self._returned = Counter[str]()
        for entry in self.safaricom.world.books.entries():
            if entry.purpose.transaction_type == CUSTOMER_REVERSAL:
                self._reversed[entry.purpose.reverses] += entry.amount
            if entry.purpose.reverses and entry.direction == "out":
                self._returned[entry.purpose.reverses] += entry.amount
        #: The payment behind each receipt, by the receipt's id.
        self._counted: dict[int, Entry] = {}

    def run(self) -> None:
        """Compare, once everything has settled."""
        entries = self.safaricom.world.books.entries()
        came = sum(self._check_incoming(entry) for entry in entries if entry.direction == "in")
        outgoing = sum(self._check_outgoing(entry) for entry in entries if entry.direction == "out")
        for receipt in self._receipts:
            is_another = receipt.same_as_id is not None or _is_written_off(receipt)
            if receipt.pk not in self._counted and not is_another:
                named = receipt.number or "without a number"
                self._say(f"receipt {named} of KES {receipt.amount} never came ({receipt.source})")
        self._compare_refunds(entries)
        self._compare_payouts(entries)
        at_mpesa = ledger.balance(Account.MPESA_CLEARING)
        if at_mpesa != came - outgoing:
            self._say(f"the ledger has KES {at_mpesa} at M-Pesa, the books KES {came - outgoing}")

    def _check_incoming(self, entry: Entry) -> int:
        """Find the receipt of a payment; returns the amount the ledger must have for it, KES."""
        prompt = self._prompts.get(entry.purpose.checkout_request_id)
        attempt = self._attempt_of(entry)
        receipt = self._by_number.get(entry.receipt)
        if receipt is None and attempt is not None:
            receipt = self._by_payment.get(attempt.pk)
        if receipt is None and entry.purpose.transaction_type == PAYOUT_REVERSAL:
            self._say(f"{entry.receipt} of KES {entry.amount} came back, and the shop has nothing")
            return 0
        if receipt is None:
            self._missing(entry, prompt, attempt)
            return 0
        first = self._counted.setdefault(receipt.pk, entry)
        if first is not entry:
            self._as_one(receipt, first, entry)
            return 0
        self._compare(entry, receipt, attempt)
        return receipt.amount

    def _as_one(self, receipt: Receipt, first: Entry, second: Entry) -> None:
        """Two payments are one receipt. Allowed only if nobody could tell them apart.

        That is a prompt whose number was never reported, and another payment of the same amount for
        the same order: its reports look exactly like those of the prompt. It was made by hand, and,
        if M-Pesa itself reports it, from the same phone; or by an earlier prompt that M-Pesa never
        answered for, and staff entered its number.
        """
        prompt, other = (first, second) if self._was_paid_by(receipt, first) else (second, first)
        if (
            STATEMENT not in self.sources
            and self._was_paid_by(receipt, prompt)
            and prompt.receipt not in self.reported
            and self._is_alike(prompt, other)
            and (_was_typed(receipt) or (self._is_by_hand(other) and prompt.phone == other.phone))
            and (self._is_by_hand(other) or self._was_never_answered(other))
        ):
            self.explained["paid otherwise, and taken for the prompt it was told of"] += 1
            return
        self._say(f"{second.receipt} and another are one receipt to the shop")

    def _was_paid_by(self, receipt: Receipt, entry: Entry) -> bool:
        """Whether a payment was made by the prompt of this receipt."""
        attempt = self._attempt_of(entry)
        return attempt is not None and attempt.pk == receipt.payment_id

    def _is_alike(self, prompt: Entry, other: Entry) -> bool:
        """Whether the portal shows the same amount and order for both, as far as it shows them."""
        if self.has_till:
            return prompt.amount == other.amount
        return _for_what(prompt) == _for_what(other)

    def _is_by_hand(self, entry: Entry) -> bool:
        return not entry.purpose.checkout_request_id

    def _was_never_answered(self, entry: Entry) -> bool:
        attempt = self._attempt_of(entry)
        return attempt is not None and attempt.status == AttemptStatus.UNKNOWN

    def _attempt_of(self, entry: Entry) -> OrderPayment | None:
        prompt = self._prompts.get(entry.purpose.checkout_request_id)
        return self._attempts.get(_token(prompt)) if prompt else None

    def _compare(self, entry: Entry, receipt: Receipt, attempt: OrderPayment | None) -> None:
        is_exact = STATEMENT in self.sources
        if receipt.number != entry.receipt:
            if is_exact or self._was_reported(entry) or receipt.source == ReceiptSource.CALLBACK:
                self._say(f"{entry.receipt} is called {receipt.number or 'nothing'}")
            else:
                self.explained["its number was never told"] += 1
        if receipt.amount != entry.amount:
            if is_exact or receipt.source == ReceiptSource.CALLBACK:
                self._say(f"{entry.receipt} of KES {entry.amount} is counted as {receipt.amount}")
            else:
                self.explained["its amount was never told"] += 1
        self._compare_order(entry, receipt, attempt)

    def _compare_order(self, entry: Entry, receipt: Receipt, attempt: OrderPayment | None) -> None:
        """Check that a payment is its prompt's order's, or of the one its payer typed; if M-Pesa
        reversed it, it pays for none.
        """
        named = find_by_typed_reference(entry.purpose.reference)
        paid_for = named if attempt is None else attempt.order_id
        if receipt.order_id == paid_for or (attempt is None and None in {named, receipt.order_id}):
            return
        if self._returned[entry.receipt] >= entry.amount:
            self.explained["entered for another order, and reversed: it pays for neither"] += 1
            return
        order = receipt.order or "nobody"
        self._say(f"{entry.receipt} was paid for {entry.purpose.reference}, not for {order}")

    def _missing(self, entry: Entry, prompt: Prompt | None, attempt: OrderPayment | None) -> None:
        if why := self._why_missing(entry, prompt, attempt):
            self.explained[why] += 1
            return
        how = f"attempt {attempt.status} {attempt.result_code}" if attempt else "by hand"
        self._say(f"{entry.receipt} of KES {entry.amount} is missing ({how})")

    def _why_missing(
        self, entry: Entry, prompt: Prompt | None, attempt: OrderPayment | None
    ) -> str:
        """Why no source could have reported this money; empty if one could."""
        if STATEMENT in self.sources or self._was_reported(entry):
            return ""
        if prompt is None or attempt is None:
            return "paid by hand, and the shop was not told"
        was_refused = attempt.result_code.startswith("refused.")
        reasons = {
            "M-Pesa said it was refused, did it, and its message was lost": was_refused
            and prompt.script.answer == "error",
            "M-Pesa said it failed, and its other word was lost": bool(prompt.script.reorder)
            and attempt.status == AttemptStatus.FAILED,
            "no answer and no message, so no id to ask by": not attempt.checkout_request_id,
        }
        return next((why for why, holds in reasons.items() if holds), "")

    def _was_reported(self, entry: Entry) -> bool:
        return bool(self.reported & {entry.receipt, entry.purpose.checkout_request_id})

    def _check_outgoing(self, entry: Entry) -> int:
        """Find the refund or payout that sent this money."""
        if entry.purpose.transaction_type == CUSTOMER_REVERSAL:
            return self._check_reversal(entry)
        transfer = self._refund_of(entry) or self._payout_of(entry)
        if transfer is None and self._is_set_aside(entry):
            self.explained["paid on the portal, and it could not be said for what"] += 1
            return 0
        if transfer is not None and self._is_shown_to_staff(entry, transfer):
            self.explained["left, came back, and was left to a person: it was done otherwise"] += 1
            return 0
        if self._was_repeated(entry, transfer):
            return entry.amount
        if transfer is None or transfer.status != TransferStatus.DONE:
            how = transfer.status if transfer else "nothing"
            self._say(f"{entry.receipt} of KES {entry.amount} went out, and the shop has {how}")
            return 0
        if transfer.amount != entry.amount and not self._was_lost_and_found(entry, transfer):
            self._say(f"{entry.receipt} of KES {entry.amount} went out for a {transfer}")
        return entry.amount

    def _was_repeated(self, entry: Entry, transfer: Refund | Payout | None) -> bool:
        """Whether a reversal was recorded in suspense, and again once its payment was an order's:
        the first row has the number."""
        was_dropped = transfer is not None and transfer.status == TransferStatus.DROPPED
        if not was_dropped or not isinstance(transfer, Refund):
            return False
        is_outside = transfer.way == RefundMethod.OUTSIDE
        return is_outside and entry.amount == sum(part.amount for part in self._taken_back(entry))

    def _was_lost_and_found(self, entry: Entry, transfer: Refund | Payout) -> bool:
        """Whether it is a reversal of ours that a restore lost, so that it looks like M-Pesa's own:
        what was due back of the payment by then, and the rest, are a refund each."""
        if not isinstance(transfer, Refund) or transfer.way != RefundMethod.OUTSIDE:
            return False
        return self.was_restored and entry.amount == sum(
            part.amount for part in self._taken_back(entry)
        )

    def _is_set_aside(self, entry: Entry) -> bool:
        """Whether somebody paid it by hand, and it waits for staff or is for no sale."""
        ours = (WithdrawalState.OPEN, WithdrawalState.ASIDE)
        shown = Withdrawal.objects.filter(number=entry.receipt, state__in=ours)
        may_be_unknown = self.was_restored or not entry.purpose.originator_conversation_id
        return may_be_unknown and shown.exists()

    def _is_shown_to_staff(self, entry: Entry, transfer: Refund | Payout) -> bool:
        """Whether money sent for a refund that M-Pesa has since done itself is shown to staff as a
        withdrawal: the refund is the customer's reversal by then.
        """
        is_done_otherwise = isinstance(transfer, Refund) and transfer.way == RefundMethod.OUTSIDE
        shown = Withdrawal.objects.still_open().filter(number=entry.receipt)
        return is_done_otherwise and shown.exists()

    def _check_reversal(self, entry: Entry) -> int:
        """Find the shop's record of a payment that M-Pesa reversed for its customer; returns the
        amount the ledger must have for it, KES.

        Refunds, of parts or of the whole: whatever was due back of the payment by then was done by
        it. A reversal the shop requested too late is that one.
        """
        parts = self._taken_back(entry)
        if sum(part.amount for part in parts) == self._reversed[entry.purpose.reverses]:
            return entry.amount
        paid = self._by_number.get(entry.purpose.reverses)
        if not parts and paid is None and STATEMENT not in self.sources:
            self.explained["taken back, and nobody knew the payment by its number"] += 1
            return 0
        outgoing = [str(part) for part in parts]
        self._say(f"{entry.receipt} of KES {entry.amount} was taken back, the shop has {outgoing}")
        return 0

    def _taken_back(self, entry: Entry) -> list[Refund]:
        done = Refund.objects.filter(
            receipt__number=entry.purpose.reverses, status=TransferStatus.DONE
        )
        ours = done.filter(way=RefundMethod.REVERSAL)
        return list(ours) or list(done.filter(way=RefundMethod.OUTSIDE))

    def _payout_of(self, entry: Entry) -> Payout | None:
        found = Payout.objects.filter(number=entry.receipt).first()
        ours = entry.purpose.originator_conversation_id
        return found or Payout.objects.filter(originator_conversation_id=ours).first()

    def _refund_of(self, entry: Entry) -> Refund | None:
        purpose = entry.purpose
        if purpose.kind == "reversal":
            # The receipt of a payment that was moved to another order has no number.
            named = Q(receipt__number=purpose.reverses) | Q(number=entry.receipt)
            # One that a restore lost looks like M-Pesa's own.
            lost = Q(way=RefundMethod.OUTSIDE, number=entry.receipt)
            reversals = Refund.objects.filter(named & Q(way=RefundMethod.REVERSAL) | lost)
            return reversals.order_by("status").first()
        # Money that left and came back is a refund of what came back, whoever it was sent to.
        found = Refund.objects.filter(number=entry.receipt).first()
        ours = purpose.originator_conversation_id
        return found or Refund.objects.filter(originator_conversation_id=ours).first()

    def _compare_refunds(self, entries: list[Entry]) -> None:
        done = Refund.objects.filter(status=TransferStatus.DONE).filter(
            receipt__provider=Provider.MPESA
        )
        outgoing = [entry for entry in entries if entry.direction == "out"]
        known = {refund.pk for refund in map(self._refund_of, outgoing) if refund}
        for entry in outgoing:
            # Ours too: of a payment that was moved, the other order has a record of it.
            if entry.purpose.reverses:
                known |= {part.pk for part in self._taken_back(entry)}
        for refund in done.exclude(cause=RefundReason.NEVER_CAME).select_related("receipt"):
            if refund.pk not in known and not _is_written_off(refund.receipt):
                self._say(f"refund {refund.pk} of KES {refund.amount} never went")
        self._compare_sums()

    def _compare_sums(self) -> None:
        """No more went back than came, or than is written off: of an order, or of a payment without
        one, unless M-Pesa reversed it too.
        """
        left = Counter[object]()
        for receipt in Receipt.objects.select_related("order"):
            left[_whose(receipt)] += receipt.amount + receipt.written_off
        done = Refund.objects.filter(status=TransferStatus.DONE)
        for refund in done.select_related("receipt__order"):
            if refund.order_id is not None or refund.way != RefundMethod.OUTSIDE:
                left[_whose(refund.receipt)] -= refund.amount
        for whose, amount in left.items():
            if amount < 0:
                self._say(f"KES {-amount} too much of {whose} went back")

    def _compare_payouts(self, entries: list[Entry]) -> None:
        outgoing = [self._payout_of(entry) for entry in entries if entry.direction == "out"]
        known = {payout.pk for payout in outgoing if payout}
        # A payout of KES 0, entirely deducted for a debt, is done without M-Pesa.
        for payout in Payout.objects.filter(status=TransferStatus.DONE, amount__gt=0):
            if payout.pk not in known:
                self._say(f"payout {payout.pk} of KES {payout.amount} never went")

    def _say(self, what: str) -> None:
        self.wrong.append(what)


def _is_written_off(receipt: Receipt) -> bool:
    return receipt.verification == Verification.NEVER_CAME


def _whose(receipt: Receipt) -> str:
    return f"{receipt}" if receipt.order is None else f"order {receipt.order.reference}"


def _for_what(entry: Entry) -> tuple[int, str]:
    """The amount and the order of a payment, however its reference was typed."""
    return entry.amount, letters_of_reference(entry.purpose.reference)


def _was_typed(receipt: Receipt) -> bool:
    return receipt.evidence.filter(source=ReceiptSource.STAFF).exists()


def _token(prompt: Prompt) -> str:
    return urlsplit(prompt.push.callback_url).path.rstrip("/").rpartition("/")[2]
