"""Notifications of Equity Bank, and posting them as the bank does."""

from base64 import b64encode

ADDRESS = "/safwebhook/bank/equity/"
NAME, PASSWORD = "equity", "a long word: with a colon"


def basic(name=NAME, password=PASSWORD):
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def told(reference, amount, *, number="813612345678", **changed):
    """A notification as Equity's portal shows it; ``changed`` are fields of the transaction."""
    return {
        "callbackType": "IPN",
        "customer": {"name": "WANJIKU K", "mobileNumber": "254712345678", "reference": "1"},
        "transaction": {
            "date": "2026-11-23 10:21:15",
            "reference": "1",
            "paymentMode": "CARD",
            "amount": amount,
            "currency": "KES",
            "billNumber": reference,
            "servedBy": "EQ",
            "additionalInfo": "",
            "orderAmount": amount,
            "serviceCharge": 0,
            "status": "SUCCESS",
            "remarks": "Paid",
            **changed,
        },
        "bank": {"reference": number, "transactionType": "C", "account": "0180"},
    }


def notify(client, message, *, authorization=None):
    authorization = basic() if authorization is None else authorization
    headers = {"Authorization": authorization} if authorization else {}
    if isinstance(message, bytes):
        return client.generic(
            "POST", ADDRESS, message, content_type="application/json", headers=headers
        )
    return client.post(ADDRESS, message, content_type="application/json", headers=headers)
