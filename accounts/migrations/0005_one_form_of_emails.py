"""E-mails that were stored before they had one form get it (accounts.validators).

One that somebody else has in its new form stays as it is: its owner signs in by user name.
"""

from django.db import migrations
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from accounts.validators import normalise_email


def give_one_form(apps, schema_editor):
    """Change the e-mails that are not in their form; walks all people once. Safe to repeat."""
    people = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    last = 0
    rows = people.exclude(email="").order_by("pk").values_list("pk", "email")
    while part := list(rows.filter(pk__gt=last)[:2000]):
        for pk, email in part:
            own = normalise_email(email)[:254]
            if own == email:
                continue
            same = people.filter(Exact(Lower("email"), own.lower())).exclude(pk=pk)
            if not same.exists():
                people.filter(pk=pk).update(email=own)
        last = part[-1][0]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_what_people_want_to_be_told")]

    operations = [migrations.RunPython(give_one_form, migrations.RunPython.noop)]
