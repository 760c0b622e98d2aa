"""What staff look for among millions: messages of M-Pesa that were not acted on, open payouts."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0028_words_of_how_things_stand")]

    operations = [
        AddIndexWhileOpen(
            model_name="gatewayevent",
            index=models.Index(
                condition=models.Q(("state__in", ["unmatched", "unreadable", "aside"])),
                fields=["state", "-id"],
                name="event_not_acted_on",
            ),
        ),
        AddIndexWhileOpen(
            model_name="gatewayevent",
            index=models.Index(
                condition=models.Q(("source", "prompt"), _negated=True),
                fields=["source", "-id"],
                name="event_of_other_sources",
            ),
        ),
        AddIndexWhileOpen(
            model_name="payout",
            index=models.Index(
                condition=models.Q(("status__in", ["due", "unknown", "sent", "refused"])),
                fields=["id", "status"],
                name="payout_open",
            ),
        ),
        AddIndexWhileOpen(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("standing", "told")), fields=["id"], name="receipt_told"
            ),
        ),
    ]
