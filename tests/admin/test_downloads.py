"""Lists as CSV: every column except secrets, with permission, and audited."""

import csv
import io
import re

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission

from accounts.backoffice import csv_download as downloads
from accounts.models import Audit
from orders.models import Order, OrderTrack
from payments.models import OrderPayment, Payout, Receipt, Refund
from tests.factories import ProductFactory, UserFactory
from tests.shopping import paid_line

from .browsers import browser_of, in_role, list_url

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

LISTS = [Order, OrderTrack, OrderPayment, Receipt, Refund, Payout]


def download(client, model, *rows, query="", across=False):
    chosen = {"action": "download", ACTION_CHECKBOX_NAME: [row.pk for row in rows]}
    return client.post(
        list_url(model) + query, {**chosen, **({"select_across": "1"} if across else {})}
    )


def read(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8", answer.content[:500]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines(count, **product):
    return [paid_line(UserFactory(), ProductFactory(**product)) for _ in range(count)]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_every_list_can_be_downloaded_without_its_secrets(staff_browser, model):
    line = lines(1)[0]
    row = model.objects.first()

    answer = download(staff_browser, model, *[row or line])

    secrets = {"callback_token", "order_token", "status_token", "collection_code", "fingerprint"}
    header = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()[0].split(",")
    assert header[0] == "id"
    assert secrets.isdisjoint(header)
    assert answer["Content-Disposition"].startswith(
        f'attachment; filename="{model._meta.model_name}-20'
    )
    assert "no-store" in answer["Cache-Control"]


def test_a_download_has_only_the_chosen_rows(staff_browser):
    first, _, third = lines(3)

    rows = read(download(staff_browser, OrderTrack, first, third))

    assert [row["id"] for row in rows] == [str(third.pk), str(first.pk)]
    assert (rows[0]["amount"], rows[0]["track_status"]) == ("1500", "paid")


def test_all_that_a_filter_shows_are_in_it_in_batches(
    staff_browser, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(downloads, "BATCH", 2)
    kept = lines(5)
    OrderTrack.objects.filter(pk=kept[0].pk).update(track_status="shipping")

    answer = download(
        staff_browser, OrderTrack, kept[1], query="?track_status__exact=paid", across=True
    )

    # two batches of two, and nothing behind them
    with django_assert_num_queries(3):
        rows = read(answer)
    assert [row["id"] for row in rows] == [str(line.pk) for line in reversed(kept[1:])]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_spreadsheet_takes_a_name_for_a_formula(staff_browser, start):
    line = lines(1)[0]
    OrderTrack.objects.filter(pk=line.pk).update(name=f"{start}1+1")

    (row,) = read(download(staff_browser, OrderTrack, line))

    assert row["name"] == f"'{start}1+1"


@pytest.mark.parametrize("name", ["00123", "5.90123E+12", "5E12345678", "1-2"])
def test_no_spreadsheet_saves_a_name_as_another(staff_browser, name):
    line = lines(1)[0]
    OrderTrack.objects.filter(pk=line.pk).update(name=name)

    (row,) = read(download(staff_browser, OrderTrack, line))

    assert row["name"] == f"'{name}"


def test_a_phone_and_a_receipts_number_keep_all_their_digits(staff_browser):
    lines(1)
    Receipt.objects.update(number="5E12345678", phone="254712345678")

    (row,) = read(download(staff_browser, Receipt, Receipt.objects.get()))

    assert (row["number"], row["phone"]) == ("'5E12345678", "'254712345678")


def test_times_are_in_nairobi_time(staff_browser):
    line = lines(1)[0]

    (row,) = read(download(staff_browser, OrderTrack, line))

    assert row["created_at"].endswith("+03:00")


def test_a_download_is_on_record_before_a_byte_of_it_is_sent(staff_browser, staff):
    line = lines(1)[0]

    download(staff_browser, OrderTrack, line, query="?track_status__exact=paid")

    kept = Audit.objects.get()
    assert (kept.actor, kept.did, kept.object_name) == (staff, "Downloaded as CSV", "order lines")
    assert kept.changes == {
        "list": [None, "track_status__exact=paid"],
        "rows": [None, [str(line.pk)]],
    }


def test_a_list_has_a_button_for_all_that_it_shows_and_a_filter_stays(staff_browser):
    shown, *_ = lines(2)
    page = staff_browser.get(f"{list_url(Order)}?q={shown.order.reference}").content.decode()

    [form] = re.findall(
        r'<form method="post" class="[^"]*shop-download">.*?</form>', page, re.DOTALL
    )
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    sent.pop("csrfmiddlewaretoken", None)
    rows = read(staff_browser.post(f"{list_url(Order)}?q={shown.order.reference}", sent))

    assert [row["reference"] for row in rows] == [shown.order.reference]


@pytest.mark.parametrize("rows", [0, 1])
def test_the_button_is_for_who_may_download_where_there_is_something(staff_browser, rows):
    lines(rows)
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_order"))

    assert ("shop-download" in staff_browser.get(list_url(Order)).content.decode()) == bool(rows)
    assert "shop-download" not in browser_of(viewer).get(list_url(Order)).content.decode()


def test_a_download_of_all_of_a_list_says_so(staff_browser):
    download(staff_browser, OrderTrack, *lines(1), across=True)

    assert Audit.objects.get().changes["rows"] == [None, "all of them"]


def test_who_may_not_take_rows_away_gets_none_and_leaves_no_record():
    person = in_role("support")
    person.groups.clear()
    person.user_permissions.add(Permission.objects.get(codename="view_ordertrack"))
    line = lines(1)[0]

    answer = download(browser_of(person), OrderTrack, line)

    assert answer["Content-Type"].startswith("text/html")
    assert not Audit.objects.exists()


@pytest.mark.parametrize(
    ("role", "model", "shown"),
    [("support", Order, "•••••••••678"), ("finance", OrderPayment, "254712345678")],
)
def test_only_finance_downloads_phones(role, model, shown):
    line = lines(1)[0]
    Order.objects.update(mpesa_number="254712345678")
    OrderPayment.objects.update(phone="254712345678")
    row = line.order if model is Order else OrderPayment.objects.get()

    (told,) = read(download(browser_of(in_role(role)), model, row))

    # A spreadsheet is kept from reading it as a number.
    assert told["mpesa_number" if model is Order else "phone"].lstrip("'") == shown


def test_a_file_has_no_column_that_this_persons_pages_leave_out(db):
    """Catalogue may download and delivery may see lines: who has both roles sees no buyer."""
    line = lines(1)[0]
    courier = in_role("delivery")
    courier.groups.add(in_role("catalogue").groups.get())

    [row] = read(download(browser_of(courier), OrderTrack, line))

    assert {"buyer_id", "commission", "payment_mpesa_number"}.isdisjoint(row)
    assert row["name"] == line.name
