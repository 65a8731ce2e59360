"""One tap on a card: keep, let go, undo, call; what is refused; with and without JavaScript."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from appointments.decisions import keeping
from appointments.models import Appointment, Decision
from notifications.models import Notice, NoticeState
from staff.models import Delegation
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, in_force
from tests.builders import a_practitioner, a_user, an_appointment
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def client(doctor) -> Client:
    return signed_in(doctor)


def tap(client: Client, name: str, appointment: Appointment, **sent: str):
    return client.post(reverse(name, args=[appointment.pk]), sent, headers=HTMX)


class TestOneTap:
    def test_keeping_swaps_the_card_and_says_whom_to_call(self, client, consultation):
        card = tap(client, "keep", consultation).content.decode()
        assert "<html" not in card
        assert card.strip().startswith("<article")
        for words in ("Gardé", "Maintenu", "Appelez ce patient", "Patient contacté", "Revenir"):
            assert words in card
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("maintained", "person")

    def test_a_reason_may_be_added(self, client, consultation):
        card = tap(client, "keep", consultation, reason="Plaie à revoir").content.decode()
        assert "Plaie à revoir" in card
        assert Decision.objects.latest("id").reason == "Plaie à revoir"

    def test_a_reason_that_does_not_fit_never_loses_the_tap(self, client, consultation):
        tap(client, "keep", consultation, reason="a" * 301)
        consultation.refresh_from_db()
        assert consultation.outcome == "maintained"

    @pytest.mark.parametrize("name", ["keep", "let_go", "undo_keep"])
    def test_tapping_twice_does_it_once(self, client, consultation, name):
        first = tap(client, name, consultation)
        decisions = Decision.objects.count()
        second = tap(client, name, consultation)
        assert (first.status_code, second.status_code) == (200, 200)
        assert Decision.objects.count() == decisions

    def test_undo_brings_the_bulletin_back(self, client, consultation):
        tap(client, "keep", consultation)
        card = tap(client, "undo_keep", consultation).content.decode()
        assert "Garder" in card
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("cancelled", "clause")

    def test_letting_go_confirms_the_cancellation(self, client, consultation):
        card = tap(client, "let_go", consultation).content.decode()
        assert "Annulation confirmée" in card
        assert "Revenir sur ce choix" in card

    def test_having_called_is_one_tap_and_is_said_back(self, client, consultation):
        tap(client, "keep", consultation)
        card = tap(client, "contacted", consultation).content.decode()
        assert "Patient prévenu" in card
        assert "Patient contacté" not in card
        assert Notice.objects.latest("id").state == NoticeState.TOLD

    def test_a_tap_on_contacted_by_mistake_is_taken_back(self, client, consultation):
        tap(client, "keep", consultation)
        assert "Finalement pas contacté" not in client.get(reverse("doctor_day")).content.decode()
        card = tap(client, "contacted", consultation).content.decode()
        assert "Finalement pas contacté" in card
        card = tap(client, "not_contacted", consultation).content.decode()
        assert "Appelez ce patient" in card
        assert ">Patient contacté</button>" in card
        assert "Finalement pas contacté" not in card
        assert client.get(reverse("doctor_day")).context["counts"].to_contact == 1

    def test_who_did_not_note_the_call_is_not_asked(self, client, consultation, doctor):
        tap(client, "keep", consultation)
        tap(client, "contacted", consultation)
        Notice.objects.filter(state="told").update(settled_by=a_user("agent", "call_agent"))
        assert "Finalement pas contacté" not in client.get(reverse("doctor_day")).content.decode()

    def test_whoever_takes_back_what_the_patient_heard_is_told_so(self, client, consultation):
        tap(client, "keep", consultation)
        tap(client, "contacted", consultation)
        card = tap(client, "undo_keep", consultation).content.decode()
        assert "Le patient avait été averti du contraire : maintenu" in card

    def test_the_counts_at_the_top_follow(self, client, consultation):
        tap(client, "keep", consultation)
        counts = client.get(reverse("doctor_day")).context["counts"]
        assert (counts.touched, counts.kept, counts.to_contact) == (1, 1, 1)
        tap(client, "contacted", consultation)
        counts = client.get(reverse("doctor_day")).context["counts"]
        assert counts.to_contact == 0

    def test_the_count_to_call_is_the_number_of_cards_that_say_call(self, client, doctor):
        """Also of those who had heard "cancelled", whose call any agent may take."""
        heard, new = (an_appointment(practitioner=doctor.practitioner) for _ in range(2))
        let_go = an_appointment(practitioner=doctor.practitioner)
        in_force()
        Notice.objects.filter(patient=heard.patient).update(
            state="told", handed_over_at=SATURDAY_NOON, settled_at=SATURDAY_NOON
        )
        for appointment in (heard, new):
            tap(client, "keep", appointment)
        tap(client, "let_go", let_go)
        page = client.get(reverse("doctor_day"))
        assert page.content.decode().count("Appelez ce patient") == 2
        assert page.context["counts"].to_contact == 2
        tap(client, "contacted", heard)
        assert client.get(reverse("doctor_day")).context["counts"].to_contact == 1


@pytest.fixture
def too_late(client, consultation, doctor, saturday_noon) -> Appointment:
    """Return the consultation a minute after its deadline; the doctor signed in again."""
    saturday_noon.move_to(RELEASE.replace(minute=1))
    client.force_login(doctor)
    return consultation


class TestWhatIsRefused:
    def test_past_the_deadline_the_card_says_so(self, client, too_late):
        page = client.get(reverse("doctor_day")).content.decode()
        assert "Le délai pour garder ce rendez-vous est passé" in page
        assert "Garder" not in page

    def test_a_tap_that_comes_too_late_gets_the_card_with_the_reason(self, client, too_late):
        answer = tap(client, "keep", too_late)
        card = answer.content.decode()
        assert answer.status_code == 409
        assert card.strip().startswith("<article")
        assert "refusal" in card
        assert "Le délai pour garder ce rendez-vous est passé" in card

    def test_what_nobody_may_keep_says_so(self, client, doctor):
        an_appointment(practitioner=doctor.practitioner, service="radiology")
        in_force()
        page = client.get(reverse("doctor_day")).content.decode()
        assert "Le bulletin ne laisse personne garder ce rendez-vous" in page

    def test_a_patient_who_heard_the_cancellation_is_marked_after_keeping(
        self, client, consultation
    ):
        Notice.objects.update(state="told", handed_over_at=SATURDAY_NOON, settled_at=SATURDAY_NOON)
        before = client.get(reverse("doctor_day")).content.decode()
        assert "Patient prévenu" in before
        card = tap(client, "keep", consultation).content.decode()
        assert "Appelez ce patient" in card
        assert "averti du contraire : annulé" in card


class TestWhatSomebodyElseDecided:
    def test_a_tap_on_a_stale_card_shows_what_now_holds_and_by_whom(self, client, consultation):
        delegate = a_user("assistante", "doctor", first_name="Ada", last_name="Aide")
        Delegation.objects.create(
            practitioner=consultation.practitioner, delegate=delegate, given_at=SATURDAY_NOON
        )
        seen = str(consultation.decision_version)
        keeping.keep(appointment_id=consultation.pk, by=delegate)
        answer = tap(client, "let_go", consultation, seen=seen)
        card = answer.content.decode()
        assert answer.status_code == 409
        assert "Ada AIDE a décidé entre-temps : maintenu" in card
        assert 'name="seen" value="2"' in card
        assert tap(client, "let_go", consultation, seen="2").status_code == 200

    @pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30])
    def test_a_bad_version_never_loses_the_tap(self, client, consultation, seen):
        assert tap(client, "keep", consultation, seen=seen).status_code == 200

    def test_a_tap_on_somebody_else_s_patient_says_so_at_the_card(self, client, doctor):
        other = an_appointment(practitioner=a_practitioner("dr-9"))
        answer = tap(client, "keep", other)
        assert answer.status_code == 404
        assert "Rechargez la page" in answer.content.decode()
        assert "<html" not in answer.content.decode()


class TestWithoutJavaScript:
    def test_the_form_leads_back_to_the_card(self, client, consultation):
        answer = client.post(reverse("keep", args=[consultation.pk]))
        assert answer["Location"] == f"/my-day/#appointment-{consultation.pk}"

    def test_or_to_the_page_it_was_sent_from(self, client, consultation):
        back = reverse("appointment", args=[consultation.pk])
        answer = client.post(reverse("keep", args=[consultation.pk]), {"next": back})
        assert answer["Location"] == f"{back}#appointment-{consultation.pk}"

    def test_but_never_elsewhere(self, client, consultation):
        sent = {"next": "https://example.org/"}
        answer = client.post(reverse("keep", args=[consultation.pk]), sent)
        assert answer["Location"].startswith("/my-day/")

    def test_a_refusal_is_shown_on_the_page(self, client, too_late):
        answer = client.post(reverse("keep", args=[too_late.pk]))
        assert answer.status_code == 302
        assert "Le délai" in str(next(iter(get_messages(answer.wsgi_request))))
