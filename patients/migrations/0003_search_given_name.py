"""Patients are found by their given name alone: the folded name with the given name first."""

from django.db import migrations, models

from patients.names import search_given_name

_AT_ONCE = 2000


def fill(apps, schema_editor):
    """Write the new column of every patient, in the order of the keys, a few at a time."""
    patients = apps.get_model("patients", "Patient").objects.using(schema_editor.connection.alias)
    last = 0
    while found := list(patients.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        for one in found:
            one.search_given_name = search_given_name(one.family_name, one.given_name)
        patients.bulk_create(
            found,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["search_given_name"],
        )
        last = found[-1].pk


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0002_reminder_opt_out'),
    ]

    operations = [
        migrations.AddField(
            model_name='patient',
            name='search_given_name',
            field=models.CharField(db_default='', db_index=True, editable=False, max_length=170),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
