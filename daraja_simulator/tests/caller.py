"""A client of Daraja for the tests, with its error messages."""

import base64

import requests

from .waiting import PATIENCE

PHONE = "254712345678"
TIMESTAMP = "20261123120000"


class Caller:
    """A client of Daraja that sends valid requests by default."""

    def __init__(self, simulator, shop):
        self.simulator = simulator
        self.shop = shop
        self._token = None

    @property
    def token(self):
        if self._token is None:
            self._token = self.oauth().json()["access_token"]
        return self._token

    def oauth(self, auth=("simulator-key", "simulator-secret"), grant="client_credentials"):
        url = f"{self.simulator.url}/oauth/v1/generate"
        return requests.get(url, params={"grant_type": grant}, auth=auth, timeout=PATIENCE)

    def post(self, path, body, *, headers=None, timeout=PATIENCE):
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        url = self.simulator.url + path
        return requests.post(url, json=body, headers=headers, timeout=timeout)

    def push(self, timeout=PATIENCE, **changes):
        path = "/mpesa/stkpush/v1/processrequest"
        return self.post(path, self.push_body(**changes), timeout=timeout)

    def query(self, checkout_request_id, **changes):
        body = {
            "BusinessShortCode": "174379",
            "Password": password(),
            "Timestamp": TIMESTAMP,
            "CheckoutRequestID": checkout_request_id,
            **changes,
        }
        return self.post("/mpesa/stkpushquery/v1/query", body)

    def register(self, version=2, **changes):
        body = {
            "ShortCode": "174379",
            "ResponseType": "Completed",
            "ConfirmationURL": self.shop.at("confirm"),
            "ValidationURL": self.shop.at("validate"),
            **changes,
        }
        return self.post(f"/mpesa/c2b/v{version}/registerurl", body)

    def simulate(self, version=2, **changes):
        body = {
            "ShortCode": 174379,
            "CommandID": "CustomerPayBillOnline",
            "Amount": 1500,
            "Msisdn": int(PHONE),
            "BillRefNumber": "SOFA22",
            **changes,
        }
        answer = self.post(f"/mpesa/c2b/v{version}/simulate", body)
        assert self.simulator.wait_until_quiet()
        return answer

    def initiated(self, **changes):
        """The fields common to all requests of an initiator."""
        return {
            "SecurityCredential": self.simulator.security_credential(),
            "Remarks": "Order 7",
            "ResultURL": self.shop.at("result"),
            "QueueTimeOutURL": self.shop.at("timeout"),
            **changes,
        }

    def pay_out(self, version=3, *, originator="ours-1", wait=True, **changes):
        body = self.initiated(
            OriginatorConversationID=originator,
            InitiatorName="simulator",
            CommandID="BusinessPayment",
            Amount=1500,
            PartyA="600000",
            PartyB=PHONE,
            Occassion="",
        )
        answer = self.post(f"/mpesa/b2c/v{version}/paymentrequest", {**body, **changes})
        assert not wait or self.simulator.wait_until_quiet()
        return answer

    def reverse(self, receipt, **changes):
        body = self.initiated(
            Initiator="simulator",
            CommandID="TransactionReversal",
            TransactionID=receipt,
            Amount="1500",
            ReceiverParty="174379",
            RecieverIdentifierType="11",
        )
        return self._ask("reversal/v1/request", {**body, **changes})

    def ask_status(self, *, wait=True, **changes):
        body = self.initiated(
            Initiator="simulator",
            CommandID="TransactionStatusQuery",
            PartyA="174379",
            IdentifierType="4",
            Occasion="OK",
        )
        return self._ask("transactionstatus/v1/query", {**body, **changes}, wait)

    def ask_balance(self, **changes):
        body = self.initiated(
            Initiator="simulator",
            CommandID="AccountBalance",
            PartyA="174379",
            IdentifierType="4",
        )
        return self._ask("accountbalance/v1/query", {**body, **changes})

    def _ask(self, path, body, wait=True):
        answer = self.post(f"/mpesa/{path}", body)
        assert not wait or self.simulator.wait_until_quiet()
        return answer

    def push_body(self, phone=PHONE, amount=1500, *, leave_out=(), **changes):
        body = {
            "BusinessShortCode": "174379",
            "Password": password(),
            "Timestamp": TIMESTAMP,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": amount,
            "PartyA": phone,
            "PartyB": "174379",
            "PhoneNumber": phone,
            "CallBackURL": self.shop.url,
            "AccountReference": "ABC123",
            "TransactionDesc": "Order",
            **changes,
        }
        return {name: value for name, value in body.items() if name not in leave_out}

    def pay(self, **changes):
        """Send a push, let it end, and return the CheckoutRequestID."""
        accepted = self.push(**changes).json()
        assert self.simulator.wait_until_quiet()
        return accepted["CheckoutRequestID"]


def password(shortcode="174379", passkey="simulator-passkey", timestamp=TIMESTAMP):
    return base64.b64encode(f"{shortcode}{passkey}{timestamp}".encode()).decode()


def error_of(response):
    """An error of Daraja: HTTP status, errorCode, errorMessage."""
    error = response.json()
    assert set(error) == {"requestId", "errorCode", "errorMessage"}
    return response.status_code, error["errorCode"], error["errorMessage"]
