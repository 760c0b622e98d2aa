"""Guests, and people who verify a phone: what guests ordered with it joins their account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from unittest.mock import patch

from accounts.models import PhoneLogin, User
from orders.models import Order

from .activity import Activity
from .seed_data import PHONES
from .shop_people import PASSWORD

#: Number of buyers with an account, at most.
MOST_BUYERS = 7
#: Share of cash-outs by somebody who is not signed in, in seeds with guests.
HOW_OFTEN, IN_SEEDS = (0.15, 0.4), 0.7


class CodesOnPhones:
    """The newest code on each phone. Sent at once, and not through Safaricom: threads would make
    every trace another."""

    def __init__(self) -> None:
        self.by_phone: dict[str, str] = {}

    def submit(self, send: Any, phone: str, text: str, *others: Any) -> None:
        """Receive a code as the shop's thread would send it."""
        self.by_phone[phone] = text.rpartition("#")[2]


@dataclass
class Guests(Activity):
    """People who verify the phone they bought with."""

    WEIGHTS: ClassVar[dict[str, int]] = {"sign_in": 2, "link": 1, "unlink": 1}
    codes: CodesOnPhones = field(default_factory=CodesOnPhones)

    def __post_init__(self) -> None:
        self.how_often = self.chance.choice(HOW_OFTEN) if self.chance.happens(IN_SEEDS) else 0.0

    @contextmanager
    def codes_are_read(self) -> Iterator[None]:
        """Let every code arrive on its phone."""
        with patch("accounts.phone_codes._sender", self.codes):
            yield

    def is_next(self) -> bool:
        """Whether the next buyer is a guest."""
        return self.chance.happens(self.how_often)

    def sign_in(self) -> None:
        """Somebody signs in with a phone, or registers with it."""
        phone = self.chance.choice(PHONES)
        if token := self._ask_for_code(None, "/login/phone/", phone=phone):
            self._enter(None, "/login/phone/confirm/", phone, token)
        buyers = self.run.actors.data.buyers
        new = User.objects.filter(phone_login__phone=phone).exclude(pk__in=[b.pk for b in buyers])
        # They buy, too.
        buyers += new[: MOST_BUYERS - len(buyers)]

    def link(self) -> None:
        """A buyer links a phone to their account."""
        who, phone = self.chance.choice(self.run.actors.data.buyers), self.chance.choice(PHONES)
        sent = {"phone": phone, "password": PASSWORD}
        if token := self._ask_for_code(who, "/account/phone/", **sent):
            self._enter(who, "/account/phone/confirm/", phone, token)

    def unlink(self) -> None:
        if login := self.one_of(PhoneLogin.objects.select_related("user")):
            self.ask(login.user, "DELETE", "/account/phone/")

    def _ask_for_code(self, who: User | None, path: str, **sent: str) -> str:
        """Returns the token of the code's request; "" if there is no answer, or a refusal."""
        reply = self.ask(who, "POST", path, sent)
        return str(reply.body["token"]) if reply and reply.status == 200 else ""

    def _enter(self, who: User | None, path: str, phone: str, token: str) -> None:
        """Enter the code, sometimes a wrong one; sometimes something happens meanwhile."""
        code = self.codes.by_phone[phone] if self.chance.happens(0.9) else "000000"
        if self.chance.happens(0.3):
            self.run.time.advance(self.chance.choice([5.0, 60.0]))
        self.ask(who, "POST", path, {"phone": phone, "token": token, "code": code})


def buyer_of(token: str) -> User | None:
    """Who may see the order with this token now: None for a guest's, which everybody may."""
    order = Order.objects.select_related("buyer").get(order_token=token)
    return None if order.is_of_guest else order.buyer
