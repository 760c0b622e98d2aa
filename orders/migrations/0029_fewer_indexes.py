"""Indexes that others begin with, and those for LIKE on columns only compared whole, go.

Each cost every cash-out, payment or notice a write. Dropped by name, not by altering the columns:
SQLite would copy the tables, and lose their triggers.
"""

from django.conf import settings
from django.db import migrations, models
from django.db.models import PROTECT

from omachemainproj.postgresql.concurrent import DropIndexWhileOpen

#: By index: what it is built on.
COVERED = {
    "orders_inboxnotice_notice_id_ff5d657d": "orders_inboxnotice (notice_id)",
    "orders_message_notice_id_b47324d9": "orders_message (notice_id)",
    "orders_order_buyer_id_26195532": "orders_order (buyer_id)",
    "orders_ordertrack_buyer_id_f2e9f73c": "orders_ordertrack (buyer_id)",
    "orders_ordertrack_order_id_9e273422": "orders_ordertrack (order_id)",
}
#: PostgreSQL's; SQLite never had them.
FOR_LIKE = (
    "orders_order_reference_d902bed1_like",
    "orders_notice_key_8571b317_like",
)


class Migration(migrations.Migration):
    # Dropped without locking their tables.
    atomic = False

    dependencies = [
        ("orders", "0028_plain_labels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "inboxnotice",
                    "notice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="in_app",
                        to="orders.notice",
                    ),
                ),
                migrations.AlterField(
                    "message",
                    "notice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="messages",
                        to="orders.notice",
                    ),
                ),
                migrations.AlterField(
                    "order",
                    "buyer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="orders",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    "ordertrack",
                    "buyer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="tracks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    "ordertrack",
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="tracks",
                        to="orders.order",
                    ),
                ),
            ],
            database_operations=[
                DropIndexWhileOpen(name, columns) for name, columns in COVERED.items()
            ],
        ),
        *(DropIndexWhileOpen(name) for name in FOR_LIKE),
    ]
