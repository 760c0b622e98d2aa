"""Lines at the same moment as everything else, with real threads on PostgreSQL."""

from collections import Counter
from datetime import timedelta

import pytest

from orders.fulfilment import auto_confirm_deliveries, move_line
from orders.models import Order
from payments.models import Refund, SellerShare
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.transfers import mark_done
from products import stock
from products.models import StockMovement
from products.stock import StockLine
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, cash_out, stock_of
from tests.threads import at_once

from .lines import line_at, move, steps, with_role

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

TURNS = pytest.mark.parametrize("turn", range(3))


@pytest.fixture
def staff(db):
    return UserFactory(is_superuser=True)


def statuses(answers):
    return Counter(getattr(answer, "status_code", repr(answer)) for answer in answers)


def test_agents_who_fetch_one_line_at_once_fetch_it_once(buyer, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)
    agents = [with_role("delivery") for _ in range(5)]

    answers = at_once(*[lambda agent=agent: move(agent, line, "fetched") for agent in agents])

    assert statuses(answers) == {200: 5}
    assert steps(line) == ["paid", "fetched"]
    assert SellerShare.objects.count() == 1


@TURNS
def test_of_two_agents_one_of_whom_is_ahead_no_step_is_lost_or_undone(buyer, kettle, turn):
    line = line_at("fetched", buyer=buyer, product=kettle)
    one, other = with_role("delivery"), with_role("delivery")

    answers = at_once(
        lambda: move(one, line, "shipping"),
        lambda: move(other, line, "delivered", code=line.collection_code),
    )

    assert (answers[1].status_code, answers[0].status_code in {200, 409}) == (200, True)
    assert steps(line) in [
        ["paid", "fetched", "delivered"],
        ["paid", "fetched", "shipping", "delivered"],
    ]


@TURNS
def test_a_buyer_who_cancels_and_an_agent_who_fetches_at_once(buyer, kettle, turn):
    line = line_at("paid", buyer=buyer, product=kettle)
    agent = with_role("delivery")

    answers = at_once(lambda: move(buyer, line, "cancelled"), lambda: move(agent, line, "fetched"))

    assert statuses(answers) == {200: 1, 409: 1}
    ends = (steps(line)[-1], stock_of(kettle), Refund.objects.count(), SellerShare.objects.count())
    assert ends in [("cancelled", (5, 0), 1, 0), ("fetched", (4, 0), 0, 1)]


def test_cancelling_many_times_at_once_pays_back_once(buyer, seller, kettle, staff):
    line = line_at("paid", buyer=buyer, product=kettle)

    answers = at_once(
        *[lambda: move(buyer, line, "cancelled")] * 3,
        lambda: move(seller, line, "cancelled", note="It fell.", goods_there=True),
        lambda: move(staff, line, "cancelled", note="It fell.", goods_there=True),
    )

    assert statuses(answers) == {200: 5}
    assert (steps(line), stock_of(kettle)) == (["paid", "cancelled"], (5, 0))
    assert list(Refund.objects.values_list("amount", flat=True)) == [1500]


@pytest.fixture
def two(buyer, kettle, seller):
    """The two lines of a paid order."""
    order = an_order(buyer, (kettle, 2), (ProductFactory(seller=seller, price=400), 1))
    record_outcome(
        order.payments.get().pk, AttemptOutcome(True, "0", "", "callback", 3400, "SGR0000011")
    )
    return list(order.tracks.order_by("product_id"))


@TURNS
def test_both_lines_of_an_order_cancelled_at_once_end_it(two, buyer, turn):
    answers = at_once(*[lambda line=line: move(buyer, line, "cancelled") for line in two])

    assert statuses(answers) == {200: 2}
    assert Order.objects.get().payment_status == "refund_due"
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [400, 3000]


@TURNS
def test_the_first_money_back_and_the_last_line_cancelled_at_once(two, buyer, turn):
    move(buyer, two[0], "cancelled")
    first = Refund.objects.get()

    answers = at_once(
        lambda: mark_done(first, number="TKY8000001"),
        lambda: move(buyer, two[1], "cancelled").status_code,
    )

    assert answers[1] == 200
    assert Order.objects.get().payment_status == "refund_due"
    mark_done(Refund.objects.exclude(pk=first.pk).get(), number="TKY8000002")
    assert Order.objects.get().payment_status == "refunded"
    assert [steps(line)[-1] for line in two] == ["refunded", "refunded"]


def test_concurrent_returns_and_sales_both_count(buyer, kettle):
    """Three are left; two come back while five buyers want one each, and a box of two comes."""
    line = line_at("paid", buyer=buyer, product=kettle, number=2)
    others = [signed_in(UserFactory()) for _ in range(5)]

    answers = at_once(
        lambda: move(buyer, line, "cancelled"),
        lambda: stock.restock(StockLine(kettle.pk, 2), reference="restock:1"),
        lambda: stock.restock(StockLine(kettle.pk, 2), reference="restock:1"),
        *[
            lambda api=api, n=n: cash_out(api, (kettle, 1), phone=f"0712{n:06d}")
            for n, api in enumerate(others)
        ],
    )

    sold = statuses(answers[3:])[201]
    assert sold >= 3
    assert stock_of(kettle) == (7, sold)
    assert StockMovement.objects.filter(reference__startswith="re").count() == 2


def test_clocks_at_once_confirm_a_silent_delivery_once(buyer, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)
    week_later = line.updated_at + timedelta(days=7)

    confirmed = at_once(
        *[lambda: auto_confirm_deliveries(week_later)] * 4,
        lambda: move_line(line.pk, "delivered", actor=buyer) and 0,
    )

    assert sum(confirmed) in {0, 1}
    assert steps(line).count("delivered") == 1
