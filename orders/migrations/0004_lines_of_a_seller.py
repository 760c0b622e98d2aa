from django.conf import settings
from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0003_each_line_its_own_code"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="ordertrack",
            name="seller",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="sales", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name="ordertrack",
            index=models.Index(fields=["seller", "-id"], name="track_of_seller_newest"),
        ),
        migrations.AddIndex(
            model_name="ordertrack",
            index=models.Index(condition=models.Q(("track_status__in", ("paid", "fetched", "shipping"))), fields=["seller", "-id"], name="track_to_fulfil"),
        ),
    ]
