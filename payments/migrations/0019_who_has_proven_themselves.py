"""Phones and inboxes that have proven themselves before anybody kept that.

A phone that paid an order is its buyer's, one on which a payout arrived its seller's. Who has such
a phone has had mails about their orders for as long, so their e-mail counts as confirmed too; any
other has to be.
"""

from django.db import migrations
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

BATCH = 1000


def record_phones(apps, schema_editor):
    attempts = apps.get_model("payments", "OrderPayment").objects.filter(
        channel="stk", status="confirmed"
    )
    paid = attempts.exclude(phone="").values_list("order__buyer_id", "phone")
    _write(apps, paid.annotate(at=Coalesce(Max("confirmed_at"), Max("created_at"))), "paid_at")
    payouts = apps.get_model("payments", "Payout").objects.filter(status="done")
    received = payouts.exclude(phone="").values_list("seller_id", "phone")
    _write(apps, received.annotate(at=Coalesce(Max("done_at"), Max("created_at"))), "received_at")


def _write(apps, rows, how):
    PhoneProof = apps.get_model("accounts", "PhoneProof")
    PhoneProof.objects.bulk_create(
        [PhoneProof(user_id=user, phone=phone, **{how: at}) for user, phone, at in rows.order_by()],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["user", "phone"],
        update_fields=[how],
    )


def confirm_their_emails(apps, schema_editor):
    people = apps.get_model("accounts", "User").objects.exclude(email="")
    for pk, email in people.filter(proven_phones__isnull=False).distinct().values_list("pk", "email"):
        same = people.filter(email__iexact=email, email_confirmed_at__isnull=False)
        if not same.exists():
            people.filter(pk=pk).update(email_confirmed_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0018_access_token"),
        ("accounts", "0008_who_may_be_reached"),
    ]

    operations = [
        migrations.RunPython(record_phones, migrations.RunPython.noop),
        migrations.RunPython(confirm_their_emails, migrations.RunPython.noop),
    ]
