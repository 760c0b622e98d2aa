"""Import of listings: rows are independent and reported one by one, and repeating is safe."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from products.listings.serializers import EditProductInput
from products.models import Product, StockMovement
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.shopping import an_order, paid_line, stock_of

IMPORT = "/seller/products/import/"
HEADER = "name,category,price,item_number,payment_mpesa_number"
KETTLE = "Kettle,kitchen,1500,5,0722000000"
PAN = "Pan,kitchen,900,3,0722000000"

pytestmark = pytest.mark.usefixtures("balanced_books")


def send(client, *lines, header=HEADER, query="", key=None):
    headers = {"Idempotency-Key": key} if key else {}
    body = "\r\n".join([header, *lines]).encode()
    return client.generic("POST", IMPORT + query, body, content_type="text/csv", headers=headers)


def reported(response):
    """(row, status, errors or notes) for each row."""
    assert response.status_code == 200, response.content
    return [
        (row["row"], row["status"], row["errors"] or row["notes"])
        for row in response.json()["rows"]
    ]


def test_good_rows_are_saved_though_others_fail(seller_api, seller, kettle):
    response = send(
        seller_api,
        ",Pan,,kitchen,900,3,0722000000,",
        f"{kettle.pk},,Boils.,,1400,,,false",
        ",Pot,,kitchen,cheap,0,12,",
        header="id,name,description,category,price,item_number,payment_mpesa_number,listed",
    )

    pan = Product.objects.get(name="Pan")
    assert response.json() == {
        "check": False,
        "rows": [
            {"row": 2, "status": "created", "id": pan.pk, "errors": {}, "notes": {}},
            {"row": 3, "status": "updated", "id": kettle.pk, "errors": {}, "notes": {}},
            {
                "row": 4,
                "status": "failed",
                "id": None,
                "errors": {
                    "price": ["A whole number is needed, like 1500."],
                    "payment_mpesa_number": ["Enter a Kenyan mobile number, like 0712345678."],
                    "item_number": ["Ensure this value is greater than or equal to 1."],
                },
                "notes": {},
            },
        ],
        "totals": {"created": 1, "updated": 1, "unchanged": 0, "failed": 1},
    }
    kettle.refresh_from_db()
    assert (kettle.name, kettle.price, kettle.listed) == ("Kettle", 1400, False)
    assert (kettle.description, kettle.item_number) == ("Boils.", 5)
    assert (pan.seller, pan.item_number, pan.listed) == (seller, 3, True)


@pytest.mark.parametrize("how", ["address", "form"])
def test_a_check_tells_the_same_and_changes_nothing(seller_api, kettle, how):
    lines = ["id,sku,price,restock,name", f"{kettle.pk},,9,2,", f"{kettle.pk + 1},,9,,", ",,,,X"]
    before = list(Product.objects.values())

    if how == "address":
        response = send(seller_api, *lines[1:], header=lines[0], query="?check=true")
    else:
        file = SimpleUploadedFile("a.csv", "\n".join(lines).encode(), "text/csv")
        form = {"file": file, "check": "true"}
        response = seller_api.post(IMPORT, form, format="multipart")

    assert [status for _, status, _ in reported(response)] == ["updated", "failed", "failed"]
    assert response.json()["check"] is True
    assert list(Product.objects.values()) == before
    assert StockMovement.objects.count() == 1


def test_the_same_new_rows_twice_are_listed_once(seller_api):
    first = send(seller_api, KETTLE, PAN)
    again = send(seller_api, KETTLE, PAN)

    assert [row["status"] for row in again.json()["rows"]] == ["unchanged"] * 2
    assert [row["id"] for row in again.json()["rows"]] == [r["id"] for r in first.json()["rows"]]
    assert Product.objects.count() == 2


def test_a_new_row_with_the_name_of_a_listing_is_not_doubled_by_accident(seller_api):
    number = send(seller_api, KETTLE).json()["rows"][0]["id"]

    response = send(seller_api, KETTLE.replace("1500", "1600"))

    assert reported(response) == [
        (2, "failed", {"name": [
            f"You have a listing with this name already ({number}). Give its id to change it, or"
            " a new sku to list another."
        ]})
    ]  # fmt: skip
    assert Product.objects.get().price == 1500


def test_a_row_is_compared_with_few_of_the_listings_with_its_name(seller_api, seller, monkeypatch):
    checked = []

    class Counted(EditProductInput):
        def is_valid(self, **kwargs):
            checked.append(self.instance)
            return super().is_valid(**kwargs)

    monkeypatch.setattr("products.spreadsheets.row_import.EditProductInput", Counted)
    for number in range(50):
        ProductFactory(seller=seller, name="Kettle", sku=f"K-{number}", price=2000 + number)

    response = send(seller_api, *[KETTLE] * 3)

    assert [row["status"] for row in response.json()["rows"]] == ["failed"] * 3
    assert len(checked) == 3 * 20


def test_a_sku_lists_once_and_changes_afterwards(seller_api):
    header = f"sku,{HEADER}"

    send(seller_api, f"K-1,{KETTLE}", f"K-2,{KETTLE}", header=header)
    response = send(seller_api, f"K-1,{KETTLE.replace('1500', '1600')}", header=header)

    assert reported(response) == [(2, "updated", {})]
    assert dict(Product.objects.values_list("sku", "price")) == {"K-1": 1600, "K-2": 1500}


@pytest.mark.parametrize(
    ("header", "line", "column"),
    [(HEADER, KETTLE, "name"), (f"sku,{HEADER}", f"K,{KETTLE}", "sku")],
)
def test_two_rows_about_the_same_new_listing_are_one(seller_api, header, line, column):
    response = send(seller_api, line, line, header=header)

    assert reported(response)[1] == (3, "failed", {column: ["Row 2 is about the same listing."]})
    assert Product.objects.count() == 1


def test_two_rows_about_one_listing_count_once(seller_api, kettle):
    Product.objects.update(sku="K")

    response = send(seller_api, f"{kettle.pk},,7", ",K,8", header="id,sku,price")

    assert reported(response)[1] == (3, "failed", {"sku": ["Row 2 is about the same listing."]})
    assert Product.objects.get().price == 7


@pytest.mark.parametrize("typed", ["x", "0", "-1", "1.0", "9" * 18, "9" * 40, "１"])
def test_an_id_that_is_not_ones_own_fails(seller_api, seller, typed):
    response = send(seller_api, f"{typed},9", header="id,price")

    assert reported(response) == [
        (
            2,
            "failed",
            {"id": ["You have no product with this id. Leave it empty for a new listing."]},
        )
    ]


def test_another_sellers_listing_cannot_be_changed(kettle):
    response = send(signed_in(UserFactory()), f"{kettle.pk},9", header="id,price")

    assert reported(response)[0][1] == "failed"
    kettle.refresh_from_db()
    assert kettle.price == 1500


def test_where_one_is_paid_does_not_change_by_a_sheet(seller_api, kettle):
    header = "id,price,payment_mpesa_number"

    response = send(seller_api, f"{kettle.pk},9,0733000000", header=header)

    message = f"Changing where you are paid needs your password: PATCH /product/{kettle.pk}/."
    assert reported(response) == [(2, "failed", {"payment_mpesa_number": [message]})]
    kettle.refresh_from_db()
    assert (kettle.payment_mpesa_number, kettle.price) == ("254722000000", 1500)


def test_restock_adds_and_item_number_does_not(seller_api, kettle):
    added = send(seller_api, f"{kettle.pk},5,7", header="id,item_number,restock")
    typed = send(seller_api, f"{kettle.pk},99,", header="id,item_number,restock")

    assert reported(added) == [(2, "updated", {})]
    _, status, notes = reported(typed)[0]
    assert (status, list(notes)) == ("unchanged", ["item_number"])
    assert stock_of(kettle) == (12, 0)


def test_the_same_restock_again_is_not_added_and_says_so(seller_api, kettle):
    line, header = f"{kettle.pk},5,7", "id,item_number,restock"
    send(seller_api, line, header=header)

    again = send(seller_api, line, header=header)
    checked = send(seller_api, line, header=header, query="?check=true")
    another = send(seller_api, line, header=header, key="tuesday")
    retried = send(seller_api, line, header=header, key="tuesday")

    assert [reported(r)[0][1] for r in (again, checked, another, retried)] == [
        "unchanged", "unchanged", "updated", "unchanged",
    ]  # fmt: skip
    assert list(reported(again)[0][2]) == ["restock"]
    assert stock_of(kettle) == (19, 0)


def exported(client):
    """The seller's own listings, by column."""
    response = client.get("/seller/products/export/")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def send_back(client, rows, **more):
    """Import edited rows of an export."""
    header, *lines = [list(rows[0]), *(row.values() for row in rows)]
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return send(client, *out.getvalue().splitlines(), header=",".join(header), **more)


def restocked(client, number):
    """The rows of a new export with this number in restock."""
    return [{**row, "restock": str(number)} for row in exported(client)]


def sell(kettle, number):
    """Sell units in a paid order."""
    paid_line(UserFactory(), kettle, number)


ADDED_BEFORE = (
    "This was added before and is not added again. If this is another delivery, enter it in a new"
    " export that has the column stock_version, or send the file with a new Idempotency-Key."
)
MOVED = (
    "The stock has changed since this was exported. The number in restock is added to the current"
    " stock."
)


def test_a_fresh_export_restocks_again_though_the_same_number_stands_there(seller_api, seller):
    kettle = ProductFactory(seller=seller, item_number=10)
    first = restocked(seller_api, 5)

    assert reported(send_back(seller_api, first)) == [(2, "updated", {})]
    sell(kettle, 5)
    assert stock_of(kettle) == (10, 0)
    fresh = restocked(seller_api, 5)
    second, again = send_back(seller_api, fresh), send_back(seller_api, fresh)

    assert (first[0]["item_number"], fresh[0]["item_number"]) == ("10", "10")
    assert reported(second) == [(2, "updated", {})]
    assert reported(again)[0][1] == "unchanged"
    assert reported(again)[0][2]["restock"] == [ADDED_BEFORE]
    assert stock_of(kettle) == (15, 0)


def test_every_stock_movement_changes_the_stock_version(seller_api, kettle):
    def version():
        return exported(seller_api)[0]["stock_version"]

    seen = [version()]
    for number in (5, -5):
        seller_api.post(f"/product/{kettle.pk}/restock/", {"number": number}, format="json")
        seen.append(version())
    sell(kettle, 2)
    seen.append(version())
    send(seller_api, f"{kettle.pk},Pan", header="id,name")

    assert version() == seen[-1]
    assert len(set(seen)) == 4


@pytest.mark.parametrize("query", ["", "?check=true"])
def test_a_stale_export_adds_once_to_what_is_there_now_and_says_so(seller_api, kettle, query):
    stale = restocked(seller_api, 7)
    sell(kettle, 2)

    response = send_back(seller_api, stale, query=query)

    assert reported(response) == [(2, "updated", {"stock_version": [MOVED]})]
    assert stock_of(kettle) == (3 if query else 10, 0)


@pytest.mark.parametrize("query", ["", "?check=true"])
def test_another_number_in_an_export_that_was_added_is_refused_whole(seller_api, kettle, query):
    rows = restocked(seller_api, 5)
    send_back(seller_api, rows)

    edited = [{**row, "restock": "8", "price": "9"} for row in rows]
    response = send_back(seller_api, edited, query=query)

    assert reported(response) == [
        (2, "failed", {"restock": [
            "5 were already added from this export, so 8 cannot be the same delivery. Nothing was"
            " added. If this is another delivery, enter it in a new export that has the column"
            " stock_version, or send the file with a new Idempotency-Key."
        ]})
    ]  # fmt: skip
    kettle.refresh_from_db()
    assert (kettle.item_number, kettle.price) == (10, 1500)


@pytest.mark.parametrize("typed", ["2", "99", "-1", "x", "1.5"])
def test_an_impossible_stock_version_is_refused(seller_api, kettle, typed):
    response = send(seller_api, f"{kettle.pk},{typed},5", header="id,stock_version,restock")

    why = "Leave this as it is in your export, or empty."
    assert reported(response) == [(2, "failed", {"stock_version": [why]})]
    assert stock_of(kettle) == (5, 0)


@pytest.mark.parametrize("typed", ["1.0", "1.00", "'1", " 1 "])
def test_a_version_as_a_spreadsheet_writes_it_is_the_same(seller_api, kettle, typed):
    send(seller_api, f"{kettle.pk},1,5", header="id,stock_version,restock")
    response = send(seller_api, f"{kettle.pk},{typed},5", header="id,stock_version,restock")

    assert reported(response)[0][1] == "unchanged"
    assert stock_of(kettle) == (10, 0)


def test_a_file_of_before_the_version_is_read_as_it_was(seller_api, kettle):
    line, header = f"{kettle.pk},5,7,", "id,item_number,restock,stock_version"

    with_none = send(seller_api, line, header=header)
    without = send(seller_api, line.removesuffix(","), header=header.removesuffix(",stock_version"))

    assert [reported(with_none)[0][1], reported(without)[0][1]] == ["updated", "unchanged"]
    assert reported(without)[0][2] == {"restock": [ADDED_BEFORE]}
    assert stock_of(kettle) == (12, 0)


def test_an_idempotency_key_still_decides_before_the_version(seller_api, kettle):
    rows = restocked(seller_api, 5)

    answers = [send_back(seller_api, rows, key=key) for key in ("mon", "mon", "tue")]

    assert [reported(answer)[0][1] for answer in answers] == ["updated", "unchanged", "updated"]
    assert stock_of(kettle) == (15, 0)


def test_another_number_under_the_same_idempotency_key_is_refused_in_a_check_too(
    seller_api, kettle
):
    send(seller_api, f"{kettle.pk},5", header="id,restock", key="mon")

    answers = [
        send(seller_api, f"{kettle.pk},6", header="id,restock", key="mon", query=query)
        for query in ("", "?check=true")
    ]

    assert reported(answers[0]) == reported(answers[1])
    assert reported(answers[0])[0][1] == "failed"
    assert "Idempotency-Key" in reported(answers[0])[0][2]["restock"][0]


@pytest.mark.parametrize("query", ["", "?check=true"])
def test_an_impossible_restock_fails_its_whole_row(seller_api, buyer, kettle, query):
    an_order(buyer, (kettle, 3))

    response = send(seller_api, f"{kettle.pk},9,-3", header="id,price,restock", query=query)

    message = "Only 2 are available; 3 are reserved for unpaid orders."
    assert reported(response) == [(2, "failed", {"restock": [message]})]
    kettle.refresh_from_db()
    assert (kettle.price, kettle.item_number) == (1500, 5)


def test_broken_goods_are_taken_away(seller_api, kettle):
    send(seller_api, f"{kettle.pk},-2", header="id,restock")

    assert stock_of(kettle) == (3, 0)


def test_a_new_listing_takes_no_restock(seller_api):
    response = send(seller_api, f"{KETTLE},2", header=f"{HEADER},restock")

    assert list(reported(response)[0][2]) == ["restock"]
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "text/csv", 400),
        (b"\xff\xfe", "text/csv", 400),
        (b"a\x00b", "text/csv", 400),
        (b'"', "text/csv", 400),
        (b"x" * (2 * 1024 * 1024 + 1), "text/csv", 413),
        (b"name", "text/csv; charset=utf-16", 415),
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data; boundary=x", 400),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(seller_api, body, content_type, status):
    response = seller_api.generic("POST", IMPORT, body, content_type=content_type)

    assert response.status_code == status
    if status == 400:
        assert list(response.json()) == ["file"]


@pytest.mark.parametrize("query", ["?check=maybe", "?check=", "?check=true&check=false"])
def test_a_check_that_cannot_be_read_saves_nothing(seller_api, query):
    response = send(seller_api, KETTLE, query=query)

    assert (response.status_code, list(response.json())) == (400, ["check"])
    assert not Product.objects.exists()


def test_a_stranger_sends_nothing(api, db):
    assert send(api, KETTLE).status_code == 401


def test_rows_that_change_nothing_cost_no_query_each(seller_api, seller, django_assert_num_queries):
    lines = [f"{ProductFactory(seller=seller).pk},1500" for _ in range(9)]

    # caller; the last listing, those of the rows
    with django_assert_num_queries(3):
        response = send(seller_api, *lines, header="id,price")

    assert response.json()["totals"]["unchanged"] == 9
