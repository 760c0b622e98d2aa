from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

CHUNK = 1000
MOVED = "reclassified:"


def move(apps, schema_editor):
    """Move what was written off from the shop's commission to an account of its own.

    What is posted is never changed: each posting of before is followed by one that takes its
    amount off commission again. Of a receipt's postings only corrections and what undid them were
    ever on commission. Safe to repeat.
    """
    Entry = apps.get_model("payments", "LedgerEntry")
    Posting = apps.get_model("payments", "LedgerPosting")
    moved = Posting.objects.filter(event=Concat(Value(MOVED), OuterRef("posting__event")))
    entries = (
        Entry.objects.filter(account="commission", posting__receipt__isnull=False)
        .exclude(posting__event__startswith=MOVED)
        .exclude(Exists(moved))
        .select_related("posting")
        .order_by("pk")
    )
    while chunk := list(entries[:CHUNK]):
        _post(Posting, Entry, chunk)


def _post(Posting, Entry, chunk):
    postings = Posting.objects.bulk_create(
        Posting(event=f"{MOVED}{entry.posting.event}", receipt_id=entry.posting.receipt_id)
        for entry in chunk
    )
    opposite = {"debit": "credit", "credit": "debit"}
    Entry.objects.bulk_create(
        Entry(
            posting=posting, account=account, side=side, amount=entry.amount, order_id=entry.order_id
        )
        for posting, entry in zip(postings, chunk, strict=True)
        for account, side in (("commission", opposite[entry.side]), ("write_offs", entry.side))
    )


def stay(apps, schema_editor):
    """Go back only where nothing was ever written off: what is posted cannot be deleted."""
    if apps.get_model("payments", "LedgerEntry").objects.filter(account="write_offs").exists():
        raise IrreversibleError("The ledger has write-offs, and nothing is deleted from it.")


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_write_offs")]

    operations = [migrations.RunPython(move, stay)]
