"""The orders' tables as 0001 to 0019 leave them, made at once: a new database starts here.

What those did to rows of before is left out: where this is applied there are none.
"""

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.utils.timezone
import orders.models.lines
import orders.models.orders
import uuid
from django.conf import settings
from django.db import migrations, models

from omachemainproj.append_only import append_only


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('orders', '0001_initial'),
        ('orders', '0002_the_way_of_a_line'),
        ('orders', '0003_each_line_its_own_code'),
        ('orders', '0004_lines_of_a_seller'),
        ('orders', '0005_what_people_are_told'),
        ('orders', '0006_paid_by_time'),
        ('orders', '0007_who_cancelled'),
        ('orders', '0008_what_unpaid_orders_hold'),
        ('orders', '0009_order_in_doubt'),
        ('orders', '0010_what_was_sent'),
        ('orders', '0011_what_was_agreed'),
        ('orders', '0012_where_goods_go'),
        ('orders', '0013_parcels_of_lines_and_their_fees'),
        ('orders', '0014_parcels_on_their_way'),
        ('orders', '0015_problems'),
        ('orders', '0016_lists_of_people'),
        ('orders', '0017_support_hears_of_problems'),
        ('orders', '0018_orders_of_guests'),
        ('orders', '0019_parcels_that_wait'),
    ]

    dependencies = [
        ('accounts', '0014_guests'),
        ('products', '0003_search'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_token', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('reference', models.CharField(default=orders.models.orders.new_reference, editable=False, max_length=12, unique=True)),
                ('mpesa_number', models.CharField(help_text='The phone that is asked to pay.', max_length=12)),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('payment_status', models.CharField(choices=[('requested', 'Requested'), ('paid', 'Paid'), ('cancelled', 'Cancelled'), ('expired', 'Expired'), ('refund_due', 'Refund Due'), ('refunded', 'Refunded')], default='requested', max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(help_text='Unpaid by then, its goods are free again.')),
                ('held_until', models.DateTimeField()),
                ('idempotency_key', models.CharField(editable=False, max_length=255, null=True)),
                ('fingerprint', models.CharField(blank=True, editable=False, max_length=64)),
                ('buyer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to=settings.AUTH_USER_MODEL)),
                ('cancelled_by', models.CharField(blank=True, choices=[('buyer', 'Buyer'), ('staff', 'Staff')], db_default='', default='', max_length=5)),
                ('firm_until', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('network', models.CharField(blank=True, db_default='', default='', editable=False, max_length=43)),
                ('yielded', models.BooleanField(db_default=False, default=False, editable=False)),
                ('in_doubt', models.BooleanField(db_default=False, default=False, editable=False)),
                ('guest', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('payment_status', 'requested')), fields=['expires_at'], name='order_unpaid_by_expiry'), models.Index(condition=models.Q(('payment_status', 'requested')), fields=['buyer'], name='order_unpaid_by_buyer'), models.Index(condition=models.Q(('payment_status', 'paid')), fields=['created_at', 'amount'], name='order_paid_by_time'), models.Index(condition=models.Q(('payment_status', 'requested'), models.Q(('network', ''), _negated=True)), fields=['network'], name='order_unpaid_by_network'), models.Index(condition=models.Q(('payment_status', 'paid')), fields=['buyer', 'created_at'], name='order_paid_by_buyer'), models.Index(fields=['mpesa_number', 'created_at'], name='order_of_phone'), models.Index(fields=['buyer', '-id'], name='order_of_buyer_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 1), ('amount__lte', 250000)), name='order_amount_is_what_mpesa_takes'), models.CheckConstraint(condition=models.Q(('payment_status__in', ['requested', 'paid', 'cancelled', 'expired', 'refund_due', 'refunded'])), name='order_status_is_one_there_is'), models.CheckConstraint(condition=models.Q(('expires_at__gte', models.F('created_at')), ('expires_at__lte', models.F('held_until'))), name='order_expires_after_it_is_placed_and_within_its_hold'), models.CheckConstraint(condition=models.Q(('cancelled_by', ''), models.Q(('cancelled_by', 'buyer'), ('payment_status__in', ['cancelled', 'refund_due', 'refunded'])), models.Q(('cancelled_by', 'staff'), ('payment_status__in', ['cancelled', 'refund_due', 'refunded', 'paid'])), _connector='OR'), name='order_that_somebody_cancelled_is_closed'), models.UniqueConstraint(condition=models.Q(('guest__isnull', True)), fields=('buyer', 'idempotency_key'), name='order_is_placed_once_per_key'), models.UniqueConstraint(condition=models.Q(('guest__isnull', False)), fields=('guest', 'idempotency_key'), name='guest_order_is_placed_once_per_key')],
            },
        ),
        migrations.CreateModel(
            name='OrderDigest',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='digest', serialize=False, to='orders.order')),
                ('sha256', models.CharField(max_length=64)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DeliveryRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('county', models.CharField(blank=True, choices=[('mombasa', 'Mombasa'), ('kwale', 'Kwale'), ('kilifi', 'Kilifi'), ('tana_river', 'Tana River'), ('lamu', 'Lamu'), ('taita_taveta', 'Taita–Taveta'), ('garissa', 'Garissa'), ('wajir', 'Wajir'), ('mandera', 'Mandera'), ('marsabit', 'Marsabit'), ('isiolo', 'Isiolo'), ('meru', 'Meru'), ('tharaka_nithi', 'Tharaka-Nithi'), ('embu', 'Embu'), ('kitui', 'Kitui'), ('machakos', 'Machakos'), ('makueni', 'Makueni'), ('nyandarua', 'Nyandarua'), ('nyeri', 'Nyeri'), ('kirinyaga', 'Kirinyaga'), ('muranga', 'Murang’a'), ('kiambu', 'Kiambu'), ('turkana', 'Turkana'), ('west_pokot', 'West Pokot'), ('samburu', 'Samburu'), ('trans_nzoia', 'Trans Nzoia'), ('uasin_gishu', 'Uasin Gishu'), ('elgeyo_marakwet', 'Elgeyo/Marakwet'), ('nandi', 'Nandi'), ('baringo', 'Baringo'), ('laikipia', 'Laikipia'), ('nakuru', 'Nakuru'), ('narok', 'Narok'), ('kajiado', 'Kajiado'), ('kericho', 'Kericho'), ('bomet', 'Bomet'), ('kakamega', 'Kakamega'), ('vihiga', 'Vihiga'), ('bungoma', 'Bungoma'), ('busia', 'Busia'), ('siaya', 'Siaya'), ('kisumu', 'Kisumu'), ('homa_bay', 'Homa Bay'), ('migori', 'Migori'), ('kisii', 'Kisii'), ('nyamira', 'Nyamira'), ('nairobi', 'Nairobi City')], default='', help_text='Empty: every county without a rate of its own.', max_length=15)),
                ('way', models.CharField(choices=[('home', 'to an address'), ('pickup', 'to a pick-up point')], max_length=6)),
                ('fee', models.PositiveIntegerField(help_text='Whole Kenyan shillings, for one parcel.', validators=[django.core.validators.MaxValueValidator(20000)])),
                ('days', models.PositiveSmallIntegerField(help_text='How many days it takes, at most.', validators=[django.core.validators.MaxValueValidator(60)])),
                ('free_above', models.PositiveIntegerField(blank=True, help_text='Whole Kenyan shillings: a parcel worth this or more costs nothing.', null=True, validators=[django.core.validators.MaxValueValidator(250000)])),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('county', 'way'), name='county_has_one_rate_per_way', violation_error_message='This county has a rate for this way already.'), models.CheckConstraint(condition=models.Q(('way__in', ['home', 'pickup'])), name='delivery_rate_is_for_a_way_there_is'), models.CheckConstraint(condition=models.Q(('county__in', ['', 'mombasa', 'kwale', 'kilifi', 'tana_river', 'lamu', 'taita_taveta', 'garissa', 'wajir', 'mandera', 'marsabit', 'isiolo', 'meru', 'tharaka_nithi', 'embu', 'kitui', 'machakos', 'makueni', 'nyandarua', 'nyeri', 'kirinyaga', 'muranga', 'kiambu', 'turkana', 'west_pokot', 'samburu', 'trans_nzoia', 'uasin_gishu', 'elgeyo_marakwet', 'nandi', 'baringo', 'laikipia', 'nakuru', 'narok', 'kajiado', 'kericho', 'bomet', 'kakamega', 'vihiga', 'bungoma', 'busia', 'siaya', 'kisumu', 'homa_bay', 'migori', 'kisii', 'nyamira', 'nairobi'])), name='delivery_rate_is_for_a_county_there_is')],
            },
        ),
        migrations.CreateModel(
            name='PickupPoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('county', models.CharField(choices=[('mombasa', 'Mombasa'), ('kwale', 'Kwale'), ('kilifi', 'Kilifi'), ('tana_river', 'Tana River'), ('lamu', 'Lamu'), ('taita_taveta', 'Taita–Taveta'), ('garissa', 'Garissa'), ('wajir', 'Wajir'), ('mandera', 'Mandera'), ('marsabit', 'Marsabit'), ('isiolo', 'Isiolo'), ('meru', 'Meru'), ('tharaka_nithi', 'Tharaka-Nithi'), ('embu', 'Embu'), ('kitui', 'Kitui'), ('machakos', 'Machakos'), ('makueni', 'Makueni'), ('nyandarua', 'Nyandarua'), ('nyeri', 'Nyeri'), ('kirinyaga', 'Kirinyaga'), ('muranga', 'Murang’a'), ('kiambu', 'Kiambu'), ('turkana', 'Turkana'), ('west_pokot', 'West Pokot'), ('samburu', 'Samburu'), ('trans_nzoia', 'Trans Nzoia'), ('uasin_gishu', 'Uasin Gishu'), ('elgeyo_marakwet', 'Elgeyo/Marakwet'), ('nandi', 'Nandi'), ('baringo', 'Baringo'), ('laikipia', 'Laikipia'), ('nakuru', 'Nakuru'), ('narok', 'Narok'), ('kajiado', 'Kajiado'), ('kericho', 'Kericho'), ('bomet', 'Bomet'), ('kakamega', 'Kakamega'), ('vihiga', 'Vihiga'), ('bungoma', 'Bungoma'), ('busia', 'Busia'), ('siaya', 'Siaya'), ('kisumu', 'Kisumu'), ('homa_bay', 'Homa Bay'), ('migori', 'Migori'), ('kisii', 'Kisii'), ('nyamira', 'Nyamira'), ('nairobi', 'Nairobi City')], max_length=15)),
                ('area', models.CharField(help_text='Town, estate or street.', max_length=100)),
                ('directions', models.CharField(blank=True, help_text='A landmark.', max_length=300)),
                ('opening_hours', models.CharField(help_text='Like “Mon–Sat 8:00–19:00”.', max_length=100)),
                ('phone', models.CharField(help_text='12 digits: 2547… or 2541….', max_length=12)),
                ('is_open', models.BooleanField(default=True, help_text='Whether new parcels may be sent to it.', verbose_name='open')),
                ('agents', models.ManyToManyField(blank=True, help_text='Who hands parcels over there.', related_name='pickup_points', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_open', True)), fields=['county', 'name'], name='pickup_point_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('county__in', ['mombasa', 'kwale', 'kilifi', 'tana_river', 'lamu', 'taita_taveta', 'garissa', 'wajir', 'mandera', 'marsabit', 'isiolo', 'meru', 'tharaka_nithi', 'embu', 'kitui', 'machakos', 'makueni', 'nyandarua', 'nyeri', 'kirinyaga', 'muranga', 'kiambu', 'turkana', 'west_pokot', 'samburu', 'trans_nzoia', 'uasin_gishu', 'elgeyo_marakwet', 'nandi', 'baringo', 'laikipia', 'nakuru', 'narok', 'kajiado', 'kericho', 'bomet', 'kakamega', 'vihiga', 'bungoma', 'busia', 'siaya', 'kisumu', 'homa_bay', 'migori', 'kisii', 'nyamira', 'nairobi'])), name='pickup_point_is_in_a_county_there_is')],
            },
        ),
        migrations.CreateModel(
            name='OrderDelivery',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='delivery', serialize=False, to='orders.order')),
                ('way', models.CharField(choices=[('home', 'to an address'), ('pickup', 'to a pick-up point')], max_length=6)),
                ('recipient', models.CharField(max_length=100)),
                ('phone', models.CharField(max_length=12)),
                ('county', models.CharField(choices=[('mombasa', 'Mombasa'), ('kwale', 'Kwale'), ('kilifi', 'Kilifi'), ('tana_river', 'Tana River'), ('lamu', 'Lamu'), ('taita_taveta', 'Taita–Taveta'), ('garissa', 'Garissa'), ('wajir', 'Wajir'), ('mandera', 'Mandera'), ('marsabit', 'Marsabit'), ('isiolo', 'Isiolo'), ('meru', 'Meru'), ('tharaka_nithi', 'Tharaka-Nithi'), ('embu', 'Embu'), ('kitui', 'Kitui'), ('machakos', 'Machakos'), ('makueni', 'Makueni'), ('nyandarua', 'Nyandarua'), ('nyeri', 'Nyeri'), ('kirinyaga', 'Kirinyaga'), ('muranga', 'Murang’a'), ('kiambu', 'Kiambu'), ('turkana', 'Turkana'), ('west_pokot', 'West Pokot'), ('samburu', 'Samburu'), ('trans_nzoia', 'Trans Nzoia'), ('uasin_gishu', 'Uasin Gishu'), ('elgeyo_marakwet', 'Elgeyo/Marakwet'), ('nandi', 'Nandi'), ('baringo', 'Baringo'), ('laikipia', 'Laikipia'), ('nakuru', 'Nakuru'), ('narok', 'Narok'), ('kajiado', 'Kajiado'), ('kericho', 'Kericho'), ('bomet', 'Bomet'), ('kakamega', 'Kakamega'), ('vihiga', 'Vihiga'), ('bungoma', 'Bungoma'), ('busia', 'Busia'), ('siaya', 'Siaya'), ('kisumu', 'Kisumu'), ('homa_bay', 'Homa Bay'), ('migori', 'Migori'), ('kisii', 'Kisii'), ('nyamira', 'Nyamira'), ('nairobi', 'Nairobi City')], max_length=15)),
                ('area', models.CharField(max_length=200)),
                ('directions', models.CharField(blank=True, max_length=300)),
                ('days', models.PositiveSmallIntegerField(help_text='The estimate at the sale.')),
                ('pickup_point', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='orders.pickuppoint')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('pickup_point__isnull', False), ('way', 'pickup')), models.Q(('pickup_point__isnull', True), ('way', 'home')), _connector='OR'), name='delivery_to_a_point_names_it'), models.CheckConstraint(condition=models.Q(('county__in', ['mombasa', 'kwale', 'kilifi', 'tana_river', 'lamu', 'taita_taveta', 'garissa', 'wajir', 'mandera', 'marsabit', 'isiolo', 'meru', 'tharaka_nithi', 'embu', 'kitui', 'machakos', 'makueni', 'nyandarua', 'nyeri', 'kirinyaga', 'muranga', 'kiambu', 'turkana', 'west_pokot', 'samburu', 'trans_nzoia', 'uasin_gishu', 'elgeyo_marakwet', 'nandi', 'baringo', 'laikipia', 'nakuru', 'narok', 'kajiado', 'kericho', 'bomet', 'kakamega', 'vihiga', 'bungoma', 'busia', 'siaya', 'kisumu', 'homa_bay', 'migori', 'kisii', 'nyamira', 'nairobi'])), name='delivery_is_to_a_county_there_is')],
            },
        ),
        migrations.CreateModel(
            name='Parcel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fee', models.PositiveIntegerField(help_text='Whole Kenyan shillings, as agreed.')),
                ('fee_state', models.CharField(choices=[('held', 'Held'), ('earned', 'Earned'), ('returned', 'Returned')], default='held', max_length=8)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('agent', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='parcels', to=settings.AUTH_USER_MODEL)),
                ('order', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parcels', to='orders.order')),
                ('seller', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parcels_sold', to=settings.AUTH_USER_MODEL)),
                ('arrived_at', models.DateTimeField(blank=True, null=True)),
                ('code_misses', models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
            ],
            options={
                'default_permissions': ('view',),
                'constraints': [models.UniqueConstraint(fields=('order', 'seller'), name='parcel_is_of_one_seller'), models.CheckConstraint(condition=models.Q(('fee_state__in', ['held', 'earned', 'returned'])), name='parcel_fee_state_is_one_there_is'), models.CheckConstraint(condition=models.Q(models.Q(('agent__isnull', True), ('claimed_at__isnull', True)), models.Q(('agent__isnull', False), ('claimed_at__isnull', False)), _connector='OR'), name='claimed_parcel_names_its_agent'), models.CheckConstraint(condition=models.Q(('code_misses__gte', 0), ('code_misses__lte', 5)), name='parcel_has_no_more_misses_than_are_allowed')],
                'indexes': [models.Index(fields=['agent', '-id'], name='parcel_of_agent_newest')],
            },
        ),
        migrations.CreateModel(
            name='OrderTrack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('number', models.PositiveIntegerField()),
                ('price', models.PositiveIntegerField(help_text='Whole Kenyan shillings, each.')),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings: number × price.')),
                ('payment_mpesa_number', models.CharField(help_text='Where the seller is paid.', max_length=12)),
                ('track_status', models.CharField(choices=[('created', 'Created'), ('paid', 'Paid'), ('fetched', 'Fetched'), ('shipping', 'Shipping'), ('delivered', 'Delivered'), ('cancelled', 'Cancelled'), ('refunded', 'Refunded')], default='created', max_length=9)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('buyer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tracks', to=settings.AUTH_USER_MODEL)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tracks', to='orders.order')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tracks', to='products.product')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sales', to=settings.AUTH_USER_MODEL)),
                ('code_misses', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('collection_code', models.CharField(default=orders.models.lines.new_collection_code, editable=False, max_length=6)),
                ('commission', models.PositiveIntegerField(default=0, help_text="The shop's part of the amount, KES, as it was when it was sold.")),
                ('returned', models.BooleanField(default=False, editable=False)),
                ('parcel', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='orders.parcel')),
                ('disputed', models.BooleanField(db_default=False, default=False, editable=False)),
                ('reduced', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['buyer', '-id'], name='track_of_buyer_newest'), models.Index(condition=models.Q(('track_status', 'shipping')), fields=['updated_at'], name='track_on_the_road'), models.Index(fields=['seller', '-id'], name='track_of_seller_newest'), models.Index(condition=models.Q(('track_status__in', ('paid', 'fetched', 'shipping'))), fields=['seller', '-id'], name='track_to_fulfil'), models.Index(condition=models.Q(('track_status__in', ('paid', 'fetched', 'shipping', 'delivered'))), fields=['seller', 'created_at'], name='track_sold_by_time')],
                'constraints': [models.UniqueConstraint(fields=('order', 'product'), name='order_lists_a_product_once'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='track_is_for_one_or_more'), models.CheckConstraint(condition=models.Q(('amount', django.db.models.expressions.CombinedExpression(models.F('number'), '*', models.F('price')))), name='track_amount_is_number_times_price'), models.CheckConstraint(condition=models.Q(('commission__lte', models.F('amount'))), name='commission_is_part_of_the_amount'), models.CheckConstraint(condition=models.Q(('returned', False), ('track_status__in', ['cancelled', 'refunded']), _connector='OR'), name='returned_track_is_cancelled_or_refunded'), models.CheckConstraint(condition=models.Q(('track_status__in', ['created', 'paid', 'fetched', 'shipping', 'delivered', 'cancelled', 'refunded'])), name='track_status_is_one_there_is'), models.CheckConstraint(condition=models.Q(('code_misses__gte', 0), ('code_misses__lte', 5)), name='track_has_no_more_misses_than_are_allowed'), models.CheckConstraint(condition=models.Q(('reduced', 0), ('reduced__lt', models.F('amount')), _connector='OR'), name='track_is_reduced_by_less_than_its_amount'), models.CheckConstraint(condition=models.Q(('disputed', False), ('track_status__in', ('paid', 'fetched', 'shipping', 'delivered')), _connector='OR'), name='disputed_track_is_sold')],
                'permissions': [('move_track', 'Can collect and deliver goods'), ('decide_lines', 'Can move and cancel any line, with a reason')],
            },
        ),
        migrations.CreateModel(
            name='TrackEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('track_status', models.CharField(choices=[('created', 'Created'), ('paid', 'Paid'), ('fetched', 'Fetched'), ('shipping', 'Shipping'), ('delivered', 'Delivered'), ('cancelled', 'Cancelled'), ('refunded', 'Refunded')], max_length=9)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='orders.ordertrack')),
                ('cause', models.CharField(blank=True, choices=[('paid', 'Paid'), ('cancelled', 'Cancelled'), ('cancelled_by_buyer', 'Cancelled By Buyer'), ('cancelled_by_staff', 'Cancelled By Staff'), ('expired', 'Expired'), ('refunded', 'Refunded')], db_default='', default='', max_length=18)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('track_status__in', ['created', 'paid', 'fetched', 'shipping', 'delivered', 'cancelled', 'refunded'])), name='step_is_to_a_status_there_is'), models.CheckConstraint(condition=models.Q(('cause__in', ['', 'paid', 'cancelled', 'cancelled_by_buyer', 'cancelled_by_staff', 'expired', 'refunded'])), name='step_has_a_cause_there_is')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='Like “paid:order:12”.', max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('paid', 'order paid'), ('prompt_failed', 'prompt failed'), ('shipped', 'on the way'), ('arrived', 'at the pick-up point'), ('waiting', 'still at the pick-up point'), ('uncollected', 'not collected'), ('delivered', 'delivered'), ('goes_back', 'money is going back'), ('refunded', 'money sent back'), ('sold', 'goods sold'), ('paid_out', 'seller paid'), ('problem', 'problem reported'), ('problem_reply', 'message about a problem'), ('problem_ended', 'problem decided'), ('problem_shop', 'problem told to support')], max_length=13)),
                ('phone', models.CharField(blank=True, max_length=12)),
                ('facts', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('composed_at', models.DateTimeField(null=True)),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='orders.order')),
                ('track', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='orders.ordertrack')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('composed_at__isnull', True)), fields=['id'], name='notice_to_compose')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('paid', 'order paid'), ('prompt_failed', 'prompt failed'), ('shipped', 'on the way'), ('arrived', 'at the pick-up point'), ('waiting', 'still at the pick-up point'), ('uncollected', 'not collected'), ('delivered', 'delivered'), ('goes_back', 'money is going back'), ('refunded', 'money sent back'), ('sold', 'goods sold'), ('paid_out', 'seller paid'), ('problem', 'problem reported'), ('problem_reply', 'message about a problem'), ('problem_ended', 'problem decided'), ('problem_shop', 'problem told to support')], max_length=13)),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS')], max_length=5)),
                ('language', models.CharField(max_length=2)),
                ('contact', models.CharField(help_text='An e-mail address, or 2547….', max_length=254)),
                ('subject', models.CharField(blank=True, max_length=100)),
                ('text', models.TextField()),
                ('state', models.CharField(choices=[('due', 'Due'), ('unknown', 'Unknown'), ('sent', 'Sent'), ('failed', 'Failed')], default='due', max_length=7)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('next_try_at', models.DateTimeField(null=True)),
                ('provider_id', models.CharField(blank=True, max_length=64)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('tried_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to=settings.AUTH_USER_MODEL)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='orders.notice')),
            ],
            options={
                'permissions': [('resend_message', 'Can have messages sent again')],
                'indexes': [models.Index(condition=models.Q(('next_try_at__isnull', False)), fields=['next_try_at'], name='message_to_send'), models.Index(fields=['contact'], name='message_by_contact'), models.Index(condition=models.Q(('state__in', ['unknown', 'failed'])), fields=['id'], name='message_for_a_person')],
                'constraints': [models.UniqueConstraint(fields=('notice', 'user', 'channel'), name='person_is_told_once_per_channel'), models.CheckConstraint(condition=models.Q(models.Q(('next_try_at__isnull', False), ('state', 'due')), models.Q(('next_try_at__isnull', True), ('state__in', ['unknown', 'sent', 'failed'])), _connector='OR'), name='message_has_a_next_try_while_it_is_due'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('provider_id', ''), _negated=True), ('sent_at__gte', models.F('tried_at')), ('sent_at__isnull', False), ('state', 'sent'), ('tried_at__isnull', False), ('tries__gte', 1)), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', True)), _connector='OR'), name='message_that_was_sent_says_when_and_under_which_id')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryDigest',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='delivery_digest', serialize=False, to='orders.order')),
                ('sha256', models.CharField(max_length=64)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='FeeReturn',
            fields=[
                ('parcel', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='fee_return', serialize=False, to='orders.parcel')),
                ('why', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ParcelEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('claimed', 'Claimed'), ('released', 'Released'), ('freed', 'Freed'), ('arrived', 'Arrived')], max_length=8)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parcel', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='orders.parcel')),
            ],
            options={
                'default_permissions': ('view',),
                'constraints': [models.CheckConstraint(condition=models.Q(('step__in', ['claimed', 'released', 'freed', 'arrived'])), name='parcel_step_is_one_there_is'), models.CheckConstraint(condition=models.Q(models.Q(('agent__isnull', True), ('step', 'arrived')), models.Q(models.Q(('step', 'arrived'), _negated=True), ('agent__isnull', False)), _connector='OR'), name='parcel_step_about_a_claim_names_its_agent')],
            },
        ),
        migrations.CreateModel(
            name='Problem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('not_received', 'not received'), ('damaged', 'damaged'), ('wrong_goods', 'wrong goods'), ('not_as_described', 'not as described')], max_length=16)),
                ('state', models.CharField(choices=[('open', 'Open'), ('returning', 'Returning'), ('closed', 'Closed')], default='open', max_length=9)),
                ('outcome', models.CharField(blank=True, choices=[('refunded', 'refunded whole'), ('reduced', 'a part was refunded'), ('returned', 'the goods came back and were refunded'), ('dismissed', 'closed without a refund'), ('withdrawn', 'withdrawn by the buyer'), ('cancelled', 'the line was cancelled otherwise')], default='', max_length=9)),
                ('ended_by', models.CharField(blank=True, choices=[('buyer', 'Buyer'), ('seller', 'Seller'), ('shop', 'Shop')], default='', max_length=6)),
                ('refunded', models.PositiveIntegerField(default=0, help_text='Whole Kenyan shillings that go back to the buyer by it.')),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('waiting_since', models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ('buyer_told_at', models.DateTimeField(null=True)),
                ('seller_told_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='problems', to=settings.AUTH_USER_MODEL)),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='problems', to='orders.ordertrack')),
            ],
            options={
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['seller', '-id'], name='problem_of_seller_newest'), models.Index(condition=models.Q(('state', 'closed'), _negated=True), fields=['waiting_since'], name='problem_undecided')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'closed'), _negated=True), fields=('track',), name='line_has_one_undecided_problem'), models.CheckConstraint(condition=models.Q(('kind__in', ['not_received', 'damaged', 'wrong_goods', 'not_as_described'])), name='problem_is_of_a_kind_there_is'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('decided_by__isnull', True), ('ended_by', ''), ('outcome', ''), ('refunded', 0), ('state__in', ['open', 'returning'])), models.Q(('closed_at__isnull', False), ('outcome__in', ('refunded', 'reduced', 'returned', 'cancelled')), ('refunded__gte', 1), ('state', 'closed')), models.Q(('closed_at__isnull', False), ('outcome__in', ['dismissed', 'withdrawn']), ('refunded', 0), ('state', 'closed')), _connector='OR'), name='problem_is_undecided_or_has_ended_somehow'), models.CheckConstraint(condition=models.Q(models.Q(('ended_by', ''), ('outcome__in', ['', 'cancelled'])), models.Q(('decided_by__isnull', False), ('ended_by__in', ['seller', 'shop']), ('outcome__in', ['refunded', 'reduced', 'returned'])), models.Q(('decided_by__isnull', False), ('ended_by', 'shop'), ('outcome', 'dismissed')), models.Q(('decided_by__isnull', False), ('ended_by', 'buyer'), ('outcome', 'withdrawn')), _connector='OR'), name='problem_was_ended_by_somebody_who_may')],
            },
        ),
        migrations.CreateModel(
            name='PriceReduction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('commission', models.PositiveIntegerField(help_text="The shop's part of it.")),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reductions', to='orders.ordertrack')),
                ('problem', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='reduction', to='orders.problem')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 1), ('commission__lte', models.F('amount'))), name='reduction_is_one_or_more_and_the_shops_part_is_part_of_it')],
            },
        ),
        migrations.CreateModel(
            name='ProblemMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('party', models.CharField(choices=[('buyer', 'Buyer'), ('seller', 'Seller'), ('shop', 'Shop')], max_length=6)),
                ('decided', models.CharField(blank=True, choices=[('refunded', 'refunded whole'), ('reduced', 'a part was refunded'), ('returned', 'the goods came back and were refunded'), ('dismissed', 'closed without a refund'), ('withdrawn', 'withdrawn by the buyer'), ('cancelled', 'the line was cancelled otherwise'), ('returning', 'the goods come back first')], default='', max_length=9)),
                ('text', models.CharField(blank=True, max_length=2000)),
                ('idempotency_key', models.CharField(editable=False, max_length=255, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('problem', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='orders.problem')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('problem', 'author', 'idempotency_key'), name='problem_message_is_written_once_per_key'), models.CheckConstraint(condition=models.Q(('party__in', ['buyer', 'seller', 'shop'])), name='problem_message_is_of_a_party'), models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), models.Q(('decided', ''), _negated=True), _connector='OR'), name='problem_message_says_something')],
            },
        ),
        migrations.CreateModel(
            name='ProblemPicture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('image', models.BinaryField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pictures', to='orders.problemmessage')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='InboxNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('paid', 'order paid'), ('prompt_failed', 'prompt failed'), ('shipped', 'on the way'), ('arrived', 'at the pick-up point'), ('waiting', 'still at the pick-up point'), ('uncollected', 'not collected'), ('delivered', 'delivered'), ('goes_back', 'money is going back'), ('refunded', 'money sent back'), ('sold', 'goods sold'), ('paid_out', 'seller paid'), ('problem', 'problem reported'), ('problem_reply', 'message about a problem'), ('problem_ended', 'problem decided')], max_length=13)),
                ('said', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='in_app', to='orders.notice')),
                ('order', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                ('track', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.ordertrack')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='inbox', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['user', '-id'], name='inbox_newest'), models.Index(condition=models.Q(('read_at__isnull', True)), fields=['user'], name='inbox_unread')],
                'constraints': [models.UniqueConstraint(fields=('notice', 'user'), name='person_finds_it_once')],
            },
        ),
        migrations.CreateModel(
            name='JoinedOrder',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='joined', serialize=False, to='orders.order')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        append_only(
            "orders_orderdigest", says="what was agreed is only added to, never changed or deleted"
        ),
        append_only(
            "orders_trackevent", says="the steps of a line are only added to, never changed or deleted"
        ),
        append_only(
            "orders_deliverydigest",
            says="what was agreed is only added to, never changed or deleted",
        ),
        append_only(
            "orders_feereturn", says="fees given back are only added to, never changed or deleted"
        ),
        append_only(
            "orders_parcelevent",
            says="the steps of a parcel are only added to, never changed or deleted",
        ),
        append_only(
            "orders_problemmessage",
            says="what is said about a problem is only added to, never changed or deleted",
        ),
        append_only(
            "orders_pricereduction",
            says="reductions of prices are only added to, never changed or deleted",
        ),
        append_only(
            "orders_joinedorder", says="whose a guests orders became is only added to"
        ),
    ]
