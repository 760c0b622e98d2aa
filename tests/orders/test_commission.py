"""The shop's commission: never more than its rate, and whole shillings on every line."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.commission import commissions
from tests.factories import ProductFactory
from tests.shopping import an_order

percents = st.decimals(0, 100, places=2)
amounts = st.lists(st.integers(1, 250_000), min_size=1, max_size=30)


@given(amounts, percents)
def test_the_parts_are_the_percentage_of_the_whole_rounded_down(amounts, percent):
    assert sum(commissions(amounts, percent)) == int(sum(amounts) * percent / 100)


@given(amounts, percents)
def test_each_part_is_its_exact_one_rounded_down_or_up(amounts, percent):
    for amount, part in zip(amounts, commissions(amounts, percent), strict=True):
        assert abs(part - amount * percent / 100) < 1
        assert 0 <= part <= amount


@given(amounts, percents)
def test_nobody_who_lost_less_is_rounded_up_before_one_who_lost_more(amounts, percent):
    exact = [amount * percent / 100 for amount in amounts]
    parts = commissions(amounts, percent)

    up = [value % 1 for value, part in zip(exact, parts, strict=True) if part > value]
    down = [value % 1 for value, part in zip(exact, parts, strict=True) if part <= value]

    assert min(up, default=1) >= max(down, default=0)


@pytest.mark.parametrize(
    ("amounts", "percent", "parts"),
    [
        # exact: 0.5, 0.5; the shilling that is left goes to the earlier
        ([5, 5], "10", [1, 0]),
        # exact: 1.5, 0.9, 0.6: two shillings are left, for 0.9 and 0.6
        ([15, 9, 6], "10", [1, 1, 1]),
        # exact: 0.33 each: not one whole shilling
        ([1, 1, 1], "33", [0, 0, 0]),
        # exact: 2.5, 37.5, 0.025
        ([100, 1500, 1], "2.5", [3, 37, 0]),
        ([1500], "0", [0]),
        ([1500, 1], "100", [1500, 1]),
    ],
)
def test_the_remainder_goes_to_the_lines_that_lost_most(amounts, percent, parts):
    assert commissions(amounts, Decimal(percent)) == parts


def test_the_settings_percentage_counts_where_none_is_given(settings):
    settings.COMMISSION_PERCENT = Decimal("7.5")

    assert commissions([1000, 20]) == [75, 1]


@pytest.mark.django_db
def test_the_commission_is_fixed_at_the_sale(buyer, seller, settings):
    settings.COMMISSION_PERCENT = Decimal("10")
    mug, pan = [ProductFactory(seller=seller, price=price) for price in (25, 25)]

    order = an_order(buyer, (mug, 1), (pan, 1))
    settings.COMMISSION_PERCENT = Decimal("50")

    lines = order.tracks.order_by("product_id")
    assert [(line.commission, line.share) for line in lines] == [(3, 22), (2, 23)]
