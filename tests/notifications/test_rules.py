"""When an SMS is still of use, how urgent it is, and whom to call next: over all shapes.

Quiet hours follow the clock on the wall, through both nights on which it jumps.
"""

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications import rules
from notifications.rules import BRUSSELS, QuietHours
from tests.builders import at

HOME, MOBILE, DAUGHTER = "+3263550001", "+32470000001", "+32496123456"


def test_an_sms_leaves_no_later_than_so_long_before_the_appointment():
    latest = rules.latest_departure(at("2022-05-16 09:10"), seconds_before=1800)
    assert latest == at("2022-05-16 08:40")


def test_the_hour_before_is_a_real_one_in_the_night_of_the_changed_clocks():
    """At 03:10 on 30 October, two hours and ten minutes after 02:00 summer time."""
    latest = rules.latest_departure(at("2022-10-30 03:10"), seconds_before=7200)
    assert latest.utcoffset() == dt.timedelta()
    assert latest == dt.datetime(2022, 10, 30, 0, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("number", "seconds"),
    [(1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (8, 3600), (13, 3600), (5000, 3600)],
)
def test_the_wait_before_another_try_doubles_up_to_an_hour(number, seconds):
    assert rules.seconds_before_try(number, jitter=1) == seconds
    assert rules.seconds_before_try(number, jitter=0.5) == seconds / 2


@given(st.dates(min_value=rules.URGENCY_COUNTS_FROM), st.integers(0, rules.RANKS - 1))
def test_an_urgency_is_made_of_the_day_and_then_the_kind_of_act(day, rank):
    urgency = rules.urgency(day, rank)
    assert rules.rank_of(urgency) == rank
    assert urgency == (day.toordinal() - dt.date(2000, 1, 1).toordinal()) * 10 + rank


@pytest.mark.parametrize(
    ("numbers", "tries", "expected"), [(1, 3, 3), (3, 3, 3), (4, 3, 4), (0, 1, 1)]
)
def test_each_number_is_called_once_at_least(numbers, tries, expected):
    assert rules.tries_before_giving_up(numbers, tries=tries) == expected


class TestNextNumber:
    NUMBERS = (HOME, MOBILE, DAUGHTER)

    @pytest.mark.parametrize(
        ("tried", "last", "moves_on", "following"),
        [
            ([(HOME, False)], HOME, True, MOBILE),
            ([(HOME, False), (MOBILE, False)], MOBILE, True, DAUGHTER),
            ([(HOME, False), (MOBILE, False), (DAUGHTER, False)], DAUGHTER, True, HOME),
            ([(HOME, True)], HOME, False, MOBILE),
            ([(HOME, True), (MOBILE, False)], MOBILE, True, DAUGHTER),
            ([(HOME, False)], HOME, False, HOME),
            ([(HOME, True), (MOBILE, True), (DAUGHTER, True)], DAUGHTER, False, None),
            ([("", False)], "", True, HOME),
        ],
    )
    def test_the_next_number_is_the_one_least_often_called(self, tried, last, moves_on, following):
        assert following == rules.next_number(
            self.NUMBERS, tried=tried, last=last, moves_on=moves_on
        )

    @given(st.lists(st.sampled_from(range(5)), unique=True, min_size=1), st.integers(1, 4))
    def test_each_number_is_called_before_the_trying_ends(self, order, tries):
        numbers = [f"+{n}" for n in order]
        tried: list[tuple[str, bool]] = []
        address: str | None = numbers[0]
        while address and len(tried) < rules.tries_before_giving_up(len(numbers), tries=tries):
            tried.append((address, False))
            address = rules.next_number(numbers, tried=tried, last=address, moves_on=True)
        assert {number for number, _wrong in tried} == set(numbers)


# --- quiet hours ------------------------------------------------------------------------------

NIGHT = QuietHours.parse("21:00-08:00")
SPRING, AUTUMN = dt.date(2022, 3, 27), dt.date(2022, 10, 30)  # 02:00 → 03:00 and 03:00 → 02:00


def wall(day: dt.date, hour: str, *, again: bool = False) -> dt.datetime:
    """Return what the clock shows on a day; ``again``: the second time."""
    moment = dt.datetime.combine(day, dt.time.fromisoformat(hour), tzinfo=BRUSSELS)
    return moment.replace(fold=again)


times = st.times().map(lambda time: time.replace(second=0, microsecond=0))
spans = st.tuples(times, times).filter(lambda span: span[0] != span[1]).map(QuietHours)
anywhen = st.integers(0, 10 * 366 * 86400).map(
    lambda seconds: at("2020-01-01 00:00").astimezone(dt.UTC) + dt.timedelta(seconds=seconds)
)
around_a_jump = st.sampled_from([SPRING, AUTUMN]).flatmap(
    lambda day: st.integers(0, 30 * 3600).map(
        lambda seconds: (
            dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
            + dt.timedelta(seconds=seconds, hours=-4)
        )
    )
)
moments = anywhen | around_a_jump


def allowed_after(hours: QuietHours, moment: dt.datetime) -> dt.datetime:
    """Return the next allowed moment in UTC: within one zone Python compares the wall clocks."""
    return hours.next_allowed(moment).astimezone(dt.UTC)


def shown_at(moment: dt.datetime) -> dt.time:
    return moment.astimezone(BRUSSELS).time()


def is_shown_twice(moment: dt.datetime) -> bool:
    local = moment.astimezone(BRUSSELS)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


class TestWhatIsWritten:
    @pytest.mark.parametrize("text", ["21:00-08:00", " 21:00 - 8:00 ", "21:00–08:00"])
    def test_two_hours_are_read(self, text):
        assert QuietHours.parse(text).hours == (dt.time(21), dt.time(8))

    @pytest.mark.parametrize("text", ["", "  "])
    def test_nothing_is_never_quiet(self, text):
        hours = QuietHours.parse(text)
        assert not hours.is_quiet(at("2022-05-15 03:00"))
        assert hours.next_allowed(at("2022-05-15 03:00")) == at("2022-05-15 03:00")
        assert str(hours) == ""

    @pytest.mark.parametrize(
        "text",
        ["21-08", "21:00", "24:00-08:00", "21:60-08:00", "oui", "21:00-08:00-09:00", "٢١:00-08:00"],
    )
    def test_nonsense_is_one_french_sentence(self, text):
        with pytest.raises(ValueError, match=r"^« .* » ne dit pas .* 21:00-08:00.*\.$"):
            QuietHours.parse(text)

    def test_a_span_without_length_is_refused(self):
        with pytest.raises(ValueError, match="à la même heure"):
            QuietHours.parse("08:00-08:00")

    @given(hours=spans)
    def test_what_is_shown_reads_the_same_again(self, hours):
        assert QuietHours.parse(str(hours)) == hours

    @given(text=st.text(max_size=60))
    def test_any_other_text_is_refused_and_never_more_than_that(self, text):
        try:
            QuietHours.parse(text)
        except ValueError as error:
            assert "donnez deux heures" in str(error)  # noqa: PT017


class TestAPlainNight:
    @pytest.mark.parametrize(
        ("moment", "quiet"),
        [
            ("2022-05-15 20:59", False),
            ("2022-05-15 21:00", True),
            ("2022-05-16 00:00", True),
            ("2022-05-16 07:59", True),
            ("2022-05-16 08:00", False),
        ],
    )
    def test_from_nine_in_the_evening_until_eight(self, moment, quiet):
        assert NIGHT.is_quiet(at(moment)) is quiet

    def test_the_next_allowed_moment_is_eight(self):
        assert NIGHT.next_allowed(at("2022-05-15 22:00")) == at("2022-05-16 08:00")
        assert NIGHT.next_allowed(at("2022-05-16 07:00")) == at("2022-05-16 08:00")

    def test_by_day_it_is_the_moment_itself_in_brussels(self):
        noon = NIGHT.next_allowed(at("2022-05-15 12:00").astimezone(dt.UTC))
        assert noon == at("2022-05-15 12:00")
        assert noon.tzinfo == BRUSSELS

    def test_a_span_within_one_day(self):
        lunch = QuietHours.parse("12:00-14:00")
        assert lunch.next_allowed(at("2022-05-15 13:00")) == at("2022-05-15 14:00")
        assert not lunch.is_quiet(at("2022-05-15 11:59"))


def passes_by(hours: QuietHours, moment: dt.datetime, latest: dt.datetime) -> bool:
    """Whether a message would be of no more use when the quiet hours of a moment end."""
    return hours.is_quiet(moment) and hours.next_allowed(moment) > latest


class TestWhatPassesBy:
    @pytest.mark.parametrize(
        ("now", "latest", "passes"),
        [
            ("2022-05-15 22:00", "2022-05-16 07:40", True),
            ("2022-05-15 22:00", "2022-05-16 08:00", False),
            ("2022-05-15 22:00", "2022-05-16 09:00", False),
            ("2022-05-15 20:00", "2022-05-16 07:40", False),
        ],
    )
    def test_a_message_of_no_more_use_when_the_night_ends(self, now, latest, passes):
        assert passes_by(NIGHT, at(now), at(latest)) is passes

    def test_by_day_nothing_passes_by_for_the_sake_of_the_night(self):
        assert not passes_by(NIGHT, at("2022-05-15 12:00"), at("2022-05-15 11:00"))


class TestTheNightsOnWhichTheClockJumps:
    def test_a_night_over_the_spring_gap_is_an_hour_shorter(self):
        start = wall(SPRING - dt.timedelta(days=1), "21:00")
        end = NIGHT.next_allowed(start)
        assert end == wall(SPRING, "08:00")
        assert end.astimezone(dt.UTC) - start.astimezone(dt.UTC) == dt.timedelta(hours=10)

    def test_a_night_over_the_hour_that_happens_twice_is_an_hour_longer(self):
        start = wall(AUTUMN - dt.timedelta(days=1), "21:00")
        end = NIGHT.next_allowed(start)
        assert end == wall(AUTUMN, "08:00")
        assert end.astimezone(dt.UTC) - start.astimezone(dt.UTC) == dt.timedelta(hours=12)

    def test_an_end_that_the_clock_skips_is_the_jump(self):
        hours = QuietHours.parse("21:00-02:30")
        assert hours.next_allowed(wall(SPRING, "01:59")) == wall(SPRING, "03:00")

    def test_a_start_that_the_clock_skips_is_the_jump(self):
        hours = QuietHours.parse("02:30-08:00")
        assert not hours.is_quiet(wall(SPRING, "01:59"))
        assert hours.is_quiet(wall(SPRING, "03:00"))

    def test_hours_that_the_clock_skips_altogether_are_not_quiet(self):
        hours = QuietHours.parse("02:10-02:50")
        assert not hours.is_quiet(wall(SPRING, "01:59"))
        assert not hours.is_quiet(wall(SPRING, "03:00"))

    @pytest.mark.parametrize("written", ["02:30-02:00", "03:00-02:59", "02:01-02:00"])
    def test_a_pause_that_the_clock_skips_is_none(self, written):
        hours = QuietHours.parse(written)
        evening = wall(SPRING - dt.timedelta(days=1), "23:00")
        assert hours.is_quiet(wall(SPRING, "03:00"))
        assert hours.next_allowed(evening) == hours.next_allowed(wall(SPRING, "03:00"))
        next_pause = wall(SPRING + dt.timedelta(days=1), str(hours.hours[1]))
        assert hours.next_allowed(evening) == next_pause

    def test_an_end_shown_twice_is_the_second(self):
        hours = QuietHours.parse("21:00-02:30")
        assert hours.is_quiet(wall(AUTUMN, "02:45"))
        second = wall(AUTUMN, "02:30", again=True).astimezone(dt.UTC)
        assert allowed_after(hours, wall(AUTUMN, "02:45")) == second

    def test_a_start_shown_twice_is_the_first(self):
        hours = QuietHours.parse("02:30-08:00")
        assert not hours.is_quiet(wall(AUTUMN, "02:15"))
        assert hours.is_quiet(wall(AUTUMN, "02:15", again=True))


class TestAtAnyMoment:
    @given(hours=spans, moment=moments)
    @example(hours=QuietHours((dt.time(2, 30), dt.time(8))), moment=wall(SPRING, "03:10"))
    @example(hours=QuietHours((dt.time(2, 30), dt.time(2))), moment=wall(SPRING, "01:30"))
    def test_quiet_is_what_the_clock_on_the_wall_says(self, hours, moment):
        if is_shown_twice(moment):
            return
        start, end = hours.hours
        shown = shown_at(moment)
        says = start <= shown < end if start < end else shown >= start or shown < end
        assert hours.is_quiet(moment) is says

    @given(hours=spans, moment=moments)
    @example(hours=QuietHours((dt.time(2, 30), dt.time(2))), moment=wall(SPRING, "01:30"))
    @example(hours=QuietHours((dt.time(2, 59), dt.time(2, 30))), moment=wall(AUTUMN, "01:30"))
    def test_the_next_allowed_moment_is_the_first_that_is_not_quiet(self, hours, moment):
        allowed = allowed_after(hours, moment)
        assert allowed >= moment
        assert not hours.is_quiet(allowed)
        if hours.is_quiet(moment):
            assert hours.is_quiet(allowed - dt.timedelta(microseconds=1))
        else:
            assert allowed == moment

    @given(hours=spans, moment=moments, part=st.floats(0, 1, exclude_max=True))
    def test_from_then_until_then_it_is_quiet_throughout(self, hours, moment, part):
        allowed = allowed_after(hours, moment)
        between = moment + part * (allowed - moment)
        if between < allowed:
            assert hours.is_quiet(between)
            assert allowed_after(hours, between) == allowed

    @given(hours=spans, moment=moments, seconds=st.integers(-100_000, 100_000))
    def test_a_message_passes_by_only_if_it_is_quiet_until_after_it(self, hours, moment, seconds):
        latest = moment + dt.timedelta(seconds=seconds)
        passes = passes_by(hours, moment, latest)
        assert passes is (hours.is_quiet(moment) and allowed_after(hours, moment) > latest)
