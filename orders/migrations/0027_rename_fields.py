"""Fields take the field's own words; columns, indexes and constraints stay as they are."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0026_what_rows_are_called"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="order",
                    name="yielded",
                    field=models.BooleanField(
                        db_column="yielded", db_default=False, default=False, editable=False
                    ),
                ),
                migrations.RenameField(
                    model_name="order",
                    old_name="yielded",
                    new_name="preempted",
                ),
                migrations.AlterField(
                    model_name="order",
                    name="firm_until",
                    field=models.DateTimeField(
                        db_column="firm_until",
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                migrations.RenameField(
                    model_name="order",
                    old_name="firm_until",
                    new_name="preemptible_after",
                ),
            ]
        )
    ]
