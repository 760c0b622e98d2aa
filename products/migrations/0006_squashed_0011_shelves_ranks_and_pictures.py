"""What 0006 to 0011 make of the products' tables, made at once.

Here are products already where a database was left between 0005 and 0006: what is done to their
rows is done, and of reviews there are none.
"""

from importlib import import_module

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import products.models.pictures
import products.models.products
from django.conf import settings
from django.db import migrations, models

from omachemainproj.append_only import append_only

_texts = import_module("products.migrations.0008_one_form_of_texts")
_terms = import_module("products.migrations.0009_terms_and_digests")
_shelves = import_module("products.migrations.0011_shelves_ranks_and_pictures")


def fill(apps, schema_editor):
    """Do to the rows there are what each of the steps did, in their order."""
    _shelves.follow_again(apps, schema_editor)
    _texts.give_one_form(apps, schema_editor)
    _terms.keep_terms(apps, schema_editor)
    _shelves.count_shelves(apps, schema_editor)
    _shelves.follow_shelves(apps, schema_editor)
    _shelves.enter_pictures(apps, schema_editor)


def leave(apps, schema_editor):
    """Take the shelves' triggers down."""
    _shelves.leave_shelves(apps, schema_editor)


class Migration(migrations.Migration):

    replaces = [
        ('products', '0006_reviews'),
        ('products', '0007_unlisted'),
        ('products', '0008_one_form_of_texts'),
        ('products', '0009_terms_and_digests'),
        ('products', '0010_fair_front_page'),
        ('products', '0011_shelves_ranks_and_pictures'),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('orders', '0007_who_cancelled'),
        ('products', '0005_count_what_was_sold'),
    ]

    operations = [
        # Backwards, this is the last thing done.
        migrations.RunPython(_shelves.take_time, _shelves.follow_again),
        migrations.AddField(
            model_name='product',
            name='review_stars',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='review_count',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='crowding',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='sold_rank',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(sold__lt=100, then=models.F('sold')), models.When(sold__lt=1000, then=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('sold'), '/', models.Value(10)), '*', models.Value(10))), models.When(sold__lt=10000, then=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('sold'), '/', models.Value(100)), '*', models.Value(100))), models.When(sold__lt=100000, then=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('sold'), '/', models.Value(1000)), '*', models.Value(1000))), models.When(sold__lt=1000000, then=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('sold'), '/', models.Value(10000)), '*', models.Value(10000))), default=1000000, output_field=models.IntegerField()), output_field=models.IntegerField()),
        ),
        migrations.AddField(
            model_name='product',
            name='star_rank',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(review_count__gt=0, then=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('review_stars'), '*', models.Value(20)), '+', models.F('review_count')), '/', django.db.models.expressions.CombinedExpression(models.F('review_count'), '*', models.Value(2))), '*', models.Value(1000000)), '+', django.db.models.functions.comparison.Least(models.F('review_count'), 999999))), default=0, output_field=models.IntegerField()), output_field=models.IntegerField()),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('review_stars__gte', models.F('review_count')), ('review_stars__lte', django.db.models.expressions.CombinedExpression(models.F('review_count'), '*', models.Value(5)))), name='product_has_one_to_five_stars_a_review'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', False)), fields=['id'], name='product_unlisted'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True)), fields=['seller', 'price', 'id'], name='product_of_seller_price'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True)), fields=['seller', 'category', 'price', 'id'], name='product_seller_price'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(models.F('category'), products.models.products.Round(), products.models.products.Newest(), condition=models.Q(('listed', True), ('soldout', False)), name='product_front'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True), ('soldout', True)), fields=['category', 'price', 'id'], name='product_soldout_price'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True), ('soldout', False)), fields=['category', 'star_rank', 'id'], name='product_category_stars'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True), ('soldout', True)), fields=['category', 'star_rank', 'id'], name='product_soldout_stars'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True), ('soldout', False)), fields=['category', 'sold_rank', 'id'], name='product_category_best'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True), ('soldout', True)), fields=['category', 'sold_rank', 'id'], name='product_soldout_best'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True)), fields=['star_rank', 'id'], name='product_stars'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('listed', True)), fields=['sold_rank', 'id'], name='product_best'),
        ),
        migrations.AddIndex(
            model_name='stockmovement',
            index=models.Index(fields=['product', '-id'], name='stock_moved_newest'),
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stars', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)])),
                ('text', models.TextField(blank=True, max_length=2000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('edited_at', models.DateTimeField(editable=False, null=True)),
                ('answer', models.TextField(blank=True, max_length=2000)),
                ('answered_at', models.DateTimeField(editable=False, null=True)),
                ('hidden', models.BooleanField(default=False)),
                ('hidden_reason', models.CharField(blank=True, max_length=200)),
                ('buyer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to=settings.AUTH_USER_MODEL)),
                ('line', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='orders.ordertrack')),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='products.product')),
                ('seller', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('hide_review', 'Can hide reviews and show them again')],
                'indexes': [models.Index(condition=models.Q(('hidden', False)), fields=['product', '-id'], name='review_of_product_newest'), models.Index(condition=models.Q(('hidden', False)), fields=['seller', '-id'], name='review_of_seller_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('stars__gte', 1), ('stars__lte', 5)), name='review_has_one_to_five_stars'), models.CheckConstraint(condition=models.Q(models.Q(('hidden', False), ('hidden_reason', '')), models.Q(('hidden', True), ('hidden_reason__gt', '')), _connector='OR'), name='review_is_hidden_for_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at', None)), models.Q(('answer__gt', ''), ('answered_at__isnull', False)), _connector='OR'), name='review_answer_has_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('edited_at__isnull', True), ('edited_at__gte', models.F('created_at')), _connector='OR'), models.Q(('answered_at__isnull', True), ('answered_at__gte', models.F('created_at')), _connector='OR')), name='review_is_written_before_it_is_edited_or_answered')],
            },
        ),
        migrations.CreateModel(
            name='SellerRating',
            fields=[
                ('seller', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='rating', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('review_stars', models.PositiveIntegerField(default=0)),
                ('review_count', models.PositiveIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('review_stars__gte', models.F('review_count')), ('review_stars__lte', django.db.models.expressions.CombinedExpression(models.F('review_count'), '*', models.Value(5)))), name='seller_has_one_to_five_stars_a_review')],
            },
        ),
        migrations.CreateModel(
            name='ListingTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('price', models.PositiveIntegerField(help_text='Whole Kenyan shillings.')),
                ('payment_mpesa_number', models.CharField(max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='terms', to='products.product')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewDigest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='digests', to='products.review')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CategoryShelf',
            fields=[
                ('category', models.CharField(choices=[('electronics', 'Electronics'), ('furniture', 'Furniture'), ('fashions', 'Fashions'), ('computing', 'Computing'), ('gaming', 'Gaming'), ('kitchen', 'Kitchen'), ('phones', 'Phones'), ('sports', 'Sports')], max_length=12, primary_key=True, serialize=False)),
                ('for_sale', models.IntegerField(default=0)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ProductPicture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField(default=0)),
                ('image', models.ImageField(help_text='At most 1600 px a side, WebP.', upload_to=products.models.pictures.own_path)),
                ('medium', models.ImageField(blank=True, help_text='At most 800 px, WebP.', upload_to=products.models.pictures.own_path)),
                ('thumbnail', models.ImageField(blank=True, help_text='At most 400 px, WebP.', upload_to=products.models.pictures.own_path)),
                ('preview', models.ImageField(blank=True, help_text='At most 600 px, JPEG.', upload_to=products.models.pictures.own_path)),
                ('is_drawn', models.BooleanField(default=False)),
                ('sizes', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pictures', to='products.product')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('is_drawn', False)), fields=['id'], name='picture_undrawn')],
                'constraints': [models.UniqueConstraint(fields=('product', 'place'), name='product_has_a_picture_a_place'), models.CheckConstraint(condition=models.Q(('image__gt', '')), name='picture_has_a_file')],
            },
        ),
        migrations.CreateModel(
            name='SellerShelf',
            fields=[
                ('seller', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='shelf', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('for_sale', models.IntegerField(default=0)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ShelfMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(choices=[('electronics', 'Electronics'), ('furniture', 'Furniture'), ('fashions', 'Fashions'), ('computing', 'Computing'), ('gaming', 'Gaming'), ('kitchen', 'Kitchen'), ('phones', 'Phones'), ('sports', 'Sports')], max_length=12)),
                ('change', models.SmallIntegerField(help_text='1 or -1.')),
                ('seller', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RunPython(fill, leave),
        append_only(
            "products_listingterms", says="terms are only added to, never changed or deleted"
        ),
        append_only(
            "products_reviewdigest", says="digests are only added to, never changed or deleted"
        ),
        append_only(
            "products_stockmovement", says="stock is only moved on, never changed or deleted"
        ),
    ]
