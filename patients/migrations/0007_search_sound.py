"""Patients are found by how their name sounds: a key of each word of the name."""

from django.db import migrations, models

from patients.names import search_sound

_AT_ONCE = 2000


def fill(apps, schema_editor):
    """Write the new column of every patient, in the order of the keys, a few at a time."""
    connection = schema_editor.connection
    patients = apps.get_model("patients", "Patient").objects.using(connection.alias).order_by("pk")
    names = patients.values_list("pk", "family_name", "given_name")
    last = 0
    while found := list(names.filter(pk__gt=last)[:_AT_ONCE]):
        keys = [pk for pk, _family, _given in found]
        sounds = [search_sound(family, given) for _pk, family, given in found]
        with connection.cursor() as cursor:
            _write(cursor, connection.vendor, keys, sounds)
        last = keys[-1]


def _write(cursor, vendor, keys, sounds):
    # As in 0003: PostgreSQL takes a round trip for each statement, SQLite none.
    if vendor == "postgresql":
        cursor.execute(
            "UPDATE patients_patient p SET search_sound = n.sound "
            "FROM unnest(%s::bigint[], %s::text[]) AS n(id, sound) WHERE p.id = n.id",
            [keys, sounds],
        )
    else:
        cursor.executemany(
            "UPDATE patients_patient SET search_sound = %s WHERE id = %s",
            list(zip(sounds, keys, strict=True)),
        )


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0006_links'),
    ]

    operations = [
        migrations.AddField(
            model_name='patient',
            name='search_sound',
            field=models.CharField(db_default='', db_index=True, editable=False, max_length=170),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
