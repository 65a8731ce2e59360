"""What a feed brought without saying enough is found."""

import pytest

from appointments.models import Appointment, Feed, RejectedRow, ScheduleImport
from tests.appointments.bulletins.builders import SATURDAY_NOON
from tests.builders import at
from tests.vivalia_continuity.promises.day import faults
from tests.vivalia_continuity.unguarded import break_by

pytestmark = pytest.mark.django_db


class TestFeeds:
    def test_a_refused_row_without_its_reason_is_found(self, day):
        load = ScheduleImport.objects.create(
            feed=Feed.objects.get(),
            file_name="a.csv",
            started_at=SATURDAY_NOON,
            state="loaded",
            rows_rejected=1,
        )
        assert faults(10) == [
            f"1 chargements dont les lignes rejetées ne sont pas nommées : {load.pk}"
        ]
        RejectedRow.objects.create(schedule_import=load, line=7, column="Unité", why="")
        assert faults(10) == ["1 lignes rejetées sans raison : 7"]

    def test_a_decision_for_another_day_is_found(self, day):
        pk = day["told"].pk
        break_by(
            Appointment,
            "UPDATE {table} SET day = '2022-05-17', starts_at = %s WHERE id = %s",
            at("2022-05-17 09:10"),
            pk,
        )
        assert any(f"l'ancien jour : {pk}" in fault for fault in faults(10))

    def test_a_feed_of_unknown_age_is_found(self, day):
        Feed.objects.update(heard_at=None)
        assert faults(11) == ["1 sources dont l'âge des données est inconnu : essai"]
