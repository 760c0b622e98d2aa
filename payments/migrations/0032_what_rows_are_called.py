"""What rows are called in the admin: options and choices alone, nothing in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0031_receipts_by_phone"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="gatewayevent",
            options={
                "verbose_name": "message of the gateway",
                "verbose_name_plural": "messages of the gateway",
            },
        ),
        migrations.AlterModelOptions(
            name="ledgerposting",
            options={"verbose_name": "posting"},
        ),
        migrations.AlterModelOptions(
            name="orderpayment",
            options={"verbose_name": "attempt to pay", "verbose_name_plural": "attempts to pay"},
        ),
        migrations.AlterModelOptions(
            name="payoutday",
            options={"verbose_name": "day of payouts", "verbose_name_plural": "days of payouts"},
        ),
        migrations.AlterModelOptions(
            name="payoutstop",
            options={
                "verbose_name": "stop of all payouts",
                "verbose_name_plural": "stops of all payouts",
            },
        ),
        migrations.AlterModelOptions(
            name="portalstatement",
            options={
                "verbose_name": "statement from the portal",
                "verbose_name_plural": "statements from the portal",
            },
        ),
        migrations.AlterModelOptions(
            name="receiptevidence",
            options={
                "verbose_name": "evidence of a receipt",
                "verbose_name_plural": "evidence of receipts",
            },
        ),
        migrations.AlterModelOptions(
            name="receiptquestion",
            options={
                "verbose_name": "question about a receipt",
                "verbose_name_plural": "questions about receipts",
            },
        ),
        migrations.AlterModelOptions(
            name="refundday",
            options={"verbose_name": "day of refunds", "verbose_name_plural": "days of refunds"},
        ),
        migrations.AlterModelOptions(
            name="sellershare",
            options={
                "verbose_name": "seller’s share of a line",
                "verbose_name_plural": "sellers’ shares of lines",
            },
        ),
        migrations.AlterModelOptions(
            name="statementpull",
            options={"verbose_name": "M-Pesa’s statement"},
        ),
        migrations.AlterModelOptions(
            name="withdrawal",
            options={"verbose_name": "withdrawal"},
        ),
        migrations.AlterField(
            model_name="orderpayment",
            name="channel",
            field=models.CharField(
                choices=[
                    ("stk", "prompt on the phone"),
                    ("pay_bill", "by hand through the pay bill"),
                    ("bank", "by hand through a bank"),
                ],
                default="stk",
                max_length=8,
            ),
        ),
    ]
