"""The tables of the staff app as 0001 to 0008 leave them.

An empty database runs this migration alone. One that ran the eight has it marked as applied; one
that ran some of them runs the rest. Sealing an older trail (0006) needs events: none are here.
Once every database has run this version, the eight can go, and ``replaces`` with them.
"""

import django.contrib.auth.validators
import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import staff.models.user
from staff.append_only import append_only, no_truncate, only_forward


class Migration(migrations.Migration):

    replaces = [
        ('staff', '0001_initial'),
        ('staff', '0002_trail_append_only'),
        ('staff', '0003_site_sms_sender'),
        ('staff', '0004_four_languages'),
        ('staff', '0005_trail_actions'),
        ('staff', '0006_trail_is_signed'),
        ('staff', '0007_sign_in_tries'),
        ('staff', '0008_account_changes_append_only'),
    ]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('language', models.CharField(choices=[('fr', 'Français'), ('nl', 'Nederlands'), ('de', 'Deutsch'), ('en', 'English')], default='fr', max_length=2, verbose_name='langue')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('devices_version', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
            ],
            options={
                'verbose_name': 'utilisateur',
                'verbose_name_plural': 'utilisateurs',
                'abstract': False,
            },
            managers=[
                ('objects', staff.models.user.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField(default=0)),
                ('hash', models.CharField(default='0000000000000000000000000000000000000000000000000000000000000000', max_length=64)),
                ('signature', models.CharField(blank=True, db_default='', default='', max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='audit_head_single')],
            },
        ),
        migrations.CreateModel(
            name='Practitioner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, unique=True, verbose_name='code')),
                ('family_name', models.CharField(max_length=80, verbose_name='nom')),
                ('given_name', models.CharField(blank=True, max_length=80, verbose_name='prénom')),
                ('prefix', models.CharField(blank=True, default='Dr', max_length=20, verbose_name='titre')),
                ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='practitioner', to=settings.AUTH_USER_MODEL, verbose_name='compte')),
            ],
            options={
                'verbose_name': 'praticien',
                'verbose_name_plural': 'praticiens',
                'ordering': ['family_name', 'given_name'],
            },
        ),
        migrations.CreateModel(
            name='Site',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=40, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=80, verbose_name='nom')),
                ('callback_number', models.CharField(help_text='Figure dans chaque SMS. Format international, par exemple +3263000000.', max_length=20, verbose_name='numéro de rappel')),
                ('sms_sender', models.CharField(blank=True, help_text='Ce que le téléphone montre : 11 lettres et chiffres au plus, ou un numéro international. Vide : celui de la passerelle. Les opérateurs belges le remplacent souvent par un numéro à eux.', max_length=16, verbose_name='expéditeur des SMS')),
            ],
            options={
                'verbose_name': 'site',
                'verbose_name_plural': 'sites',
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('callback_number__startswith', '+')), name='site_callback_number_international'), models.CheckConstraint(condition=models.Q(('sms_sender__startswith', '+'), django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('sms_sender'), 11), _connector='OR'), name='site_sms_sender_short_or_number')],
            },
        ),
        migrations.CreateModel(
            name='Unit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=60, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=80, verbose_name='nom')),
                ('kind', models.CharField(choices=[('ward', "Service d'hospitalisation"), ('clinic', 'Consultation'), ('operating_theatre', 'Bloc opératoire'), ('imaging_room', "Salle d'imagerie"), ('sampling_centre', 'Centre de prélèvements'), ('covid_centre', 'Centre Covid'), ('emergency', 'Urgences')], max_length=20, verbose_name='genre')),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='units', to='staff.site', verbose_name='site')),
            ],
            options={
                'verbose_name': 'unité',
                'verbose_name_plural': 'unités',
                'ordering': ['site__name', 'name'],
                'constraints': [models.UniqueConstraint(fields=('site', 'name'), name='unit_name_unique_per_site'), models.CheckConstraint(condition=models.Q(('kind__in', ['ward', 'clinic', 'operating_theatre', 'imaging_room', 'sampling_centre', 'covid_centre', 'emergency'])), name='unit_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='RoleAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('crisis_cell', 'Cellule de crise'), ('doctor', 'Médecin'), ('surgeon', 'Chirurgien ou anesthésiste'), ('nurse', 'Infirmier ou infirmière'), ('medical_director', 'Directeur médical'), ('call_agent', "Agent d'appel"), ('ward_clerk', "Secrétariat d'unité"), ('feed_operator', 'Opérateur des flux'), ('auditor', 'Auditeur')], max_length=20, verbose_name='rôle')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='role_assignments', to=settings.AUTH_USER_MODEL, verbose_name='utilisateur')),
                ('site', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='staff.site', verbose_name='site')),
                ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='staff.unit', verbose_name='unité')),
            ],
            options={
                'verbose_name': 'rôle attribué',
                'verbose_name_plural': 'rôles attribués',
                'constraints': [models.UniqueConstraint(models.F('user'), models.F('role'), django.db.models.functions.comparison.Coalesce('site', 0), django.db.models.functions.comparison.Coalesce('unit', 0), name='role_assignment_once'), models.CheckConstraint(condition=models.Q(('site__isnull', True), ('unit__isnull', True), _connector='OR'), name='role_assignment_site_or_unit'), models.CheckConstraint(condition=models.Q(('role__in', ['crisis_cell', 'doctor', 'surgeon', 'nurse', 'medical_director', 'call_agent', 'ward_clerk', 'feed_operator', 'auditor'])), name='role_known')],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.BigIntegerField(unique=True, verbose_name='numéro')),
                ('at', models.DateTimeField(db_index=True, verbose_name='quand')),
                ('actor_name', models.CharField(max_length=160, verbose_name='nom')),
                ('action', models.CharField(max_length=60, verbose_name='action')),
                ('object_type', models.CharField(blank=True, max_length=40, verbose_name='objet')),
                ('object_id', models.CharField(blank=True, max_length=80, verbose_name="numéro d'objet")),
                ('detail', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name='détail')),
                ('previous_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64, unique=True)),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='qui')),
                ('key', models.CharField(blank=True, db_default='', default='', max_length=12, verbose_name='clé')),
            ],
            options={
                'verbose_name': 'événement',
                'verbose_name_plural': 'événements',
                'ordering': ['-sequence'],
                'indexes': [models.Index(fields=['object_type', 'object_id'], name='audit_object'), models.Index(fields=['action'], name='audit_action', opclasses=['varchar_pattern_ops'])],
            },
        ),
        migrations.CreateModel(
            name='Delegation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given_at', models.DateTimeField(verbose_name='donnée le')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='retirée le')),
                ('delegate', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='delegations', to=settings.AUTH_USER_MODEL, verbose_name='délégué')),
                ('practitioner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='delegations', to='staff.practitioner', verbose_name='praticien')),
            ],
            options={
                'verbose_name': 'délégation',
                'verbose_name_plural': 'délégations',
                'constraints': [models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True)), fields=('practitioner', 'delegate'), name='delegation_once')],
            },
        ),
        migrations.CreateModel(
            name='SignInTry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(max_length=150, verbose_name='compte')),
                ('step', models.CharField(choices=[('password', 'mot de passe'), ('factor', 'second facteur')], max_length=8, verbose_name='étape')),
                ('address', models.CharField(max_length=45, verbose_name='adresse')),
                ('device', models.CharField(blank=True, max_length=32)),
                ('at', models.DateTimeField(verbose_name='quand')),
            ],
            options={
                'verbose_name': 'essai de connexion',
                'verbose_name_plural': 'essais de connexion',
                'indexes': [models.Index(fields=['account', 'step', 'at'], name='sign_in_account'), models.Index(fields=['address', 'at'], name='sign_in_address'), models.Index(fields=['at'], name='sign_in_at')],
                'constraints': [models.CheckConstraint(condition=models.Q(('step__in', ['password', 'factor'])), name='sign_in_step_known')],
            },
        ),
        migrations.CreateModel(
            name='AccountChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('made', 'compte créé'), ('role', 'rôles changés'), ('password', 'mot de passe donné'), ('access', 'accès changé')], max_length=8, verbose_name='quoi')),
                ('at', models.DateTimeField(verbose_name='quand')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to=settings.AUTH_USER_MODEL, verbose_name='compte')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='par')),
            ],
            options={
                'verbose_name': 'changement de compte',
                'verbose_name_plural': 'changements de comptes',
                'constraints': [models.CheckConstraint(condition=models.Q(('what__in', ['made', 'role', 'password', 'access'])), name='account_change_known')],
            },
        ),
        append_only('staff_auditevent'),
        no_truncate('staff_auditevent'),
        append_only('staff_audithead', ('delete',)),
        no_truncate('staff_audithead'),
        only_forward('staff_audithead', 'sequence'),
        append_only('staff_accountchange', ('update',)),
    ]
