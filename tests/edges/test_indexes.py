"""Each index costs a write: where orders and payments write, none repeats another."""

import pytest
from django.db import connection

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

WRITTEN = (
    "orders_inboxnotice",
    "orders_message",
    "orders_notice",
    "orders_order",
    "orders_ordertrack",
    "payments_gatewayevent",
    "payments_ledgerentry",
    "payments_ledgerposting",
    "payments_orderpayment",
    "payments_payout",
    "payments_receipt",
    "payments_receiptevidence",
    "payments_refund",
    "products_product",
    "products_stockmovement",
)

#: Plain indexes whose columns another index of all rows begins with.
COVERED = """
WITH plain AS (
    SELECT index.*, class.relname AS name, "table".relname AS of_table, class.relam AS method
    FROM pg_index AS index
    JOIN pg_class AS class ON class.oid = index.indexrelid
    JOIN pg_class AS "table" ON "table".oid = index.indrelid
    WHERE index.indpred IS NULL AND index.indexprs IS NULL AND "table".relname = ANY(%s)
)
SELECT a.name FROM plain AS a JOIN plain AS b USING (indrelid, method)
WHERE a.indexrelid <> b.indexrelid AND NOT a.indisunique
    AND b.indkey::text || ' ' LIKE a.indkey::text || ' %%'
    AND b.indclass::text || ' ' LIKE a.indclass::text || ' %%'
ORDER BY a.name
"""

#: What Django adds to each unique text, for LIKE.
FOR_LIKE = """
SELECT indexname FROM pg_indexes
WHERE tablename = ANY(%s) AND indexname LIKE '%%\\_like' ORDER BY indexname
"""


def names(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(WRITTEN)])
        return [name for (name,) in cursor.fetchall()]


def test_no_index_repeats_the_beginning_of_another():
    assert names(COVERED) == []


def test_only_a_postings_event_is_searched_by_how_it_begins():
    assert names(FOR_LIKE) == ["payments_ledgerposting_event_045c5d1c_like"]
