"""Dates and times as hospitals write them."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.feeds.files.moments import (
    Slot,
    has_date,
    minutes_until,
    order_shown,
    read_date,
    read_moment,
    read_slot,
    read_slot_in_two,
)
from appointments.feeds.files.values import BadValue
from staff.clock import BRUSSELS
from tests.appointments.feeds.files.builders import naive
from tests.builders import at

TEN_PAST_NINE = at("2022-05-16 09:10")


@pytest.mark.parametrize(
    "written",
    [
        "16/05/2022 09:10",
        "16/5/2022 9:10",
        "16-05-2022 9h10",
        "16.05.2022 09.10",
        "16/05/2022 09u10",
        "16/05/2022 à 9h10",
        "16/05/2022 0910",
        "16/05/2022 09:10:00",
        "2022-05-16 09:10",
        "2022-05-16T09:10",
        "2022-05-16T09:10:00",
        "2022-05-16T09:10:00.000",
        "2022-05-16T09:10:00+02:00",
        "2022-05-16T07:10:00Z",
        "2022-05-16 08:10:00 +0100",
        "2022-05-16T09:10+02",
        "20220516081000+0100",
        "202205160910",
        "20220516T0910",
        "lundi 16/05/2022 09:10",
        "Maandag 16 mei 2022 om 9u10",
        "le 16 mai 2022 à 9h10",
        "16/05/2022 09:10 AM",
        "16/05/2022 9:10 a.m.",
        "\u200b16/05/2022\u00a009:10\ufeff",
        "  16/05/2022   09:10 ",
        naive("2022-05-16 09:10"),
        naive("2022-05-16 09:09:59.999"),
        44697.381944444445,
    ],
)
def test_a_moment_is_read_however_it_is_written(written):
    assert read_moment(written) == TEN_PAST_NINE


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("16/05/2022", "09:10"),
        ("16-05-2022", "9h10"),
        ("2022-05-16", "0910"),
        ("20220516", "910"),
        (naive("2022-05-16 00:00"), dt.time(9, 10)),
        (dt.date(2022, 5, 16), "9.10"),
        ("16/05/2022 00:00:00", naive("1899-12-31 09:10")),
        ("16/05/2022", 0.3819444444),
        (44697.0, dt.timedelta(hours=9, minutes=10)),
    ],
)
def test_date_and_time_in_two_columns_are_joined(date, time):
    assert read_slot_in_two(date, time).starts_at == TEN_PAST_NINE


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("16/05/2022", "L'heure manque"),
        (dt.date(2022, 5, 16), "L'heure manque"),
        ("", "illisible"),
        ("demain", "illisible"),
        ("16/05/22 09:10", "illisible"),
        ("05/16/2022 09:10", "jour/mois/année"),
        ("30/02/2022 09:10", "n'existe pas"),
        ("16/05/2022 25:10", "n'existe pas"),
        ("16/05/2022 tôt", "illisible"),
        ("16/05/0022 09:10", "Année"),
        ("2022-05-16 09:10 +99:00", "Décalage"),
        ("2022-05-16 09:10 +02:00", "Décalage"),
        ("16/05/2022 0910+0200", "Décalage"),
        ("2022-05-16T09:10:00+05:00", "Décalage"),
        ("2022-05-16T09:10:00+02:30", "Décalage"),
        ("2022-05-16T09:10:00-05:00", "Décalage"),
        ("2022-05-16T14:00-02:30", "Décalage"),
        ("2022-05-16 09:10:00-05:00", "Décalage"),
        ("16/05/2022 24:00", "n'existe pas"),
        ("16/05/2022 13:10 PM", "n'existe pas"),
        ("16/05/2022 09:60", "n'existe pas"),
        ("16/05/2022 vers 9h", "illisible"),
        ("16/05/2022 9:5", "illisible"),
        ("16/05/2022 9", "illisible"),
        ("16/05/2022 09:10 (confirmé)", "illisible"),
        ("16/05/2022 09:10-", "illisible"),
        ("16/05/2022 09:10-midi", "illisible"),
        ("16/05/2022 09:10-09:30-10:00", "illisible"),
        ("vers 16/05/2022 09:10", "illisible"),
        ("16 brumaire 2022 09:10", "illisible"),
        ("#N/A", "formule"),
        (1.5, "Année"),
        (float("nan"), "illisible"),
    ],
)
def test_a_moment_that_cannot_be_used_says_why(written, why):
    with pytest.raises(BadValue, match=why):
        read_moment(written)


def test_the_hour_that_happens_twice_is_asked_about():
    with pytest.raises(BadValue, match="existe deux fois"):
        read_moment("30/10/2022 02:30")


def test_an_offset_settles_the_hour_that_happens_twice():
    first = read_moment("30/10/2022 02:30:00+02:00")
    second = read_moment("2022-10-30T02:30+01:00")
    assert second - first == dt.timedelta(hours=1) or second.timestamp() - first.timestamp() == 3600


def test_the_hour_that_the_clocks_leave_out_is_refused():
    with pytest.raises(BadValue, match="n'existe pas ce jour-là"):
        read_moment("27/03/2022 02:30")


@pytest.mark.parametrize(
    "written", ["03/11/1958", "1958-11-03", "19581103", "3.11.1958", naive("1958-11-03 00:00")]
)
def test_a_birth_date_is_read_however_it_is_written(written):
    assert read_date(written) == dt.date(1958, 11, 3)


def test_a_birth_date_of_two_digits_is_not_guessed():
    with pytest.raises(BadValue, match="illisible"):
        read_date("03/11/58")


TWO = at("2022-05-16 14:00")


@pytest.mark.parametrize(
    "written",
    [
        "14:00-14:30",
        "14:00 - 14:30",
        "14:00\u201314:30",
        "14h00 \u2014 14h30",
        "14h00 à 14h30",
        "14h à 14h30",
        "de 14h à 14h30",
        "14u tot 14u30",
        "van 14.00 tot 14.30",
        "14:00 to 14:30",
        "14:00/14:30",
        "14:00 > 14:30",
        "14:00:00-14:30:00",
        "14:00:00-14:30",
        "1400-1430",
        "1400-1430 ",
        "14:00-1430",
        "2:00-2:30 PM",
        "02:00 PM - 02:30 PM",
    ],
)
def test_a_range_gives_start_and_length_and_never_an_offset(written):
    expected = Slot(TWO, 30)
    assert read_slot_in_two("16/05/2022", written) == expected
    assert read_slot(f"16/05/2022 {written}") == expected
    assert read_slot(f"2022-05-16 {written}") == expected


@pytest.mark.parametrize(
    "written",
    [
        "202205161400-202205161430",
        "202205161400^202205161430",
        "20220516140000+0200-20220516143000+0200",
        "2022-05-16T14:00:00+02:00/2022-05-16T12:30:00Z",
        "2022-05-16T14:00-14:30",
        "16/05/2022 14:00 - 16/05/2022 14:30",
        "lundi 16 mai 2022 de 14h00 à 14h30",
    ],
)
def test_a_range_may_say_the_day_twice(written):
    assert read_slot(written) == Slot(TWO, 30)


@pytest.mark.parametrize(
    ("written", "minutes"), [("22:00-06:00", 480), ("23:30-24:00", 30), ("14:00-14:01", 1)]
)
def test_a_range_may_go_over_midnight(written, minutes):
    assert read_slot_in_two("16/05/2022", written).minutes == minutes


@pytest.mark.parametrize("written", ["14:00-13:30", "14:00-14:00"])
def test_an_end_that_is_not_after_the_start_leaves_the_start_and_a_doubt(written):
    slot = read_slot_in_two("16/05/2022", written)
    assert (slot.starts_at, slot.minutes) == (TWO, None)
    assert "durée" in str(slot.doubt)


def test_a_weekday_that_is_another_one_is_doubted():
    assert "jour de la semaine" in str(read_slot("mardi 16/05/2022 09:10").doubt)
    assert not read_slot("lun. 16/05/2022 09:10").doubt


@pytest.mark.parametrize("end", ["14:30", dt.time(14, 30), "16/05/2022 14h30", 0.6041666667])
def test_an_end_gives_the_length(end):
    assert minutes_until(TWO, end) == 30


@pytest.mark.parametrize("end", ["13:30", "17/05/2022 15:00", "tard"])
def test_an_end_that_gives_no_length_says_why(end):
    with pytest.raises(BadValue):
        minutes_until(TWO, end)


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("16/05/2022", 1),
        ("05/16/2022 09:10", -1),
        ("05.16.2022", -1),
        ("2022-05-16", 1),
        ("2022-16-05", -1),
        ("20221605", -1),
        ("05/06/2022", 0),
        ("99/99/2022", 0),
        ("16 mai 2022", 0),
        ("demain", 0),
        (44697.4, 0),
    ],
)
def test_a_date_proves_an_order_only_when_it_exists_in_one(written, order):
    assert order_shown(written) == order


clock_times = st.times().map(lambda time: time.replace(second=0, microsecond=0))
days = st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31)).filter(
    lambda day: day.month not in {3, 10}  # the nights of the clock change have tests of their own
)
TIMES = ("%H:%M", "%Hh%M", "%Hu%M", "%H.%M", "%H%M", "%H:%M:%S", "%I:%M %p")
BETWEEN = ("-", " - ", "\u2013", " à ", " tot ", " to ", "/", "\u2192")
DATES = ("%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d.%m.%Y", "%Y%m%d")


@given(days, clock_times, clock_times, st.sampled_from(TIMES), st.sampled_from(BETWEEN), st.data())
def test_every_range_begins_where_it_says_and_lasts_until_its_end(
    day, start, end, style, between, data
):
    date = day.strftime(data.draw(st.sampled_from(DATES)))
    written = start.strftime(style) + between + end.strftime(style)
    slots = read_slot(f"{date} {written}"), read_slot_in_two(date, written)
    for slot in slots:
        assert slot.starts_at == dt.datetime.combine(day, start, BRUSSELS)
        length = (end.hour - start.hour) * 60 + end.minute - start.minute
        assert slot.minutes in {length if length > 0 else None, length + 24 * 60}


@given(days, clock_times, st.sampled_from(["Z", "+00:00", "+01:00", "+0200", "+02"]), st.booleans())
def test_a_belgian_offset_after_seconds_or_a_t_names_the_instant(day, time, offset, has_t):
    written = f"{day}T{time:%H:%M}{offset}" if has_t else f"{day} {time:%H:%M:%S} {offset}"
    hours = int(offset[1:3] or 0) if offset != "Z" else 0
    zone = dt.timezone(dt.timedelta(hours=hours))
    assert read_moment(written) == dt.datetime.combine(day, time, zone)


@given(days, clock_times, st.integers(-12, 14), st.sampled_from(["{:%H:%M}", "{:%H%M}"]))
def test_what_follows_a_time_without_seconds_is_never_an_offset(day, time, hours, style):
    written = f"{day} {style.format(time)}{hours:+03d}:00"
    try:
        slot = read_slot(written)
    except BadValue:
        return
    assert slot.starts_at == dt.datetime.combine(day, time, BRUSSELS)


@given(st.one_of(st.text(max_size=40), st.floats(), st.text("0123456789:-/.hT+Z ", max_size=30)))
def test_any_cell_is_a_moment_a_date_or_a_reason(cell):
    has_date(cell)
    order_shown(cell)
    for read in (read_slot, read_date, lambda it: read_slot_in_two("16/05/2022", it)):
        with suppress(BadValue):
            found = read(cell)
            moment = found.starts_at if isinstance(found, Slot) else found
            assert 1880 <= moment.year <= 2100
