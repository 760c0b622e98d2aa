"""An index of receipts by the phone that paid."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0030_money_that_came_back"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("phone", ""), _negated=True),
                fields=["phone", "-id"],
                name="receipt_by_phone",
            ),
        ),
    ]
