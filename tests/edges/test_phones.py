"""Phone numbers: read as people write them, kept in one form, hidden in logs."""

import re

import pytest

from omachemainproj.phones import mask_phones, normalise_phone, read_masked_phone


@pytest.mark.parametrize(
    "typed",
    [
        "0712345678",
        "712345678",
        712345678,
        "254712345678",
        254712345678,
        "+254712345678",
        "+254 712-345 678",
        "(0712) 345.678",
        "00254712345678",
        "+254 (0)712 345 678",
        "\u202a+254\u00a0712\u00a0345678\u202c",
        "0712–345–678",
        " 0712345678 ",
        "\u2068 0712345678 \u2069",
        "\u2068+254\u00a0712\u2009345\u202f678\u2069\u200b",
        "\u200e0712\u200b345\u00ad678\u200f",
        "\ufeff0712345678\n",
        "０７１２３４５６７８",
        "＋２５４（０）７１２－３４５－６７８",
        "07123４5678",
        "٠٧١٢٣٤٥٦٧٨",
        "۰۷۱۲۳۴۵۶۷۸",
        "+٢٥٤ ٧١٢ ٣٤٥ ٦٧٨",
        "0712\u2011345\u2011678",
        "0712\u2212345\u2212678",
        "0712\t345\t678",
        "0712\u3000345\u3000678",
        "tel:+254712345678",
        "TEL:0712-345-678",
        "Tel. 0712 345 678",
        "\u2060".join("0712345678"),
        "".join(f"{digit}\ufe0f\u20e3" for digit in "0712345678"),
    ],
)
def test_all_spellings_of_a_number_have_one_form(typed):
    assert normalise_phone(typed) == "254712345678"


def test_the_newer_range_is_known():
    assert normalise_phone("0112345678") == "254112345678"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0",
        "071234567",
        "07123456789",
        "0212345678",
        "0812345678",
        "255712345678",
        "+1 712345678",
        "0712345678x",
        "+0712345678",
        "\u2212712345678",
        "½712345678",
        "tel:",
        "0712345678 tel:",
        "\u200b" * 1000 + "0712345678",
        "0712345678\n0712345678",
        "0" * 100_000,
        -712345678,
        True,
        10**29,
    ],
)
def test_anything_else_is_refused(typed):
    with pytest.raises(ValueError, match="not a Kenyan mobile number"):
        normalise_phone(typed)


def test_the_kept_form_matches_its_pattern():
    assert re.fullmatch(r"254[17][0-9]{8}", normalise_phone("0712345678"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("paid by 254712345678.", "paid by 254712***678."),
        ("0712345678", "0712***678"),
        ("+254112345678", "+254112***678"),
        ("call 0712 345 678 now", "call 0712***678 now"),
        ("call +254 712-345-678", "call +254 712***678"),
        ("/search?phone=%2B254712345678", "/search?phone=%2B254712***678"),
        ('{"PhoneNumber": 254712345678}', '{"PhoneNumber": 254712***678}'),
        ("254712345678,254722000111", "254712***678,254722***111"),
        ("order 1234567890123", "order 1234567890123"),
        ("a0712345678f", "a0712345678f"),
        ("typed \u2068 0712345678 \u2069", "typed \u2068 0712***678 \u2069"),
        ("typed 0712\u200b345\u00a0678", "typed 0712***678"),
        ("typed ٠٧١٢٣٤٥٦٧٨", "typed 0712***678"),
        ("typed ０７１２３４５６７８", "typed 0712***678"),
    ],
)
def test_numbers_in_a_text_are_hidden_and_nothing_else(text, masked):
    assert mask_phones(text) == masked


@pytest.mark.parametrize(
    ("shown", "start", "end"),
    [
        ("2547 ***** 678", "2547", "678"),
        ("+254-712-***-678", "254712", "678"),
        ("0712***678", "0712", "678"),
        ("***678", "", "678"),
        ("2547***", "2547", ""),
        ("\u2068２５４７＊＊＊６７８\u2069", "2547", "678"),
    ],
)
def test_a_masked_number_is_read_and_fits_the_one_it_hides(shown, start, end):
    masked = read_masked_phone(shown)

    assert masked == (start, end)
    assert masked.fits("254712345678")
    assert not masked.fits("255812345679")


@pytest.mark.parametrize("shown", ["", "254712345678", "2547**1**678", "no number"])
def test_a_text_without_a_hidden_middle_is_no_masked_number(shown):
    assert read_masked_phone(shown) is None
