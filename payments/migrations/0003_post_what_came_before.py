from django.db import migrations

CHUNK = 1000


def post_receipts(apps, schema_editor):
    """Post the receipts that no posting tells of, as payments.ledger does. Safe to repeat."""
    Receipt = apps.get_model("payments", "Receipt")
    receipts = Receipt.objects.filter(postings__isnull=True, amount__gte=1).select_related("order")
    last = 0
    while chunk := list(receipts.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        _post(apps, chunk)
        last = chunk[-1].pk


def _post(apps, receipts):
    Posting = apps.get_model("payments", "LedgerPosting")
    Entry = apps.get_model("payments", "LedgerEntry")
    orders = {receipt.order_id for receipt in receipts if receipt.order_id}
    held = Entry.objects.filter(order__in=orders, account="buyers_held")
    covered = set(held.values_list("order_id", flat=True))
    planned = []
    for receipt in receipts:
        order, amount = receipt.order_id, receipt.amount
        if order is None:
            account = "suspense"
        elif order in covered:
            account = "refunds_payable"
        else:
            account = "buyers_held"
            covered.add(order)
        came = Posting(event=f"receipt:{receipt.pk}", receipt=receipt)
        planned.append((came, "mpesa_clearing", account, order, amount))
        if account == "buyers_held" and receipt.order.payment_status == "refund_due":
            due = Posting(event=f"refund_due:{order}")
            planned.append((due, "buyers_held", "refunds_payable", order, amount))
    Posting.objects.bulk_create(posting for posting, *_ in planned)
    Entry.objects.bulk_create(
        Entry(
            posting=posting,
            account=account,
            side=side,
            amount=amount,
            order_id=None if account in {"mpesa_clearing", "suspense"} else order,
        )
        for posting, debited, credited, order, amount in planned
        for side, account in (("debit", debited), ("credit", credited))
    )


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_ledger")]

    operations = [migrations.RunPython(post_receipts, migrations.RunPython.noop)]
