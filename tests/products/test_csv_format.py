"""Reading CSV files as spreadsheets write them."""

import codecs
import csv
import io
import random
import time

import pytest

from omachemainproj.csv_files import guard, unguard
from omachemainproj.csv_files import write_sheet as write
from products.spreadsheets.csv_format import (
    COLUMNS,
    MAX_BYTES,
    MAX_ROWS,
    BadSheet,
    read_sheet,
)
from tests.runtime_growth import grows_linearly

ROW = "Kettle,kitchen,1500,5,0712345678"
HEADER = "name,category,price,item_number,payment_mpesa_number"


def sheet(*lines, header=HEADER, end="\r\n"):
    return end.join([header, *lines, ""]).encode()


def rows(raw):
    return [(row.number, row.cells["name"]) for row in read_sheet(raw)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_saved_by_spreadsheets_are_read(end, mark, delimiter):
    raw = (mark + sheet(ROW, end=end).decode().replace(",", delimiter)).encode()

    row = read_sheet(raw)[0]

    assert row.cells == dict(zip(HEADER.split(","), ROW.split(","), strict=True))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("first", ["", "sep=;\r\n", "SEP=;\n", '"sep=;"\r\n'])
def test_excels_unicode_text_and_separator_line_are_read(encoding, first):
    raw = (first + sheet(ROW).decode().replace(",", ";")).encode(encoding)

    row = read_sheet(raw)[0]

    assert (row.number, row.cells) == (2, dict(zip(HEADER.split(","), ROW.split(","), strict=True)))


def test_utf_16_of_the_other_order_of_bytes_is_read():
    raw = codecs.BOM_UTF16_BE + sheet(ROW).decode().encode("utf-16-be")

    assert rows(raw) == [(2, "Kettle")]


def test_rows_are_counted_as_a_spreadsheet_counts_and_empty_ones_skipped():
    raw = sheet(ROW, ",,,,", "", ROW.replace("Kettle", '"Iron\npan"'), ROW)

    assert rows(raw) == [(2, "Kettle"), (5, "Iron\npan"), (6, "Kettle")]


def test_columns_may_be_named_in_any_order_case_and_with_empty_ones_behind():
    raw = sheet("5,Kettle,,", header=" ID , Name ,,")

    assert read_sheet(raw)[0].cells == {"id": "5", "name": "Kettle"}


def test_a_short_row_leaves_the_other_columns_out():
    assert read_sheet(sheet("5", header="id,name"))[0].cells == {"id": "5"}


def test_a_text_without_its_quotes_is_an_error_of_its_row():
    row = read_sheet(sheet("5,Kettle, 1.7 L,9", header="id,name,price"))[0]

    assert row.fault == (
        "This row has 4 cells but the header has 3. Put text that contains commas in double quotes."
    )


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "The first row must name the columns"),
        (b"\n\n", "The first row must name the columns"),
        (b"\xef\xbb\xbf", "The first row must name the columns"),
        (sheet(), "The file has no rows below its header."),
        (sheet(",,,,"), "The file has no rows below its header."),
        (sheet(ROW).decode().encode("utf-16")[:-1], "not UTF-8"),
        (sheet(ROW).decode().encode("utf-32"), "NUL"),
        ("name\nNg\u0169g\u0129".encode("utf-16-le"), "NUL|not UTF-8"),
        (sheet(ROW).replace(b"Kettle", b"K\xe9ttle"), "save it as “CSV UTF-8”"),
        (sheet(ROW).replace(b"Kettle", b"K\x00ttle"), "NUL"),
        (b"PK\x03\x04" + b"\x00" * 50, "This is a workbook, not CSV. In Excel, save it as “CSV"),
        (b"PK\x03\x04kettles", "This is a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This is a workbook"),
        (sheet(ROW, header=HEADER + ",prise"), "There is no column 'prise'. Choose from: id, sku"),
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
        (b"x," * 90, "There is no column 'x', 'x', 'x', 'x', 'x'. Choose from"),
        (b"x," * 100_000, "The first row has 100,000 cells. Choose from: id, sku"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_reason(raw, told):
    with pytest.raises(BadSheet, match=told) as bad:
        read_sheet(raw)

    assert len(str(bad.value)) < 500


@pytest.mark.parametrize("cell", ["name,", "x,", "\u0430,"])
def test_a_long_header_is_refused_in_linear_time(cell):
    def refuse(raw):
        with pytest.raises(BadSheet):
            read_sheet(raw)

    assert grows_linearly(refuse, lambda size: (cell * size).encode() + ROW.encode(), 2_500)


def test_empty_cells_after_the_header_do_not_matter():
    assert rows(sheet(f"{ROW}{',' * 5000}", header=f"{HEADER}{', ' * 5000}")) == [(2, "Kettle")]


def test_a_thousand_rows_are_read():
    assert len(read_sheet(sheet(*[ROW] * MAX_ROWS))) == MAX_ROWS


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+254", "-5 degrees", "@SUM(A1)", "\t1", "\r1", "\n1", "＝1", "'=1", "''=1", "'-"],
)
def test_formulas_are_exported_as_text_and_read_back(text):
    assert guard(text) == f"'{text}"
    assert unguard(guard(text)) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Kettle;=cmd|' /C calc'!A0", "Kettle;'=cmd|' /C calc'!A0"),
        ("a;+1;-1;@x;b", "a;'+1;'-1;'@x;b"),
        ('a;"=1"', 'a;\'"=1"'),
        ("a;''=1", "a;'''=1"),
        ("Two:\n- one\n- two", "Two:\n'- one\n'- two"),
        ("\n=1", "'\n'=1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("1\n-mar", "'1\n'-mar"),
        ("a;b = c; d", "a;b = c; d"),
    ],
)
def test_a_formula_after_a_semicolon_is_exported_as_text_and_read_back(text, cell):
    assert guard(text) == cell
    assert unguard(cell) == text


def test_no_text_runs_in_any_country_and_each_is_read_back():
    draw = random.Random(7)
    for _ in range(20_000):
        text = "".join(draw.choices(["'", '"', ";", "=", "-", "\n", "\t", "1", "mar", "a"], k=6))

        assert unguard(guard(text)) == text

        raw = "".join(write(["x", "y"], [[["a", text]]]))
        for delimiter in ",;\t":
            lines = csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter)
            cells = [cell for line in lines for cell in line]
            assert not any(cell.startswith(("=", "-")) for cell in cells), (text, raw)


#: Each is changed by Excel, LibreOffice or Google Sheets in at least one locale.
CHANGED = [
    "00123", "007", "123456789012", "5901234123457", "12345678901234567890", "254712345678",
    "1E5", "12e3", "5.90123E+12", "1E-5", ".5e3", "1D5", "1.10", "1,500", "1 500", "0.5", ".5",
    "1.",
    "1-2", "1/2", "12-05-2026", "2026-01-02", "1.2.26", "MAR1", "1-mar", "SEPT 2", "2 jan 26",
    "10:30", "5 PM", "7:05 am", "(5)", "5-", "50%", "50 %", "$5", "€ 5", "KES 1500", "Ksh.5", "sh5",
    "true", "TRUE", "False", "WAHR", "'00123", "''1E5",
]  # fmt: skip


@pytest.mark.parametrize("text", CHANGED)
def test_changeable_texts_are_exported_as_text_and_read_back(text):
    assert guard(text) == f"'{text}"
    assert unguard(guard(text)) == text


@pytest.mark.parametrize(
    "text",
    ["Kettle", "", "'quoted'", "5 - 3", "O'Brien", "'", "0", "7", "2026", "12345678901", "KET-17",
     "A4", "500 g", "SGL1E50001", "Maria 5", "may", "march", "true grit", "1.7 L kettle", "5 for 3",
     "7-Up", "two\nlines", "2026-11-28 19:43:47+03:00", "10am-5pm"],
)  # fmt: skip
def test_other_texts_are_left_alone(text):
    assert guard(text) == text
    assert unguard(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("'" * 50_000, "9" * 50_000, "9 " * 25_000, "1." * 25_000, "jan" * 16_000 + "!"),
        *(";'" * 25_000, ";" + "'" * 50_000),
    ],
)
def test_no_description_takes_long_to_guard(text):
    start = time.process_time()
    unguard(guard(text))

    # Hundredths of a second; minutes if it took quadratic time.
    assert time.process_time() - start < 5


@pytest.mark.parametrize("value", [1500, 10**12, None, True, 1.5])
def test_values_that_are_not_text_are_left_alone(value):
    assert guard(value) is value


def test_columns_that_are_read_back_are_written_as_they_are():
    header, row = ["sku", "payment_mpesa_number", "listed"], ["007", "0712345678", "true"]

    pieces = "".join(write(header, [[row]], as_they_are={"payment_mpesa_number", "listed"}))

    assert pieces.splitlines()[1] == "'007,0712345678,true"


def test_an_exported_file_is_read_back():
    texts = ['"Quoted", and; more', "two\nlines", "=cmd|' /C calc'!A0", "Ngũgĩ 茶", "'=x"]

    pieces = list(write(COLUMNS, [[[7, None, text, *[""] * 7]] for text in texts]))

    assert pieces[0].startswith("\ufeffid,sku,name")
    read = read_sheet("".join(pieces).encode())
    assert [row.cells["name"] for row in read] == texts
    assert {row.cells["id"] for row in read} == {"7"}
