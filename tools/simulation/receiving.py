"""The number buyers pay to: a pay bill or a till, and in some seeds the other from some step on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from django.test import override_settings

from daraja_simulator.config import Config

from .chance import Chance

#: Share of seeds whose shop begins with a till in place of a pay bill: what is paid there names no
#: order. And of those that change to the other.
WITH_TILL, CHANGING = 0.25, 0.1
#: The former number that people who pay by hand still have.
REMEMBERED = 0.3


@dataclass
class Receiving:
    """The shop's receiving number."""

    config: Config
    chance: Chance
    steps: int
    _settings: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.is_till = self.had_till = self.chance.happens(WITH_TILL)
        changes = self.chance.happens(CHANGING)
        self._changes_at = self.chance.randrange(10, self.steps) if changes else 0
        self._former = ""
        #: The numbers whose payments Safaricom reports.
        self.numbers = [self.number, self._other] if changes else [self.number]

    @property
    def number(self) -> str:
        """The number buyers pay to now."""
        return self.config.till if self.is_till else self.config.shortcode

    @property
    def _other(self) -> str:
        return self.config.shortcode if self.is_till else self.config.till

    def number_of_payer(self, chance: Chance) -> str:
        """The number that somebody who pays by hand types."""
        is_old = self._former and chance.happens(REMEMBERED)
        return self._former if is_old else self.number

    def open(self) -> ExitStack:
        """Apply the settings of the beginning; closing it restores them."""
        self._apply()
        return self._settings

    def is_changed_at(self, step: int) -> bool:
        """Whether the number is to be changed by this step."""
        return 0 < self._changes_at <= step and not self._former

    def change(self) -> None:
        """Have buyers pay to the other number."""
        self._former, self.is_till = self.number, not self.is_till
        self.had_till = True
        self._apply()

    def _apply(self) -> None:
        kind = "CustomerBuyGoodsOnline" if self.is_till else "CustomerPayBillOnline"
        party = self.number if self.is_till else ""
        changed = override_settings(DARAJA_TRANSACTION_TYPE=kind, DARAJA_PARTY_B=party)
        self._settings.enter_context(changed)
