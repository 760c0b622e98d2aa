"""How crowded the shop was with a seller's goods, and the indexes of home and of one seller's goods.

The column is added in place: Django would rebuild the table on SQLite, which drops the triggers
that search lives by.
"""

from django.db import migrations, models

import products.models

_ADD = (
    "ALTER TABLE products_product ADD COLUMN crowding smallint DEFAULT 0 NOT NULL"
    " CHECK (crowding >= 0)"
)
_LISTED = models.Q(listed=True)


class Migration(migrations.Migration):
    dependencies = [("products", "0009_terms_and_digests")]

    operations = [
        migrations.RunSQL(
            _ADD,
            "ALTER TABLE products_product DROP COLUMN crowding",
            state_operations=[
                migrations.AddField(
                    model_name="product",
                    name="crowding",
                    field=models.PositiveSmallIntegerField(
                        db_default=0, default=0, editable=False
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                fields=["seller", "price", "id"],
                name="product_of_seller_price",
                condition=_LISTED,
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                fields=["seller", "category", "price", "id"],
                name="product_seller_price",
                condition=_LISTED,
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                "category",
                products.models.Round(),
                products.models.Newest(),
                name="product_front",
                condition=models.Q(listed=True, soldout=False),
            ),
        ),
    ]
