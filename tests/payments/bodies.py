"""Bodies of Daraja's callbacks, and functions that post them."""

import itertools
from typing import Any

from django.conf import settings

from payments.models import OrderPayment

#: Tests write out no number with one of these prefixes.
_receipts = (f"SHA{n:07d}" for n in itertools.count(1))


def new_receipt() -> str:
    return next(_receipts)


def success(
    payment: OrderPayment, *, receipt: str | None = None, amount: Any = None, **ids: Any
) -> dict[str, Any]:
    """A successful callback; ``checkout`` and ``merchant`` override the attempt's request ids."""
    items = [
        {"Name": "Amount", "Value": payment.amount if amount is None else amount},
        {"Name": "MpesaReceiptNumber", "Value": receipt or new_receipt()},
        {"Name": "Balance"},
        {"Name": "TransactionDate", "Value": 20261123102115},
        {"Name": "PhoneNumber", "Value": int(payment.phone)},
    ]
    told = _callback(payment, 0, "The service request is processed successfully.", **ids)
    told["Body"]["stkCallback"]["CallbackMetadata"] = {"Item": items}
    return told


def failure(payment: OrderPayment, *, code: int | str = 1032, **ids: Any) -> dict[str, Any]:
    """A callback of an attempt that was not paid."""
    return _callback(payment, code, "Request cancelled by user", **ids)


def _callback(payment, code, text, *, checkout=None, merchant=None) -> dict[str, Any]:
    return {
        "Body": {
            "stkCallback": {
                "MerchantRequestID": merchant or payment.merchant_request_id,
                "CheckoutRequestID": checkout or payment.checkout_request_id,
                "ResultCode": code,
                "ResultDesc": text,
            }
        }
    }


def post(client, payment: OrderPayment | None, told: Any, *, token: str | None = None) -> Any:
    """Post to the attempt's own URL, or to another ``token``; "" is the URL without one."""
    token = payment.callback_token if token is None and payment else token
    address = f"/safwebhook/{token}/" if token else "/safwebhook/"
    if isinstance(told, bytes):
        return client.generic("POST", address, told, content_type="application/json")
    return client.post(address, told, content_type="application/json")


def by_hand(reference: str, amount: Any, *, receipt: str | None = None, **changed: Any) -> Any:
    """A payment to the pay bill, as in M-Pesa's validation and confirmation (C2B v2)."""
    return {
        "TransactionType": "Pay Bill",
        "TransID": receipt or new_receipt(),
        "TransTime": "20261123102115",
        "TransAmount": f"{amount}.00" if isinstance(amount, int) else amount,
        "BusinessShortCode": "174379",
        "BillRefNumber": reference,
        "InvoiceNumber": "",
        "OrgAccountBalance": "49197.00",
        "ThirdPartyTransID": "",
        "MSISDN": "2547*****678",
        "FirstName": "WANJIKU",
        "MiddleName": "",
        "LastName": "",
        **changed,
    }


def post_c2b(client, told: Any, *, token: str | None = None, what: str = "confirmation") -> Any:
    """Post to the URL for manual payments; bytes are posted unchanged."""
    token = settings.DARAJA_C2B_TOKEN if token is None else token
    address = f"/safwebhook/c2b/{token}/{what}/"
    if isinstance(told, bytes):
        return client.generic("POST", address, told, content_type="application/json")
    return client.post(address, told, content_type="application/json")
