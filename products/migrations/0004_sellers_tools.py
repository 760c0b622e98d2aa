from importlib import import_module

from django.conf import settings
from django.db import migrations, models
from django.db.models import Q
import django.db.models.deletion
import products.models


search = import_module("products.migrations.0003_search")


def follow_again(apps, schema_editor):
    """SQLite rebuilt the table of products, and so dropped what keeps search up to date."""
    if schema_editor.connection.vendor == "sqlite":
        search.install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ("products", "0003_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="product",
            name="sku",
            field=models.CharField(blank=True, help_text="The seller's own code for it.", max_length=40, null=True),
        ),
        migrations.AddField(
            model_name="product",
            name="sold",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text="Left the shelf for paid orders."),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="actor",
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="note",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.UniqueConstraint(fields=("seller", "sku"), name="seller_has_a_sku_once"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(models.F("seller"), products.models.Newest(), name="product_of_seller_newest"),
        ),
        migrations.AddIndex(
            model_name="stockmovement",
            index=models.Index(condition=Q(("actor__isnull", False)), fields=["actor"], name="stock_moved_by"),
        ),
        migrations.RunPython(follow_again, follow_again),
    ]
