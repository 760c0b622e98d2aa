"""A busy seller's disputed earnings are found through disputed lines only."""

from copy import copy

import pytest
from django.db import connection, transaction

from orders.fulfilment import move_line
from orders.models import OrderTrack
from payments.models import SellerShare
from products.models import Product
from tests.factories import ProductFactory, UserFactory
from tests.shopping import paid_line

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.usefixtures("never_analyzed"),
]

MANY = 2000


def copies_of(row, count, **columns):
    """As many new rows like this one; ``columns`` are lists of what differs."""
    rows = []
    for at in range(count):
        new = copy(row)
        new.pk = None
        for name, values in columns.items():
            setattr(new, name, values[at])
        rows.append(new)
    return type(row)._base_manager.bulk_create(rows)


def test_disputed_earnings_begin_with_the_lines_in_dispute(buyer, seller):
    line = paid_line(buyer, ProductFactory(seller=seller))
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    line, product = OrderTrack.objects.get(), Product.objects.get()
    # Rolled back at the end: nobody keeps the books of lines that were never sold.
    with transaction.atomic():
        products = copies_of(product, MANY, sku=[None] * MANY)
        lines = copies_of(line, MANY, product=products)
        copies_of(SellerShare.objects.get(), MANY, track=lines)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE orders_ordertrack, payments_sellershare, payments_payout")
        plan = SellerShare.objects.held_of(seller).explain()
        transaction.set_rollback(True)

    assert "track_disputed" in plan
