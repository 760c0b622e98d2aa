"""A full disk is a 503 that says so in the log, never a 500."""

from errno import EDQUOT, ENOSPC, EROFS

import pytest
from django.db import OperationalError
from django.test import Client

from tests.conftest import signed_in
from tests.factories import UserFactory

from .pictures import png, upload

pytestmark = pytest.mark.django_db
BUSY = {"detail": "The shop is busy. Please try again in a moment.", "code": "busy"}


@pytest.mark.parametrize("errno", [ENOSPC, EDQUOT, EROFS])
def test_a_picture_that_finds_no_room_is_a_503(buyer, monkeypatch, errno):
    def no_room(*args, **kwargs):
        raise OSError(errno, "No space left on device")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._save", no_room)

    answer = signed_in(buyer).patch("/account/", {"avatar": upload(png())}, format="multipart")

    assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, BUSY, "2")


@pytest.mark.parametrize("error", [OSError(ENOSPC, "full"), OperationalError("disk is full")])
def test_a_page_of_the_admin_that_finds_no_room_is_a_503(monkeypatch, error):
    def no_room(*args, **kwargs):
        raise error

    staff_browser = Client(raise_request_exception=False)
    staff_browser.force_login(
        UserFactory(is_staff=True, is_superuser=True),
        backend="accounts.backends.UsernameOrEmailBackend",
    )
    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.index", no_room)
    monkeypatch.setattr("accounts.backoffice.admin.ShopAdmin.get_queryset", no_room)

    answer = staff_browser.get("/admin/orders/order/")

    assert (answer.status_code, answer.json()) == (503, BUSY)


COOKIE_READERS = (
    "accounts.middleware.Session.objects.live",
    "accounts.middleware._extend_staff_session",
    "django.contrib.sessions.backends.db.SessionStore.load",
    "django.contrib.sessions.backends.db.SessionStore.save",
)
HEADERS = "django.middleware.clickjacking.XFrameOptionsMiddleware.process_response"


@pytest.mark.parametrize("error", [OSError(ENOSPC, "full"), OperationalError("the pool is empty")])
@pytest.mark.parametrize(
    ("reader", "debug"),
    [
        *((reader, debug) for reader in COOKIE_READERS for debug in (True, False)),
        # With DEBUG Django shows its own page for errors of its own middleware.
        (HEADERS, False),
    ],
)
@pytest.mark.parametrize("address", ["/shop/", "/admin/", "/categories/"])
def test_a_cookie_that_cannot_be_read_is_a_503(
    buyer, monkeypatch, settings, address, reader, error, debug
):
    def busy(*args, **kwargs):
        raise error

    desk = Client(raise_request_exception=False)
    desk.force_login(buyer, backend="accounts.backends.UsernameOrEmailBackend")
    settings.DEBUG = debug
    is_needed = reader.endswith((".live", "load", "process_response"))
    monkeypatch.setattr(reader, busy)

    answer = desk.get(address)

    if is_needed or answer.status_code >= 400:
        assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, BUSY, "2")
