"""Who rings in is found, and each day has something to read out."""

import datetime as dt

import pytest
import time_machine

from appointments.decisions import keeping
from appointments.incoming.queries import days_of, found_by, patients_of, search
from appointments.models import Appointment
from notifications.models import Delivery, Notice
from patients.models import Patient
from staff.models import User
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, in_force
from tests.builders import a_patient, a_practitioner, a_site, a_unit, a_user, an_appointment
from tests.notifications.builders import FakeGateway, a_notice, an_sms, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def agent() -> User:
    """A call agent of the whole group."""
    return a_user("agent", "call_agent")


@pytest.fixture
def anne() -> Patient:
    return a_patient(
        family_name="Van den Berg",
        given_name="Anne",
        birth_date=dt.date(1960, 2, 1),
        mobile="+32495123456",
    )


def ruled(**fields) -> Appointment:
    """Return an appointment of Monday as the bulletin of the day leaves it."""
    made = an_appointment(**fields)
    in_force()
    made.refresh_from_db()
    return made


class TestSearch:
    @pytest.mark.parametrize(
        ("typed", "by"),
        [
            ("van den berg anne", "name"),
            ("vandenberg", "name"),
            ("anne", "name"),
            ("Anne 01/02/1960", "name"),
            ("01/02/1960", "birth"),
            ("0495 12 34 56", "number"),
        ],
    )
    def test_a_patient_is_found_by_whatever_they_say(self, agent, anne, typed, by) -> None:
        an_appointment(patient=anne)
        found = search(agent, typed)
        assert found.patients == [anne]
        assert found_by(anne, typed) == by

    def test_the_reference_of_an_sms_finds_its_patient(self, agent, anne) -> None:
        notice = a_notice(patient=anne)
        typed = notice.reference.lower().replace("-", " ")
        found = search(agent, typed)
        assert (found.patients, found.asked.is_ours) == ([anne], True)
        assert found_by(anne, typed) == "reference"

    def test_a_forged_reference_is_called_so(self, agent, anne) -> None:
        right = a_notice(patient=anne).reference
        forged = right[:-1] + ("2" if right[-1] != "2" else "3")
        found = search(agent, forged)
        assert (found.patients, found.asked.is_ours) == ([], False)
        assert not found.is_nobody

    @pytest.mark.parametrize("typed", ["2234-567", "ABCD-EFG", "223k 7qf"])
    def test_so_is_whatever_is_written_like_one_and_finds_nobody(self, agent, typed) -> None:
        assert search(agent, typed).asked is not None

    def test_a_name_is_not_taken_for_a_reference(self, agent) -> None:
        assert search(agent, "Vandenbe").asked is None
        assert search(agent, "Vandenbe").is_nobody

    def test_a_patient_without_a_row_at_the_agents_places_is_nobody(self, anne) -> None:
        an_appointment(patient=anne)
        local = a_user("local", "call_agent", site=a_site("virton"))
        assert search(local, "van den berg").is_nobody
        assert not patients_of(local).exists()
        a_notice(patient=anne, site=a_site("virton"))
        assert search(local, "van den berg").patients == [anne]

    def test_no_more_than_twenty_are_shown(self, agent) -> None:
        for _ in range(21):
            an_appointment(patient=a_patient(family_name="Dubois"))
        found = search(agent, "dubois")
        assert (len(found.patients), found.is_more) == (20, True)

    def test_a_given_name_that_many_bear_shows_the_first_and_says_that_there_are_more(
        self, agent
    ) -> None:
        for number in range(21):
            an_appointment(patient=a_patient(family_name=f"Nom{number:02}", given_name="Marie"))
        found = search(agent, "marie")
        assert [one.family_name for one in found.patients] == [f"Nom{n:02}" for n in range(20)]
        assert found.is_more

    def test_elsewhere_nobody_is_found_by_a_given_name(self, anne) -> None:
        an_appointment(patient=anne)
        local = a_user("local", "call_agent", site=a_site("virton"))
        assert search(local, "anne").is_nobody

    def test_a_search_asks_as_often_for_many_as_for_one(
        self, agent, anne, django_assert_num_queries
    ) -> None:
        an_appointment(patient=anne)
        search(agent, "anne")
        for _ in range(5):
            an_appointment(patient=a_patient(given_name="Anne"))
        with django_assert_num_queries(4):  # names that sound alike are one
            assert len(search(agent, "anne").patients) == 6

    @pytest.mark.parametrize("typed", ["", " ", "d", "%"])
    def test_too_little_finds_nobody(self, agent, typed) -> None:
        an_appointment(patient=a_patient(family_name="Dubois"))
        assert search(agent, typed).patients == []


class TestDays:
    def test_what_the_notice_says_is_read_out(self, agent) -> None:
        appointment = ruled()
        (day,) = days_of(appointment.patient, agent)
        assert (day.day, day.appointments) == (appointment.day, [appointment])
        assert day.notice == Notice.objects.get()
        assert "il est annulé" in day.said
        assert (day.answer, day.may_change_until) == ("told", RELEASE)

    def test_an_sms_that_left_is_listed_with_when_and_what_it_said(self, agent) -> None:
        appointment = ruled()
        with time_machine.travel(RELEASE, tick=False):
            send(FakeGateway(has_receipts=True))
        with time_machine.travel(RELEASE + dt.timedelta(hours=2), tick=False):
            (day,) = days_of(appointment.patient, agent)
        (sms,) = day.sent
        assert (sms.submitted_at, sms.state) == (RELEASE, "accepted")
        assert "ANNUL" in sms.body
        assert (day.has_left, day.answer, day.notice.state) == (True, "in_force", "open")

    def test_so_is_that_of_a_decision_that_was_replaced(self, agent) -> None:
        doctor = a_user("docteur", "doctor")
        appointment = ruled(practitioner=a_practitioner("dr-1", user=doctor))
        Delivery.objects.update(
            state="delivered", submitted_at=SATURDAY_NOON, finished_at=SATURDAY_NOON, body="Annulé"
        )
        Notice.objects.update(state="told", handed_over_at=SATURDAY_NOON, settled_at=SATURDAY_NOON)
        keeping.keep(appointment_id=appointment.pk, by=doctor)
        (day,) = days_of(appointment.patient, agent)
        assert [one.body for one in day.sent] == ["Annulé"]
        assert (day.has_left, day.answer) == (False, "told")  # the news is still to be told

    def test_what_waits_or_failed_was_not_sent(self, agent, anne) -> None:
        an_sms(a_notice(patient=anne), state="failed", submitted_at=SATURDAY_NOON)
        an_sms(a_notice(patient=anne, items=[("2022-05-17 09:10", "cancelled")]))
        assert [(day.sent, day.has_left) for day in days_of(anne, agent)] == [([], False)] * 2

    def test_what_nobody_is_told_of_has_its_sentence_too(self, agent) -> None:
        appointment = ruled(service="blood_sampling")
        (day,) = days_of(appointment.patient, agent)
        assert day.notice is None
        assert "est maintenu" in day.said
        assert day.answer == "in_force"

    @pytest.mark.parametrize(
        ("service", "words"), [("surgery", "pas encore prise"), ("other", "toujours prévu")]
    )
    def test_what_is_not_decided_is_said_to_be_so(self, agent, service, words) -> None:
        appointment = ruled(service=service)
        (day,) = days_of(appointment.patient, agent)
        assert words in day.said
        assert day.answer == "not_known"

    def test_a_day_half_told_is_read_out_whole(self, agent, anne) -> None:
        an_appointment(patient=anne, service="blood_sampling", starts="2022-05-16 08:00")
        ruled(patient=anne)
        (day,) = days_of(anne, agent)
        assert len(day.sentences) == 2
        assert "il est annulé" in day.sentences[0]
        assert "08:00 est maintenu" in day.sentences[1]

    def test_a_kept_patient_hears_that_they_may_come(self, agent) -> None:
        doctor = a_user("docteur", "doctor")
        appointment = ruled(practitioner=a_practitioner("dr-1", user=doctor))
        keeping.keep(appointment_id=appointment.pk, by=doctor)
        (day,) = days_of(appointment.patient, agent)
        assert "Il est maintenu" in day.said

    def test_what_is_past_is_not_read_out(self, agent, anne) -> None:
        an_appointment(patient=anne, starts="2022-05-13 08:00")
        (day,) = days_of(anne, agent)
        assert (day.day, day.answer) == (None, "not_known")
        assert "pas de rendez-vous à venir" in day.said

    def test_what_was_seen_changes_with_what_holds(self, agent) -> None:
        doctor = a_user("docteur", "doctor")
        appointment = ruled(practitioner=a_practitioner("dr-1", user=doctor))
        (before,) = days_of(appointment.patient, agent)
        (again,) = days_of(appointment.patient, agent)
        assert before.seen == again.seen
        keeping.keep(appointment_id=appointment.pk, by=doctor)
        (after,) = days_of(appointment.patient, agent)
        assert after.seen != before.seen

    def test_only_the_agents_places_are_shown(self, anne) -> None:
        ruled(patient=anne)
        an_appointment(
            patient=anne, unit=a_unit("virton-orl", site="virton"), starts="2022-05-17 09:00"
        )
        local = a_user("local", "call_agent", site=a_site("virton"))
        (day,) = days_of(anne, local)
        assert day.day == dt.date(2022, 5, 17)
