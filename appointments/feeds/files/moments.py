"""Read dates and times as the sources write them, as aware moments of Europe/Brussels.

An agenda often gives a range (``14:00-14:30``): its start is the moment, its end the length. What
follows a time is therefore an offset only where it can be nothing else: after seconds or a ``T``,
and only an offset that a Belgian agenda can have.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from appointments.feeds.files.values import BadValue, text
from patients.names import fold
from staff.clock import BRUSSELS
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

_DATE = re.compile(
    r"""(?: (?P<year>[0-9]{4}) (?P<dash>[-/.]?) (?P<month>[0-9]{2}) (?P=dash) (?P<day>[0-9]{2})
          | (?P<day2>[0-9]{1,2}) (?:er)? (?P<between>\s?[-/.]\s?|\s)
            (?P<month2>[0-9]{1,2}|[^\W\d_]{3,9}\.?) (?P=between) (?P<year2>[0-9]{4}) )""",
    re.VERBOSE,
)
_TIME = re.compile(
    r"""(?P<hour>[0-9]{1,2})
        (?: \s?[:.hHuU]\s?(?P<minute>[0-9]{2}) (?: [:.m'](?P<second>[0-9]{2}) (?:[.,][0-9]{1,9})? )?
          | \s?(?:h(?:eures?)?|u(?:ur|hr)?)(?![^\W_])
          | (?P<minute2>[0-9]{2}) (?: :?(?P<second2>[0-9]{2}) (?:[.,][0-9]{1,9})? )? )
        (?![0-9])
        (?: \s?(?P<half>[ap])\.?m\b\.? )?""",
    re.VERBOSE | re.IGNORECASE,
)
_BEFORE_DATE = re.compile(r"((?:[^\W\d_]{2,10}\.?,?\s+){1,2})(?=[0-9])")
_LITTLE_WORDS = {
    *("LE", "OP", "AM", "ON", "DE", "DEN"),
    *("LU", "MA", "ME", "JE", "VE", "SA", "DI"),
    *("WO", "DO", "VR", "ZA", "ZO", "MO", "MI", "FR", "SO"),
}
_NO_HOUR = re.compile(r"\s*|[T\s]+0{1,2}[:.hHuU]?(00)?(:00)?(\.0+)?")
_BEFORE_TIME = re.compile(
    r"(?:[Tt,\s-]|(?:à|a|om|at|um|de|van|from|von)\s+(?=[0-9]))+", re.IGNORECASE
)
_UNTIL = re.compile(
    r"\s*(?:[-\u2010-\u2015\u2212\u2192>/~^]+"
    r"|(?:à|a|tot|t/m|to|bis|until|till|jusqu['’ ]?[àe])(?=\s))\s*",
    re.IGNORECASE,
)
_EAST = re.compile(r"\s?(?:[zZ]|\+([0-9]{2}):?([0-9]{2})?)(?![0-9A-Za-z])")
_WEST = re.compile(r"-([0-9]{2})(?::?[0-9]{2})?")
_BELGIAN_HOURS = {0, 1, 2}  # UTC, winter and summer time
_FURTHEST_WEST = 12
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no time zone
_LAST_EXCEL_EPOCH_YEAR = 1904  # a date this old beside a time means "no date"
_OLDEST_BIRTH, _OLDEST_AGENDA, _LATEST = 1880, 1990, 2100
_DAY = 24 * 60
_LONGEST_OVER_MIDNIGHT = 10 * 60  # minutes; beyond, the end is a mistake
_DATE_HINT = "16/05/2022"
_MOMENT_HINT = "16/05/2022 09:10"
_HOUR_MISSING = _("L'heure manque : écrivez %(hint)s.") % {"hint": _MOMENT_HINT}
_HOUR_UNREADABLE = _("Heure illisible : écrivez 09:10 ou 9h10, ou 09:10-09:30.")
_NO_SUCH_HOUR = _("Cette heure n'existe pas : écrivez de 00:00 à 23:59.")
_NO_BELGIAN_OFFSET = _(
    "Décalage horaire inattendu : écrivez l'heure belge seule, ou avec les secondes et "
    "+02:00 en été, +01:00 en hiver."
)
_END_DOUBTED = _("La fin n'est pas après le début : la durée n'est pas reprise.")


def _numbered(words: Mapping[int, str]) -> dict[str, int]:
    return {word: number for number, group in words.items() for word in group.split()}


_MONTHS = _numbered(
    {
        1: "JANVIER JANV JAN JANUARI JANUARY JANUAR",
        2: "FEVRIER FEVR FEV FEBRUARI FEB FEBRUARY FEBRUAR",
        3: "MARS MAR MAART MRT MARCH MARZ",
        4: "AVRIL AVR APRIL APR",
        5: "MAI MEI MAY",
        6: "JUIN JUNI JUN JUNE",
        7: "JUILLET JUIL JULI JUL JULY",
        8: "AOUT AUGUSTUS AUG AUGUST",
        9: "SEPTEMBRE SEPT SEPTEMBER SEP",
        10: "OCTOBRE OCT OKTOBER OKT OCTOBER",
        11: "NOVEMBRE NOV NOVEMBER",
        12: "DECEMBRE DEC DECEMBER DEZEMBER DEZ",
    }
)
_WEEKDAYS = _numbered(
    {
        0: "LUNDI LUN MAANDAG MONDAY MON MONTAG",
        1: "MARDI DINSDAG TUESDAY TUE DIENSTAG",
        2: "MERCREDI MER WOENSDAG WOE WEDNESDAY WED MITTWOCH",
        3: "JEUDI JEU DONDERDAG THURSDAY THU DONNERSTAG",
        4: "VENDREDI VEN VRIJDAG VRIJ FRIDAY FRI FREITAG",
        5: "SAMEDI SAM ZATERDAG SATURDAY SAT SAMSTAG",
        6: "DIMANCHE DIM ZONDAG SUNDAY SUN SONNTAG",
    }
)


@dataclass(frozen=True, slots=True)
class Slot:
    """When an act begins, and what else the cell says of it.

    Attributes:
        starts_at: aware.
        minutes: the length, where a range was given; otherwise None.
        doubt: what is wrong with the end of the range or the weekday; empty when nothing is.
    """

    starts_at: dt.datetime
    minutes: int | None = None
    doubt: Stored = ""


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of the day as written: minutes since midnight (1440 for 24:00), and its offset."""

    minute: int
    second: int
    zone: dt.timedelta | None
    has_half: bool = False

    @property
    def time(self) -> dt.time:
        if self.minute >= _DAY:
            raise BadValue(_NO_SUCH_HOUR)
        return dt.time(self.minute // 60, self.minute % 60, self.second)


def read_date(cell: object) -> dt.date:
    """Return the date in a cell: an Excel date, ``16/05/2022``, ``2022-05-16`` or ``20220516``.

    Raises:
        BadValue: not a date, or one that does not exist.
    """
    if isinstance(cell, dt.datetime):
        return _plausible(cell.date())
    if isinstance(cell, dt.date):
        return _plausible(cell)
    if _is_serial(cell):
        return _plausible(_from_serial(cell).date())  # type: ignore[arg-type]
    found, rest = _dated(cell)
    if not found:
        raise BadValue(_("Date illisible : écrivez %(hint)s.") % {"hint": _DATE_HINT})
    if not _NO_HOUR.fullmatch(rest):
        raise BadValue(_("Une date seule est attendue ici, comme %(hint)s.") % {"hint": _DATE_HINT})
    return _date_of(found)


def read_moment(cell: object) -> dt.datetime:
    """Return the aware moment at which a cell begins; see ``read_slot``."""
    return read_slot(cell).starts_at


def read_slot(cell: object) -> Slot:
    """Return the moment or the range in one cell.

    ``16/05/2022 09:10``, ``16-05-2022 9h10``, ISO, HL7's ``202205160910``; and ranges of them, as
    ``16/05/2022 09:10-09:30`` or ``16/05/2022 de 9h à 10h``.

    Raises:
        BadValue: unreadable, without an hour, or an hour that the clock change makes
            impossible or ambiguous.
    """
    if isinstance(cell, dt.datetime):
        return Slot(_aware(cell))
    if isinstance(cell, dt.date):
        raise BadValue(_HOUR_MISSING)
    if _is_serial(cell):
        return Slot(_aware(_from_serial(cell)))  # type: ignore[arg-type]
    found, rest = _dated(cell)
    if not found:
        raise BadValue(_("Moment illisible : écrivez %(hint)s.") % {"hint": _MOMENT_HINT})
    return _with_weekday(_slot(_date_of(found), rest), cell)


def read_slot_in_two(date_cell: object, time_cell: object) -> Slot:
    """Return the moment or range written in two columns, date and time.

    Raises:
        BadValue: as for ``read_slot``.
    """
    if isinstance(date_cell, dt.datetime):
        date_cell = date_cell.date()  # Excel keeps midnight beside a date
    day = read_date(date_cell)
    if isinstance(time_cell, dt.datetime):
        return Slot(_aware(dt.datetime.combine(day, time_cell.time())))
    if isinstance(time_cell, dt.time):
        return Slot(_aware(dt.datetime.combine(day, time_cell)))
    if isinstance(time_cell, dt.timedelta):
        time_cell = time_cell / dt.timedelta(days=1)
    if isinstance(time_cell, float) and 0 <= time_cell < 1:
        return Slot(_aware(_from_serial((day - _EXCEL_EPOCH.date()).days + time_cell)))
    if has_date(time_cell):
        slot = read_slot(time_cell)
        if slot.starts_at.date() != day:
            raise BadValue(_("Les deux cellules disent des dates différentes : corrigez-en une."))
        return slot
    return _with_weekday(_slot(day, text(time_cell)), date_cell)


def minutes_until(starts_at: dt.datetime, cell: object) -> int | None:
    """Return the length of what begins at a moment and ends when a cell says.

    Args:
        starts_at: aware.
        cell: the end: a moment, or a time of the same day; empty when the source does not say.

    Returns:
        Minutes; None for an empty cell.

    Raises:
        BadValue: unreadable, or an end that is not after the start.
    """
    if isinstance(cell, str) and not text(cell):
        return None
    if has_date(cell):
        end = read_slot(cell).starts_at
    else:
        end = read_slot_in_two(starts_at.astimezone(BRUSSELS).date(), cell).starts_at
    length = (end - starts_at) // dt.timedelta(minutes=1)
    if not 0 < length <= _DAY:
        raise BadValue(_END_DOUBTED)
    return length


def has_date(cell: object) -> bool:
    """Whether a cell begins with a date, even one that does not exist."""
    if isinstance(cell, dt.date):  # datetimes too
        return cell.year > _LAST_EXCEL_EPOCH_YEAR
    if isinstance(cell, str):
        return _date_in(cell) is not None
    return _is_serial(cell)


def has_hour(cell: object) -> bool:
    """Whether a cell that begins with a date says an hour too; midnight beside a date does not."""
    if isinstance(cell, dt.datetime):
        return cell.time() != dt.time()
    if isinstance(cell, str):
        return _NO_HOUR.fullmatch(_dated(cell)[1]) is None
    return isinstance(cell, float) and not cell.is_integer()


def has_half_day(cell: object) -> bool:
    """Whether a cell writes its hour with AM or PM, as month-first writers do."""
    return isinstance(cell, str) and re.search(r"[0-9]\s?[ap]\.?m\b", cell, re.I) is not None


def order_shown(cell: object) -> int:
    """Return what a date in figures proves about the order in which a file writes dates.

    Returns:
        1: day before month (or month before day behind a year), as we read it; -1: the other
        order, since only in it the date exists; 0: nothing.
    """
    found = _date_in(cell)
    if found is None:
        return 0
    if found["year"]:
        first, second = found["day"], found["month"]
    else:
        first, second = found["day2"], found["month2"]
    if not (second.isdigit() and 1 <= int(first) <= 31 and 1 <= int(second) <= 31):  # noqa: PLR2004
        return 0
    return (int(first) > 12) - (int(second) > 12)  # noqa: PLR2004 - months


def is_ambiguous(cell: object) -> bool:
    """Whether a date could be read in either order, and would be another one."""
    found = _date_in(cell)
    if not (found and found["day2"] and found["month2"].isdigit()):
        return False
    return order_shown(cell) == 0 and int(found["day2"]) != int(found["month2"])


def weekday_of(word: object) -> int | None:
    """Return the number of a weekday (Monday is 0); None for any other word."""
    return _WEEKDAYS.get(fold(str(word)))


def weekday_doubt(starts_at: dt.datetime, word: object) -> Stored:
    """Return what to say when a weekday and a date contradict each other; otherwise nothing."""
    weekday = weekday_of(word)
    if weekday is None or weekday == starts_at.astimezone(BRUSSELS).weekday():
        return ""
    return _("Le jour de la semaine ne correspond pas à la date : vérifiez-les.")


def localise(moment: dt.datetime) -> dt.datetime:
    """Return a naive local time as the aware moment it means in Europe/Brussels.

    Raises:
        BadValue: the clocks go forward over it (it does not exist) or back over it (it happens
            twice).
    """
    first, second = (moment.replace(tzinfo=BRUSSELS, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.utcoffset() > second.utcoffset():  # type: ignore[operator]
        raise BadValue(
            _(
                "Cette heure existe deux fois ce jour-là (passage à l'heure d'hiver) : écrivez "
                "%(moment)s:00+02:00 pour la première ou %(moment)s:00+01:00 pour la seconde."
            )
            % {"moment": moment.strftime("%Y-%m-%dT%H:%M")}
        )
    raise BadValue(
        _("Cette heure n'existe pas ce jour-là (passage à l'heure d'été) : corrigez l'heure.")
    )


def _date_in(cell: object) -> re.Match[str] | None:
    """Return the date with which a text begins; None for anything else."""
    if not isinstance(cell, str):
        return None
    try:
        return _dated(cell)[0]
    except BadValue:
        return None


def _dated(cell: object) -> tuple[re.Match[str] | None, str]:
    """Return the date with which a text begins, and what follows it."""
    written = text(cell)
    written = written[len(_weekday_before(written)) :]
    found = _DATE.match(written)
    if found and not found["year"] and not found["month2"].isdigit():
        found = found if fold(found["month2"]) in _MONTHS else None
    return found, written[found.end() :] if found else ""


def _weekday_before(written: str) -> str:
    """Return the words before a date, when they are a weekday: ``le lundi``."""
    before = _BEFORE_DATE.match(written)
    if before and all(
        word in _WEEKDAYS or word in _LITTLE_WORDS for word in map(fold, before[1].split())
    ):
        return before[0]
    return ""


def _with_weekday(slot: Slot, date_cell: object) -> Slot:
    """Return a slot, doubted when a weekday before its date is another one."""
    if slot.doubt or not isinstance(date_cell, str):
        return slot
    doubts = (weekday_doubt(slot.starts_at, w) for w in _weekday_before(text(date_cell)).split())
    return replace(slot, doubt=next((doubt for doubt in doubts if doubt), ""))


def _slot(day: dt.date, written: str) -> Slot:
    """Return what a time or a range of times means on a day."""
    beginning = _BEFORE_TIME.match(written.strip())
    rest = written.strip()[beginning.end() if beginning else 0 :]
    if not rest:
        raise BadValue(_HOUR_MISSING)
    is_iso = bool(beginning and beginning[0].strip() in {"T", "t"})
    start, rest = _clock(rest, is_iso=is_iso)
    west = _WEST.fullmatch(rest)
    if west and is_iso and int(west[1]) <= _FURTHEST_WEST:
        raise BadValue(_NO_BELGIAN_OFFSET)
    if not rest:
        return Slot(_moment(day, start))
    until = _UNTIL.match(rest)
    if not until:
        raise BadValue(_HOUR_UNREADABLE)
    end_day, end, end_text = _end(rest[until.end() :], day)
    if end_text:
        raise BadValue(_HOUR_UNREADABLE)
    start = _same_half(start, end)
    starts_at = _moment(day, start)
    length = _length(day, start, end_day, end)
    if length is None and west and _has_seconds(written):
        raise BadValue(_NO_BELGIAN_OFFSET)
    return Slot(starts_at, length, "" if length else _END_DOUBTED)


def _end(written: str, day: dt.date) -> tuple[dt.date | None, _Clock, str]:
    """Return the day (None when it is not said), the time and what is left of the end."""
    found = _DATE.match(written)
    if found is None:
        return (None, *_clock(written, is_iso=False))
    rest = written[found.end() :]
    before = _BEFORE_TIME.match(rest)
    is_iso = bool(before and before[0] in {"T", "t"})
    return (_date_of(found), *_clock(rest[before.end() if before else 0 :], is_iso=is_iso))


def _clock(written: str, *, is_iso: bool) -> tuple[_Clock, str]:
    """Return the time with which a text begins, and what follows it."""
    found = _TIME.match(written)
    if not found:
        raise BadValue(_HOUR_UNREADABLE)
    hour, second = int(found["hour"]), int(found["second"] or found["second2"] or 0)
    minute = int(found["minute"] or found["minute2"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:  # noqa: PLR2004 - hours on a dial
            raise BadValue(_NO_SUCH_HOUR)
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    total = hour * 60 + minute
    if minute > 59 or second > 59 or total > _DAY:  # noqa: PLR2004
        raise BadValue(_NO_SUCH_HOUR)
    rest = written[found.end() :].strip()
    zone = None
    east = _EAST.match(rest)
    if east:
        has_seconds = bool(found["second"] or found["second2"])
        hours, minutes = int(east[1] or 0), int(east[2] or 0)
        if not (is_iso or has_seconds) or hours not in _BELGIAN_HOURS or minutes:
            raise BadValue(_NO_BELGIAN_OFFSET)
        zone, rest = dt.timedelta(hours=hours), rest[east.end() :].strip()
    return _Clock(total, second, zone, bool(found["half"])), rest


def _has_seconds(written: str) -> bool:
    found = _TIME.search(written)
    return bool(found and (found["second"] or found["second2"]))


def _same_half(start: _Clock, end: _Clock) -> _Clock:
    """Return the start of ``2:00-2:30 PM``, which is in the afternoon too."""
    noon = _DAY // 2
    if end.has_half and not start.has_half and start.minute + noon < end.minute:
        return _Clock(start.minute + noon, start.second, start.zone)
    return start


def _length(day: dt.date, start: _Clock, end_day: dt.date | None, end: _Clock) -> int | None:
    """Return the minutes between start and end; None when the end is not after the start."""
    length = end.minute - start.minute
    if start.zone is not None and end.zone is not None:
        length -= (end.zone - start.zone) // dt.timedelta(minutes=1)
    if end_day is not None:
        length += (end_day - day).days * _DAY
    elif length < 0 and length + _DAY <= _LONGEST_OVER_MIDNIGHT:
        length += _DAY
    return length if 0 < length <= _DAY else None


def _moment(day: dt.date, clock: _Clock) -> dt.datetime:
    moment = dt.datetime.combine(_plausible(day, _OLDEST_AGENDA), clock.time)
    if clock.zone is None:
        return localise(moment)
    return moment.replace(tzinfo=dt.timezone(clock.zone)).astimezone(BRUSSELS)


def _date_of(found: re.Match[str]) -> dt.date:
    year = int(found["year"] or found["year2"])
    written = found["month"] or found["month2"]
    month = int(written) if written.isdigit() else _MONTHS[fold(written)]
    day = int(found["day"] or found["day2"])
    try:
        return _plausible(dt.date(year, month, day))
    except ValueError as error:
        if isinstance(error, BadValue):
            raise
        raise BadValue(
            _("Cette date n'existe pas : l'ordre est jour/mois/année, comme %(hint)s.")
            % {"hint": _DATE_HINT}
        ) from None


def _plausible(day: dt.date, earliest: int = _OLDEST_BIRTH) -> dt.date:
    if not earliest <= day.year <= _LATEST:
        raise BadValue(_("Année peu plausible : vérifiez la date."))
    return day


def _aware(moment: dt.datetime) -> dt.datetime:
    _plausible(moment.date(), _OLDEST_AGENDA)
    if moment.tzinfo is not None:
        return moment.astimezone(BRUSSELS)
    # A spreadsheet keeps 09:10 as a fraction that may come back as 09:09:59.999.
    return localise((moment + dt.timedelta(milliseconds=500)).replace(microsecond=0))


def _is_serial(cell: object) -> bool:
    """Whether a number can be an Excel date: days since 1900, up to the year 2100."""
    return isinstance(cell, float) and math.isfinite(cell) and 1 <= cell < 73_051


def _from_serial(days: float) -> dt.datetime:
    return _EXCEL_EPOCH + dt.timedelta(seconds=round(days * 86_400))
