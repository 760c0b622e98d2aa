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
    "payments_payout_seller_id_39557ac1": "payments_payout (seller_id)",
}
#: PostgreSQL's; SQLite never had them.
FOR_LIKE = (
    "payments_orderpayment_callback_token_563e0521_like",
    "payments_refund_callback_token_76f408fb_like",
    "payments_refund_status_token_00398f64_like",
    "payments_refund_originator_conversation_id_e5d1d23d_like",
    "payments_payout_callback_token_2cdf3306_like",
    "payments_payout_status_token_da52929e_like",
    "payments_payout_originator_conversation_id_1657e627_like",
    "payments_receiptquestion_token_d7e6d673_like",
)


class Migration(migrations.Migration):
    # Dropped without locking their tables.
    atomic = False

    dependencies = [
        ("payments", "0036_plain_labels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "payout",
                    "seller",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="payouts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            database_operations=[
                DropIndexWhileOpen(name, columns) for name, columns in COVERED.items()
            ],
        ),
        *(DropIndexWhileOpen(name) for name in FOR_LIKE),
    ]
