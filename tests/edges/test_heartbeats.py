"""Whether the clock and the workers run, as an alarm asks for it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from omachemainproj.heartbeats import beat
from omachemainproj.models import Heartbeat
from payments import tasks
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db


def asked(client):
    answer = client.get("/readyz/clock/")
    return answer.status_code, answer.json()


def silent(seconds, process="clock"):
    beat(process)
    Heartbeat.objects.filter(process=process).update(at=timezone.now() - timedelta(seconds=seconds))


def test_a_shop_whose_clock_never_ran_is_told_so(client):
    assert asked(client) == (503, {"status": "the clock has never run", "code": "silent"})


def test_a_clock_that_was_round_within_a_minute_runs(client):
    silent(55)

    assert asked(client) == (200, {"status": "running"})


def test_a_clock_that_ran_while_the_time_was_two_days_ahead_and_not_since_is_silent(client):
    silent(-2 * 24 * 3600)

    said = "the clock last ran while the time was wrong, and not since it is right"
    assert asked(client) == (503, {"status": said, "code": "silent"})


def test_a_clock_on_a_host_whose_time_is_four_minutes_ahead_runs(client):
    silent(-240)

    assert asked(client) == (200, {"status": "running"})


def test_a_clock_that_was_not_round_for_a_minute_is_told_with_its_age(client):
    silent(75)

    status, said = asked(client)

    assert status == 503
    assert said["status"].startswith("the clock last ran 7")


def test_with_a_broker_its_workers_are_asked_after_too(client, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    beat("clock")
    silent(600, "worker")

    status, said = asked(client)

    assert status == 503
    assert said["status"].startswith("the worker last ran 60")


def test_a_round_that_a_worker_did_is_both_ones_sign_of_life(client, settings, monkeypatch):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("payments.clock.run_periodic", lambda **_: None)

    tasks.tick()

    assert asked(client) == (200, {"status": "running"})


def test_a_clocks_round_is_its_sign_of_life(client, monkeypatch):
    class OneRound:
        def __init__(self):
            self.rounds = 0

        def set(self):
            pass

        def is_set(self):
            self.rounds += 1
            return self.rounds > 1

        def wait(self, seconds):
            pass

    module = "payments.management.commands.clock"
    monkeypatch.setattr(f"{module}.threading.Event", OneRound)
    monkeypatch.setattr(f"{module}.signal.signal", lambda *_: None)
    monkeypatch.setattr(f"{module}.close_old_connections", lambda: None)
    monkeypatch.setattr("payments.clock.run_periodic", lambda **_: {})
    monkeypatch.setattr("payments.clock.run_daily", lambda: 0)
    # Its threads' events are the patched one's.
    monkeypatch.setattr(f"{module}.BackgroundThread.run", lambda *_: None)

    call_command("clock")

    assert asked(client) == (200, {"status": "running"})


def test_a_heartbeat_that_cannot_be_written_stops_no_clock(monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise OSError("no disk")

    monkeypatch.setattr(Heartbeat.objects, "bulk_create", broken)
    beat("clock")

    assert caplog.messages == ["a heartbeat could not be written"]


def become_read_only():
    """The database accepts no writes, as a standby, until the test's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")


@pytest.mark.postgres
def test_the_clocks_health_check_tells_of_a_database_that_accepts_no_writes(client):
    become_read_only()

    answer = client.get("/readyz/clock/")

    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "the database accepts no writes", "code": "read_only"},
    )


@pytest.mark.postgres
def test_metrics_tell_of_a_database_that_accepts_no_writes(client):
    become_read_only()

    text = client.get("/metrics/").content.decode()

    assert "omache_database_accepts_writes 0.0" in text


@pytest.mark.postgres
def test_whoever_writes_to_a_read_only_database_is_told_that_the_shop_is_busy(buyer):
    client = signed_in(buyer)
    become_read_only()

    answer = client.patch("/account/", {"first_name": "Amina"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
