"""The age of the data is the source's.

What was kept so far was the moment of loading: nothing says how old those files were, so the age
of each source is unknown until its next file.
"""

import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LOADED_THEN = "UPDATE appointments_feed SET loaded_at = heard_at, heard_at = NULL"
BACK = "UPDATE appointments_feed SET heard_at = loaded_at"
COMPLETE_FOR = """
    UPDATE appointments_scheduleimport
       SET complete_for = CASE WHEN is_full_export THEN 'sites' ELSE 'nothing' END"""


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0015_bulletin_ready'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Conflict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'en attente'), ('accepted', 'accepté'), ('refused', 'refusé'), ('superseded', 'dépassé par un fichier plus récent')], default='waiting', max_length=10, verbose_name='état')),
                ('record', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('row_digest', models.CharField(max_length=32)),
                ('starts_at', models.DateTimeField(verbose_name='début selon le fichier')),
                ('status', models.CharField(max_length=20, verbose_name='statut selon le fichier')),
                ('found_at', models.DateTimeField(verbose_name='trouvé le')),
                ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='décidé le')),
            ],
            options={
                'verbose_name': 'conflit',
                'verbose_name_plural': 'conflits',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='DisappearedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'verbose_name': 'rendez-vous disparu',
                'verbose_name_plural': 'rendez-vous disparus',
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='feed',
            name='age_rule',
            field=models.CharField(choices=[('file', 'ce que le fichier dit lui-même, sinon inconnu'), ('file_date', "sinon la date d'écriture du fichier"), ('loading', "sinon l'heure du chargement (export immédiat)")], default='file', max_length=10, verbose_name="moment de l'export"),
        ),
        migrations.AddField(
            model_name='feed',
            name='complete_for',
            field=models.CharField(blank=True, choices=[('nothing', "rien (ce qui n'y figure pas ne dit rien)"), ('units', "les unités qu'il nomme"), ('sites', "toutes les unités des sites qu'il nomme"), ('source', 'tout ce que la source prévoit')], max_length=8, verbose_name='complet pour'),
        ),
        migrations.AddField(
            model_name='feed',
            name='loaded_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='dernier chargement'),
        ),
        migrations.AddField(
            model_name='feed',
            name='newest_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='export le plus récent'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='accepts_disappeared',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='accepts_older',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='age_from',
            field=models.CharField(blank=True, choices=[('person', 'indiqué par une personne'), ('title', 'lu dans le titre du fichier'), ('file_name', 'lu dans le nom du fichier'), ('change', 'dernier changement du fichier'), ('file_date', "date d'écriture du fichier"), ('loading', 'heure du chargement')], max_length=10),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='complete_for',
            field=models.CharField(blank=True, choices=[('nothing', "rien (ce qui n'y figure pas ne dit rien)"), ('units', "les unités qu'il nomme"), ('sites', "toutes les unités des sites qu'il nomme"), ('source', 'tout ce que la source prévoit')], max_length=8, verbose_name='complet pour'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='exported_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='export fait le'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='file_date',
            field=models.DateTimeField(blank=True, null=True, verbose_name='fichier écrit le'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='first_day',
            field=models.DateField(blank=True, null=True, verbose_name='premier jour'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='last_day',
            field=models.DateField(blank=True, null=True, verbose_name='dernier jour'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='covers_from',
            field=models.DateField(blank=True, null=True, verbose_name='complet du'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='covers_until',
            field=models.DateField(blank=True, null=True, verbose_name="complet jusqu'au"),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='patients_told',
            field=models.PositiveIntegerField(default=0, verbose_name='patients à prévenir'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='rows_undone',
            field=models.PositiveIntegerField(default=0, verbose_name='nouvelles plus récentes défaites'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='rows_waiting',
            field=models.PositiveIntegerField(default=0, verbose_name="en attente d'une décision"),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='told_by_phone',
            field=models.PositiveIntegerField(default=0, verbose_name='par téléphone'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='told_by_sms_later',
            field=models.PositiveIntegerField(default=0, verbose_name='par SMS plus tard'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='told_by_sms_now',
            field=models.PositiveIntegerField(default=0, verbose_name='par SMS tout de suite'),
        ),
        migrations.AddField(
            model_name='scheduleimport',
            name='too_many_missing',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.RunSQL(LOADED_THEN, BACK),
        migrations.RunSQL(COMPLETE_FOR, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='scheduleimport',
            name='is_full_export',
        ),
        migrations.AlterField(
            model_name='feed',
            name='heard_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name="moment de l'export"),
        ),
        migrations.AddConstraint(
            model_name='scheduleimport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('age_from', ''), ('exported_at__isnull', True)), models.Q(('exported_at__isnull', False), models.Q(('age_from', ''), _negated=True)), _connector='OR'), name='schedule_import_age_from_somewhere'),
        ),
        migrations.AddField(
            model_name='conflict',
            name='appointment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='conflicts', to='appointments.appointment', verbose_name='rendez-vous'),
        ),
        migrations.AddField(
            model_name='conflict',
            name='feed',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conflicts', to='appointments.feed', verbose_name='source'),
        ),
        migrations.AddField(
            model_name='conflict',
            name='schedule_import',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='conflicts', to='appointments.scheduleimport'),
        ),
        migrations.AddField(
            model_name='conflict',
            name='settled_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='disappearedrow',
            name='appointment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='appointments.appointment'),
        ),
        migrations.AddField(
            model_name='disappearedrow',
            name='schedule_import',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='disappeared_rows', to='appointments.scheduleimport'),
        ),
        migrations.AddConstraint(
            model_name='conflict',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'accepted', 'refused', 'superseded'])), name='conflict_state_known'),
        ),
        migrations.AddConstraint(
            model_name='conflict',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='conflict_settled_iff_not_waiting'),
        ),
        migrations.AddConstraint(
            model_name='conflict',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('appointment',), name='conflict_one_waiting'),
        ),
        migrations.AddConstraint(
            model_name='disappearedrow',
            constraint=models.UniqueConstraint(fields=('schedule_import', 'appointment'), name='disappeared_row_once'),
        ),
    ]
