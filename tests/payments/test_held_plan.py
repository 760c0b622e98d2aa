"""A busy seller's held-back earnings are found through disputed lines only."""

import pytest
from django.db import connection

from payments.models import SellerShare

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_held_earnings_begin_with_the_lines_in_dispute(seller):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = SellerShare.objects.held_of(seller).explain()

    assert "track_disputed" in plan
