"""Several telephones of a patient, in order; those that are known so far are the first ones."""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
    INSERT INTO patients_patientphone (patient_id, position, number, kind, label)
    SELECT id, 1, mobile, 'mobile', '' FROM patients_patient WHERE mobile <> ''
    UNION ALL
    SELECT id, CASE WHEN mobile = '' THEN 1 ELSE 2 END, landline, 'landline', ''
    FROM patients_patient WHERE landline <> '' AND landline <> mobile
"""


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0004_record_numbers_since'),
    ]

    operations = [
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
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
