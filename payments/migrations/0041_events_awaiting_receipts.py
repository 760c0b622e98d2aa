"""An index of reversals that were reported before their payments."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0040_other_amounts_sent")]

    operations = [
        AddIndexWhileOpen(
            model_name="gatewayevent",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["failed", "aside"]), models.Q(("awaited", ""), _negated=True)
                ),
                fields=["id"],
                name="event_awaiting_receipt",
            ),
        ),
    ]
