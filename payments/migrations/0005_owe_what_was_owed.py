from importlib import import_module

from django.db import migrations
from django.db.models import Case, F, Sum, When
from django.utils import timezone

ledger = import_module("payments.migrations.0002_ledger")


def guard_again(apps, schema_editor):
    """SQLite made the ledger's tables anew, without their triggers."""
    if schema_editor.connection.vendor == "sqlite":
        for drop in ledger.SQLITE_BACK:
            schema_editor.execute(drop.replace("TRIGGER", "TRIGGER IF EXISTS"), params=None)
        for create in ledger.SQLITE:
            schema_editor.execute(create, params=None)


def owe(apps, schema_editor):
    """Give every order a refund for what the ledger already owes it. Safe to repeat."""
    Entry = apps.get_model("payments", "LedgerEntry")
    Refund = apps.get_model("payments", "Refund")
    Receipt = apps.get_model("payments", "Receipt")
    signed = Case(When(side="credit", then=F("amount")), default=-F("amount"))
    owed = Entry.objects.filter(account="refunds_payable", order__refunds__isnull=True)
    for order_id, amount in list(owed.values_list("order").annotate(total=Sum(signed))):
        order = apps.get_model("orders", "Order").objects.get(pk=order_id)
        cause = "excess" if order.payment_status == "paid" else "goods_gone"
        for receipt in Receipt.objects.filter(order=order_id).order_by("-pk"):
            part = min(amount, receipt.amount)
            amount -= part
            if part <= 0:
                continue
            is_whole = part == receipt.amount
            Refund.objects.create(
                receipt=receipt,
                order_id=order_id,
                amount=part,
                cause=cause,
                way="reversal" if is_whole else "portal",
                status="due" if is_whole else "refused",
                note="" if is_whole else "It was owed before refunds were made by themselves.",
                next_check_at=timezone.now() if is_whole else None,
            )


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_money_in_and_out")]

    operations = [
        migrations.RunPython(guard_again, migrations.RunPython.noop),
        migrations.RunPython(owe, migrations.RunPython.noop),
    ]
