"""Migrations that the program before could not live with do not get through the gate."""

import pytest

from tools import lint_migrations

# Not inside a transaction: some indexes are built outside of one.
pytestmark = [pytest.mark.postgres, pytest.mark.long, pytest.mark.django_db(transaction=True)]


def test_what_is_newer_than_the_release_is_safe_while_the_old_program_runs():
    assert lint_migrations.problems() == []


def test_what_is_not_is_named_with_its_file(monkeypatch):
    monkeypatch.setattr(lint_migrations, "RELEASED", {"orders": "0011"})
    said = " ".join(sentence for _, _, sentence in lint_migrations.problems())
    assert "NOT NULL constraint on columns" in said
