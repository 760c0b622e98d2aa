"""CSV as spreadsheets write it, read back to what was meant."""

import pytest

from omachemainproj.csv_files import guard
from omachemainproj.csv_files import write_sheet as write
from products.spreadsheets.csv_format import (
    COLUMNS,
    MAX_BYTES,
    MAX_ROWS,
    BadSheet,
    read_sheet,
    unguard,
)

ROW = "Kettle,kitchen,1500,5,0712345678"
HEADER = "name,category,price,item_number,payment_mpesa_number"


def sheet(*lines, header=HEADER, end="\r\n"):
    return end.join([header, *lines, ""]).encode()


def rows(raw):
    return [(row.number, row.cells["name"]) for row in read_sheet(raw)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_save_is_read(end, mark, delimiter):
    raw = (mark + sheet(ROW, end=end).decode().replace(",", delimiter)).encode()

    row = read_sheet(raw)[0]

    assert row.cells == dict(zip(HEADER.split(","), ROW.split(","), strict=True))


def test_rows_are_counted_as_a_spreadsheet_counts_and_empty_ones_skipped():
    raw = sheet(ROW, ",,,,", "", ROW.replace("Kettle", '"Iron\npan"'), ROW)

    assert rows(raw) == [(2, "Kettle"), (5, "Iron\npan"), (6, "Kettle")]


def test_columns_may_be_named_in_any_order_case_and_with_empty_ones_behind():
    raw = sheet("5,Kettle,,", header=" ID , Name ,,")

    assert read_sheet(raw)[0].cells == {"id": "5", "name": "Kettle"}


def test_a_short_row_says_nothing_of_the_rest():
    assert read_sheet(sheet("5", header="id,name"))[0].cells == {"id": "5"}


def test_a_text_that_lost_its_quotes_is_a_fault_of_its_row():
    row = read_sheet(sheet("5,Kettle, 1.7 L,9", header="id,name,price"))[0]

    assert row.fault == (
        "This row has 4 cells and the header 3: put a text with commas into double quotes."
    )


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "The first row must name the columns"),
        (b"\n\n", "The first row must name the columns"),
        (b"\xef\xbb\xbf", "The first row must name the columns"),
        (sheet(), "The file has no rows below its header."),
        (sheet(",,,,"), "The file has no rows below its header."),
        (sheet(ROW).decode().encode("utf-16"), "not UTF-8"),
        ("name\nNg\u0169g\u0129".encode("utf-16-le"), "NUL|not UTF-8"),
        (sheet(ROW).replace(b"Kettle", b"K\xe9ttle"), "save it as “CSV UTF-8”"),
        (sheet(ROW).replace(b"Kettle", b"K\x00ttle"), "NUL"),
        (b"PK\x03\x04" + b"\x00" * 50, "NUL"),
        (sheet(ROW, header=HEADER + ",prise"), "There is no column 'prise'. There are: id, sku"),
        (sheet(ROW, header="name,,price"), "There is no column ''"),
        (sheet(ROW, header=HEADER + ",price,PRICE"), "The file has the column price twice."),
        (sheet("Kettle,5", header="name,price"), "category, item_number, payment_mpesa_number"),
        (b'"', "is not CSV"),
        (sheet('"Kettle" x,kitchen,1,1,1'), "Line 2 is not CSV"),
        (sheet('"Kettle'), "Line 2 is not CSV: unexpected end"),
        (sheet("a" * 200_000), "Line 2 is not CSV: field larger than field limit"),
        (b"name\rKettle", "category, price, item_number, payment_mpesa_number are missing"),
        (sheet(*[ROW] * (MAX_ROWS + 1)), "more than 1,000 rows"),
        (b"a" * (MAX_BYTES + 1), "larger than 2 MB"),
        (b"," * MAX_BYTES, "is not CSV|name the columns"),
        (b"x," * 100_000, "There is no column 'x', 'x', 'x', 'x', 'x'. There are"),
    ],
)
def test_what_cannot_be_read_says_why(raw, told):
    with pytest.raises(BadSheet, match=told) as bad:
        read_sheet(raw)

    assert len(str(bad.value)) < 500


def test_a_thousand_rows_are_read():
    assert len(read_sheet(sheet(*[ROW] * MAX_ROWS))) == MAX_ROWS


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+254", "-5 degrees", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''=1", "'-"],
)
def test_what_a_spreadsheet_would_run_is_text_and_comes_back(text):
    assert guard(text) == f"'{text}"
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", ["Kettle", "", "'quoted'", "5 - 3", "O'Brien", "'"])
def test_other_texts_are_left_alone(text):
    assert guard(text) == text
    assert unguard(text) == text


def test_what_was_written_is_read_back():
    texts = ['"Quoted", and; more', "two\nlines", "=cmd|' /C calc'!A0", "Ngũgĩ 茶", "'=x"]

    pieces = list(write(COLUMNS, [[[7, None, text, *[""] * 7]] for text in texts]))

    assert pieces[0].startswith("\ufeffid,sku,name")
    read = read_sheet("".join(pieces).encode())
    assert [row.cells["name"] for row in read] == texts
    assert {row.cells["id"] for row in read} == {"7"}
