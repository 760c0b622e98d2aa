"""What rows are called in the admin: options alone, nothing in the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_people_by_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="passwordtries",
            options={
                "default_permissions": (),
                "verbose_name": "failed log-ins",
                "verbose_name_plural": "failed log-ins and locks",
            },
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("help_user", "Can sign people out and take their avatars away"),
                    ("export_rows", "Can download lists as CSV"),
                    ("export_phones", "Can download them with phones in full"),
                ],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
    ]
