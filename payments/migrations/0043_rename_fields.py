"""Fields are named for what they hold; columns, indexes and constraints stay as they are."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0042_open_refunds")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(
                    model_name="refund", old_name="receipt_asked", new_name="receipt_queries"
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="receipt_queries",
                    field=models.PositiveSmallIntegerField(db_column="receipt_asked", default=0),
                ),
                migrations.RenameField(
                    model_name="refund", old_name="receipt_stands_at", new_name="receipt_checked_at"
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="receipt_checked_at",
                    field=models.DateTimeField(db_column="receipt_stands_at", null=True),
                ),
                migrations.RenameField(
                    model_name="receiptquestion", old_name="asked", new_name="queries"
                ),
                migrations.AlterField(
                    model_name="receiptquestion",
                    name="queries",
                    field=models.PositiveSmallIntegerField(db_column="asked", default=0),
                ),
                migrations.RenameField(
                    model_name="withdrawal", old_name="came_back", new_name="return_receipt"
                ),
                migrations.AlterField(
                    model_name="withdrawal",
                    name="return_receipt",
                    field=models.OneToOneField(
                        db_column="came_back_id",
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returned_withdrawal",
                        to="payments.receipt",
                    ),
                ),
            ]
        )
    ]
