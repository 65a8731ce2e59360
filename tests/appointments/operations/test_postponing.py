"""An operation is postponed to a date: cancelled on its day, and the new day told by a person."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from appointments.decisions import rulings
from appointments.decisions.in_force import told_of
from appointments.models import Appointment, Decision
from appointments.operations import services as operations
from appointments.operations.queries import operating_days, operations_for, postponed_here
from appointments.paper.queries import roster_contents
from appointments.paper.words import in_words
from appointments.rules import ClauseTerms
from notifications.calls import services as calls
from notifications.models import Delivery, Notice
from notifications.telling.outbox import lines_of
from notifications.texts import render as texts
from patients.models import Patient
from staff.errors import Refusal
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.builders import a_patient, a_user, an_appointment, at
from vivalia_continuity.promises import PROMISES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
MONDAY, NEXT_WEEK = dt.date(2022, 5, 16), dt.date(2022, 5, 24)


def rule(operation: Appointment, by, outcome="cancelled", to=NEXT_WEEK, **more) -> Decision:
    """Rule, and read what then holds."""
    decision = operations.rule(
        appointment_id=operation.pk, by=by, outcome=outcome, postponed_to=to, **more
    )
    operation.refresh_from_db()
    return decision


def said(operation: Appointment) -> list[tuple]:
    """Return (state, word, new day) of the patient's notices."""
    notices = Notice.objects.filter(patient=operation.patient_id).order_by("version")
    return list(notices.values_list("state", "items__word", "items__postponed_to"))


def broken() -> list[str]:
    """Return what breaks a promise."""
    return [fault for promise in PROMISES for fault in promise.faults()]


def reach(agent) -> None:
    """Let the agent reach whoever waits for a call."""
    call = Delivery.objects.get(channel="phone", state="queued")
    calls.log(delivery_id=call.pk, by=agent, result=calls.CallResult.REACHED)


class TestRuling:
    def test_it_is_cancelled_on_its_day_and_a_person_calls_with_the_new_one(
        self, operation, director
    ):
        decision = rule(operation, director, reason="Pas de lit")
        assert (decision.outcome, decision.postponed_to) == ("cancelled", NEXT_WEEK)
        assert (operation.outcome, operation.postponed_to) == ("cancelled", NEXT_WEEK)
        assert said(operation) == [("open", "cancelled", NEXT_WEEK)]
        assert Delivery.objects.get().channel == "phone"
        assert AuditEvent.objects.latest("sequence").detail["postponed_to"] == "2022-05-24"
        assert not broken()

    def test_it_is_told_by_phone_even_where_the_bulletin_cancels_by_sms(self, director):
        operation = an_appointment(service="surgery")
        in_force(ClauseTerms("cancel", "nobody", kept_by="medical_director"))
        rule(operation, director)
        assert Delivery.objects.get().channel == "phone"

    def test_the_same_day_again_changes_nothing(self, operation, director):
        assert rule(operation, director) == rule(operation, director)
        assert len(said(operation)) == 1

    @pytest.mark.parametrize(
        ("to", "why"),
        [
            (MONDAY, "choisissez du 17/05/2022 au 15/05/2023"),
            (dt.date(2022, 5, 15), "choisissez du 17/05/2022"),
            (dt.date(2203, 5, 24), "Reporter au 24/05/2203"),
        ],
    )
    def test_a_day_that_cannot_be_meant_is_refused(self, operation, director, to, why):
        with pytest.raises(Refusal, match=why):
            rule(operation, director, to=to)
        assert not said(operation)

    def test_what_is_maintained_keeps_its_day(self, operation, director):
        with pytest.raises(Refusal, match="garde son jour"):
            rule(operation, director, outcome="maintained")

    def test_the_database_refuses_a_new_day_for_what_is_maintained(self, operation, director):
        rule(operation, director, outcome="maintained", to=None)
        with pytest.raises(IntegrityError), transaction.atomic():
            Appointment.objects.filter(pk=operation.pk).update(postponed_to=NEXT_WEEK)


class TestTelling:
    def test_who_heard_cancelled_hears_the_new_day_and_who_heard_a_day_the_next(
        self, operation, director
    ):
        agent = a_user("agent", "call_agent")
        rule(operation, director, to=None)
        reach(agent)
        for to in (NEXT_WEEK, dt.date(2022, 5, 25), None):
            rule(operation, director, to=to)
            assert said(operation)[-1] == ("open", "cancelled", to)
            reach(agent)
        assert not broken()

    def test_a_new_day_before_the_call_replaces_the_first(self, operation, director):
        rule(operation, director)
        rule(operation, director, to=dt.date(2022, 5, 25))
        assert said(operation) == [
            ("withdrawn", "cancelled", NEXT_WEEK),
            ("open", "cancelled", dt.date(2022, 5, 25)),
        ]

    def test_a_postponed_patient_whose_operation_is_maintained_after_all_is_called(
        self, operation, director
    ):
        rule(operation, director)
        reach(a_user("agent", "call_agent"))
        rule(operation, director, outcome="maintained", to=None)
        assert said(operation)[-1] == ("open", "maintained", None)

    def test_another_bulletin_neither_changes_it_nor_tells_it_again(self, operation, director):
        rule(operation, director)
        reach(a_user("agent", "call_agent"))
        in_force(ClauseTerms("cancel", "cancelled"))
        operation.refresh_from_db()
        assert operation.postponed_to == NEXT_WEEK
        assert len(said(operation)) == 1

    def test_who_was_tried_in_vain_is_not_tried_again(self, operation, director):
        rule(operation, director)
        Notice.objects.update(state="unreachable", settled_at=SATURDAY_NOON)
        rulings.rule_on(appointment_ids=[operation.pk])
        assert len(said(operation)) == 1

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("fr", "il est reporté au mardi 24 mai"),
            ("nl", "uitgesteld naar dinsdag 24 mei"),
            ("de", "auf Dienstag, 24. Mai verschoben"),
            ("en", "postponed to Tuesday 24 May"),
        ],
    )
    def test_the_agent_says_the_new_day_in_the_patients_language(
        self, operation, director, language, words
    ):
        Patient.objects.update(language=language)
        rule(operation, director)
        notice = Notice.objects.select_related("patient", "site").get()
        assert words in texts.spoken_of_notice(notice, lines_of(notice))

    def test_what_else_the_patient_is_told_of_that_day_is_said_first(self, operation, director):
        lines = [
            texts.MessageItem(at("2022-05-16 09:10"), "cancelled", NEXT_WEEK),
            texts.MessageItem(at("2022-05-16 14:00"), "cancelled"),
        ]
        rule(operation, director)
        notice = Notice.objects.select_related("patient", "site").get()
        spoken = texts.spoken_of_notice(notice, lines)
        assert spoken.index("14:00") < spoken.index("09:10") < spoken.index("24 mai")

    def test_told_knows_only_the_new_day_as_what_holds(self, operation, director):
        rule(operation, director, to=None)
        reach(a_user("agent", "call_agent"))
        rule(operation, director)
        told = told_of([operation])[operation.pk]
        assert told.is_to_be_told
        assert told.heard_otherwise.said == "annulé"
        assert told.word.said == "reporté au mar 24/05/2022"


class TestThePlaces:
    def test_the_new_day_shows_whom_it_got(self, operation, director):
        rule(operation, director)
        assert postponed_here(director, NEXT_WEEK) == [operation]
        assert postponed_here(director, MONDAY) == []

    def test_the_new_day_can_be_opened_though_nothing_was_planned_for_it(self, director, operation):
        rule(operation, director)
        days = operating_days(operations_for(director))
        assert [(one.day, one.total, one.awaiting) for one in days] == [
            (MONDAY, 1, 0),
            (NEXT_WEEK, 0, 0),
        ]

    def test_both_sheets_say_so(self, operation, director):
        rule(operation, director)
        theatre = operation.unit_id
        [old] = roster_contents(unit_ids=[theatre], day=MONDAY)[theatre].rows
        [new] = roster_contents(unit_ids=[theatre], day=NEXT_WEEK)[theatre].rows
        assert (old.section, new.section) == ("cancelled", "maintained")
        assert in_words(old, MONDAY).decision == "reporté au mar 24/05/2022"
        assert in_words(new, NEXT_WEEK).decision == "reporté à ce jour"
        assert in_words(new, NEXT_WEEK).marks == ("était prévu lun 16 mai à 09:10 ; heure à fixer",)
        assert new.told == "open"

    def test_what_the_source_struck_meanwhile_has_no_hour_to_fix(self, operation, director):
        rule(operation, director)
        Appointment.objects.filter(pk=operation.pk).update(status="cancelled")
        theatre = operation.unit_id
        said = {
            day: in_words(roster_contents(unit_ids=[theatre], day=day)[theatre].rows[0], day)
            for day in (MONDAY, NEXT_WEEK)
        }
        assert {words.decision for words in said.values()} == {"annulé à la source"}
        assert said[MONDAY].ground.startswith("reporté au mar 24/05/2022 – par ")
        assert said[NEXT_WEEK].ground.startswith("reporté à ce jour – par ")
        assert said[NEXT_WEEK].marks == ("était prévu lun 16 mai à 09:10",)

    def test_the_sheet_warns_of_who_heard_another_day(self, operation, director):
        rule(operation, director)
        reach(a_user("agent", "call_agent"))
        rule(operation, director, to=dt.date(2022, 5, 25))
        Notice.objects.filter(state="open").update(state="withdrawn", settled_at=SATURDAY_NOON)
        [row] = roster_contents(unit_ids=[operation.unit_id], day=MONDAY)[operation.unit_id].rows
        assert row.is_told_otherwise
        assert "mar 24/05/2022" in in_words(row, MONDAY).told


class TestTheSource:
    def test_when_the_source_moves_it_the_promise_ends_with_its_day(self, operation, director):
        rule(operation, director)
        moved = at("2022-05-24 08:00")
        Appointment.objects.filter(pk=operation.pk).update(
            starts_at=moved, day=NEXT_WEEK, moved_from=operation.starts_at, moved_at=SATURDAY_NOON
        )
        rulings.rule_on(appointment_ids=[operation.pk])
        operation.refresh_from_db()
        assert (operation.outcome, operation.postponed_to) == ("maintained", None)

    def test_another_patients_day_is_untouched(self, operation, director):
        other = an_appointment(service="surgery", patient=a_patient(), unit=operation.unit)
        rulings.rule_on(appointment_ids=[other.pk])
        rule(operation, director)
        other.refresh_from_db()
        assert other.outcome == "under_review"
        assert other.postponed_to is None
