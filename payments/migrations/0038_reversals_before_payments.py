"""A reversal that was reported before its payment names the payment it waits for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0037_fewer_indexes")]

    operations = [
        migrations.AddField(
            model_name="gatewayevent",
            name="awaited",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=20
            ),
        ),
    ]
