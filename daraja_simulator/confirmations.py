"""The bodies of C2B validation and confirmation, and when confirmations are sent.

Source: Daraja portal, Customer to Business. Every value is text. If URLs are registered, STK
payments are confirmed too, in addition to their own callback: the portal lists them among the
sources of confirmations.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from .behaviour import Script
from .books import Books
from .callback_client import Body, Callback
from .callback_dispatch import CallbackDispatcher, CallbackVariants
from .clock import stamp
from .entries import Entry
from .registrations import Registration, Registrations
from .scripts import ScriptBook
from .subscribers import first_name

GOODS = "CustomerBuyGoodsOnline"


@dataclass(frozen=True)
class Confirmation:
    """A confirmation to send, and whether it is sent before the prompt's own callback."""

    send: Callable[[], None]
    is_first: bool


class Confirmations:
    """Sends confirmations of payments if the merchant has registered a URL."""

    def __init__(
        self,
        registrations: Registrations,
        scripts: ScriptBook,
        books: Books,
        dispatcher: CallbackDispatcher,
    ) -> None:
        self._registrations = registrations
        self._scripts = scripts
        self._books = books
        self._dispatcher = dispatcher

    def prepare(
        self, entry: Entry, script: Script | None = None, third_party_id: str = ""
    ) -> Confirmation | None:
        """Prepare the confirmation of a payment; None if no URL is registered.

        Without a ``script``, the matching ``c2b`` script is used.
        """
        registration = self._registrations.of(entry.account)
        if registration is None:
            return None
        script = script or self._scripts.pick("c2b", phone=entry.phone, amount=entry.amount)
        genuine = _callback(registration, _with_scripted_account(entry, script), third_party_id)
        forged = None
        if script.forge:
            made_up = self._books.forge_entry(
                phone=entry.phone, amount=entry.amount, purpose=entry.purpose
            )
            forged = _callback(registration, made_up, "")
        variants = CallbackVariants(genuine=genuine, forged=forged)
        send = partial(self._dispatcher.dispatch, script, variants)
        return Confirmation(send, is_first=script.confirmation_first)


def message(entry: Entry, version: int, *, third_party_id: str = "", balance: str = "") -> Body:
    """Return the body of a validation or confirmation of a payment."""
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


def _callback(registration: Registration, entry: Entry, third_party_id: str) -> Callback:
    return Callback(
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


def _with_scripted_account(entry: Entry, script: Script) -> Entry:
    if script.account is None:
        return entry
    return replace(entry, purpose=replace(entry.purpose, reference=script.account))


def _payer(phone: str, version: int) -> str:
    if version == 1:
        return hashlib.sha256(phone.encode()).hexdigest()
    return f"{phone[:4]} ***** {phone[-3:]}"
