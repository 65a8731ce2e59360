"""How many rows of a load say how to reach their patient."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0012_decisions_no_truncate'),
    ]

    operations = [
        migrations.AddField(
            model_name='scheduleimport',
            name='rows_with_phone',
            field=models.PositiveIntegerField(blank=True, help_text="Vide pour les chargements d'avant ce décompte.", null=True, verbose_name='avec téléphone'),
        ),
    ]
