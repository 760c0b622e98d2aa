"""What rows are called in the admin: options alone, nothing in the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0013_what_a_seller_has"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="listingterms",
            options={
                "default_permissions": (),
                "verbose_name": "terms of a listing",
                "verbose_name_plural": "terms of listings",
            },
        ),
        migrations.AlterModelOptions(
            name="productpicture",
            options={
                "default_permissions": (),
                "verbose_name": "picture of a product",
                "verbose_name_plural": "pictures of products",
            },
        ),
    ]
