"""How fast it goes and when it will be over: nothing is promised that nobody measured."""

import datetime as dt

import pytest

from notifications.models import Delivery, Sending
from notifications.sending import switch as sending
from notifications.telling.pace import CALLED, DELIVERED, HANDED_OVER, curve_of, pace
from tests.builders import a_user, at
from tests.notifications.builders import SUNDAY, a_call, an_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def ago(seconds: float) -> dt.datetime:
    return SUNDAY - dt.timedelta(seconds=seconds)


def left(seconds: float, **fields) -> Delivery:
    """Return an SMS that was handed over so many seconds ago."""
    return an_sms(state="accepted", submitted_at=ago(seconds), **{"parts": 2} | fields)


def queued(**fields) -> Delivery:
    return an_sms(**{"state": "queued", "not_before": ago(3600)} | fields)


class TestTheRate:
    def test_it_counts_the_last_minute(self) -> None:
        left(59), left(10), left(61)
        found = pace()
        assert (found.messages, found.parts, found.seconds) == (2, 4, 59)

    def test_who_began_just_now_is_not_measured_over_a_whole_minute(self) -> None:
        for _ in range(5):
            left(20)
        assert pace().messages_per_minute == 15
        assert pace().parts_per_second == 0.5

    def test_a_single_message_a_moment_ago_is_no_flood(self) -> None:
        left(0.1)
        assert pace().messages_per_minute == 6


class TestTheEnd:
    def test_it_is_what_is_left_at_the_rate(self) -> None:
        left(30), left(1)
        for _ in range(4):
            queued()
        found = pace()
        assert (found.standing, found.leaving) == ("moving", 4)
        assert found.ends_at == at("2022-05-15 09:01")

    def test_nothing_left_is_nothing_to_say(self) -> None:
        left(5)
        assert (pace().standing, pace().ends_at) == ("nothing", None)

    def test_without_a_rate_nothing_is_promised(self) -> None:
        queued()
        assert (pace().standing, pace().ends_at) == ("stalled", None)

    def test_a_pause_has_no_end(self) -> None:
        left(5), queued()
        Sending.objects.create(paused_at=SUNDAY, paused_by=a_user("chief", "crisis_cell"))
        assert (pace().standing, pace().ends_at) == ("paused", None)

    def test_held_ones_are_told_apart_with_their_moments(self) -> None:
        an_sms(not_before=at("2022-05-15 18:00"))
        an_sms(not_before=at("2022-05-15 20:00"))
        found = pace()
        assert (found.standing, found.waiting.held, found.waiting.due) == ("held", 2, 0)
        assert found.waiting.held_until == at("2022-05-15 18:00")
        assert found.waiting.held_last == at("2022-05-15 20:00")

    def test_one_whose_release_has_come_is_no_longer_held(self) -> None:
        an_sms(not_before=ago(1))
        assert (pace().waiting.held, pace().waiting.due) == (0, 1)

    def test_a_new_try_that_waits_for_its_time_is_not_due(self) -> None:
        queued(not_before=at("2022-05-15 09:05"))
        found = pace()
        assert (found.standing, found.waiting.later) == ("later", 1)
        assert found.waiting.later_at == at("2022-05-15 09:05")

    def test_what_a_worker_holds_still_leaves(self) -> None:
        queued(state="claimed", claimed_by="w1", lease_until=at("2022-05-15 09:01"))
        assert pace().waiting.due == 1

    def test_calls_are_no_sms(self) -> None:
        a_call()
        assert pace().standing == "nothing"

    def test_in_the_first_minute_nothing_is_wrong_yet(self, sunday) -> None:
        queued(not_before=SUNDAY)
        for second, said in ((0, "starting"), (59, "starting"), (60, "stalled")):
            sunday.move_to(SUNDAY + dt.timedelta(seconds=second))
            assert pace().standing == said

    def test_nor_in_the_first_minute_after_a_pause(self, sunday) -> None:
        queued(not_before=ago(600))
        chief = a_user("chief", "crisis_cell")
        sending.pause(by=chief)
        assert pace().standing == "paused"
        sending.resume(by=chief)
        sunday.move_to(SUNDAY + dt.timedelta(seconds=59))
        assert pace().standing == "starting"
        sunday.move_to(SUNDAY + dt.timedelta(seconds=61))
        assert pace().standing == "stalled"

    def test_it_takes_a_fixed_number_of_queries(self, django_assert_num_queries) -> None:
        for _ in range(3):
            queued()
        with django_assert_num_queries(4):
            pace()


class TestQuietHours:
    @pytest.fixture(autouse=True)
    def _night(self, settings, sunday) -> None:
        settings.SMS_QUIET_HOURS = "21:00-08:00"
        sunday.move_to(at("2022-05-15 22:00"))

    def test_they_hold_what_may_not_disturb(self) -> None:
        queued()
        found = pace()
        assert (found.standing, found.leaving) == ("quiet", 0)
        assert found.quiet_until == at("2022-05-16 08:00")

    def test_what_may_disturb_leaves_all_the_same(self) -> None:
        queued(), queued(ignores_quiet_hours=True)
        found = pace()
        assert (found.standing, found.leaving, found.waiting.asleep) == ("stalled", 1, 1)

    def test_in_the_first_minute_of_the_day_nothing_is_wrong_yet(self, sunday) -> None:
        queued(not_before=at("2022-05-15 21:30"))
        for moment, said in (("2022-05-16 08:00", "starting"), ("2022-05-16 08:01", "stalled")):
            sunday.move_to(at(moment))
            assert pace().standing == said

    def test_by_day_nothing_is_held_back(self, sunday) -> None:
        queued()
        sunday.move_to(at("2022-05-15 12:00"))
        assert (pace().quiet_until, pace().leaving) == (None, 1)


class TestTheCurve:
    def lines(self, hours: int = 12) -> dict[str, int]:
        return {line.name: line.total for line in curve_of(hours=hours).lines}

    def test_it_adds_up_what_left_what_arrived_and_who_was_called(self) -> None:
        left(3000), left(90)
        an_sms(state="delivered", submitted_at=ago(80), finished_at=ago(20))
        an_sms(state="failed", submitted_at=ago(80), finished_at=ago(20))
        a_call(state="failed", failure="no_answer", submitted_at=ago(30), finished_at=ago(30))
        a_call()
        assert self.lines() == {HANDED_OVER: 4, DELIVERED: 1, CALLED: 1}

    def test_each_minute_is_its_own_also_across_the_change_of_the_hour(self, sunday) -> None:
        # At 3:00 summer time becomes 2:00 winter time: 2:30 happens twice.
        sunday.move_to(dt.datetime(2022, 10, 30, 1, 40, tzinfo=dt.UTC))
        for hour in (0, 1):
            an_sms(
                state="accepted", submitted_at=dt.datetime(2022, 10, 30, hour, 30, tzinfo=dt.UTC)
            )
        drawn = curve_of(hours=12)
        (line,) = [one for one in drawn.lines if one.name == HANDED_OVER]
        assert drawn.step == 300
        assert line.totals.count(1) == 12

    def test_it_looks_back_so_far_and_no_further(self) -> None:
        left(13 * 3600), left(60)
        assert self.lines(hours=12)[HANDED_OVER] == 1
        assert self.lines(hours=48)[HANDED_OVER] == 2

    def test_a_call_that_only_counts_as_made_is_none(self) -> None:
        a_call(state="delivered", finished_at=ago(30))
        assert self.lines()[CALLED] == 0

    def test_it_takes_two_queries(self, django_assert_num_queries) -> None:
        for seconds in range(10, 600, 60):
            left(seconds)
        with django_assert_num_queries(2):
            curve_of(hours=12)
