"""Why a sheet has no PDF is translated when it is read."""

from django.db import migrations

import staff.sentences


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0025_stored_sentences'),
    ]

    operations = [
        migrations.AlterField(
            model_name='roster',
            name='message',
            field=staff.sentences.SentenceField(blank=True, verbose_name='message'),
        ),
    ]
