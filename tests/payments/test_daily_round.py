"""The daily duties delete everything that is over, whatever else fails."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import PasswordTries
from payments import clock

pytestmark = pytest.mark.django_db


def test_old_wrong_passwords_are_forgotten():
    for hours in (23, 25):
        then = timezone.now() - timedelta(hours=hours)
        PasswordTries.objects.create(key=f"pair:{hours}", failures=1, at=then)

    assert clock.run_daily() == 1
    assert PasswordTries.objects.get().key == "pair:23"


def test_a_duty_that_breaks_keeps_no_other_from_running(monkeypatch):
    ran = []
    monkeypatch.setattr(clock, "delete_expired_tokens", lambda: 1 / 0)
    monkeypatch.setattr(clock, "mask_old_phones", lambda now: ran.append(now) or 2)

    assert clock.run_daily() == 2
    assert len(ran) == 1


@pytest.mark.parametrize("name", ["delete_old_posts", "mask_old_phones"])
def test_the_log_names_the_duty_that_broke(monkeypatch, caplog, name):
    def bug(*args):
        raise ZeroDivisionError

    bug.__qualname__ = name
    monkeypatch.setattr(clock, name, bug)

    clock.run_daily()

    assert f"{__name__}.{name} failed" in caplog.text
