"""Search, in the database's own way: what Django's models cannot say alike for both.

PostgreSQL keeps a tsvector beside each product and trigrams of each word; SQLite keeps two FTS5
tables, filled by triggers. Rebuilding a table drops its triggers in SQLite: a later migration that
alters Product or SearchWord has to run ``install`` again (the tests of search fail until it does).
"""

from django.db import migrations

#: PostgreSQL's parser reads "HDMI/VGA" as a path and "4.5kg" as a version; we mean words.
_WORDS = r"regexp_replace({column}, '[!-/:-@\[-`{{-~]+', ' ', 'g')"

POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "ALTER TABLE products_product ADD COLUMN search tsvector GENERATED ALWAYS AS ("
    f" setweight(to_tsvector('english', {_WORDS.format(column='name')}), 'A')"
    f" || to_tsvector('english', {_WORDS.format(column='description')})"
    ") STORED",
    # Without fastupdate a listing costs a little more and no search pays for a pending list.
    "CREATE INDEX product_search ON products_product USING gin (search) WITH (fastupdate = off)",
    "CREATE INDEX searchword_trigrams ON products_searchword USING gin (word gin_trgm_ops)",
    # Room on each page for the next versions of its rows: a hold rewrites a row, not the indexes.
    "ALTER TABLE products_product SET (fillfactor = 80)",
]
POSTGRESQL_BACK = [
    "ALTER TABLE products_product RESET (fillfactor)",
    "DROP INDEX searchword_trigrams",
    "ALTER TABLE products_product DROP COLUMN search",
]


def _follow(table, source, columns):
    """The triggers that keep an external-content FTS5 table equal to its source."""
    names = ", ".join(columns)
    new = ", ".join(f"new.{name}" for name in columns)
    old = ", ".join(f"old.{name}" for name in columns)
    add = f"INSERT INTO {table} (rowid, {names}) VALUES (new.id, {new});"
    drop = f"INSERT INTO {table} ({table}, rowid, {names}) VALUES ('delete', old.id, {old});"
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_added AFTER INSERT ON {source} BEGIN {add} END",
        f"CREATE TRIGGER IF NOT EXISTS {table}_gone AFTER DELETE ON {source} BEGIN {drop} END",
        f"CREATE TRIGGER IF NOT EXISTS {table}_changed AFTER UPDATE OF {names} ON {source}"
        f" BEGIN {drop} {add} END",
    ]


SQLITE = [
    "CREATE VIRTUAL TABLE IF NOT EXISTS products_search USING fts5("
    "name, description, content='products_product', content_rowid='id',"
    " tokenize='porter unicode61')",
    "CREATE VIRTUAL TABLE IF NOT EXISTS products_searchword_trigrams USING fts5("
    "word, content='products_searchword', content_rowid='id', tokenize='trigram')",
    *_follow("products_search", "products_product", ["name", "description"]),
    *_follow("products_searchword_trigrams", "products_searchword", ["word"]),
    "INSERT INTO products_search (products_search) VALUES ('rebuild')",
    "INSERT INTO products_searchword_trigrams (products_searchword_trigrams) VALUES ('rebuild')",
]
SQLITE_BACK = [
    *(
        f"DROP TRIGGER IF EXISTS {table}_{event}"
        for table in ("products_search", "products_searchword_trigrams")
        for event in ("added", "gone", "changed")
    ),
    "DROP TABLE IF EXISTS products_search",
    "DROP TABLE IF EXISTS products_searchword_trigrams",
]


def _run(schema_editor, postgresql, sqlite):
    vendor = schema_editor.connection.vendor
    for statement in postgresql if vendor == "postgresql" else sqlite:
        schema_editor.execute(statement, params=None)


def install(apps, schema_editor):
    """Build what search reads. Safe to repeat on SQLite."""
    _run(schema_editor, POSTGRESQL, SQLITE)


def remove(apps, schema_editor):
    """Take it down again."""
    _run(schema_editor, POSTGRESQL_BACK, SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [("products", "0002_lists_walk_an_index")]

    operations = [migrations.RunPython(install, remove)]
