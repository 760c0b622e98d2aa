"""The control API's actions on money: C2B payments, statements, accounts, and portal actions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from . import c2b, ids, portal_statement
from .behaviour import Script
from .clock import EAT
from .config import MAX_AMOUNT
from .entries import CUSTOMER_REVERSAL, PAYOUT_REVERSAL, Entry, Purpose
from .handsets import returned_text
from .results import Declined, describe
from .world import World

Fields = Mapping[str, Any]

#: The descriptions of movements on a wallet's statement.
_KINDS = {"stk": "Paid to", "c2b": "Paid to", "b2c": "Received from", "reversal": "Returned by"}


_TAKEN_BACK = "Taken back for"


class MoneyControl:
    """The actions of the control API on money, for HTTP and for Python. Raises ValueError."""

    def __init__(self, world: World) -> None:
        self._world = world

    def pay_by_hand(
        self, number: str, amount: int, account: str = "", business: str = "", pin: str = ""
    ) -> dict[str, Any]:
        """Pay the merchant from a phone, as with the SIM menu, and return the outcome.

        ``business`` is a shortcode of the merchant; the pay bill if empty.
        """
        world, phone = self._world, ids.msisdn(number)
        business = business.strip() or world.config.shortcode
        account = account.strip()
        if business not in world.config.numbers:
            raise ValueError(f"There is no business with the number {business}.")
        if business != world.config.till and not 0 < len(account) <= 20:
            raise ValueError("A pay bill needs an account number of 1 to 20 characters.")
        _whole("amount", amount, 1, MAX_AMOUNT)
        wanted = c2b.C2BPayment(
            shortcode=business,
            account="" if business == world.config.till else account,
            amount=amount,
            phone=phone,
        )
        is_right = pin == world.config.pin
        is_open = not world.subscribers.is_locked(phone)
        mistake = Script(outcome="2001") if is_open and not is_right else None
        world.subscribers.record_pin(phone, right=is_right)
        paid = c2b.pay(world, wanted, mistake)
        return {
            "result_code": paid.code,
            "result_desc": c2b.REJECT_REASONS.get(paid.code) or describe(paid.code),
            "receipt": paid.entry.receipt if paid.entry else None,
            "balance": world.books.wallet(phone),
        }

    def reverse_for_customer(self, receipt: str, amount: int | None = None) -> dict[str, Any]:
        """Reverse a payment at the customer's request, or ``amount`` KES of it, and return the
        reversal's receipt.

        Safaricom does this on a call to 234 or an SMS to 456. The merchant is not notified.
        """
        world = self._world
        original = world.books.find(receipt)
        if original is None or not original.is_payment:
            raise ValueError("There is no payment with this receipt.")
        purpose = Purpose(
            kind="reversal",
            shortcode=original.account,
            party_b=original.phone,
            transaction_type=CUSTOMER_REVERSAL,
            reference=original.purpose.reference,
            description="Requested by the customer",
            reverses=original.receipt,
        )
        try:
            entry = world.books.reverse_entry(
                original, purpose=purpose, receipt=world.books.new_receipt(), amount=amount
            )
        except Declined as declined:
            raise ValueError(describe(declined.code)) from declined
        text = returned_text(world.config.merchant_name, entry)
        world.handsets.send_sms(entry.phone, text, paid=True)
        world.events.add("reversed_for_customer", reverses=receipt, receipt=entry.receipt)
        return {"receipt": entry.receipt, "balance": world.books.wallet(entry.phone)}

    def take_payout_back(self, receipt: str) -> dict[str, Any]:
        """Take back a payout from the phone it was paid to, and return the reversal's receipt.

        Safaricom does this after a payment by mistake. The merchant is not notified; only the
        portal statement shows it.
        """
        world = self._world
        original = world.books.find(receipt)
        if original is None or original.purpose.kind != "b2c":
            raise ValueError("There is no payout with this receipt.")
        purpose = Purpose(
            kind="reversal",
            shortcode=original.account,
            party_b=original.account,
            transaction_type=PAYOUT_REVERSAL,
            reference="",
            description="Requested by the receiver",
            reverses=original.receipt,
        )
        try:
            entry = world.books.return_entry(original, purpose=purpose)
        except Declined as declined:
            raise ValueError(describe(declined.code)) from declined
        world.events.add("payout_taken_back", reverses=receipt, receipt=entry.receipt)
        return {"receipt": entry.receipt, "balance": world.books.wallet(entry.phone)}

    def pay_on_portal(self, number: str, amount: int) -> dict[str, Any]:
        """Pay a phone from the payouts' shortcode by hand, and return the receipt.

        Only the portal statement shows it. Raises ValueError if it is declined.
        """
        world, phone = self._world, ids.msisdn(number)
        purpose = Purpose(
            kind="b2c",
            shortcode=world.config.b2c_shortcode,
            party_b=phone,
            transaction_type="BusinessPayment",
            reference="",
            description="Paid on the portal",
        )
        try:
            entry = world.books.pay(
                phone=phone, amount=amount, purpose=purpose, receipt=world.books.new_receipt()
            )
        except Declined as declined:
            raise ValueError(describe(declined.code)) from declined
        world.events.add("paid_on_portal", phone=phone, receipt=entry.receipt)
        return {"receipt": entry.receipt, "balance": world.books.wallet(phone)}

    def statement(self, number: str) -> list[dict[str, Any]]:
        """List the movements of a phone's wallet, newest first, at most 100."""
        entries = self._world.books.statement(ids.msisdn(number))
        return [self._row(entry) for entry in reversed(entries[-100:])]

    def portal_statement(
        self, shortcode: str, start: datetime | None = None, end: datetime | None = None
    ) -> str:
        """Return a shortcode's statement as the portal's CSV download; the whole of it by default.

        Times without a time zone are Nairobi time.
        """
        world = self._world
        if shortcode not in world.config.numbers:
            raise ValueError(f"There is no business with the number {shortcode}.")
        lines, now = world.books.portal_lines(shortcode), world.clock.now()
        first = _in_nairobi(start) or (lines[0].time if lines else now)
        last = _in_nairobi(end) or now
        return portal_statement.write(world.config, shortcode, lines, start=first, end=last)

    def set_account(self, shortcode: str, fields: Fields) -> dict[str, int]:
        """Set the balances of a shortcode's accounts, in KES: ``utility``, ``working``."""
        world = self._world
        if shortcode not in world.config.numbers:
            raise ValueError(f"There is no business with the number {shortcode}.")
        unknown_fields = set(fields) - {"utility", "working"}
        if unknown_fields or not fields:
            raise ValueError("give utility, working or both, and nothing else, in whole KES")
        for name, amount in fields.items():
            _whole(name, amount, 0, 1_000_000_000)
        world.books.set_account(
            shortcode, utility=fields.get("utility"), working=fields.get("working")
        )
        return world.books.account(shortcode)

    def register(self, number: str, registered: Any) -> None:
        """Set whether a phone has M-PESA. Without it, payouts to it end with 2040."""
        if not isinstance(registered, bool):
            raise ValueError("registered must be true or false")
        self._world.subscribers.register(ids.msisdn(number), registered=registered)

    def unlock_pin(self, number: str) -> None:
        """Unlock a phone's PIN, as customer care does."""
        self._world.subscribers.unlock(ids.msisdn(number))

    def conversations(self) -> list[dict[str, Any]]:
        """List every payout, reversal and query, oldest first, with its outcome."""
        return [conversation.as_json() for conversation in self._world.conversations.list()]

    def credential(self, password: str | None = None) -> dict[str, Any]:
        """Return the initiator's name, and a security credential ready for use."""
        world = self._world
        password = world.config.initiator_password if password is None else password
        return {
            "initiator_name": world.config.initiator_name,
            "security_credential": world.initiator.keys.encrypt(password),
            "locked": world.initiator.is_locked,
        }

    def _row(self, entry: Entry) -> dict[str, Any]:
        purpose = entry.purpose
        is_named = purpose.kind in ("stk", "c2b") and purpose.party_b != self._world.config.till
        account = f", account {purpose.reference}" if is_named else ""
        words = _TAKEN_BACK if entry.direction == "in" and purpose.reverses else None
        return {
            "receipt": entry.receipt,
            "at": entry.time.isoformat(timespec="seconds"),
            "kind": purpose.kind,
            "amount": -entry.amount if entry.direction == "in" else entry.amount,
            "balance": entry.wallet_after,
            "text": f"{words or _KINDS[purpose.kind]} {self._world.config.merchant_name}{account}",
        }


def _in_nairobi(when: datetime | None) -> datetime | None:
    if when is None:
        return None
    return when.replace(tzinfo=EAT) if when.tzinfo is None else when.astimezone(EAT)


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} must be whole KES, {least} to {most}")
