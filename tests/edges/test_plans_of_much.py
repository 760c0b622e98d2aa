"""How PostgreSQL reads what grows with the shop: by an index that serves it, and no further.

A shop of a few rows is read whole whatever indexes there are, so that is made dear here: what no
index serves is read whole all the same, or sorted, and the plan says so.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.problems.queries import problems_of_seller
from payments.backoffice.dashboard import late_parcels
from payments.backoffice.period import Period
from products.catalogue.filters import ListingFilter
from products.models import Product
from tests.factories import ProductFactory

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def plan_of(rows):
    """The plan of a queryset, or of a statement that was captured, if rows were many."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "sort", "bitmapscan", "hashagg", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        if isinstance(rows, str):
            cursor.execute(f"EXPLAIN {rows}")
            return "\n".join(line for (line,) in cursor.fetchall())
    return rows.explain(costs=False)


def statements_of(read):
    with CaptureQueriesContext(connection) as asked:
        read()
    return [query["sql"] for query in asked.captured_queries]


def lately():
    now = timezone.now()
    today = timezone.localdate(now)
    return Period(now=now, first=today, last=today)


def test_a_sellers_problems_are_read_in_the_order_they_are_shown(seller):
    plan = plan_of(problems_of_seller(seller)[:26])

    assert "Index Scan using problem_of_seller_undecided" in plan
    assert "Sort" not in plan


def test_things_said_are_counted_of_the_problems_that_are_shown_alone(seller):
    plan = plan_of(problems_of_seller(seller)[:26])

    # No row is grouped before the page is cut: the problems are joined to their lines at most.
    assert plan.startswith("Limit\n  ->  Nested Loop")
    assert plan.index("SubPlan") < plan.index("GroupAggregate")


def test_late_parcels_are_looked_for_from_the_oldest_order_on():
    (statement,) = statements_of(lambda: late_parcels(lately()))

    plan = plan_of(statement)

    assert "using track_to_bring on orders_ordertrack" in plan
    assert "Sort" not in plan
    assert "Unique" not in plan


def test_a_seller_looks_for_words_among_their_own_goods_alone(seller):
    ProductFactory.create_batch(3, seller=seller, name="Kettle")
    mine = Product.objects.owned_by(seller).order_by("-pk")
    found = ListingFilter({"search": "kettle"}, mine).qs

    plan = plan_of(found[:26])

    assert found.count() == 3
    assert "product_search" not in plan
    assert "seller_id" in plan
