"""A payout's hold is named as it is shown; columns and the constraint stay as they are."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("payments", "0034_rename_fields")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="payout",
                    name="payout_that_is_kept_back_waits_for_a_person",
                ),
                migrations.AlterField(
                    model_name="payout",
                    name="held_at",
                    field=models.DateTimeField(db_column="held_at", editable=False, null=True),
                ),
                migrations.RenameField("payout", "held_at", "on_hold_since"),
                migrations.AlterField(
                    model_name="payout",
                    name="held_why",
                    field=models.CharField(
                        blank=True,
                        db_column="held_why",
                        db_default="",
                        default="",
                        editable=False,
                        max_length=200,
                    ),
                ),
                migrations.RenameField("payout", "held_why", "on_hold_reason"),
                migrations.AddConstraint(
                    model_name="payout",
                    constraint=models.CheckConstraint(
                        condition=Q(on_hold_reason="", on_hold_since__isnull=True)
                        | Q(
                            ~Q(on_hold_reason=""),
                            on_hold_since__isnull=False,
                            needs_approval=True,
                            approved_by__isnull=True,
                            status__in=["due", "dropped"],
                        ),
                        name="payout_that_is_kept_back_waits_for_a_person",
                    ),
                ),
            ]
        )
    ]
