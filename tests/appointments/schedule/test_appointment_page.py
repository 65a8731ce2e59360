"""One appointment with everything that is known about it, and that somebody looked."""

import pytest
from django.test import Client
from django.urls import reverse

from appointments.decisions import keeping
from appointments.models import Appointment
from appointments.operations import services as operations
from patients.models import PatientIdentifier
from staff.models import AuditEvent, User
from tests.appointments.bulletins.builders import in_force
from tests.builders import a_patient, a_practitioner, a_user, an_appointment, at
from tests.pages import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


def reader(role: str) -> Client:
    return signed_in(User.objects.filter(username=role).first() or a_user(role, role))


def page_of(appointment: Appointment, role: str = "call_agent") -> str:
    return reader(role).get(reverse("appointment", args=[appointment.pk])).content.decode()


def history(appointment: Appointment, role: str = "call_agent") -> list[tuple[str, str]]:
    answer = reader(role).get(reverse("appointment", args=[appointment.pk]))
    return [(entry.kind, entry.title) for entry in answer.context["history"]]


class TestThePage:
    def test_it_says_who_how_to_reach_them_and_what_is_doubtful(self):
        patient = a_patient(
            family_name="Lambert",
            language="de",
            mobile="",
            landline="+3263223344",
            national_number="60020112345",
            national_number_valid=False,
        )
        PatientIdentifier.objects.create(patient=patient, system="agenda", value="D-2041")
        page = page_of(an_appointment(patient=patient))
        for words in (
            "LAMBERT Anne",
            "62 ans",
            "allemand",
            "063 22 33 44",
            "pas de GSM",
            "60020112345",
            "numéro incorrect",
            "D-2041",
        ):
            assert words in page, words

    def test_it_says_what_the_source_says(self):
        page = page_of(
            an_appointment(
                act="Contrôle",
                status="arrived",
                minutes=20,
                moved_from=at("2022-05-13 08:00"),
                moved_at=at("2022-05-12 08:00"),
                missing_since=at("2022-05-14 01:00"),
            )
        )
        for words in ("Contrôle", "arrivé", "20 min", "était prévu", "absent de la source"):
            assert words in page, words

    def test_it_says_by_which_clause_it_is_cancelled(self):
        made = an_appointment()
        bulletin = in_force()
        assert f"bulletin {bulletin.pk} (Essai), point 1" in page_of(made)

    def test_without_a_bulletin_it_takes_place(self):
        assert "il a lieu comme prévu" in page_of(an_appointment())
        for status in ("cancelled", "noshow", "fulfilled"):
            page = page_of(an_appointment(status=status))
            assert "Aucun bulletin ne vise ce rendez-vous." in page
            assert "comme prévu" not in page

    def test_its_doctor_may_keep_it_here(self):
        doctor = a_user("docteur", "doctor")
        made = an_appointment(practitioner=a_practitioner("dr-1", user=doctor))
        in_force()
        client = signed_in(doctor)
        assert "Garder" in client.get(reverse("appointment", args=[made.pk])).content.decode()
        assert "Garder" not in page_of(made)

    def test_an_operation_leads_to_its_opinions(self):
        made = an_appointment(service="surgery")
        assert f"#operation-{made.pk}" in page_of(made, "medical_director")
        assert f"#operation-{made.pk}" not in page_of(made, "call_agent")

    def test_who_looked_is_recorded(self):
        made = an_appointment()
        page_of(made)
        seen = AuditEvent.objects.get(action="appointment.viewed")
        assert (seen.actor_name, seen.object_id) == ("call_agent", str(made.pk))

    def test_what_is_not_there_is_not_found(self):
        assert reader("auditor").get(reverse("appointment", args=[10**9])).status_code == 404


class TestHistory:
    def test_everything_is_merged_in_time_the_newest_first(self, saturday_noon):
        doctor = a_user("docteur", "doctor")
        made = an_appointment(
            practitioner=a_practitioner("dr-1", user=doctor), loaded_at=at("2022-05-13 20:00")
        )
        in_force()
        saturday_noon.shift(3600)
        keeping.keep(appointment_id=made.pk, by=doctor, reason="Plaie à revoir")
        saturday_noon.shift(3600)
        keeping.contacted(appointment_id=made.pk, by=doctor)
        titles = [title for _kind, title in history(made)]
        assert titles[-1] == "Lu à la source"
        assert titles.index("Avis à donner : maintenu") < titles.index("Avis à donner : annulé")
        kinds = {kind for kind, _title in history(made)}
        assert {"source", "decision", "notice", "delivery"} <= kinds
        page = page_of(made)
        assert "Plaie à revoir" in page
        assert "SMS" in page

    def test_opinions_are_part_of_it(self):
        made = an_appointment(service="surgery")
        nurse = a_user("infirmier", "nurse")
        operations.give_opinion(
            appointment_id=made.pk, by=nurse, role="nurse", view="cancel", comment="Pas de lit"
        )
        assert ("opinion", "infirmier ou infirmière : annuler") in history(made)
        assert "Pas de lit" in page_of(made)

    def test_a_move_and_a_disappearance_are_part_of_it(self):
        made = an_appointment(
            moved_from=at("2022-05-13 08:00"),
            moved_at=at("2022-05-12 08:00"),
            missing_since=at("2022-05-14 01:00"),
        )
        titles = [title for _kind, title in history(made)]
        assert "Déplacé par la source" in titles
        assert "Disparu de la source" in titles

    def test_who_looked_is_shown_to_the_auditor_only(self):
        made = an_appointment()
        page_of(made)
        assert ("trail", f"A ouvert le rendez-vous {made.pk}") in history(made, "auditor")
        assert ("trail", f"A ouvert le rendez-vous {made.pk}") not in history(made)

    def test_the_number_of_queries_does_not_grow_with_the_history(
        self, django_assert_max_num_queries
    ):
        made = an_appointment(service="surgery")
        director = a_user("directeur", "medical_director")
        address = reverse("appointment", args=[made.pk])
        client, queries = reader("call_agent"), []
        in_force()
        operations.rule(appointment_id=made.pk, by=director, outcome="cancelled")
        for _ in range(2):
            with django_assert_max_num_queries(60) as counted:
                client.get(address)
            queries.append(len(counted))
            for outcome in ("maintained", "cancelled") * 3:
                operations.rule(appointment_id=made.pk, by=director, outcome=outcome)
                operations.give_opinion(
                    appointment_id=made.pk, by=director, role="surgeon", view="maintain"
                )
        assert queries[0] == queries[1]
