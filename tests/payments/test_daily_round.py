"""The daily round: everything that is over is forgotten, whatever else breaks."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.utils import timezone

from payments import clock

pytestmark = pytest.mark.django_db


def test_old_wrong_passwords_are_forgotten():
    for days in (29, 31):
        tried = AccessAttempt.objects.create(username=f"amina{days}", failures_since_start=1)
        long_ago = timezone.now() - timedelta(days=days)
        AccessAttempt.objects.filter(pk=tried.pk).update(attempt_time=long_ago)

    assert clock.run_daily() == 1
    assert AccessAttempt.objects.get().username == "amina29"


def test_a_duty_that_breaks_keeps_no_other_from_running(monkeypatch):
    ran = []
    monkeypatch.setattr(clock, "delete_expired_tokens", lambda: 1 / 0)
    monkeypatch.setattr(clock, "mask_old_phones", lambda now: ran.append(now) or 2)

    assert clock.run_daily() == 2
    assert len(ran) == 1
