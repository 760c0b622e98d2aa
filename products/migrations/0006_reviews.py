"""Reviews, and what they add up to on products and sellers.

On SQLite a new column rebuilds the products' table, which drops the triggers that search lives by.
"""

from importlib import import_module

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

_SEARCH = import_module("products.migrations.0003_search").SQLITE
_ONE_TO_FIVE = Q(review_stars__gte=F("review_count"), review_stars__lte=F("review_count") * 5)


def follow_again(apps, schema_editor):
    """Let search follow the products again. Safe to repeat."""
    if schema_editor.connection.vendor == "sqlite":
        for statement in _SEARCH:
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("orders", "0001_initial"),
        ("products", "0005_count_what_was_sold"),
    ]

    operations = [
        # Backwards, this is the last thing done.
        migrations.RunPython(migrations.RunPython.noop, follow_again),
        migrations.AddField(
            model_name="product",
            name="review_stars",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="product",
            name="review_count",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                name="product_has_one_to_five_stars_a_review", condition=_ONE_TO_FIVE
            ),
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stars", models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)])),
                ("text", models.TextField(blank=True, max_length=2000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("edited_at", models.DateTimeField(editable=False, null=True)),
                ("answer", models.TextField(blank=True, max_length=2000)),
                ("answered_at", models.DateTimeField(editable=False, null=True)),
                ("hidden", models.BooleanField(default=False)),
                ("hidden_reason", models.CharField(blank=True, max_length=200)),
                ("buyer", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to=settings.AUTH_USER_MODEL)),
                ("line", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="review", to="orders.ordertrack")),
                ("product", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="products.product")),
                ("seller", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "permissions": [("hide_review", "Can hide reviews and show them again")],
                "indexes": [
                    models.Index(condition=Q(hidden=False), fields=["product", "-id"], name="review_of_product_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=Q(stars__gte=1, stars__lte=5), name="review_has_one_to_five_stars"),
                    models.CheckConstraint(
                        condition=Q(hidden=False, hidden_reason="") | Q(hidden=True, hidden_reason__gt=""),
                        name="review_is_hidden_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=Q(answer="", answered_at=None) | Q(answer__gt="", answered_at__isnull=False),
                        name="review_answer_has_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SellerRating",
            fields=[
                ("seller", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name="rating", serialize=False, to=settings.AUTH_USER_MODEL)),
                ("review_stars", models.PositiveIntegerField(default=0)),
                ("review_count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        name="seller_has_one_to_five_stars_a_review", condition=_ONE_TO_FIVE
                    ),
                ],
            },
        ),
        migrations.RunPython(follow_again, migrations.RunPython.noop),
    ]
