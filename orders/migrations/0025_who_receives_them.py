"""Indexes of deliveries by the phone and the name of who receives them."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0024_lists_of_a_large_shop"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="orderdelivery",
            index=models.Index(
                models.F("phone"),
                models.OrderBy(models.F("order"), descending=True),
                condition=models.Q(("recipient", ""), _negated=True),
                name="delivery_by_phone",
            ),
        ),
        migrations.AddIndex(
            model_name="orderdelivery",
            index=models.Index(
                django.db.models.functions.text.Lower("recipient"),
                models.OrderBy(models.F("order"), descending=True),
                condition=models.Q(("recipient", ""), _negated=True),
                name="delivery_by_recipient",
            ),
        ),
    ]
