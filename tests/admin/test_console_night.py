"""What the console says of the night's proof and of troubles, and to whom."""

import pytest
from django.utils import timezone

from payments.models import NightlyProof, Trouble

from .console import page
from .test_roles import browser_of, in_role

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

NIGHT = {"night": "2026-11-29", "digest": "", "rules": 152, "asked": 152}
SAID = "Every posting balances: not so for ledger posting 7."


def trouble(**how):
    now = timezone.now()
    return Trouble.objects.create(
        kind="clock-silent", says="the clock is gone", began_at=now, seen_at=now, **how
    )


def words(client):
    return " ".join(page(client).split())


def test_before_the_first_night_it_says_so(desk):
    assert "No night has proven the books yet." in words(desk)


def test_a_night_that_found_nothing_is_told_with_its_date(desk):
    NightlyProof.objects.create(**NIGHT, ended_at=timezone.now())

    shown = words(desk)
    assert (
        "The night to 29 Nov 2026: 152 rules of the books were asked, nothing is broken." in shown
    )


def test_what_a_night_found_broken_is_told_rule_by_rule(desk):
    NightlyProof.objects.create(
        **NIGHT, ended_at=timezone.now(), broken=[SAID], unanswered=["It ends"]
    )

    shown = words(desk)
    assert "<strong>1 is broken</strong>, 1 could not be asked." in shown
    assert f"<li>{SAID}</li>" in shown


def test_a_night_that_is_not_over_has_no_verdict(desk):
    NightlyProof.objects.create(**NIGHT)

    assert "No night has proven the books yet." in words(desk)


def test_a_trouble_is_shown_from_when_it_is_told_until_it_is_over(desk):
    seen = trouble()
    assert "the clock is gone" not in words(desk)

    Trouble.objects.filter(pk=seen.pk).update(told_at=timezone.now())
    assert "the clock is gone. <span" in words(desk)

    Trouble.objects.filter(pk=seen.pk).update(over_at=timezone.now())
    assert "the clock is gone" not in words(desk)


def test_who_may_not_see_money_is_told_neither():
    NightlyProof.objects.create(**NIGHT, ended_at=timezone.now(), broken=[SAID])
    trouble(told_at=timezone.now())

    shown = words(browser_of(in_role("support")))
    assert SAID not in shown
    assert "the clock is gone" not in shown
