"""Fields take the field's own words; columns, indexes and constraints stay as they are."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0027_rename_fields"),
        ("payments", "0033_left_and_came_back"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="receipt",
                    name="receipt_that_is_another_counts_nothing",
                ),
                migrations.RemoveIndex(
                    model_name="payout",
                    name="payout_unseen",
                ),
                migrations.RemoveIndex(
                    model_name="receipt",
                    name="receipt_unseen",
                ),
                migrations.RemoveIndex(
                    model_name="receipt",
                    name="receipt_in_doubt",
                ),
                migrations.RemoveIndex(
                    model_name="receipt",
                    name="receipt_of_a_bank_to_look_up",
                ),
                migrations.RemoveIndex(
                    model_name="receipt",
                    name="receipt_told",
                ),
                migrations.RemoveIndex(
                    model_name="refund",
                    name="refund_unseen",
                ),
                migrations.AlterField(
                    model_name="payout",
                    name="unseen",
                    field=models.BooleanField(db_column="unseen", default=False),
                ),
                migrations.RenameField(
                    model_name="payout",
                    old_name="unseen",
                    new_name="unacknowledged",
                ),
                migrations.AlterField(
                    model_name="receipt",
                    name="stands_alone",
                    field=models.BooleanField(db_column="stands_alone", default=False),
                ),
                migrations.RenameField(
                    model_name="receipt",
                    old_name="stands_alone",
                    new_name="is_separate_payment",
                ),
                migrations.AlterField(
                    model_name="receipt",
                    name="door",
                    field=models.CharField(
                        choices=[
                            ("callback", "callback at the attempt's own address"),
                            ("query", "status query"),
                            ("c2b", "M-Pesa's confirmation of a payment to the pay bill"),
                            ("statement", "M-Pesa's statement"),
                            ("bank", "a bank's notification"),
                            ("staff", "written down by a person"),
                            ("status", "transaction status query"),
                            ("earlier", "money of it left before it was kept who told of it"),
                            ("returned", "M-Pesa's portal: what the shop had sent came back"),
                        ],
                        db_column="door",
                        max_length=9,
                    ),
                ),
                migrations.RenameField(
                    model_name="receipt",
                    old_name="door",
                    new_name="source",
                ),
                migrations.AlterField(
                    model_name="receipt",
                    name="unseen",
                    field=models.BooleanField(db_column="unseen", default=False),
                ),
                migrations.RenameField(
                    model_name="receipt",
                    old_name="unseen",
                    new_name="unacknowledged",
                ),
                migrations.AlterField(
                    model_name="receipt",
                    name="standing",
                    field=models.CharField(
                        choices=[
                            ("told", "not confirmed yet"),
                            ("confirmed", "confirmed"),
                            ("doubted", "in doubt"),
                            ("never_came", "never came"),
                        ],
                        db_column="standing",
                        db_default="told",
                        default="told",
                        max_length=10,
                    ),
                ),
                migrations.RenameField(
                    model_name="receipt",
                    old_name="standing",
                    new_name="verification",
                ),
                migrations.AlterField(
                    model_name="receipt",
                    name="borne",
                    field=models.PositiveIntegerField(
                        db_column="borne", default=0, help_text="Whole Kenyan shillings."
                    ),
                ),
                migrations.RenameField(
                    model_name="receipt",
                    old_name="borne",
                    new_name="written_off",
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="unseen",
                    field=models.BooleanField(db_column="unseen", default=False),
                ),
                migrations.RenameField(
                    model_name="refund",
                    old_name="unseen",
                    new_name="unacknowledged",
                ),
                migrations.AddIndex(
                    model_name="payout",
                    index=models.Index(
                        condition=models.Q(("unacknowledged", True)),
                        fields=["id"],
                        name="payout_unseen",
                    ),
                ),
                migrations.AddIndex(
                    model_name="receipt",
                    index=models.Index(
                        condition=models.Q(("unacknowledged", True)),
                        fields=["id"],
                        name="receipt_unseen",
                    ),
                ),
                migrations.AddIndex(
                    model_name="receipt",
                    index=models.Index(
                        condition=models.Q(("verification", "told")),
                        fields=["id"],
                        name="receipt_told",
                    ),
                ),
                migrations.AddIndex(
                    model_name="receipt",
                    index=models.Index(
                        condition=models.Q(("verification", "doubted")),
                        fields=["id"],
                        name="receipt_in_doubt",
                    ),
                ),
                migrations.AddIndex(
                    model_name="receipt",
                    index=models.Index(
                        condition=models.Q(
                            ("verification", "told"), models.Q(("provider", "mpesa"), _negated=True)
                        ),
                        fields=["id"],
                        name="receipt_of_a_bank_to_look_up",
                    ),
                ),
                migrations.AddIndex(
                    model_name="refund",
                    index=models.Index(
                        condition=models.Q(("unacknowledged", True)),
                        fields=["id"],
                        name="refund_unseen",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="receipt",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("same_as__isnull", True),
                            models.Q(
                                ("amount", 0),
                                ("number", ""),
                                ("order__isnull", True),
                                ("written_off", 0),
                            ),
                            _connector="OR",
                        ),
                        name="receipt_that_is_another_counts_nothing",
                    ),
                ),
            ]
        )
    ]
