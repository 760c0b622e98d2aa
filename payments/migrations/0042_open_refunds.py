"""One index of all refunds that are not ended, as payouts have, in place of two of some of them."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen, RemoveIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0041_events_awaiting_receipts")]

    operations = [
        AddIndexWhileOpen(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("status__in", ["due", "unknown", "sent", "refused"])),
                fields=["id", "status"],
                name="refund_open",
            ),
        ),
        RemoveIndexWhileOpen(model_name="refund", name="refund_refused"),
        RemoveIndexWhileOpen(model_name="refund", name="refund_under_way"),
    ]
