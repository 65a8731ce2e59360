"""What was noted says of which day: the planned one, as nothing else could be noted so far."""

from django.db import migrations, models

from staff.append_only import append_only, no_longer_append_only

FILL = """
    UPDATE appointments_attendance SET day = a.day
      FROM appointments_appointment a
     WHERE a.id = appointments_attendance.appointment_id"""


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0010_seldom_appointments'),
    ]

    operations = [
        no_longer_append_only('appointments_attendance'),
        migrations.AddField(
            model_name='attendance',
            name='day',
            field=models.DateField(null=True, verbose_name='jour'),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='attendance',
            name='day',
            field=models.DateField(verbose_name='jour'),
        ),
        migrations.RemoveConstraint(
            model_name='attendance',
            name='attendance_version_once',
        ),
        migrations.AddConstraint(
            model_name='attendance',
            constraint=models.UniqueConstraint(fields=('appointment', 'day', 'version'), name='attendance_version_once'),
        ),
        append_only('appointments_attendance'),
    ]
