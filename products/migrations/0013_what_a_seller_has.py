"""A seller's goods by their price, and the terms they sold on: a busy one has 20,000."""

from django.db import migrations, models

from omachemainproj.postgresql.concurrent import AddIndexWhileOpen


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("products", "0012_search_of_the_latest")]

    operations = [
        AddIndexWhileOpen(
            model_name="product",
            index=models.Index(fields=["seller", "price", "id"], name="product_of_seller_by_price"),
        ),
        AddIndexWhileOpen(
            model_name="listingterms",
            index=models.Index(fields=["seller"], name="terms_of_seller"),
        ),
    ]
