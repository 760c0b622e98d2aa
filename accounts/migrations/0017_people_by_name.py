"""Indexes of people by what they are called, in both orders of their names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_people_by_phone"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                models.Func(
                    "first_name",
                    "last_name",
                    arg_joiner=" || ' ' || ",
                    template="LOWER(%(expressions)s)",
                ),
                condition=models.Q(("first_name", ""), _negated=True),
                name="user_by_first_name",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                models.Func(
                    "last_name",
                    "first_name",
                    arg_joiner=" || ' ' || ",
                    template="LOWER(%(expressions)s)",
                ),
                condition=models.Q(("last_name", ""), _negated=True),
                name="user_by_last_name",
            ),
        ),
    ]
