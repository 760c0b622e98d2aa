"""One form for what is compared, one for what is shown, whatever a keyboard or a chat put in."""

import unicodedata

import pytest

from omachemainproj.text import (
    clean_shown,
    fold_for_matching,
    fold_identifier,
    fold_password,
    has_controls,
    tidy_line,
    without_invisible,
)
from tests.runtime_growth import grows_linearly

#: Signs that nobody sees.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c"
    "\u202d\u202e\u2060\u2061\u2064\u2066\u2067\u2068\u2069\u206a\u206f\u3164\ufe00\ufe0f\ufeff\uffa0"
    "\ufff9\U000e0001\U000e0020\U000e007f\U000e0100"
)


@pytest.mark.parametrize("sign", INVISIBLE)
def test_a_sign_that_nobody_sees_makes_no_difference_to_what_is_compared(sign):
    for typed in (f"{sign}AB-1{sign}", f"A{sign}B-1", f"A{sign}{sign}B{sign}-1"):
        assert fold_identifier(typed) == "AB-1"
        assert fold_for_matching(typed) == "ab-1"
    assert without_invisible(f"a{sign}b") == "ab"


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        (" A1 ", "A1"),
        ("Ａ１", "A1"),
        ("ﬁne", "fine"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
        ("\u0665\u06f5५５", "5555"),
        ("A‐1‑2–3—4−5－6", "A-1-2-3-4-5-6"),
        ("a\u00a0b\u2009c\u3000d\u202fe", "a b c d e"),
        ("ﾊﾟ", "パ"),
        ("№ ²", "No 2"),
    ],
)
def test_joined_composed_wide_and_foreign_signs_have_one_form(typed, folded):
    assert fold_identifier(typed) == folded
    assert fold_identifier(folded) == folded


@pytest.mark.parametrize(
    ("typed", "folded"), [("STRASSE", "strasse"), ("Straße", "strasse"), ("ÉLAN", "élan")]
)
def test_case_makes_no_difference_to_what_is_matched(typed, folded):
    assert fold_for_matching(typed) == folded


def test_letters_that_only_look_alike_stay_different():
    assert fold_for_matching("аmina") != "amina"


@pytest.mark.parametrize(
    "text",
    [
        "Kettle, 1.7 litres",
        "Ngũgĩ wa Thiong'o",
        "m² ½ ™ № ①",
        "می\u200cخواهم",
        "علی\u200cرضا",
        "क्\u200dष",
        "ശ്രീമാന്\u200d",
        "👩\u200d💻",
        "👩🏽\u200d🌾",
        "❤\ufe0f\u200d🔥",
        "🏳\ufe0f\u200d🌈",
        "👨\u200d👩\u200d👧\u200d👦",
        "1\ufe0f\u20e3",
        "☎\ufe0f 0712",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "葛\U000e0100城",
        "شاشة C++\u200e جديدة",
        "東京 カメラ",
        "ﷺ",
    ],
)
def test_meaningful_invisible_characters_are_kept(text):
    assert clean_shown(text) == text
    assert tidy_line(text) == text
    assert not has_controls(text)


@pytest.mark.parametrize(
    ("pasted", "shown"),
    [
        ("\u2068Kettle\u2069", "Kettle"),
        ("\ufeffKettle\u200b", "Kettle"),
        ("Ket\u00adtle", "Kettle"),
        ("Ket\u200dt\u200cle", "Kettle"),
        ("\u202eelttek", "elttek"),
        ("Kettle\ufe0f 5\ufe0f", "Kettle 5"),
        ("Ｋｅｔｔｌｅ（１．７）", "Kettle(1.7)"),
        ("ｹﾄﾙ", "ケトル"),
        ("oﬃce ﬁne", "office fine"),
        ("cafe\u0301", "café"),
        ("e\u200b\u0301", "é"),
        ("ﻛﺘﺎﺏ", "كتاب"),
        ("علی\u200c", "علی"),
        ("\u200fعلی\u200f", "علی"),
        ("a\u3000b", "a b"),
        ("ㅤ", ""),
    ],
)
def test_pasted_invisible_characters_are_removed(pasted, shown):
    assert clean_shown(pasted) == shown
    assert clean_shown(shown) == shown


def test_a_name_is_one_line_with_single_spaces():
    assert tidy_line(" Kettle\u00a0\u2009 1.7\u200b \u200b l\n") == "Kettle 1.7 l"


@pytest.mark.parametrize("line", ["a\x00b", "a\x1bb", "a\x9bb", "a\ue000b"])
def test_control_characters_are_seen(line):
    assert has_controls(line)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        (" sukuma wiki ", " sukuma wiki "),
        ("Ｓukuma", "Sukuma"),
        ("mu\u0303hu\u0303", "mũhũ"),
        ("a\u00a0b\u2003c", "a b c"),
        ("a\u200bb\ufeff", "ab"),
        ("❤\ufe0f", "❤"),
        ("ABC", "ABC"),
    ],
)
def test_a_password_is_the_same_from_every_keyboard(typed, folded):
    assert fold_password(typed) == folded
    assert fold_password(folded) == folded


def test_every_form_of_a_text_is_its_own_form():
    for code in range(0x110000):
        sign = chr(code)
        # Letters that consist of nothing else are in their own form.
        if unicodedata.category(sign) in {"Cs", "Cn", "Co"} or (
            sign.isalpha() and not unicodedata.decomposition(sign) and sign.casefold() == sign
        ):
            continue
        for form in (fold_identifier, fold_for_matching, clean_shown, tidy_line, fold_password):
            once = form(f"a{sign}b")
            assert form(once) == once, (form, hex(code))


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u200d", "\ufe0f", "\U000e0041"])
def test_a_row_of_invisible_signs_is_read_in_one_walk(sign):
    # For each of them the next visible one was looked for anew: this took an hour.
    assert clean_shown(f"a{sign * 400_000}b") == "ab"


@pytest.mark.parametrize("form", [clean_shown, fold_identifier, fold_for_matching, fold_password])
@pytest.mark.parametrize(
    "marks",
    ["\u0301\u0316", "\u0f73\u0301", "\u0344\u0316", "\u0316\u034f\u0301\u200b", "\uff9e\u0316"],
)
def test_a_row_of_marks_is_read_in_linear_time(form, marks):
    assert grows_linearly(form, lambda size: "a" + marks * size, 1_000)


@pytest.mark.parametrize("form", [clean_shown, fold_identifier, fold_for_matching, fold_password])
@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0f73", "\u0344\u0316", "\u0316\u034f\u0301"])
def test_a_letter_keeps_thirty_marks_and_what_follows(form, marks):
    once = form(f"a{marks * 40}be\u0301")

    assert form(once) == once
    assert unicodedata.normalize("NFD", once)[0] == "a"
    assert once.endswith("bé")
    assert sum(unicodedata.combining(sign) != 0 for sign in once) <= 30
    assert form(f"a{marks * 7}") != "a"
