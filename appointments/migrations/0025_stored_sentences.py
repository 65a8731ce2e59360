"""Sentences that loads keep are translated when they are read; plain text of before stays."""

from django.db import migrations, models

import staff.sentences


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0024_units_and_messages_of_loads'),
    ]

    operations = [
        migrations.AlterField(
            model_name='refusedrow',
            name='why',
            field=staff.sentences.SentenceField(verbose_name='raison'),
        ),
        migrations.AlterField(
            model_name='rejectedrow',
            name='why',
            field=staff.sentences.SentenceField(verbose_name='raison'),
        ),
        migrations.AlterField(
            model_name='scheduleimport',
            name='message',
            field=staff.sentences.SentenceField(blank=True, verbose_name='message'),
        ),
        migrations.AlterField(
            model_name='scheduleimport',
            name='sheets',
            field=models.JSONField(blank=True, decoder=staff.sentences.SentenceDecoder, default=list, encoder=staff.sentences.SentenceEncoder, verbose_name='feuilles'),
        ),
        migrations.AlterField(
            model_name='scheduleimport',
            name='too_many_missing',
            field=models.JSONField(blank=True, decoder=staff.sentences.SentenceDecoder, default=list, encoder=staff.sentences.SentenceEncoder),
        ),
    ]
