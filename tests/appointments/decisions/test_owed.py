"""What a patient is owed, given what holds and what they heard (ADR 0014)."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from appointments.bulletins import preview
from appointments.bulletins import services as bulletins
from appointments.decisions import keeping, rulings
from appointments.decisions.in_force import told_of
from appointments.feeds.importing import services as importing
from appointments.incoming import queries as incoming
from appointments.models import Appointment, Decision
from appointments.operations import services as operations
from appointments.paper.queries import roster_contents
from appointments.rules import ClauseTerms
from notifications.calls import questions
from notifications.calls import services as calls
from notifications.calls.queries import open_calls
from notifications.gateways import NotSent, ReceiptReport, Refused, Throttled
from notifications.models import Delivery, Notice, NoticeItem
from notifications.receipts import receive as receiving
from notifications.sending import handover
from notifications.sending import sweep as sweeping
from notifications.sending import switch as sending
from notifications.telling import by_hand as settling_by_hand
from notifications.telling.outbox import text_of
from patients.models import Patient
from staff.errors import Refusal
from staff.models import User
from tests.appointments.bulletins.builders import (
    RELEASE,
    a_draft,
    approved,
    in_force,
    somebody_in_the_crisis_cell,
    withdrawn,
)
from tests.appointments.decisions.source import changes
from tests.appointments.decisions.told import outcome, states
from tests.appointments.feeds.loads import terms
from tests.appointments.operations.builders import an_operation
from tests.builders import MONDAY, a_patient, a_practitioner, a_user, an_appointment, at
from tests.notifications.builders import FakeGateway, claim_due
from tests.pages import signed_in
from vivalia_continuity.promises import PROMISES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
FRIDAY = dt.date(2022, 5, 20)
CANCELLED = ClauseTerms("cancel", "cancelled", services=("consultation",))
BY_PHONE = ClauseTerms("cancel", "cancelled", channel="phone")
TELLS_ALL = ClauseTerms("maintain", "both", services=("consultation",))


@pytest.fixture
def agent() -> User:
    return a_user("agent", "call_agent")


def withdraw(**asked) -> None:
    """Have the bulletin in force withdrawn."""
    found = bulletins.Bulletin.objects.get(state="in_force")
    withdrawn(found.pk, **asked)


def waiting(patient: Patient) -> list[tuple]:
    """Return what waits to be said: day, channel, words."""
    live = Delivery.objects.filter(
        notice__patient=patient, notice__state="open", state__in=["held", "queued", "claimed"]
    )
    return [
        (
            one.notice.day.day,
            one.channel,
            *one.notice.items.order_by("starts_at", "id").values_list("word", flat=True),
        )
        for one in live.order_by("notice__day")
    ]


def told(appointment: Appointment) -> None:
    """Have all that waits about the patient said to them."""
    now = timezone.now()
    live = Delivery.objects.filter(
        notice__patient=appointment.patient_id, state__in=["held", "queued"]
    )
    for one in list(live):
        body = text_of(one) if one.channel == "sms" else ""
        Delivery.objects.filter(pk=one.pk).update(state="delivered", submitted_at=now, body=body)
        Notice.objects.filter(pk=one.notice_id).update(
            state="told", handed_over_at=now, settled_at=now
        )


def called_in_vain(appointment: Appointment, agent: User) -> None:
    """Have the open call end with the wrong number, the last one known."""
    call = Delivery.objects.get(
        notice__patient=appointment.patient_id, channel="phone", state="queued"
    )
    Delivery.objects.filter(pk=call.pk).update(not_before=timezone.now())
    calls.take(delivery_id=call.pk, by=agent)
    calls.log(delivery_id=call.pk, by=agent, result="wrong_number")


def sms_is_out(reference: str = "a" * 32) -> Delivery:
    """Have the only SMS that is held handed over; its receipt is awaited."""
    sms, now = Delivery.objects.get(channel="sms", state="held"), timezone.now()
    Delivery.objects.filter(pk=sms.pk).update(
        state="accepted",
        body=text_of(sms),
        parts=1,
        submitted_at=now,
        lease_until=now + dt.timedelta(hours=1),
        gateway="fake",
        client_reference=reference,
        provider_id="1",
    )
    Notice.objects.filter(pk=sms.notice_id).update(handed_over_at=now)
    return sms


def receipt(state: str, reference: str = "a" * 32) -> None:
    """Have the gateway report about the SMS."""
    report = ReceiptReport(state=state, reference=reference, key=f"{state}-{reference}")
    receiving.receive(gateway="fake", reports=[report])


def broken() -> list[str]:
    """Return what ``verify`` finds."""
    return [fault for promise in PROMISES for fault in promise.faults()]


class TestAPersonsDecisionOutlivesItsBulletin:
    def cancelled_operation(self, director: User) -> Appointment:
        operation = an_operation()
        in_force()
        operations.rule(appointment_id=operation.pk, by=director, outcome="cancelled")
        return operation

    def test_what_the_director_cancelled_is_called_though_the_bulletin_is_withdrawn(self, director):
        operation = self.cancelled_operation(director)
        withdraw()
        assert outcome(operation) == "cancelled"
        assert waiting(operation.patient) == [(16, "phone", "cancelled")]
        assert not broken()

    def test_and_though_a_newer_bulletin_names_only_consultations(self, director):
        operation = self.cancelled_operation(director)
        in_force(CANCELLED)
        assert waiting(operation.patient) == [(16, "phone", "cancelled")]

    def test_and_though_a_newer_bulletin_maintains_operations(self, director):
        operation = self.cancelled_operation(director)
        in_force(ClauseTerms("maintain", "nobody"))
        assert waiting(operation.patient) == [(16, "phone", "cancelled")]
        assert not broken()

    def test_what_a_doctor_let_go_is_called_when_the_bulletin_goes_before_the_release(
        self, consultation, doctor
    ):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        assert waiting(consultation.patient) == [(16, "sms", "cancelled")]
        withdraw()
        assert waiting(consultation.patient) == [(16, "phone", "cancelled")]
        assert not broken()

    def test_what_a_person_maintained_needs_no_word_any_more(self, director):
        operation = an_operation()
        in_force()
        operations.rule(appointment_id=operation.pk, by=director, outcome="maintained")
        withdraw()
        assert waiting(operation.patient) == []
        assert not broken()

    def test_whoever_ruled_can_take_it_back_and_nobody_is_called(self, director):
        operation = self.cancelled_operation(director)
        withdraw()
        operations.undo(appointment_id=operation.pk, by=director)
        assert outcome(operation) == "maintained"
        assert waiting(operation.patient) == []
        assert not broken()

    def test_under_the_bulletin_it_waits_for_a_ruling_again(self, director):
        operation = self.cancelled_operation(director)
        operations.undo(appointment_id=operation.pk, by=director)
        assert outcome(operation) == "under_review"
        assert waiting(operation.patient) == []

    def test_whoever_let_go_can_take_it_back(self, consultation, doctor):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        withdraw()
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        assert outcome(consultation) == "maintained"
        assert waiting(consultation.patient) == []

    def test_somebody_else_cannot(self, consultation, doctor, director):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        withdraw()
        with pytest.raises(Refusal):
            keeping.undo(appointment_id=consultation.pk, by=a_user("autre", "doctor"))

    def test_nor_anybody_once_it_has_begun(self, consultation, doctor, saturday_noon):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        withdraw()
        saturday_noon.move_to(at("2022-05-16 09:11"))
        with pytest.raises(Refusal, match="délai"):
            keeping.undo(appointment_id=consultation.pk, by=doctor)


class TestSendingDecisionsBack:
    def test_whose_cancellations_stand_is_counted(self, director, doctor):
        consultation = an_appointment(practitioner=doctor.practitioner)
        first, second = an_operation(), an_operation()
        in_force()
        for operation in (first, second):
            operations.rule(appointment_id=operation.pk, by=director, outcome="cancelled")
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        found = keeping.standing_by_person(MONDAY, MONDAY)
        assert [(one.decided_by, one.decisions, one.operations) for one in found] == [
            (director, 2, 2),
            (doctor, 1, 0),
        ]

    def test_until_they_decide_anew_no_word_is_owed(self, consultation, doctor):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        withdraw(sends_decisions_back=True)
        assert outcome(consultation) == "under_review"
        assert waiting(consultation.patient) == []
        assert not broken()

    @pytest.mark.parametrize(
        ("decide", "holds", "said"),
        [
            (keeping.let_go, "cancelled", [(16, "phone", "cancelled")]),
            (keeping.keep, "maintained", []),
        ],
    )
    def test_the_doctor_decides_without_a_bulletin(self, consultation, doctor, decide, holds, said):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        withdraw(sends_decisions_back=True)
        decide(appointment_id=consultation.pk, by=doctor)
        assert outcome(consultation) == holds
        assert waiting(consultation.patient) == said
        assert not broken()

    def test_the_director_rules_anew(self, director):
        operation = an_operation()
        in_force()
        operations.rule(appointment_id=operation.pk, by=director, outcome="cancelled")
        withdraw(sends_decisions_back=True)
        operations.rule(appointment_id=operation.pk, by=director, outcome="cancelled")
        assert waiting(operation.patient) == [(16, "phone", "cancelled")]

    def test_a_newer_bulletin_rules_what_was_only_sent_back(self, consultation, doctor):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        withdraw(sends_decisions_back=True)
        in_force(CANCELLED)
        assert outcome(consultation) == "cancelled"
        assert Decision.objects.last().basis == "clause"
        assert waiting(consultation.patient) == [(16, "sms", "cancelled")]


class TestWhoRingsIn:
    def in_vain(self, agent: User) -> Appointment:
        appointment = an_appointment()
        in_force(BY_PHONE)
        called_in_vain(appointment, agent)
        return appointment

    @pytest.mark.parametrize("then", ["withdrawn", "maintained"])
    def test_hears_what_holds_and_an_outdated_notice_is_not_told(self, agent, then):
        appointment = self.in_vain(agent)
        if then == "withdrawn":
            withdraw()
        else:
            in_force(ClauseTerms("maintain", "nobody"))
        [day] = incoming.days_of(appointment.patient, agent)
        assert "ne venez pas" not in day.said
        assert "venez comme prévu" in day.said
        assert day.notice is None
        assert states(appointment) == [("withdrawn", "cancelled")]

    def test_what_is_stale_all_the_same_is_withdrawn(self, agent):
        appointment = self.in_vain(agent)
        Appointment.objects.update(outcome="maintained")  # as an older version left it
        [day] = incoming.days_of(appointment.patient, agent)
        assert (day.notice, [one.state for one in day.stale]) == (None, ["unreachable"])
        questions.log(
            by=agent,
            answer=day.answer,
            patient_id=appointment.patient_id,
            stale=[one.pk for one in day.stale],
        )
        assert states(appointment) == [("withdrawn", "cancelled")]

    def test_what_was_said_in_vain_and_holds_becomes_told(self, agent):
        appointment = self.in_vain(agent)
        [day] = incoming.days_of(appointment.patient, agent)
        questions.answer_and_tell(notice_id=day.notice.pk, by=agent, said=day.said)
        assert states(appointment) == [("told", "cancelled")]

    def test_what_a_newer_notice_does_not_say_is_told_with_it(self, agent):
        appointment = self.in_vain(agent)
        other = an_appointment(patient=appointment.patient, starts="2022-05-16 14:00")
        rulings.rule_on(appointment_ids=[other.pk])
        [day] = incoming.days_of(appointment.patient, agent)
        questions.answer_and_tell(
            notice_id=day.notice.pk, also=[one.pk for one in day.also], by=agent, said=day.said
        )
        assert states(appointment) == [("told", "cancelled"), ("told", "cancelled")]

    def rings_in(self, agent: User, patient: Patient) -> None:
        [day] = incoming.days_of(patient, agent)
        client = signed_in(agent)
        sent = {"day": day.day, "seen": day.seen, "q": "", "remark": ""}
        client.post(reverse("incoming_answer", args=[patient.pk]), sent)

    def test_who_was_only_answered_is_called_when_it_changes(self, agent):
        """The bulletin tells nobody; whoever asked knows, and would stay at home."""
        asked, silent = an_appointment(), an_appointment()
        in_force(ClauseTerms("cancel", "nobody"))
        self.rings_in(agent, asked.patient)
        assert states(asked) == [("told", "cancelled")]
        withdraw()
        assert waiting(asked.patient) == [(16, "phone", "maintained")]
        assert waiting(silent.patient) == []
        assert not broken()

    def test_who_asks_twice_heard_it_once(self, agent):
        asked = an_appointment()
        in_force(ClauseTerms("cancel", "nobody"))
        for _ in range(2):
            self.rings_in(agent, asked.patient)
        assert states(asked) == [("told", "cancelled")]
        assert not broken()

    def test_an_answer_counts_while_an_older_sms_that_says_the_same_is_out(self, agent):
        asked = an_appointment()
        in_force(CANCELLED)
        sms_is_out()
        withdraw()
        told(asked)  # "maintained", by a call
        changes(asked, status="cancelled")  # so that the first word holds again
        assert waiting(asked.patient) == [(16, "phone", "cancelled")]
        self.rings_in(agent, asked.patient)
        assert waiting(asked.patient) == []
        assert states(asked) == [
            ("open", "cancelled"),
            ("told", "maintained"),
            ("told", "cancelled"),
        ]
        assert not broken()

    def test_what_is_not_decided_is_no_word(self, agent):
        asked = an_operation()
        in_force()
        self.rings_in(agent, asked.patient)
        assert states(asked) == []


class TestWordsAreSaidToAPatient:
    def given_away(self) -> tuple[Appointment, Patient]:
        """The first patient was told cancelled; the source gives the hour to another."""
        appointment = an_appointment()
        in_force()
        told(appointment)
        other = a_patient()
        changes(appointment, patient=other)
        return appointment, other

    def test_a_second_bulletin_leaves_the_new_patients_sms(self):
        _appointment, other = self.given_away()
        assert waiting(other) == [(16, "sms", "cancelled")]
        in_force()
        assert waiting(other) == [(16, "sms", "cancelled")]
        assert not broken()

    def test_who_heard_nothing_is_not_called_when_the_bulletin_is_lifted(self):
        _appointment, other = self.given_away()
        withdraw()
        assert waiting(other) == []
        assert not broken()

    def test_both_may_hear_the_same_word(self):
        appointment, _other = self.given_away()
        told(appointment)
        assert not broken()

    def test_who_was_told_to_come_is_told_that_the_hour_is_gone(self):
        appointment = an_appointment()
        first = appointment.patient
        in_force(TELLS_ALL)
        told(appointment)
        changes(appointment, patient=a_patient())
        assert waiting(first) == [(16, "phone", "cancelled")]
        told_first = Appointment(patient=first)
        told(told_first)
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert waiting(first) == []

    def test_the_screens_say_what_the_new_patient_knows(self):
        appointment, _other = self.given_away()
        assert not told_of([appointment])[appointment.pk].is_told
        sheet = roster_contents(unit_ids=[appointment.unit_id], day=MONDAY)
        assert [row.told for row in sheet[appointment.unit_id].rows] == ["open"]


class TestASmsThatFails:
    """Its word may no longer hold by then: the call says what does, or there is none."""

    def test_case_by_case_meanwhile_is_said_by_nobody(self):
        appointment = an_appointment()
        in_force()
        sms_is_out()
        in_force(ClauseTerms("case_by_case", "both", channel="phone", kept_by="doctor"))
        receipt("failed")
        assert waiting(appointment.patient) == []
        assert states(appointment) == [("withdrawn", "cancelled")]
        assert not broken()

    @pytest.mark.parametrize("change", [{"status": "cancelled"}, {"starts": "2022-05-20 09:10"}])
    def test_nor_what_the_source_cancelled_or_moved(self, change):
        appointment = an_appointment()
        in_force()
        sms_is_out()
        changes(appointment, **change)
        receipt("failed")
        assert (16, "phone", "cancelled") not in waiting(appointment.patient)
        assert not broken()

    def test_of_two_only_what_holds_is_said(self):
        patient = a_patient()
        gone = an_appointment(patient=patient)
        an_appointment(patient=patient, starts="2022-05-16 14:00")
        in_force()
        sms_is_out()
        changes(gone, status="cancelled")
        receipt("failed")
        assert waiting(patient) == [(16, "phone", "cancelled")]
        assert NoticeItem.objects.filter(notice__state="open").count() == 1
        assert not broken()

    def test_what_holds_again_is_said(self):
        appointment = an_appointment()
        in_force()
        sms_is_out()
        in_force(ClauseTerms("case_by_case", "both", channel="phone", kept_by="doctor"))
        in_force()
        receipt("failed")
        assert waiting(appointment.patient) == [(16, "phone", "cancelled")]

    def test_another_hour_of_the_day_is_the_one_that_the_call_gives(self):
        appointment = an_appointment()
        in_force()
        sms_is_out()
        changes(appointment, starts="2022-05-16 11:00")
        receipt("failed")
        assert waiting(appointment.patient) == [(16, "phone", "cancelled")]
        assert NoticeItem.objects.last().starts_at == at("2022-05-16 11:00")

    def test_what_changes_before_the_call_is_taken_changes_the_call(self):
        appointment = an_appointment()
        in_force()
        sms_is_out()
        receipt("failed")
        assert waiting(appointment.patient) == [(16, "phone", "cancelled")]
        changes(appointment, status="cancelled")
        assert waiting(appointment.patient) == []

    def test_it_is_not_submitted_again_either(self):
        appointment = an_appointment()
        in_force()
        sms = sms_is_out()
        in_force(ClauseTerms("case_by_case", "both", channel="phone", kept_by="doctor"))
        Delivery.objects.filter(pk=sms.pk).update(
            state="unknown", lease_until=timezone.now() - dt.timedelta(seconds=1)
        )
        sweeping.sweep(gateways=[])
        assert waiting(appointment.patient) == []
        by = somebody_in_the_crisis_cell("crise1")
        settling_by_hand.resend(delivery_ids=[sms.pk], by=by, reason="essai")
        assert waiting(appointment.patient) == []

    def test_that_it_arrived_after_all_counts_as_heard(self, director):
        appointment = an_appointment()
        in_force()
        sms_is_out()
        in_force(ClauseTerms("case_by_case", "both", channel="phone", kept_by="doctor"))
        receipt("delivered")
        assert states(appointment) == [("told", "cancelled")]
        in_force()
        assert waiting(appointment.patient) == []


class TestWhatWasTakenBack:
    """What was opened because the patient might have heard something may be needless then."""

    @pytest.mark.parametrize(
        "answer", [Refused("rejected", permanent=True), NotSent(), Throttled(60.0)]
    )
    @pytest.mark.parametrize("then", ["withdrawn", "replaced"])
    def test_a_sms_that_the_gateway_did_not_take_leaves_no_call(self, answer, then):
        appointment = an_appointment()
        in_force()
        sending.release_now(by=somebody_in_the_crisis_cell("crise1"))
        ids = claim_due("w1")
        gateway = FakeGateway()
        handover.hand_over(ids=ids, worker="w1", gateway=gateway)
        if then == "withdrawn":
            withdraw()
        else:
            in_force(ClauseTerms("maintain", "nobody"))
        assert waiting(appointment.patient) == [(16, "phone", "maintained")]
        handover.record(worker="w1", gateway=gateway, results={ids[0]: (answer, False)})
        sweeping.sweep(gateways=[gateway])
        assert waiting(appointment.patient) == []
        assert not broken()

    def test_a_kept_patient_is_called_all_the_same(self, consultation, doctor):
        sms_is_out()
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        receipt("failed")
        sweeping.sweep(gateways=[])
        assert waiting(consultation.patient) == [(16, "phone", "maintained")]

    def test_nothing_is_asked_again_twice(self, consultation, doctor):
        sms_is_out()
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        receipt("failed")
        assert sweeping.sweep(gateways=[]).asked_again == 1
        assert sweeping.sweep(gateways=[]).asked_again == 0


class TestNothingIsHeardTwice:
    def test_what_was_undone_before_anybody_heard_it_sends_nothing(
        self, consultation, doctor, agent
    ):
        sms_is_out()
        receipt("delivered")
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        called_in_vain(consultation, agent)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        assert waiting(consultation.patient) == []
        assert not broken()

    def test_who_heard_maintained_in_between_is_told(self, consultation, doctor):
        sms_is_out()
        receipt("delivered")
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        told(consultation)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        assert waiting(consultation.patient) == [(16, "sms", "cancelled")]

    def test_kept_again_the_call_is_tried_again(self, consultation, doctor, agent):
        sms_is_out()
        receipt("delivered")
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        called_in_vain(consultation, agent)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        assert waiting(consultation.patient) == [(16, "phone", "maintained")]

    def test_a_sms_that_may_have_arrived_is_not_forgotten_for_calls_in_vain(
        self, consultation, agent
    ):
        sms_is_out()
        receipt("failed")
        called_in_vain(consultation, agent)
        withdraw()
        assert waiting(consultation.patient) == [(16, "phone", "maintained")]


class TestVerifyIsRedForACauseOnly:
    def test_a_consultation_becomes_an_emergency(self):
        appointment = an_appointment(source_id="E-1")
        in_force()
        told(appointment)
        record = importing.ScheduleRecord(
            line=2,
            source_id="E-1",
            patient_id="D1",
            family_name="ESSAI",
            given_name="Anne",
            birth_date=dt.date(1960, 1, 1),
            site="arlon",
            unit="arlon-cardio",
            service="emergency",
            starts_at=at("2022-05-16 09:10"),
        )
        importing.load_records(
            feed_name="essai", records=[record], terms=terms(full=False, accepts_older=True)
        )
        assert outcome(appointment) == "maintained"
        assert not broken()

    def test_a_bulletin_lapses_and_the_source_moves_what_it_ruled(self):
        appointment = an_appointment()
        in_force()
        withdraw()
        changes(appointment, starts="2022-05-20 09:10")
        assert outcome(appointment) == "maintained"
        assert not broken()

    @pytest.mark.parametrize("service", ["consultation", "dialysis", "blood_sampling"])
    @pytest.mark.parametrize("is_told", [True, False])
    def test_a_maintained_operation_becomes_another_service(self, director, service, is_told):
        operation = an_operation()
        in_force()
        operations.rule(appointment_id=operation.pk, by=director, outcome="maintained")
        if is_told:
            told(operation)
        changes(operation, service=service)
        assert not broken()

    def test_told_an_hour_and_then_another_of_the_same_day(self):
        appointment = an_appointment()
        in_force(TELLS_ALL)
        told(appointment)
        changes(appointment, starts="2022-05-16 11:00")
        told(appointment)
        assert not broken()


class TestWhatHasBegun:
    @pytest.mark.parametrize("clause", [BY_PHONE, ClauseTerms("cancel", "cancelled")])
    def test_is_decided_for_the_record_and_told_to_nobody(self, saturday_noon, clause):
        early = an_appointment()
        late = an_appointment(starts="2022-05-16 15:00")
        saturday_noon.move_to(at("2022-05-16 12:00"))
        draft = a_draft(clause)
        expected = preview.preview(draft.pk)
        approved(draft)
        assert (outcome(early), outcome(late)) == ("cancelled", "cancelled")
        assert waiting(early.patient) == []
        assert waiting(late.patient) == [(16, clause.channel, "cancelled")]
        assert expected.patients_to_tell == 1
        assert not broken()

    def test_the_call_about_the_afternoon_does_not_speak_of_the_morning(self, saturday_noon):
        patient = a_patient()
        an_appointment(patient=patient)
        an_appointment(patient=patient, starts="2022-05-16 15:00")
        saturday_noon.move_to(at("2022-05-16 12:00"))
        in_force(BY_PHONE)
        assert waiting(patient) == [(16, "phone", "cancelled")]
        assert Notice.objects.get().first_at == at("2022-05-16 15:00")

    def test_what_waits_when_it_begins_stays_as_it_is(self, saturday_noon):
        appointment = an_appointment()
        in_force(BY_PHONE)
        saturday_noon.move_to(at("2022-05-16 12:00"))
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert waiting(appointment.patient) == [(16, "phone", "cancelled")]
        assert not broken()

    @pytest.mark.parametrize(
        ("now", "starts", "channel"),
        [
            ("2022-05-16 12:00", "2022-05-16 12:20", "phone"),  # on the way by then
            ("2022-05-16 12:00", "2022-05-16 13:00", "sms"),
            ("2022-05-15 23:00", "2022-05-16 07:30", "phone"),  # quiet until the morning
        ],
    )
    def test_preview_and_approval_agree_on_the_channel(
        self, saturday_noon, settings, now, starts, channel
    ):
        settings.SMS_QUIET_HOURS = "21:00-07:30"
        appointment = an_appointment(starts=starts)
        saturday_noon.move_to(at(now))
        draft = a_draft(CANCELLED)
        expected = preview.preview(draft.pk)
        approved(draft)
        assert waiting(appointment.patient) == [(16, channel, "cancelled")]
        assert (expected.patients_by_sms, expected.patients_by_phone) == (
            (1, 0) if channel == "sms" else (0, 1)
        )


class TestALateDelivered:
    def two(self, doctor: User, saturday_noon) -> tuple[Appointment, Appointment]:
        """One SMS said two cancellations; it was given up, and the doctor keeps one of them."""
        patient = a_patient(landline="+3263112233")
        made = [
            an_appointment(patient=patient, practitioner=doctor.practitioner, starts=starts)
            for starts in ("2022-05-16 09:10", "2022-05-16 10:10")
        ]
        in_force()
        sms_is_out()
        receipt("failed")
        keeping.keep(appointment_id=made[1].pk, by=doctor)
        assert waiting(patient) == [(16, "phone", "cancelled", "maintained")]
        return made[0], made[1]

    def test_takes_its_appointment_out_of_a_call_that_is_needed_anyway(self, doctor, saturday_noon):
        gone, kept = self.two(doctor, saturday_noon)
        receipt("delivered")
        assert waiting(gone.patient) == [(16, "phone", "maintained")]
        assert Notice.objects.get(state="open").first_at == kept.starts_at
        rulings.rule_on(appointment_ids=[gone.pk])
        assert waiting(gone.patient) == [(16, "phone", "maintained")]
        assert not broken()

    def test_a_call_that_has_nothing_else_to_say_is_not_made(self, doctor, saturday_noon):
        gone, kept = self.two(doctor, saturday_noon)
        keeping.undo(appointment_id=kept.pk, by=doctor)
        assert waiting(gone.patient) == [(16, "phone", "cancelled", "cancelled")]
        receipt("delivered")
        assert waiting(gone.patient) == []
        rulings.rule_on(appointment_ids=[gone.pk])
        assert waiting(gone.patient) == []
        assert not broken()


class TestMovesOfTheSource:
    def test_told_cancelled_and_moved_to_a_free_day(self):
        appointment = an_appointment()
        in_force()
        told(appointment)
        changes(appointment, starts="2022-05-20 10:30")
        assert waiting(appointment.patient) == [(20, "phone", "maintained")]
        told(appointment)
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert waiting(appointment.patient) == []
        assert not broken()

    def test_told_cancelled_and_moved_to_another_ruled_day(self):
        appointment = an_appointment()
        in_force(last_day=FRIDAY)
        told(appointment)
        changes(appointment, starts="2022-05-20 10:30")
        assert waiting(appointment.patient) == [(20, "sms", "cancelled")]
        assert not broken()

    def test_told_to_come_and_moved_to_a_free_day(self):
        appointment = an_appointment()
        in_force(TELLS_ALL)
        told(appointment)
        changes(appointment, starts="2022-05-20 10:30")
        assert waiting(appointment.patient) == [
            (16, "phone", "cancelled"),
            (20, "phone", "maintained"),
        ]
        told(appointment)
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert waiting(appointment.patient) == []
        assert not broken()

    def test_told_to_come_and_moved_to_a_day_on_which_it_is_cancelled(self):
        appointment = an_appointment()
        in_force(TELLS_ALL)
        in_force(CANCELLED, first_day=FRIDAY)
        told(appointment)
        changes(appointment, starts="2022-05-20 10:30")
        assert waiting(appointment.patient) == [
            (16, "phone", "cancelled"),
            (20, "sms", "cancelled"),
        ]

    def test_told_to_come_and_cancelled_at_the_source(self):
        appointment = an_appointment()
        in_force(TELLS_ALL)
        told(appointment)
        changes(appointment, status="cancelled")
        assert waiting(appointment.patient) == [(16, "phone", "cancelled")]
        told(appointment)
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert waiting(appointment.patient) == []
        assert not broken()

    def test_told_an_hour_and_moved_to_another_of_that_day(self):
        appointment = an_appointment()
        in_force(TELLS_ALL)
        told(appointment)
        changes(appointment, starts="2022-05-16 11:00")
        assert waiting(appointment.patient) == [(16, "phone", "maintained")]
        assert not broken()

    def test_told_cancelled_and_moved_within_the_day(self):
        appointment = an_appointment()
        in_force()
        told(appointment)
        changes(appointment, starts="2022-05-16 11:00")
        assert waiting(appointment.patient) == []
        assert not broken()

    @pytest.mark.parametrize(
        ("day", "said"),
        [
            (20, [(20, "phone", "maintained")]),
            (25, [(20, "phone", "cancelled"), (25, "phone", "maintained")]),
        ],
    )
    def test_told_postponed_and_booked_by_the_source(self, director, day, said):
        operation = an_operation()
        in_force()
        operations.rule(
            appointment_id=operation.pk, by=director, outcome="cancelled", postponed_to=FRIDAY
        )
        told(operation)
        changes(operation, starts=f"2022-05-{day} 10:30")
        assert waiting(operation.patient) == said
        told(operation)
        rulings.rule_on(appointment_ids=[operation.pk])
        assert waiting(operation.patient) == []
        assert not broken()

    def test_a_promise_that_stands_is_not_corrected(self, director):
        operation = an_operation()
        in_force()
        operations.rule(
            appointment_id=operation.pk, by=director, outcome="cancelled", postponed_to=FRIDAY
        )
        told(operation)
        rulings.rule_window(first_day=MONDAY, last_day=FRIDAY)
        assert waiting(operation.patient) == []
        assert not broken()

    def test_moved_away_and_back(self):
        appointment = an_appointment()
        in_force()
        told(appointment)
        changes(appointment, starts="2022-05-20 09:10")
        told(appointment)
        changes(appointment, starts="2022-05-16 09:10")
        assert waiting(appointment.patient) == [(20, "phone", "cancelled")]
        assert not broken()


class TestWhoCalls:
    def test_a_notice_that_also_cancels_is_not_the_doctors_alone(self, doctor):
        patient = a_patient()
        kept = an_appointment(patient=patient, practitioner=doctor.practitioner)
        an_appointment(
            patient=patient, practitioner=a_practitioner("p2"), starts="2022-05-16 14:00"
        )
        in_force()
        keeping.keep(appointment_id=kept.pk, by=doctor)
        assert waiting(patient) == [(16, "phone", "maintained", "cancelled")]
        assert Notice.objects.get(state="open").reserved_for is None

    def test_a_kept_patient_is_their_doctors(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        assert Notice.objects.get(state="open").reserved_for == doctor.practitioner

    def test_a_notice_waits_until_all_of_it_may_be_said(self, doctor):
        """One part could be called at once; until the release the doctor may keep the other."""
        patient = a_patient()
        an_appointment(patient=patient, service="radiology")
        an_appointment(patient=patient, starts="2022-05-16 14:00")
        in_force(
            ClauseTerms("cancel", "cancelled", channel="phone", services=("radiology",)),
            ClauseTerms("cancel", "cancelled", kept_by="doctor", services=("consultation",)),
        )
        assert Delivery.objects.get().not_before == RELEASE


class TestWhoIsCalled:
    def test_nobody_is_on_the_list_whose_notice_lapsed(self, agent):
        appointment = an_appointment()
        in_force()
        sms_is_out()
        changes(appointment, status="cancelled")
        receipt("failed")
        assert not open_calls(agent).exists()
