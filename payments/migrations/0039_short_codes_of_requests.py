"""Prompts, refunds and payouts keep the short code they were sent with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0038_reversals_before_payments")]

    operations = [
        migrations.AddField(
            model_name="orderpayment",
            name="shortcode",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=12
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="shortcode",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=12
            ),
        ),
        migrations.AddField(
            model_name="payout",
            name="shortcode",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=12
            ),
        ),
    ]
