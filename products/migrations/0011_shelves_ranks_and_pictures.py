"""What can be bought of each category and seller, ranks to order by, and more pictures than one.

On SQLite a new column rebuilds the products' table, which drops the triggers that search lives by;
a later migration that does so has to end with ``follow_again`` and ``follow_shelves`` again.
"""

from importlib import import_module

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import products.models.pictures
from django.conf import settings
from django.db import migrations, models


_SEARCH = import_module("products.migrations.0003_search").SQLITE
_MOVE = "INSERT INTO products_shelfmove (category, seller_id, change) VALUES"
_WAS, _IS = "(OLD.listed AND NOT OLD.soldout)", "(NEW.listed AND NOT NEW.soldout)"
#: What a move tells of a product that was and is for sale.
_ELSEWHERE = "(OLD.category <> NEW.category OR OLD.seller_id <> NEW.seller_id)"

_POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION products_shelf_follows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND {_WAS} THEN
            {_MOVE} (OLD.category, OLD.seller_id, -1);
        END IF;
        IF {_IS} THEN
            {_MOVE} (NEW.category, NEW.seller_id, 1);
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER products_shelf_added AFTER INSERT ON products_product FOR EACH ROW"
    f" WHEN {_IS} EXECUTE FUNCTION products_shelf_follows()",
    # Asked of each row before anything is called: a hold that sells nothing out calls nothing.
    "CREATE TRIGGER products_shelf_changed AFTER UPDATE ON products_product FOR EACH ROW"
    f" WHEN ({_WAS} <> {_IS} OR {_IS} AND {_ELSEWHERE})"
    " EXECUTE FUNCTION products_shelf_follows()",
]
_POSTGRESQL_BACK = [
    "DROP TRIGGER IF EXISTS products_shelf_added ON products_product",
    "DROP TRIGGER IF EXISTS products_shelf_changed ON products_product",
    "DROP FUNCTION IF EXISTS products_shelf_follows()",
]
_SQLITE = [
    "CREATE TRIGGER IF NOT EXISTS products_shelf_added AFTER INSERT ON products_product"
    f" WHEN {_IS} BEGIN {_MOVE} (NEW.category, NEW.seller_id, 1); END",
    "CREATE TRIGGER IF NOT EXISTS products_shelf_left AFTER UPDATE ON products_product"
    f" WHEN {_WAS} AND (NOT {_IS} OR {_ELSEWHERE})"
    f" BEGIN {_MOVE} (OLD.category, OLD.seller_id, -1); END",
    "CREATE TRIGGER IF NOT EXISTS products_shelf_joined AFTER UPDATE ON products_product"
    f" WHEN {_IS} AND (NOT {_WAS} OR {_ELSEWHERE})"
    f" BEGIN {_MOVE} (NEW.category, NEW.seller_id, 1); END",
]
_SQLITE_BACK = [
    f"DROP TRIGGER IF EXISTS products_shelf_{name}" for name in ("added", "left", "joined")
]


def take_time(apps, schema_editor):
    """A million products are rewritten in more than a request's five seconds."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL statement_timeout = 0", params=None)


def follow_again(apps, schema_editor):
    """Let search follow the products again. Safe to repeat."""
    if schema_editor.connection.vendor == "sqlite":
        _run(schema_editor, _SEARCH)


def follow_shelves(apps, schema_editor):
    """Let the database write down what begins or ceases to be for sale. Safe to repeat."""
    if schema_editor.connection.vendor == "sqlite":
        _run(schema_editor, _SQLITE)
    else:
        _run(schema_editor, [*_POSTGRESQL_BACK[:2], *_POSTGRESQL])


def leave_shelves(apps, schema_editor):
    """Take the triggers down."""
    vendor = schema_editor.connection.vendor
    _run(schema_editor, _SQLITE_BACK if vendor == "sqlite" else _POSTGRESQL_BACK)


def count_shelves(apps, schema_editor):
    """Count what can be bought once; from here on the triggers tell."""
    for table, column in (("category", "category"), ("seller", "seller_id")):
        schema_editor.execute(
            f"INSERT INTO products_{table}shelf ({column}, for_sale) SELECT {column}, count(*)"
            f" FROM products_product WHERE listed AND NOT soldout GROUP BY {column}",
            params=None,
        )


def enter_pictures(apps, schema_editor):
    """Each picture there is as its product's first; the clock draws its other sizes."""
    schema_editor.execute(
        "INSERT INTO products_productpicture"
        " (product_id, place, image, medium, thumbnail, preview, is_drawn, sizes, created_at)"
        " SELECT id, 0, image, '', thumbnail, '', false, '{}', created_at FROM products_product"
        " WHERE image <> ''",
        params=None,
    )


def _run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0010_fair_front_page'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Backwards, this is the last thing done.
        migrations.RunPython(take_time, follow_again),
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
            ],
            options={
                'default_permissions': (),
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
            ],
            options={
                'default_permissions': (),
            },
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
            model_name='review',
            index=models.Index(condition=models.Q(('hidden', False)), fields=['seller', '-id'], name='review_of_seller_newest'),
        ),
        migrations.AddIndex(
            model_name='stockmovement',
            index=models.Index(fields=['product', '-id'], name='stock_moved_newest'),
        ),
        migrations.AddField(
            model_name='productpicture',
            name='product',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pictures', to='products.product'),
        ),
        migrations.AddField(
            model_name='shelfmove',
            name='seller',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='productpicture',
            index=models.Index(condition=models.Q(('is_drawn', False)), fields=['id'], name='picture_undrawn'),
        ),
        migrations.AddConstraint(
            model_name='productpicture',
            constraint=models.UniqueConstraint(fields=('product', 'place'), name='product_has_a_picture_a_place'),
        ),
        migrations.AddConstraint(
            model_name='productpicture',
            constraint=models.CheckConstraint(condition=models.Q(('image__gt', '')), name='picture_has_a_file'),
        ),
        migrations.RunPython(follow_again, migrations.RunPython.noop),
        migrations.RunPython(count_shelves, migrations.RunPython.noop),
        migrations.RunPython(follow_shelves, leave_shelves),
        migrations.RunPython(enter_pictures, migrations.RunPython.noop),
    ]
