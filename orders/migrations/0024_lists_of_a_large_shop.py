"""What is still to be brought, a seller's problems in their order, and messages by their kind."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import orders.models.problems
from omachemainproj.postgresql.concurrent import AddIndexWhileOpen, RemoveIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0023_lines_in_dispute")]

    operations = [
        AddIndexWhileOpen(
            model_name="ordertrack",
            index=models.Index(
                condition=models.Q(
                    ("parcel__isnull", False), ("track_status__in", ("paid", "fetched", "shipping"))
                ),
                fields=["order", "parcel", "track_status"],
                name="track_to_bring",
            ),
        ),
        AddIndexWhileOpen(
            model_name="ordertrack",
            index=models.Index(
                condition=models.Q(("parcel__isnull", False), ("track_status", "delivered")),
                fields=["updated_at", "parcel"],
                name="track_handed_over",
            ),
        ),
        AddIndexWhileOpen(
            model_name="problem",
            index=models.Index(
                models.F("seller"),
                models.OrderBy(orders.models.problems.Undecided(), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="problem_of_seller_undecided",
            ),
        ),
        AddIndexWhileOpen(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("channel", "email"),
                    models.Q(("provider_id__in", ["", "logged", "unnamed"]), _negated=True),
                ),
                fields=["provider_id"],
                name="mail_by_provider_id",
            ),
        ),
        AddIndexWhileOpen(
            model_name="message",
            index=models.Index(fields=["contact", "-id"], name="message_to_contact_newest"),
        ),
        RemoveIndexWhileOpen(model_name="message", name="message_by_contact"),
        AddIndexWhileOpen(
            model_name="message",
            index=models.Index(fields=["user", "-id"], name="message_to_person_newest"),
        ),
        migrations.AlterField(
            model_name="message",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddIndexWhileOpen(
            model_name="message",
            index=models.Index(fields=["kind", "-id"], name="message_of_kind_newest"),
        ),
        AddIndexWhileOpen(
            model_name="message",
            index=models.Index(
                condition=models.Q(("channel", "email")), fields=["id"], name="message_by_mail"
            ),
        ),
    ]
