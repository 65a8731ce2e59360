"""What superseding and withdrawing a bulletin does to what was decided and told."""

import datetime as dt

import pytest

from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from notifications.models import Delivery
from staff.errors import Refusal
from tests.appointments.bulletins.builders import in_force, withdrawn
from tests.appointments.decisions.told import hand_over, notices, outcome
from tests.builders import MONDAY, an_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
TUESDAY = MONDAY + dt.timedelta(days=1)


class TestSuperseding:
    def test_nobody_is_told_the_same_thing_twice(self):
        appointment = an_appointment()
        in_force()
        hand_over(appointment)
        in_force()
        assert outcome(appointment) == "cancelled"
        assert notices(appointment) == ["told"]

    def test_a_pending_notice_that_still_says_it_right_stays(self):
        appointment = an_appointment()
        in_force()
        in_force()
        assert notices(appointment) == ["open"]

    def test_an_unsent_cancellation_that_no_longer_holds_is_withdrawn(self):
        appointment = an_appointment()
        in_force()
        in_force(ClauseTerms("maintain", "nobody"))
        assert outcome(appointment) == "maintained"
        assert notices(appointment) == ["withdrawn"]
        assert Delivery.objects.get().state == "withdrawn"

    def test_whoever_heard_cancelled_is_called_that_it_is_maintained(self):
        appointment = an_appointment()
        in_force()
        hand_over(appointment)
        in_force(ClauseTerms("maintain", "nobody"))
        assert notices(appointment) == ["told", "open"]
        assert Delivery.objects.order_by("id").last().channel == "phone"

    def test_a_bulletin_without_a_ruled_day_left_is_superseded(self):
        first, second = in_force(last_day=TUESDAY), in_force()
        first.refresh_from_db()
        assert first.state == "in_force"
        in_force(first_day=TUESDAY)
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == ("superseded", "in_force")

    def test_the_newer_bulletin_rules_alone_on_its_day(self):
        appointment = an_appointment(service="radiology")
        in_force()
        in_force(ClauseTerms("cancel", "cancelled", services=("consultation",)))
        assert outcome(appointment) == "maintained"
        assert appointment.decisions.last().basis == "lapse"

    def test_the_newer_bulletin_rules_though_the_clock_was_set_back(self, saturday_noon):
        appointment = an_appointment()
        in_force()
        saturday_noon.shift(-3600)
        in_force(ClauseTerms("maintain", "nobody"))
        assert outcome(appointment) == "maintained"


class TestWithdrawing:
    def test_decisions_lapse_and_unsent_notices_are_withdrawn(self):
        appointment = an_appointment()
        bulletin = in_force()
        withdrawn(bulletin.pk)
        assert outcome(appointment) == "maintained"
        assert notices(appointment) == ["withdrawn"]

    def test_whoever_was_told_is_told_again(self):
        appointment = an_appointment()
        bulletin = in_force()
        hand_over(appointment)
        withdrawn(bulletin.pk)
        assert notices(appointment) == ["told", "open"]

    def test_a_reason_is_needed(self):
        bulletin = in_force()
        with pytest.raises(Refusal, match="pourquoi"):
            withdrawn(bulletin.pk, reason=" ")
        assert Bulletin.objects.get().state == "in_force"
