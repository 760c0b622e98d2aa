"""What how things stand is called: choices alone, nothing in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0027_watch"),
    ]

    operations = [
        migrations.AlterField(
            model_name="gatewayevent",
            name="state",
            field=models.CharField(
                choices=[
                    ("new", "not acted on yet"),
                    ("applied", "acted on"),
                    ("checking", "M-Pesa is asked"),
                    ("unmatched", "about nothing of ours"),
                    ("unreadable", "unreadable"),
                    ("failed", "acting on it failed"),
                    ("aside", "set aside"),
                ],
                default="new",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="orderpayment",
            name="status",
            field=models.CharField(
                choices=[
                    ("requested", "to be asked for"),
                    ("unknown", "no clear answer"),
                    ("submitted", "asked for"),
                    ("confirmed", "confirmed"),
                    ("failed", "failed"),
                ],
                default="requested",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="payout",
            name="status",
            field=models.CharField(
                choices=[
                    ("due", "to be sent"),
                    ("unknown", "no clear answer"),
                    ("sent", "with M-Pesa"),
                    ("done", "done"),
                    ("refused", "refused"),
                    ("dropped", "dropped"),
                ],
                default="due",
                max_length=7,
            ),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="standing",
            field=models.CharField(
                choices=[
                    ("told", "not confirmed yet"),
                    ("confirmed", "confirmed"),
                    ("doubted", "in doubt"),
                    ("never_came", "never came"),
                ],
                db_default="told",
                default="told",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="status",
            field=models.CharField(
                choices=[
                    ("due", "to be sent"),
                    ("unknown", "no clear answer"),
                    ("sent", "with M-Pesa"),
                    ("done", "done"),
                    ("refused", "refused"),
                    ("dropped", "dropped"),
                ],
                default="due",
                max_length=7,
            ),
        ),
    ]
