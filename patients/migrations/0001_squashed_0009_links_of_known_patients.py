"""The tables of the patients app as 0001 to 0009 leave them.

An empty database runs this migration alone. One that ran the nine has it marked as applied; one
that ran some of them runs the rest. Filling new columns of old rows (0003, 0005, 0007) needs rows:
none are here. Once every database has run this version, the nine can go, and ``replaces`` with
them.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('patients', '0001_initial'),
        ('patients', '0002_reminder_opt_out'),
        ('patients', '0003_search_given_name'),
        ('patients', '0004_record_numbers_since'),
        ('patients', '0005_telephones'),
        ('patients', '0006_links'),
        ('patients', '0007_search_sound'),
        ('patients', '0008_likeness_all'),
        ('patients', '0009_links_of_known_patients'),
    ]

    initial = True

    dependencies = [
        ('staff', '0001_squashed_0008_account_changes_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='Patient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('family_name', models.CharField(max_length=80, verbose_name='nom')),
                ('given_name', models.CharField(blank=True, max_length=80, verbose_name='prénom')),
                ('birth_date', models.DateField(blank=True, db_index=True, null=True, verbose_name='date de naissance')),
                ('language', models.CharField(choices=[('fr', 'français'), ('nl', 'néerlandais'), ('de', 'allemand'), ('en', 'anglais')], default='fr', max_length=2, verbose_name='langue')),
                ('national_number', models.CharField(blank=True, max_length=20, verbose_name='numéro national')),
                ('national_number_valid', models.BooleanField(default=True, verbose_name='numéro national valide')),
                ('mobile', models.CharField(blank=True, db_index=True, max_length=20, verbose_name='GSM')),
                ('landline', models.CharField(blank=True, db_index=True, max_length=20, verbose_name='téléphone fixe')),
                ('sms_opt_out_at', models.DateTimeField(blank=True, null=True, verbose_name='refuse les SMS depuis')),
                ('search_name', models.CharField(db_index=True, editable=False, max_length=170)),
                ('reminder_opt_out_at', models.DateTimeField(blank=True, null=True, verbose_name='refuse les rappels depuis')),
                ('search_given_name', models.CharField(db_default='', db_index=True, editable=False, max_length=170)),
                ('search_sound', models.CharField(db_default='', db_index=True, editable=False, max_length=170)),
            ],
            options={
                'verbose_name': 'patient',
                'verbose_name_plural': 'patients',
                'indexes': [models.Index(fields=['national_number'], name='patient_national_number')],
                'constraints': [models.CheckConstraint(condition=models.Q(('mobile', ''), ('mobile__startswith', '+'), _connector='OR'), name='patient_mobile_international'), models.CheckConstraint(condition=models.Q(('landline', ''), ('landline__startswith', '+'), _connector='OR'), name='patient_landline_international'), models.CheckConstraint(condition=models.Q(('language__in', ['fr', 'nl', 'de', 'en'])), name='patient_language_known')],
            },
        ),
        migrations.CreateModel(
            name='PatientIdentifier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('system', models.CharField(max_length=40, verbose_name='source')),
                ('value', models.CharField(db_index=True, max_length=80, verbose_name='numéro de dossier')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identifiers', to='patients.patient', verbose_name='patient')),
                ('known_since', models.DateTimeField(blank=True, null=True, verbose_name='connu depuis')),
                ('linked_at', models.DateTimeField(blank=True, null=True, verbose_name='relié le')),
                ('linked_numbers', models.JSONField(blank=True, default=list, editable=False)),
                ('linked_says', models.JSONField(blank=True, editable=False, null=True)),
                ('linked_from', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='left_records', to='patients.patient', verbose_name='était le dossier de')),
                ('linked_kept', models.JSONField(blank=True, default=dict, editable=False)),
            ],
            options={
                'verbose_name': 'identifiant',
                'verbose_name_plural': 'identifiants',
                'constraints': [models.UniqueConstraint(fields=('system', 'value'), name='patient_identifier_once'), models.CheckConstraint(condition=models.Q(models.Q(('linked_at__isnull', True), ('linked_says__isnull', True)), models.Q(('linked_at__isnull', False), ('linked_says__isnull', False)), _connector='OR'), name='patient_identifier_linked_paired'), models.CheckConstraint(condition=models.Q(('linked_from__isnull', True), ('linked_at__isnull', False), _connector='OR'), name='patient_identifier_left_is_linked')],
                'indexes': [models.Index(condition=models.Q(('linked_at__isnull', False)), fields=['-linked_at', '-id'], name='patient_identifier_linked')],
            },
        ),
        migrations.CreateModel(
            name='PatientPhone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(verbose_name='rang')),
                ('number', models.CharField(db_index=True, max_length=20, verbose_name='numéro')),
                ('kind', models.CharField(choices=[('mobile', 'GSM'), ('landline', 'fixe')], max_length=8, verbose_name='sorte')),
                ('label', models.CharField(blank=True, help_text='Ce que la source en dit : « fille », « bureau », « poste 12 ».', max_length=40, verbose_name='à qui, où')),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='phones', to='patients.patient', verbose_name='patient')),
            ],
            options={
                'verbose_name': 'numéro de téléphone',
                'verbose_name_plural': 'numéros de téléphone',
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('patient', 'position'), name='patient_phone_position'), models.UniqueConstraint(fields=('patient', 'number'), name='patient_phone_once'), models.CheckConstraint(condition=models.Q(('number__startswith', '+')), name='patient_phone_international'), models.CheckConstraint(condition=models.Q(('kind__in', ['mobile', 'landline'])), name='patient_phone_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='LinkProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('likeness', models.CharField(choices=[('all', 'tout est égal, mais les deux patients étaient déjà connus séparément'), ('number', 'même numéro national, autre nom, prénom ou date de naissance'), ('names', 'mêmes nom, prénom et date de naissance, sans le même numéro national')], max_length=8, verbose_name='ressemblance')),
                ('proposed_at', models.DateTimeField(verbose_name='proposé le')),
                ('dismissed_at', models.DateTimeField(blank=True, null=True, verbose_name='écarté le')),
                ('dismissed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='écarté par')),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.patient', verbose_name='autre patient')),
                ('record', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='proposals', to='patients.patientidentifier', verbose_name='dossier')),
            ],
            options={
                'verbose_name': 'ressemblance',
                'verbose_name_plural': 'ressemblances',
                'indexes': [models.Index(condition=models.Q(('dismissed_at__isnull', True)), fields=['-id'], name='link_proposal_open')],
                'constraints': [models.UniqueConstraint(fields=('record', 'other'), name='link_proposal_once'), models.CheckConstraint(condition=models.Q(models.Q(('dismissed_at__isnull', True), ('dismissed_by__isnull', True)), models.Q(('dismissed_at__isnull', False), ('dismissed_by__isnull', False)), _connector='OR'), name='link_proposal_dismissed_paired'), models.CheckConstraint(condition=models.Q(('likeness__in', ['all', 'number', 'names'])), name='link_proposal_likeness_known')],
            },
        ),
    ]
