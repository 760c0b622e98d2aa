"""Attacks that keep a shop's goods from others: holding them costs nothing, so it is limited."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders import allowance, hold_limits
from orders.allowance import Allowance
from orders.lifecycle import expire_order, expire_unpaid_orders
from orders.models import Order
from payments.checkout.stk_push import retry_payment
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, body, cash_out, paid_line, stock_of


@pytest.fixture
def goods(seller):
    """Eleven products, one of each."""
    return [ProductFactory(seller=seller, item_number=1, price=1500) for _ in range(11)]


def each(products):
    return [(product, 1) for product in products]


def lapsed(buyer, product, times, phone="254711111111"):
    for _ in range(times):
        order = an_order(buyer, (product, 1), phone=phone)
        expire_order(order.pk, now=order.expires_at)


def from_address(api, address, *lines, phone):
    return api.post("/cashout/", body(*lines, phone=phone), REMOTE_ADDR=address)


def test_a_newcomer_takes_the_whole_shop_with_one_order(buyer_api, goods):
    all_of_it = cash_out(buyer_api, *each(goods))
    ten = cash_out(buyer_api, *each(goods[:10]))
    one_more = cash_out(buyer_api, (goods[10], 1))

    assert (all_of_it.status_code, all_of_it.json()) == (
        409,
        {
            "detail": (
                "You can reserve 10 different products before paying, and this would make 11. "
                "Order fewer, or pay or cancel your unpaid orders first. You can reserve more once "
                "you have paid for an order."
            ),
            "code": "too_many_unpaid_goods",
            "most": 10,
        },
    )
    token = ten.json()["order_token"]
    assert (one_more.status_code, one_more.json()["code"]) == (409, "too_many_unpaid_goods")
    assert one_more.json()["order_tokens"] == [token]
    assert Order.objects.count() == 1


def test_buyers_who_have_paid_can_reserve_more_goods(buyer, buyer_api, goods, kettle):
    paid_line(buyer, kettle)

    assert cash_out(buyer_api, *each(goods)).status_code == 201


def test_a_payment_of_a_shilling_makes_no_customer(buyer, buyer_api, goods, seller):
    paid_line(buyer, ProductFactory(seller=seller, price=99))

    assert cash_out(buyer_api, *each(goods)).status_code == 409


def test_a_newcomer_holds_the_dearest_goods_of_a_shop(buyer_api, seller):
    sofas = [ProductFactory(seller=seller, price=150_000) for _ in range(3)]
    first = [cash_out(buyer_api, (sofa, 1)).status_code for sofa in sofas[:2]]

    refused = cash_out(buyer_api, (sofas[2], 1))

    assert first == [201, 201]
    assert (refused.status_code, refused.json()["code"], refused.json()["most"]) == (
        409,
        "too_much_unpaid_value",
        300_000,
    )
    assert refused.json()["detail"].startswith(
        "You can reserve goods worth KES 300,000 before paying."
    )
    assert len(refused.json()["order_tokens"]) == 2


def test_many_newcomers_hold_with_one_phone(buyer_api, seller, goods):
    for _ in range(2):
        others = [ProductFactory(seller=seller) for _ in range(10)]
        an_order(UserFactory(), *each(others), phone="254712345678")

    refused = cash_out(buyer_api, (goods[0], 1), phone="0712345678")
    elsewhere = cash_out(buyer_api, (goods[0], 1), phone="0733000111")

    assert (refused.status_code, refused.json()["code"]) == (409, "phone_holds_too_much")
    assert elsewhere.status_code == 201


def test_newcomers_share_one_phone_to_hold_all_of_one_product(buyer_api, seller):
    mugs = ProductFactory(seller=seller, item_number=100, price=10)
    for _ in range(2):
        an_order(UserFactory(), (mugs, 20), phone="254712345678")

    refused = cash_out(buyer_api, (mugs, 1))

    said = "One phone number can reserve at most 40 of a product before paying."
    assert (refused.status_code, refused.json()) == (400, {"order": [{"number": [said]}]})


def test_strangers_name_a_customers_phone_to_keep_them_from_buying(
    buyer, buyer_api, seller, kettle, goods
):
    customer = UserFactory()
    paid_line(buyer, kettle)
    paid_line(customer, kettle)
    for _ in range(2):
        stranger, others = UserFactory(), [ProductFactory(seller=seller) for _ in range(10)]
        an_order(stranger, *each(others), phone="254712345678")
    lapsed(customer, goods[1], 4, phone="254712345678")

    bought = cash_out(buyer_api, (goods[0], 1), phone="0712345678")

    order = Order.objects.get(order_token=bought.json()["order_token"])
    assert bought.status_code == 201
    assert order.preemptible_after > timezone.now()


def test_an_order_moves_to_a_phone_that_answers_for_enough_already(buyer, buyer_api, seller, goods):
    own = an_order(buyer, (goods[0], 1))
    own.payments.update(live=False, status="failed")
    for _ in range(2):
        others = [ProductFactory(seller=seller) for _ in range(10)]
        an_order(UserFactory(), *each(others), phone="254733000111")

    refused = buyer_api.post(f"/cashout/{own.order_token}/pay/", {"mpesa_number": "0733000111"})

    own.refresh_from_db()
    assert (refused.status_code, refused.json()["code"]) == (409, "phone_holds_too_much")
    assert (own.mpesa_number, own.payments.count()) == ("254712345678", 1)


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("105.161.7.1", "105.161.7.1"),
        ("2001:db8:7:1::1", "2001:db8:7:ffff:a:b:c:d"),
    ],
)
def test_many_newcomers_hold_from_one_network(settings, goods, address, same):
    settings.UNPAID_GOODS_PER_NETWORK = 3
    first, second, third = (signed_in(UserFactory()) for _ in range(3))
    held = from_address(first, address, *each(goods[:2]), phone="0711000001")

    refused = from_address(second, same, *each(goods[2:4]), phone="0711000002")
    one = from_address(second, same, (goods[2], 1), phone="0711000002")
    elsewhere = from_address(third, "105.161.7.2", *each(goods[3:5]), phone="0711000003")

    assert (held.status_code, one.status_code, elsewhere.status_code) == (201, 201, 201)
    assert (refused.status_code, refused.json()["code"]) == (409, "network_holds_too_much")


def test_buyers_who_have_paid_are_not_counted_by_network(settings, buyer, buyer_api, kettle, goods):
    settings.UNPAID_GOODS_PER_NETWORK = 1
    paid_line(buyer, kettle)
    from_address(buyer_api, "105.161.7.1", *each(goods[:2]), phone="0711000001")

    newcomer = from_address(
        signed_in(UserFactory()), "105.161.7.1", (goods[2], 1), phone="0711000002"
    )

    assert newcomer.status_code == 201
    assert set(Order.objects.values_list("network", flat=True)) == {"", "105.161.7.1"}


def test_where_an_order_came_from_is_forgotten_with_it(settings, buyer_api, goods):
    settings.UNPAID_GOODS_PER_NETWORK = 40
    placed = from_address(buyer_api, "105.161.7.1", (goods[0], 1), phone="0711000001").json()

    before = Order.objects.get().network
    buyer_api.post(f"/cashout/{placed['order_token']}/cancel/")

    assert (before, Order.objects.get().network) == ("105.161.7.1", "")


@pytest.mark.parametrize(
    ("limit", "address", "network"),
    [
        (40, "105.161.7.1", "105.161.7.1"),
        (40, "2001:db8:7:9::1", "2001:db8:7::/48"),
        (40, None, ""),
        (0, "105.161.7.1", ""),
    ],
)
def test_a_network_is_an_address_or_a_site(settings, limit, address, network):
    settings.UNPAID_GOODS_PER_NETWORK = limit

    assert hold_limits.newcomer_network(address) == network


def test_one_lapse_harms_nobody(buyer, buyer_api, kettle):
    lapsed(buyer, kettle, 1)

    placed = cash_out(buyer_api, (kettle, 1)).json()

    order = Order.objects.get(order_token=placed["order_token"])
    assert timedelta(minutes=14, seconds=50) < order.expires_at - order.created_at


@pytest.mark.parametrize(
    ("times", "minutes", "orders", "most"),
    [(1, 15, 3, 10), (2, 7.5, 2, 5), (4, 5, 1, 1), (20, 5, 1, 1)],
)
def test_lapsed_reservations_lead_to_fewer_and_shorter_ones(times, minutes, orders, most):
    allowance = Allowance(has_paid=False, lapses=times)

    assert (allowance.hold, allowance.orders, allowance.goods) == (
        timedelta(minutes=minutes),
        orders,
        most,
    )


@pytest.mark.parametrize("ended", ["expired", "given up"])
def test_holds_that_lapse_are_renewed_again_and_again(buyer, buyer_api, goods, ended):
    for _ in range(3):
        order = an_order(buyer, (goods[0], 1))
        if ended == "expired":
            expire_order(order.pk, now=order.expires_at)
        else:
            buyer_api.post(f"/cashout/{order.order_token}/cancel/")

    three = cash_out(buyer_api, *each(goods[:3]))
    two = cash_out(buyer_api, *each(goods[:2]))
    second = cash_out(buyer_api, (goods[3], 1))

    held_for = Order.objects.latest("pk").expires_at - timezone.now()
    assert (three.json()["code"], two.status_code) == ("too_many_unpaid_goods", 201)
    assert timedelta(minutes=4, seconds=50) < held_for <= timedelta(minutes=5)
    assert second.json()["detail"] == (
        "You have an order waiting to be paid. Pay or cancel it first."
    )


def test_fresh_accounts_renew_with_the_same_phone(buyer_api, goods):
    lapsed(UserFactory(), goods[0], 2, phone="254712345678")
    lapsed(UserFactory(), goods[0], 1, phone="254712345678")

    refused = cash_out(buyer_api, *each(goods[:3]), phone="0712345678")

    assert (refused.json()["code"], refused.json()["most"]) == ("too_many_unpaid_goods", 2)


def test_a_payment_wipes_out_what_lapsed(buyer, buyer_api, goods, kettle):
    lapsed(buyer, goods[0], 4)
    paid_line(buyer, kettle)

    assert cash_out(buyer_api, *each(goods)).status_code == 201


def test_old_lapses_are_forgotten(buyer, buyer_api, goods, monkeypatch):
    lapsed(buyer, goods[0], 4)
    refused = cash_out(buyer_api, *each(goods[:10])).status_code
    monkeypatch.setattr(allowance, "LAPSES_COUNT_FOR", timedelta(0))

    assert refused == 409
    assert cash_out(buyer_api, *each(goods[:10])).status_code == 201


def test_goods_of_a_buyer_whose_prompt_is_over_go_to_the_next_buyer(buyer, buyer_api, goods):
    held = an_order(UserFactory(), *each(goods[:2]), phone="254711111111")

    while_it_rings = cash_out(buyer_api, (goods[0], 1))
    Order.objects.update(preemptible_after=timezone.now())
    afterwards = cash_out(buyer_api, (goods[0], 1))

    held.refresh_from_db()
    assert (while_it_rings.status_code, while_it_rings.json()) == (
        400,
        {"order": [{"number": ["Sold out."]}]},
    )
    assert afterwards.status_code == 201
    assert (held.payment_status, held.preempted) == ("expired", True)
    assert (stock_of(goods[0]), stock_of(goods[1])) == ((1, 1), (1, 0))


def test_nothing_is_taken_away_while_there_is_enough(buyer_api, kettle):
    held = an_order(UserFactory(), (kettle, 2), phone="254711111111")
    Order.objects.update(preemptible_after=timezone.now())

    cash_out(buyer_api, (kettle, 3))

    held.refresh_from_db()
    assert (held.payment_status, stock_of(kettle)) == ("requested", (5, 5))


def test_no_more_is_taken_away_than_is_wanted_and_the_longest_silent_goes_first(buyer_api, kettle):
    first, second, _ = (
        an_order(UserFactory(), (kettle, n), phone=f"25471111111{n}") for n in (2, 1, 1)
    )
    for minutes, order in ((1, first), (2, second)):
        over = timezone.now() - timedelta(minutes=minutes)
        Order.objects.filter(pk=order.pk).update(preemptible_after=over)

    # One is free, and the second order's is the other.
    response = cash_out(buyer_api, (kettle, 2))

    assert response.status_code == 201
    assert [order.payment_status for order in Order.objects.order_by("pk")][:3] == [
        "requested",
        "expired",
        "requested",
    ]


def test_nobody_loses_a_hold_for_a_buyer_who_cannot_have_enough_anyway(buyer_api, kettle):
    held = an_order(UserFactory(), (kettle, 2), phone="254711111111")
    Order.objects.update(preemptible_after=timezone.now())
    an_order(UserFactory(), (kettle, 3), phone="254722222222")

    refused = cash_out(buyer_api, (kettle, 3))

    held.refresh_from_db()
    assert (refused.status_code, held.payment_status) == (400, "requested")


def test_buyers_with_lapsed_orders_take_no_reserved_goods_and_can_lose_theirs(
    buyer, buyer_api, goods
):
    lapsed(buyer, goods[0], 4)
    an_order(UserFactory(), (goods[0], 1), phone="254722222222")
    Order.objects.update(preemptible_after=timezone.now())

    takes = cash_out(buyer_api, (goods[0], 1))
    holds_on = cash_out(buyer_api, (goods[1], 1))
    wanted = cash_out(signed_in(UserFactory()), (goods[1], 1), phone="0733000111")

    assert (takes.status_code, holds_on.status_code, wanted.status_code) == (400, 201, 201)


def test_no_ringing_keeps_goods_from_others_for_longer_than_six_minutes(buyer, goods):
    order = an_order(buyer, (goods[0], 1))
    placed_at = order.created_at

    firm_for = []
    for minutes in (2, 4, 6, 8):
        order.payments.update(live=False, status="failed")
        retry_payment(order, now=placed_at + timedelta(minutes=minutes))
        order.refresh_from_db()
        firm_for.append((order.preemptible_after - placed_at).total_seconds() / 60)

    assert firm_for == [5, 6, 6, 6]


def test_no_ringing_hides_the_last_ones_for_longer_than_eleven_minutes(buyer, goods, kettle):
    last = an_order(buyer, (goods[0], 1))
    ample = an_order(buyer, (kettle, 1))

    ends = []
    for order in (last, ample):
        order.payments.update(live=False, status="failed")
        Order.objects.filter(pk=order.pk).update(expires_at=order.created_at + timedelta(minutes=9))
        retry_payment(order, now=order.created_at + timedelta(minutes=8))
        order.refresh_from_db()
        ends.append(round((order.expires_at - order.created_at).total_seconds() / 60))

    assert ends == [11, 15]


def test_a_buyer_loses_nothing_to_an_order_of_their_own(buyer, buyer_api, goods):
    own = an_order(buyer, (goods[0], 1), phone="254711111111")
    Order.objects.update(preemptible_after=timezone.now())

    refused = cash_out(buyer_api, (goods[0], 1))

    own.refresh_from_db()
    assert (refused.json()["code"], own.payment_status) == ("held_by_your_order", "requested")


def test_an_order_that_yielded_tells_its_buyer(buyer, buyer_api, goods):
    own = an_order(buyer, (goods[0], 1), phone="254711111111")
    Order.objects.update(preemptible_after=timezone.now())
    cash_out(signed_in(UserFactory()), (goods[0], 1))

    now = buyer_api.get(f"/cashout/{own.order_token}/").json()
    again = buyer_api.post(f"/cashout/{own.order_token}/pay/")

    assert (now["payment_status"], again.json()["code"]) == ("expired", "order_closed")
    assert now["prompt"]["message"] == (
        "The payment was not completed in time, and another buyer got the last items. Start a new "
        "order to see what is still available."
    )
    assert expire_unpaid_orders() == 0
