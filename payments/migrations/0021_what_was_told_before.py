from django.db import migrations

LEFT = ("unknown", "sent", "done")


def keep_what_was_told(apps, schema_editor):
    """Keep of every receipt who told of it first, and whether money of it has left already.

    None is confirmed by this: what is still to leave is asked about. What left before this was
    kept is known to have left on that source alone.
    """
    models = {name: apps.get_model("payments", name) for name in (
        "Receipt", "ReceiptEvidence", "Refund", "Payout"
    )}
    refunded = models["Refund"].objects.filter(status__in=LEFT).exclude(way="outside")
    paid_out = models["Payout"].objects.filter(status__in=LEFT)
    orders = paid_out.values("shares__track__order").exclude(shares__isnull=True)
    rows = []
    receipts = models["Receipt"].objects.all()
    left = set(receipts.filter(pk__in=refunded.values("receipt")).values_list("pk", flat=True))
    left |= set(receipts.filter(order__in=orders).values_list("pk", flat=True))
    for receipt in receipts.only("pk", "door", "amount", "number").iterator(chunk_size=2000):
        # A status query names no number: it came later, from elsewhere.
        sources = [receipt.door, "earlier"] if receipt.pk in left else [receipt.door]
        rows += [
            models["ReceiptEvidence"](
                receipt=receipt, source=source, amount=receipt.amount, number=receipt.number
            )
            for source in sources
        ]
        if len(rows) >= 2000:
            models["ReceiptEvidence"].objects.bulk_create(rows)
            rows = []
    models["ReceiptEvidence"].objects.bulk_create(rows)


class Migration(migrations.Migration):

    dependencies = [
        ("payments", "0020_who_told_of_a_payment"),
    ]

    operations = [
        migrations.RunPython(keep_what_was_told, migrations.RunPython.noop),
    ]
