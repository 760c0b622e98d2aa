"""The clock's index of unpaid orders can no longer be chosen for one buyer's."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen, RemoveIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0030_late_refusal")]

    operations = [
        AddIndexWhileOpen(
            model_name="order",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("payment_status", "requested")),
                fields=["expires_at"],
                name="order_unpaid_to_expire",
            ),
        ),
        RemoveIndexWhileOpen(model_name="order", name="order_unpaid_by_expiry"),
    ]
