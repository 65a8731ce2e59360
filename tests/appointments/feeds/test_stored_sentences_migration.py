"""What loads said before sentences were stored is plain text, and is read as it was."""

import pytest
from django.urls import reverse

from appointments.models import RefusedRow, RejectedRow, ScheduleImport
from staff.models import Role
from tests.appointments.migrating import made
from tests.builders import a_user, at
from tests.migrating import an_empty_database, migrate
from tests.pages import signed_in

BEFORE = ("appointments", "0023_attendance_without_hour")
LOADED = at("2022-05-14 03:00")
WHY = 'Onbekende eenheid: 100 % {"said": "niets"}'


@pytest.fixture
def before(db):
    """Return the models before, in a database of its own."""
    with an_empty_database():
        yield migrate(BEFORE)


def test_plain_text_of_before_stays_as_it_was_and_is_shown(before):
    feed = made(before, "appointments", "Feed", name="essai")
    load = made(
        before,
        "appointments",
        "ScheduleImport",
        feed_id=feed,
        file_name="tout.xlsx",
        state="loaded",
        started_at=LOADED,
        message="Niet gebruikte kolommen: Salle.",
        too_many_missing=["arlon: 6 van de 6 zijn verdwenen."],
        sheets=[{"name": "Archives", "rows": 0, "left_out": "verborgen blad."}],
    )
    made(
        before,
        "appointments",
        "RejectedRow",
        schedule_import_id=load,
        line=2,
        column="Unité",
        value="x",
        why=WHY,
    )
    made(
        before,
        "appointments",
        "RefusedRow",
        feed_id=feed,
        key="R1",
        line=2,
        why=f"Unité : {WHY}",
        content="0" * 32,
        refused_at=LOADED,
    )
    migrate()
    assert RejectedRow.objects.get().why == WHY
    assert RefusedRow.objects.get().why == f"Unité : {WHY}"
    kept = ScheduleImport.objects.get()
    assert kept.message == "Niet gebruikte kolommen: Salle."
    assert kept.too_many_missing == ["arlon: 6 van de 6 zijn verdwenen."]
    reader = signed_in(a_user("lecteur", Role.FEED_OPERATOR))
    page = reader.get(reverse("import", args=[load])).content.decode()
    for said in ("Onbekende eenheid: 100 %", "verborgen blad.", "Niet gebruikte kolommen: Salle."):
        assert said in page
    assert "Onbekende eenheid: 100 %" in reader.get(reverse("refused_rows")).content.decode()
