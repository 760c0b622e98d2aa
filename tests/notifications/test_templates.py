"""Texts: in both languages, in the GSM alphabet, and never longer than two parts."""

import itertools

import pytest

from omachemainproj.money import format_kes
from orders.models import Outcome, Party, ProblemKind
from orders.models.notifications import TO_PEOPLE, NotificationKind
from orders.notifications import rendering
from orders.notifications.gsm7 import count_parts, is_gsm, to_gsm
from orders.notifications.links import Link, Page
from orders.notifications.plain_text import plain
from orders.notifications.problem_words import SENTENCES as SAID
from orders.notifications.problem_words import problem_words
from orders.notifications.rendering import Item
from payments.checkout.failures import (
    NOT_ON_STATEMENT,
    NOT_SENT,
    PHONE_BUSY,
    RATE_LIMITED,
    TOO_MANY_PHONES,
    buyer_message,
    refund_explanation,
)
from payments.daraja.result_codes import STK_FAILURES
from payments.models import RefundReason

CODES = [
    *STK_FAILURES,
    NOT_ON_STATEMENT,
    NOT_SENT,
    RATE_LIMITED,
    PHONE_BUSY,
    TOO_MANY_PHONES,
    *(f"refused.{kind}" for kind in ("busy_phone", "busy_gateway", "unreachable")),
    *(f"refused.{kind}" for kind in ("bad_request", "configuration", "other")),
]
#: What goes to staff has texts of its own: see tests/problems/test_support.py.
EVERY = list(itertools.product([kind for kind, _ in TO_PEOPLE], ["en", "sw"]))
#: The longest that is said of a problem, by language.
LONGEST = {
    language: max(
        (
            problem_words(language, about, to=to, amount="KES 250,000")
            for about, to in itertools.product(
                [*ProblemKind.values, *Outcome.values, "returning"], Party.values
            )
            if about in ProblemKind.values or (about, to) in SAID
        ),
        key=len,
    )
    for language in ("en", "sw")
}
LINK = Link(Page.ORDER, "https://shop.example/orders/1")
WAY = {"pay_bill": "174379", "account": "ACDEFGHJ", "amount": 250_000}


def values(language, **changed):
    usual = {
        "name": "Wanjiku",
        "amount": "KES 250,000",
        "reference": "ACDEFGHJ",
        "why": "",
        "by_hand": "",
        "receipt": rendering.receipt_sentence(language, "TKR1234567"),
        "because": f" {refund_explanation(RefundReason.REDUCED)[language]}",
        "about": LONGEST[language],
    }
    return usual | changed


def items(count, name="Kettle", code="123456"):
    return [Item(name, 1, code) for _ in range(count)]


@pytest.mark.sampled
@pytest.mark.parametrize(("kind", "language"), EVERY)
@pytest.mark.parametrize("count", [1, 3, 100])
@pytest.mark.parametrize("name", ["Pan", "Ŵ💡" * 50, "€[]" * 33, "x" * 100])
def test_no_sms_is_longer_than_two_parts(kind, language, count, name):
    text = rendering.render_sms(kind, language, values(language), items(count, name))

    assert is_gsm(text)
    assert count_parts(text) <= 2
    to_seller = {NotificationKind.PAID_OUT, NotificationKind.PAYOUT_FAILED}
    assert "ACDEFGHJ" in text or kind in to_seller


@pytest.mark.parametrize("language", ["en", "sw"])
@pytest.mark.parametrize("code", CODES)
def test_no_reason_is_longer_than_two_parts_with_the_way_to_pay_by_hand(language, code):
    why = buyer_message(code)[language]
    said = values(language, why=why, by_hand=rendering.manual_payment_sentence(language, WAY))

    text = rendering.render_sms(NotificationKind.PROMPT_FAILED, language, said)

    assert count_parts(text) <= 2
    assert why in text
    assert "174379" in text


@pytest.mark.parametrize("code", CODES)
def test_each_reason_is_in_both_languages(code):
    reason = buyer_message(code)

    assert set(reason) == {"en", "sw"}
    assert reason["en"] != reason["sw"]


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_each_mail_has_a_subject_of_one_line_and_every_item(kind, language):
    subject, text = rendering.render_email(kind, language, values(language), items(100), link=LINK)

    assert len(subject) <= 100
    assert "\n" not in subject
    assert "Wanjiku" in text
    assert "{" not in subject + text


def test_long_names_are_cut_before_lines_are_left_out():
    text = rendering.render_sms(
        NotificationKind.PAID, "en", values("en"), items(5, "Electric kettle " * 6)
    )

    assert text.count("Electric kettle Electric kett. 123456") == 5


def test_parts_of_a_long_text_are_counted():
    text = rendering.render_sms(NotificationKind.PAID, "en", values("en"), items(100))

    shown = text.count("Kettle 123456")
    assert shown > 5
    assert f"and {100 - shown} more." in text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("x" * 152 + "€" + "x" * 152, 3),
        ("x" * 152 + "€" + "x" * 151, 2),
    ],
)
def test_parts_are_counted_as_the_networks_do(text, count):
    assert count_parts(text) == count


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("Wanjikũ", "Wanjiku"), ("“Pan” – 5×", '"Pan" - 5x'), ("💡", "?"), ("café €", "café €")],
)
def test_letters_outside_the_sms_alphabet_become_similar_ones(typed, sent):
    assert to_gsm(typed) == sent


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Call 0722 123-456: you won", "Call you won"),
        ("+254722123456", ""),
        ("٠٧٢٢١٢٣٤٥٦ ring me", "ring me"),
        ("Pay till 174379 now", "Pay till now"),
        ("Kettle https://evil.example/x?a=1", "Kettle"),
        ("www.evil.example kettle", "kettle"),
        ("evil.example/win", "evil example win"),
        ("win@evil.example", "win evil example"),
        ("Pan\n\nO-Mache: your code is 123456", "Pan O-Mache your code is"),
        ("Pan\u202e\u200b\x07", "Pan"),
        ("Power bank 20000 mAh, 1.5 l, USB-C", "Power bank 20000 mAh 1.5 l USB-C"),
        ("Men's shirt (XL) & tie", "Men's shirt XL tie"),
        ("Sufuria ya alumini ũkĩ", "Sufuria ya alumini ũkĩ"),
    ],
)
def test_a_strangers_text_contains_nothing_to_tap_dial_or_pay_to(typed, read):
    assert plain(typed) == read


@pytest.mark.parametrize(("language", "called"), [("en", "goods"), ("sw", "bidhaa")])
def test_a_name_of_which_nothing_may_be_written_has_another(language, called):
    sold = [Item("0722123456", 1, "")]

    sms = rendering.render_sms(NotificationKind.SOLD, language, values(language), sold)
    _, mail = rendering.render_email(
        NotificationKind.SOLD, language, values(language), sold, link=LINK
    )

    assert f": {called}." in sms
    assert f"  {called}\n" in mail
    assert "0722" not in sms + mail


def test_amounts_have_thousands_separators():
    assert format_kes(1234) == "KES 1,234"
