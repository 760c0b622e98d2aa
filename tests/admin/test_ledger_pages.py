"""Ledger, earnings and payouts in the admin: found, and read-only."""

import pytest
from django.test import Client
from django.utils import timezone

from orders.fulfilment import move_line
from payments.models import LedgerEntry, LedgerPosting, Payout, PayoutDay, SellerShare
from products.models import StockMovement
from tests.factories import UserFactory
from tests.shopping import fetched_line

from .browsers import browser_of, in_role, list_url, row_url
from .pages import facts

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


@pytest.fixture
def line(buyer, kettle):
    """A line of one kettle its seller is owed for, in a payout that M-Pesa has done."""
    line = fetched_line(buyer, kettle)
    share = SellerShare.objects.get(track=line)
    payout = Payout.objects.create(
        seller=line.seller,
        phone=share.phone,
        amount=share.amount,
        gross=share.amount,
        status="done",
        number="TKP1234567",
        done_at=timezone.now(),
    )
    SellerShare.objects.filter(pk=share.pk).update(payout=payout)
    PayoutDay.objects.create(day="2026-11-24", sent=share.amount)
    return line


@pytest.fixture
def finance(db):
    return browser_of(in_role("finance"))


def found(client, model, typed):
    return client.get(list_url(model), {"q": typed}).context["cl"].result_count


ROWS = [LedgerPosting, LedgerEntry, Payout, SellerShare, PayoutDay]


@pytest.mark.parametrize("model", ROWS, ids=lambda model: model.__name__)
def test_finance_reads_a_row_and_nobody_writes_one(finance, staff_browser, line, model):
    row = model.objects.first()
    before = list(model.objects.order_by("pk").values())

    shown = finance.get(row_url(row))
    answers = [
        client.post(path, {"amount": 1, "status": "due", "phone": "254700000000", "post": "yes"})
        for client in (finance, staff_browser)
        for path in (row_url(row), f"{list_url(model)}add/", f"{list_url(model)}{row.pk}/delete/")
    ]

    assert shown.status_code == 200
    assert {answer.status_code for answer in answers} == {403}
    assert list(model.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("model", [*ROWS, StockMovement], ids=lambda model: model.__name__)
def test_a_list_costs_the_same_for_one_row_or_many(
    staff_browser, buyer, kettle, line, model, django_assert_max_num_queries
):
    fetched_line(buyer, kettle)

    # session, user, a bounded count (twice where nothing narrows it), the rows; nothing a row
    with django_assert_max_num_queries(5):
        staff_browser.get(list_url(model))


@pytest.mark.parametrize(
    ("model", "typed", "number"),
    [
        (LedgerPosting, "event", 1),
        (LedgerPosting, "reference", 2),
        (LedgerEntry, "event", 2),
        (LedgerEntry, "reference", 3),
        (Payout, "amina", 1),
        (Payout, "AMINA", 1),
        (Payout, "phone", 1),
        (Payout, "tkp 1234567", 1),
        (Payout, "our id", 1),
        (SellerShare, "amina", 1),
        (SellerShare, "phone", 1),
        (SellerShare, "tkp 1234567", 1),
        (SellerShare, "reference", 1),
    ],
)
def test_a_search_finds_the_row_and_nothing_else(finance, line, model, typed, number):
    payout = Payout.objects.get()
    names = {
        "event": LedgerPosting.objects.earliest("pk").event,
        "reference": line.order.reference,
        "phone": f"0{payout.phone[3:]}",
        "our id": payout.originator_conversation_id,
    }

    assert found(finance, model, names.get(typed, typed)) == number


@pytest.mark.parametrize("model", ROWS[:4], ids=lambda model: model.__name__)
@pytest.mark.parametrize("typed", ["nothing", "receipt:999999", "0799999999", "%", "9" * 40])
def test_an_unknown_row_is_not_found(finance, line, model, typed):
    assert found(finance, model, typed) == 0


def test_payouts_are_filtered_by_status(finance, line):
    def rows(query):
        return finance.get(f"{list_url(Payout)}?{query}").context["cl"].result_count

    assert (rows("status__exact=done"), rows("status__exact=refused")) == (1, 0)


def test_the_addresses_m_pesa_answers_at_are_shown_to_nobody(staff_browser, line):
    payout = Payout.objects.get()

    pages = staff_browser.get(row_url(payout)).content + staff_browser.get(list_url(Payout)).content

    assert payout.callback_token.encode() not in pages
    assert payout.status_token.encode() not in pages


def test_movements_of_stock_are_found_by_product_and_read_by_the_catalogue(buyer, kettle, line):
    client = browser_of(in_role("catalogue"))
    moved = StockMovement.objects.filter(product=kettle).count()

    assert moved > 0
    assert found(client, StockMovement, kettle.pk) == moved
    assert found(client, StockMovement, kettle.pk + 1) == 0
    assert found(client, StockMovement, "9" * 40) == 0
    row = StockMovement.objects.filter(product=kettle).first()
    assert client.get(row_url(row)).status_code == 200
    assert client.post(row_url(row), {"quantity": 9}).status_code == 403


def test_nobody_saves_an_order_as_it_was_when_the_page_was_opened(staff_browser, line):
    """A save of the whole row would undo a move made meanwhile, and wake the signals."""
    page = row_url(line)
    move_line(line.pk, "shipping", actor=UserFactory(is_superuser=True))

    saved = staff_browser.post(page, {"events-TOTAL_FORMS": 0, "events-INITIAL_FORMS": 0})

    assert saved.status_code == 403


def test_delivery_reads_no_books(line):
    client: Client = browser_of(in_role("delivery"))

    assert {client.get(list_url(model)).status_code for model in ROWS} == {403}


def test_a_row_of_money_begins_with_what_it_is_and_folds_its_columns(staff_browser, sale):
    receipt = sale.receipts.get()
    payment = sale.payments.get()
    payout = Payout.objects.create(
        seller=sale.tracks.get().seller,
        phone="254722000000",
        amount=60_000,
        gross=61_000,
        needs_approval=True,
    )

    told = facts(staff_browser, payout, "summary")

    assert told["Amount"] == "KES 60,000"
    assert told["Earned, before debts"] == "KES 61,000"
    assert "0722 000 000" in told["To"]
    assert "A second person must approve it" in told["lead"]
    # What there is not is not shown.
    assert {"Sent", "Note", "M-Pesa receipt", "On hold because"}.isdisjoint(told)
    assert "KES" in facts(staff_browser, receipt, "summary")["Amount"]
    assert str(sale) in facts(staff_browser, payment, "summary")["Order"]
    for row in (receipt, payment, payout):
        page = staff_browser.get(row_url(row))
        assert [each[0] for each in page.context["adminform"].fieldsets] == ["All columns"]
