"""Rounds of periodic work: whatever stands at the head of a queue, those behind have their turn."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db.models import QuerySet
from django.utils import timezone
from PIL import Image

from omachemainproj import rounds
from omachemainproj.rounds import do_each, first_and_random, random_sample
from orders.claims import claim_parcel, release_unfetched_parcels
from orders.fulfilment import auto_confirm_deliveries
from orders.lifecycle import expire_unpaid_orders
from orders.models import Notice, NotificationKind, Order, OrderTrack, Parcel
from orders.models.notifications import Message, SmsReport
from orders.notifications.sending import deliver_notifications
from payments import clock
from payments.checkout.stk_push import expire_stk_pushes
from payments.models import (
    AlertMail,
    OrderPayment,
    Payout,
    Receipt,
    ReceiptQuestion,
    Refund,
    Trouble,
)
from payments.watch import alerts
from payments.webhooks.inbox import store_event
from products.models import ProductPicture
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at
from tests.orders.parcels import a_parcel, an_agent
from tests.payments.fakes import FakeDaraja
from tests.shopping import an_order


class Work:
    """Work on rows, of which some break it, and some are left as they are."""

    def __init__(self, waiting, *, breaks=(), leaves=()):
        self.waiting, self.breaks, self.leaves = list(waiting), set(breaks), set(leaves)
        self.served = []

    def __call__(self, row_id):
        if row_id in self.breaks:
            raise ZeroDivisionError
        self.served.append(row_id)
        if row_id in self.leaves:
            return False
        self.waiting.remove(row_id)
        return None


class Queue:
    """The rows that wait, in order, read again each time it is sliced, like a queryset."""

    def __init__(self, work):
        self.work, self.read = work, 0

    def __getitem__(self, piece):
        self.read += 1
        return self.work.waiting[piece]


@pytest.mark.parametrize(
    ("number", "done", "left"),
    [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 2, 2), (5, 2, 3)],
)
def test_a_round_serves_so_many_rows_and_leaves_the_rest(number, done, left):
    work = Work(range(number))
    queue = Queue(work)

    assert (do_each(work, queue, at_most=2), len(work.waiting)) == (done, left)
    assert queue.read == 1


@pytest.mark.parametrize("broken", range(1, 8))
def test_rows_that_fail_keep_none_behind_them_waiting(broken):
    work = Work(range(10), breaks=range(broken))

    assert do_each(work, Queue(work), at_most=2) == min(2, 10 - broken)
    assert work.served == [broken, broken + 1]


def test_a_row_that_fails_in_the_middle_is_tried_once_a_round():
    work = Work(range(5), breaks=[2])

    done = [do_each(work, Queue(work), at_most=2) for _ in range(3)]

    assert (done, work.served, work.waiting) == ([2, 2, 0], [0, 1, 3, 4], [2])


def test_a_row_that_is_left_as_it_is_is_not_counted_and_tried_once_a_round():
    work = Work(range(3), leaves=[0])

    assert (do_each(work, Queue(work), at_most=2), work.served) == (1, [0, 1])


def test_no_row_is_started_after_the_seconds_of_a_round(monkeypatch):
    class Clock:
        now = 0

        def monotonic(self):
            self.now += 4
            return self.now

    monkeypatch.setattr(rounds, "time", Clock())
    work = Work(range(9), breaks=[0])

    assert (do_each(work, Queue(work), at_most=9, seconds=10), work.served) == (1, [1])


def test_what_fails_is_named_in_the_log(caplog):
    work = Work([7], breaks=[7])

    def serve(row_id):
        return work(row_id)

    do_each(serve, [7], at_most=1)

    assert caplog.messages == ["serve(7) failed; it is tried again"]


def test_rows_are_drawn_by_lot_only_if_there_are_more(monkeypatch):
    drawn = []
    monkeypatch.setattr(rounds.random, "sample", lambda ids, k: drawn.append((ids, k)) or ids[-k:])

    assert random_sample([3, 1, 2], 3) == [3, 1, 2]
    assert drawn == []
    assert random_sample([3, 1, 2, 4], 3) == [1, 2, 4]
    assert drawn == [([3, 1, 2, 4], 3)]


def test_rows_are_drawn_from_so_many(monkeypatch):
    monkeypatch.setattr(rounds, "SAMPLED_FROM", 3)

    assert sorted(random_sample([1, 2, 3, 4, 5], 3)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("number", "first", "drawn"),
    [(1, [0], []), (2, [0], [5]), (3, [0, 1], [5]), (5, [0, 1, 2], [4, 5]), (6, [0, 1, 2], None),
     (7, [0, 1, 2, 3], None)],
)  # fmt: skip
def test_the_first_rows_have_half_of_a_round_and_those_behind_are_drawn(
    monkeypatch, number, first, drawn
):
    monkeypatch.setattr(rounds.random, "sample", lambda ids, k: ids[len(ids) - k :])
    behind = list(range(len(first), 6))

    found = first_and_random(list(range(6)), number)

    assert found == first + (behind if drawn is None else drawn)


# What each duty of the clock finds, with four rows that wait in it: three that break, and another.


def four_events() -> list[int]:
    return [store_event(body=b"{}", token="", remote_address=None, headers={}) for _ in range(4)]


def four_orders() -> list[Order]:
    product = ProductFactory(item_number=50)
    phones = [f"25471100000{n}" for n in range(4)]
    return [an_order(UserFactory(), (product, 1), phone=phone) for phone in phones]


def unsent_orders() -> list[int]:
    return [order.pk for order in four_orders()]


def silent_attempts() -> list[int]:
    unsent_orders()
    OrderPayment.objects.update(
        status="submitted", rung_at=timezone.now(), next_check_at=timezone.now()
    )
    return list(OrderPayment.objects.order_by("pk").values_list("pk", flat=True))


def receipts(**columns: Any) -> list[Receipt]:
    return [
        Receipt.objects.create(
            number=f"SGL000000{n}",
            amount=700,
            source="c2b",
            **{name: each[n] if isinstance(each, list) else each for name, each in columns.items()},
        )
        for n in range(4)
    ]


def expired_orders_with_money() -> list[int]:
    orders = four_orders()
    Order.objects.update(payment_status="expired")
    receipts(order=orders, waiting=True)
    return [order.pk for order in orders]


def questions() -> list[int]:
    return [
        ReceiptQuestion.objects.create(receipt=each, next_check_at=timezone.now()).pk
        for each in receipts()
    ]


def refunds() -> list[int]:
    return [
        Refund.objects.create(
            receipt=each, amount=700, cause="excess", next_check_at=timezone.now()
        ).pk
        for each in receipts()
    ]


def payouts() -> list[int]:
    return [
        Payout.objects.create(
            seller=UserFactory(), phone="254722000000", gross=700, amount=700,
            approval_above=20_000, next_check_at=timezone.now(),
        ).pk
        for _ in range(4)
    ]  # fmt: skip


def notices() -> list[int]:
    return [
        Notice.objects.create(kind=NotificationKind.PAID_OUT, key=f"{n}", user=UserFactory()).pk
        for n in range(4)
    ]


def messages(**columns: Any) -> list[Message]:
    return [
        Message.objects.create(
            notice_id=notice, user_id=Notice.objects.get(pk=notice).user_id, kind="paid_out",
            channel="sms", language="en", contact="254722000000", text="Paid.",
            **{name: each.format(notice) if isinstance(each, str) else each
               for name, each in columns.items()},
        )
        for notice in notices()
    ]  # fmt: skip


def due_messages() -> list[int]:
    return [message.pk for message in messages(next_try_at=timezone.now())]


def reports() -> list[int]:
    now = timezone.now()
    sent = messages(
        state="sent", provider_id="ATXid_{}", tries=1, tried_at=now, sent_at=now, reason=""
    )
    return [
        SmsReport.objects.create(
            provider_id=message.provider_id, status="failed", reported_at=now
        ).pk
        for message in sent
    ]


def pictures() -> list[int]:
    product = ProductFactory()
    return [
        ProductPicture.objects.create(product=product, place=n, image="a", thumbnail="b").pk
        for n in range(4)
    ]


WAITING: dict[str, tuple[str, Callable[[], list[int]]]] = {
    "process_stored_events": ("process_event", four_events),
    "send_forgotten_stk_pushes": ("send_stk_push", unsent_orders),
    "query_silent_payments": ("query_status", silent_attempts),
    "refund_uncovered_money": ("refund_excess", expired_orders_with_money),
    "query_due_receipts": ("query_receipt", questions),
    "process_due_refunds": ("process_refund", refunds),
    "process_due_payouts": ("process_payout", payouts),
    "compose_notifications": ("compose", notices),
    "send_due_messages": ("send_message", due_messages),
    "follow_reports": ("follow_report", reports),
    "draw_missing_sizes": ("draw_sizes", pictures),
}


@pytest.mark.django_db
@pytest.mark.parametrize("duty", WAITING)
def test_rows_that_break_a_duty_keep_none_behind_them_waiting(monkeypatch, settings, duty):
    monkeypatch.setattr("payments.gateway.daraja", FakeDaraja)
    # A round has two rows; three break.
    settings.DARAJA_QUERIES_A_MINUTE = 2
    monkeypatch.setattr(clock, "PICTURES_PER_ROUND", 2)
    each = clock._each
    monkeypatch.setattr(
        clock, "_each", lambda work, rows, at_most=2: each(work, rows, at_most=at_most)
    )
    name, make = WAITING[duty]
    *broken, healthy = make()
    work = Work([*broken, healthy], breaks=broken)
    monkeypatch.setattr(clock, name, work)

    done = getattr(clock, duty)(timezone.now() + timedelta(minutes=1))

    assert (done, work.served) == (1, [healthy])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("duty", "work", "rows"),
    [
        ("create_due_payouts", "create_payouts", "sellers_to_pay"),
        ("pull_and_apply_statement", "merge_if_sure", "_possible_duplicates"),
        ("pull_and_apply_statement", "settle_again", "_unsettled_reversals"),
        ("sync_unsynced_orders", "sync_order_with_payment", "_covered"),
    ],
)
def test_rows_that_stay_as_they_are_keep_none_waiting(monkeypatch, duty, work, rows):
    """Three stay in the list, and a round has two."""
    monkeypatch.setattr(clock, "BATCH", 2)
    ids = [order.pk for order in four_orders()]
    left = Work(ids, leaves=ids)
    monkeypatch.setattr(clock, work, left)
    monkeypatch.setattr(clock, rows, lambda *args, **kwargs: ids)

    for _ in range(100):
        getattr(clock, duty)(timezone.now())

    assert set(left.served) == set(ids)
    assert len(left.served) == 200


def test_orders_whose_whole_price_came_keep_none_that_was_paid_in_parts_waiting(db, monkeypatch):
    monkeypatch.setattr(clock, "BATCH", 2)
    *stuck, in_parts = four_orders()
    attempts = [order.payments.get() for order in stuck]
    # Not through its own manager, which pays the order.
    rows = QuerySet(OrderPayment).filter(pk__in=[attempt.pk for attempt in attempts])
    rows.update(status="confirmed", live=False, confirmed_at=timezone.now())
    receipts(order=[*stuck, in_parts], payment=[*attempts, None], waiting=[False] * 3 + [True])
    Receipt.objects.update(amount=1500)
    work = Work([order.pk for order in stuck], leaves=[order.pk for order in (*stuck, in_parts)])
    monkeypatch.setattr(clock, "sync_order_with_payment", work)

    clock.sync_unsynced_orders(timezone.now())

    assert (len(work.served), work.served[-1]) == (3, in_parts.pk)


@pytest.fixture
def breaks_three(monkeypatch):
    """Let a function break for three rows, and work for any other."""

    def arrange(name, ids):
        module, _, function = name.rpartition(".")
        real = getattr(import_module(module), function)

        def work(row_id, *args, **kwargs):
            if row_id in ids[:3]:
                raise ZeroDivisionError
            return real(row_id, *args, **kwargs)

        monkeypatch.setattr(name, work)

    return arrange


def later(**more):
    return timezone.now() + timedelta(**more)


def test_orders_that_do_not_expire_keep_none_behind_them_from_it(db, monkeypatch, breaks_three):
    monkeypatch.setattr("orders.lifecycle.EXPIRED_PER_ROUND", 2)
    orders = four_orders()
    breaks_three("orders.lifecycle.expire_order", [order.pk for order in orders])

    assert expire_unpaid_orders(later(minutes=16)) == 1
    assert Order.objects.get(payment_status="expired") == orders[3]


def test_lines_that_are_not_confirmed_keep_none_behind_them_from_it(
    buyer, monkeypatch, breaks_three
):
    monkeypatch.setattr("orders.fulfilment.CONFIRMED_PER_ROUND", 2)
    lines = [line_at("shipping", buyer=buyer, product=ProductFactory()) for _ in range(4)]
    breaks_three("orders.fulfilment._confirm_delivery", [line.pk for line in lines])

    assert auto_confirm_deliveries(later(days=8)) == 1
    assert OrderTrack.objects.get(track_status="delivered") == lines[3]


def test_parcels_that_are_not_freed_keep_none_behind_them_from_it(buyer, monkeypatch, breaks_three):
    monkeypatch.setattr("orders.claims.RELEASED_PER_ROUND", 2)
    parcels = [a_parcel(buyer, ProductFactory()) for _ in range(4)]
    agent = an_agent()
    for parcel in parcels:
        claim_parcel(parcel.pk, agent=agent)
    breaks_three("orders.claims._free_if_due", [parcel.pk for parcel in parcels])

    assert release_unfetched_parcels(later(days=2)) == 1
    assert Parcel.objects.get(agent=None) == parcels[3]


TIMED = [
    ("orders.lifecycle.EXPIRING_SECONDS", lambda: expire_unpaid_orders(later(minutes=16))),
    ("orders.fulfilment.CONFIRMING_SECONDS", lambda: auto_confirm_deliveries(later(days=8))),
    ("orders.claims.RELEASING_SECONDS", lambda: release_unfetched_parcels(later(days=2))),
    (
        "payments.checkout.stk_push.CLOSING_SECONDS",
        lambda: expire_stk_pushes(now=later(seconds=121)),
    ),
]


@pytest.mark.parametrize(("seconds", "duty"), TIMED, ids=[name for name, _ in TIMED])
def test_no_duty_begins_a_row_after_its_seconds(buyer, monkeypatch, seconds, duty):
    """Whatever waits: an order, a line on its way, a claimed parcel and a prompt."""
    an_order(buyer, (ProductFactory(), 1))
    OrderPayment.objects.update(status="submitted", rung_at=timezone.now())
    line_at("shipping", buyer=buyer, product=ProductFactory())
    claim_parcel(a_parcel(buyer, ProductFactory()).pk, agent=an_agent())
    with monkeypatch.context() as patch:
        patch.setattr(seconds, -1)

        assert duty() == 0
    assert duty() == 1


def test_attempts_that_are_not_given_up_keep_none_behind_them_from_it(
    db, monkeypatch, breaks_three
):
    monkeypatch.setattr("payments.checkout.stk_push.CLOSED_PER_ROUND", 2)
    attempts = [order.payments.get() for order in four_orders()]
    breaks_three("payments.checkout.stk_push._abandon_unsent", [each.pk for each in attempts])

    assert expire_stk_pushes(now=later(seconds=61)) == 1
    assert OrderPayment.objects.get(status="failed") == attempts[3]


def test_prompts_that_are_not_closed_keep_none_behind_them_from_it(db, monkeypatch, breaks_three):
    monkeypatch.setattr("payments.checkout.stk_push.CLOSED_PER_ROUND", 2)
    silent_attempts()
    orders = list(Order.objects.order_by("pk"))
    breaks_three("payments.checkout.stk_push.end_prompt", [order.pk for order in orders])

    assert expire_stk_pushes(now=later(seconds=121)) == 1
    assert OrderPayment.objects.get(live=False).order == orders[3]


def test_pictures_whose_files_cannot_be_opened_keep_none_behind_them_from_being_drawn(
    kettle, monkeypatch
):
    """As when a folder has other rights than the rest: five, and another that can."""
    file = BytesIO()
    Image.new("RGB", (40, 20)).save(file, "WEBP")
    rows = []
    for place in range(clock.PICTURES_PER_ROUND + 1):
        row = ProductPicture(product=kettle, place=place, thumbnail="t.webp")
        row.image.save(f"{place}.webp", ContentFile(file.getvalue()))
        rows.append(row)
    opened = FileSystemStorage.open

    def closed(storage, name, mode="rb"):
        if name != rows[-1].image.name:
            raise PermissionError(name)
        return opened(storage, name, mode)

    monkeypatch.setattr(FileSystemStorage, "open", closed)

    assert clock.draw_missing_sizes(timezone.now()) == 1
    assert ProductPicture.objects.get(is_drawn=True) == rows[-1]


def test_alert_mails_that_break_keep_none_behind_them_from_being_sent(db, monkeypatch):
    ids = [
        AlertMail.objects.create(
            trouble=Trouble.objects.create(
                kind=f"k{n}", says="so", began_at=timezone.now(), seen_at=timezone.now()
            ),
            is_over=False,
            next_try_at=timezone.now() - timedelta(minutes=4 - n),
        ).pk
        for n in range(4)
    ]
    monkeypatch.setattr(alerts, "_MAILS_PER_ROUND", 2)
    monkeypatch.setattr(alerts, "KINDS", ())
    work = Work(ids, breaks=ids[:3])
    monkeypatch.setattr(alerts, "send_alert", work)

    alerts.check_for_incidents()

    assert work.served == [ids[3]]


def test_notices_that_are_not_written_keep_none_behind_them_from_it(db, monkeypatch):
    monkeypatch.setattr("orders.notifications.sending.COMPOSED_PER_TASK", 2)
    ids = notices()
    work = Work(ids, breaks=ids[:3])
    monkeypatch.setattr("orders.notifications.sending.compose", work)

    deliver_notifications(0)

    assert work.served == [ids[3]]
