"""Patients are found by their given name alone: the folded name with the given name first."""

from django.db import migrations, models

from patients.names import search_given_name

_AT_ONCE = 2000


def fill(apps, schema_editor):
    """Write the new column of every patient, in the order of the keys, a few at a time."""
    connection = schema_editor.connection
    patients = apps.get_model("patients", "Patient").objects.using(connection.alias).order_by("pk")
    names = patients.values_list("pk", "family_name", "given_name")
    last = 0
    while found := list(names.filter(pk__gt=last)[:_AT_ONCE]):
        keys = [pk for pk, _family, _given in found]
        folded = [search_given_name(family, given) for _pk, family, given in found]
        with connection.cursor() as cursor:
            _write(cursor, connection.vendor, keys, folded)
        last = keys[-1]


def _write(cursor, vendor, keys, folded):
    # PostgreSQL takes a round trip for each statement, SQLite none; an upsert of whole rows is
    # many times slower on both.
    if vendor == "postgresql":
        cursor.execute(
            "UPDATE patients_patient p SET search_given_name = n.folded "
            "FROM unnest(%s::bigint[], %s::text[]) AS n(id, folded) WHERE p.id = n.id",
            [keys, folded],
        )
    else:
        cursor.executemany(
            "UPDATE patients_patient SET search_given_name = %s WHERE id = %s",
            list(zip(folded, keys, strict=True)),
        )


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
