"""The exact number of queries of each request."""

from types import SimpleNamespace

from django.db import connection

from omachemainproj import background
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import ProductFactory
from tests.shopping import an_order, cash_out


def warm(api):
    """Whatever is asked only once per process has been asked."""
    api.get("/track/order/")


def test_cashing_out_one_line(buyer_api, kettle, django_assert_num_queries):
    warm(buyer_api)

    # caller; savepoint (BEGIN where there is no test around it); the buyer's lock, with what they
    # paid for and let lapse; their unpaid orders; products; order; attempt; lines; the digest of it
    # all; what is held near them; hold; release; the last attempt
    with django_assert_num_queries(13):
        response = cash_out(buyer_api, (kettle, 1))

    assert response.status_code == 201


def test_cashing_out_while_others_ring_the_phone(
    buyer_api, kettle, monkeypatch, django_assert_num_queries
):
    warm(buyer_api)
    put_off = []
    threads = SimpleNamespace(put=lambda *task: put_off.append(task))
    monkeypatch.setattr(background, "_threads", threads)

    # as above, but for the last attempt: it is as it was requested
    with django_assert_num_queries(12):
        prompt = cash_out(buyer_api, (kettle, 1)).json()["prompt"]

    assert (prompt["status"], prompt["code"]) == ("requested", "about_to_ring")
    assert prompt["ring_again_in"] is not None


def test_cashing_out_where_newcomers_of_a_network_are_counted(
    buyer_api, kettle, settings, django_assert_num_queries
):
    settings.UNPAID_GOODS_PER_NETWORK = 40
    warm(buyer_api)

    # as above; on PostgreSQL they wait for others in their network
    with django_assert_num_queries(14 if connection.vendor == "postgresql" else 13):
        response = cash_out(buyer_api, (kettle, 1))

    assert response.status_code == 201


def test_cashing_out_three_lines_costs_two_holds_more(
    buyer_api, kettle, seller, django_assert_num_queries
):
    pan, pot = ProductFactory(seller=seller), ProductFactory(seller=seller)
    warm(buyer_api)

    # as above, and two holds
    with django_assert_num_queries(15):
        response = cash_out(buyer_api, (kettle, 1), (pan, 1), (pot, 1))

    assert response.status_code == 201


def test_cashing_out_again_asks_no_more(buyer, buyer_api, kettle, django_assert_num_queries):
    an_order(buyer, (kettle, 1))
    warm(buyer_api)

    # as for one line: what they hold already was asked for then too
    with django_assert_num_queries(13):
        cash_out(buyer_api, (kettle, 1), phone="0733000111")


def test_looking_at_an_order(buyer, buyer_api, kettle, django_assert_num_queries):
    order = an_order(buyer, (kettle, 1))
    warm(buyer_api)

    # caller, order, its lines, its last attempt, what came for it
    with django_assert_num_queries(5):
        buyer_api.get(f"/cashout/{order.order_token}/")


def test_giving_an_order_up(buyer, buyer_api, kettle, django_assert_num_queries):
    order = an_order(buyer, (kettle, 1))
    warm(buyer_api)

    # caller, order; savepoint; its lock; its status; lines moved, their events (in a savepoint of
    # their own where that is two); what it holds; one release a line; release; last attempt, lines,
    # what came for it and went back
    with django_assert_num_queries(13):
        buyer_api.post(f"/cashout/{order.order_token}/cancel/")


def test_queries_of_another_prompt(buyer, buyer_api, kettle, django_assert_num_queries):
    order = an_order(buyer, (kettle, 1))
    order.payments.update(live=False, status="failed")
    warm(buyer_api)

    # caller, order; unsent and silent prompts; savepoint; the attempts' locks, the order's lock,
    # whether goods are sold out otherwise, the hold's time, what came for it; savepoint, the
    # attempt, release; release; order, lines, last attempt, what came for it
    with django_assert_num_queries(18):
        buyer_api.post(f"/cashout/{order.order_token}/pay/")


def test_the_tracking_list_costs_the_same_for_one_line_or_many(
    buyer, buyer_api, seller, django_assert_num_queries
):
    an_order(buyer, *[(ProductFactory(seller=seller), 1) for _ in range(9)])
    warm(buyer_api)

    # caller; lines with their orders, products and sellers
    with django_assert_num_queries(2):
        rows = buyer_api.get("/track/order/").json()

    assert len(rows) == 9


def test_looking_at_a_paid_order_costs_as_much_as_while_it_waits(
    buyer, buyer_api, kettle, django_assert_num_queries
):
    order = an_order(buyer, (kettle, 1))
    told = AttemptOutcome(True, "0", "", "callback", 1500, "SGL0000001")
    record_outcome(order.payments.get().pk, told)
    warm(buyer_api)

    # caller, order, its lines, its last attempt, what came for it and went back
    with django_assert_num_queries(5):
        buyer_api.get(f"/cashout/{order.order_token}/")
