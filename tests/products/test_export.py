"""Export of a seller's listings as CSV."""

import csv
import io

import pytest

from products.models import Product
from products.spreadsheets import exporter
from products.spreadsheets.csv_format import COLUMNS
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory

from .conftest import hide

EXPORT = "/seller/products/export/"


def download(client, **more):
    response = client.get(EXPORT, **more)
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode("utf-8-sig")


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_file_has_every_listing_of_the_seller_and_nobody_elses(seller_api, seller):
    ProductFactory(name="Somebody else's")
    old = ProductFactory(seller=seller, name="Old", sku="K-1", description="Two\nlines")
    hide(old)
    new = ProductFactory(seller=seller, name="New, really")

    read = rows(download(seller_api))

    assert list(read[0]) == list(COLUMNS)
    assert [row["id"] for row in read] == [str(new.pk), str(old.pk)]
    assert read[1] == {
        "id": str(old.pk),
        "sku": "K-1",
        "name": "Old",
        "description": "Two\nlines",
        "category": "kitchen",
        "price": "1500",
        "item_number": "5",
        "payment_mpesa_number": "0722000000",
        "listed": "false",
        "restock": "",
        "stock_version": "1",
    }
    assert (read[0]["name"], read[0]["sku"], read[0]["listed"]) == ("New, really", "", "true")


def test_the_export_is_a_download(seller_api, kettle):
    response = seller_api.get(EXPORT)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="products-20')
    assert response["Cache-Control"] == "no-store"
    assert b"".join(response.streaming_content).startswith(b"\xef\xbb\xbfid,sku,")


def test_no_cell_is_a_formula(seller_api, seller):
    ProductFactory(seller=seller, name="=HYPERLINK(1)", description="@SUM(A1)", sku="-1")

    row = rows(download(seller_api))[0]

    assert (row["name"], row["description"], row["sku"]) == ("'=HYPERLINK(1)", "'@SUM(A1)", "'-1")


def test_many_listings_come_in_batches_each_of_one_query(
    seller_api, seller, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(exporter, "BATCH", 3)
    made = [ProductFactory(seller=seller).pk for _ in range(7)]

    # caller; three batches, and one that is empty
    with django_assert_num_queries(5):
        read = rows(download(seller_api))

    assert [int(row["id"]) for row in read] == made[::-1]


def test_a_seller_without_listings_gets_the_header(seller_api):
    assert download(seller_api) == ",".join(COLUMNS) + "\r\n"


def test_a_client_that_accepts_only_csv_gets_it_and_errors_are_json(seller_api, api, kettle):
    accept = {"Accept": "text/csv"}

    assert "Kettle" in download(seller_api, headers=accept)
    refused = api.get(EXPORT, headers=accept)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")


def test_the_file_sent_back_as_it_is_changes_nothing(seller_api, seller):
    hide(ProductFactory(seller=seller, name="=Odd, 'one'", description='\'=a\n"b"', sku="+1"))
    ProductFactory(seller=seller)
    before = list(Product.objects.order_by("pk").values())

    raw = download(seller_api).encode()
    report = seller_api.generic(
        "POST", "/seller/products/import/", raw, content_type="text/csv"
    ).json()

    assert report["totals"] == {"created": 0, "updated": 0, "unchanged": 2, "failed": 0}
    assert [row["notes"] for row in report["rows"]] == [{}, {}]
    assert list(Product.objects.order_by("pk").values()) == before


ODD_SKUS = [
    *("00123", "5901234123457", "12345678901234567890", "1E5", "1-2", "MAR1", "JAN26", "true"),
    *("1.10", "10:30", "5%", "KET-17", "=1+1"),
]


def as_libreoffice_saves(text):
    """An export opened and saved by LibreOffice 7.4 with German settings."""
    for written, saved in [(",", ";"), ("\r\n", "\n"), (";0722000000;true;", ";722000000;TRUE;")]:
        text = text.replace(written, saved)
    return text


def as_google_saves(text):
    """Google Sheets treats a leading apostrophe as its own and does not save it."""
    return text.replace(",true,", ",TRUE,").replace(",0722", ",722").replace(",'", ",")


def as_excel_saves(text):
    return "\ufeff" + text.replace(",0722000000,true", ",722000000,TRUE")


@pytest.mark.parametrize("saved", [as_libreoffice_saves, as_google_saves, as_excel_saves])
def test_an_export_that_a_spreadsheet_saved_changes_nothing(seller_api, seller, saved):
    for sku in ODD_SKUS:
        ProductFactory(seller=seller, sku=sku, name=f"No {sku}", description="00123")
    ProductFactory(seller=seller, name="007", description="5.9E+12")
    before = list(Product.objects.order_by("pk").values())
    text = saved(download(seller_api))

    report = seller_api.generic(
        "POST", "/seller/products/import/", text.encode(), content_type="text/csv"
    ).json()

    assert [(row["errors"], row["notes"]) for row in report["rows"]] == [({}, {})] * len(before)
    assert report["totals"]["unchanged"] == len(before)
    assert list(Product.objects.order_by("pk").values()) == before


def test_an_export_of_another_seller_changes_nothing(seller_api, kettle):
    raw = download(seller_api).encode()
    other = signed_in(UserFactory())

    row = other.generic("POST", "/seller/products/import/", raw, content_type="text/csv").json()[
        "rows"
    ][0]

    assert (row["status"], row["id"]) == ("failed", None)
    assert list(row["errors"]) == ["id"]
