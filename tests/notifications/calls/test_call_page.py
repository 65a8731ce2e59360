"""The call pages: who answers, one tap to the next, what waits, patients without number."""

import pytest
from django.test import Client
from django.urls import reverse

from notifications.calls import services as calls
from notifications.models import Delivery
from patients.models import Patient
from staff.models import AuditEvent, User
from tests.builders import a_patient, a_user, at
from tests.notifications.builders import a_call, a_notice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


@pytest.fixture
def caller(client: Client, agent: User) -> Client:
    """The browser of a call agent."""
    client.force_login(agent)
    return client


def nobody_known(**fields) -> Delivery:
    """Return a call of a patient without any number."""
    return a_call(a_notice(patient=a_patient(mobile="", **fields)), address="")


class TestToTheNext:
    def test_told_and_the_next_call_in_one_tap(self, caller, agent) -> None:
        first, second = a_call(), a_call()
        calls.take(delivery_id=first.pk, by=agent)
        page = caller.get(reverse("call", args=[first.pk])).content.decode()
        assert f"{reverse('call', args=[first.pk])}?then=next" in page
        answer = caller.post(f"{reverse('call', args=[first.pk])}?then=next", {"result": "reached"})
        assert answer.url == reverse("call", args=[second.pk])
        second.refresh_from_db()
        assert second.caller == agent

    def test_after_the_last_one_the_list_says_that_there_is_none(self, caller, agent) -> None:
        call = a_call()
        calls.take(delivery_id=call.pk, by=agent)
        address = f"{reverse('call', args=[call.pk])}?then=next"
        answer = caller.post(address, {"result": "reached"}, follow=True)
        said = " ".join(str(one) for one in answer.context["messages"])
        assert "Aucun patient n'est à appeler" in said

    def test_what_is_on_paper_goes_back_to_the_sheet(self, caller, agent) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=1)
        page = caller.get(reverse("call", args=[call.pk])).content.decode()
        assert "then=next" not in page


def test_the_call_begins_by_asking_who_answers_in_the_patients_language(caller, agent) -> None:
    call = a_call(a_notice(patient=a_patient(family_name="Peeters", language="nl")))
    page = caller.get(reverse("call", args=[call.pk])).content.decode()
    assert page.index("geboortedatum") < page.index("Ensuite : ce qu'il faut dire")
    assert "1er janvier 1960" in page


def test_an_unknown_hour_is_not_read_out(caller, agent) -> None:
    call = a_call(a_notice(items=[("2022-05-16 00:00", "cancelled")]))
    calls.take(delivery_id=call.pk, by=agent)
    page = caller.get(reverse("call", args=[call.pk])).content.decode()
    said = page.partition("say-title")[2].partition("</ul>")[0]
    assert said.count("--:--") == 2  # in the sentence and in the list
    assert "00:00</time>" not in said


class TestWhatWaits:
    def test_calls_whose_time_has_not_come_are_folded_away_and_counted(self, caller) -> None:
        due, later = a_call(), a_call(not_before=at("2022-05-15 18:00"))
        answer = caller.get(reverse("call_list"))
        assert [one.pk for one in answer.context["page"]] == [due.pk]
        assert [one.pk for one in answer.context["later"]] == [later.pk]
        assert "1 appel attend son heure" in " ".join(answer.content.decode().split())


class TestWithoutNumber:
    def test_they_are_a_list_of_their_own_that_says_how_to_reach_them(self, caller) -> None:
        a_call()
        unknown = nobody_known()
        page = " ".join(caller.get(reverse("call_list")).content.decode().split())
        assert "2 appels à passer" in page
        assert "dont 1 patient sans numéro" in page
        answer = caller.get(reverse("call_list"), {"show": "without"})
        assert [one.pk for one in answer.context["page"]] == [unknown.pk]
        assert "le médecin traitant" in answer.content.decode()

    def test_they_come_after_all_patients_with_a_number(self, agent) -> None:
        unknown, reachable = nobody_known(), a_call()
        assert calls.take_next(by=agent) == reachable
        calls.log(delivery_id=reachable.pk, by=agent, result="reached")
        assert calls.take_next(by=agent) == unknown

    def test_a_number_that_was_found_is_kept_and_called(self, caller, agent) -> None:
        call = nobody_known()
        caller.post(
            reverse("call_number", args=[call.pk]),
            {"found_number": "063 22 33 44", "found_at": "maison de repos"},
        )
        call.refresh_from_db()
        patient = Patient.objects.get()
        assert call.address == patient.landline == "+3263223344"
        assert [(one.number, one.label) for one in patient.numbers] == [
            ("+3263223344", "maison de repos")
        ]
        assert AuditEvent.objects.filter(action="patient.number_added", actor=agent).exists()
        assert calls.take_next(by=agent) == call

    @pytest.mark.parametrize("text", ["0495 12 34 5", "inconnu", "0495 12 34 56 / 063 22 33 44"])
    def test_what_cannot_be_dialled_is_refused_with_an_example(self, caller, text) -> None:
        call = nobody_known()
        address = reverse("call_number", args=[call.pk])
        answer = caller.post(address, {"found_number": text}, follow=True)
        said = " ".join(str(one) for one in answer.context["messages"])
        assert "un seul numéro" in said
        assert not Patient.objects.exclude(mobile="", landline="").exists()

    def test_a_number_found_for_somebody_reachable_stands_behind_the_others(self, agent) -> None:
        call = a_call(a_notice(patient=a_patient(mobile="+32495123456")))
        calls.found_number(delivery_id=call.pk, by=agent, text="0496 12 34 56", label="fille")
        patient = Patient.objects.get()
        assert patient.mobile == "+32495123456"
        assert [one.number for one in patient.numbers] == ["+32495123456", "+32496123456"]
        call.refresh_from_db()
        assert call.address == "+32495123456"

    def test_who_does_not_work_the_list_keeps_no_number(self, client) -> None:
        call = nobody_known()
        client.force_login(a_user("auditor", "auditor"))
        answer = client.post(reverse("call_number", args=[call.pk]), {"found_number": "1"})
        assert answer.status_code == 403
