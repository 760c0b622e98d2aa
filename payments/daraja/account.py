"""Who we are to the gateway."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DarajaAccount:
    """Where the gateway is, and who we are there.

    `party_b` is the till number of a buy goods account; empty means the short code itself, as for
    a pay bill. The secrets stay out of `repr`.
    """

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    shortcode: str
    passkey: str = field(repr=False)
    transaction_type: str = "CustomerPayBillOnline"
    party_b: str = ""
