"""What M-Pesa says it sent, where that is not what was requested."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0039_short_codes_of_requests")]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="reported_amount",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="payout",
            name="reported_amount",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
    ]
