"""What is said of two accounts that approved is translated when it is read."""

from django.db import migrations

import staff.sentences


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0026_stored_failures'),
    ]

    operations = [
        migrations.AlterField(
            model_name='bulletin',
            name='approval_remark',
            field=staff.sentences.SentenceField(blank=True, db_default='', default=''),
        ),
    ]
