"""A database that is lost, and restored from a backup: what was done since is in no row.

M-Pesa, the banks and the people keep what they have; the shop has to find out.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.core import mail
from django.utils import timezone

from accounts.models import User
from orders.models import Order
from payments.management.commands.replay_events import _replay
from payments.models import GatewayEvent
from payments.reconciliation.portal_statement_import import stop_after_restore

from .chance import Chance
from .database import Memory
from .processes import DatabaseAway
from .watch import Watch

if TYPE_CHECKING:
    from .run import Run

#: Share of seeds with a restore, and the number of steps that it loses.
IN_SEEDS, LOST_STEPS = 0.25, (1, 2, 5, 12, 30)
#: Share of restores after which the stored messages are processed again.
REPLAYED = 0.7


@dataclass
class Restores:
    """Takes the backup of a seed at one step, and restores it at another; in most seeds neither."""

    run: Run
    chance: Chance
    #: When it was restored; None if it was not.
    restored_at: datetime | None = None
    #: The same in seconds since the beginning; 0 if it was not.
    restored_after: float = 0.0
    _backup: Memory | None = None
    _taken_at: datetime | None = None
    _proved_at: datetime | None = None
    _steps: tuple[int, int] = (0, 0)
    _reported: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.chance.happens(IN_SEEDS):
            taken = self.chance.randrange(10, self.run.steps)
            self._steps = taken, taken + self.chance.choice(LOST_STEPS)

    def at(self, step: int) -> None:
        """Take or restore the backup, if that is this step's."""
        taken, restored = self._steps
        if taken and step == taken:
            self._take()
        elif self._backup is not None and step == restored:
            self._restore()

    def close(self) -> None:
        if self._backup is not None:
            self._backup.close()

    def _take(self) -> None:
        self.run.log("a backup is taken")
        self._backup = Memory()
        self._backup.keep()
        self._taken_at, self._proved_at = timezone.now(), self.run.proved_at
        self._reported = set(self.run.network.reported)

    def _restore(self) -> None:
        assert self._backup is not None
        assert self._taken_at is not None
        self.run.log("the database is lost, and the backup restored")
        self.run.actors.goods.money_out.remember()
        self._backup.begin_again()
        self.run.processes.forget_memory()
        self.restored_at, self.restored_after = timezone.now(), self.run.time.passed
        self._forget_what_is_lost()
        stop_after_restore(lost_since=self._taken_at, now=timezone.now())
        if self.chance.happens(REPLAYED):
            self.run.processes.run("replay events", _replay_all)

    def _forget_what_is_lost(self) -> None:
        """Let people and checks begin again from what the backup shows."""
        run = self.run
        run.proved_at = self._proved_at
        # What is in the database from now on is compared with what comes from now on.
        run.network.reported &= self._reported
        run.watch = Watch(run.fail)
        run.shop.forget_tokens()
        mail.outbox.clear()
        run.safaricom.world.events.clear()
        run.actors.goods.money_out.forget_rows()
        statuses = dict(Order.objects.values_list("order_token", "payment_status"))
        known = {str(token): status for token, status in statuses.items()}
        actors = run.actors
        actors.orders[:] = [order for order in actors.orders if order.token in known]
        for order in actors.orders:
            order.status = known[order.token]
        for asked in actors.sent_cashouts:
            asked.token = asked.token if asked.token in known else ""
        self._bring_back_buyers()

    def _bring_back_buyers(self) -> None:
        """Who registered since then has to do so again."""
        buyers, sent = self.run.actors.data.buyers, self.run.actors.sent_cashouts
        for place, buyer in enumerate(buyers):
            there = User.objects.filter(username=buyer.username).first()
            if there is None:
                there = User.objects.create_user(f"buyer{self.chance.getrandbits(40)}")
                there.password = buyer.password
                there.save(update_fields=["password"])
            for asked in sent:
                if asked.buyer is buyer:
                    asked.buyer = there
            buyers[place] = there
        # Those of people who had left by then are nobody's to repeat.
        sent[:] = [asked for asked in sent if asked.buyer is None or asked.buyer in buyers]


def _replay_all() -> None:
    """Process all stored messages again, as ``manage.py replay_events --all`` does."""
    with suppress(DatabaseAway):
        for event in GatewayEvent.objects.order_by("pk").values_list("pk", flat=True):
            _replay(event, dry_run=False)
