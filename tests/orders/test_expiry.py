"""Unpaid orders end when their time is over, once, and free what they held."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from orders import lifecycle
from orders.lifecycle import NotUnpaid, cancel_order, expire_order, expire_unpaid_orders
from orders.models import Order, TrackEvent
from tests.factories import UserFactory
from tests.shopping import an_order, stock_of


@pytest.fixture
def order(buyer, kettle):
    return an_order(buyer, (kettle, 2))


def later(minutes=16):
    return timezone.now() + timedelta(minutes=minutes)


def test_an_order_whose_time_is_over_expires(order, kettle):
    expired = expire_unpaid_orders(now=later())

    order.refresh_from_db()
    assert (expired, order.payment_status) == (1, "expired")
    assert [track.track_status for track in order.tracks.all()] == ["cancelled"]
    assert stock_of(kettle) == (5, 0)


def test_an_order_expires_at_its_very_second_and_not_before(order):
    before = expire_order(order.pk, now=order.expires_at - timedelta(microseconds=1))
    at = expire_order(order.pk, now=order.expires_at)

    assert (before, at) == (False, True)


def test_expiring_twice_frees_the_goods_once(order, kettle):
    an_order(UserFactory(), (kettle, 3))

    expire_order(order.pk, now=order.expires_at)
    again = expire_order(order.pk, now=order.expires_at)

    assert (again, stock_of(kettle)) == (False, (5, 3))
    assert TrackEvent.objects.filter(track__order=order).count() == 1


def test_an_expired_order_is_not_cancelled_and_a_cancelled_one_does_not_expire(order, buyer):
    cancel_order(order.pk, cancelled_by="staff")
    late = expire_order(order.pk, now=later())
    order.refresh_from_db()
    assert (late, order.payment_status) == (False, "cancelled")


def test_cancelling_an_expired_order_is_refused(order):
    expire_order(order.pk, now=later())

    with pytest.raises(NotUnpaid):
        cancel_order(order.pk, cancelled_by="staff")


def test_an_order_that_cannot_expire_does_not_block_the_others(order, kettle, monkeypatch):
    other = an_order(UserFactory(), (kettle, 1))
    expire = lifecycle.expire_order

    def stumble(order_id, *, now):
        if order_id == order.pk:
            raise OperationalError("canceling statement due to lock timeout")
        return expire(order_id, now=now)

    monkeypatch.setattr(lifecycle, "expire_order", stumble)

    assert expire_unpaid_orders(now=later()) == 1
    other.refresh_from_db()
    assert other.payment_status == "expired"


def test_the_shop_decides_how_long_goods_are_held(buyer, kettle, settings):
    settings.ORDER_HOLD_MINUTES = 40

    order = an_order(buyer, (kettle, 1))

    held_for = order.expires_at - order.created_at
    assert timedelta(minutes=39, seconds=50) < held_for <= timedelta(minutes=40)


@pytest.mark.parametrize("status", ["requested", "paid", "cancelled", "expired", "refunded"])
def test_where_an_order_may_not_go_it_does_not_go(order, status):
    order.payment_status = "refunded"

    assert not order.may_become(status)
    with pytest.raises(ValueError, match="cannot go from refunded"):
        lifecycle._set_status(order, status)
    assert Order.objects.get().payment_status == "requested"
