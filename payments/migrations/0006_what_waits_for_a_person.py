from django.db import migrations, models
from django.db.models import Q


def show(apps, schema_editor):
    """What differed before a person could acknowledge it is shown to one now. Safe to repeat."""
    Receipt = apps.get_model("payments", "Receipt")
    Receipt.objects.filter(note__startswith="Counted as KES").update(unseen=True)
    Refund = apps.get_model("payments", "Refund")
    differs = Q(note__startswith="M-Pesa says KES") | Q(note__endswith="it went back twice.")
    Refund.objects.filter(differs).update(unseen=True)


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0001_initial'),
        ('payments', '0005_owe_what_was_owed'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='receipt',
            options={'permissions': [('decide_money', 'Can decide about money that waits for a person')]},
        ),
        migrations.AddField(
            model_name='receipt',
            name='unseen',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='refund',
            name='unseen',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='refund',
            name='way',
            field=models.CharField(choices=[('reversal', 'reversal of the payment'), ('b2c', 'payment to the phone'), ('portal', "a person, on M-Pesa's portal")], max_length=8),
        ),
        migrations.AlterField(
            model_name='gatewayevent',
            name='state',
            field=models.CharField(choices=[('new', 'New'), ('applied', 'Applied'), ('checking', 'Checking'), ('unmatched', 'Unmatched'), ('unreadable', 'Unreadable'), ('failed', 'Failed'), ('aside', 'Aside')], default='new', max_length=10),
        ),
        migrations.AddIndex(
            model_name='gatewayevent',
            index=models.Index(condition=models.Q(('state', 'failed'), models.Q(('source__in', ['c2b', 'equity']), ('state__in', ['unmatched', 'unreadable'])), _connector='OR'), fields=['id'], name='event_for_a_person'),
        ),
        migrations.AddIndex(
            model_name='gatewayevent',
            index=models.Index(condition=models.Q(('source', 'prompt'), ('state__in', ['unmatched', 'unreadable'])), fields=['id'], name='event_of_strangers'),
        ),
        migrations.AddIndex(
            model_name='orderpayment',
            index=models.Index(condition=models.Q(('status__in', ['unknown', 'submitted'])), fields=['id'], name='payment_without_end'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(condition=models.Q(('unseen', True)), fields=['id'], name='receipt_unseen'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('status__in', ['unknown', 'sent'])), fields=['id'], name='refund_under_way'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('unseen', True)), fields=['id'], name='refund_unseen'),
        ),
        migrations.RunPython(show, migrations.RunPython.noop),
    ]
