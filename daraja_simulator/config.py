"""The simulator's settings: credentials, merchant and default behaviour.

The default credentials are public on purpose. Clients configure them as they would Safaricom's.
"""

from dataclasses import dataclass
from typing import Literal

CONSUMER_KEY = "simulator-key"
CONSUMER_SECRET = "simulator-secret"  # noqa: S105 - not a secret: public on purpose
SHORTCODE = "174379"
PASSKEY = "simulator-passkey"
TILL = "600111"
PIN = "1234"
B2C_SHORTCODE = "600000"
INITIATOR_NAME = "simulator"
INITIATOR_PASSWORD = "simulator-password"  # noqa: S105 - as above
SMS_USERNAME = "omache"
SMS_API_KEY = "simulator-sms-key"

#: Largest single payment, KES. Source: Daraja portal, M-Pesa Express.
MAX_AMOUNT = 250_000

#: Smallest payout, KES. Source: Daraja portal, Business to Customer.
MIN_PAYOUT = 10

#: The roles of an API operator. Source: Daraja portal, the roles on each API's page.
ROLES = ("b2c", "reversal", "transaction_status", "account_balance")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one simulator. Amounts are whole KES, times are seconds.

    ``default`` is the outcome of a prompt without a script: ``"success"``, ``"person"`` (wait for
    the phone page) or a result code. ``similar_counts`` says which earlier pushes block the same
    amount within ``similar_within``: all of them (as the portal says) or only paid ones. With
    ``production``, C2B URLs can be registered only once and ``simulate`` is unavailable.
    ``key_file`` keeps the certificate's key across restarts, ``books_file`` the books.
    ``sms_reports_url`` receives SMS delivery reports; "" for none. ``mails`` is a folder of e-mail
    files to show at ``/mails/``. 0 disables ``pin_tries`` and ``queries_per_minute``.
    """

    consumer_key: str = CONSUMER_KEY
    consumer_secret: str = CONSUMER_SECRET
    shortcode: str = SHORTCODE
    passkey: str = PASSKEY
    till: str = TILL
    b2c_shortcode: str = B2C_SHORTCODE
    initiator_name: str = INITIATOR_NAME
    initiator_password: str = INITIATOR_PASSWORD
    initiator_roles: tuple[str, ...] = ROLES
    initiator_tries: int = 3
    key_file: str | None = None
    books_file: str | None = None
    mails: str | None = None
    sms_username: str = SMS_USERNAME
    sms_api_key: str = SMS_API_KEY
    sms_reports_url: str = ""
    utility: int = 1_000_000
    merchant_name: str = "O-MACHE"
    pin: str = PIN

    default: str = "success"
    magic: bool = True
    wallet: int = 100_000
    wallet_limit: int = 500_000
    daily_limit: int = 500_000
    pin_tries: int = 0
    decide_after: float = 0.05
    prompt_timeout: float = 60.0
    similar_within: float = 120.0
    similar_counts: Literal["asked", "paid"] = "asked"

    token_seconds: int = 3599
    newest_token_only: bool = False

    local_callbacks: bool = True
    callback_timeout: float = 5.0
    pending_query: Literal["4999", "processing"] = "4999"
    queries_per_minute: int = 0

    production: bool = False
    external_validation: bool = True
    validation_timeout: float = 8.0
    stk_confirmations: bool = True
    pull_page: int = 100

    @property
    def numbers(self) -> tuple[str, ...]:
        """All shortcodes of the merchant: pay bill, till and the one for payouts."""
        return tuple(dict.fromkeys((self.shortcode, self.till, self.b2c_shortcode)))
