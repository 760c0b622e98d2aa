"""PostgreSQL keeps what a connection sends often, but for what it plans better each time."""

import pytest
from django.db import connection

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def prepared():
    """Sends a statement eight times over a connection of its own; returns what that one keeps."""
    own = connection.copy()
    own.ensure_connection()
    own.connection.prepare_threshold = 5

    def send(*statement):
        with own.cursor() as cursor:
            for _ in range(8):
                cursor.execute(*statement)
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            return [statement for (statement,) in cursor.fetchall()]

    yield send
    own.close()


def test_a_statement_that_is_sent_often_is_prepared(prepared):
    kept = prepared("SELECT name FROM products_product WHERE id = %s", [1])

    assert kept == ["SELECT name FROM products_product WHERE id = $1"]


def test_a_search_is_planned_each_time_by_its_words(prepared):
    assert prepared("SELECT to_tsquery('english', %s)", ["kettle"]) == []


def test_no_savepoint_is_prepared(prepared):
    assert prepared("BEGIN; SAVEPOINT x; RELEASE SAVEPOINT x; COMMIT") == []
