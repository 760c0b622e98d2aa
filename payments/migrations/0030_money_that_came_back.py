"""Money that had left and came back: a choice alone, nothing in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0029_lists_of_a_large_shop'),
    ]

    operations = [
        migrations.AlterField(
            model_name='receipt',
            name='door',
            field=models.CharField(choices=[('callback', "callback at the attempt's own address"), ('query', 'status query'), ('c2b', "M-Pesa's confirmation of a payment to the pay bill"), ('statement', "M-Pesa's statement"), ('bank', "a bank's notification"), ('staff', 'written down by a person'), ('status', 'transaction status query'), ('earlier', 'money of it left before it was kept who told of it'), ('returned', "M-Pesa's portal: what the shop had sent came back")], max_length=9),
        ),
        migrations.AlterField(
            model_name='receiptevidence',
            name='source',
            field=models.CharField(choices=[('callback', "callback at the attempt's own address"), ('query', 'status query'), ('c2b', "M-Pesa's confirmation of a payment to the pay bill"), ('statement', "M-Pesa's statement"), ('bank', "a bank's notification"), ('staff', 'written down by a person'), ('status', 'transaction status query'), ('earlier', 'money of it left before it was kept who told of it'), ('returned', "M-Pesa's portal: what the shop had sent came back")], max_length=9),
        ),
    ]
