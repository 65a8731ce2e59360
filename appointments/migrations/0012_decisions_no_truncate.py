"""PostgreSQL refuses to empty the append-only tables too."""

from django.db import migrations

from staff.append_only import no_truncate


class Migration(migrations.Migration):
    dependencies = [("appointments", "0011_attendance_day")]

    operations = [no_truncate("appointments_decision"), no_truncate("appointments_attendance")]
