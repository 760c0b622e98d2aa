"""Sellers are notified of a payout that M-Pesa refused."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0032_messages_with_text"),
    ]

    operations = [
        migrations.AlterField(
            model_name="inboxnotice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("paid", "order paid"),
                    ("prompt_failed", "prompt failed"),
                    ("shipped", "on the way"),
                    ("arrived", "at the pick-up point"),
                    ("attempted", "delivery attempted"),
                    ("waiting", "still at the pick-up point"),
                    ("uncollected", "not collected"),
                    ("delivered", "delivered"),
                    ("goes_back", "refund started"),
                    ("refunded", "refund sent"),
                    ("sold", "goods sold"),
                    ("paid_out", "seller paid"),
                    ("payout_failed", "seller could not be paid"),
                    ("problem", "problem reported"),
                    ("problem_reply", "message about a problem"),
                    ("problem_ended", "problem decided"),
                ],
                max_length=13,
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="kind",
            field=models.CharField(
                choices=[
                    ("paid", "order paid"),
                    ("prompt_failed", "prompt failed"),
                    ("shipped", "on the way"),
                    ("arrived", "at the pick-up point"),
                    ("attempted", "delivery attempted"),
                    ("waiting", "still at the pick-up point"),
                    ("uncollected", "not collected"),
                    ("delivered", "delivered"),
                    ("goes_back", "refund started"),
                    ("refunded", "refund sent"),
                    ("sold", "goods sold"),
                    ("paid_out", "seller paid"),
                    ("payout_failed", "seller could not be paid"),
                    ("problem", "problem reported"),
                    ("problem_reply", "message about a problem"),
                    ("problem_ended", "problem decided"),
                    ("problem_shop", "problem reported to support"),
                ],
                max_length=13,
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("paid", "order paid"),
                    ("prompt_failed", "prompt failed"),
                    ("shipped", "on the way"),
                    ("arrived", "at the pick-up point"),
                    ("attempted", "delivery attempted"),
                    ("waiting", "still at the pick-up point"),
                    ("uncollected", "not collected"),
                    ("delivered", "delivered"),
                    ("goes_back", "refund started"),
                    ("refunded", "refund sent"),
                    ("sold", "goods sold"),
                    ("paid_out", "seller paid"),
                    ("payout_failed", "seller could not be paid"),
                    ("problem", "problem reported"),
                    ("problem_reply", "message about a problem"),
                    ("problem_ended", "problem decided"),
                    ("problem_shop", "problem reported to support"),
                ],
                max_length=13,
            ),
        ),
    ]
