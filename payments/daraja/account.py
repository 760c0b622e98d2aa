"""The account at Daraja that a client works for."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DarajaAccount:
    """Where Daraja is, and our numbers and secrets there.

    `party_b` is the till number of a buy goods account; empty means the short code itself, as for
    a pay bill. `b2c_shortcode` is the number that pays out: the short code again where one number
    does both. `certificate` is Safaricom's, as PEM text. What is empty cannot be used. The secrets
    stay out of `repr`.
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
