"""Migrations that would break the previous version do not pass the gate."""

import pytest

from tools import lint_migrations

# Not inside a transaction: some indexes are created outside of one.
pytestmark = [pytest.mark.postgres, pytest.mark.long, pytest.mark.django_db(transaction=True)]


def test_every_migration_since_the_release_is_safe_under_the_old_program():
    assert lint_migrations.problems() == []


def test_an_unsafe_migration_is_reported_with_its_file(monkeypatch):
    monkeypatch.setattr(lint_migrations, "RELEASED", {"orders": "0011"})
    said = " ".join(sentence for _, _, sentence in lint_migrations.problems())
    assert "NOT NULL constraint on columns" in said
