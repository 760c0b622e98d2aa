"""What a plain runserver says of the processes that are missing beside it."""

import socket

import pytest

from omachemainproj import companions
from omachemainproj.heartbeats import beat

pytestmark = pytest.mark.django_db


def test_without_m_pesa_and_a_clock_both_are_named_with_their_commands(settings):
    settings.DARAJA_BASE_URL = "http://127.0.0.1:9"

    assert list(companions.find_missing()) == [
        "no M-Pesa answers at http://127.0.0.1:9, so no prompt is sent: "
        "python manage.py daraja_simulator (or make run, which starts all)",
        "no clock is running, so periodic jobs are not run: "
        "python manage.py clock (or make run, which starts all)",
    ]


def test_with_both_nothing_is_said(settings):
    beat("clock")
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.DARAJA_BASE_URL = f"http://127.0.0.1:{server.getsockname()[1]}"

        assert list(companions.find_missing()) == []


def test_a_gateway_elsewhere_is_not_looked_for(settings, monkeypatch):
    beat("clock")
    settings.DARAJA_BASE_URL = "https://sandbox.safaricom.co.ke"
    monkeypatch.setattr(companions, "_answers", lambda url: pytest.fail("it was asked"))

    assert list(companions.find_missing()) == []


def test_production_is_watched_by_others(settings, monkeypatch):
    settings.PRODUCTION = True
    monkeypatch.setattr(companions.threading, "Timer", lambda *_: pytest.fail("a timer"))

    companions.warn_of_missing()
