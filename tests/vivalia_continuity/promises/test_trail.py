"""A trail that was edited, or knows too little, is found."""

import pytest
from django.db import connection

from appointments.models import Appointment, Bulletin, Decision
from staff import append_only
from staff.models import AuditEvent
from staff.services import audit
from tests.vivalia_continuity.promises.day import faults
from tests.vivalia_continuity.unguarded import break_by

pytestmark = pytest.mark.django_db


class TestTheTrail:
    def test_an_edited_event_is_found(self, day):
        break_by(AuditEvent, "UPDATE {table} SET actor_name = 'luc' WHERE sequence = 2")
        assert "journal : événement 2 : contenu modifié" in faults(9)

    def test_a_broken_chain_is_summed_up(self, day):
        for _ in range(7):
            audit.record(action="essai", by=None)
        break_by(AuditEvent, "UPDATE {table} SET actor_name = 'luc'")
        assert faults(9)[5].endswith("autres ruptures")

    def test_a_persons_decision_that_the_trail_does_not_know_is_found(self, day):
        break_by(
            Decision,
            "UPDATE {table} SET decided_by_id = %s WHERE basis = 'person'",
            Bulletin.objects.get().drafted_by_id,
        )
        assert any("le journal ne sait rien" in fault for fault in faults(9))

    def test_an_outcome_that_no_decision_gave_is_found(self, day):
        pk = day["told"].pk
        break_by(Appointment, "UPDATE {table} SET outcome = 'maintained' WHERE id = %s", pk)
        assert f"leur dernière décision : {pk}" in faults(9)[0]

    def test_an_outcome_without_any_decision_is_found(self, day):
        pk = day["dialysis"].pk
        break_by(Appointment, "UPDATE {table} SET decision_version = 1 WHERE id = %s", pk)
        assert f"leur dernière décision : {pk}" in faults(9)[0]

    def test_a_removed_decision_is_found(self, day):
        pk = day["kept"].pk
        break_by(Decision, "DELETE FROM {table} WHERE appointment_id = %s AND version = 1", pk)
        assert f"1 rendez-vous dont une décision manque : {pk}" in faults(9)

    def test_a_bulletin_of_one_person_is_found(self, day):
        break_by(Bulletin, "UPDATE {table} SET approved_by_id = drafted_by_id")
        assert any("bulletins approuvés" in fault for fault in faults(9))

    def test_an_emptied_trail_is_found_without_an_anchor(self, day):
        break_by(AuditEvent, "DELETE FROM {table}")
        said = " ".join(faults(9))
        assert "bulletins dont le journal ne sait rien" in said
        assert "décisions de personnes dont le journal ne sait rien" in said

    @pytest.mark.parametrize("table", [*append_only.GUARDED, "staff_audithead"])
    def test_a_trigger_that_is_gone_is_named(self, day, table):
        what = "only_sequence" if table == "staff_audithead" else "no_update"
        connection.check_constraints()  # PostgreSQL alters no table with checks still to come
        with connection.cursor() as cursor:
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {table}_{what}{on_table}")
        assert any(fault.startswith(f"{table} :") for fault in faults(9))
