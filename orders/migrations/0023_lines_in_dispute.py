"""A seller's lines in dispute: few, among all they ever sold."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0022_words_of_how_things_stand")]

    operations = [
        AddIndexWhileOpen(
            model_name="ordertrack",
            index=models.Index(
                condition=models.Q(("disputed", True)), fields=["seller"], name="track_disputed"
            ),
        ),
    ]
