"""Recovery after a crash: the clock is started again, and time passes.

Time passes by moving the times that rows wait for, as the tests of refunds do.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from orders.models import Order
from orders.models.notifications import Message, Notice
from payments.models import (
    EventState,
    GatewayEvent,
    OrderPayment,
    Payout,
    Receipt,
    Refund,
    SellerShare,
    StatementPull,
)
from payments.proof.prove import prove
from payments.proof.simulator_books import compare

#: More rounds than anything needs: a payment proved without a receipt, named by the statement,
#: refunded, reversed, queried.
MOST_ROUNDS = 12
#: Longer than anything may be left alone (payments.proof.prove).
LATER = timedelta(minutes=11)


def settle(shop, simulator) -> None:
    """Run the clock, in fresh processes, until nothing is left to do; then again, after unpaid
    orders have expired."""
    _run_the_clock(shop, simulator)
    Order.objects.unpaid().update(expires_at=timezone.now())
    _run_the_clock(shop, simulator)
    assert not Order.objects.unpaid().exists()


def assert_all_is_well(simulator) -> None:
    """The books are in order, even if nothing may be pending any longer, and M-Pesa agrees."""
    broken = [*map(str, prove(timezone.now() + LATER).broken), *compare(simulator.books())]
    assert broken == []


def _run_the_clock(shop, simulator) -> None:
    for _ in range(MOST_ROUNDS):
        _let_time_pass()
        ran = shop.call("payments.clock.run_periodic")
        assert ran["error"] is None, ran["error"]
        assert simulator.wait_until_quiet()
        if not _is_anything_left(ran["returned"]):
            return
    raise AssertionError(f"the clock finds no end: {ran['returned']}")


def _let_time_pass() -> None:
    """Make everything that waits for a time due. An attempt stays young enough to be sent."""
    now = timezone.now()
    GatewayEvent.objects.to_process().update(received_at=now - timedelta(minutes=1))
    OrderPayment.objects.unsent().update(created_at=now - timedelta(seconds=10))
    OrderPayment.objects.filter(next_check_at__isnull=False).update(next_check_at=now)
    Refund.objects.filter(next_check_at__isnull=False).update(next_check_at=now)
    Payout.objects.filter(next_check_at__isnull=False).update(next_check_at=now)
    SellerShare.objects.to_pay().update(created_at=now - timedelta(minutes=5))
    Notice.objects.to_compose().update(created_at=now - timedelta(minutes=1))
    Message.objects.filter(next_try_at__isnull=False).update(next_try_at=now)
    StatementPull.objects.update(next_pull_at=now)


def _is_anything_left(done) -> bool:
    moved = {name for name, count in done.items() if count} - {
        # A prompt without an id, which cannot be queried, and the statement are checked again and
        # again.
        "query_silent_payments",
        "pull_and_apply_statement",
    }
    waiting = OrderPayment.objects.filter(next_check_at__isnull=False)
    return bool(
        moved
        or waiting.filter(~Q(checkout_request_id="")).exists()
        or Refund.objects.filter(next_check_at__isnull=False).exists()
        or Payout.objects.filter(next_check_at__isnull=False).exists()
        or GatewayEvent.objects.filter(state=EventState.NEW).exists()
        or Notice.objects.to_compose().exists()
        or Receipt.objects.without_number().exists()
    )
