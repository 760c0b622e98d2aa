"""Money, phones, times and statuses are formatted in one way."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib import admin
from django.template import Context, Template

from accounts.backoffice import formats
from accounts.backoffice.formats import Tone
from orders.models import Order, OrderTrack


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0, "KES 0"),
        (1234567, "KES 1,234,567"),
        (-1500, "−KES 1,500"),
        (Decimal("1500.00"), "KES 1,500"),
        (None, "–"),
    ],
)
def test_money_has_its_thousands(amount, written):
    assert formats.kes(amount) == written


@pytest.mark.parametrize(
    ("kept", "written"),
    [
        ("254712345678", "0712 345 678"),
        ("254112345678", "0112 345 678"),
        ("•••••••••678", "•••••••••678"),
        ("wanjiku@example.co.ke", "wanjiku@example.co.ke"),
        ("255712345678", "255712345678"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_phone_is_written_as_people_dial_it(kept, written):
    assert formats.dial(kept) == written


def test_a_phone_can_be_tapped():
    shown = '<a class="shop-phone" href="tel:+254712345678">0712 345 678</a>'

    assert formats.phone_link("254712345678") == shown


@pytest.mark.parametrize(
    ("kept", "shown"), [("•••••••••678", "•••••••••678"), ("", "–"), (None, "–")]
)
def test_a_masked_phone_is_no_link(kept, shown):
    assert formats.phone_link(kept) == shown


def test_a_time_is_shown_in_nairobi_time():
    at = datetime(2026, 11, 28, 22, 5, 30, tzinfo=UTC)

    assert formats.write_moment(at) == "29 Nov 2026, 01:05"
    assert (
        formats.moment(at) == '<time datetime="2026-11-29T01:05:30+03:00">29 Nov 2026, 01:05</time>'
    )
    assert formats.moment(None) == "–"
    assert formats.write_day(date(2026, 11, 9)) == "9 Nov 2026"


@pytest.mark.parametrize(
    ("tone", "shown"),
    [
        (Tone.GOOD, 'shop-good"><span aria-hidden="true">✓</span> Paid</span>'),
        (Tone.BAD, 'shop-bad"><span aria-hidden="true">!</span> Paid</span>'),
        (Tone.OPEN, 'shop-open"><span aria-hidden="true">…</span> Paid</span>'),
        (Tone.QUIET, 'shop-quiet">Paid</span>'),
    ],
)
def test_a_badge_says_in_words_and_by_a_sign_how_something_stands(tone, shown):
    assert formats.badge("paid", tone) == f'<span class="shop-badge {shown}'


def test_a_badge_escapes_its_words():
    assert "<Script>" not in formats.badge("<script>", Tone.BAD)


def test_template_filters_format_like_the_functions():
    page = Template(
        "{% load formats %}{{ amount|kes }} {{ phone|dial }} {{ at|moment }} "
        "{% badge 'due' 'open' %}"
    )
    at = datetime(2026, 11, 29, 6, 20, tzinfo=UTC)

    shown = page.render(Context({"amount": 1500, "phone": "254712345678", "at": at}))

    assert shown == (
        "KES 1,500 0712 345 678 "
        '<time datetime="2026-11-29T09:20:00+03:00">29 Nov 2026, 09:20</time> '
        '<span class="shop-badge shop-open"><span aria-hidden="true">…</span> Due</span>'
    )


def test_every_status_has_a_tone():
    values = {
        value
        for model in admin.site._registry
        for field in model._meta.concrete_fields
        if field.name in formats.STATUS_COLUMNS and field.choices
        for value, _ in field.choices
    }

    assert len(values) == 34
    assert values - formats.TONE_OF.keys() == set()


def test_a_status_is_shown_as_a_badge():
    assert formats.status_badge(Order(payment_status="refund_due"), "payment_status") == (
        '<span class="shop-badge shop-bad"><span aria-hidden="true">!</span> Refund due</span>'
    )


def test_goods_that_are_paid_are_still_to_be_fetched():
    assert formats.status_badge(OrderTrack(track_status="paid"), "track_status") == (
        '<span class="shop-badge shop-open"><span aria-hidden="true">…</span> To fetch</span>'
    )


def test_every_status_has_a_label():
    made_up = {
        f"{field}: {words}"
        for model in admin.site._registry
        for field in model._meta.concrete_fields
        if field.name in formats.STATUS_COLUMNS and field.choices
        for value, words in field.choices
        if words == value.replace("_", " ").title()
    }

    assert made_up == set()
