"""The accounts' tables as 0001 to 0014 leave them, made at once: a new database starts here.

What those did to rows of before is left out: where this is applied there are none.
"""

from importlib import import_module

import accounts.models.users
import accounts.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

_audit = import_module("accounts.migrations.0003_audit_of_the_staff")


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('accounts', '0001_initial'),
        ('accounts', '0002_what_staff_may_do'),
        ('accounts', '0003_audit_of_the_staff'),
        ('accounts', '0004_what_people_want_to_be_told'),
        ('accounts', '0005_one_form_of_emails'),
        ('accounts', '0006_sessions_names_and_emails'),
        ('accounts', '0007_tries_and_second_factor'),
        ('accounts', '0008_who_may_be_reached'),
        ('accounts', '0009_second_person'),
        ('accounts', '0010_roles_of_before'),
        ('accounts', '0011_phones_and_addresses'),
        ('accounts', '0012_phone_of_their_own'),
        ('accounts', '0013_people_leave_and_sign_in_by_phone'),
        ('accounts', '0014_guests'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'This username is taken.'}, max_length=150, unique=True, validators=[accounts.validators.UsernameValidator()])),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('avatar', models.ImageField(blank=True, upload_to=accounts.models.users.avatar_path)),
                ('gender', models.CharField(blank=True, max_length=30)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('email_confirmed_at', models.DateTimeField(editable=False, null=True)),
                ('skeleton', accounts.models.users.SkeletonField(db_index=True, default='', editable=False, max_length=150)),
                ('second_factor_at', models.DateTimeField(editable=False, null=True, verbose_name='second factor since')),
                ('phone', models.CharField(blank=True, db_default='', default='', max_length=12)),
                ('phone_chosen', models.BooleanField(db_default=False, default=False, editable=False)),
                ('erased_at', models.DateTimeField(editable=False, null=True, verbose_name='deleted')),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('username'), name='username_is_unique_in_any_case', violation_error_message='This username is taken.'), models.UniqueConstraint(django.db.models.functions.text.Lower('email'), condition=models.Q(models.Q(('email', ''), _negated=True), ('email_confirmed_at__isnull', False)), name='confirmed_email_is_unique_in_any_case', violation_error_message='Somebody is registered with this e-mail address.'), models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), models.Q(('avatar', ''), ('email', ''), ('first_name', ''), ('gender', ''), ('is_active', False), ('is_staff', False), ('is_superuser', False), ('last_name', ''), ('phone', ''), ('username__startswith', '#')), _connector='OR'), name='erased_person_has_no_name_and_no_way_in')],
                'indexes': [models.Index(django.db.models.functions.text.Lower('email'), condition=models.Q(('email', ''), _negated=True), name='user_by_email'), models.Index(condition=models.Q(('erased_at__isnull', False)), fields=['erased_at'], name='user_erased')],
                'permissions': [('help_user', 'Can sign people out and take their avatars away'), ('export_rows', 'Can download lists as CSV'), ('export_phones', 'Can download them with phones in full')],
            },
        ),
        migrations.CreateModel(
            name='Audit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='when')),
                ('did', models.CharField(max_length=200, verbose_name='what')),
                ('why', models.CharField(blank=True, max_length=200)),
                ('object_id', models.CharField(blank=True, max_length=64)),
                ('object_name', models.CharField(max_length=200, verbose_name='row')),
                ('changes', models.JSONField(default=dict)),
                ('actor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deeds', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('content_type', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contenttypes.contenttype', verbose_name='kind')),
            ],
            options={
                'verbose_name': 'staff action',
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['actor', '-id'], name='audit_by_actor'), models.Index(fields=['content_type', 'object_id', '-id'], name='audit_by_row')],
            },
        ),
        migrations.CreateModel(
            name='MessagePreferences',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='message_preferences', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('language', models.CharField(choices=[('en', 'English'), ('sw', 'Kiswahili')], default='en', max_length=2)),
                ('buying_email', models.BooleanField(default=True)),
                ('buying_sms', models.BooleanField(default=True)),
                ('prompts_email', models.BooleanField(default=True)),
                ('prompts_sms', models.BooleanField(default=True)),
                ('selling_email', models.BooleanField(default=True)),
                ('selling_sms', models.BooleanField(default=True)),
            ],
            options={
                'verbose_name_plural': 'message preferences',
            },
        ),
        migrations.CreateModel(
            name='NameClaim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('skeleton', models.CharField(max_length=150, unique=True)),
                ('rests_until', models.DateTimeField(db_index=True, null=True)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='names', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('api', 'app or website'), ('admin', 'back office')], default='api', max_length=5)),
                ('started_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('address', models.GenericIPAddressField(null=True)),
                ('device', models.CharField(blank=True, max_length=60)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='log_ins', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-id'], name='session_by_person')],
            },
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
        migrations.CreateModel(
            name='ContactCount',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('used', models.PositiveIntegerField(default=0)),
                ('ends_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='PhoneProof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone', models.CharField(max_length=12)),
                ('paid_at', models.DateTimeField(null=True)),
                ('received_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='proven_phones', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'phone'), name='phone_is_proven_once_a_person'), models.CheckConstraint(condition=models.Q(('paid_at__isnull', False), ('received_at__isnull', False), _connector='OR'), name='phone_is_proven_by_something')],
            },
        ),
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(max_length=60)),
                ('label', models.CharField(max_length=200, verbose_name='what')),
                ('object_id', models.CharField(blank=True, max_length=64)),
                ('object_name', models.CharField(max_length=200, verbose_name='row')),
                ('given', models.JSONField(default=dict)),
                ('why', models.CharField(blank=True, max_length=200)),
                ('cost', models.PositiveIntegerField(help_text='Whole Kenyan shillings that leave, or may.')),
                ('proposed_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.CharField(choices=[('open', 'waits for a second person'), ('done', 'agreed to and done'), ('rejected', 'rejected')], default='open', max_length=8)),
                ('decided_at', models.DateTimeField(null=True)),
                ('content_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contenttypes.contenttype', verbose_name='kind')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to=settings.AUTH_USER_MODEL, verbose_name='proposed by')),
            ],
            options={
                'verbose_name': 'proposal',
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['content_type', 'object_id'], name='proposal_by_row'), models.Index(condition=models.Q(('state', 'open')), fields=['id'], name='proposal_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by', models.F('proposed_by')), _negated=True), name='nobody_decides_about_their_own_proposal'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'open')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ['done', 'rejected'])), _connector='OR'), name='proposal_is_open_or_somebody_decided'), models.UniqueConstraint(condition=models.Q(('state', 'open'), models.Q(('object_id', ''), _negated=True)), fields=('action', 'content_type', 'object_id'), name='the_same_is_proposed_once')],
            },
        ),
        migrations.CreateModel(
            name='StaffDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('at_risk', models.PositiveIntegerField(default=0)),
                ('moved', models.PositiveIntegerField(default=0)),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('person', 'day'), name='a_day_of_a_person_once')],
            },
        ),
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(blank=True, help_text='Like “home” or “shop”.', max_length=30)),
                ('recipient', models.CharField(help_text='Whose name is called out there.', max_length=100)),
                ('phone', models.CharField(help_text='12 digits: 2547… or 2541….', max_length=12)),
                ('county', models.CharField(choices=[('mombasa', 'Mombasa'), ('kwale', 'Kwale'), ('kilifi', 'Kilifi'), ('tana_river', 'Tana River'), ('lamu', 'Lamu'), ('taita_taveta', 'Taita–Taveta'), ('garissa', 'Garissa'), ('wajir', 'Wajir'), ('mandera', 'Mandera'), ('marsabit', 'Marsabit'), ('isiolo', 'Isiolo'), ('meru', 'Meru'), ('tharaka_nithi', 'Tharaka-Nithi'), ('embu', 'Embu'), ('kitui', 'Kitui'), ('machakos', 'Machakos'), ('makueni', 'Makueni'), ('nyandarua', 'Nyandarua'), ('nyeri', 'Nyeri'), ('kirinyaga', 'Kirinyaga'), ('muranga', 'Murang’a'), ('kiambu', 'Kiambu'), ('turkana', 'Turkana'), ('west_pokot', 'West Pokot'), ('samburu', 'Samburu'), ('trans_nzoia', 'Trans Nzoia'), ('uasin_gishu', 'Uasin Gishu'), ('elgeyo_marakwet', 'Elgeyo/Marakwet'), ('nandi', 'Nandi'), ('baringo', 'Baringo'), ('laikipia', 'Laikipia'), ('nakuru', 'Nakuru'), ('narok', 'Narok'), ('kajiado', 'Kajiado'), ('kericho', 'Kericho'), ('bomet', 'Bomet'), ('kakamega', 'Kakamega'), ('vihiga', 'Vihiga'), ('bungoma', 'Bungoma'), ('busia', 'Busia'), ('siaya', 'Siaya'), ('kisumu', 'Kisumu'), ('homa_bay', 'Homa Bay'), ('migori', 'Migori'), ('kisii', 'Kisii'), ('nyamira', 'Nyamira'), ('nairobi', 'Nairobi City')], max_length=15)),
                ('area', models.CharField(help_text='Town, estate or street.', max_length=100)),
                ('directions', models.CharField(blank=True, help_text='A landmark, or how to find it.', max_length=300)),
                ('is_default', models.BooleanField(default=False)),
                ('is_collection_place', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'addresses',
                'default_permissions': (),
                'indexes': [models.Index(fields=['user', 'id'], name='address_of_person')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('user',), name='person_has_one_default_address'), models.UniqueConstraint(condition=models.Q(('is_collection_place', True)), fields=('user',), name='person_has_one_collection_place'), models.CheckConstraint(condition=models.Q(('county__in', ['mombasa', 'kwale', 'kilifi', 'tana_river', 'lamu', 'taita_taveta', 'garissa', 'wajir', 'mandera', 'marsabit', 'isiolo', 'meru', 'tharaka_nithi', 'embu', 'kitui', 'machakos', 'makueni', 'nyandarua', 'nyeri', 'kirinyaga', 'muranga', 'kiambu', 'turkana', 'west_pokot', 'samburu', 'trans_nzoia', 'uasin_gishu', 'elgeyo_marakwet', 'nandi', 'baringo', 'laikipia', 'nakuru', 'narok', 'kajiado', 'kericho', 'bomet', 'kakamega', 'vihiga', 'bungoma', 'busia', 'siaya', 'kisumu', 'homa_bay', 'migori', 'kisii', 'nyamira', 'nairobi'])), name='address_is_in_a_county_there_is')],
            },
        ),
        migrations.CreateModel(
            name='PhoneCode',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('answer', models.CharField(max_length=64)),
                ('purpose', models.CharField(choices=[('login', 'Login'), ('link', 'Link'), ('own', 'Own')], max_length=5)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('tries__gte', 0), ('tries__lte', 5)), name='phone_code_has_few_tries')],
            },
        ),
        migrations.CreateModel(
            name='PhoneLogin',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='phone_login', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('phone', models.CharField(max_length=12, unique=True)),
                ('linked_at', models.DateTimeField()),
                ('proved_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Guest',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='guest', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('phone', models.CharField(max_length=12, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RunPython(_audit.guard, _audit.unguard),
    ]
