"""A seller's view of their money, from the sale to M-Pesa's receipt, over real HTTP."""

import pytest
from django.db import transaction
from django.utils import timezone

from orders.fulfilment import move_line
from orders.models import OrderTrack
from payments import clock
from payments.daraja.result_codes import TransferFailure
from payments.models import GatewayEvent, Payout
from payments.payouts.serializers import represent_payout
from payments.proof.simulator_books import compare
from payments.transfers import mark_refused
from tests.conftest import signed_in
from tests.factories import PASSWORD, ProductFactory, UserFactory
from tests.shopping import an_order

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulator_habits():
    return {"external_validation": False}


@pytest.fixture(autouse=True)
def money_moves_both_ways(initiator_certificate, c2b_urls, settings):
    settings.DARAJA_STATEMENT = False
    settings.COMMISSION_PERCENT = 5


@pytest.fixture
def agent(db):
    return UserFactory(username="otieno", is_staff=True, is_superuser=True)


@pytest.fixture
def order(buyer, kettle, seller, simulator):
    """Two kettles at KES 1,500 and a pan at KES 700, paid."""
    pan = ProductFactory(seller=seller, name="Pan", price=700)
    order = an_order(buyer, (kettle, 2), (pan, 1))
    settled(simulator)
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return order


@pytest.fixture
def sold(order, agent):
    """Both lines fetched: KES 3,000 less 150, KES 700 less 35."""
    for line in order.tracks.order_by("pk"):
        move_line(line.pk, "fetched", actor=agent)
    return order


def paid_out(simulator, *, events=2):
    before = GatewayEvent.objects.count()
    clock.run_periodic()
    settled(simulator, events=before + events)


def test_a_sale_its_commission_and_its_payout_are_on_the_statement(sold, seller_api, simulator):
    paid_out(simulator)

    rows = seller_api.get("/seller/statement/").json()

    assert [
        (row["kind"], row["amount"], row["balance"]) for row in rows if row["number"] is None
    ] == [
        ("commission", -35, 3515),
        ("sale", 700, 3550),
        ("commission", -150, 2850),
        ("sale", 3000, 3000),
    ]
    assert sorted((row["kind"], row["amount"]) for row in rows[:2]) == [
        ("payout", -2850),
        ("payout", -665),
    ]
    assert (rows[0]["balance"], rows[-1]["order"], rows[-1]["product"]) == (
        0,
        sold.reference,
        "Kettle",
    )


def test_the_amount_sent_is_the_one_m_pesa_reports(sold, seller, simulator):
    paid_out(simulator)

    sent = Payout.objects.order_by("pk").values_list("status", "amount", "phone")
    assert list(sent) == [("done", 2850, "254722000000"), ("done", 665, "254722000000")]
    assert compare(simulator.books()) == []


def test_the_statement_is_a_file_too(sold, seller_api):
    answer = seller_api.get("/seller/statement/export/")

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert lines[0] == "id,at,kind,amount,balance,order,product,number"
    assert [line.split(",")[2:5] for line in lines[1:]] == [
        ["sale", "3000", "3000"],
        ["commission", "-150", "2850"],
        ["sale", "700", "3550"],
        ["commission", "-35", "3515"],
    ]


def test_no_spreadsheet_saves_what_a_statement_says_as_another(sold, seller_api):
    with transaction.atomic():
        OrderTrack.objects.update(name="00123")
        answer = seller_api.get("/seller/statement/export/")
        lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
        # It was sold under another name.
        transaction.set_rollback(True)

    assert {line.split(",")[6] for line in lines[1:]} == {"'00123"}


def test_a_page_of_the_statement_starts_with_the_balance_there(sold, seller_api):
    first = seller_api.get("/seller/statement/?page_size=2")
    second = seller_api.get(first["Link"].split(";")[0].strip("<>"))

    assert [row["balance"] for row in first.json() + second.json()] == [3515, 3550, 2850, 3000]


def test_a_statement_is_a_seller_s_own(sold, buyer_api):
    assert buyer_api.get("/seller/statement/").json() == []
    assert buyer_api.get("/seller/payouts/").json() == []


def test_a_statement_costs_three_queries(sold, seller_api, django_assert_num_queries):
    with django_assert_num_queries(3):  # the caller, the page, the balance
        seller_api.get("/seller/statement/")


def test_payouts_cost_three_queries(sold, seller_api, django_assert_num_queries):
    with django_assert_num_queries(3):  # the caller, the page, its shares
        seller_api.get("/seller/payouts/")


def test_a_payout_tells_where_it_goes_and_what_for(sold, seller_api):
    line = sold.tracks.order_by("pk").last()

    [newest, _] = seller_api.get("/seller/payouts/").json()

    payout = Payout.objects.last()
    assert newest == {
        "id": payout.pk,
        "status": "waiting",
        "amount": 665,
        "kept_back": 0,
        "mpesa_number": "254722000000",
        "number": "",
        "lines": [line.pk],
        "reason": "",
        "created_at": payout.created_at.isoformat(),
        "done_at": None,
    }


@pytest.mark.parametrize(("status", "unseen"), [("done", False), ("done", True), ("due", True)])
def test_staff_only_details_of_a_payout_are_not_shown_to_its_seller(sold, status, unseen):
    payout = Payout.objects.latest("pk")
    payout.status, payout.unacknowledged = status, unseen
    payout.note = "It was thought to have failed: the same money may have gone twice."

    assert represent_payout(payout)["reason"] == ""


@pytest.fixture
def refused(sold):
    """The kettles' payout, to a number M-Pesa does not know."""
    payout = Payout.objects.order_by("pk").first()
    Payout.objects.filter(pk=payout.pk).update(
        status="unknown", sent_at=timezone.now(), next_check_at=timezone.now()
    )
    reason = TransferFailure.NOT_REGISTERED
    mark_refused(payout, code="2040", text="Credit party unknown", reason=reason)
    return payout


def new_number(client, payout, **changed):
    body = {"mpesa_number": "0733000222", "password": PASSWORD, **changed}
    return client.post(f"/seller/payouts/{payout.pk}/number/", body)


def test_a_seller_sends_what_was_refused_to_another_number(refused, seller_api):
    answer = new_number(seller_api, refused)

    assert (answer.status_code, answer.json()["status"]) == (200, "replaced")
    newest = Payout.objects.order_by("pk").last()
    assert (newest.amount, newest.phone, newest.status) == (2850, "254733000222", "due")


@pytest.mark.parametrize("password", ["wrong", ""])
def test_another_number_needs_the_password(refused, seller_api, password):
    answer = new_number(seller_api, refused, password=password)

    refused.refresh_from_db()
    assert (answer.status_code, list(answer.json())) == (400, ["password"])
    assert refused.status == "refused"


def test_only_what_was_refused_gets_another_number(refused, seller_api):
    answer = new_number(seller_api, Payout.objects.order_by("pk").last())

    assert (answer.status_code, answer.json()["code"]) == (409, "payout_not_refused")


def test_nobody_redirects_the_money_of_others(refused, buyer_api, agent):
    for client in (buyer_api, signed_in(agent)):
        assert new_number(client, refused).status_code == 404
    refused.refresh_from_db()
    assert refused.status == "refused"
