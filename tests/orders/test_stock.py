"""Stock: nothing is promised twice, and goods leave it once per order."""

import pytest
from django.db import IntegrityError, transaction

from products import stock
from products.models import Product, StockMovement
from products.stock import Shortage, StockLine
from tests.factories import ProductFactory
from tests.shopping import stock_of


def held(product, number):
    """Promised goods whose order a test does not need."""
    stock.hold([StockLine(product.pk, number)])


@pytest.fixture
def only_stock(kettle):
    """A kettle whose holds belong to no order; they are undone before the books are checked."""
    yield kettle
    Product.objects.filter(pk=kettle.pk).update(held=0)


def test_free_stock_can_be_reserved(only_stock):
    held(only_stock, 3)
    held(only_stock, 2)

    assert stock_of(only_stock) == (5, 5)


def test_reserving_more_than_is_free_is_a_shortage(only_stock):
    held(only_stock, 3)

    with pytest.raises(Shortage) as shortage:
        held(only_stock, 3)

    assert shortage.value.product_id == only_stock.pk
    assert stock_of(only_stock) == (5, 3)


def test_a_hidden_product_is_a_shortage(only_stock):
    Product.objects.update(listed=False)

    with pytest.raises(Shortage):
        held(only_stock, 1)

    assert stock_of(only_stock) == (5, 0)


def test_goods_leave_the_shelf_once_per_reference(only_stock):
    held(only_stock, 3)

    with transaction.atomic():
        stock.take([StockLine(only_stock.pk, 2)], reference="order:1")
        stock.take([StockLine(only_stock.pk, 2)], reference="order:1")
        left = stock_of(only_stock)
        moved = list(only_stock.movements.order_by("pk").values_list("quantity", "reference"))
        # There is no such order, and what is moved is kept.
        transaction.set_rollback(True)

    assert left == (3, 1)
    assert moved == [(5, "listed"), (-2, "order:1")]


def test_the_database_refuses_a_second_movement_for_one_reference(kettle):
    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.create(product=kettle, quantity=1, reference="listed")


@pytest.mark.parametrize("numbers", [{"held": 6}, {"item_number": -1}, {"held": -1}])
def test_the_database_refuses_impossible_shelves(kettle, numbers):
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.filter(pk=kettle.pk).update(**numbers)


def test_lines_are_held_in_the_order_of_their_ids(only_stock, seller, django_assert_num_queries):
    pan = ProductFactory(seller=seller)

    with django_assert_num_queries(2) as updates:
        stock.hold([StockLine(pan.pk, 1), StockLine(only_stock.pk, 1)])

    Product.objects.update(held=0)
    first, second = [update["sql"] for update in updates.captured_queries]
    assert f'"id" = {only_stock.pk} ' in first
    assert f'"id" = {pan.pk} ' in second
