"""What buyer and seller see of an order's amounts once a part of its price went back."""

import pytest

from payments.models import Refund
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.transfers import mark_done
from tests.shopping import an_order

from .conftest import decide, report

pytestmark = pytest.mark.django_db


def shown(api, order):
    """Refund, what of it arrived, and each line's reduction: on the page, and in the list."""
    full = api.get(f"/cashout/{order.order_token}/").json()
    row = next(each for each in api.get("/orders/").json() if each["reference"] == order.reference)
    members = [
        (each["refund"], each["refunded"], [line["reduced"] for line in each["order"]])
        for each in (full, row)
    ]
    assert members[0] == members[1]
    return members[0]


def test_nothing_goes_back_of_an_order_without_a_problem(line, buyer_api):
    assert shown(buyer_api, line.order) == (0, 0, [0])


def test_a_part_is_due_until_mpesa_sent_it(problem, line, clerk, buyer_api):
    decide(problem, "part", clerk, amount=300)

    assert shown(buyer_api, line.order) == (300, 0, [300])
    mark_done(Refund.objects.get(), number="SHF0000009")
    assert shown(buyer_api, line.order) == (300, 300, [300])


def test_the_line_is_reduced_for_buyer_and_seller(problem, line, clerk, buyer_api, seller_api):
    decide(problem, "part", clerk, amount=300)

    assert buyer_api.get(f"/track/order/{line.pk}/").json()["reduced"] == 300
    assert [row["reduced"] for row in buyer_api.get("/track/order/").json()] == [300]
    sales = seller_api.get("/seller/orders/", {"status": "delivered"}).json()
    assert [row["reduced"] for row in sales] == [300]


def test_what_is_left_of_a_reduced_line_goes_back_with_it(problem, line, buyer, clerk, buyer_api):
    decide(problem, "part", clerk, amount=300)
    decide(report(line, buyer, text="Now it is dead."), "refund", clerk)

    assert shown(buyer_api, line.order) == (1500, 0, [300])


def test_what_was_paid_too_much_goes_back_too(buyer, buyer_api, kettle):
    order = an_order(buyer, (kettle, 1))
    told = AttemptOutcome(True, "0", "", "callback", 1650, "SGL0000001")
    record_outcome(order.payments.get().pk, told)

    assert shown(buyer_api, order) == (150, 0, [0])
