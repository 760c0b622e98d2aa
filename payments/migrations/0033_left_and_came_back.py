"""Money that left and came back whole, linked: one decision of two."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0032_what_rows_are_called'),
    ]

    operations = [
        migrations.AddField(
            model_name='withdrawal',
            name='came_back',
            field=models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='left_as', to='payments.receipt'),
        ),
    ]
