"""The payments' tables as 0001 to 0025 leave them, made at once: a new database starts here.

What those did to rows of before is left out: where this is applied there are none.
"""

from importlib import import_module

import django.db.models.deletion
import django.db.models.expressions
import payments.models.gateway_events
import payments.models.ledger
import payments.models.order_payments
import payments.models.payouts
import payments.models.receipts
import payments.models.transfers
from django.conf import settings
from django.db import migrations, models

_ledger = import_module("payments.migrations.0002_ledger")
_evidence = import_module("payments.migrations.0020_who_told_of_a_payment")
_originals = import_module("payments.migrations.0022_originals_and_numbers")


def guard(apps, schema_editor):
    """Let the database keep what is posted and what was said, and refuse what does not balance."""
    _ledger.guard(apps, schema_editor)
    _evidence.guard(apps, schema_editor)


def unguard(apps, schema_editor):
    """Take the triggers down again."""
    _originals.stop_keeping(apps, schema_editor)
    _evidence.unguard(apps, schema_editor)
    _ledger.unguard(apps, schema_editor)


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('payments', '0001_initial'),
        ('payments', '0002_ledger'),
        ('payments', '0003_post_what_came_before'),
        ('payments', '0004_money_in_and_out'),
        ('payments', '0005_owe_what_was_owed'),
        ('payments', '0006_what_waits_for_a_person'),
        ('payments', '0007_payouts'),
        ('payments', '0008_payouts_by_phone'),
        ('payments', '0009_ended_by_time'),
        ('payments', '0010_ledger_entries'),
        ('payments', '0011_write_offs'),
        ('payments', '0012_move_write_offs_off_commission'),
        ('payments', '0013_any_bank'),
        ('payments', '0014_hashed_phones_and_same_payments'),
        ('payments', '0015_why_money_goes_back'),
        ('payments', '0016_reversed_outside'),
        ('payments', '0017_ask_before_refunds'),
        ('payments', '0018_access_token'),
        ('payments', '0019_who_has_proven_themselves'),
        ('payments', '0020_who_told_of_a_payment'),
        ('payments', '0021_what_was_told_before'),
        ('payments', '0022_originals_and_numbers'),
        ('payments', '0023_strangers_posts'),
        ('payments', '0024_delivery_fees'),
        ('payments', '0025_problems'),
    ]

    dependencies = [
        ('accounts', '0008_who_may_be_reached'),
        ('orders', '0015_problems'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='OrderPayment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('stk', 'STK prompt'), ('pay_bill', 'by hand through the pay bill'), ('bank', 'by hand through a bank')], default='stk', max_length=8)),
                ('phone', models.CharField(blank=True, max_length=12)),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings that were asked for.')),
                ('status', models.CharField(choices=[('requested', 'Requested'), ('unknown', 'Unknown'), ('submitted', 'Submitted'), ('confirmed', 'Confirmed'), ('failed', 'Failed')], default='requested', max_length=9)),
                ('live', models.BooleanField(default=True)),
                ('callback_token', models.CharField(default=payments.models.order_payments.new_callback_token, editable=False, max_length=32, unique=True)),
                ('merchant_request_id', models.CharField(blank=True, max_length=64)),
                ('checkout_request_id', models.CharField(blank=True, max_length=64)),
                ('result_code', models.CharField(blank=True, max_length=32)),
                ('result_text', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('rung_at', models.DateTimeField(help_text='When M-Pesa was asked.', null=True)),
                ('next_check_at', models.DateTimeField(null=True)),
                ('checks', models.PositiveSmallIntegerField(default=0)),
                ('checked_at', models.DateTimeField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='orders.order')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='payment_to_check'), models.Index(fields=['phone', 'rung_at'], name='payment_by_phone'), models.Index(condition=models.Q(('status__in', ['unknown', 'submitted'])), fields=['id'], name='payment_without_end'), models.Index(condition=models.Q(('channel', 'stk'), _negated=True), fields=['id'], name='payment_by_hand'), models.Index(condition=models.Q(('status__in', ['confirmed', 'failed'])), fields=['created_at', 'status', 'result_code', 'rung_at', 'confirmed_at'], name='payment_ended_by_time')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('live', True)), fields=('order',), name='order_has_one_live_prompt'), models.UniqueConstraint(condition=models.Q(('live', True), ('rung_at__isnull', False)), fields=('phone',), name='phone_rings_for_one_attempt'), models.UniqueConstraint(condition=models.Q(('checkout_request_id', ''), _negated=True), fields=('checkout_request_id',), name='checkout_request_id_names_one_attempt')],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(choices=payments.models.receipts.provider_choices, default='mpesa', max_length=8)),
                ('number', models.CharField(blank=True, max_length=40)),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings, as the provider says.')),
                ('door', models.CharField(choices=[('callback', "callback at the attempt's own address"), ('query', 'status query'), ('c2b', "M-Pesa's confirmation of a payment to the pay bill"), ('statement', "M-Pesa's statement"), ('bank', "a bank's notification"), ('staff', 'written down by a person'), ('status', 'transaction status query'), ('earlier', 'money of it left before it was kept who told of it')], max_length=9)),
                ('paid_at', models.DateTimeField(help_text='As the provider says.', null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='orders.order')),
                ('payment', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipt', to='payments.orderpayment')),
                ('borne', models.PositiveIntegerField(default=0, help_text='Whole Kenyan shillings.')),
                ('payer', models.CharField(blank=True, help_text="The payer's name, if told.", max_length=100)),
                ('phone', models.CharField(blank=True, max_length=64)),
                ('reference', models.CharField(blank=True, help_text='What the payer typed.', max_length=40)),
                ('waiting', models.BooleanField(default=False)),
                ('unseen', models.BooleanField(default=False)),
                ('same_as', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reported_as', to='payments.receipt')),
                ('stands_alone', models.BooleanField(default=False)),
                ('doubt', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('doubted_at', models.DateTimeField(null=True)),
                ('phone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('standing', models.CharField(choices=[('told', 'Told'), ('confirmed', 'Confirmed'), ('doubted', 'Doubted'), ('never_came', 'Never Came')], db_default='told', default='told', max_length=10)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('order__isnull', True)), fields=['id'], name='receipt_in_suspense'), models.Index(condition=models.Q(('waiting', True)), fields=['id'], name='receipt_waiting'), models.Index(condition=models.Q(('number', '')), fields=['created_at'], name='receipt_without_number'), models.Index(condition=models.Q(('unseen', True)), fields=['id'], name='receipt_unseen'), models.Index(condition=models.Q(('standing', 'doubted')), fields=['id'], name='receipt_in_doubt'), models.Index(condition=models.Q(('standing', 'told'), models.Q(('provider', 'mpesa'), _negated=True)), fields=['id'], name='receipt_of_a_bank_to_look_up')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('number', ''), _negated=True), fields=('provider', 'number'), name='receipt_counts_once'), models.CheckConstraint(condition=models.Q(('same_as__isnull', True), models.Q(('amount', 0), ('borne', 0), ('number', ''), ('order__isnull', True)), _connector='OR'), name='receipt_that_is_another_counts_nothing'), models.CheckConstraint(condition=models.Q(('waiting', False), ('order__isnull', False), _connector='OR'), name='receipt_waits_for_the_rest_of_an_order')],
                'permissions': [('decide_money', 'Can decide about money that waits for a person')],
            },
        ),
        migrations.CreateModel(
            name='PayoutStop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=200)),
                ('is_open', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('is_open',), name='payouts_are_stopped_once'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('is_open', True)), models.Q(('ended_at__isnull', False), ('is_open', False)), _connector='OR'), name='stop_has_an_end_once_it_is_over')],
            },
        ),
        migrations.CreateModel(
            name='QueryBudget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('minute', models.DateTimeField(unique=True)),
                ('used', models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('cause', models.CharField(choices=[('goods_gone', 'it came after the goods were gone'), ('short', 'it never covered the order'), ('cancelled', 'its buyer had cancelled the order'), ('paid_again', 'its buyer had paid for the same goods with another order'), ('excess', "it was more than the order's price"), ('returned', 'the goods were cancelled after they were paid'), ('fee', 'the delivery fee was given back'), ('staff', 'a person decided so'), ('outside', 'M-Pesa took the payment back by itself'), ('too_late', 'it came more than a day after the order was closed'), ('off_sale', 'it came after the goods were taken off sale'), ('never_came', 'it never came, and is written off'), ('reduced', 'the price was reduced after a problem')], max_length=10)),
                ('way', models.CharField(choices=[('reversal', 'reversal of the payment'), ('b2c', 'payment to the phone'), ('portal', "a person, on M-Pesa's portal"), ('outside', "no payment of the shop's")], max_length=8)),
                ('phone', models.CharField(blank=True, help_text='For a payment to a phone.', max_length=12)),
                ('status', models.CharField(choices=[('due', 'Due'), ('unknown', 'Unknown'), ('sent', 'Sent'), ('done', 'Done'), ('refused', 'Refused'), ('dropped', 'Dropped')], default='due', max_length=7)),
                ('originator_conversation_id', models.CharField(default=payments.models.transfers.new_conversation_id, editable=False, max_length=64, unique=True)),
                ('callback_token', models.CharField(default=payments.models.order_payments.new_callback_token, editable=False, max_length=32, unique=True)),
                ('status_token', models.CharField(default=payments.models.order_payments.new_callback_token, editable=False, max_length=32, unique=True)),
                ('conversation_id', models.CharField(blank=True, max_length=64)),
                ('reversal_conversation_id', models.CharField(blank=True, max_length=64)),
                ('number', models.CharField(blank=True, help_text="M-Pesa's receipt for it.", max_length=20)),
                ('result_code', models.CharField(blank=True, max_length=32)),
                ('result_text', models.CharField(blank=True, max_length=200)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('next_check_at', models.DateTimeField(null=True)),
                ('checks', models.PositiveSmallIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='orders.order')),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.receipt')),
                ('replaces', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='payments.refund')),
                ('unseen', models.BooleanField(default=False)),
                ('track', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='orders.ordertrack')),
                ('receipt_asked', models.PositiveSmallIntegerField(default=0)),
                ('receipt_stands_at', models.DateTimeField(null=True)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('needs_approval', models.BooleanField(db_default=False, default=False)),
                ('unnumbered', models.CharField(blank=True, choices=[('reversed', 'M-Pesa only said that it had been reversed before'), ('outside', 'M-Pesa took the payment back by itself'), ('not_told', 'M-Pesa said that it was done, and named no receipt')], editable=False, max_length=8)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='refund_to_look_after'), models.Index(condition=models.Q(('status', 'refused')), fields=['status'], name='refund_refused'), models.Index(condition=models.Q(('status__in', ['unknown', 'sent'])), fields=['id'], name='refund_under_way'), models.Index(condition=models.Q(('unseen', True)), fields=['id'], name='refund_unseen')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 1)), name='refund_is_one_or_more'), models.UniqueConstraint(condition=models.Q(('status__in', ['due', 'unknown', 'sent', 'done']), ('way', 'reversal')), fields=('receipt',), name='receipt_is_reversed_once'), models.UniqueConstraint(condition=models.Q(('number', ''), _negated=True), fields=('number',), name='payout_number_is_of_one_refund'), models.CheckConstraint(condition=models.Q(('phone', ''), ('way', 'b2c'), _negated=True), name='payment_to_a_phone_names_it'), models.CheckConstraint(condition=models.Q(('needs_approval', False), ('approved_by__isnull', False), ('way', 'outside'), ('status__in', ['due', 'refused', 'dropped']), _connector='OR'), name='refund_is_sent_once_it_is_approved'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'done'), _negated=True), models.Q(('number', ''), _negated=True), ('unnumbered', 'not_told'), models.Q(('unnumbered', 'reversed'), ('way', 'reversal')), models.Q(('unnumbered', 'outside'), ('way', 'outside')), _connector='OR'), name='refund_that_is_done_has_a_number_or_says_why_not'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'done'), _negated=True), ('done_at__isnull', False), _connector='OR'), name='refund_is_done_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='StatementPull',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shortcode', models.CharField(max_length=12, unique=True)),
                ('read_from', models.DateTimeField(null=True)),
                ('read_until', models.DateTimeField(null=True)),
                ('next_pull_at', models.DateTimeField()),
                ('result_text', models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Payout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('phone', models.CharField(blank=True, help_text='For a payment to a phone.', max_length=12)),
                ('status', models.CharField(choices=[('due', 'Due'), ('unknown', 'Unknown'), ('sent', 'Sent'), ('done', 'Done'), ('refused', 'Refused'), ('dropped', 'Dropped')], default='due', max_length=7)),
                ('originator_conversation_id', models.CharField(default=payments.models.transfers.new_conversation_id, editable=False, max_length=64, unique=True)),
                ('callback_token', models.CharField(default=payments.models.order_payments.new_callback_token, editable=False, max_length=32, unique=True)),
                ('status_token', models.CharField(default=payments.models.order_payments.new_callback_token, editable=False, max_length=32, unique=True)),
                ('conversation_id', models.CharField(blank=True, max_length=64)),
                ('number', models.CharField(blank=True, help_text="M-Pesa's receipt for it.", max_length=20)),
                ('result_code', models.CharField(blank=True, max_length=32)),
                ('result_text', models.CharField(blank=True, max_length=200)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('unseen', models.BooleanField(default=False)),
                ('next_check_at', models.DateTimeField(null=True)),
                ('checks', models.PositiveSmallIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('gross', models.PositiveIntegerField(help_text='Whole Kenyan shillings, before any debt.')),
                ('needs_approval', models.BooleanField(db_default=False, default=False)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('seller', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('approval_above', models.PositiveIntegerField(default=payments.models.payouts.default_approval_above, editable=False, help_text='Whole Kenyan shillings: what was too large at the time.')),
                ('unnumbered', models.CharField(blank=True, choices=[('reversed', 'M-Pesa only said that it had been reversed before'), ('outside', 'M-Pesa took the payment back by itself'), ('not_told', 'M-Pesa said that it was done, and named no receipt')], editable=False, max_length=8)),
                ('held_at', models.DateTimeField(editable=False, null=True)),
                ('held_why', models.CharField(blank=True, db_default='', default='', editable=False, max_length=200)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='payout_to_look_after'), models.Index(condition=models.Q(('status', 'done'), _negated=True), fields=['seller', 'phone'], name='payout_not_done'), models.Index(fields=['seller', '-id'], name='payout_of_seller_newest'), models.Index(condition=models.Q(('unseen', True)), fields=['id'], name='payout_unseen'), models.Index(fields=['phone'], name='payout_by_phone')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount', 0), models.Q(('amount__gte', 10), ('amount__lte', 250000)), _connector='OR'), name='payout_is_nothing_or_what_mpesa_takes'), models.CheckConstraint(condition=models.Q(('amount__gt', 0), models.Q(('number', ''), ('status', 'done')), _connector='OR'), name='payout_of_nothing_is_never_sent'), models.CheckConstraint(condition=models.Q(('needs_approval', False), ('approved_by__isnull', False), ('status__in', ['due', 'dropped']), _connector='OR'), name='payout_is_sent_once_it_is_approved'), models.UniqueConstraint(condition=models.Q(('number', ''), _negated=True), fields=('number',), name='mpesa_number_is_of_one_payout'), models.CheckConstraint(condition=models.Q(('phone', ''), _negated=True), name='payout_names_a_phone'), models.CheckConstraint(condition=models.Q(('needs_approval', True), ('amount__lte', models.F('approval_above')), _connector='OR'), name='payout_above_the_limit_is_approved'), models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('seller')), _negated=True), _connector='OR'), name='payout_is_not_approved_by_its_seller'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'done'), _negated=True), models.Q(('number', ''), _negated=True), ('unnumbered', 'not_told'), ('amount', 0), _connector='OR'), name='payout_that_is_done_has_a_number_or_says_why_not'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'done'), _negated=True), ('done_at__isnull', False), _connector='OR'), name='payout_is_done_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('held_at__isnull', True), ('held_why', '')), models.Q(models.Q(('held_why', ''), _negated=True), ('approved_by__isnull', True), ('held_at__isnull', False), ('needs_approval', True), ('status__in', ['due', 'dropped'])), _connector='OR'), name='payout_that_is_kept_back_waits_for_a_person')],
            },
        ),
        migrations.CreateModel(
            name='GatewayEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('body', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('token', models.CharField(blank=True, max_length=64)),
                ('remote_address', models.GenericIPAddressField(null=True)),
                ('headers', models.JSONField(default=dict)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.CharField(choices=[('new', 'New'), ('applied', 'Applied'), ('checking', 'Checking'), ('unmatched', 'Unmatched'), ('unreadable', 'Unreadable'), ('failed', 'Failed'), ('aside', 'Aside')], default='new', max_length=10)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('applied_at', models.DateTimeField(null=True)),
                ('payment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='payments.orderpayment')),
                ('receipt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='payments.receipt')),
                ('source', models.CharField(choices=payments.models.gateway_events.source_choices, default='prompt', max_length=9)),
                ('refund', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='payments.refund')),
                ('payout', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='payments.payout')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['new', 'checking'])), fields=['id'], name='event_to_apply'), models.Index(condition=models.Q(('source', 'prompt'), ('state__in', ['unmatched', 'unreadable'])), fields=['id'], name='event_of_strangers'), models.Index(condition=models.Q(('state', 'failed'), models.Q(models.Q(('source__in', ['prompt', 'statement']), _negated=True), ('state__in', ('unmatched', 'unreadable'))), _connector='OR'), fields=['id'], name='event_for_a_person')],
            },
        ),
        migrations.CreateModel(
            name='PayoutDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(unique=True)),
                ('sent', models.PositiveIntegerField(default=0, help_text='Whole Kenyan shillings.')),
            ],
        ),
        migrations.CreateModel(
            name='SellerShare',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone', models.CharField(max_length=12)),
                ('sold_for', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('commission', models.PositiveIntegerField(help_text="The shop's part of it.")),
                ('amount', models.PositiveIntegerField(help_text="The seller's part of it.")),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('reversed_at', models.DateTimeField(null=True)),
                ('payout', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='payments.payout')),
                ('seller', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to=settings.AUTH_USER_MODEL)),
                ('track', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='seller_share', to='orders.ordertrack')),
                ('phone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('carried', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ('commission_reduced', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ('reduced', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ('withheld_why', models.CharField(blank=True, db_default='', default='', editable=False, max_length=200)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('amount__gt', 0), ('payout__isnull', True), ('reversed_at__isnull', True)), fields=['seller', 'phone', 'id'], name='share_to_pay'), models.Index(fields=['phone'], name='share_by_phone'), models.Index(condition=models.Q(('withheld_why', ''), _negated=True), fields=['id'], name='share_withheld')],
                'constraints': [models.CheckConstraint(condition=models.Q(('sold_for', django.db.models.expressions.CombinedExpression(models.F('commission'), '+', models.F('amount')))), name='share_and_commission_are_the_price'), models.CheckConstraint(condition=models.Q(('commission_reduced__lte', models.F('commission')), ('reduced__lte', models.F('amount'))), name='share_is_reduced_by_no_more_than_it_is'), models.CheckConstraint(condition=models.Q(('carried__lte', models.F('amount'))), name='share_is_carried_by_no_more_than_it_is')],
            },
        ),
        migrations.CreateModel(
            name='LedgerPosting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(help_text='Like “receipt:12”.', max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('receipt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='payments.receipt')),
                ('refund', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='payments.refund')),
                ('payout', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='payments.payout')),
                ('share', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='payments.sellershare')),
                ('parcel', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='orders.parcel')),
            ],
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(choices=payments.models.ledger.account_choices, max_length=16)),
                ('side', models.CharField(choices=[('debit', 'Debit'), ('credit', 'Credit')], max_length=6)),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger_entries', to='orders.order')),
                ('posting', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='payments.ledgerposting')),
                ('seller', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger_entries', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 1)), name='ledger_entry_is_one_or_more'), models.CheckConstraint(condition=models.Q(('side__in', ['debit', 'credit'])), name='ledger_entry_is_debit_or_credit'), models.CheckConstraint(condition=models.Q(models.Q(('account', 'sellers_payable'), ('seller__isnull', False)), models.Q(models.Q(('account', 'sellers_payable'), _negated=True), ('seller__isnull', True)), _connector='OR'), name='ledger_says_which_seller_is_owed'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('account__endswith', '_clearing'), ('account', 'suspense'), _connector='OR'), ('order__isnull', True)), models.Q(('account__in', ['buyers_held', 'commission', 'delivery_fees', 'write_offs']), ('order__isnull', False)), ('account__in', ['sellers_payable', 'refunds_payable']), _connector='OR'), name='ledger_account_says_whether_of_an_order')],
                'indexes': [models.Index(condition=models.Q(('seller__isnull', False)), fields=['seller', 'id'], name='ledger_of_seller')],
                'verbose_name_plural': 'ledger entries',
            },
        ),
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('account', models.CharField(help_text="SHA-256 of the gateway's address and the consumer key.", max_length=64, primary_key=True, serialize=False)),
                ('token', models.TextField(blank=True, editable=False)),
                ('good_until', models.DateTimeField(null=True)),
                ('claimed_by', models.CharField(blank=True, max_length=32)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('failure_kind', models.CharField(blank=True, max_length=32)),
                ('failure_code', models.CharField(blank=True, max_length=64)),
                ('failure_message', models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='ReceiptEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('callback', "callback at the attempt's own address"), ('query', 'status query'), ('c2b', "M-Pesa's confirmation of a payment to the pay bill"), ('statement', "M-Pesa's statement"), ('bank', "a bank's notification"), ('staff', 'written down by a person'), ('status', 'transaction status query'), ('earlier', 'money of it left before it was kept who told of it')], max_length=9)),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('number', models.CharField(blank=True, max_length=40)),
                ('shortcode', models.CharField(blank=True, max_length=12)),
                ('told_at', models.DateTimeField(auto_now_add=True)),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='payments.receipt')),
                ('told_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'receipt evidence',
                'constraints': [models.UniqueConstraint(condition=models.Q(('told_by__isnull', True)), fields=('receipt', 'source', 'amount', 'number', 'shortcode'), name='evidence_is_kept_once'), models.UniqueConstraint(condition=models.Q(('told_by__isnull', False)), fields=('receipt', 'source', 'amount', 'number', 'shortcode', 'told_by'), name='evidence_of_a_person_is_kept_once')],
            },
        ),
        migrations.CreateModel(
            name='ReceiptQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(default=payments.models.order_payments.new_callback_token, editable=False, max_length=32, unique=True)),
                ('asked', models.PositiveSmallIntegerField(default=0)),
                ('next_check_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('receipt', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='question', to='payments.receipt')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='question_to_ask')],
            },
        ),
        migrations.CreateModel(
            name='RefundDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(unique=True)),
                ('sent', models.PositiveIntegerField(default=0, help_text='Whole Kenyan shillings.')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Original',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=24)),
                ('row', models.BigIntegerField(help_text='The key of the row.')),
                ('digest', models.CharField(blank=True, help_text='SHA-256.', max_length=64)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'row'), name='original_is_written_once')],
            },
        ),
        migrations.CreateModel(
            name='StrangersPosts',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.CharField(blank=True, help_text='Empty: all together.', max_length=64)),
                ('since', models.BigIntegerField(help_text='When the window began, seconds since 1970.')),
                ('messages', models.BigIntegerField()),
                ('bytes', models.BigIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('network', 'since'), name='posts_of_a_network_once')],
            },
        ),
        migrations.RunPython(guard, unguard),
    ]
