"""Somebody rings in: found in seconds, read out to, logged."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.decisions import keeping
from appointments.models import Appointment
from notifications.models import Delivery, Notice, Question
from patients.models import Patient
from staff.models import AuditEvent, User
from tests.appointments.bulletins.builders import RELEASE, in_force
from tests.builders import a_patient, a_site, a_user, an_appointment
from tests.notifications.builders import FakeGateway, a_notice, send
from tests.page_rules import faults_of
from tests.pages import HTMX

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def agent(client: Client) -> User:
    """A call agent of the whole group, signed in."""
    user = a_user("agent", "call_agent")
    client.force_login(user)
    return user


@pytest.fixture
def cancelled(doctor) -> Appointment:
    """A consultation of Monday, cancelled, whose SMS waits for its release."""
    patient = a_patient(family_name="Lambert", language="nl")
    made = an_appointment(patient=patient, practitioner=doctor.practitioner)
    in_force()
    return made


def text(client: Client, address: str, **query) -> str:
    page = client.get(address, query)
    assert page.status_code == 200
    assert faults_of(page.content.decode()) == []
    return page.content.decode()


def patient_page(client: Client, patient: Patient, **query):
    return client.get(reverse("incoming_patient", args=[patient.pk]), query)


def say(client: Client, patient: Patient, place: int = 0, **sent):
    """Tap "said" below the day at this place, as the page shows it."""
    day, form = patient_page(client, patient, q=sent.get("q", "")).context["days"][place]
    values = {name: form.initial[name] or "" for name in ("day", "seen", "q")}
    address = reverse("incoming_answer", args=[patient.pk])
    return client.post(address, values | sent, follow=True)


class TestSearching:
    def test_names_that_sound_alike_stand_below_the_name_as_it_was_typed(
        self, client, agent
    ) -> None:
        for name in ("Dupont", "Dupond", "Durand"):
            an_appointment(patient=a_patient(family_name=name))
        page = text(client, reverse("incoming"), q="Dupond")
        assert page.index("DUPOND Anne") < page.index("prononce de la même") < page.index("DUPONT")
        assert "DURAND" not in page

    def test_htmx_gets_what_was_found_alone(self, client, agent, cancelled) -> None:
        page = client.get(reverse("incoming"), {"q": "lambert"}, headers=HTMX)
        assert "<html" not in page.content.decode()
        address = reverse("incoming_patient", args=[cancelled.patient_id])
        assert f"{address}?q=lambert" in page.content.decode()
        assert page.headers["HX-Push-Url"] == f"{reverse('incoming')}?q=lambert"

    def test_nobody_found_can_be_noted(self, client, agent) -> None:
        page = text(client, reverse("incoming"), q="Inconnu")
        assert "Personne ne correspond" in page
        sent = {"answer": "not_found", "q": "Inconnu", "remark": "rappelle demain"}
        client.post(reverse("incoming_unanswered"), sent)
        question = Question.objects.get()
        assert (question.answer, question.remark) == ("not_found", "Inconnu rappelle demain")

    def test_a_forged_reference_can_be_noted(self, client, agent) -> None:
        assert "Pas de nous" in text(client, reverse("incoming"), q="2222-XXX")
        client.post(reverse("incoming_unanswered"), {"answer": "not_ours", "q": "2222-XXX"})
        question = Question.objects.get()
        assert (question.answer, question.reference) == ("not_ours", "2222-XXX")

    def test_nothing_searched_is_nothing_noted(self, client, agent) -> None:
        page = client.post(reverse("incoming_unanswered"), {"answer": "not_ours"}, follow=True)
        assert "Rien n&#x27;est noté" in page.content.decode()
        assert not Question.objects.exists()

    def test_a_reference_that_a_newer_message_replaces_is_said_to_be_so(
        self, client, agent, cancelled, doctor
    ) -> None:
        old = Notice.objects.get()
        send(FakeGateway())
        keeping.keep(appointment_id=cancelled.pk, by=doctor)
        page = text(client, reverse("incoming"), q=old.reference)
        assert "bien de nous" in page
        assert "la décision a changé depuis" in page

    def test_a_reference_of_another_site_shows_no_patient(self, client) -> None:
        notice = a_notice(site=a_site("virton"))
        client.force_login(a_user("local", "call_agent", site=a_site("arlon")))
        page = text(client, reverse("incoming"), q=notice.reference)
        assert "Virton" in page
        assert str(notice.patient) not in page

    def test_the_old_address_of_the_check_leads_here(self, client, agent) -> None:
        assert client.get("/calls/reference/").url == reverse("incoming")

    def test_the_list_of_calls_leads_here(self, client, agent) -> None:
        assert reverse("incoming") in text(client, reverse("call_list"))

    def test_it_asks_as_much_for_one_as_for_many(
        self, client, agent, django_assert_max_num_queries
    ) -> None:
        an_appointment(patient=a_patient(family_name="Dubois"))
        client.get(reverse("incoming"), {"q": "dubois"})
        with CaptureQueriesContext(connection) as one:
            client.get(reverse("incoming"), {"q": "dubois"})
        number = len(one)
        for _ in range(15):
            an_appointment(patient=a_patient(family_name="Dubois"))
        with django_assert_max_num_queries(number):
            client.get(reverse("incoming"), {"q": "dubois"})


class TestReadingOut:
    def test_the_sentence_is_in_the_patients_language_and_that_it_was_seen_is_recorded(
        self, client, agent, cancelled
    ) -> None:
        address = reverse("incoming_patient", args=[cancelled.patient_id])
        page = text(client, address, q="lambert")
        assert 'lang="nl"' in page
        assert "kom niet" in page
        assert "Het gaat over uw afspraak" in page
        assert "Ik bel" not in page  # it is the patient who rings
        assert "peut encore changer jusqu'à" in page
        event = AuditEvent.objects.order_by("sequence").last()
        assert (event.action, event.object_id) == ("patient.viewed", str(cancelled.patient_id))

    def test_what_was_read_out_is_noted_and_nobody_tells_it_again(
        self, client, agent, cancelled, saturday_noon
    ) -> None:
        page = say(client, cancelled.patient, q="lambert", remark="sa fille")
        assert "prévenu pendant cet appel" in page.content.decode()
        assert "Déjà prévenu" in page.content.decode()
        question = Question.objects.get()
        assert (question.answer, question.found_by, question.remark) == ("told", "name", "sa fille")
        assert "kom niet" in question.said
        assert Notice.objects.get().state == "told"
        saturday_noon.shift(dt.timedelta(days=2))
        gateway = FakeGateway()
        send(gateway)
        assert gateway.messages == []

    def test_of_an_sms_that_left_the_page_says_so_and_noting_opens_nothing_more(
        self, client, agent, cancelled, saturday_noon
    ) -> None:
        saturday_noon.move_to(RELEASE)
        client.force_login(agent)
        send(FakeGateway(has_receipts=True))
        before = list(Delivery.objects.values_list("pk", "state"))
        page = patient_page(client, cancelled.patient).content.decode()
        assert "SMS parti dim 15 mai 18:00 au 046" in page.replace("Dim", "dim")
        assert "remis à l&#x27;opérateur" in page
        assert Delivery.objects.get().body in page
        assert "est déjà parti" in page
        assert "ni SMS ni appel ne suit" not in page
        page = say(client, cancelled.patient).content.decode()
        assert "ce qui vaut a été lu" in page
        assert list(Delivery.objects.values_list("pk", "state")) == before
        assert Notice.objects.get().state == "open"

    def test_the_reference_that_was_read_is_kept(self, client, agent, cancelled) -> None:
        reference = Notice.objects.get().reference
        say(client, cancelled.patient, q=reference)
        question = Question.objects.get()
        assert (question.found_by, question.reference) == ("reference", reference)

    def test_a_decision_that_changed_while_they_spoke_is_not_noted_as_read(
        self, client, agent, cancelled, doctor
    ) -> None:
        _day, form = patient_page(client, cancelled.patient).context["days"][0]
        keeping.keep(appointment_id=cancelled.pk, by=doctor)
        values = {name: form.initial[name] for name in ("day", "seen", "q")}
        address = reverse("incoming_answer", args=[cancelled.patient_id])
        page = client.post(address, values, follow=True).content.decode()
        assert "La décision a changé pendant l&#x27;appel" in page
        assert "kom zoals gepland" in page
        assert not Question.objects.exists()

    def test_what_is_not_decided_is_noted_so(self, client, agent) -> None:
        planned = an_appointment()
        say(client, planned.patient)
        question = Question.objects.get()
        assert (question.answer, question.patient) == ("not_known", planned.patient)

    def test_that_nothing_is_planned_is_noted_too(self, client, agent) -> None:
        past = an_appointment(starts="2022-05-10 09:00")
        page = say(client, past.patient)
        assert "pas encore de réponse" in page.content.decode()
        assert Question.objects.get().day is None

    def test_a_remark_that_is_too_long_is_said_at_its_field(self, client, agent, cancelled) -> None:
        page = say(client, cancelled.patient, remark="x" * 201)
        assert page.status_code == 422
        assert "is-invalid" in page.content.decode()
        assert not Question.objects.exists()

    def test_it_stands_in_the_history_of_the_appointment_and_on_the_page_of_the_notice(
        self, client, agent, cancelled
    ) -> None:
        say(client, cancelled.patient)
        history = text(client, reverse("appointment", args=[cancelled.pk]))
        assert "Appel reçu : prévenu pendant cet appel" in history
        sms = Notice.objects.get().deliveries.get(channel="sms")
        assert "Quelqu'un a appelé" in text(client, reverse("message", args=[sms.pk]))

    def test_it_asks_as_much_for_one_day_as_for_many(
        self, client, agent, cancelled, django_assert_max_num_queries
    ) -> None:
        patient = cancelled.patient
        address = reverse("incoming_patient", args=[patient.pk])
        client.get(address)
        with CaptureQueriesContext(connection) as one_day:
            client.get(address)
        number = len(one_day)
        for day in range(17, 24):
            an_appointment(patient=patient, starts=f"2022-05-{day} 09:00")
            a_notice(patient=patient, items=[(f"2022-05-{day} 10:00", "cancelled")])
        say(client, patient)
        with django_assert_max_num_queries(number + 1):  # who answered before
            client.get(address)

    def test_a_patient_of_another_site_is_not_found(self, client, cancelled) -> None:
        client.force_login(a_user("local", "call_agent", site=a_site("virton")))
        assert patient_page(client, cancelled.patient).status_code == 404
        address = reverse("incoming_answer", args=[cancelled.patient_id])
        assert client.post(address, {"seen": "x"}).status_code == 404
