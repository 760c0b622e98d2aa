"""An index of those names that have a stop word in them, on PostgreSQL: "can", "The Who".

The index of all words leaves stop words out (docs/search.md). Built beside whoever writes.
"""

from django.db import migrations

_POSTGRESQL = r"""
CREATE INDEX CONCURRENTLY IF NOT EXISTS product_stop_words ON products_product USING gin (
to_tsvector('simple', regexp_replace(name, '[!-/:-@\[-`{-~]+', ' ', 'g'))
) WITH (fastupdate = off) WHERE name ~* '\m(STOP_WORDS)s?\M'
"""
_STOP_WORDS = (
    "a|about|above|after|again|against|all|am|an|and|any|are|as|at|be|because|"
    "been|before|being|below|between|both|but|by|can|did|do|does|doing|don|"
    "down|during|each|few|for|from|further|had|has|have|having|he|her|here|"
    "hers|herself|him|himself|his|how|i|if|in|into|is|it|its|itself|just|me|"
    "more|most|my|myself|no|nor|not|now|of|off|on|once|only|or|other|our|"
    "ours|ourselves|out|over|own|s|same|she|should|so|some|such|t|than|that|"
    "the|their|theirs|them|themselves|then|there|these|they|this|those|through|"
    "to|too|under|until|up|very|was|we|were|what|when|where|which|while|who|"
    "whom|why|will|with|you|your|yours|yourself|yourselves"
)


def install(apps, schema_editor):
    """SQLite's search has every word."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_POSTGRESQL.replace("STOP_WORDS", _STOP_WORDS))


def remove(apps, schema_editor):
    """Take it down again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS product_stop_words")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("products", "0014_what_rows_are_called")]

    operations = [migrations.RunPython(install, remove)]
