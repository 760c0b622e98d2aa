"""One seed: trading with faults, then no faults until all is quiet, then comparing the books."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import patch

from django.core import mail
from django.db.models import Min
from django.test import override_settings
from django.utils import timezone

from accounts.models import PhoneProof, User
from daraja_simulator import Simulator
from daraja_simulator.config import SMS_API_KEY, SMS_USERNAME
from daraja_simulator.rate_limit import RateLimit
from daraja_simulator.registrations import Registration
from daraja_simulator.world import World
from omachemainproj.api.errors import Refusal
from orders.models import JoinedOrder, Order, Parcel
from payments import clock
from payments.checkout.prompt_budget import OWN_PER_HOUR, STRANGERS_PER_HOUR
from payments.checkout.timing import STK_TIMEOUT
from payments.models import (
    OPEN,
    STK_QUERIES,
    TRANSFER_QUERIES,
    EventState,
    GatewayEvent,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    ReceiptQuestion,
    Refund,
    StatementPull,
    TransferStatus,
)
from payments.proof.prove import prove
from payments.proof.rules import RULES
from payments.reconciliation.statement_pull import SOON

from . import banks
from .actors import Actors, end_stop, run_clock
from .books import BY_HAND, STATEMENT, Comparison
from .chance import NO_FAULTS, Chance, draw_fault_rates, instead_of_the_operating_system
from .clock import BEGINNING, SeededScheduler, Time, VirtualClock
from .log_reader import logs_are_read
from .network import SAFARICOM, Network, SeededCallbackClient
from .processes import Crash, Processes, forget_what_was_asked
from .receiving import Receiving
from .restores import Restores
from .seed_data import SeedData
from .shop import ShopClient
from .shop_people import HASHERS
from .watch import Watch, duplicate_messages

#: Number of events in one run.
STEPS = 90
#: Steps between two checks of the books.
BETWEEN_PROOFS = 30
#: After the last scheduled query, and the last page of the statement, nothing may be open.
THREE_DAYS = 72 * 3600.0
#: Rules checked as of now: for an earlier time, current rows would be in the future.
OF_NOW = [rule for rule in RULES if "in the future" in rule.description]
#: The monotonic clock's value at the beginning of a run, in seconds.
MONOTONIC = 1e6

#: The shop's address, and the secret part of the address for payments by hand.
SHOP, C2B_TOKEN = "http://127.0.0.1:8000", "aboutpaymentsbyhand"
REPORTS_TOKEN = "aboutmessages"
#: Sources a shop may lack, and the probability of having them.
SOURCES = {BY_HAND: 0.85, STATEMENT: 0.85}


class Failed(AssertionError):
    """A failed seed. ``step`` is where it failed."""

    def __init__(self, seed: int, step: int, what: str, trace: list[str]) -> None:
        self.seed, self.step, self.what, self.trace = seed, step, what, trace
        super().__init__(
            f"seed {seed} failed at step {step}: {what}\nreplay: make simulate SEED={seed}"
        )


@dataclass
class Outcome:
    """The result of a seed that passed."""

    seed: int
    trace: list[str]
    digest: str
    counts: Counter[str] = field(default_factory=Counter)


class Run:
    """Everything of one seed. ``play`` plays it, and raises Failed.

    ``skip`` leaves out steps and ``without`` kinds of faults; the others happen unchanged, as far
    as possible.
    """

    def __init__(
        self,
        seed: int,
        data: SeedData,
        *,
        certificate: str = "",
        steps: int = STEPS,
        skip: frozenset[int] = frozenset(),
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.seed, self.steps, self.skip = seed, steps, skip
        self.trace: list[str] = []
        self.failures: list[str] = []
        self.step = 0
        self.proved_at: datetime | None = None
        self.origin = Chance(seed)
        self.chance, self.ids = Chance(seed), Chance(seed)
        self.rates = draw_fault_rates(self.origin, without)
        self.goods_chance = Chance(f"{seed} goods")
        self.watch = Watch(self.fail)
        self.time = Time()
        self.processes = Processes(self.chance, self.log)
        self.network = Network(self.chance, self.log, failures=self.failures)
        self.shop = ShopClient(self.processes, self.failures)
        self.actors = Actors(self, data)
        self.restores = Restores(self, Chance(f"{seed} restores"))
        self.processes.overtake = self._overtake
        self.sources = frozenset(
            source for source, how_often in SOURCES.items() if self.origin.happens(how_often)
        )
        self.certificate = certificate
        self.safaricom = self._open_safaricom()

    def play(self) -> Outcome:
        """Play the seed to its end. Raises Failed."""
        with self._world():
            try:
                self._trade()
                self._wind_down()
                self._check_end()
            except Crash:
                raise
            except Exception as error:
                if isinstance(error, Failed):
                    raise
                raise self._failed(f"{type(error).__name__}: {error}") from error
            return self._outcome()

    def _trade(self) -> None:
        self.processes.rates = self.network.rates = self.rates
        seeds = [self.origin.getrandbits(64) for _ in range(self.steps)]
        for self.step, seed in enumerate(seeds, 1):
            if self.step in self.skip:
                continue
            self.chance.seed(seed)
            self.ids.seed(seed + 1)
            self.goods_chance.seed(f"{seed} goods")
            self.restores.at(self.step)
            # Not before the first round of the clock: a shop has read its statement for months.
            has_read = STATEMENT not in self.sources or StatementPull.objects.exists()
            if has_read and self.receiving.is_changed_at(self.step):
                self.receiving.change()
                self.log(f"buyers pay to {self.receiving.number} from now on")
            self.actors.act()
            self.watch.look()
            if self.step % BETWEEN_PROOFS == 0 and self.step < self.steps:
                self._prove()
            self._raise_failures()

    def _wind_down(self) -> None:
        """No more faults: everything open must finish automatically."""
        self.log("calm")
        self.processes.rates = self.network.rates = NO_FAULTS
        world = self.safaricom.world
        world.scripts.clear()
        self.safaricom.set_account(self.safaricom.config.b2c_shortcode, utility=10_000_000)
        world.query_limit = RateLimit(0, world.clock)
        for prompt in world.prompts.list():
            prompt.script = replace(prompt.script, query="truth")
        until = self.time.passed + THREE_DAYS
        for _ in range(600):
            for stop in PayoutStop.objects.filter(is_open=True):
                with suppress(Refusal):
                    end_stop(stop.pk)
            self.actors.goods.finish()
            self.actors.reversals.finish()
            wait = self._until_something_happens()
            if self.time.passed + wait > until:
                break
            self.time.advance(wait)
            self.tick()
            self.watch.look()
            self._raise_failures()
        else:
            self.fail("it never comes to rest")
        self.time.advance(max(1.0, until - self.time.passed))
        self.tick()
        self._raise_failures()

    def _check_end(self) -> None:
        self.proved_at = timezone.now()
        self._prove()
        new = GatewayEvent.objects.filter(state__in=[EventState.NEW, EventState.CHECKING])
        for event in new:
            self.fail(f"message {event.pk} is still {event.state}: {event.note}")
        # One about a receipt is a bank's that took it back: it waits for staff to look.
        failed = GatewayEvent.objects.filter(state=EventState.FAILED, receipt__isnull=True)
        for event in failed.filter(tries__gt=0):
            self.fail(f"message {event.pk} could not be applied: {event.note}")
        self._nothing_is_open()
        for difference in duplicate_messages(self.safaricom):
            self.fail(difference)
        self._one_prompt_an_attempt()
        found = Comparison(
            self.safaricom,
            self.network.reported,
            self.sources,
            was_restored=self.restores.restored_at is not None,
            has_till=self.receiving.had_till,
        )
        found.run()
        for difference in found.wrong:
            self.fail(difference)
        self.explained = found.explained
        self._raise_failures()

    def _nothing_is_open(self) -> None:
        for order in Order.objects.unpaid():
            self.fail(f"order {order.reference} is still unpaid")
        waiting = OrderPayment.objects.filter(status__in=OPEN)
        if STATEMENT not in self.sources:
            # Nobody can know the outcome of a prompt without an id or a message; and staff decide
            # about one that was queried for a day, as ``prove`` checks.
            waiting = waiting.exclude(checkout_request_id="").exclude(next_check_at=None)
        for payment in waiting:
            self.fail(f"attempt {payment.pk} is still {payment.status}")
        going = [TransferStatus.DUE, TransferStatus.UNKNOWN, TransferStatus.SENT]
        for refund in Refund.objects.filter(status__in=going):
            if not self._waits_for_a_number(refund):
                self.fail(f"refund {refund.pk} is still {refund.status}: {refund.result_text}")
        for payout in Payout.objects.filter(status__in=going):
            if not self._is_of_a_payment_unnamed(payout):
                self.fail(f"payout {payout.pk} is still {payout.status}: {payout.result_text}")

        self._check_queries_before_staff()

    def _check_queries_before_staff(self) -> None:
        """Rows are left to staff only after all scheduled queries to M-Pesa."""
        for payment in OrderPayment.objects.unresolved().exclude(checkout_request_id=""):
            if payment.checks < len(STK_QUERIES.seconds):
                self.fail(f"attempt {payment.pk} is a person's, asked about {payment.checks} times")
        for model in (Refund, Payout):
            for row in model._default_manager.unresolved().filter(note=""):
                if row.checks < len(TRANSFER_QUERIES.seconds):
                    self.fail(f"{row.kind} {row.pk} is a person's, asked about {row.checks} times")

    def log(self, line: str) -> None:
        """Record what happened, for the reader of a replay."""
        self.trace.append(f"{self.step:3} +{self.time.passed:09.3f} {line}")

    def fail(self, what: str) -> None:
        """Record a violation: the run ends after this step."""
        self.log(f"!!! {what}")
        self.failures.append(what)

    def tick(self) -> None:
        """One round of the clock, in a separate process."""
        now, troubles = timezone.now(), self.processes.troubles
        if self.processes.run("clock", run_clock) and self.processes.troubles == troubles:
            self.proved_at = now

    def finish_statement(self) -> None:
        """Rounds of the clock until the statement that is due was read completely, thirty at most.

        M-Pesa's statement goes back 48 hours. A shop whose clock runs every few seconds tries again
        in time; one whose two rounds in two days both failed would never see what it missed.
        """
        for _ in range(30):
            overdue = StatementPull.objects.filter(next_pull_at__lte=timezone.now())
            if not (StatementPull.objects.exclude(result_text="") | overdue).exists():
                return
            self.time.advance(SOON.total_seconds() + 1)
            self.tick()

    def _overtake(self) -> None:
        """Another process overtakes the running one."""
        self.actors.overtake()

    def _raise_failures(self) -> None:
        if self.failures:
            raise self._failed("; ".join(self.failures))

    def _failed(self, what: str) -> Failed:
        self._log_rows()
        return Failed(self.seed, self.step, what, self.trace)

    def _log_rows(self) -> None:
        """Log the rows, for the reader of a failure."""
        names = {
            Order: ("id", "reference", "payment_status", "amount"),
            OrderPayment: (
                "id",
                "order_id",
                "channel",
                "status",
                "result_code",
                "amount",
                "checkout_request_id",
                "next_check_at",
            ),
            Receipt: ("id", "order_id", "payment_id", "number", "amount", "source", "note"),
            GatewayEvent: ("id", "payment_id", "refund_id", "payout_id", "state", "note"),
            Payout: ("id", "seller_id", "status", "amount", "gross", "result_text"),
            Refund: ("id", "receipt_id", "way", "status", "amount", "replaces_id", "result_text"),
        }
        for model, columns in names.items():
            for row in model._default_manager.order_by("pk").values(*columns):
                self.log(f"  {model.__name__} " + " ".join(f"{k}={v}" for k, v in row.items()))
        for entry in self.safaricom.world.books.entries():
            purpose = entry.purpose
            self.log(
                f"  Safaricom: {entry.receipt} {entry.direction} {entry.amount} {purpose.kind}"
                f" {purpose.reference} {purpose.reverses}"
            )

    def _prove(self) -> None:
        """Check every rule; those with a time limit as of the clock's last undisturbed round.

        Before the first such round nothing had to be done, not even a day after the start.
        """
        as_of = self.proved_at or BEGINNING
        others = [rule for rule in RULES if rule not in OF_NOW]
        for broken in prove(as_of, rules=others).broken + prove(rules=OF_NOW).broken:
            self.fail(str(broken))

    def _one_prompt_an_attempt(self) -> None:
        """No attempt was prompted twice, and no phone more often in an hour than promised."""
        since = self.restores.restored_after
        # Whether it was prompted for what it lost, a restored shop cannot know.
        prompts = [p for p in self.safaricom.world.prompts.list() if p.asked_second >= since]
        addresses = Counter(prompt.push.callback_url for prompt in prompts)
        for address, times in addresses.items():
            if times > 1:
                self.fail(f"one attempt rang {times} times: {address}")
        buyers = dict(OrderPayment.objects.values_list("callback_token", "order__buyer"))
        owners = set(PhoneProof.objects.values_list("phone", "user"))
        rung: dict[tuple[str, int | None], list[float]] = defaultdict(list)
        for prompt in prompts:
            token = prompt.push.callback_url.rstrip("/").rpartition("/")[2]
            asked_by = prompt.push.phone, buyers[token]
            whose = asked_by if asked_by in owners else (prompt.push.phone, None)
            rung[whose].append(prompt.asked_second)
        for (phone, owner), seconds in rung.items():
            # Twice the limit: an hour may span two windows.
            # An owner was a stranger until they paid.
            most = 2 * (STRANGERS_PER_HOUR if owner is None else OWN_PER_HOUR + STRANGERS_PER_HOUR)
            for first, last in zip(sorted(seconds), sorted(seconds)[most:], strict=False):
                # A request may take a minute to arrive.
                if last - first < 3600 - 60:
                    self.fail(f"{phone} was rung {most + 1} times in an hour for {owner}")

    def _waits_for_a_number(self, refund: Refund) -> bool:
        """Without the statement a receipt may stay without a number, which blocks its order's
        refunds."""
        unnamed = Receipt.objects.without_number().filter(order=refund.order_id)
        return STATEMENT not in self.sources and bool(refund.order_id) and unnamed.exists()

    def _is_of_a_payment_unnamed(self, payout: Payout) -> bool:
        """The same for a payout whose goods were paid with a payment nobody can confirm."""
        orders = payout.shares.values("track__order")
        unnamed = Receipt.objects.without_number().filter(order__in=orders)
        return STATEMENT not in self.sources and unnamed.exists()

    def _until_something_happens(self) -> float:
        """Seconds to the next scheduled event and the clock's round after it."""
        now = timezone.now()
        next_callback = self.scheduler.next_due
        dates = [
            OrderPayment.objects.aggregate(at=Min("next_check_at"))["at"],
            Order.objects.unpaid().aggregate(at=Min("expires_at"))["at"],
        ]
        dates.append(ReceiptQuestion.objects.aggregate(at=Min("next_check_at"))["at"])
        refunds = Refund.objects.filter(next_check_at__isnull=False)
        dates += [row.next_check_at for row in refunds if not self._waits_for_a_number(row)]
        payouts = Payout.objects.filter(next_check_at__isnull=False)
        dates += [row.next_check_at for row in payouts if not self._is_of_a_payment_unnamed(row)]
        live = OrderPayment.objects.filter(live=True).values_list("rung_at", "created_at")
        dates += [(rung_at or created_at) + STK_TIMEOUT for rung_at, created_at in live]
        kept = GatewayEvent.objects.to_process().values_list("received_at", flat=True)
        dates += [received_at + clock.GRACE for received_at in kept]
        waits = [max(0.0, (at - now).total_seconds()) for at in dates if at]
        if next_callback is not None:
            waits.append(max(0.0, next_callback - self.time.passed))
        # And regularly in any case, as the statement is read.
        return min([*waits, 12 * 3600.0]) + 10

    @contextmanager
    def _world(self) -> Iterator[None]:
        with ExitStack() as stack:
            enter = stack.enter_context
            enter(logs_are_read(self))
            enter(self.time)
            enter(instead_of_the_operating_system(self.ids))
            enter(patch("time.sleep", self.time.advance))
            # Waits and timeouts use this clock too: the machine's speed must not matter.
            enter(patch("time.monotonic", lambda: MONOTONIC + self.time.passed))
            # Except for the clock's jobs: a round must be complete, however slow M-Pesa is,
            # because the books are checked as of it.
            enter(patch("payments.clock.MAX_SECONDS", math.inf))
            enter(patch("payments.daraja.connection.Transport._new_session", self.network.session))
            sms = "omachemainproj.http_exchange.HttpExchange._new_session"
            enter(patch(sms, self.network.session))
            enter(self.actors.guests.codes_are_read())
            enter(
                override_settings(
                    DARAJA_BASE_URL="http://daraja.test",
                    DARAJA_CALLBACK_BASE_URL=SHOP,
                    DARAJA_CALLBACK_IPS=[SAFARICOM] if self.origin.happens(0.3) else [],
                    DARAJA_CERTIFICATE=self.certificate,
                    DARAJA_C2B_TOKEN=C2B_TOKEN if BY_HAND in self.sources else "",
                    DARAJA_STATEMENT=STATEMENT in self.sources,
                    DARAJA_QUERIES_A_MINUTE=self.origin.choice([5, 60]),
                    # A run has no clock process, only its rounds. Nobody counts as silent.
                    HEARTBEATS_MAX_AGE=None,
                    **self._policy(),
                )
            )
            enter(self.receiving.open())
            self._open_inboxes()
            mail.outbox.clear()
            forget_what_was_asked()
            stack.callback(forget_what_was_asked)
            stack.callback(self.restores.close)
            enter(self.processes.watching())
            yield

    def _policy(self) -> dict[str, Any]:
        """This shop's policy: the largest payout without approval, and so on."""
        chance = self.goods_chance
        return {
            "COMMISSION_PERCENT": Decimal(chance.choice([0, 0, 5, 12])),
            "PAYOUT_APPROVAL_ABOVE": chance.choice([50_000, 3_000, 1_000]),
            "STAFF_ALONE_LIMIT": chance.choice([5_000, 1_000]),
            "SELLER_REFUND_ON_CREDIT": chance.choice([0, 2_000]),
            "DELIVERY_CONFIRM_DAYS": chance.choice([1, 7]),
            "REFUND_APPROVAL_ABOVE": chance.choice([50_000, 1_000]),
            "PASSWORD_HASHERS": HASHERS,
            "PHONE_LOGIN": True,
            "GUEST_CHECKOUT": True,
            **banks.SETTINGS,
            "SMS": chance.choice(["off", "africastalking"]),
            "AFRICASTALKING_BASE_URL": "http://sms.test",
            "AFRICASTALKING_USERNAME": SMS_USERNAME,
            "AFRICASTALKING_API_KEY": SMS_API_KEY,
            "AFRICASTALKING_REPORTS_TOKEN": REPORTS_TOKEN,
        }

    @staticmethod
    def _open_inboxes() -> None:
        """Give everyone a confirmed e-mail, to which notifications are sent."""
        for user in User.objects.filter(is_staff=False):
            user.email, user.email_confirmed_at = f"{user.username}@example.test", timezone.now()
            user.save(update_fields=["email", "email_confirmed_at"])

    def _open_safaricom(self) -> Simulator:
        chance = self.origin
        safaricom = Simulator(
            port=None,
            world=partial(
                World,
                clock=partial(VirtualClock, self.time),
                scheduler=partial(SeededScheduler, chance=self.chance),
                callback_client=partial(SeededCallbackClient, network=self.network),
            ),
            default=chance.choice(["person", "person", "success"]),
            decide_after=chance.choice([0.05, 3.0]),
            similar_counts=chance.choice(["asked", "paid"]),
            pending_query=chance.choice(["4999", "processing"]),
            queries_per_minute=chance.choice([0, 0, 5]),
            newest_token_only=chance.happens(0.5),
            pin_tries=chance.choice([0, 3]),
            external_validation=chance.happens(0.7),
            stk_confirmations=chance.happens(0.6),
            sms_reports_url=f"{SHOP}/safwebhook/sms/{REPORTS_TOKEN}/",
        )
        self.receiving = Receiving(
            safaricom.config, Chance(f"{self.seed} receiving"), steps=self.steps
        )
        if BY_HAND in self.sources:
            address = f"{SHOP}/safwebhook/c2b/{C2B_TOKEN}"
            response_type = chance.choice(["Completed", "Cancelled"])
            for number in self.receiving.numbers:
                safaricom.world.registrations.add(
                    Registration(
                        shortcode=number,
                        response_type=response_type,
                        confirmation_url=f"{address}/confirmation/",
                        validation_url=f"{address}/validation/",
                        version=2,
                    )
                )
        for number in self.receiving.numbers:
            safaricom.world.registrations.allow_pull(number)
        scheduler = safaricom.world.scheduler
        assert isinstance(scheduler, SeededScheduler)
        self.time.scheduler = self.scheduler = scheduler
        network = self.network
        network.safaricom, network.processes = safaricom, self.processes
        network.advance, network.post_to_shop = self.time.advance, self.shop.post
        return safaricom

    def _outcome(self) -> Outcome:
        counts = self.processes.counts + self.network.counts
        counts["orders"] = Order.objects.count()
        counts["paid orders"] = Order.objects.filter(payment_status="paid").count()
        counts["orders of guests"] = Order.objects.filter(guest__isnull=False).count()
        counts["orders of guests that joined an account"] = JoinedOrder.objects.count()
        counts["receipts"] = Receipt.objects.count()
        counts["refunds done"] = Refund.objects.filter(status=TransferStatus.DONE).count()
        counts["payouts done"] = Payout.objects.filter(status=TransferStatus.DONE).count()
        for state, number in Counter(Parcel.objects.values_list("fee_state", flat=True)).items():
            counts[f"parcels' fees {state}"] = number
        counts["refunds left to a person"] = Refund.objects.refused().count()
        counts["shops with a till"] = self.receiving.had_till
        counts["restores"] = self.restores.restored_at is not None
        counts["messages"] = GatewayEvent.objects.count()
        for why, times in self.explained.items():
            counts[f"explained: {why}"] = times
        digest = hashlib.sha256("\n".join(self.trace).encode()).hexdigest()
        return Outcome(self.seed, self.trace, digest, counts)
