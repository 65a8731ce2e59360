"""Decisions are appended only; appointments leave room to update their outcome in place."""

from django.db import migrations

from staff.append_only import append_only


def leave_room(apps, schema_editor):
    """PostgreSQL: a fillfactor of 80 lets the outcome be updated on the same page (ADR 0004)."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE appointments_appointment SET (fillfactor = 80)")


class Migration(migrations.Migration):
    dependencies = [("appointments", "0002_initial"), ("staff", "0002_trail_append_only")]

    operations = [
        append_only("appointments_decision"),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
