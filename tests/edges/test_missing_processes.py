"""What a plain runserver says of the processes that are missing beside it."""

import copy
import socket

import pytest
from django.db import connection

from omachemainproj import missing_processes
from omachemainproj.heartbeats import beat

pytestmark = pytest.mark.django_db


def test_without_m_pesa_and_a_clock_both_are_named_with_their_commands(settings):
    settings.DARAJA_BASE_URL = "http://127.0.0.1:9"

    assert list(missing_processes.find_missing()) == [
        "no M-Pesa answers at http://127.0.0.1:9, so no prompt is sent: "
        "python manage.py daraja_simulator (or make run, which starts all)",
        "no clock is running, so periodic jobs are not run: "
        "python manage.py clock (or make run, which starts all)",
    ]


def test_with_both_nothing_is_said(settings):
    beat("clock")
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.DARAJA_BASE_URL = f"http://127.0.0.1:{server.getsockname()[1]}"

        assert list(missing_processes.find_missing()) == []


def test_a_gateway_elsewhere_is_not_looked_for(settings, monkeypatch):
    beat("clock")
    settings.DARAJA_BASE_URL = "https://sandbox.safaricom.co.ke"
    monkeypatch.setattr(missing_processes, "_answers", lambda url: pytest.fail("it was asked"))

    assert list(missing_processes.find_missing()) == []


def test_production_is_watched_by_others(settings, monkeypatch):
    settings.PRODUCTION = True
    monkeypatch.setattr(missing_processes.threading, "Timer", lambda *_: pytest.fail("a timer"))

    missing_processes.warn_of_missing()


@pytest.mark.postgres
@pytest.mark.parametrize("is_served", [False, True])
def test_a_pool_that_the_check_opens_does_not_outlive_it(monkeypatch, is_served):
    """gunicorn forks later workers from that process, where the pool's threads do not live."""
    settings = copy.deepcopy(connection.settings_dict)
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": {"min_size": 1, "max_size": 1}}
    settings["CONN_MAX_AGE"] = 0
    pooled = connection.copy(alias="pooled")
    pooled.settings_dict = settings
    monkeypatch.setattr(missing_processes, "connection", pooled)
    monkeypatch.setattr(missing_processes, "find_missing", lambda: [pooled.ensure_connection()])
    if is_served:
        pooled.ensure_connection()
        pooled.close()
    try:
        missing_processes._warn()

        assert ("pooled" in pooled._connection_pools) is is_served
    finally:
        pooled.close()
        pooled.close_pool()
