"""What how things stand is called: choices alone, nothing in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0021_sms_reports"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(
                choices=[
                    ("due", "to be sent"),
                    ("unknown", "perhaps sent"),
                    ("sent", "sent"),
                    ("failed", "not sent"),
                ],
                default="due",
                max_length=7,
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="payment_status",
            field=models.CharField(
                choices=[
                    ("requested", "not paid"),
                    ("paid", "paid"),
                    ("cancelled", "cancelled"),
                    ("expired", "expired"),
                    ("refund_due", "refund due"),
                    ("refunded", "refunded"),
                ],
                default="requested",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="ordertrack",
            name="track_status",
            field=models.CharField(
                choices=[
                    ("created", "not paid"),
                    ("paid", "to fetch"),
                    ("fetched", "fetched"),
                    ("shipping", "on the way"),
                    ("delivered", "handed over"),
                    ("cancelled", "cancelled"),
                    ("refunded", "cancelled, money back"),
                ],
                default="created",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="problem",
            name="state",
            field=models.CharField(
                choices=[
                    ("open", "open"),
                    ("returning", "goods on their way back"),
                    ("closed", "closed"),
                ],
                default="open",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="trackevent",
            name="track_status",
            field=models.CharField(
                choices=[
                    ("created", "not paid"),
                    ("paid", "to fetch"),
                    ("fetched", "fetched"),
                    ("shipping", "on the way"),
                    ("delivered", "handed over"),
                    ("cancelled", "cancelled"),
                    ("refunded", "cancelled, money back"),
                ],
                max_length=9,
            ),
        ),
    ]
