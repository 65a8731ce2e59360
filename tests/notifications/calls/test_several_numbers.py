"""A patient with several numbers: each is offered, and called before the trying ends."""

import pytest
from django.urls import reverse

from notifications.calls import services as calls
from notifications.calls.sheet import rows
from notifications.models import Delivery
from patients.models import Patient
from patients.phones import Phone
from patients.services.registration import write_numbers
from tests.builders import a_patient
from tests.notifications.builders import a_call, a_notice

HOME, MOBILE, DAUGHTER, OFFICE = "+3263223344", "+32495123456", "+32496123456", "+3263556677"


def reachable_at_four() -> Patient:
    """Return a patient with a mobile, a landline, a daughter's mobile and an office."""
    patient = a_patient(mobile=MOBILE, landline=HOME)
    numbers = [
        Phone(MOBILE, is_mobile=True),
        Phone(HOME, is_mobile=False),
        Phone(DAUGHTER, is_mobile=True, label="fille"),
        Phone(OFFICE, is_mobile=False, label="bureau"),
    ]
    write_numbers({patient.pk: numbers})
    return patient


@pytest.mark.django_db
@pytest.mark.usefixtures("sunday")
class TestTheCallList:
    def test_who_does_not_answer_is_tried_on_every_number_before_giving_up(
        self, agent, sunday
    ) -> None:
        call = a_call(a_notice(patient=reachable_at_four()), address=HOME)
        rung = []
        while taken := calls.take_next(by=agent):
            rung.append(taken.address)
            calls.log(delivery_id=taken.pk, by=agent, result="no_answer")
            sunday.shift(1801)
        assert rung == [HOME, MOBILE, DAUGHTER, OFFICE]
        call.notice.refresh_from_db()
        assert call.notice.state == "unreachable"

    def test_the_number_that_was_called_is_the_wrong_one_not_the_one_proposed(self, agent) -> None:
        call = a_call(a_notice(patient=reachable_at_four()), address=HOME)
        calls.take_next(by=agent)
        calls.log(delivery_id=call.pk, by=agent, result="wrong_number", number=OFFICE)
        assert list(Delivery.objects.order_by("id").values_list("address", flat=True)) == [
            OFFICE,
            HOME,
        ]

    def test_a_number_that_is_not_the_patients_is_not_written_down(self, agent) -> None:
        call = a_call(a_notice(patient=reachable_at_four()), address=HOME)
        calls.log(delivery_id=call.pk, by=agent, result="no_answer", number="+32470000000")
        call.refresh_from_db()
        assert call.address == HOME

    def test_the_page_offers_the_next_ones_in_order_and_whose_they_are(self, agent, client) -> None:
        call = a_call(a_notice(patient=reachable_at_four()), address=HOME)
        calls.take(delivery_id=call.pk, by=agent)
        client.force_login(agent)
        page = client.get(reverse("call", args=[call.pk])).content.decode()
        places = [page.index(f"tel:{number}") for number in (HOME, MOBILE, DAUGHTER, OFFICE)]
        assert places == sorted(places)
        assert "0496 12 34 56 (fille)" in page
        answer = {"result": "no_answer", "number": DAUGHTER}
        client.post(reverse("call", args=[call.pk]), answer)
        call.refresh_from_db()
        assert (call.failure, call.address) == ("no_answer", DAUGHTER)

    def test_the_sheet_has_them_all(self, agent) -> None:
        a_call(a_notice(patient=reachable_at_four()), address=MOBILE)
        calls.take_on_paper(by=agent, number=1)
        (row,) = rows(agent)
        assert [one.number for one in row.numbers] == [MOBILE, HOME, DAUGHTER, OFFICE]

    def test_a_caller_is_found_by_any_of_them(self, agent, client) -> None:
        patient = a_notice(patient=reachable_at_four()).patient
        client.force_login(agent)
        page = client.get(reverse("incoming"), {"q": "063 55 66 77"}).content.decode()
        assert str(patient) in page
