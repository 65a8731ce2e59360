"""Doctors keep patients, the Medical Director rules on operations, patients learn of it once."""

import datetime as dt

import pytest
import time_machine

from appointments.models import Appointment
from appointments.services import keeping, operations
from appointments.services.bulletins import ClauseDraft
from notifications.models import Delivery, Notice
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Delegation
from tests.appointments.bulletins import RELEASE, SATURDAY_NOON, in_force
from tests.builders import a_patient, a_practitioner, a_site, a_user, an_appointment, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


def states(appointment: Appointment) -> list[tuple[str, str]]:
    """Return (state, what is said) of the patient's notices."""
    return list(
        Notice.objects.filter(patient=appointment.patient_id)
        .order_by("version")
        .values_list("state", "items__word")
    )


class TestKeeping:
    def test_the_unsent_sms_is_withdrawn_and_the_doctor_calls(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor, reason="Plaie à revoir")
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("maintained", "person")
        assert states(consultation) == [("withdrawn", "cancelled"), ("open", "maintained")]
        notice = Notice.objects.get(state="open")
        assert notice.reserved_for == doctor.practitioner
        call = Delivery.objects.get(notice=notice)
        assert (call.channel, call.state, call.not_before) == ("phone", "queued", RELEASE)

    def test_a_second_tap_changes_nothing(self, consultation, doctor):
        first = keeping.keep(appointment_id=consultation.pk, by=doctor)
        assert keeping.keep(appointment_id=consultation.pk, by=doctor) == first
        assert consultation.decisions.count() == 2

    def test_undo_lets_the_bulletin_rule_again(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("cancelled", "clause")
        assert [state for state, _ in states(consultation)] == ["withdrawn", "withdrawn", "open"]

    def test_whoever_was_told_cancelled_already_is_called(self, consultation, doctor):
        Notice.objects.update(state="told", handed_over_at=RELEASE, settled_at=RELEASE)
        Delivery.objects.update(state="delivered")
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        assert states(consultation) == [("told", "cancelled"), ("open", "maintained")]
        assert Notice.objects.get(state="open").reserved_for is None

    def test_the_other_appointment_of_the_day_is_still_cancelled(self, doctor):
        patient = a_patient()
        kept = an_appointment(patient=patient, practitioner=doctor.practitioner)
        an_appointment(patient=patient, service="radiology", starts="2022-05-16 14:00")
        in_force()
        keeping.keep(appointment_id=kept.pk, by=doctor)
        said = Notice.objects.get(state="open").items.order_by("starts_at")
        assert [item.word for item in said] == ["maintained", "cancelled"]

    def test_a_delegate_keeps_in_the_doctor_s_name(self, consultation, doctor):
        delegate = a_user("assistante", "doctor")
        with pytest.raises(Refusal, match="délégué"):
            keeping.keep(appointment_id=consultation.pk, by=delegate)
        Delegation.objects.create(
            practitioner=doctor.practitioner, delegate=delegate, given_at=SATURDAY_NOON
        )
        again = type(delegate).objects.get(pk=delegate.pk)
        keeping.keep(appointment_id=consultation.pk, by=again)
        assert AuditEvent.objects.get(action="appointment.kept").actor == delegate

    def test_after_the_deadline_the_doctor_is_told_whom_to_call(self, consultation, doctor):
        with (
            time_machine.travel(at("2022-05-15 18:01"), tick=False),
            pytest.raises(Refusal, match="délai"),
        ):
            keeping.keep(appointment_id=consultation.pk, by=doctor)

    def test_a_kept_patient_outlives_the_next_bulletin(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        in_force()
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("maintained", "person")

    def test_letting_go_confirms_the_cancellation_and_keeps_its_sms(self, consultation, doctor):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("cancelled", "person")
        assert states(consultation) == [("open", "cancelled")]


class TestWhatSomebodyElseDecidedMeanwhile:
    @pytest.fixture
    def delegate(self, doctor):
        """Return somebody who keeps in the doctor's name."""
        user = a_user("assistante", "doctor", first_name="Ada", last_name="Aide")
        Delegation.objects.create(
            practitioner=doctor.practitioner, delegate=user, given_at=SATURDAY_NOON
        )
        return user

    @pytest.mark.parametrize(
        ("theirs", "mine", "word"),
        [(keeping.keep, keeping.let_go, "maintenu"), (keeping.let_go, keeping.keep, "annulé")],
    )
    def test_is_not_overwritten_unseen(self, consultation, doctor, delegate, theirs, mine, word):
        seen = consultation.decision_version
        theirs(appointment_id=consultation.pk, by=delegate, seen=seen)
        with pytest.raises(Refusal, match=f"Ada Aide a décidé entre-temps : {word}"):
            mine(appointment_id=consultation.pk, by=doctor, seen=seen)
        mine(appointment_id=consultation.pk, by=doctor, seen=seen + 1)
        assert consultation.decisions.count() == 3

    def test_is_not_taken_back_unseen(self, consultation, doctor, delegate):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        keeping.let_go(appointment_id=consultation.pk, by=delegate)
        with pytest.raises(Refusal, match="annulé"):
            keeping.undo(appointment_id=consultation.pk, by=doctor, seen=2)

    def test_is_no_conflict_when_it_is_what_is_asked(self, consultation, doctor, delegate):
        theirs = keeping.keep(appointment_id=consultation.pk, by=delegate, seen=1)
        assert keeping.keep(appointment_id=consultation.pk, by=doctor, seen=1) == theirs

    def test_one_s_own_earlier_tap_is_no_conflict(self, consultation, doctor):
        """Its answer may have been lost on the way."""
        keeping.keep(appointment_id=consultation.pk, by=doctor, seen=1)
        keeping.let_go(appointment_id=consultation.pk, by=doctor, seen=1)
        consultation.refresh_from_db()
        assert consultation.outcome == "cancelled"

    def test_two_directors_do_not_overwrite_each_other(self):
        operation = an_appointment(service="surgery")
        in_force()
        first, second = (a_user(name, "medical_director") for name in ("d1", "d2"))
        ruled = {"appointment_id": operation.pk, "seen": 1}
        operations.rule(**ruled, by=first, outcome="cancelled")
        with pytest.raises(Refusal, match="d1 a décidé entre-temps : annulé"):
            operations.rule(**ruled, by=second, outcome="maintained")


class TestContacted:
    def test_the_patient_is_told_once_the_doctor_says_so(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        for _ in range(2):
            keeping.contacted(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-1] == ("told", "maintained")

    def test_undoing_after_the_call_tells_the_patient_again(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        keeping.contacted(appointment_id=consultation.pk, by=doctor)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-2:] == [("told", "maintained"), ("open", "cancelled")]

    def test_a_stranger_cannot_say_so(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        with pytest.raises(AccessRefused):
            keeping.contacted(appointment_id=consultation.pk, by=a_user("autre", "doctor"))


class TestTakingContactedBack:
    """The doctor tapped "contacted" beside the right card."""

    @pytest.fixture
    def told(self, consultation, doctor) -> Notice:
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        return keeping.contacted(appointment_id=consultation.pk, by=doctor)

    def test_the_patient_is_to_be_called_again_as_before(self, consultation, doctor, told):
        for _ in range(2):
            keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        told.refresh_from_db()
        assert (told.state, told.settled_at, told.settled_by) == ("open", None, None)
        assert told.handed_over_at is None
        noted, waiting = Delivery.objects.filter(notice=told).order_by("number")
        assert (noted.state, noted.caller, noted.submitted_at) == ("withdrawn", doctor, None)
        assert (waiting.state, waiting.not_before) == ("queued", RELEASE)
        event = AuditEvent.objects.get(action="call.taken_back")
        assert (event.actor, event.object_id) == (doctor, str(told.pk))

    def test_they_can_then_be_told_for_good(self, consultation, doctor, told):
        keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        keeping.contacted(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-1] == ("told", "maintained")

    def test_or_the_decision_undone_with_nothing_said(self, consultation, doctor, told):
        keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-2:] == [("withdrawn", "maintained"), ("open", "cancelled")]

    def test_what_had_left_before_the_call_still_counts_as_left(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        earlier = SATURDAY_NOON - dt.timedelta(hours=1)
        Notice.objects.filter(state="open").update(handed_over_at=earlier)
        keeping.contacted(appointment_id=consultation.pk, by=doctor)
        notice = keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        assert notice.handed_over_at == earlier

    def test_only_whoever_noted_it_takes_it_back(self, consultation, doctor, told):
        delegate = a_user("assistante", "doctor")
        Delegation.objects.create(
            practitioner=consultation.practitioner, delegate=delegate, given_at=SATURDAY_NOON
        )
        with pytest.raises(Refusal, match="Seule la personne qui a noté"):
            keeping.not_contacted(appointment_id=consultation.pk, by=delegate)
        told.refresh_from_db()
        assert told.state == "told"

    def test_a_stranger_cannot(self, consultation, told):
        with pytest.raises(AccessRefused):
            keeping.not_contacted(appointment_id=consultation.pk, by=a_user("autre", "doctor"))

    def test_once_the_decision_changed_it_stays_said(self, consultation, doctor, told):
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        with pytest.raises(Refusal, match="La décision a changé"):
            keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-2:] == [("told", "maintained"), ("open", "cancelled")]

    def test_once_the_appointment_began_it_stays_said(self, consultation, doctor, told):
        with (
            time_machine.travel(consultation.starts_at, tick=False),
            pytest.raises(Refusal, match="a commencé"),
        ):
            keeping.not_contacted(appointment_id=consultation.pk, by=doctor)


class TestOperations:
    @pytest.mark.parametrize("outcome", ["maintained", "cancelled"])
    def test_the_director_rules_and_a_person_calls(self, operation, outcome):
        director = a_user("directeur", "medical_director")
        operations.rule(appointment_id=operation.pk, by=director, outcome=outcome)
        operation.refresh_from_db()
        assert (operation.outcome, operation.outcome_basis) == (outcome, "person")
        assert states(operation) == [("open", outcome)]
        call = Delivery.objects.get()
        assert (call.channel, call.state, call.not_before) == ("phone", "queued", SATURDAY_NOON)

    @pytest.mark.parametrize("role", ["surgeon", "nurse", "crisis_cell", "doctor"])
    def test_nobody_else_rules(self, operation, role):
        with pytest.raises(AccessRefused):
            operations.rule(appointment_id=operation.pk, by=a_user("x", role), outcome="cancelled")

    def test_a_director_of_another_site_does_not_rule(self, operation):
        elsewhere = a_user("x", "medical_director", site=a_site("virton"))
        with pytest.raises(AccessRefused, match="ressort"):
            operations.rule(appointment_id=operation.pk, by=elsewhere, outcome="cancelled")

    @pytest.mark.parametrize("kept_by", ["doctor", "nobody"])
    def test_the_director_alone_rules_whatever_the_clause_says(self, doctor, kept_by):
        """A clause on all services may not know that there are operations among them."""
        operation = an_appointment(service="surgery", practitioner=doctor.practitioner)
        in_force(ClauseDraft("cancel", "cancelled", kept_by=kept_by))
        with pytest.raises(Refusal, match="Seul le Directeur médical"):
            keeping.keep(appointment_id=operation.pk, by=doctor)
        operations.rule(
            appointment_id=operation.pk,
            by=a_user("directeur", "medical_director"),
            outcome="maintained",
        )
        operation.refresh_from_db()
        assert (operation.outcome, operation.outcome_basis) == ("maintained", "person")

    @pytest.mark.parametrize("decide", [keeping.keep, keeping.let_go, keeping.undo])
    def test_who_directs_elsewhere_does_not_rule_on_their_own_operation(self, decide):
        surgeon = a_user("chirurgien", "surgeon")
        surgeon.role_assignments.create(role="medical_director", site=a_site("virton"))
        own = an_appointment(service="surgery", practitioner=a_practitioner("dr-s", user=surgeon))
        in_force()
        with pytest.raises(Refusal, match="Seul le Directeur médical"):
            decide(appointment_id=own.pk, by=surgeon)
        own.refresh_from_db()
        assert own.outcome == "under_review"

    def test_a_changed_ruling_before_the_call_replaces_it(self, operation):
        director = a_user("directeur", "medical_director")
        for outcome in ("maintained", "cancelled"):
            operations.rule(appointment_id=operation.pk, by=director, outcome=outcome)
        assert states(operation) == [("withdrawn", "maintained"), ("open", "cancelled")]

    def test_opinions_are_noted_and_change_nothing(self, operation):
        nurse = a_user("nurse", "nurse")
        operations.give_opinion(appointment_id=operation.pk, by=nurse, role="nurse", view="cancel")
        operation.refresh_from_db()
        assert operation.outcome == "under_review"
        assert operation.opinions.get().given_by == nurse

    def test_an_opinion_sent_twice_is_noted_once(self, operation):
        nurse = a_user("nurse", "nurse")
        said = {"by": nurse, "role": "nurse", "view": "cancel", "comment": "Pas de lit"}
        first = operations.give_opinion(appointment_id=operation.pk, **said)
        assert operations.give_opinion(appointment_id=operation.pk, **said) == first
        assert operation.opinions.count() == 1
        assert AuditEvent.objects.filter(action="operation.opinion").count() == 1

    def test_another_view_another_comment_or_another_person_is_a_new_opinion(self, operation):
        nurse, colleague = a_user("nurse", "nurse"), a_user("nurse2", "nurse")
        for by, view, comment in (
            (nurse, "cancel", "Pas de lit"),
            (nurse, "maintain", "Pas de lit"),
            (nurse, "cancel", "Pas de lit"),  # back again: no repetition of the newest
            (nurse, "cancel", ""),
            (colleague, "cancel", ""),
        ):
            operations.give_opinion(
                appointment_id=operation.pk, by=by, role="nurse", view=view, comment=comment
            )
        assert operation.opinions.count() == 5

    def test_an_opinion_is_about_an_operation(self):
        nurse = a_user("nurse", "nurse")
        with pytest.raises(Refusal, match="opération"):
            operations.give_opinion(
                appointment_id=an_appointment().pk, by=nurse, role="nurse", view="cancel"
            )

    def test_a_nurse_does_not_speak_as_the_surgeon(self, operation):
        nurse = a_user("nurse", "nurse")
        with pytest.raises(Refusal, match="Choisissez votre rôle"):
            operations.give_opinion(
                appointment_id=operation.pk, by=nurse, role="surgeon", view="cancel"
            )
