"""The count of wrong passwords and codes, in the place of django-axes' own, and second factors."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop_what_axes_kept(apps, schema_editor):
    """Names and addresses of those who failed to sign in: nothing reads them any more."""
    names = ("accessattemptexpiration", "accessattempt", "accessfailurelog", "accesslog")
    for name in names:
        schema_editor.execute(f"DROP TABLE IF EXISTS axes_{name}")


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_sessions_names_and_emails'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='second_factor_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='second factor since'),
        ),
        migrations.CreateModel(
            name='PasswordTries',
            fields=[
                ('key', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('at', models.DateTimeField(db_index=True)),
                ('until', models.DateTimeField(null=True)),
                ('proved_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='password_tries', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'password tries',
                'default_permissions': (),
            },
        ),
        migrations.RunPython(drop_what_axes_kept, migrations.RunPython.noop, elidable=True),
    ]
