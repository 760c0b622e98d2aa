"""The products' tables as 0001 to 0005 leave them, made at once: a new database starts here.

What those did to rows of before is left out: where this is applied there are none. Reviews are of
lines of orders, which are of products: the rest is in 0006_squashed_0011.
"""

from importlib import import_module

import django.core.validators
import django.db.models.deletion
import products.models.products
from django.conf import settings
from django.db import migrations, models

_search = import_module("products.migrations.0003_search")


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('products', '0001_initial'),
        ('products', '0002_lists_walk_an_index'),
        ('products', '0003_search'),
        ('products', '0004_sellers_tools'),
        ('products', '0005_count_what_was_sold'),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('word', models.CharField(max_length=40, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('image', models.ImageField(blank=True, upload_to=products.models.products.picture_path)),
                ('thumbnail', models.ImageField(blank=True, editable=False, upload_to=products.models.products.picture_path)),
                ('description', models.TextField(blank=True, max_length=5000)),
                ('category', models.CharField(choices=[('electronics', 'Electronics'), ('furniture', 'Furniture'), ('fashions', 'Fashions'), ('computing', 'Computing'), ('gaming', 'Gaming'), ('kitchen', 'Kitchen'), ('phones', 'Phones'), ('sports', 'Sports')], max_length=12)),
                ('price', models.PositiveIntegerField(help_text='Whole Kenyan shillings.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(150000)])),
                ('item_number', models.PositiveIntegerField(help_text='On the shelf.', validators=[django.core.validators.MaxValueValidator(100000)])),
                ('held', models.PositiveIntegerField(default=0, editable=False, help_text='Promised to orders that are not paid yet.')),
                ('soldout', models.GeneratedField(db_persist=True, expression=models.Q(('item_number__lte', models.F('held'))), output_field=models.BooleanField())),
                ('payment_mpesa_number', models.CharField(help_text='Where the seller is paid: 2547… or 2541…, 12 digits.', max_length=12)),
                ('listed', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='products', to=settings.AUTH_USER_MODEL)),
                ('sku', models.CharField(blank=True, help_text="The seller's own code for it.", max_length=40, null=True)),
                ('sold', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='Left the shelf for paid orders.')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('listed', True), ('soldout', False)), fields=['category', 'price', 'id'], name='product_category_price'), models.Index(condition=models.Q(('listed', True)), fields=['price', 'id'], name='product_price'), models.Index(models.F('category'), products.models.products.Newest(), condition=models.Q(('listed', True), ('soldout', False)), name='product_category_newest'), models.Index(models.F('category'), products.models.products.Newest(), condition=models.Q(('listed', True), ('soldout', True)), name='product_category_soldout'), models.Index(models.F('seller'), models.F('category'), products.models.products.Newest(), name='product_seller_newest'), models.Index(models.F('seller'), products.models.products.Newest(), name='product_of_seller_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('held__lte', models.F('item_number'))), name='product_holds_no_more_than_it_has'), models.CheckConstraint(condition=models.Q(('held__gte', 0)), name='product_held_is_not_negative'), models.CheckConstraint(condition=models.Q(('price__gte', 1)), name='product_costs_a_shilling_or_more'), models.UniqueConstraint(fields=('seller', 'sku'), name='seller_has_a_sku_once')],
            },
        ),
        migrations.CreateModel(
            name='StockMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.IntegerField(help_text='Negative when stock leaves the shelf.')),
                ('reference', models.CharField(help_text='Like “listed” or “order:4711”.', max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='products.product')),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('note', models.CharField(blank=True, db_default='', default='', max_length=200)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('actor__isnull', False)), fields=['actor'], name='stock_moved_by')],
                'constraints': [models.UniqueConstraint(fields=('product', 'reference'), name='stock_moves_once_per_reference'), models.CheckConstraint(condition=models.Q(('quantity', 0), _negated=True), name='stock_movement_is_not_zero')],
            },
        ),
        migrations.RunPython(_search.install, _search.remove),
    ]
