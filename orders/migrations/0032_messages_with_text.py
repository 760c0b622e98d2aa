"""An index of messages whose texts are still kept, for their retention."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0031_index_of_orders_to_expire")]

    operations = [
        AddIndexWhileOpen(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "sent"), models.Q(("text", ""), _negated=True)),
                fields=["created_at"],
                name="message_with_text",
            ),
        ),
    ]
