"""The ledger has an account for what sellers give up who close their account."""

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

guard_again = import_module("payments.migrations.0005_owe_what_was_owed").guard_again

NAME = "ledger_account_says_whether_of_an_order"


def _constraint(*of_no_order):
    return models.CheckConstraint(
        name=NAME,
        condition=Q(
            Q(account__endswith="_clearing") | Q(account__in=of_no_order), order__isnull=True
        )
        | Q(
            account__in=["buyers_held", "commission", "delivery_fees", "write_offs"],
            order__isnull=False,
        )
        | Q(account__in=["sellers_payable", "refunds_payable"]),
    )


AFTER = _constraint("suspense", "renounced")
BEFORE = _constraint("suspense")


def replace(constraint):
    def run(apps, schema_editor):
        model = apps.get_model("payments", "LedgerEntry")
        if schema_editor.connection.vendor == "sqlite":
            # It makes the table anew, with the constraints of this state.
            schema_editor.add_constraint(model, constraint)
            guard_again(apps, schema_editor)
            return
        schema_editor.remove_constraint(model, constraint)
        # Checked for all rows by the next migration, which keeps nobody from writing.
        added = constraint.create_sql(model, schema_editor)
        schema_editor.execute(f"{added} NOT VALID", params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [("payments", "0044_receipt_in_suspense_by_amount")]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, replace(BEFORE)),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(model_name="ledgerentry", name=NAME),
                migrations.AddConstraint(model_name="ledgerentry", constraint=AFTER),
            ],
        ),
        migrations.RunPython(replace(AFTER), migrations.RunPython.noop),
    ]
