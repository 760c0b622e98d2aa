import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0025_problems'),
    ]

    operations = [
        migrations.CreateModel(
            name='PortalStatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shortcode', models.CharField(max_length=12)),
                ('read_from', models.DateTimeField()),
                ('read_until', models.DateTimeField()),
                ('rows', models.PositiveIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Withdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(help_text="M-Pesa's receipt for it.", max_length=20, unique=True)),
                ('shortcode', models.CharField(help_text='The number of ours it left.', max_length=12)),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('phone', models.CharField(blank=True, max_length=64)),
                ('reason', models.CharField(blank=True, help_text="M-Pesa's word for it.", max_length=100)),
                ('reverses', models.CharField(blank=True, max_length=20)),
                ('left_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'nobody has said what it was'), ('payout', 'it paid a seller'), ('refund', 'it gave a payment back'), ('aside', "it was none of the shop's")], default='open', editable=False, max_length=6)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('settled_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='payoutstop',
            name='payouts_are_stopped_once',
        ),
        migrations.AddField(
            model_name='payoutstop',
            name='cause',
            field=models.CharField(choices=[('initiator', 'M-Pesa does not accept the initiator'), ('restore', 'the database was restored from a backup')], db_default='initiator', default='initiator', editable=False, max_length=9),
        ),
        migrations.AddField(
            model_name='payoutstop',
            name='lost_since',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name='payoutstop',
            constraint=models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('cause',), name='payouts_are_stopped_once_for_a_cause'),
        ),
        migrations.AddConstraint(
            model_name='payoutstop',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cause', 'restore'), ('lost_since__isnull', False)), models.Q(('cause', 'initiator'), ('lost_since__isnull', True)), _connector='OR'), name='stop_after_a_restore_says_since_when'),
        ),
        migrations.AddConstraint(
            model_name='portalstatement',
            constraint=models.UniqueConstraint(fields=('shortcode', 'sha256', 'read_from', 'read_until'), name='portal_statement_is_read_once'),
        ),
        migrations.AddConstraint(
            model_name='portalstatement',
            constraint=models.CheckConstraint(condition=models.Q(('read_from__lt', models.F('read_until'))), name='portal_statement_has_a_period'),
        ),
        migrations.AddField(
            model_name='withdrawal',
            name='payout',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='payments.payout'),
        ),
        migrations.AddField(
            model_name='withdrawal',
            name='refund',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='payments.refund'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['left_at'], name='withdrawal_open'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 1), models.Q(('number', ''), _negated=True)), name='withdrawal_is_one_or_more'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('payout__isnull', True), ('refund__isnull', True), ('settled_at__isnull', True), ('state', 'open')), models.Q(('payout__isnull', False), ('refund__isnull', True), ('settled_at__isnull', False), ('state', 'payout')), models.Q(('payout__isnull', True), ('refund__isnull', False), ('settled_at__isnull', False), ('state', 'refund')), models.Q(('payout__isnull', True), ('refund__isnull', True), ('settled_at__isnull', False), ('state', 'aside')), _connector='OR'), name='withdrawal_is_what_it_says'),
        ),
    ]
