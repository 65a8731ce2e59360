"""Both databases answer from the right index, or from none where that is better."""

import pytest
from django.db import connection

from appointments.models import Appointment
from notifications.models import Notice, NoticeState
from staff.lookups import Unindexed, numbers_of
from tests.builders import a_patient, a_unit, an_appointment
from tests.notifications.builders import a_notice

pytestmark = pytest.mark.django_db


def test_a_column_that_is_unindexed_still_compares() -> None:
    unit = a_unit("arlon-a")
    mine = an_appointment(unit=unit)
    an_appointment(unit=a_unit("arlon-b"))
    rows = Appointment.objects.alias(place=Unindexed("unit_id"))
    assert list(rows.filter(place=unit.pk)) == [mine]
    assert list(rows.filter(place__in=[unit.pk])) == [mine]


@pytest.mark.sqlite
def test_sqlite_does_not_look_an_unindexed_column_up() -> None:
    rows = Appointment.objects.order_by("starts_at", "id")
    assert "appointment_unit_day" in rows.filter(unit=1).explain()
    apart = rows.alias(place=Unindexed("unit_id")).filter(place=1)
    assert "appointment_starts_at" in apart.explain()


@pytest.mark.postgresql
def test_postgresql_counts_for_itself() -> None:
    rows = Appointment.objects.alias(place=Unindexed("unit_id")).filter(place=1)
    assert '+"' not in str(rows.query)


def test_the_numbers_of_several_arms_come_once() -> None:
    patient = a_patient()
    both, other = a_notice(patient=patient), a_notice()
    arms = (Notice.objects.filter(patient=patient), Notice.objects.filter(pk=both.pk))
    assert list(Notice.objects.filter(pk__in=numbers_of(*arms))) == [both]
    assert set(Notice.objects.filter(pk__in=numbers_of(*arms, Notice.objects.all()))) == {
        both,
        other,
    }


def test_what_is_open_has_an_index_of_its_own() -> None:
    query = Notice.objects.filter(state=NoticeState.OPEN).values("pk")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "notice_open" in query.explain()
