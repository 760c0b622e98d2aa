"""Reading cells that people and spreadsheets write: accepted if unambiguous."""

import pytest

from products.models import Product, StockMovement
from tests.factories import ProductFactory
from tests.guards import balanced_books  # noqa: F401
from tests.shopping import stock_of

from .test_import import HEADER, reported, send

pytestmark = pytest.mark.usefixtures("balanced_books")

SKU_HEADER = f"sku,{HEADER}"


def new(**changed):
    """A row of a new kettle, its cells in double quotes."""
    cells = {
        "name": "Kettle",
        "category": "kitchen",
        "price": "1500",
        "item_number": "5",
        "payment_mpesa_number": "0722000000",
        **changed,
    }
    return {"header": ",".join(cells), "line": ",".join(f'"{cell}"' for cell in cells.values())}


def send_new(client, **changed):
    row = new(**changed)
    return reported(send(client, row["line"], header=row["header"]))[0]


@pytest.mark.parametrize(
    "typed",
    ["1,500", "1 500", "1\u00a0500", "1\u202f500", "1'500", "1500.00", "1500,00", "1500.0",
     "1,500.00",
     "1 500,00", "1.500,00", "KES 1,500", "kes1500", "KSh 1,500.00", "Ksh. 1500", "Sh 1,500/=",
     "1500/=", "1,500/-", "1500 KES", "1,500 Kshs", "+1500"],
)  # fmt: skip
def test_a_price_is_read_as_people_write_it_and_the_report_says_so(seller_api, typed):
    row = send_new(seller_api, price=typed)

    assert row == (2, "created", {"price": [f"“{typed}” was read as 1500."]})
    assert Product.objects.get().price == 1500


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1.500", "“1.500” could be 1500 or a decimal number. Write 1500."),
        ("KES 1.500", "“1.500” could be 1500 or a decimal number. Write 1500."),
        ("1.5E+3", "A spreadsheet shortened this to “1.5E+3”. Write the number in full."),
        ("1E+05", "A spreadsheet shortened this to “1E+05”. Write the number in full."),
        ("1500.50", "A whole number is needed, like 1500."),
        ("1,50", "A whole number is needed, like 1500."),
        ("1,500,00", "A whole number is needed, like 1500."),
        ("15,00,000", "A whole number is needed, like 1500."),
        ("0,500", "A whole number is needed, like 1500."),
        ("1,500 500", "A whole number is needed, like 1500."),
        ("USD 1500", "A whole number is needed, like 1500."),
        ("(1500)", "A whole number is needed, like 1500."),
        ("１５００", "A whole number is needed, like 1500."),
        ("9" * 200, "A whole number is needed, like 1500."),
        ("KES", "A whole number is needed, like 1500."),
    ],
)
def test_a_price_that_can_mean_two_things_or_none_is_refused(seller_api, typed, why):
    assert send_new(seller_api, price=typed) == (2, "failed", {"price": [why]})
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("column", "typed", "meant"),
    [
        ("item_number", "1,200", 1212),
        ("item_number", "12.0", 12),
        ("id", "{id}.0", 12),
        ("id", "'{id}", 12),
    ],
)
def test_ids_and_numbers_are_read_alike(seller_api, seller, column, typed, meant):
    pan = ProductFactory(seller=seller, item_number=12)
    cells = {"id": str(pan.pk), "item_number": "12", "restock": "", column: typed.format(id=pan.pk)}

    response = send(
        seller_api, ",".join(f'"{cell}"' for cell in cells.values()), header=",".join(cells)
    )

    assert reported(response)[0][1] == "unchanged"
    assert response.json()["rows"][0]["id"] == pan.pk


@pytest.mark.parametrize(
    ("typed", "number"), [("+7", 7), ("7.00", 7), ("\u22122", -2), ("'-2", -2), ("1,000", 1000)]
)
def test_a_restock_is_read_as_it_was_meant(seller_api, kettle, typed, number):
    send(seller_api, f'{kettle.pk},"{typed}"', header="id,restock")

    assert stock_of(kettle) == (5 + number, 0)


@pytest.mark.parametrize("typed", ["5.0E+0", "1.000", "2,5", "five"])
def test_a_restock_that_cannot_be_read_adds_nothing(seller_api, kettle, typed):
    response = send(seller_api, f'{kettle.pk},"{typed}",9', header="id,restock,price")

    assert reported(response)[0][1:] == ("failed", reported(response)[0][2])
    assert list(reported(response)[0][2]) == ["restock"]
    assert (stock_of(kettle), Product.objects.get().price) == ((5, 0), 1500)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("TRUE", True), ("Yes", True), ("ndiyo", True), ("WAHR", True), ("VRAI", True), ("y", True),
     ("FALSE", False), ("no", False), ("Hapana", False), ("FALSCH", False), ("faux", False)],
)  # fmt: skip
def test_yes_and_no_are_read_in_the_languages_of_people_and_spreadsheets(seller_api, typed, shown):
    assert send_new(seller_api, listed=typed)[1] == "created"

    assert Product.objects.get().listed is shown


@pytest.mark.parametrize("typed", ["1", "0", "maybe", "x"])
def test_values_other_than_yes_and_no_are_refused(seller_api, typed):
    assert send_new(seller_api, listed=typed) == (2, "failed", {"listed": ["Send true or false."]})


@pytest.mark.parametrize("typed", ["Kitchen", "KITCHEN"])
def test_a_category_is_read_in_any_capitals(seller_api, typed):
    assert send_new(seller_api, category=typed) == (2, "created", {})


@pytest.mark.parametrize(
    ("typed", "notes"),
    [
        ("722000000", "“722000000” was read as 0722000000."),
        ("722000000.0", "“722000000.0” was read as 0722000000."),
        ("254722000000.00", "“254722000000.00” was read as 0722000000."),
        ("254,722,000,000", "“254,722,000,000” was read as 0722000000."),
        ("722,000,000", "“722,000,000” was read as 0722000000."),
        ('=""0722000000""', ""),
        ("'0722000000", ""),
        ("254722000000", ""),
        ("+254 722 000 000", ""),
    ],
)
def test_a_phone_that_lost_its_zero_is_read_as_what_it_can_only_mean(seller_api, typed, notes):
    row = send_new(seller_api, payment_mpesa_number=typed)

    assert row == (2, "created", {"payment_mpesa_number": [notes]} if notes else {})
    assert Product.objects.get().payment_mpesa_number == "254722000000"


@pytest.mark.parametrize("typed", ["2.54722E+11", "2,54722E+11", "7.22E+08"])
def test_a_phone_that_was_cut_is_refused(seller_api, typed):
    why = f"A spreadsheet shortened this number to “{typed}”. Write it like 0712345678."

    row = send_new(seller_api, payment_mpesa_number=typed)

    assert row == (2, "failed", {"payment_mpesa_number": [why]})


def stored(seller, sku, **more):
    return ProductFactory(seller=seller, name="Kettle", sku=sku, **more)


@pytest.mark.parametrize(
    ("sku", "seen"),
    [
        ("00123", "123"),
        ("00123", "0123"),
        ("5901234123457", "5.90123E+12"),
        ("5901234123457", "5,90123E+12"),
        ("12345678901234567890", "1.23456789012346E+019"),
        ("12345678901234567890", "12345678901234500000"),
        ("1E5", "1.00E+05"),
        ("1E5", "100000"),
        ("1.10", "1.1"),
        ("1-2", "02-Jan"),
        ("MAR1", "01-Mar"),
        ("JAN26", "Jan-26"),
        ("true", "TRUE"),
    ],
)
@pytest.mark.parametrize("with_id", [False, True])
def test_a_sku_that_a_spreadsheet_cut_changes_and_lists_nothing(
    seller_api, seller, sku, seen, with_id
):
    kettle = stored(seller, sku)
    before = list(Product.objects.values())
    pk = kettle.pk if with_id else ""

    response = send(
        seller_api,
        f'{pk},"{seen}",Kettle,kitchen,1600,5,0722000000',
        header=f"id,{SKU_HEADER}",
    )

    (row,) = response.json()["rows"]
    assert (row["status"], list(row["errors"])) == ("failed", ["sku"])
    assert f"“{seen}”" in row["errors"]["sku"][0]
    assert list(Product.objects.values()) == before


@pytest.mark.parametrize(("sku", "seen"), [("1E5", "100000"), ("1.10", "1.1"), ("007", "7")])
def test_a_cut_sku_lists_nothing_under_another_name_either(seller_api, seller, sku, seen):
    stored(seller, sku)

    response = send(seller_api, f"{seen},{new(name='Pan')['line']}", header=SKU_HEADER)

    assert (reported(response)[0][1], list(reported(response)[0][2])) == ("failed", ["sku"])


@pytest.mark.parametrize(
    ("sku", "seen"), [("1-2", "1/2/2026"), ("3/4", "2026-04-03"), ("MAR1", "1/3/2026")]
)
def test_a_sku_that_became_a_date_is_not_changed_to_it(seller_api, seller, sku, seen):
    kettle = stored(seller, sku)

    response = send(seller_api, f"{kettle.pk},{seen}", header="id,sku")

    assert (reported(response)[0][1], list(reported(response)[0][2])) == ("failed", ["sku"])


@pytest.mark.parametrize("sku", ["00123", "5901234123457", "1E5", "1-2", "true", "KET-17", "120"])
def test_a_sku_as_it_is_still_finds_its_listing(seller_api, seller, sku):
    stored(seller, sku, price=1500)

    response = send(seller_api, f"{sku},1600", header="sku,price")

    assert reported(response) == [(2, "updated", {})]
    assert Product.objects.get().price == 1600


def test_a_sku_that_may_be_anothers_without_its_zeros_needs_the_id(seller_api, seller):
    other, kettle = stored(seller, "00123"), stored(seller, "123")

    alone = send(seller_api, "123,1600", header="sku,price")
    named = send(seller_api, f"{kettle.pk},123,1600", header="id,sku,price")
    literal = send(seller_api, "'00123,1700", header="sku,price")

    assert reported(alone) == [
        (2, "failed", {"sku": [
            f"You have a listing with the sku “00123” ({other.pk}), which a spreadsheet changes"
            " to “123”. Give its id, or put an apostrophe before the sku you mean: '00123"
        ]})
    ]  # fmt: skip
    assert [reported(named), reported(literal)] == [[(2, "updated", {})]] * 2
    assert dict(Product.objects.values_list("sku", "price")) == {"00123": 1700, "123": 1600}


@pytest.mark.parametrize("written", ["'0456", '"=""0456"""'])
def test_a_new_sku_is_taken_literally_where_it_says_so(seller_api, seller, written):
    stored(seller, "456")

    response = send(seller_api, f"{written},{new(name='Pan')['line']}", header=SKU_HEADER)

    assert reported(response)[0][1] == "created"
    assert set(Product.objects.values_list("sku", flat=True)) == {"456", "0456"}


@pytest.mark.parametrize("sku", ["5.90123E+12", "1E+05", "02-Jan", "TRUE", "1234567890123450"])
def test_a_new_listing_with_a_sku_that_looks_cut_is_refused(seller_api, sku):
    response = send(seller_api, f"{sku},{new()['line']}", header=SKU_HEADER)
    meant = send(seller_api, f"'{sku},{new()['line']}", header=SKU_HEADER)

    assert reported(response) == [
        (2, "failed", {"sku": [
            f"A spreadsheet seems to have changed a longer sku, or a date, to “{sku}”. Write the"
            " sku in full with an apostrophe before it, like '5901234123457"
        ]})
    ]  # fmt: skip
    # An apostrophe is removed only where it protects the text.
    assert reported(meant)[0][1] == "created"


def test_two_new_skus_of_one_file_that_are_one_number_are_not_both_listed(seller_api):
    line = new()["line"]

    response = send(seller_api, f"0123,{line}", f"123,{line}", header=SKU_HEADER)

    assert [status for _, status, _ in reported(response)] == ["created", "failed"]
    assert list(reported(response)[1][2]) == ["sku"]


def test_a_sku_that_lost_its_zeros_in_the_shop_is_not_listed_again_but_mended(seller_api, seller):
    kettle = stored(seller, "123")

    again = send(seller_api, f"00123,{new()['line']}", header=SKU_HEADER)
    mended = send(seller_api, f"{kettle.pk},00123", header="id,sku")

    assert (reported(again)[0][1], list(reported(again)[0][2])) == ("failed", ["sku"])
    assert reported(mended) == [(2, "updated", {"sku": ["Changed from “123” to “00123”."]})]
    assert Product.objects.get().sku == "00123"


def test_a_sku_that_changes_is_named_in_the_report(seller_api, seller):
    kettle = stored(seller, "00123")

    response = send(seller_api, f"{kettle.pk},00124", header="id,sku")

    assert reported(response) == [(2, "updated", {"sku": ["Changed from “00123” to “00124”."]})]


@pytest.mark.parametrize(
    ("column", "stored_text", "seen"),
    [
        ("name", "007", "7"),
        ("name", "1-2", "02-Jan"),
        ("description", "5901234123457", "5.90123E+12"),
    ],
)
def test_no_text_of_a_listing_is_cut_by_a_spreadsheet(
    seller_api, seller, column, stored_text, seen
):
    kettle = ProductFactory(seller=seller, **{column: stored_text})

    response = send(seller_api, f"{kettle.pk},{seen}", header=f"id,{column}")

    assert (reported(response)[0][1], list(reported(response)[0][2])) == ("failed", [column])
    kettle.refresh_from_db()
    assert getattr(kettle, column) == stored_text


def test_other_sellers_skus_do_not_matter(seller_api, seller):
    ProductFactory(sku="00123")

    response = send(seller_api, f"123,{new()['line']}", header=SKU_HEADER)

    assert reported(response) == [(2, "created", {})]


def test_a_listing_that_is_taken_off_is_said_to_be_when_it_is_listed_again(seller_api, seller):
    send(seller_api, new()["line"])
    Product.objects.update(listed=False)

    response = send(seller_api, new()["line"])

    assert reported(response) == [
        (2, "unchanged", {"listed": [
            "This listing is not shown. Put true in this column to list it again."
        ]})
    ]  # fmt: skip


def test_numeric_skus_cost_no_query_more(seller_api, seller, django_assert_num_queries):
    lines = [f"{ProductFactory(seller=seller, sku=f'00{n}').sku},1500" for n in range(1, 9)]

    # caller; the last listing, those of the rows
    with django_assert_num_queries(3):
        response = send(seller_api, *lines, header="sku,price")

    assert response.json()["totals"]["unchanged"] == 8
    assert StockMovement.objects.count() == 8
