"""The models of listing counts take plain names; their tables stay as they are."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_NAMES = (
    ("ShelfMove", "ListingCountChange"),
    ("CategoryShelf", "CategoryListingCount"),
    ("SellerShelf", "SellerListingCount"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0016_plain_labels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *(
                    operation
                    for old, new in _NAMES
                    for operation in (
                        migrations.AlterModelTable(name=old, table=f"products_{old.lower()}"),
                        migrations.RenameModel(old_name=old, new_name=new),
                    )
                ),
                migrations.AlterField(
                    model_name="sellerlistingcount",
                    name="seller",
                    field=models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="listing_count",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ]
        )
    ]
