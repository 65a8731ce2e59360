"""What drafting and approving a bulletin does to appointments and notices."""

import datetime as dt

import pytest

from appointments.bulletins import services as bulletins
from appointments.decisions import rulings
from appointments.models import Appointment, Decision
from appointments.rules import ClauseTerms
from notifications.models import Delivery, Notice
from staff.errors import Refusal
from tests.appointments.bulletins.builders import (
    RELEASE,
    SATURDAY_NOON,
    a_draft,
    approved,
    in_force,
    somebody_in_the_crisis_cell,
)
from tests.appointments.decisions.told import notices, outcome
from tests.builders import MONDAY, a_patient, a_site, a_unit, an_appointment, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
TUESDAY = MONDAY + dt.timedelta(days=1)


class TestTheSixRowsOfTheDay:
    @pytest.mark.parametrize(
        ("service", "expected", "channel"),
        [
            ("consultation", "cancelled", "sms"),
            ("surgery", "under_review", None),
            ("radiology", "cancelled", "sms"),
            ("nuclear_medicine", "cancelled", "sms"),
            ("blood_sampling", "maintained", None),
            ("covid_centre", "cancelled", "sms"),
            ("emergency", "maintained", None),
        ],
    )
    def test_each_row_has_its_outcome_and_its_telling(self, service, expected, channel):
        appointment = an_appointment(service=service)
        in_force()
        assert outcome(appointment) == expected
        told = Delivery.objects.filter(notice__patient=appointment.patient_id)
        assert list(told.values_list("channel", flat=True)) == ([channel] if channel else [])

    def test_what_the_bulletin_does_not_name_is_not_decided(self):
        appointment = an_appointment(service="dialysis")
        in_force()
        assert outcome(appointment) == ""
        assert not Decision.objects.exists()

    def test_other_days_are_not_touched(self):
        appointment = an_appointment(starts="2022-05-17 09:10")
        in_force()
        assert outcome(appointment) == ""

    def test_what_the_source_cancelled_already_is_left_alone(self):
        appointment = an_appointment(status="cancelled")
        in_force()
        assert outcome(appointment) == ""
        assert notices(appointment) == []


class TestNotices:
    def test_two_appointments_of_a_day_make_one_notice_with_both(self):
        patient = a_patient()
        an_appointment(patient=patient)
        an_appointment(patient=patient, service="radiology", starts="2022-05-16 14:00")
        in_force()
        notice = Notice.objects.get()
        assert notice.first_at == at("2022-05-16 09:10")
        assert notice.items.count() == 2

    def test_an_sms_is_held_until_the_release(self):
        an_appointment()
        in_force()
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.not_before) == ("held", RELEASE)

    def test_of_sms_released_together_the_earliest_appointment_leaves_first(self):
        times = ("2022-05-16 14:00", "2022-05-16 08:10", "2022-05-16 11:30")
        for starts in times:
            an_appointment(starts=starts)
        in_force()
        leaving = Delivery.objects.order_by("not_before", "id")
        assert list(leaving.values_list("notice__first_at", flat=True)) == sorted(map(at, times))

    @pytest.mark.parametrize(
        "phones",
        [
            {"mobile": "", "landline": "+3263000001"},
            {"mobile": ""},
            {"mobile": "+32460000001", "sms_opt_out_at": SATURDAY_NOON},
        ],
    )
    def test_whoever_cannot_get_an_sms_goes_to_the_call_list(self, phones):
        an_appointment(patient=a_patient(**phones))
        in_force()
        delivery = Delivery.objects.get()
        assert (delivery.channel, delivery.state) == ("phone", "queued")
        assert delivery.address == (phones.get("landline") or phones["mobile"])


class TestApproving:
    def test_the_drafter_cannot_approve(self):
        draft = a_draft()
        with pytest.raises(Refusal, match="un autre membre"):
            bulletins.approve(bulletin_id=draft.pk, by=draft.drafted_by)

    def test_a_double_click_changes_nothing(self):
        appointment = an_appointment()
        approved(approved(a_draft()))
        assert Decision.objects.count() == 1
        assert notices(appointment) == ["open"]

    def test_an_outcome_that_reaches_into_emergency_leaves_it_maintained(self):
        appointment = an_appointment(service="emergency")
        in_force(ClauseTerms("cancel", "cancelled"))
        assert outcome(appointment) == "maintained"

    def test_the_number_of_queries_does_not_grow(self, django_assert_max_num_queries):
        an_appointment()
        few, many = a_draft(), a_draft(first_day=TUESDAY)
        somebody_in_the_crisis_cell("crise2")
        with django_assert_max_num_queries(99) as spent:
            approved(few)
        for _ in range(40):
            an_appointment(starts="2022-05-17 09:10")
        with django_assert_max_num_queries(len(spent)):
            approved(many)


class TestStanding:
    def test_what_a_feed_brings_later_is_ruled_too(self):
        in_force()
        appointment = an_appointment()
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert outcome(appointment) == "cancelled"
        assert notices(appointment) == ["open"]

    def test_asking_again_changes_nothing(self):
        in_force()
        appointment = an_appointment()
        for _ in range(3):
            rulings.rule_on(appointment_ids=[appointment.pk])
        assert appointment.decisions.count() == 1
        assert notices(appointment) == ["open"]

    def test_a_move_to_an_unruled_day_ends_the_decision_and_its_notice(self):
        appointment = an_appointment()
        in_force()
        moved = {"starts_at": at("2022-05-20 09:10"), "day": dt.date(2022, 5, 20)}
        Appointment.objects.update(
            **moved, moved_from=appointment.starts_at, moved_at=SATURDAY_NOON
        )
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert outcome(appointment) == "maintained"
        assert notices(appointment) == ["withdrawn"]

    def test_a_move_within_the_day_says_the_new_time(self):
        appointment = an_appointment()
        in_force()
        Appointment.objects.update(
            starts_at=at("2022-05-16 11:00"), moved_from=appointment.starts_at, moved_at=RELEASE
        )
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert notices(appointment) == ["withdrawn", "open"]
        assert Notice.objects.get(state="open").first_at == at("2022-05-16 11:00")

    def test_an_appointment_cancelled_at_the_source_is_no_longer_told(self):
        appointment = an_appointment()
        in_force()
        Appointment.objects.update(status="cancelled")
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert notices(appointment) == ["withdrawn"]


class TestDrafting:
    def test_every_fault_is_named_with_its_clause(self):
        a_site("arlon")
        with pytest.raises(Refusal) as refusal:
            a_draft(
                ClauseTerms("annuler", "cancelled", sites=("arlon", "namur")),
                ClauseTerms("cancel", "cancelled", services=("emergency",)),
                ClauseTerms("cancel", "cancelled", days=(TUESDAY,)),
            )
        message = refusal.value.message
        assert "Point 1" in message
        assert "annuler" in message
        assert "namur" in message
        assert "Point 2 : aucun bulletin ne peut annuler les urgences" in message
        assert "Point 3 : le jour 17/05/2022" in message

    def test_an_edited_draft_belongs_to_its_last_editor(self):
        draft = a_draft()
        editor = somebody_in_the_crisis_cell("crise2")
        bulletins.redraft(
            bulletin_id=draft.pk,
            by=editor,
            title="Revu",
            first_day=MONDAY,
            last_day=MONDAY,
            release_at=RELEASE,
            clauses=[ClauseTerms("cancel", "cancelled")],
        )
        with pytest.raises(Refusal, match="rédigé"):
            bulletins.approve(bulletin_id=draft.pk, by=editor)

    def test_units_are_selected_by_code(self):
        kept = an_appointment(unit=a_unit("marche-cardio", site="marche"))
        gone = an_appointment(unit=a_unit("arlon-cardio"))
        in_force(
            ClauseTerms("cancel", "cancelled"),
            ClauseTerms("maintain", "nobody", units=("marche-cardio",)),
        )
        assert (outcome(kept), outcome(gone)) == ("maintained", "cancelled")
