"""Check all rows for what the migration before this one asks of new ones."""

from django.db import migrations

STATEMENT = (
    "ALTER TABLE payments_ledgerentry VALIDATE CONSTRAINT ledger_account_says_whether_of_an_order"
)


def validate(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(STATEMENT, params=None)


class Migration(migrations.Migration):
    dependencies = [("payments", "0045_renounced")]

    operations = [migrations.RunPython(validate, migrations.RunPython.noop)]
