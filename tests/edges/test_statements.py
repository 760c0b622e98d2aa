"""Statements compiled once answer as the querysets they were made of."""

import pytest
from django.db import transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from omachemainproj.compiled_queries import (
    NUMBERS,
    TEXT,
    compile_instances,
    compile_rows,
    compile_update,
    locked_row,
)
from orders.models import Order
from products.models import Product
from tests.factories import ProductFactory
from tests.shopping import an_order

ONE, OTHER = NUMBERS


@pytest.mark.django_db
def test_rows_are_those_of_the_marks_filled_in():
    kettle = ProductFactory(name="Kettle")
    pan = ProductFactory(name="Pan")
    later = Product.objects.filter(pk__gt=ONE, name=TEXT)

    statement = compile_rows(later.values_list("id", "name"), ["id", "name"])

    found = [tuple(row) for row in statement.rows({ONE: kettle.pk, TEXT: "Pan"})]
    assert found == [(pan.pk, "Pan")]
    assert statement.rows({ONE: pan.pk, TEXT: "Pan"}) == []


@pytest.mark.django_db
def test_instances_are_whole(buyer, kettle):
    order = an_order(buyer, (kettle, 1))

    (read,) = compile_instances(Order.objects.filter(pk=ONE)).instances({ONE: order.pk})

    assert read == order
    assert (read.order_token, read.expires_at) == (order.order_token, order.expires_at)
    assert read.get_deferred_fields() == set()


@pytest.mark.django_db
def test_an_update_tells_how_many_rows_it_wrote(kettle):
    statement = compile_update(
        Product.objects.filter(pk=ONE, item_number__gte=F("held") + OTHER),
        held=F("held") + OTHER,
    )

    written = statement.run({ONE: kettle.pk, OTHER: 2}), statement.run({ONE: kettle.pk, OTHER: 9})

    kettle.refresh_from_db()
    assert written == (1, 0)
    assert kettle.held == 2


@pytest.mark.django_db(transaction=True)
def test_a_lock_needs_a_transaction(kettle):
    with pytest.raises(TransactionManagementError):
        locked_row(Product, kettle.pk)
    with transaction.atomic():
        assert locked_row(Product, kettle.pk) == kettle


@pytest.mark.django_db
def test_a_row_that_is_not_there_cannot_be_locked():
    with pytest.raises(Product.DoesNotExist):
        locked_row(Product, 4711)
