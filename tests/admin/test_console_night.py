"""The nightly integrity check and incidents on the console."""

import pytest
from django.utils import timezone

from payments.models import NightlyProof, Trouble

from .browsers import browser_of, in_role
from .console import page

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

NIGHT = {"night": "2026-11-29", "digest": "", "rules": 152, "asked": 152}
SAID = "Every posting balances: not so for ledger posting 7."


def incident(**how):
    now = timezone.now()
    return Trouble.objects.create(
        kind="clock-silent", says="the clock is gone", began_at=now, seen_at=now, **how
    )


def words(client):
    return " ".join(page(client).split())


def test_the_console_says_that_no_integrity_check_has_run(staff_browser):
    assert "The nightly integrity check has not run yet." in words(staff_browser)


def test_a_clean_integrity_check_is_shown_with_its_date(staff_browser):
    NightlyProof.objects.create(**NIGHT, ended_at=timezone.now())

    shown = words(staff_browser)
    assert "Nightly integrity check, 29 Nov 2026: 152 rules checked, none broken." in shown


def test_broken_rules_are_listed(staff_browser):
    NightlyProof.objects.create(
        **NIGHT, ended_at=timezone.now(), broken=[SAID], unanswered=["It ends"]
    )

    shown = words(staff_browser)
    assert "<strong>1 broken</strong>, 1 not checked." in shown
    assert f"<li>{SAID}</li>" in shown


def test_an_unfinished_integrity_check_has_no_verdict(staff_browser):
    NightlyProof.objects.create(**NIGHT)

    assert "The nightly integrity check has not run yet." in words(staff_browser)


def test_an_incident_is_shown_from_its_alert_until_it_is_over(staff_browser):
    seen = incident()
    assert "the clock is gone" not in words(staff_browser)

    Trouble.objects.filter(pk=seen.pk).update(told_at=timezone.now())
    assert "the clock is gone. <span" in words(staff_browser)

    Trouble.objects.filter(pk=seen.pk).update(over_at=timezone.now())
    assert "the clock is gone" not in words(staff_browser)


def test_users_who_may_not_see_money_see_no_check_and_no_incidents():
    NightlyProof.objects.create(**NIGHT, ended_at=timezone.now(), broken=[SAID])
    incident(told_at=timezone.now())

    shown = words(browser_of(in_role("support")))
    assert SAID not in shown
    assert "the clock is gone" not in shown
