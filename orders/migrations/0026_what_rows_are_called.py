"""What rows are called in the admin: options alone, nothing in the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0025_who_receives_them"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="feereturn",
            options={
                "default_permissions": (),
                "verbose_name": "fee that was given back",
                "verbose_name_plural": "fees that were given back",
            },
        ),
        migrations.AlterModelOptions(
            name="inboxnotice",
            options={
                "default_permissions": (),
                "verbose_name": "notice in the app",
                "verbose_name_plural": "notices in the app",
            },
        ),
        migrations.AlterModelOptions(
            name="message",
            options={
                "permissions": [("resend_message", "Can have messages sent again")],
                "verbose_name": "message to a person",
                "verbose_name_plural": "messages to people",
            },
        ),
        migrations.AlterModelOptions(
            name="orderdelivery",
            options={
                "default_permissions": (),
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.AlterModelOptions(
            name="ordertrack",
            options={
                "permissions": [
                    ("move_track", "Can collect and deliver goods"),
                    ("decide_lines", "Can move and cancel any line, with a reason"),
                ],
                "verbose_name": "order line",
            },
        ),
        migrations.AlterModelOptions(
            name="parcelevent",
            options={
                "default_permissions": ("view",),
                "verbose_name": "step of a parcel",
                "verbose_name_plural": "steps of parcels",
            },
        ),
        migrations.AlterModelOptions(
            name="pickuppoint",
            options={"verbose_name": "pick-up point"},
        ),
        migrations.AlterModelOptions(
            name="problem",
            options={
                "default_permissions": ("view",),
                "verbose_name": "problem with goods",
                "verbose_name_plural": "problems with goods",
            },
        ),
        migrations.AlterModelOptions(
            name="problemmessage",
            options={
                "default_permissions": (),
                "verbose_name": "message about a problem",
                "verbose_name_plural": "messages about problems",
            },
        ),
        migrations.AlterModelOptions(
            name="problempicture",
            options={
                "default_permissions": (),
                "verbose_name": "picture of a problem",
                "verbose_name_plural": "pictures of problems",
            },
        ),
        migrations.AlterModelOptions(
            name="smsreport",
            options={
                "default_permissions": (),
                "verbose_name": "report of an SMS",
                "verbose_name_plural": "reports of SMS",
            },
        ),
        migrations.AlterModelOptions(
            name="trackevent",
            options={
                "verbose_name": "step of an order line",
                "verbose_name_plural": "steps of order lines",
            },
        ),
    ]
