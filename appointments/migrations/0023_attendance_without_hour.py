"""A tick on a sheet may stand without its hour; so far every note had one."""

from django.db import migrations, models

from staff.append_only import append_only, no_longer_append_only


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0022_approval_remark'),
    ]

    operations = [
        # SQLite makes the table anew, which drops its triggers.
        no_longer_append_only('appointments_attendance'),
        migrations.AddField(
            model_name='attendance',
            name='hour_is_known',
            field=models.BooleanField(db_default=True, default=True, verbose_name='heure notée'),
        ),
        append_only('appointments_attendance'),
    ]
