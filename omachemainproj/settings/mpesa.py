"""M-Pesa, by Safaricom's Daraja API."""

from .base import PRODUCTION, env

#: Default credentials of the simulator, for laptops; not secret.
SIMULATED = {
    "DARAJA_BASE_URL": "http://127.0.0.1:8001",
    "DARAJA_CALLBACK_BASE_URL": "http://127.0.0.1:8000",
    "DARAJA_CONSUMER_KEY": "simulator-key",
    "DARAJA_CONSUMER_SECRET": "simulator-secret",
    "DARAJA_SHORTCODE": "174379",
    "DARAJA_PASSKEY": "simulator-passkey",
    "DARAJA_C2B_TOKEN": "laptop-only",
    "DARAJA_B2C_SHORTCODE": "600000",
    "DARAJA_INITIATOR_NAME": "simulator",
    "DARAJA_INITIATOR_PASSWORD": "simulator-password",
}
_DEFAULTS = dict.fromkeys(SIMULATED, "") if PRODUCTION else SIMULATED

DARAJA_BASE_URL = env.base_url("DARAJA_BASE_URL", default=_DEFAULTS["DARAJA_BASE_URL"])
DARAJA_CALLBACK_BASE_URL = env.base_url(
    "DARAJA_CALLBACK_BASE_URL", default=_DEFAULTS["DARAJA_CALLBACK_BASE_URL"]
)
DARAJA_CONSUMER_KEY = env.visible("DARAJA_CONSUMER_KEY", default=_DEFAULTS["DARAJA_CONSUMER_KEY"])
DARAJA_CONSUMER_SECRET = env.visible(
    "DARAJA_CONSUMER_SECRET", default=_DEFAULTS["DARAJA_CONSUMER_SECRET"]
)
DARAJA_SHORTCODE = env.digits("DARAJA_SHORTCODE", default=_DEFAULTS["DARAJA_SHORTCODE"])
DARAJA_PASSKEY = env.visible("DARAJA_PASSKEY", default=_DEFAULTS["DARAJA_PASSKEY"])
DARAJA_TRANSACTION_TYPE = env.choice(
    "DARAJA_TRANSACTION_TYPE",
    among=("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
    default="CustomerPayBillOnline",
)
DARAJA_PARTY_B = env.digits("DARAJA_PARTY_B")
#: Addresses and networks that callbacks are accepted from; empty: any.
DARAJA_CALLBACK_IPS = env.networks("DARAJA_CALLBACK_IPS")
#: Status queries per minute by all workers together: the rate the sandbox was seen to accept.
DARAJA_QUERIES_A_MINUTE = env.number("DARAJA_QUERIES_A_MINUTE", default=5, least=1, most=100_000)
#: Phones that have never paid here and that one network may send prompts to in an hour; in a day,
#: five times as many. Many customers of a mobile network share one address.
NEW_PHONES_A_NETWORK = env.number("NEW_PHONES_A_NETWORK", default=60, least=1, most=100_000)

#: The secret part of the URLs that receive C2B payments to the pay bill; empty: no such URLs.
DARAJA_C2B_TOKEN = env.visible("DARAJA_C2B_TOKEN", default=_DEFAULTS["DARAJA_C2B_TOKEN"])
#: Whether M-Pesa's statement may be read (Pull Transactions, registered for the pay bill).
DARAJA_STATEMENT = env.switch("DARAJA_STATEMENT", default=not PRODUCTION)
#: The initiator of B2C payments and reversals; empty: staff make refunds manually.
DARAJA_B2C_SHORTCODE = env.digits("DARAJA_B2C_SHORTCODE", default=_DEFAULTS["DARAJA_B2C_SHORTCODE"])
DARAJA_INITIATOR_NAME = env.text(
    "DARAJA_INITIATOR_NAME", default=_DEFAULTS["DARAJA_INITIATOR_NAME"]
)
DARAJA_INITIATOR_PASSWORD = env.text(
    "DARAJA_INITIATOR_PASSWORD", default=_DEFAULTS["DARAJA_INITIATOR_PASSWORD"]
)
#: The PEM file of the certificate under which the initiator's password is encrypted.
DARAJA_CERTIFICATE = env.text("DARAJA_CERTIFICATE")
