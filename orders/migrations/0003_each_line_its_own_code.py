from django.db import migrations

import orders.models


def give_each_line_its_own_code(apps, schema_editor):
    # A column is added with one value for every row there is.
    lines = apps.get_model("orders", "OrderTrack").objects.using(schema_editor.connection.alias)
    for line in lines.only("pk").order_by("pk").iterator(chunk_size=1000):
        line.collection_code = orders.models.new_collection_code()
        line.save(update_fields=["collection_code"])


class Migration(migrations.Migration):

    dependencies = [("orders", "0002_the_way_of_a_line")]

    operations = [
        migrations.RunPython(
            give_each_line_its_own_code, migrations.RunPython.noop, elidable=True
        ),
    ]
