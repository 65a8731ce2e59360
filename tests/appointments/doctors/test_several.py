"""Several patients with one tap, with and without JavaScript."""

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment
from tests.appointments.bulletins.builders import in_force
from tests.builders import a_patient, a_practitioner, an_appointment
from tests.page_rules import faults_of
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def client(doctor) -> Client:
    return signed_in(doctor)


@pytest.fixture
def three(doctor) -> list[Appointment]:
    """Return two consultations that may be kept and an examination that nobody may keep."""
    own = doctor.practitioner
    made = [an_appointment(practitioner=own) for _ in range(2)]
    scan = a_patient(family_name="Scanner")
    made.append(an_appointment(practitioner=own, service="radiology", patient=scan))
    in_force()
    return made


def send(client: Client, choice: str, chosen: list, *, htmx: bool = True, **more) -> HttpResponse:
    sent = {"choice": choice, "appointment": chosen} | more
    headers = HTMX if htmx else {}
    return client.post(reverse("several"), sent, headers=headers)


def marks(appointments: list[Appointment]) -> list[str]:
    return [f"{one.pk}-1" for one in appointments]


def test_cards_that_may_be_decided_have_a_box_and_the_page_a_bar(client, three):
    page = client.get(reverse("doctor_day")).content.decode()
    assert page.count('form="several"') == 2
    assert f'value="{three[0].pk}-1"' in page
    assert f'action="{reverse("several")}"' in page
    assert faults_of(page) == []


def test_without_anything_to_decide_there_is_no_bar(client, doctor):
    an_appointment(practitioner=doctor.practitioner, service="radiology")
    in_force()
    assert 'id="several"' not in client.get(reverse("doctor_day")).content.decode()


def test_every_card_comes_back_with_the_counts_and_what_became_of_them(client, three):
    answer = send(client, "keep", marks(three))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "2 gardés, 1 refusé" in page
    assert "<html" not in page
    for one in three:
        assert f'id="appointment-{one.pk}"' in page
    assert page.count('hx-swap-oob="true"') == 6  # the cards, the counts and the filter
    assert "ne laisse personne garder" in page
    assert "<strong>2</strong> gardés" in page
    assert "autofocus" not in page
    assert faults_of(page, whole=False) == []


def test_letting_go_several_is_said_back(client, three):
    page = send(client, "let_go", marks(three[:2])).content.decode()
    assert "2 annulations confirmées" in page
    assert Appointment.objects.filter(outcome_basis="person", outcome="cancelled").count() == 2


def test_without_javascript_the_page_says_what_became_of_them(client, three):
    answer = send(client, "keep", marks(three), htmx=False, next="/my-day/?cursor=x")
    assert answer["Location"] == "/my-day/?cursor=x"
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert said[0] == "2 gardés, 1 refusé"
    assert said[1].startswith("SCANNER Anne : Le bulletin ne laisse personne")


@pytest.mark.parametrize(
    ("choice", "chosen", "sentence"),
    [
        ("keep", [], "Cochez d&#x27;abord les patients"),
        ("keep", ["x"], "rechargez la page"),
        ("keep", ["1-x"], "rechargez la page"),
        ("keep", ["²-1"], "rechargez la page"),
        ("keep", ["9" * 40], "rechargez la page"),
        ("", ["1-1"], "Choisissez : garder ou laisser annuler."),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_done(client, three, choice, chosen, sentence):
    answer = send(client, choice, chosen)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Appointment.objects.filter(outcome_basis="person").exists()


def test_an_empty_choice_without_javascript_leads_back_with_the_reason(client, three):
    answer = send(client, "keep", [], htmx=False)
    assert answer["Location"] == reverse("doctor_day")
    assert "Cochez" in str(next(iter(get_messages(answer.wsgi_request))))


def test_one_of_somebody_else_among_them_and_nothing_is_done(client, three):
    other = an_appointment(practitioner=a_practitioner("dr-2"))
    answer = send(client, "keep", marks([three[0], other]))
    assert answer.status_code == 404
    assert "n&#x27;est plus, l&#x27;un des vôtres" in answer.content.decode()
    assert not Appointment.objects.filter(outcome_basis="person").exists()


def test_the_answer_takes_as_many_queries_for_the_cards_of_one_as_of_nine(
    client, doctor, django_assert_max_num_queries
):
    """Deciding costs by the patient; showing what became of it does not."""
    queries = []
    for number in (1, 9):
        made = [an_appointment(practitioner=doctor.practitioner) for _ in range(number)]
        in_force()
        send(client, "keep", marks(made))
        with django_assert_max_num_queries(400) as counted:
            send(client, "keep", marks(made))
        queries.append(len(counted))
    per_patient = (queries[1] - queries[0]) / 8
    assert per_patient == int(per_patient)
    assert per_patient <= 12
