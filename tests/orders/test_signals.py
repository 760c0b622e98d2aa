"""The signals: exactly these rows wake exactly these receivers, and waking them twice is safe."""

import contextlib
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.core import serializers
from django.db import transaction
from django.db.models.signals import post_save
from django.utils.module_loading import import_string

from orders.fulfilment import move_line
from orders.models import Order, OrderTrack, TrackEvent
from payments.models import OrderPayment, Payout, Receipt, ReceiptSource, SettlementContext
from payments.payouts.allocation import create_payouts
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from products.models import StockMovement
from tests.factories import UserFactory
from tests.shopping import an_order, fetched_line, stock_of

OURS = {"accounts", "products", "orders", "payments"}
PAID = AttemptOutcome(
    succeeded=True,
    code="0",
    text="",
    source=ReceiptSource.CALLBACK,
    amount=3000,
    receipt="SGL0000001",
)


@pytest.fixture
def order(buyer, kettle):
    return an_order(buyer, (kettle, 2))


def listeners(model):
    receivers, _ = post_save._live_receivers(model)
    return {
        f"{receiver.__module__}.{receiver.__qualname__}"
        for receiver in receivers
        if receiver.__module__.split(".")[0] in OURS
    }


def test_exactly_these_models_wake_exactly_these_receivers():
    map_of_all = {
        model._meta.label: listeners(model)
        for model in apps.get_models()
        if model._meta.app_label in OURS and listeners(model)
    }

    assert map_of_all == {
        "orders.Order": {
            "payments.signals.request_payment_of_new_order",
            "payments.signals.close_order_reversed_by_mpesa",
            "orders.signals.update_lines_of_saved_order",
            "orders.signals.take_stock_of_paid_order",
        },
        "orders.OrderTrack": {"payments.signals.settle_saved_line"},
        "payments.OrderPayment": {"payments.signals.pay_order_of_confirmed_payment"},
    }


def test_a_new_order_is_asked_to_be_paid(order):
    payment = order.payments.get()

    assert (payment.phone, payment.amount) == (order.mpesa_number, 3000)
    assert (payment.status, payment.live) == ("requested", True)


def test_saving_an_order_again_asks_for_nothing_more(order, kettle):
    order.save()
    Order.objects.get().save()

    assert OrderPayment.objects.count() == 1
    assert (TrackEvent.objects.count(), stock_of(kettle)) == (0, (5, 2))


def test_a_confirmed_payment_moves_order_lines_and_stock(order, kettle):
    record_outcome(order.payments.get().pk, PAID)

    order.refresh_from_db()
    assert order.payment_status == "paid"
    assert [track.track_status for track in order.tracks.all()] == ["paid"]
    assert list(TrackEvent.objects.values_list("track_status", "actor")) == [("paid", None)]
    assert stock_of(kettle) == (3, 0)
    assert list(kettle.movements.values_list("quantity", "reference").order_by("pk")) == [
        (5, "listed"),
        (-2, f"order:{order.pk}"),
    ]


def test_saving_what_is_paid_again_changes_nothing(order, kettle):
    record_outcome(order.payments.get().pk, PAID)

    OrderPayment.objects.get().save()
    Order.objects.get().save()
    for row in [OrderPayment.objects.get(), Order.objects.get()]:
        post_save.send(type(row), instance=row, created=False, raw=False, update_fields=None)

    assert (TrackEvent.objects.count(), stock_of(kettle)) == (1, (3, 0))
    assert StockMovement.objects.filter(quantity__lt=0).count() == 1


def test_a_problem_is_followed_though_the_line_moves_in_the_same_save(buyer, kettle):
    line = fetched_line(buyer, kettle)
    create_payouts(line.seller_id)
    payout = Payout.objects.get()

    with transaction.atomic():
        line.track_status, line.disputed = "delivered", True
        line.save(update_fields=["track_status", "disputed"])
        payout.refresh_from_db()
        # A line is only disputed while there is a problem.
        transaction.set_rollback(True)

    assert payout.status == "dropped"


@pytest.mark.parametrize("fails", [False, True])
def test_what_one_save_of_a_payment_tells_its_receiver_no_later_one_does(order, monkeypatch, fails):
    payment, settlement = order.payments.get(), SettlementContext(order.pk)
    seen = []

    def look(*args, instance, **kwargs):
        seen.append(instance.settlement)
        if fails:
            raise Crash

    with contextlib.suppress(Crash), transaction.atomic():
        post_save.connect(look, sender=OrderPayment)
        try:
            payment.save_with_settlement(settlement, update_fields=["result_text"])
        finally:
            post_save.disconnect(look, sender=OrderPayment)

    assert (seen, payment.settlement) == ([settlement], None)


def test_a_payment_that_is_confirmed_by_any_save_pays_its_order(order):
    """The receiver needs nothing from whoever saves."""
    with transaction.atomic():
        payment = order.payments.get()
        Receipt.objects.create(
            number="SGL0000001", amount=3000, source="callback", order=order, payment=payment
        )
        payment.status, payment.live, payment.confirmed_at = "confirmed", False, order.created_at
        payment.save()
        order.refresh_from_db()
        # The receipt was not posted.
        transaction.set_rollback(True)

    assert order.payment_status == "paid"


def test_a_line_that_is_further_on_its_way_is_left_alone(order):
    record_outcome(order.payments.get().pk, PAID)
    agent = UserFactory(is_superuser=True)
    for to in ("fetched", "shipping"):
        move_line(order.tracks.get().pk, to, actor=agent)

    Order.objects.get().save()

    assert order.tracks.get().track_status == "shipping"


def moved(kettle):
    """The effects of a paid order: on its line, its stock, and the catalogue."""
    line = OrderTrack.objects.get()
    movements = StockMovement.objects.count()
    return line.track_status, TrackEvent.objects.count(), movements, stock_of(kettle)


def test_loading_a_fixture_moves_nothing(order, kettle):
    with transaction.atomic():
        record_outcome(order.payments.get().pk, PAID)
        order.refresh_from_db()
        rows = serializers.serialize("json", [order, *order.payments.all()])
        # The events and movements are kept for good: as if the order had never been paid here.
        transaction.set_rollback(True)

    with transaction.atomic():
        for loaded in serializers.deserialize("json", rows):
            loaded.save()
        by_the_fixture = moved(kettle), OrderPayment.objects.count()
        Order.objects.get().save()
        by_a_save = moved(kettle)
        transaction.set_rollback(True)

    assert by_the_fixture == (("created", 0, 1, (5, 2)), 1)
    # What the fixture did not wake, a save does.
    assert by_a_save == ("paid", 1, 2, (3, 0))


def test_a_fixture_of_a_new_order_prompts_no_phone(order):
    line = order.tracks.get()
    another = {"pk": order.pk + 1, "order_token": uuid4(), "reference": "ACDEFGHJ"}
    for name, value in {**another, "idempotency_key": "another"}.items():
        setattr(order, name, value)
    line.pk, line.order = line.pk + 1, order
    rows = serializers.serialize("json", [order, line])

    with transaction.atomic():
        for loaded in serializers.deserialize("json", rows):
            loaded.save()
        there = Order.objects.get(pk=order.pk).payment_status
        prompts = OrderPayment.objects.filter(order=order.pk).count()
        # Nobody placed it: it has no digest.
        transaction.set_rollback(True)

    assert (there, prompts) == ("requested", 0)


@pytest.mark.parametrize(
    "step",
    [
        "payments.signals.mark_order_paid",
        "orders.signals.sync_lines",
        "orders.signals.take_stock_of_order",
        "orders.lifecycle.insert",
        "products.stock.insert_new",
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_takes_the_whole_transition_back(
    order, kettle, monkeypatch, step, when
):
    payment = order.payments.get()
    with monkeypatch.context() as patch:
        crash(patch, step, when)
        with pytest.raises(Crash):
            record_outcome(payment.pk, PAID)
    payment.refresh_from_db()
    order.refresh_from_db()
    untouched = (payment.status, order.payment_status, order.tracks.get().track_status)
    at_first = (untouched, stock_of(kettle), TrackEvent.objects.count())

    record_outcome(payment.pk, PAID)

    order.refresh_from_db()
    assert at_first == (("requested", "requested", "created"), (5, 2), 0)
    assert (order.payment_status, stock_of(kettle)) == ("paid", (3, 0))
    assert StockMovement.objects.filter(reference=f"order:{order.pk}").count() == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_order_whose_attempt_cannot_be_written_is_not_placed(buyer, kettle, monkeypatch, when):
    with monkeypatch.context() as patch:
        crash(patch, "payments.signals.request_payment", when)
        with pytest.raises(Crash):
            an_order(buyer, (kettle, 2))

    assert not Order.objects.exists()
    assert stock_of(kettle) == (5, 0)


@pytest.mark.parametrize("write", ["update", "bulk_create", "bulk_update"])
def test_nobody_confirms_a_payment_where_no_receiver_would_hear_of_it(order, write):
    payment = order.payments.get()
    payment.status = "confirmed"

    with pytest.raises(TypeError, match="one by one"), transaction.atomic():
        {
            "update": lambda: OrderPayment.objects.update(status="confirmed"),
            "bulk_create": lambda: OrderPayment.objects.bulk_create(
                [OrderPayment(order=order, phone="", amount=1, status="confirmed")]
            ),
            "bulk_update": lambda: OrderPayment.objects.bulk_update([payment], ["status"]),
        }[write]()

    assert list(OrderPayment.objects.values_list("status", flat=True)) == ["requested"]


class Crash(BaseException):
    """Not an Exception: no handler of ours may swallow it, as none swallows a power cut."""


def crash(patch, name, when):
    """Let the step be the last thing that happens, or the first that does not."""
    path, attribute = name.rsplit(".", 1)
    owner = resolve(path)
    step = getattr(owner, attribute)

    def crashing(*args, **kwargs):
        if when == "after":
            step(*args, **kwargs)
        raise Crash(name)

    patch.setattr(owner, attribute, crashing)


def resolve(path):
    if path.endswith(".objects"):
        return import_string(path.removesuffix(".objects")).objects
    return import_module(path)
