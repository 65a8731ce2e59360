"""The decision changes while an agent has the patient on the phone: what was heard is kept."""

import datetime as dt
import html
from collections.abc import Callable

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from appointments.decisions import keeping, rulings
from appointments.models import Appointment
from appointments.paper.queries import roster_contents
from notifications.calls import services as calls
from notifications.lifecycle import notice_states
from notifications.models import Delivery, Notice, ToAskAgain
from notifications.telling.progress import holding_untrue
from staff import clock
from staff.models import AuditEvent, User
from tests.appointments.bulletins.builders import RELEASE, in_force, withdrawn
from tests.appointments.decisions.told import states
from tests.builders import a_patient, a_user, an_appointment, at
from vivalia_continuity.promises import PROMISES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def agent(client: Client) -> User:
    """Return a call agent, signed in."""
    made = a_user("agent", "call_agent")
    client.force_login(made)
    return made


def by_landline(doctor: User, **fields) -> Appointment:
    """Return a consultation of a patient who is told by phone."""
    patient = fields.pop("patient", None) or a_patient(mobile="", landline="+3263112233")
    return an_appointment(patient=patient, practitioner=doctor.practitioner, **fields)


def in_hand(agent: User, moment: dt.datetime = RELEASE) -> Delivery:
    """Return the call that an agent takes, due by now."""
    Delivery.objects.update(not_before=moment - dt.timedelta(days=2))
    call = calls.take_next(by=agent)
    assert call is not None
    return call


def withdraw_the_bulletin(appointment: Appointment, doctor: User) -> None:
    withdrawn(appointment.decisions.latest("version").bulletin_id)


def keep(appointment: Appointment, doctor: User) -> None:
    keeping.keep(appointment_id=appointment.pk, by=doctor)


def move(appointment: Appointment, doctor: User) -> None:
    """Move it at the source to a day on which it takes place."""
    Appointment.objects.filter(pk=appointment.pk).update(
        starts_at=at("2022-05-20 10:30"),
        day=dt.date(2022, 5, 20),
        moved_from=appointment.starts_at,
        moved_at=clock.now(),
    )
    rulings.rule_on(appointment_ids=[appointment.pk])


def cancel_at_the_source(appointment: Appointment, doctor: User) -> None:
    Appointment.objects.filter(pk=appointment.pk).update(status="cancelled")
    rulings.rule_on(appointment_ids=[appointment.pk])


CHANGES = [withdraw_the_bulletin, keep, move]
Change = Callable[[Appointment, User], None]


def text_of(answer: HttpResponse) -> str:
    """Return a page as it is read."""
    return " ".join(html.unescape(answer.content.decode()).split())


def broken() -> list[str]:
    return [fault for promise in PROMISES for fault in promise.faults()]


def reached(client: Client, call: Delivery, *, then: str = "", **more: object) -> str:
    """Tap that the patient was told; return the page that follows."""
    address = reverse("call", args=[call.pk]) + then
    return text_of(client.post(address, {"result": "reached", **more}, follow=True))


def open_words(patient_id: int) -> list[tuple[str, str]]:
    """Return (channel, word) of what waits to be said to a patient."""
    waiting = Delivery.objects.filter(notice__patient=patient_id, notice__state="open")
    return list(waiting.values_list("channel", "notice__items__word"))


def kept_and_told(appointment: Appointment, doctor: User, time: time_machine.Traveller) -> None:
    """Let the doctor keep the patient, and call them a minute later."""
    keep(appointment, doctor)
    time.shift(dt.timedelta(minutes=1))
    keeping.contacted(appointment_id=appointment.pk, by=doctor)


class TestThePatientHeardIt:
    @pytest.mark.parametrize("then", ["", "?then=next"], ids=["told", "told, next call"])
    @pytest.mark.parametrize("change", CHANGES)
    def test_it_counts_as_heard_and_the_contrary_call_is_open_at_once(
        self, client, agent, doctor, change: Change, then
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        change(appointment, doctor)
        page = reached(client, call, then=then)
        call.refresh_from_db()
        assert (call.state, call.caller) == ("delivered", agent)
        assert (call.notice.state, call.notice.handed_over_at) == ("withdrawn", call.finished_at)
        assert open_words(appointment.patient_id) == [("phone", "maintained")]
        assert holding_untrue() == (1 if change is not move else 0)
        new = Delivery.objects.get(notice__state="open")
        assert "le patient a entendu ce qui ne vaut plus" in page
        assert (
            reverse("call", args=[new.pk])
            in client.get(reverse("call", args=[call.pk])).content.decode()
        )
        assert not ToAskAgain.objects.exists()
        assert not broken()
        assert AuditEvent.objects.filter(action="call.reached", actor=agent).exists()

    def test_of_a_maintained_word_the_desk_cancelled_meanwhile(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        keep(appointment, doctor)
        call = in_hand(agent)
        cancel_at_the_source(appointment, doctor)
        assert open_words(appointment.patient_id) == []
        reached(client, call)
        assert open_words(appointment.patient_id) == [("phone", "cancelled")]
        assert not broken()

    def test_cancelled_at_the_source_too_leaves_nothing_to_say(self, client, agent, doctor):
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        cancel_at_the_source(appointment, doctor)
        assert "Aucun appel n'est à passer" in reached(client, call)
        assert open_words(appointment.patient_id) == []
        assert not broken()

    def test_the_contrary_call_is_then_made_once(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        withdraw_the_bulletin(appointment, doctor)
        reached(client, call)
        new = calls.take_next(by=agent)
        assert new is not None
        reached(client, new)
        assert states(appointment) == [("withdrawn", "cancelled"), ("told", "maintained")]
        assert open_words(appointment.patient_id) == []
        assert not broken()

    def test_a_second_tap_is_refused_kindly_and_changes_nothing(self, client, agent, doctor):
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        withdraw_the_bulletin(appointment, doctor)
        reached(client, call)
        assert "C'est déjà noté" in reached(client, call)
        assert Notice.objects.count() == 2

    def test_after_the_lease_ran_out_too(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        Delivery.objects.update(state="queued", claimed_by="", caller=None, lease_until=None)
        withdraw_the_bulletin(appointment, doctor)
        reached(client, call)
        assert open_words(appointment.patient_id) == [("phone", "maintained")]

    def test_after_the_doctor_told_the_contrary_it_is_the_last_word(
        self, client, agent, doctor, saturday_noon
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        kept_and_told(appointment, doctor, saturday_noon)
        saturday_noon.shift(dt.timedelta(minutes=1))
        assert "le patient a entendu ce qui ne vaut plus" in reached(client, call)
        assert open_words(appointment.patient_id) == [("phone", "maintained")]
        assert not broken()
        client.force_login(doctor)
        card = text_of(client.get(reverse("doctor_day")))
        assert "Le patient avait été averti du contraire : annulé" in card

    @pytest.mark.parametrize("change", [withdraw_the_bulletin, move])
    def test_by_the_doctor_who_kept_them_too(
        self, client, doctor, saturday_noon, change: Change
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        keep(appointment, doctor)
        client.force_login(doctor)
        card = client.get(reverse("doctor_day")).content.decode()
        notice = Notice.objects.get(state="open")
        assert f'name="said" value="{notice.pk}"' in card
        change(appointment, doctor)
        saturday_noon.shift(dt.timedelta(minutes=1))
        address = reverse("contacted", args=[appointment.pk])
        card = client.post(address, {"said": notice.pk}, headers={"HX-Request": "true"})
        assert "C'est noté, mais la décision a changé" in html.unescape(card.content.decode())
        notice.refresh_from_db()
        assert (notice.state, notice.handed_over_at) == ("withdrawn", clock.now())
        said = [("phone", "cancelled"), ("phone", "maintained")] if change is move else []
        assert sorted(open_words(appointment.patient_id)) == said
        assert not broken()

    def test_the_sheet_says_what_was_heard_last_too(
        self, client, agent, doctor, saturday_noon
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        kept_and_told(appointment, doctor, saturday_noon)
        keeping.undo(appointment_id=appointment.pk, by=doctor)
        saturday_noon.shift(dt.timedelta(minutes=1))
        reached(client, call)
        assert open_words(appointment.patient_id) == []  # "cancelled" holds, and was heard
        sheet = roster_contents(unit_ids=[appointment.unit_id], day=appointment.day)
        (row,) = sheet[appointment.unit_id].rows
        assert (row.told, row.told_word, row.is_told_otherwise) == ("told", "cancelled", False)
        assert not broken()

    def test_noted_later_it_is_not_the_last_word_if_it_was_said_before(
        self, client, agent, doctor, saturday_noon
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        keep(appointment, doctor)
        said_at = clock.now()
        saturday_noon.shift(dt.timedelta(minutes=1))
        keeping.contacted(appointment_id=appointment.pk, by=doctor)
        saturday_noon.shift(dt.timedelta(minutes=1))
        calls.log(delivery_id=call.pk, by=agent, result="reached", at=said_at)
        notice_states.answer()
        assert open_words(appointment.patient_id) == []
        assert not broken()

    def test_what_was_said_together_is_heard_together(self, client, agent, doctor) -> None:
        first = by_landline(doctor)
        second = by_landline(doctor, patient=first.patient, starts="2022-05-17 09:10")
        in_force(last_day=dt.date(2022, 5, 17))
        call = in_hand(agent)
        page = client.get(reverse("call", args=[call.pk]))
        said = [one.pk for one in page.context["together"]]
        assert len(said) == 2
        keep(second, doctor)  # the day of the call itself still holds
        reached(client, call, said=said)
        assert states(first)[0][0] == "told"
        notices = Notice.objects.filter(day=second.day).order_by("version")
        assert [one.state for one in notices] == ["withdrawn", "open"]
        assert notices[0].handed_over_at
        assert open_words(first.patient_id) == [("phone", "maintained")]
        assert not broken()

    def test_the_old_word_that_holds_again_is_not_said_twice(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        keep(appointment, doctor)
        keeping.undo(appointment_id=appointment.pk, by=doctor)
        assert open_words(appointment.patient_id) == [("phone", "cancelled")]
        assert "Aucun appel n'est à passer" in reached(client, call)
        assert open_words(appointment.patient_id) == []
        assert not broken()

    def test_told_heard_the_contrary_and_told_again_breaks_no_promise(
        self, client, agent, doctor
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        reached(client, in_hand(agent))
        keep(appointment, doctor)
        call = in_hand(agent)
        keeping.undo(appointment_id=appointment.pk, by=doctor)
        reached(client, call)  # they were told "maintained" meanwhile
        assert open_words(appointment.patient_id) == [("phone", "cancelled")]
        reached(client, in_hand(agent))
        assert [state for state, _word in states(appointment)] == ["told", "withdrawn", "told"]
        assert not broken()


class TestOnPaper:
    """The sheet was printed; the decision changes while its patients are rung without a screen."""

    def test_the_old_call_is_listed_to_whoever_had_it_and_notes_what_was_heard(
        self, client, agent, doctor
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        Delivery.objects.update(not_before=RELEASE - dt.timedelta(days=2))
        calls.take_on_paper(by=agent, number=1)
        call = Delivery.objects.get()
        withdraw_the_bulletin(appointment, doctor)
        address = reverse("call", args=[call.pk])
        for page in ("call_list", "call_sheet"):
            shown = text_of(client.get(reverse(page)))
            assert "ne les appelez plus" in shown
            assert address in shown
        reached(client, call, said=[call.pk])
        assert open_words(appointment.patient_id) == [("phone", "maintained")]
        assert "ne les appelez plus" not in text_of(client.get(reverse("call_sheet")))
        assert not broken()

    def test_a_colleague_is_not_shown_it(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        in_hand(agent)
        withdraw_the_bulletin(appointment, doctor)
        assert "ne les appelez plus" in text_of(client.get(reverse("call_list")))
        client.force_login(a_user("other", "call_agent"))
        assert "ne les appelez plus" not in text_of(client.get(reverse("call_list")))


class TestNothingWasHeard:
    @pytest.mark.parametrize("result", ["no_answer", "wrong_number", "call_back_later"])
    @pytest.mark.parametrize("change", CHANGES)
    def test_nothing_is_noted_and_nobody_is_called(
        self, client, agent, doctor, change: Change, result
    ) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        change(appointment, doctor)
        before = open_words(appointment.patient_id)
        page = text_of(
            client.post(reverse("call", args=[call.pk]), {"result": result}, follow=True)
        )
        assert "n'est plus à passer" in page
        call.refresh_from_db()
        assert (call.state, call.notice.handed_over_at) == ("withdrawn", None)
        assert open_words(appointment.patient_id) == before


class TestThePageOfTheOldCall:
    def test_it_neither_dials_nor_reads_out_the_old_word(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        withdraw_the_bulletin(appointment, doctor)
        answer = client.get(reverse("call", args=[call.pk]))
        page = text_of(answer)
        assert "ne dites plus rien de cet avis" in page
        assert "ce qu'il faut dire" not in page
        assert "tel:" not in answer.content.decode()
        assert reverse("incoming_patient", args=[appointment.patient_id]) in answer.content.decode()
        assert "Oui, je le lui ai dit" in page

    def test_its_own_button_notes_what_was_heard(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        withdraw_the_bulletin(appointment, doctor)
        page = reached(client, call, said=[call.pk])
        assert "Ce qui vaut maintenant" in page
        assert "est maintenu" in page or "toujours prévu" in page
        assert "Oui, je le lui ai dit" not in page

    def test_a_colleague_is_not_asked_what_they_said(self, client, agent, doctor) -> None:
        appointment = by_landline(doctor)
        in_force()
        call = in_hand(agent)
        withdraw_the_bulletin(appointment, doctor)
        client.force_login(a_user("other", "call_agent"))
        assert "Oui, je le lui ai dit" not in text_of(client.get(reverse("call", args=[call.pk])))
