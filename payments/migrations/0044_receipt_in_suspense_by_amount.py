"""An index of money in suspense by what it is matched to prompts by."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0043_rename_fields")]

    operations = [
        AddIndexWhileOpen(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("order__isnull", True)),
                fields=["amount", "created_at"],
                name="receipt_in_suspense_by_amount",
            ),
        ),
    ]
