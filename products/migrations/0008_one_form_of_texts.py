"""Texts that were stored before they had one form get it (omachemainproj.text).

A sku that another listing of its seller has in its new form stays as it is: the sheets find both.
Orders keep the names they were placed with.
"""

from django.db import migrations

from omachemainproj.text import clean_shown, fold_identifier, tidy_line
from products.catalogue.spelling import words_of


def give_one_form(apps, schema_editor):
    """Change the texts that are not in their form; walks all products once. Safe to repeat."""
    products = apps.get_model("products", "Product").objects.using(schema_editor.connection.alias)
    vocabulary = apps.get_model("products", "SearchWord")
    rows = products.values_list("pk", "seller", "name", "description", "sku")
    for pk, seller, name, description, sku in list_in_parts(rows):
        texts = {"name": tidy_line(name)[:100] or name, "description": clean_shown(description)}
        if sku is not None:
            own = fold_identifier(sku)[:40] or None
            others = products.filter(seller=seller, sku=own).exclude(pk=pk)
            texts["sku"] = sku if own is not None and own != sku and others.exists() else own
        before = {"name": name, "description": description, "sku": sku}
        changed = {column: text for column, text in texts.items() if before[column] != text}
        if changed:
            products.filter(pk=pk).update(**changed)
            words = [vocabulary(word=word) for word in words_of(texts["name"])]
            vocabulary.objects.using(products.db).bulk_create(words, ignore_conflicts=True)


def list_in_parts(rows, size=2000):
    """All rows by their ids, without holding a cursor open while others are written."""
    last = 0
    while part := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield from part
        last = part[-1][0]


class Migration(migrations.Migration):
    dependencies = [("products", "0007_unlisted")]

    operations = [migrations.RunPython(give_one_form, migrations.RunPython.noop)]
