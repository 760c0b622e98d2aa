"""One more index of words on PostgreSQL, which knows how old a product is.

It finds what matches among the latest products without collecting everything that matches
(docs/search.md). Of a million products it is built in twenty seconds.
"""

from django.db import migrations

_POSTGRESQL = (
    "CREATE INDEX product_search_dated ON products_product USING gin ("
    "(search || array_to_tsvector(ARRAY['~13.' || (id >> 13), '~16.' || (id >> 16)]))"
    ") WITH (fastupdate = off)"
)


def install(apps, schema_editor):
    """SQLite's search tables are in the order of their rows already."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL statement_timeout = 0")
        schema_editor.execute(_POSTGRESQL)


def remove(apps, schema_editor):
    """Take it down again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX product_search_dated")


class Migration(migrations.Migration):
    dependencies = [("products", "0011_shelves_ranks_and_pictures")]

    operations = [migrations.RunPython(install, remove)]
