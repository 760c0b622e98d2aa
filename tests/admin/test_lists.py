"""Lists format money, phones, times and statuses in one way, with readable headings."""

import re
from datetime import UTC, date, datetime

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.db.models import BigIntegerField, IntegerField

from accounts.backoffice.columns import MONEY, column
from accounts.models import User
from orders.models import Message, Order, OrderTrack
from payments.models import OrderPayment, Receipt
from products.models import Product

from . import cases
from .browsers import browser_of, in_role, list_url, row_url

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

#: Whole numbers that count things.
COUNTED = {
    *(
        "checks",
        "code_misses",
        "crowding",
        "days",
        "failures",
        "held",
        "item_number",
        "number",
        "quantity",
    ),
    *("receipt_queries", "review_count", "review_stars", "rows", "sold", "sold_rank", "star_rank"),
    *("stars", "tries"),
}


def cells(page, row=0):
    """A row of a list: what each cell says, by the words above it."""
    body = page.content.decode().split("<tbody>")[-1]
    html = re.findall(r"<tr>.*?</tr>", body, re.DOTALL)[row]
    found = re.findall(r'<t[dh] data-label="([^"]*)"[^>]*>(.*?)</t[dh]>', html, re.DOTALL)
    return {label: re.sub(r"<[^>]+>", "", said).strip() for label, said in found if label}


def headings(page):
    head = page.content.decode().split('id="result_list"')[1].split("</thead>")[0]
    return re.findall(r"<span>([^<]+)</span></div></th>", head)


def test_every_whole_number_is_money_or_counts_something():
    columns = {
        field.name
        for model in admin.site._registry
        for field in model._meta.concrete_fields
        if isinstance(field, IntegerField | BigIntegerField) and not field.primary_key
        if not field.is_relation
    }

    assert columns - MONEY - COUNTED == set()
    assert set() == MONEY & COUNTED


def test_an_order_is_listed_as_people_read_it(staff_browser, sale):
    at = datetime(2026, 11, 28, 22, 5, tzinfo=UTC)
    Order.objects.update(created_at=at, expires_at=at)

    page = staff_browser.get(list_url(Order))

    assert cells(page) == {
        "Order": sale.reference,
        "Status": "✓ Paid",
        "Amount": "KES 3,000",
        "Buyer": "wanjiku",
        "M-Pesa phone": "0712 345 678",
        "Placed": "29 Nov 2026, 01:05",
        "Reserved until": "–",
    }


def test_a_line_is_listed_by_its_goods(staff_browser, sale):
    assert headings(staff_browser.get(list_url(OrderTrack))) == [
        "Goods",
        "Status",
        "Quantity",
        "Amount",
        "Order",
        "Seller",
        "Changed",
    ]


def test_a_failed_attempt_is_red_in_words_too(staff_browser, unpaid):
    page = staff_browser.get(list_url(OrderPayment))

    assert cells(page)["Status"] == "! Failed"
    assert "shop-badge shop-bad" in page.content.decode()


def test_a_receipt_whose_number_is_to_come_can_be_opened(staff_browser, sale):
    Receipt.objects.update(number="")

    assert cells(staff_browser.get(list_url(Receipt)))["Receipt"] == "number not known yet"


def test_every_list_says_each_cells_heading_for_who_reads_it_as_cards(staff_browser, sale):
    cases.owed_refund()
    for model in (Order, OrderTrack, OrderPayment, Receipt, Message):
        page = staff_browser.get(list_url(model))
        if model.objects.exists():
            assert list(cells(page)) == headings(page), model


def test_goods_are_held_until_a_time_while_their_order_is_not_paid(staff_browser, unpaid):
    at = datetime(2026, 11, 28, 22, 5, tzinfo=UTC)
    Order.objects.update(created_at=at, expires_at=at)

    assert cells(staff_browser.get(list_url(Order)))["Reserved until"] == "29 Nov 2026, 01:05"


def test_a_list_says_yes_and_no_in_words(staff_browser, sale):
    product = sale.tracks.get().product
    page = staff_browser.get(list_url(Product))

    assert (cells(page)["Listed"], cells(page)["Sold out"]) == ("yes", "–")
    Product.objects.filter(pk=product.pk).update(listed=False, item_number=0)
    page = staff_browser.get(list_url(Product))
    assert (cells(page)["Listed"], cells(page)["Sold out"]) == ("no", "! Sold out")
    assert "icon-no" not in page.content.decode()


def test_the_list_of_people_says_how_each_stands_as_their_page_does(staff_browser, sale):
    User.objects.filter(username="wanjiku").update(first_name="Wanjiku", last_name="Kamau")

    listed = cells(staff_browser.get(f"{list_url(User)}?q=wanjiku"))

    assert (listed["Name"], listed["Status"]) == ("Wanjiku Kamau", "✓ Open account")


def test_no_column_is_called_what_the_database_calls_it(staff_browser, sale):
    called = {
        heading
        for model, page in admin.site._registry.items()
        for heading in (
            getattr(each, "short_description", each)
            for each in page.get_list_display(_request(staff_browser))
        )
        if isinstance(heading, str)
    }

    machine = {"created at", "payment status", "track status", "mpesa number", "result code"}
    assert {heading.lower().replace("_", " ") for heading in called} & machine == set()


#: What people call so, too.
ALSO_OURS = {
    *(
        "Cancelled by",
        "Decided by",
        "Ended by",
        "Free above",
        "Reserved until",
        "In doubt",
        "Item number",
        "On hold since",
        "Written off",
    ),
    *(
        "Approved by",
        "Checkout request id",
        "Date joined",
        "First name",
        "Last login",
        "Last name",
        "Lost since",
    ),
    *(
        "On hold since",
        "Opening hours",
        "Proposed by",
        "Read from",
        "Read until",
        "Sold for",
        "Sold out",
    ),
}


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_no_row_s_page_calls_a_column_what_the_database_calls_it(staff_browser, model):
    page = admin.site._registry[model]
    columns = flatten_fieldsets(page.get_fieldsets(_request(staff_browser), model()))

    machine = {
        field.name.replace("_", " ").capitalize()
        for field in model._meta.concrete_fields
        if "_" in field.name
    }
    called = {str(label_for_field(each, model, page)).capitalize() for each in columns}

    assert called & machine - ALSO_OURS == set()


@pytest.mark.parametrize("role", ["support", "finance", "delivery"])
def test_a_row_s_columns_lead_nobody_to_a_page_that_is_closed_to_them(sale, role):
    client = browser_of(in_role(role))
    paths = set()
    for row in (*Order.objects.all(), *OrderTrack.objects.all(), *Receipt.objects.all()):
        page = client.get(row_url(row)).content.decode()
        paths |= set(re.findall(r'href="(/admin/[^"?#]+/change/)"', page))

    assert bool(paths) is (role != "delivery")
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)


def test_a_row_s_page_writes_amounts_phones_and_choices_as_people_do(staff_browser, sale):
    page = staff_browser.get(row_url(sale.tracks.get())).content.decode()

    assert '<span class="shop-kes">KES 3,000</span>' in page
    assert re.search(r'<span class="shop-phone">07\d\d \d{3} \d{3}</span>', page)
    assert "Seller’s payout number" in page
    assert "icon-no" not in page


def test_a_list_says_what_mpesa_said_where_something_went_wrong(staff_browser, sale, unpaid):
    OrderPayment.objects.filter(order=unpaid).update(result_code="1032", result_text="Cancelled")

    page = staff_browser.get(list_url(OrderPayment)).content.decode()

    assert "Cancelled" in page
    assert sale.payments.get().result_text == "Paid"
    assert ">Paid</td>" not in page


def test_a_list_counts_what_was_found_where_something_was_looked_for(staff_browser, sale):
    assert "1 found" not in staff_browser.get(list_url(Order)).content.decode()
    assert "1 found" in staff_browser.get(list_url(Order), {"q": sale.reference}).content.decode()


def test_an_empty_list_says_that_nothing_matches(staff_browser, sale):
    page = staff_browser.get(list_url(Order), {"q": "ZZZZZZ"}).content.decode()

    assert "no row matches" in page


def test_a_label_cannot_carry_markup():
    from accounts.templatetags.admin_lists import under

    headers = [{"text": '"><script>', "class_attrib": ""}]

    assert list(under(["<td>1</td>"], headers)) == [
        '<td data-label="&quot;&gt;&lt;script&gt;">1</td>'
    ]


def _request(client):
    from django.test import RequestFactory

    request = RequestFactory().get("/admin/")
    request.user = client.get("/admin/").context["user"]
    return request


@pytest.mark.parametrize(
    ("path", "next_step"),
    [
        ("/admin/orders/order/", "once a buyer has placed it"),
        ("/admin/products/product/", "import them as a sheet"),
        ("/admin/payments/payout/", "once goods have been fetched"),
        ("/admin/accounts/proposal/", "until a second one does"),
    ],
)
def test_an_empty_list_says_where_its_rows_come_from(staff_browser, path, next_step):
    page = staff_browser.get(path).content.decode()

    assert next_step in page
    assert next_step not in staff_browser.get(path, {"q": "nothing"}).content.decode()


def test_phones_leave_out_the_cells_without_a_value(staff_browser, sale):
    page = staff_browser.get("/admin/orders/order/").content.decode()

    assert re.search(r'<td data-label="Reserved until" data-empty class="[^"]*">–</td>', page)
    assert not re.search(r'<td data-label="Amount" data-empty', page)


def filled(model):
    """A row of this model that is not stored, with something in each of its own columns."""
    row = model()
    for field in model._meta.concrete_fields:
        kind = field.get_internal_type()
        if kind in {"CharField", "TextField", "SlugField"} and not field.choices:
            setattr(row, field.attname, "Something")
        elif kind == "DateTimeField":
            setattr(row, field.attname, datetime(2026, 11, 30, 9, 0, tzinfo=UTC))
        elif kind == "DateField":
            setattr(row, field.attname, date(2026, 11, 30))
        elif kind in {"IntegerField", "PositiveIntegerField"}:
            setattr(row, field.attname, 1500)
    return row


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: m._meta.label)
def test_every_column_that_is_formatted_can_be_of_every_list_that_has_it(model):
    own = [
        field.name
        for field in model._meta.concrete_fields
        if not field.is_relation and not field.generated
    ]
    cells = [column(model, name, {}) for name in own]

    shown = [cell(filled(model)) for cell in cells if callable(cell)]

    assert all(value is not None for value in shown)
