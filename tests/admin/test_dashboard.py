"""The dashboard: correct numbers, few queries, and permissions."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from accounts.backoffice.roles import ROLES
from orders.models import Order
from payments.backoffice.charts import percentile
from payments.backoffice.dashboard.goods import stock_running_out
from payments.backoffice.dashboard.panels import PANELS
from payments.backoffice.dashboard.payments import (
    outcomes,
    payouts_due,
    stuck_money,
    time_to_pay,
)
from payments.backoffice.dashboard.sales import sales
from payments.backoffice.period import offered
from payments.models import OrderPayment, Payout, SellerShare
from tests.factories import ProductFactory, UserFactory
from tests.orders.deliveries import paid_delivery
from tests.shopping import an_order, delivered_line, paid_line

from . import cases
from .browsers import browser_of, in_role

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

PAGE = "/admin/dashboard/"
NAIROBI = ZoneInfo("Africa/Nairobi")
#: Half past midnight in Nairobi: in London it is still the day before.
NOW = datetime(2026, 11, 24, 0, 30, tzinfo=NAIROBI)

#: By role, the sections it sees.
SEES = {
    "support": ["sales", "people", "problems", "late", "sellers"],
    "finance": ["share", "problems", "outcomes", "time-to-pay", "stuck", "payouts"],
    "catalogue": ["goods", "stock"],
    "delivery": [],
}


def lately(now=None):
    """The last seven days."""
    return offered("7", now or timezone.now())


def figures(said):
    return {figure.label: (figure.value, figure.note) for figure in said.figures}


def bars(said):
    return {point.label: point.value for point in said.bars.points if point.value}


def sold(amount, at):
    """An order of this price, paid, placed then."""
    line = paid_line(UserFactory(), ProductFactory(price=amount))
    Order.objects.filter(pk=line.order_id).update(created_at=at)
    return line


def attempt(*, code="1032", status="failed", **values):
    """An attempt to pay that ended like this."""
    payment = an_order(
        UserFactory(), (ProductFactory(), 1), phone=next(cases._phones)
    ).payments.get()
    given = {"live": False, "status": status, "result_code": code, **values}
    OrderPayment.objects.filter(pk=payment.pk).update(**given)
    return payment


def paid_after(seconds, **values):
    """A prompt that was paid the given number of seconds after it was sent."""
    payment = paid_line(UserFactory(), ProductFactory()).order.payments.get()
    rung = timezone.now() - timedelta(hours=1)
    times = {"rung_at": rung, "confirmed_at": rung + timedelta(seconds=seconds)}
    OrderPayment.objects.filter(pk=payment.pk).update(**{**times, **values})
    return payment


def test_sales_are_summed_by_nairobis_days():
    sold(100, NOW - timedelta(minutes=1))
    sold(20, NOW - timedelta(minutes=31))
    sold(3, NOW - timedelta(days=6, minutes=30))

    said = sales(offered("30", NOW))

    assert figures(said) == {"Sold": ("KES 123", "3 orders"), "Average order": ("KES 41", "")}
    assert [point.value for point in said.columns.points[-8:]] == [0, 3, 0, 0, 0, 0, 20, 100]
    rows = [(link.words, *rest) for link, *rest in said.columns.table.rows[:2]]
    assert rows == [("24 Nov, so far", "1", "KES 100"), ("23 Nov", "1", "KES 20")]


def test_sales_go_back_thirty_days_and_no_further():
    first = datetime(2026, 10, 26, tzinfo=NAIROBI)
    sold(7, first)
    sold(1000, first - timedelta(microseconds=1))

    said = sales(offered("30", NOW))

    assert figures(said)["Sold"] == ("KES 7", "1 order")
    assert (said.columns.points[0].label, said.columns.points[0].value) == ("26 Oct", 7)


def test_sales_exclude_delivery_fees(buyer, kettle):
    paid_delivery(buyer, (kettle, 1), fee=250)

    assert figures(sales(lately()))["Sold"] == ("KES 1,500", "1 order")


@pytest.mark.parametrize("status", ["requested", "cancelled", "expired", "refund_due", "refunded"])
def test_only_orders_that_are_paid_are_sales(status):
    line = sold(100, NOW)
    Order.objects.filter(pk=line.order_id).update(payment_status=status)

    assert figures(sales(offered("30", NOW)))["Sold"] == ("KES 0", "0 orders")


def test_columns_share_one_scale_and_the_smallest_is_visible():
    sold(10_000, NOW)
    sold(1, NOW - timedelta(days=1))

    points = sales(offered("30", NOW)).columns.points

    assert [(point.at, point.drawn, point.top) for point in points[-3:]] == [
        (270, 0, 100),
        (280, 1, 99),
        (290, 100, 0),
    ]


def test_payments_are_counted_by_outcome_and_reason():
    paid_line(UserFactory(), ProductFactory())
    for code in ("1032", "1032", "1037", "local.not_sent", "refused.unreachable", "4711"):
        attempt(code=code)
    for status in ("unknown", "submitted"):
        attempt(status=status, code="")

    said = outcomes(lately())

    assert figures(said) == {
        "Confirmed": ("1", "11.1%"),
        "Failed": ("6", "66.7%"),
        "Not known yet": ("2", "22.2%"),
    }
    assert bars(said) == {
        "Cancelled on the phone": 2,
        "The phone did not answer": 1,
        "Not sent in time": 1,
        "Not sent: M-Pesa could not be reached": 1,
        "Another M-Pesa reason": 1,
    }


def test_attempts_of_more_than_seven_days_ago_are_not_counted():
    old = timezone.now() - timedelta(days=7)
    attempt(created_at=old)
    attempt(status="unknown", created_at=old)
    paid_after(5, created_at=old)

    said = outcomes(lately())

    assert [value for value, _ in figures(said).values()] == ["0", "0", "0"]
    assert said.empty == "No attempt failed."
    assert time_to_pay(lately()).empty == "No prompt was paid."


def test_the_time_from_prompt_to_paid_is_told_by_median_and_95th_percentile():
    for seconds in (4, 8, 12.4, 12.6, 130):
        paid_after(seconds)
    paid_line(UserFactory(), ProductFactory())  # by hand: nobody was rung

    said = time_to_pay(lately())

    assert figures(said) == {
        "Half paid within": ("12 s", "median"),
        "95% paid within": ("2 min 10 s", "95th percentile"),
        "Paid prompts": ("5", ""),
    }
    assert bars(said) == {"up to 10 s": 2, "up to 20 s": 2, "up to 5 min": 1}


@pytest.mark.parametrize(
    ("by_second", "part", "seconds"),
    [
        ({5: 1}, 50, 5),
        ({1: 1, 2: 1}, 50, 1),
        ({1: 1, 2: 1, 3: 1}, 50, 2),
        ({9: 5, 1: 95}, 95, 1),
        ({9: 6, 1: 94}, 95, 9),
    ],
)
def test_a_percentile_is_the_least_time_that_covers_the_part(by_second, part, seconds):
    assert percentile(by_second, part) == seconds


def test_stuck_money_is_what_the_console_holds_and_leads_there():
    cases.lost_receipt()
    cases.broken_message()

    rows = stuck_money(lately()).table.rows

    assert [(link.words, link.url, count, then) for link, count, then in rows] == [
        (
            "Payments without an order",
            "/admin/payments/console/#unmatched",
            "1",
            "needs action",
        ),
        (
            "Messages that could not be processed",
            "/admin/payments/console/#messages",
            "1",
            "needs action",
        ),
    ]


def test_the_dashboard_links_to_the_queues_of_the_console(staff_browser):
    cases.lost_receipt()

    assert b'id="unmatched"' in staff_browser.get("/admin/payments/console/").content


def test_no_money_is_stuck_in_a_shop_without_any():
    assert stuck_money(lately()).empty == "No money is stuck."


def test_recently_sold_products_with_little_free_stock_are_low():
    scarce = ProductFactory(name="Jiko", item_number=5, seller=UserFactory(username="amina"))
    plenty = ProductFactory(item_number=6)
    paid_line(UserFactory(), scarce, 2)
    paid_line(UserFactory(), plenty, 2)
    ProductFactory(item_number=1)  # nobody bought it

    rows = stock_running_out(lately()).table.rows

    assert [(link.words, link.url, *rest) for link, *rest in rows] == [
        ("Jiko", f"/admin/products/product/{scarce.pk}/change/", "amina", "3", "2")
    ]


def test_stock_reserved_by_unpaid_orders_is_not_free():
    product = ProductFactory(item_number=5)
    paid_line(UserFactory(), product)
    an_order(UserFactory(), (product, 2), phone=next(cases._phones))

    (row,) = stock_running_out(lately()).table.rows

    assert row[2:] == ("2", "1")


@pytest.mark.parametrize("why", ["unlisted", "unpaid", "long ago"])
def test_unlisted_and_unsold_products_are_not_low_on_stock(why, monkeypatch):
    product = ProductFactory(item_number=2)
    if why == "unpaid":
        an_order(UserFactory(), (product, 1))
    else:
        paid_line(UserFactory(), product)
    if why == "unlisted":
        product.listed = False
        product.save(update_fields=["listed"])
    if why == "long ago":
        monkeypatch.setattr("payments.backoffice.dashboard.goods.RECENT_LINES", 1)
        an_order(UserFactory(), (ProductFactory(), 1), phone=next(cases._phones))

    assert stock_running_out(lately()).empty == "No recently sold product is running out."


def test_open_payouts_are_grouped_by_state():
    seller = UserFactory()
    line = delivered_line(UserFactory(), ProductFactory(seller=seller))
    SellerShare.objects.filter(track=line).update(payout=None)
    Payout.objects.all().delete()
    for amount, values in [
        (20, {}),
        (30, {}),
        (400, {"needs_approval": True}),
        (5000, {"needs_approval": True, "approved_by": UserFactory()}),
        (60, {"status": "sent"}),
        (70, {"status": "unknown"}),
        (800, {"status": "refused"}),
        (9000, {"status": "done", "number": "TKX1", "done_at": timezone.now()}),
        (9000, {"status": "dropped"}),
    ]:
        Payout.objects.create(
            seller=seller, phone="254722000000", amount=amount, gross=amount, **values
        )

    share = SellerShare.objects.get().amount
    assert figures(payouts_due(lately())) == {
        "Not in a payout yet": (f"KES {share:,}", "1 line"),
        "Due": ("KES 5,050", "3 payouts"),
        "Awaiting approval": ("KES 400", "1 payout"),
        "On its way": ("KES 130", "2 payouts"),
        "Rejected by M-Pesa": ("KES 800", "1 payout"),
    }


def test_each_group_of_payouts_links_to_its_list(staff_browser):
    pages = [figure.url for figure in payouts_due(lately()).figures if figure.url]

    assert [staff_browser.get(page).status_code for page in pages] == [200] * 5


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_sections_and_no_others(role):
    answer = browser_of(in_role(role)).get(PAGE)

    assert re.findall(r'<h2 id="([a-z-]+)">', answer.content.decode()) == SEES[role]
    assert answer.status_code == (200 if SEES[role] else 403)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.key)
def test_panels_the_user_may_not_see_are_not_queried(panel, django_assert_max_num_queries):
    person = UserFactory(is_staff=True)
    app, _, codename = panel.permission.partition(".")
    person.user_permissions.add(
        Permission.objects.get(codename=codename, content_type__app_label=app)
    )

    answer = browser_of(person).get(PAGE)

    assert [each.key for each, _ in answer.context["panels"]] == [
        each.key for each in PANELS if each.permission == panel.permission
    ]


@pytest.mark.parametrize("role", ROLES)
def test_the_start_page_links_to_the_dashboard_for_users_who_may_see_it(role):
    answer = browser_of(in_role(role)).get("/admin/")

    assert (PAGE in answer.content.decode()) == bool(SEES[role])


def test_anonymous_users_are_sent_to_the_log_in_page(client):
    answer = client.get(PAGE)

    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={PAGE}")


def test_the_page_keeps_to_the_strict_policy_for_content(staff_browser):
    sold(100, timezone.now())

    answer = staff_browser.get(PAGE)

    page = answer.content.decode()
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert " style=" not in page.partition("<main")[2]
    assert "<script" not in page.partition("<main")[2]


def test_names_on_the_dashboard_are_escaped(staff_browser):
    paid_line(UserFactory(), ProductFactory(name="<b>Jiko</b>", item_number=2))

    page = staff_browser.get(PAGE).content.decode()

    assert "&lt;b&gt;Jiko" in page
    assert "<b>Jiko" not in page


@pytest.mark.parametrize("count", [0, 3])
def test_the_page_costs_the_same_for_none_or_many(staff_browser, django_assert_num_queries, count):
    for _ in range(count):
        delivered_line(UserFactory(), ProductFactory(item_number=2))
        attempt()
        cases.lost_receipt()

    # session, row, user; sales, and their delivery fees; two for commission and refunds; people;
    # two for problems; late parcels; goods; sellers; two for outcomes; time to pay; one for each
    # of 24 sections of the console about money; two for payouts; two for stock
    with django_assert_num_queries(44):
        staff_browser.get(PAGE)


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.parametrize(
    ("read", "index"),
    [
        (sales, "order_paid_by_time"),
        (outcomes, "payment_ended_by_time"),
        (time_to_pay, "payment_ended_by_time"),
    ],
)
def test_the_sums_are_read_from_an_index(read, index, django_assert_max_num_queries):
    with django_assert_max_num_queries(2) as queries:
        read(lately())

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}")
        else:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            # It would cost an empty table as much.
            cursor.execute("DROP INDEX order_paid_by_buyer")
            cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = str(cursor.fetchall())
    # SQLite cannot tell that an index on paid orders says that they are paid.
    scan = "INDEX" if connection.vendor == "sqlite" else "Index Only Scan using"
    assert f"{scan} {index}" in plan
