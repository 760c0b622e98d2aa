"""Why late money did not buy an order's goods: decided once, and kept. Old rows have none."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0029_fewer_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='late_refusal',
            field=models.CharField(blank=True, choices=[('cancelled', 'its buyer had cancelled it'), ('too_late', 'it was closed more than a day before'), ('paid_again', 'its buyer had paid for the same goods with another order'), ('off_sale', 'some of the goods were no longer on sale'), ('goods_gone', 'some of the goods were gone')], db_default='', default='', editable=False, max_length=10),
        ),
    ]
