"""Money that comes after its order was closed re-takes the goods, or is owed back; never lost."""

import pytest

from orders.lifecycle import cancel_order, expire_order
from orders.models import TrackEvent
from payments.models import Receipt
from products.models import Product
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, shelf

from .bodies import failure, post, success
from .conftest import ringing


def close(order, how):
    if how == "expired":
        expire_order(order.pk, now=order.expires_at)
    else:
        cancel_order(order.pk)


@pytest.mark.parametrize("how", ["expired", "cancelled"])
def test_goods_that_are_still_free_are_taken_again(client, order, payment, kettle, how):
    close(order, how)

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert order.payment_status == "paid"
    assert [track.track_status for track in order.tracks.all()] == ["paid"]
    assert shelf(kettle) == (3, 0)
    assert set(TrackEvent.objects.values_list("track_status", flat=True)) == {"cancelled", "paid"}


@pytest.mark.parametrize("how", ["expired", "cancelled"])
def test_goods_that_are_gone_make_the_money_due_back(
    client, order, payment, kettle, buyer_api, how
):
    close(order, how)
    an_order(UserFactory(), (kettle, 4))

    post(client, payment, success(payment))

    answer = buyer_api.get(f"/cashout/{order.order_token}/").json()
    assert answer["payment_status"] == "refund_due"
    assert answer["order"][0]["track_status"] == "cancelled"
    assert answer["prompt"] == {
        "status": "confirmed",
        "message": "Your money came too late, or not all of it came. You get all of it back.",
    }
    assert (Receipt.objects.get().order_id, shelf(kettle)) == (order.pk, (5, 4))


def test_of_several_goods_all_are_taken_again_or_none(client, buyer, kettle, seller):
    pan = ProductFactory(seller=seller, item_number=1)
    order = an_order(buyer, (kettle, 2), (pan, 1))
    payment = ringing(order.payments.get())
    close(order, "expired")
    an_order(UserFactory(), (pan, 1))

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert order.payment_status == "refund_due"
    assert (shelf(kettle), shelf(pan)) == ((5, 0), (1, 1))


def test_what_its_seller_hid_meanwhile_is_still_the_buyers(client, order, payment, kettle):
    close(order, "expired")
    Product.objects.update(listed=False)

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_late_money_said_twice_is_taken_once(client, order, payment, kettle):
    close(order, "expired")
    told = success(payment)

    post(client, payment, told)
    post(client, payment, told)

    assert (Receipt.objects.count(), shelf(kettle)) == (1, (3, 0))


def test_what_is_due_back_stays_due_when_goods_come_back(client, order, payment, kettle):
    close(order, "expired")
    other = an_order(UserFactory(), (kettle, 4))
    told = success(payment)
    post(client, payment, told)
    cancel_order(other.pk)

    post(client, payment, told)

    order.refresh_from_db()
    assert (order.payment_status, shelf(kettle)) == ("refund_due", (5, 0))


def test_a_late_failure_changes_nothing(client, order, payment, kettle):
    close(order, "cancelled")

    post(client, payment, failure(payment))

    order.refresh_from_db()
    assert (order.payment_status, shelf(kettle)) == ("cancelled", (5, 0))
    assert not Receipt.objects.exists()
