"""Hidden data is on no page of a role, and no search or filter reveals it."""

import pytest
from django.contrib import admin
from django.db.models import DateField

from accounts.backoffice.admin import ShopAdmin
from orders.models import Order, OrderTrack
from tests.factories import UserFactory
from tests.shopping import paid_line

from .browsers import browser_of, in_role, list_url, row_url

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

LINES = list_url(OrderTrack)


@pytest.fixture
def line(buyer, kettle):
    """A paid line with a commission of KES 77."""
    line = paid_line(buyer, kettle)
    OrderTrack.objects.filter(pk=line.pk).update(commission=77)
    Order.objects.filter(pk=line.order_id).update(idempotency_key="a-key-of-hers")
    line.refresh_from_db()
    return line


def as_role(role):
    return browser_of(in_role(role))


def labels(client, row):
    """What the page of a row shows, by column."""
    fieldsets = client.get(row_url(row)).context["adminform"].fieldsets
    shown = {name for _, options in fieldsets for name in options["fields"]}
    return {getattr(each, "__name__", each).removeprefix("written_") for each in shown}


def test_who_carries_the_goods_sees_neither_commission_nor_where_the_seller_is_paid(line):
    seen = labels(as_role("delivery"), line)

    assert {"payment_mpesa_number", "commission"} & seen == set()
    assert {"name", "number", "track_status"} <= seen


def test_support_sees_commission_and_the_sellers_payout_phone(line):
    assert {"payment_mpesa_number", "commission"} <= labels(as_role("support"), line)


@pytest.mark.parametrize("role", ["support", "delivery"])
def test_the_collection_code_is_shown_to_no_role(line, role):
    assert "collection_code" not in labels(as_role(role), line)


def test_an_order_shows_nobody_the_buyers_key(staff_browser, line):
    page = staff_browser.get(row_url(line.order)).content.decode()

    assert "a-key-of-hers" not in page
    assert not {"idempotency_key", "fingerprint"} & labels(staff_browser, line.order)


def test_support_sees_an_order_without_its_receipts(sale):
    page = as_role("support").get(row_url(sale)).content.decode()

    assert sale.reference in page
    assert "TKB1234567" not in page


@pytest.mark.parametrize(
    "asked",
    [
        "collection_code__startswith={code}",
        "collection_code={code}",
        "payment_mpesa_number__startswith=2547",
        "commission__gte=1",
        "code_misses=0&collection_code__regex=.",
    ],
)
def test_no_filter_tells_what_is_not_shown(line, asked):
    answer = as_role("delivery").get(f"{LINES}?{asked.format(code=line.collection_code[:1])}")

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["accounts/user/?password__startswith=a", "orders/order/?fingerprint="]
)
def test_no_filter_of_supports_tells_a_secret(line, path):
    assert as_role("support").get(f"/admin/{path}").status_code == 400


def test_no_filter_of_finances_tells_where_m_pesa_answers(sale):
    client = as_role("finance")

    answer = client.get("/admin/payments/orderpayment/?callback_token__startswith=a")

    assert answer.status_code == 400


@pytest.mark.parametrize("lookup", ["regex", "iregex", "startswith", "contains", "gte", "lt"])
def test_no_filter_reads_a_text_letter_by_letter(rf, lookup):
    request = rf.get("/admin/")
    request.user = UserFactory(is_staff=True, is_superuser=True)
    told = [
        f"{model._meta.label}.{field.name}"
        for model, page in admin.site._registry.items()
        if isinstance(page, ShopAdmin)  # the others are for superusers alone
        for field in model._meta.concrete_fields
        if not isinstance(field, DateField)
        if page.lookup_allowed(f"{field.name}__{lookup}", "a", request)
    ]

    assert told == []


def test_no_filter_of_supports_reads_a_message_letter_by_letter(sale):
    page = as_role("support").get("/admin/orders/message/?text__regex=^.*code: [0-4]")

    assert page.status_code == 400


@pytest.mark.parametrize(
    ("typed", "role", "number"),
    [
        ("reference", "delivery", 1),
        ("token", "delivery", 1),
        ("0712345678", "delivery", 0),
        ("wanjiku", "delivery", 0),
        ("reference", "support", 1),
        ("0712345678", "support", 1),
        ("wanjiku", "support", 1),
    ],
)
def test_who_carries_the_goods_looks_up_orders_and_not_people(line, typed, role, number):
    names = {"reference": line.order.reference, "token": str(line.order.order_token)}

    page = as_role(role).get(LINES, {"q": names.get(typed, typed)})

    assert page.context["cl"].result_count == number
