"""What the shop is asked before a payment to its number, and told after it.

Source: Daraja portal, Customer to Business. Every value is text. A payment by prompt is told here
too, beside its own callback, when addresses are registered: the portal names prompts among the
sources of these messages.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from .behaviour import Script
from .books import Books, Entry
from .clock import stamp
from .delivery import Courier, Sending
from .post import Body, Parcel
from .registrations import Registration, Registrations
from .scripts import ScriptBook
from .subscribers import first_name

GOODS = "CustomerBuyGoodsOnline"


@dataclass(frozen=True)
class Told:
    """A confirmation ready to leave, and whether it should leave before anything else does."""

    send: Callable[[], None]
    is_first: bool


class Confirmations:
    """Tells the shop of money that came in, where it registered an address for that."""

    def __init__(
        self, registrations: Registrations, scripts: ScriptBook, books: Books, courier: Courier
    ) -> None:
        self._registrations = registrations
        self._scripts = scripts
        self._books = books
        self._courier = courier

    def prepare(
        self, entry: Entry, script: Script | None = None, third_party_id: str = ""
    ) -> Told | None:
        """Write the confirmation of a payment; None when nobody wants one.

        Without a ``script`` it uses the one that counts for ``c2b``.
        """
        registration = self._registrations.of(entry.account)
        if registration is None:
            return None
        script = script or self._scripts.pick("c2b", phone=entry.phone, amount=entry.amount)
        parcel = _parcel(registration, _as_told(entry, script), third_party_id)
        forgery = None
        if script.forge:
            forged = self._books.imagine(
                phone=entry.phone, amount=entry.amount, purpose=entry.purpose
            )
            forgery = _parcel(registration, forged, "")
        sending = Sending(truth=parcel, forgery=forgery)
        return Told(partial(self._courier.deliver, script, sending), script.confirmation_first)


def message(entry: Entry, version: int, *, third_party_id: str = "", balance: str = "") -> Body:
    """Write a payment as validation and confirmation both carry it."""
    is_goods = entry.purpose.transaction_type == GOODS
    return {
        "TransactionType": "Buy Goods" if is_goods else "Pay Bill",
        "TransID": entry.receipt,
        "TransTime": stamp(entry.time),
        "TransAmount": f"{entry.amount}.00",
        "BusinessShortCode": entry.account,
        "BillRefNumber": "" if is_goods else entry.purpose.reference,
        "InvoiceNumber": "",
        "OrgAccountBalance": balance,
        "ThirdPartyTransID": third_party_id,
        "MSISDN": _payer(entry.phone, version),
        "FirstName": first_name(entry.phone),
        "MiddleName": "",
        "LastName": "",
    }


def _parcel(registration: Registration, entry: Entry, third_party_id: str) -> Parcel:
    return Parcel(
        channel="c2b_confirmation",
        url=registration.confirmation_url,
        body=message(
            entry,
            registration.version,
            third_party_id=third_party_id,
            balance=f"{entry.account_after}.00",
        ),
        about={"receipt": entry.receipt},
    )


def _as_told(entry: Entry, script: Script) -> Entry:
    if script.account is None:
        return entry
    return replace(entry, purpose=replace(entry.purpose, reference=script.account))


def _payer(phone: str, version: int) -> str:
    if version == 1:
        return hashlib.sha256(phone.encode()).hexdigest()
    return f"{phone[:4]} ***** {phone[-3:]}"
