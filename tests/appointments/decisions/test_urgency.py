"""Who is told first: the day, then the kind of act, on paper and in what applying writes."""

import datetime as dt

import pytest

from appointments.bulletins import services as bulletins
from appointments.decisions import keeping
from appointments.rules import ClauseTerms, telling_rank
from notifications import rules
from notifications.models import Delivery
from tests.appointments.bulletins.builders import (
    RELEASE,
    SATURDAY_NOON,
    approved,
    in_force,
    somebody_in_the_crisis_cell,
)
from tests.builders import (
    MONDAY,
    a_patient,
    a_practitioner,
    a_user,
    an_appointment,
)

EVERYTHING = ClauseTerms("cancel", "cancelled")
TUESDAY = MONDAY + dt.timedelta(days=1)
DAYS = (MONDAY - dt.date(2000, 1, 1)).days


@pytest.mark.django_db
@pytest.mark.usefixtures("saturday_noon")
class TestWhatApplyingWrites:
    def urgencies(self) -> list[int]:
        return list(Delivery.objects.order_by("urgency").values_list("urgency", flat=True))

    def test_surgery_before_consultation_and_today_before_tomorrow(self):
        for day in ("2022-05-17", "2022-05-16"):
            for service in ("consultation", "surgery"):
                an_appointment(service=service, starts=f"{day} 09:00")
        in_force(EVERYTHING, last_day=TUESDAY)
        told = Delivery.objects.order_by("urgency").values_list("notice__day", "urgency")
        assert list(told) == [
            (MONDAY, DAYS * 10),
            (MONDAY, DAYS * 10 + 4),
            (TUESDAY, DAYS * 10 + 10),
            (TUESDAY, DAYS * 10 + 14),
        ]

    def test_a_notice_is_as_urgent_as_its_most_urgent_appointment(self):
        patient = a_patient()
        for service in ("blood_sampling", "surgery", "consultation"):
            an_appointment(service=service, patient=patient)
        in_force(EVERYTHING)
        assert self.urgencies() == [DAYS * 10]

    @pytest.mark.parametrize("day", ["2022-05-14", "2024-02-29", "2099-12-31"])
    def test_it_is_what_the_rule_says_on_any_day(self, day):
        an_appointment(service="radiology", starts=f"{day} 23:59")
        date = dt.date.fromisoformat(day)
        in_force(EVERYTHING, first_day=date)
        assert self.urgencies() == [rules.urgency(date, telling_rank("radiology"))]

    def test_calls_have_their_urgency_too(self):
        an_appointment(patient=a_patient(mobile="", landline="+3263000001"))
        in_force(EVERYTHING)
        assert Delivery.objects.get().channel == "phone"
        assert self.urgencies() == [DAYS * 10 + 4]

    def test_the_call_to_a_kept_patient_has_it(self):
        doctor = a_user("docteur", "doctor")
        kept = an_appointment(practitioner=a_practitioner(user=doctor))
        in_force()
        keeping.keep(appointment_id=kept.pk, by=doctor)
        call = Delivery.objects.get(channel="phone")
        assert call.urgency == DAYS * 10 + 4

    @pytest.mark.parametrize("state", ["held", "queued"])
    def test_a_new_bulletin_says_anew_whether_what_waits_ignores_quiet_hours(self, state):
        an_appointment()
        in_force(EVERYTHING)
        Delivery.objects.update(state=state, urgency=0)
        self.at_night()
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.ignores_quiet_hours) == (state, True)
        assert delivery.urgency == DAYS * 10 + 4
        in_force(EVERYTHING)
        assert not Delivery.objects.get().ignores_quiet_hours

    def test_what_was_released_keeps_its_moment_under_a_new_bulletin(self):
        an_appointment()
        in_force(EVERYTHING)
        Delivery.objects.update(state="queued", not_before=SATURDAY_NOON)
        self.at_night()
        assert Delivery.objects.get().not_before == SATURDAY_NOON

    def test_only_a_bulletin_with_a_reason_sends_at_night(self):
        an_appointment()
        in_force(EVERYTHING)
        assert not Delivery.objects.get().ignores_quiet_hours

    def test_a_copy_of_a_bulletin_sends_at_night_like_its_original(self):
        an_appointment()
        bulletin = self.at_night()
        before = Delivery.objects.values().get()
        approved(bulletins.copy(bulletin_id=bulletin.pk, by=bulletin.drafted_by))
        assert Delivery.objects.values().get() == before

    def at_night(self):
        draft = bulletins.draft(
            by=somebody_in_the_crisis_cell("crise1"),
            title="La nuit aussi",
            first_day=MONDAY,
            last_day=MONDAY,
            release_at=RELEASE,
            clauses=[EVERYTHING],
            quiet_hours_override_reason="Les patients partent avant 8 h.",
        )
        return approved(draft)
