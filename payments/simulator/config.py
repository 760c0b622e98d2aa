"""What a simulator knows before anybody calls: its credentials, its merchant and its habits.

The credentials below are the laptop defaults. The shop's settings repeat them, and do not import
them.
"""

from dataclasses import dataclass
from typing import Literal

CONSUMER_KEY = "simulator-key"
CONSUMER_SECRET = "simulator-secret"  # noqa: S105 - a pretend secret, published on purpose
SHORTCODE = "174379"
PASSKEY = "simulator-passkey"
TILL = "600111"
PIN = "1234"

#: Largest single payment, KES. Source: Daraja portal, M-Pesa Express.
MAX_AMOUNT = 250_000


@dataclass(frozen=True, kw_only=True)
class Config:
    """The fixed settings of one simulator. Money is whole KES, times are seconds.

    ``default`` is what becomes of a prompt nobody scripted: ``"success"``, ``"person"`` (it waits
    for the phone page) or a result code. ``similar_counts`` says which earlier pushes forbid the
    same amount again within ``similar_within``: every one asked for (the portal's words) or only
    those that were paid.
    """

    consumer_key: str = CONSUMER_KEY
    consumer_secret: str = CONSUMER_SECRET
    shortcode: str = SHORTCODE
    passkey: str = PASSKEY
    till: str = TILL
    merchant_name: str = "O-MACHE"
    pin: str = PIN

    default: str = "success"
    magic: bool = True
    wallet: int = 100_000
    decide_after: float = 0.05
    prompt_timeout: float = 60.0
    similar_within: float = 120.0
    similar_counts: Literal["asked", "paid"] = "asked"

    token_seconds: int = 3599
    newest_token_only: bool = False

    local_callbacks: bool = True
    callback_timeout: float = 5.0
    pending_query: Literal["4999", "processing"] = "4999"
