"""Roles of before it was asked who gave them: each stands in the audit from now on."""

from django.db import migrations


def record_roles(apps, schema_editor):
    User, Audit = apps.get_model("accounts", "User"), apps.get_model("accounts", "Audit")
    ContentType = apps.get_model("contenttypes", "ContentType")
    kind, _ = ContentType.objects.get_or_create(app_label="accounts", model="user")
    of_people = Audit.objects.filter(content_type=kind)
    for person in User.objects.filter(is_staff=True).prefetch_related("groups", "user_permissions"):
        held = {
            name: [[], sorted(str(each.name) for each in getattr(person, name).all())]
            for name in ("groups", "user_permissions")
            if getattr(person, name).all()
        }
        given = of_people.filter(object_id=str(person.pk))
        if held and not given.filter(changes__has_any_keys=list(held)).exists():
            Audit.objects.create(
                actor=person,
                did="Had this before it was asked who gave it",
                content_type=kind,
                object_id=str(person.pk),
                object_name=person.username,
                changes=held,
            )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_second_person"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(record_roles, migrations.RunPython.noop)]
