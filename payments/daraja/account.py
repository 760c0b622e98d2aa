"""The Daraja account that a client uses."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DarajaAccount:
    """Daraja's URL, and our short codes and secrets there.

    `party_b` is the till number of a buy goods account; empty means the short code itself, as for a
    pay bill. `b2c_shortcode` is the one that pays out: the short code again if one number does
    both. `certificate` is Safaricom's, as PEM text. Calls that need an empty field fail. The
    secrets are left out of `repr`.
    """

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    shortcode: str
    passkey: str = field(repr=False)
    transaction_type: str = "CustomerPayBillOnline"
    party_b: str = ""
    b2c_shortcode: str = ""
    initiator_name: str = ""
    initiator_password: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)

    @property
    def receiving_shortcode(self) -> str:
        """The number buyers pay to: the till if there is one, else the pay bill."""
        return self.party_b or self.shortcode
