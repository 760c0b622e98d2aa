"""The dashboard's period, its panels about people, goods and parcels, and its CSV."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.backoffice.roles import ROLES
from accounts.models import Audit, User
from orders.models import Order, OrderDelivery, OrderTrack, Parcel, commission_of_reduction
from orders.problems.decisions import withdraw
from orders.problems.services import open_problem
from payments.backoffice.dashboard.goods import late_parcels, open_problems
from payments.backoffice.dashboard.panels import PANELS
from payments.backoffice.dashboard.payments import outcomes
from payments.backoffice.dashboard.sales import (
    best_goods,
    best_sellers,
    commission_and_refunds,
    new_people,
    sales,
)
from payments.backoffice.period import DAYS_AT_MOST, Period, offered, read_period
from payments.models import OrderPayment, RefundDay
from payments.payouts.summary import summarise
from tests.factories import ProductFactory, UserFactory
from tests.orders.deliveries import paid_delivery
from tests.shopping import delivered_line, paid_line

from .browsers import browser_of, in_role
from .test_dashboard import NOW, PAGE, attempt, figures, lately, sold

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


def rows(said):
    return [tuple(getattr(cell, "words", cell) for cell in row) for row in said.table.rows]


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("today", date(2026, 11, 24)),
        ("7", date(2026, 11, 18)),
        ("30", date(2026, 10, 26)),
        ("month", date(2026, 11, 1)),
    ],
)
def test_a_period_that_is_offered_ends_today_in_nairobi(key, first):
    period = offered(key, NOW)

    assert (period.first, period.last) == (first, date(2026, 11, 24))
    assert period.until == datetime(2026, 11, 24, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (datetime(2026, 11, 30, 21, tzinfo=UTC), date(2026, 11, 1), date(2026, 11, 30)),
        (datetime(2026, 11, 30, 20, tzinfo=UTC), date(2026, 10, 1), date(2026, 10, 31)),
        (datetime(2027, 1, 31, 9, tzinfo=UTC), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_last_month_is_the_whole_month_before_todays_in_nairobi(now, first, last):
    period = offered("last_month", now)

    assert (period.first, period.last) == (first, last)


def test_a_chosen_period_includes_its_first_and_last_day():
    period, form = read_period({"period": "own", "since": "2026-11-01", "until": "2026-11-03"}, NOW)

    assert form.errors == {}
    assert period.since == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert period.until == datetime(2026, 11, 3, 21, tzinfo=UTC)
    assert period.words == "1 Nov 2026 to 3 Nov 2026"


@pytest.mark.parametrize(
    ("since", "until", "says"),
    [
        ("2026-11-20", "2026-11-25", {"until": ["This day is in the future."]}),
        ("2026-11-20", "2026-11-19", {"until": ["The last day is before the first."]}),
        ("2026-08-24", "2026-11-24", {"since": ["Choose at most 92 days."]}),
        ("", "2026-11-19", {"since": ["This field is required."]}),
        ("yesterday", "2026-11-19", {"since": ["Enter a valid date."]}),
    ],
)
def test_an_invalid_period_is_reported(since, until, says):
    period, form = read_period({"period": "own", "since": since, "until": until}, NOW)

    assert form.errors == says
    assert (period.first, period.last) == (date(2026, 11, 18), date(2026, 11, 24))


def test_ninety_two_days_can_be_shown():
    last = date(2026, 11, 24)
    first = last - timedelta(days=DAYS_AT_MOST - 1)

    period, form = read_period(
        {"period": "own", "since": first.isoformat(), "until": last.isoformat()}, NOW
    )

    assert form.errors == {}
    assert len(period.days) == 92


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 200), ("?period=month", 200), ("?period=x", 200), ("?period=own&since=x", 400)],
)
def test_the_page_answers_any_period(staff_browser, query, status):
    answer = staff_browser.get(PAGE + query)

    assert answer.status_code == status
    assert answer.context["period"].key == ("month" if "month" in query else "7")


def test_sales_outside_the_period_are_not_counted():
    sold(100, NOW - timedelta(days=1))
    sold(7, NOW - timedelta(days=2))
    sold(9000, NOW)
    day = Period(NOW, date(2026, 11, 22), date(2026, 11, 23))

    assert figures(sales(day))["Sold"] == ("KES 107", "2 orders")


def test_attempts_outside_the_period_are_not_counted():
    attempt(created_at=NOW)
    attempt(created_at=NOW - timedelta(days=1))
    day = Period(NOW, date(2026, 11, 23), date(2026, 11, 23))

    assert figures(outcomes(day))["Failed"] == ("1", "100.0%")


def test_commission_is_of_what_was_sold_that_day_and_refunds_are_what_left_that_day():
    line = sold(1000, NOW)
    OrderTrack.objects.filter(pk=line.pk).update(commission=80)
    other = sold(500, NOW - timedelta(days=1))
    OrderTrack.objects.filter(pk=other.pk).update(commission=40)
    gone = sold(500, NOW)
    OrderTrack.objects.filter(pk=gone.pk).update(commission=40, track_status="cancelled")
    RefundDay.objects.create(day=date(2026, 11, 24), sent=1500)
    RefundDay.objects.create(day=date(2026, 11, 17), sent=9)

    said = commission_and_refunds(lately(NOW))

    assert figures(said) == {
        "Commission": ("KES 120", ""),
        "Refunded to buyers": ("KES 1,500", ""),
    }
    assert said.columns.table.rows[:2] == [
        ("24 Nov, so far", "KES 80", "KES 1,500"),
        ("23 Nov", "KES 40", "KES 0"),
    ]


@pytest.fixture
def reduced(buyer, seller):
    """A jiko for KES 1,000 with a commission of KES 90, reduced by KES 400 for a problem."""
    jiko = ProductFactory(name="Jiko", price=1000, seller=seller)
    line = paid_line(buyer, jiko)
    OrderTrack.objects.filter(pk=line.pk).update(commission=90)
    line.refresh_from_db()
    taken = commission_of_reduction(line, 400)
    QuerySet(OrderTrack).filter(pk=line.pk).update(reduced=400)
    return 90 - taken


def test_price_reductions_are_neither_sales_nor_commission(reduced, seller):
    assert rows(best_goods(lately())) == [("Jiko", seller.username, "1", "KES 600")]
    assert rows(best_sellers(lately())) == [(seller.username, "1", "KES 600")]
    assert figures(commission_and_refunds(lately()))["Commission"] == (f"KES {reduced}", "")
    assert reduced == 54
    assert summarise(seller, timezone.now())["sales"]["today"]["amount"] == 600


def test_the_link_of_unknown_outcomes_lists_the_same_attempts():
    for status in ("requested", "unknown", "submitted"):
        attempt(status=status, code="")

    [figure] = [each for each in outcomes(lately()).figures if each.label == "Not known yet"]

    asked = parse_qs(urlsplit(figure.url).query)
    listed = OrderPayment.objects.filter(status__in=asked["status__in"][0].split(","))
    assert figure.value == str(listed.count()) == "2"


def test_new_people_are_those_with_an_account_by_nairobis_days():
    people = [UserFactory(), UserFactory(), UserFactory()]
    User.objects.update(date_joined=NOW - timedelta(days=30))
    for person, at in zip(
        people, [NOW, NOW - timedelta(minutes=31), NOW - timedelta(days=7)], strict=True
    ):
        User.objects.filter(pk=person.pk).update(date_joined=at)

    said = new_people(lately(NOW))

    assert figures(said) == {"New accounts": ("2", "")}
    assert [point.value for point in said.columns.points] == [0, 0, 0, 0, 0, 1, 1]


@pytest.mark.usefixtures("never_analyzed")
def test_new_people_are_read_from_the_index_of_when_they_joined(django_assert_num_queries):
    with django_assert_num_queries(1) as queries:
        new_people(lately())

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}")
        else:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        assert "user_by_joined" in str(cursor.fetchall())


def test_the_best_goods_are_those_of_most_pieces():
    amina = UserFactory(username="amina")
    jiko = ProductFactory(name="Jiko", price=100, seller=amina, item_number=50)
    lamp = ProductFactory(name="Lamp", price=900, seller=amina, item_number=50)
    paid_line(UserFactory(), jiko, 3)
    paid_line(UserFactory(), lamp, 1)
    OrderTrack.objects.filter(pk=paid_line(UserFactory(), lamp, 9).pk).update(
        track_status="cancelled"
    )

    assert rows(best_goods(lately())) == [
        ("Jiko", "amina", "3", "KES 300"),
        ("Lamp", "amina", "1", "KES 900"),
    ]


def test_the_best_sellers_are_those_who_sold_for_most():
    amina, otieno = UserFactory(username="amina"), UserFactory(username="otieno")
    paid_line(UserFactory(), ProductFactory(price=100, seller=amina, item_number=9), 3)
    paid_line(UserFactory(), ProductFactory(price=900, seller=otieno), 1)

    assert rows(best_sellers(lately())) == [
        ("otieno", "1", "KES 900"),
        ("amina", "1", "KES 300"),
    ]


def test_without_sales_the_best_sellers_are_empty():
    assert best_goods(lately()).empty == best_sellers(lately()).empty == "Nothing was sold."


def test_problems_are_counted_until_they_are_closed(buyer, kettle):
    line = delivered_line(buyer, kettle)
    problem = open_problem(line.pk, buyer=buyer, kind="damaged", text="A lid is bent").problem

    assert figures(open_problems(lately())) == {
        "Open": ("1", ""),
        "Goods being returned": ("0", ""),
        "Late": ("0", ""),
    }
    waits = open_problems(lately(timezone.now() + timedelta(days=30)))
    assert figures(waits)["Late"] == ("1", "")
    withdraw(problem.pk, buyer=buyer)
    assert figures(open_problems(lately()))["Open"] == ("0", "")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_parcel_is_late_once_its_agreed_days_are_over(buyer, kettle, hours):
    order = paid_delivery(buyer, (kettle, 1))
    OrderDelivery.objects.update(days=3)
    placed = NOW - timedelta(days=3, hours=hours)
    Order.objects.filter(pk=order.pk).update(created_at=placed)

    said = late_parcels(lately(NOW))

    if hours < 0:
        assert said.empty == "No parcel is late."
        return
    assert rows(said) == [(order.reference, kettle.seller.username, "no agent yet", "23 Nov 2026")]
    assert figures(said) == {"Late": ("1", "")}


@pytest.mark.parametrize(("hours", "late"), [(1, False), (23, False), (25, True)])
def test_a_parcel_that_was_to_come_the_same_day_is_late_a_day_later(buyer, kettle, hours, late):
    order = paid_delivery(buyer, (kettle, 1))
    OrderDelivery.objects.update(days=0)
    Order.objects.filter(pk=order.pk).update(created_at=NOW - timedelta(hours=hours))

    assert (late_parcels(lately(NOW)).empty == "No parcel is late.") is not late


@pytest.mark.parametrize("why", ["it has come", "it is handed over"])
def test_a_parcel_that_came_is_not_late(buyer, kettle, why):
    order = paid_delivery(buyer, (kettle, 1))
    Order.objects.filter(pk=order.pk).update(created_at=NOW - timedelta(days=60))
    if why == "it has come":
        Parcel.objects.update(arrived_at=NOW)
    else:
        OrderTrack.objects.update(track_status="delivered")

    assert late_parcels(lately(NOW)).empty == "No parcel is late."


def test_each_late_parcel_is_listed_once_the_longest_first(buyer, kettle):
    mine, others = ProductFactory(seller=kettle.seller), ProductFactory()
    late = [
        paid_delivery(buyer, (kettle, 1), (mine, 1), (others, 1)),
        paid_delivery(buyer, (kettle, 1)),
    ]
    OrderDelivery.objects.update(days=1)
    for order, days in zip(late, (5, 9), strict=True):
        Order.objects.filter(pk=order.pk).update(created_at=NOW - timedelta(days=days))

    listed = [(reference, who) for reference, who, *_ in rows(late_parcels(lately(NOW)))]

    assert listed[0] == (late[1].reference, "amina")
    assert sorted(listed[1:]) == sorted(
        (late[0].reference, each.username) for each in (kettle.seller, others.seller)
    )


@pytest.mark.parametrize("role", [role for role in ROLES if role != "delivery"])
def test_every_number_leads_to_a_list_that_its_reader_may_see(role, buyer, kettle):
    order = paid_delivery(buyer, (kettle, 1))
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - timedelta(days=3))
    OrderDelivery.objects.update(days=1)
    attempt()
    client = browser_of(in_role(role))

    links = {link for _, said in client.get(PAGE).context["panels"] for link in links_of(said)}

    assert links
    assert {
        link: client.get(link.partition("#")[0]).status_code for link in links
    } == dict.fromkeys(links, 200)


def test_the_sum_of_a_day_leads_to_its_orders_and_no_others(staff_browser):
    line = sold(100, NOW - timedelta(minutes=31))
    sold(7, NOW)
    said = sales(lately(NOW))
    before = next(cell for cell, *_ in said.columns.table.rows if cell.words == "23 Nov")

    listed = staff_browser.get(before.url).context["cl"].result_list

    assert [order.pk for order in listed] == [line.order_id]


def links_of(said):
    found = [figure.url for figure in said.figures]
    tables = [said.table, said.columns and said.columns.table]
    cells = [cell for table in tables if table for row in table.rows for cell in row]
    found += [cell.url for cell in cells if hasattr(cell, "url")]
    found += [point.url for point in (said.bars.points if said.bars else [])]
    return filter(None, found)


def sheet(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_panels_numbers_are_a_sheet_of_numbers(staff_browser):
    sold(1234, timezone.now())

    answer = staff_browser.get(f"{PAGE}sales/csv/?period=today")

    today = timezone.localdate()
    assert sheet(answer) == [["day", "orders", "sold_kes"], [f"{today}", "1", "1234"]]
    assert answer["Content-Disposition"] == f'attachment; filename="sales-{today}-{today}.csv"'


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.key)
def test_every_panel_has_its_sheet_even_where_there_is_nothing(staff_browser, panel):
    header = sheet(staff_browser.get(f"{PAGE}{panel.key}/csv/"))[0]

    assert header
    assert all(name == name.lower() and " " not in name for name in header)


def test_no_name_in_a_sheet_runs_as_a_formula(staff_browser):
    paid_line(UserFactory(), ProductFactory(name="=HYPERLINK(1)", price=100))

    (_, row) = sheet(staff_browser.get(f"{PAGE}goods/csv/"))

    assert row[1] == "'=HYPERLINK(1)"


def test_a_sheet_is_on_record_with_its_days(staff_browser, staff):
    staff_browser.get(f"{PAGE}sales/csv/?period=own&since=2026-11-01&until=2026-11-02")

    kept = Audit.objects.get(did="Downloaded as CSV")
    assert kept.actor == staff
    assert kept.changes == {
        "panel": [None, "sales"],
        "period": [None, "1 Nov 2026 to 2 Nov 2026"],
    }


@pytest.mark.parametrize(
    ("role", "key", "status"),
    [
        ("support", "sales", 200),
        ("support", "payouts", 403),
        ("catalogue", "goods", 200),
        ("catalogue", "sales", 403),
        ("delivery", "late", 403),
        ("support", "nothing", 404),
    ],
)
def test_a_sheet_needs_the_permission_of_its_panel(role, key, status):
    assert browser_of(in_role(role)).get(f"{PAGE}{key}/csv/").status_code == status


def test_a_sheet_needs_the_permission_to_download(staff_browser):
    person = in_role("support")
    person.groups.get().permissions.filter(codename="export_rows").delete()
    client = browser_of(User.objects.get(pk=person.pk))

    assert client.get(f"{PAGE}sales/csv/").status_code == 403
    assert "CSV" not in client.get(PAGE).content.decode().partition("<main")[2]
    assert not Audit.objects.filter(did="Downloaded as CSV").exists()
