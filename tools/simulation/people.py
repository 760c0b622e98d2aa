"""People who change what they sell, and who leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from accounts.models import User
from payments import clock
from products.models import Product

from .activity import Activity
from .shop_people import PASSWORD


@dataclass
class People(Activity):
    """Prices that change, goods that are taken off sale, and accounts that are closed."""

    WEIGHTS: ClassVar[dict[str, int]] = {
        "new_price": 1,
        "off_sale": 1,
        "leave": 2,
        "nightly": 1,
    }

    def new_price(self) -> None:
        """A seller changes a price: orders keep the one they agreed to."""
        if product := self._product():
            price = max(1, int(product.price * self.chance.choice([0.5, 1.1, 2])))
            self.ask(product.seller, "PATCH", f"/product/{product.pk}/", {"price": price})

    def off_sale(self) -> None:
        """A seller takes goods off sale, or puts them on sale again."""
        if product := self._product():
            listed = {"listed": not product.listed}
            self.ask(product.seller, "PATCH", f"/product/{product.pk}/", listed)

    def leave(self) -> None:
        """Somebody closes their account: refused as long as money or goods are open."""
        buyers = self.run.actors.data.buyers
        who = self.chance.choice([*buyers, *self.people.sellers])
        self.ask(who, "POST", "/account/delete/", {"password": PASSWORD})
        # Also if the process died before it answered.
        has_left = User.objects.filter(pk=who.pk).exclude(erased_at=None).exists()
        if has_left and who in buyers:
            # Somebody else comes, and nobody repeats what they sent.
            sent = self.run.actors.sent_cashouts
            sent[:] = [each for each in sent if each.buyer != who]
            new = User.objects.create_user(f"buyer{self.chance.getrandbits(40)}")
            new.password = buyers[0].password
            new.save(update_fields=["password"])
            buyers[buyers.index(who)] = new

    def nightly(self) -> None:
        """What the clock does once a day: old guests, phones and messages are forgotten."""
        self.run.processes.run("every day", clock.run_daily)

    def _product(self) -> Product | None:
        return self.one_of(Product.objects.select_related("seller"))
