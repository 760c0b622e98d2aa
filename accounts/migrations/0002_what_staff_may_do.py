from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='user',
            options={'permissions': [('help_user', 'Can sign people out and take their avatars away'), ('export_rows', 'Can download lists as CSV')]},
        ),
    ]
