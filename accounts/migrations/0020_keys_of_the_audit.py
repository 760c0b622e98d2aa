"""Entries of the audit log get the key of what was done; rows of before keep an empty one."""

from importlib import import_module

from django.db import migrations, models

_audit = import_module("accounts.migrations.0003_audit_of_the_staff")


def guard_again(apps, schema_editor):
    """SQLite rebuilds the table to change its columns, and so drops its triggers."""
    if schema_editor.connection.vendor == "sqlite":
        _audit.guard(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_plain_labels"),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, guard_again),
        migrations.AddField(
            model_name="audit",
            name="action",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=60
            ),
        ),
        migrations.RunPython(guard_again, migrations.RunPython.noop),
    ]
