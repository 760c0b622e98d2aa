"""The bodies of M-Pesa Express callbacks.

Source: Daraja portal, M-Pesa Express, and recorded samples.
"""

import random

from .books import Books
from .callback_client import Body, Callback
from .callback_dispatch import CallbackVariants
from .clock import stamp
from .entries import Entry
from .prompts import Ending, Prompt
from .results import describe, typed


def variants(prompt: Prompt, ending: Ending, books: Books) -> CallbackVariants:
    """Return the callbacks that can be sent for an ended prompt."""
    forged = None
    if prompt.script.forge:
        entry = books.forge_entry(
            phone=prompt.push.phone, amount=prompt.push.amount, purpose=prompt.purpose
        )
        forged = _callback(prompt, Ending("0", describe("0"), entry))
    failure = Ending("1037", describe("1037"))
    return CallbackVariants(
        genuine=_callback(prompt, ending),
        contradicting=_callback(prompt, failure) if ending.entry else None,
        forged=forged,
    )


def body(prompt: Prompt, ending: Ending) -> Body:
    """Return the body of a callback, with metadata if it is a success."""
    about: Body = {
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": prompt.checkout_request_id,
        "ResultCode": typed(ending.code),
        "ResultDesc": ending.desc,
    }
    if ending.entry is not None:
        about["CallbackMetadata"] = {"Item": _items(prompt, ending.entry)}
    return {"Body": {"stkCallback": about}}


def _callback(prompt: Prompt, ending: Ending) -> Callback:
    return Callback(
        channel="stk",
        url=prompt.push.callback_url,
        body=body(prompt, ending),
        about={"checkout_request_id": prompt.checkout_request_id},
        headers={"Businessshortcode": prompt.push.shortcode},
    )


def _items(prompt: Prompt, entry: Entry) -> list[Body]:
    script = prompt.script
    items: list[Body] = [
        {"Name": "Amount", "Value": _amount(entry.amount, script.amount_as)},
        {"Name": "MpesaReceiptNumber", "Value": entry.receipt},
        *_balance(entry, script.balance),
        {"Name": "TransactionDate", "Value": int(stamp(entry.time))},
        *_payer(entry.phone, script.payer),
    ]
    if script.shuffle:
        in_order = list(items)
        while items == in_order:
            random.shuffle(items)
    return items


def _amount(amount: int, written: str) -> float | int | str:
    if written == "text":
        return f"{amount}.00"
    return amount if written == "int" else float(amount)


def _balance(entry: Entry, written: str) -> list[Body]:
    if written == "absent":
        return []
    if written == "empty":
        return [{"Name": "Balance"}]
    text = (
        "{Amount={CurrencyCode=KES, "
        f"MinimumAmount={entry.wallet_after * 100}, BasicAmount={entry.wallet_after}.00}}}}"
    )
    return [{"Name": "Balance", "Value": text}]


def _payer(phone: str, written: str) -> list[Body]:
    if written == "absent":
        return []
    value: int | str = f"{phone[:4]}*****{phone[-3:]}" if written == "masked" else int(phone)
    return [{"Name": "PhoneNumber", "Value": value}]
