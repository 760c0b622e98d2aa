"""Product spreadsheets in the admin follow the sellers' rules and are audited."""

import csv
import io
import re

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Audit
from accounts.services import close_account
from payments.people.erasure import erase_account
from products import stock
from products.models import Product, StockMovement
from products.spreadsheets.import_export import STAFF_COLUMNS
from products.stock import StockLine
from tests.factories import ProductFactory, UserFactory

from .browsers import browser_of, in_role

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

LIST = "/admin/products/product/"
NEW = {
    "seller": "amina",
    "name": "Pan",
    "category": "kitchen",
    "price": "900",
    "item_number": "4",
    "payment_mpesa_number": "0722000001",
}


@pytest.fixture
def keeper(db):
    return browser_of(in_role("catalogue"))


@pytest.fixture
def kettle(seller):
    """Five kettles of Amina's, paid to 0722000001."""
    return ProductFactory(
        seller=seller,
        name="Kettle",
        item_number=5,
        price=1500,
        payment_mpesa_number="254722000001",
    )


def sheet(*rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def preview(client, raw):
    file = SimpleUploadedFile("products.csv", raw, content_type="text/csv")
    return client.post(f"{LIST}import/", {"import_file": file, "format": "0", "resource": "0"})


def confirm(client, page):
    form = page.context["confirm_form"].initial
    return client.post(f"{LIST}process_import/", form, follow=True)


def send(client, *rows):
    return confirm(client, preview(client, sheet(*rows)))


def test_another_process_than_the_one_that_showed_it_confirms_a_sheet(keeper, kettle):
    page = preview(keeper, sheet(*({**NEW, "name": f"Lamp {n}"} for n in range(12))))
    # Each process has its own, where there is no Redis.
    cache.clear()

    confirm(keeper, page)

    assert Product.objects.filter(name__startswith="Lamp").count() == 12


def told(page):
    return [str(message) for message in page.context["messages"]]


def problems(page):
    """By row of the preview, what keeps it from being saved."""
    return [row.error_dict for row in page.context["result"].invalid_rows]


def download(client, query=""):
    response = client.post(f"{LIST}export/{query}", {"format": "0", "resource": "0"})
    text = response.content.decode("utf-8-sig")
    return response, list(csv.DictReader(io.StringIO(text)))


def test_a_preview_shows_each_row_and_saves_none(keeper, kettle):
    before = list(Product.objects.values())
    rows = sheet({**NEW, "id": ""}, {**NEW, "name": "", "id": kettle.pk})

    with CaptureQueriesContext(connection) as asked:
        page = preview(keeper, rows)

    # Nothing is written, not even to be rolled back. Only the file is stored.
    wrote = [one["sql"] for one in asked if one["sql"].startswith(("INSERT INTO", "UPDATE"))]
    assert [sql for sql in wrote if "omachemainproj_cacheentry" not in sql] == []
    result = page.context["result"]
    assert [row.import_type for row in result.rows] == ["new", "update"]
    assert "confirm_form" in page.context
    assert list(Product.objects.values()) == before
    assert not Audit.objects.exists()


def test_what_is_confirmed_is_created_and_on_record(keeper, kettle, seller):
    page = send(keeper, NEW)

    pan = Product.objects.get(name="Pan")
    moved, kept = StockMovement.objects.get(product=pan), Audit.objects.get()
    assert (pan.seller, pan.price, pan.item_number) == (seller, 900, 4)
    assert (moved.quantity, moved.reference, moved.actor.username) == (4, "listed", "catalogue")
    assert (kept.actor.username, kept.did, kept.object_id) == (
        "catalogue",
        "Imported: created",
        str(pan.pk),
    )
    assert kept.changes["price"] == [None, 900]
    assert told(page) == ["Sheet imported: 1 new, 0 changed, 0 unchanged."]


def test_what_is_there_is_changed_and_the_values_before_are_kept(keeper, kettle):
    send(keeper, {"seller": "amina", "id": kettle.pk, "price": "1600"})

    kettle.refresh_from_db()
    assert kettle.price == 1600
    assert Audit.objects.get().changes["price"] == [1500, 1600]


def test_stock_is_added_once_and_never_overwritten(keeper, kettle):
    row = {"seller": "amina", "id": kettle.pk, "item_number": "99", "restock": "7"}

    send(keeper, row)
    send(keeper, row)

    kettle.refresh_from_db()
    moved = StockMovement.objects.get(product=kettle, reference__startswith="restock:")
    assert kettle.item_number == 12
    assert (moved.quantity, moved.actor.username) == (7, "catalogue")
    assert Audit.objects.get().changes["item_number"] == [5, 12]


def test_a_fresh_export_restocks_again_though_the_same_number_stands_there(keeper, kettle):
    def send_export():
        _, (row,) = download(keeper)
        send(keeper, {**row, "restock": "5"})
        send(keeper, {**row, "restock": "5"})

    send_export()
    with transaction.atomic():
        stock.hold([StockLine(kettle.pk, 5)])
        stock.take([StockLine(kettle.pk, 5)], reference="order:1")
    send_export()

    kettle.refresh_from_db()
    assert kettle.item_number == 10


def test_a_sku_that_a_spreadsheet_cut_is_refused(keeper, kettle):
    Product.objects.filter(pk=kettle.pk).update(sku="00123")

    page = preview(keeper, sheet({**NEW, "sku": "123"}))
    _, (row,) = download(keeper)

    assert [list(row) for row in problems(page)] == [["sku"]]
    assert (row["sku"], row["payment_mpesa_number"]) == ("'00123", "0722000001")


def test_an_item_number_alone_changes_nothing(keeper, kettle):
    page = preview(keeper, sheet({"seller": "amina", "id": kettle.pk, "item_number": "99"}))
    confirm(keeper, page)

    kettle.refresh_from_db()
    assert "There are 5 in stock" in page.content.decode()
    assert kettle.item_number == 5
    assert not Audit.objects.exists()


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"seller": "nobody"}, "seller"),
        ({"seller": ""}, "seller"),
        ({"price": "0"}, "price"),
        ({"price": "9" * 40}, "price"),
        ({"category": "boats"}, "category"),
        ({"item_number": "-1"}, "item_number"),
        ({"payment_mpesa_number": "12"}, "payment_mpesa_number"),
        ({"id": "9" * 18}, "id"),
        ({"id": "one"}, "id"),
    ],
)
def test_a_row_that_breaks_a_rule_is_told_so_and_nothing_can_be_confirmed(
    keeper, kettle, changed, column
):
    page = preview(keeper, sheet({**NEW, **changed}))

    assert [list(row) for row in problems(page)] == [[column]]
    assert "confirm_form" not in page.context


def test_nobody_has_a_seller_paid_to_another_number(keeper, kettle):
    listed = preview(keeper, sheet({**NEW, "payment_mpesa_number": "0799999999"}))
    changed = preview(
        keeper,
        sheet({"seller": "amina", "id": kettle.pk, "payment_mpesa_number": "0799999999"}),
    )

    assert [list(row) for row in problems(listed)] == [["payment_mpesa_number"]]
    assert [list(row) for row in problems(changed)] == [["payment_mpesa_number"]]


def test_nobodys_listing_is_changed_under_another_name(keeper, kettle):
    UserFactory(username="baraka")

    page = preview(keeper, sheet({"seller": "baraka", "id": kettle.pk, "price": "1"}))

    assert problems(page) == [
        {"id": ["The seller has no product with this id. Leave it empty for a new listing."]}
    ]


def test_a_row_that_fails_when_it_is_saved_keeps_no_other_from_it(keeper, kettle, seller):
    page = preview(
        keeper,
        sheet(
            {"seller": "amina", "id": kettle.pk, "restock": "-5", "name": "", "price": ""},
            {"seller": "amina", "id": "", "restock": "", "name": "Kettle", "price": "1500"}
            | {"id": ProductFactory(seller=seller, name="Lamp").pk, "name": "Lantern"},
        ),
    )
    Product.objects.filter(pk=kettle.pk).update(held=1)

    done = confirm(keeper, page)

    assert Product.objects.filter(name="Lantern").exists()
    assert told(done)[0].startswith("Row 1 of the file was not saved: Only 4 are available")
    assert Audit.objects.get().object_name == "Lantern"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "The submitted file is empty."),
        (b"seller,colour\namina,red\n", "There is no column"),
        (b"seller,id\n", "no rows below its header"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"seller,id\namina,\x00\n", "the character NUL"),
        (b'seller,id\n"amina,1\n', "is not CSV"),
        (b"seller,id\n" + b"amina,1\n" * 1001, "more than 1,000 rows"),
        (b"seller,id\n" + b"a" * (2 * 1024 * 1024), "larger than 2 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_why(keeper, raw, said):
    page = preview(keeper, raw)

    assert page.status_code == 200
    assert said in page.content.decode()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"import_file_name": "../../etc/passwd"},
        {"import_file_name": "0" * 32},
        {"format": "9"},
        {"format": "x"},
        {"resource": "7"},
        {"original_file_name": ""},
    ],
)
def test_a_confirmation_that_was_not_offered_is_refused(keeper, kettle, changed):
    form = preview(keeper, sheet(NEW)).context["confirm_form"].initial if changed else {}

    page = keeper.post(f"{LIST}process_import/", {**form, **changed}, follow=True)

    assert page.status_code == 200
    assert not Product.objects.filter(name="Pan").exists()


def test_a_file_is_confirmed_once(keeper, kettle):
    page = preview(keeper, sheet({"seller": "amina", "id": kettle.pk, "price": "1600"}))
    confirm(keeper, page)

    again = confirm(keeper, page)

    assert told(again) == ["The file has expired. Upload it again."]


def test_an_export_can_be_sent_back_and_is_on_record(keeper, kettle):
    response, rows = download(keeper)

    page = preview(keeper, response.content)
    kept = Audit.objects.get()
    assert response["Content-Type"] == "text/csv"
    assert rows == [
        {
            "seller": "amina",
            "id": str(kettle.pk),
            "sku": "",
            "name": "Kettle",
            "description": kettle.description,
            "category": kettle.category,
            "price": "1500",
            "item_number": "5",
            "payment_mpesa_number": "0722000001",
            "listed": "true",
            "restock": "",
            "stock_version": "1",
        }
    ]
    assert [row.import_type for row in page.context["result"].rows] == ["skip"]
    assert (kept.actor.username, kept.did) == ("catalogue", "Exported up to 1,000 as CSV")


@pytest.mark.parametrize("name", ["=1+1", "+254", "-1", "@SUM(A1)", "＝1+1", "'=1+1"])
def test_no_cell_of_an_export_is_a_formula(keeper, kettle, name):
    Product.objects.filter(pk=kettle.pk).update(name=name)

    response, rows = download(keeper)

    assert rows[0]["name"] == f"'{name}"
    page = preview(keeper, response.content)
    assert [row.import_type for row in page.context["result"].rows] == ["skip"]


def test_an_export_is_of_what_was_searched_for(keeper, kettle, seller):
    ProductFactory(seller=seller, name="Lamp")

    _, rows = download(keeper, "?q=lamp")

    assert [row["name"] for row in rows] == ["Lamp"]


def test_an_export_takes_a_thousand_rows_and_costs_the_same_for_any_number(
    keeper, kettle, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr("products.spreadsheets.admin.MAX_ROWS", 2)
    for _ in range(3):
        ProductFactory()

    # What kind of row a product is, is read once a process.
    ContentType.objects.get_for_model(Product)
    # session, its row, user, two for permissions, the rows, the audit with its kind
    with django_assert_max_num_queries(8):
        _, rows = download(keeper)

    assert len(rows) == 2


@pytest.mark.parametrize("items", [["1"], ["x"], ["9" * 40]])
def test_the_librarys_own_choice_of_rows_is_not_offered(keeper, kettle, items):
    form = {"format": "0", "resource": "0", "export_items": items}

    page = keeper.post(f"{LIST}export/", form)

    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("powers", "statuses"),
    [
        (["view_product"], (403, 403, 403)),
        (["export_rows"], (403, 403, 403)),
        (["view_product", "export_rows"], (403, 403, 200)),
        (["view_product", "change_product"], (200, 200, 403)),
    ],
)
def test_a_sheet_is_sent_by_who_changes_products_and_taken_home_by_who_takes_lists(
    kettle, powers, statuses
):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=powers))
    client = browser_of(person)

    paths = ("import/", "process_import/", "export/")

    assert tuple(client.post(f"{LIST}{path}").status_code for path in paths) == statuses


@pytest.mark.parametrize("role", ["support", "finance", "delivery"])
@pytest.mark.parametrize("path", ["import/", "process_import/", "export/"])
def test_other_roles_have_no_sheets(kettle, role, path):
    answer = browser_of(in_role(role)).post(f"{LIST}{path}", {"format": "0"})

    assert answer.status_code == 403
    assert not Audit.objects.exists()


def test_the_list_leads_to_both(keeper):
    page = keeper.get(LIST).content.decode()

    assert f"{LIST}import/" in page
    assert f"{LIST}export/" in page


def test_the_page_tells_what_a_sheet_is_and_what_stands_in_each_column(keeper):
    page = keeper.get(f"{LIST}import/").content.decode()

    assert "<h1>Import a sheet</h1>" in page
    for column in STAFF_COLUMNS:
        assert f"<code>{column}</code>" in page
    for word in ("importer", "Submit", "Format"):
        assert word not in page


def test_a_preview_says_what_each_row_would_do(keeper, kettle):
    said = preview(keeper, sheet({**NEW, "id": ""}, {**NEW, "name": "", "id": kettle.pk}))
    page = said.content.decode()

    assert '<th scope="row">New</th>' in page
    assert '<th scope="row">Changed</th>' in page
    assert "Nothing is saved yet." in page


def test_a_preview_says_what_is_wrong_with_a_row(keeper, kettle):
    page = preview(keeper, sheet({**NEW, "price": "cheap"})).content.decode()

    assert "Put these right in the sheet, and send it again." in page
    assert "<li>price: " in page
    assert "Save these rows" not in page


def test_the_pages_own_forms_are_read(keeper, kettle):
    """What a browser would send is what is on the page, and no more."""
    form = re.search(r"<form method=.post. action.*?</form>", _export(keeper), re.DOTALL)[0]
    fields = dict(re.findall(r'name="(format|resource)" value="(\d)"', form))

    answer = keeper.post(f"{LIST}export/", fields)

    assert answer["Content-Type"] == "text/csv"
    assert b"Kettle" in answer.content


def _export(keeper):
    page = keeper.get(f"{LIST}export/").content.decode()
    assert "<h1>Export as a sheet</h1>" in page
    assert "exporter" not in page
    return page


@pytest.mark.parametrize(
    "close", [lambda seller: erase_account(seller, timezone.now()), close_account]
)
def test_nothing_is_listed_or_changed_for_a_closed_seller(keeper, kettle, seller, close):
    Product.objects.update(listed=False)
    close(seller)
    seller.refresh_from_db()
    new = {**NEW, "id": "", "seller": seller.username, "listed": "true"}

    page = preview(keeper, sheet(new, {**new, "id": kettle.pk, "name": "", "item_number": ""}))

    said = ["No user has this name, or their account is closed."]
    assert [row["seller"] for row in problems(page)] == [said] * 2
