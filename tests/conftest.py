"""Fixtures for every test."""

import gc
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.emails import _sender as mail_sender
from daraja_simulator.tests.waiting import PATIENCE
from omachemainproj.wsgi_handler import Utf8Request

from . import not_run
from .confirmations import confirmed_by_statement
from .databases import (
    emptied_quickly,
    forget_statistics,
    migrated_database,
    prepared_for_the_next_test,
    shrink_large_tables,
)
from .description import answers_are_as_described  # noqa: F401
from .factories import ProductFactory, UserFactory
from .sampling import mark_runs, mark_the_rest_slow

# The time a busy machine needs for an example says nothing about the shop.
settings.register_profile(
    "shop", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shop")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    # Before pytest deselects by marker.
    mark_the_rest_slow(items)
    mark_runs(items)
    not_run.note_what_there_is(config, items)
    if connection.vendor == "postgresql":
        return
    skip = pytest.mark.skip(reason="needs PostgreSQL's row locks")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(skip)


def pytest_runtest_logreport(report):
    not_run.note(report)


def pytest_sessionfinish(session):
    not_run.write(session.config)


def pytest_collection_finish():
    """Exclude everything imported and collected from garbage collection.

    Nine thousand tests and the shop are a million objects, which every full collection scanned.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_setup(
    request, django_test_environment, django_db_blocker, django_db_modify_db_settings
):
    """Replaces pytest-django's fixture, which migrates for every worker of every run."""
    folder = request.config.rootpath / ".pytest_cache" / "migrated"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        prepared_for_the_next_test(),
        django_db_blocker.unblock(),
        migrated_database(folder),
        emptied_quickly(),
        django_db_blocker.block(),
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def _requests_are_read_as_by_the_server():
    """Django's test client makes requests of a class that it does not let be chosen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.test.client.WSGIRequest", Utf8Request)
        yield


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture(autouse=True)
def _mail_is_its_own_tests():
    """Send the mail a test left to the mail thread before the next test reads its outbox."""
    yield
    if mail_sender._threads:
        # Bypasses a test's own replacement of submit().
        ThreadPoolExecutor.submit(mail_sender, lambda: None).result(PATIENCE)


@pytest.fixture(autouse=True)
def payments_are_confirmed(monkeypatch):
    """M-Pesa's statement, or staff for a bank, confirms every payment as reported.

    tests/payments/confirmation/ is about unconfirmed payments, and the simulation queries
    the simulator: both do without.
    """
    confirmed_by_statement(monkeypatch)


def signed_in(user) -> APIClient:
    """A client with the user's access token, like a frontend."""
    client = APIClient()
    token = RefreshToken.for_user(user).access_token
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def api():
    """A client that is not signed in."""
    return APIClient()


@pytest.fixture
def buyer(db):
    return UserFactory(username="wanjiku")


@pytest.fixture
def seller(db):
    return UserFactory(username="amina")


@pytest.fixture
def buyer_api(buyer):
    return signed_in(buyer)


@pytest.fixture
def seller_api(seller):
    return signed_in(seller)


@pytest.fixture
def kettle(seller):
    """Five kettles at KES 1,500."""
    return ProductFactory(seller=seller, name="Kettle", item_number=5, price=1500)


@pytest.fixture(scope="module")
def _small_tables(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        shrink_large_tables()


@pytest.fixture
def never_analyzed(_small_tables, db):
    """For a test of plans: PostgreSQL knows nothing of the tables that other tests have left.

    By ``usefixtures``, which come before the fixtures that write rows.
    """
    forget_statistics()


@pytest.fixture(autouse=True, scope="session")
def _a_test_may_empty_what_is_kept():
    """SQLite empties tables between tests by DELETE, which append-only tables refuse."""
    if connection.vendor != "sqlite":
        yield
        return
    empty = connection.ops.__class__.execute_sql_flush

    def without_triggers(operations, statements):
        with transaction.atomic(), operations.connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql, tbl_name FROM sqlite_master"
                " WHERE type = 'trigger' AND name LIKE '%is_kept_from_delete'"
            )
            told = " ".join(statements)
            triggers = [each for each in cursor.fetchall() if re.search(rf"\b{each[2]}\b", told)]
            for name, *_ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            empty(operations, statements)
            for _, recreate, _ in triggers:
                cursor.execute(recreate)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops.__class__, "execute_sql_flush", without_triggers)
        yield
