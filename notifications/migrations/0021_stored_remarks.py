"""What was said of a try to tell somebody is translated when it is read."""

from django.db import migrations

import staff.sentences


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0020_to_ask_again'),
    ]

    operations = [
        migrations.AlterField(
            model_name='delivery',
            name='remark',
            field=staff.sentences.SentenceField(blank=True, verbose_name='remarque'),
        ),
    ]
