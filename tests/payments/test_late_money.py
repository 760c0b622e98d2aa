"""Money that arrives after its order was closed reserves the goods again, or is refunded.

For an order that its buyer gave up it always goes back.
"""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.fulfilment import move_line
from orders.lifecycle import cancel_order, expire_order
from orders.models import LateRefusal, TrackEvent
from orders.models.notifications import Notice
from payments.models import Receipt, Refund
from payments.refunds.services import _CAUSE_OF_REFUSAL
from products.listings.services import edit_product
from products.models import Product
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, cash_out, stock_of

from .bodies import by_hand, failure, post, post_c2b, success
from .conftest import ringing


def close(order, how):
    if how == "expired":
        expire_order(order.pk, now=order.expires_at)
    else:
        cancel_order(order.pk, cancelled_by="staff" if how == "cancelled by staff" else "buyer")


@pytest.mark.parametrize("how", ["expired", "cancelled by staff"])
def test_goods_that_are_still_free_are_taken_again(client, order, payment, kettle, how):
    close(order, how)

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert order.payment_status == "paid"
    assert [track.track_status for track in order.tracks.all()] == ["paid"]
    assert stock_of(kettle) == (3, 0)
    assert set(TrackEvent.objects.values_list("track_status", flat=True)) == {"cancelled", "paid"}


@pytest.mark.parametrize("how", ["expired", "cancelled by staff"])
def test_goods_that_are_gone_make_the_money_due_back(
    client, order, payment, kettle, buyer_api, how
):
    close(order, how)
    an_order(UserFactory(), (kettle, 4))

    post(client, payment, success(payment))

    answer = buyer_api.get(f"/cashout/{order.order_token}/").json()
    assert answer["payment_status"] == "refund_due"
    assert answer["order"][0]["track_status"] == "cancelled"
    assert (answer["prompt"]["status"], answer["prompt"]["message"]) == (
        "confirmed",
        "Your payment came too late or was not complete. You get all of it back.",
    )
    assert (Receipt.objects.get().order_id, stock_of(kettle)) == (order.pk, (5, 4))


def test_of_several_goods_all_are_taken_again_or_none(client, buyer, kettle, seller):
    pan = ProductFactory(seller=seller, item_number=1)
    order = an_order(buyer, (kettle, 2), (pan, 1))
    payment = ringing(order.payments.get())
    close(order, "expired")
    an_order(UserFactory(), (pan, 1))

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert order.payment_status == "refund_due"
    assert (stock_of(kettle), stock_of(pan)) == ((5, 0), (1, 1))


def test_late_money_for_goods_taken_off_sale_is_refunded(client, order, payment, kettle):
    close(order, "expired")
    Product.objects.update(listed=False)

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("refund_due", (5, 0))
    assert Refund.objects.get().cause == "off_sale"
    assert told_why(order)[1] == {
        "en": "It came too late, and the goods are no longer on sale.",
        "sw": "Zilichelewa kufika, na bidhaa haziuzwi tena.",
    }


def closed_long_ago(buyer, kettle, how, age):
    """An order that was placed, rang and was closed so long ago, and its attempt."""
    with time_machine.travel(timezone.now() - age):
        order = an_order(buyer, (kettle, 2))
        payment = ringing(order.payments.get())
        close(order, how)
    return order, payment


@pytest.mark.parametrize(("hours", "ends"), [(23, "paid"), (25, "refund_due")])
@pytest.mark.parametrize("how", ["expired", "cancelled by staff"])
def test_an_order_that_closed_more_than_a_day_ago_is_not_payable_at_its_old_price(
    client, buyer, kettle, how, hours, ends
):
    order, payment = closed_long_ago(buyer, kettle, how, timedelta(hours=hours))
    edit_product(kettle.pk, price=9000)

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert order.payment_status == ends
    assert list(Refund.objects.values_list("cause", flat=True)) == (
        ["too_late"] if ends == "refund_due" else []
    )


def test_a_buyer_who_pays_more_than_a_day_late_is_notified(client, buyer, kettle):
    order, payment = closed_long_ago(buyer, kettle, "expired", timedelta(days=30))

    post(client, payment, success(payment))

    assert told_why(order) == (
        3000,
        {
            "en": "It came more than a day after this order was closed.",
            "sw": "Zilifika zaidi ya siku moja baada ya oda hii kufungwa.",
        },
    )


def test_late_money_said_twice_is_taken_once(client, order, payment, kettle):
    close(order, "expired")
    told = success(payment)

    post(client, payment, told)
    post(client, payment, told)

    assert (Receipt.objects.count(), stock_of(kettle)) == (1, (3, 0))


def test_a_refund_stays_due_when_goods_come_back(client, order, payment, kettle):
    close(order, "expired")
    other = an_order(UserFactory(), (kettle, 4))
    told = success(payment)
    post(client, payment, told)
    cancel_order(other.pk, cancelled_by="staff")

    post(client, payment, told)

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("refund_due", (5, 0))


def test_a_late_failure_changes_nothing(client, order, payment, kettle):
    close(order, "cancelled by buyer")

    post(client, payment, failure(payment))

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("cancelled", (5, 0))
    assert not Receipt.objects.exists()


def told_why(order):
    """The amount and reason in the buyer's message about a refund."""
    notice = Notice.objects.get(order=order, kind="goes_back")
    return notice.facts["amount"], notice.facts["why"]


@pytest.fixture
def given_up(order, payment, buyer_api):
    """The order after its buyer cancelled it, while the prompt is open."""
    buyer_api.post(f"/cashout/{order.order_token}/cancel/")
    order.refresh_from_db()
    return order


def test_the_canceller_of_an_order_is_recorded_once(order, given_up):
    cancel_order(order.pk, cancelled_by="staff")

    order.refresh_from_db()
    assert (given_up.cancelled_by, order.cancelled_by) == ("buyer", "buyer")


def test_money_for_what_its_buyer_gave_up_goes_back_though_the_goods_are_free(
    client, given_up, payment, kettle, buyer_api
):
    post(client, payment, success(payment))

    given_up.refresh_from_db()
    refund = Refund.objects.get()
    assert (given_up.payment_status, stock_of(kettle)) == ("refund_due", (5, 0))
    assert (refund.amount, refund.cause, refund.way) == (3000, "cancelled", "reversal")
    assert [track.track_status for track in given_up.tracks.all()] == ["cancelled"]
    answer = buyer_api.get(f"/cashout/{given_up.order_token}/").json()
    assert answer["prompt"]["message"] == (
        "You had cancelled this order, so the money you paid for it is sent back to you."
    )


def test_the_buyer_is_told_in_both_languages_that_the_money_goes_back(client, given_up, payment):
    told = success(payment)
    post(client, payment, told)
    post(client, payment, told)

    assert told_why(given_up) == (
        3000,
        {"en": "You had cancelled this order.", "sw": "Ulikuwa umeghairi oda hii."},
    )


def test_cancelling_during_a_prompt_promises_a_refund_of_its_money(order, payment, buyer_api):
    answer = buyer_api.post(f"/cashout/{order.order_token}/cancel/").json()

    assert answer["prompt"]["message"] == (
        "You cancelled this order. You owe nothing. If your phone still shows the prompt, cancel "
        "it there: anything you pay for this order now is sent back to you."
    )


def test_an_order_cancelled_by_the_shop_was_not_cancelled_by_its_buyer(order, payment, buyer_api):
    cancel_order(order.pk, cancelled_by="staff")

    answer = buyer_api.get(f"/cashout/{order.order_token}/").json()

    assert answer["prompt"]["message"] == "The shop cancelled this order. You owe nothing."


def test_both_pins_of_a_buyer_who_cancelled_and_ordered_again_pay_once(
    client, given_up, payment, kettle, buyer_api
):
    again = cash_out(buyer_api, (kettle, 2), phone="0733000111").json()
    new = ringing(given_up.buyer.orders.get(order_token=again["order_token"]).payments.get(), "ws2")

    post(client, new, success(new))
    post(client, payment, success(payment))

    given_up.refresh_from_db()
    new.refresh_from_db()
    assert (given_up.payment_status, new.order.payment_status) == ("refund_due", "paid")
    assert stock_of(kettle) == (3, 0)
    assert [(r.order_id, r.amount) for r in Refund.objects.all()] == [(given_up.pk, 3000)]


def test_money_by_hand_for_what_its_buyer_gave_up_goes_back(client, given_up, kettle):
    post_c2b(client, by_hand(given_up.reference, 3000))

    given_up.refresh_from_db()
    assert (given_up.payment_status, stock_of(kettle)) == ("refund_due", (5, 0))
    assert (Refund.objects.get().amount, Refund.objects.get().cause) == (3000, "cancelled")


def test_a_part_of_the_price_of_what_its_buyer_gave_up_goes_back(client, given_up):
    post_c2b(client, by_hand(given_up.reference, 1000))

    given_up.refresh_from_db()
    assert given_up.payment_status == "refund_due"
    assert told_why(given_up)[0] == 1000


def bought(client, buyer, *lines, checkout="ws_CO_2"):
    """Another order of the buyer, prompted on another phone and paid."""
    other = an_order(buyer, *lines, phone="254733000111")
    attempt = ringing(other.payments.get(), checkout)
    post(client, attempt, success(attempt))
    other.refresh_from_db()
    return other


def test_the_buyer_gets_the_reason_that_was_decided_where_several_hold(client, buyer, kettle):
    """More than a day late, bought again since, and off sale: the first of these decides."""
    order, payment = closed_long_ago(buyer, kettle, "expired", timedelta(hours=25))
    bought(client, buyer, (kettle, 1))
    Product.objects.update(listed=False)

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert (order.payment_status, order.late_refusal) == ("refund_due", "too_late")
    assert [each.cause for each in Refund.objects.filter(order=order)] == ["too_late"]


def test_the_reason_stays_that_of_the_decision_when_more_money_comes(client, order, payment):
    close(order, "expired")
    Product.objects.update(listed=False)
    post(client, payment, success(payment))
    Product.objects.update(listed=True)

    post_c2b(client, by_hand(order.reference, 3000))

    assert [each.cause for each in Refund.objects.order_by("pk")] == ["off_sale", "off_sale"]


def test_each_reason_to_leave_an_order_closed_is_one_of_a_refund():
    assert {*_CAUSE_OF_REFUSAL} == {*LateRefusal}


@pytest.mark.parametrize("how", ["expired", "cancelled by staff"])
def test_late_money_goes_back_where_its_buyer_has_paid_for_the_same_goods(
    client, order, payment, buyer, kettle, how
):
    close(order, how)
    bought(client, buyer, (kettle, 1))

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("refund_due", (4, 0))
    assert (Refund.objects.get().amount, Refund.objects.get().cause) == (3000, "paid_again")
    assert told_why(order)[1] == {
        "en": "You had paid for the same goods with another order.",
        "sw": "Ulikuwa umelipia bidhaa hizo hizo kwa oda nyingine.",
    }


def test_one_product_in_common_is_enough_for_late_money_to_go_back(client, buyer, kettle, seller):
    pan = ProductFactory(seller=seller)
    order = an_order(buyer, (kettle, 1), (pan, 1))
    payment = ringing(order.payments.get())
    close(order, "expired")
    bought(client, buyer, (pan, 1))

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("refund_due", (5, 0))


@pytest.mark.parametrize("other", ["other goods", "before", "cancelled since", "a stranger"])
def test_late_money_takes_the_goods_again_whatever_else_was_bought(
    client, buyer, kettle, seller, other
):
    pan = ProductFactory(seller=seller)
    if other == "before":
        bought(client, buyer, (kettle, 1))
    order = an_order(buyer, (kettle, 2))
    payment = ringing(order.payments.get())
    close(order, "expired")
    if other == "other goods":
        bought(client, buyer, (pan, 1))
    elif other == "cancelled since":
        line = bought(client, buyer, (kettle, 1)).tracks.get()
        move_line(line.pk, "cancelled", actor=buyer)
    elif other == "a stranger":
        bought(client, UserFactory(), (kettle, 1))

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_of_two_expired_orders_for_the_same_goods_one_is_paid(
    client, order, payment, buyer, kettle
):
    other = an_order(buyer, (kettle, 2), phone="254733000111")
    attempt = ringing(other.payments.get(), "ws_CO_2")
    close(order, "expired")
    close(other, "expired")

    post(client, payment, success(payment))
    post(client, attempt, success(attempt))

    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.payment_status, other.payment_status) == ("paid", "refund_due")
    assert stock_of(kettle) == (3, 0)
