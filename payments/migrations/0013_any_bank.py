from importlib import import_module

from django.db import migrations, models

import payments.models.gateway_events
import payments.models.ledger
import payments.models.receipts

guard_again = import_module("payments.migrations.0005_owe_what_was_owed").guard_again


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0012_move_write_offs_off_commission'),
    ]

    operations = [
        # SQLite makes the ledger's tables anew, without their triggers: there and back.
        migrations.RunPython(migrations.RunPython.noop, guard_again),
        migrations.AlterField(
            model_name='gatewayevent',
            name='source',
            field=models.CharField(choices=payments.models.gateway_events.source_choices, default='prompt', max_length=9),
        ),
        migrations.AlterField(
            model_name='receipt',
            name='provider',
            field=models.CharField(choices=payments.models.receipts.provider_choices, default='mpesa', max_length=8),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='account',
            field=models.CharField(choices=payments.models.ledger.account_choices, max_length=16),
        ),
        migrations.RemoveIndex(
            model_name='gatewayevent',
            name='event_for_a_person',
        ),
        migrations.AddIndex(
            model_name='gatewayevent',
            index=models.Index(condition=models.Q(('state', 'failed'), models.Q(models.Q(('source__in', ['prompt', 'statement']), _negated=True), ('state__in', ('unmatched', 'unreadable'))), _connector='OR'), fields=['id'], name='event_for_a_person'),
        ),
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='ledger_account_says_whether_of_an_order',
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('account__endswith', '_clearing'), ('account', 'suspense'), _connector='OR'), ('order__isnull', True)), models.Q(('account__in', ['buyers_held', 'commission', 'write_offs']), ('order__isnull', False)), ('account__in', ['sellers_payable', 'refunds_payable']), _connector='OR'), name='ledger_account_says_whether_of_an_order'),
        ),
        migrations.RunPython(guard_again, migrations.RunPython.noop),
    ]
