"""Dates and times as the sources write them, made aware moments of Europe/Brussels."""

import datetime as dt
import math
import re

from django.utils.translation import gettext as _

from appointments.feeds.words import BadValue
from staff.clock import BRUSSELS

_DATE = re.compile(
    r"""(?: (?P<year>\d{4}) (?P<dash>[-/.]?) (?P<month>\d{2}) (?P=dash) (?P<day>\d{2})
          | (?P<day2>\d{1,2}) [-/.] (?P<month2>\d{1,2}) [-/.] (?P<year2>\d{4}) )""",
    re.VERBOSE | re.ASCII,
)
_TIME = re.compile(
    r"""(?P<hour>\d{1,2}) (?: \s*[:.hHuU]\s* (?P<minute>\d{2})?  | (?P<minute2>\d{2}) )
        (?: [:.m'] (?P<second>\d{2}) (?: [.,]\d{1,9} )? )?
        \s* (?P<zone> [zZ] | [+-]\d{2}:?\d{2} )?""",
    re.VERBOSE | re.ASCII,
)
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no time zone
_OLDEST_BIRTH, _OLDEST_AGENDA, _LATEST = 1880, 1990, 2100
_DATE_HINT = "16/05/2022"
_MOMENT_HINT = "16/05/2022 09:10"


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
    text = _text(cell)
    found = _DATE.match(text)
    if not found:
        raise BadValue(_("Date illisible : écrivez %(hint)s.") % {"hint": _DATE_HINT})
    rest = text[found.end() :]
    if rest and not re.fullmatch(r"[T\s]+0{1,2}[:.hHuU]?(00)?(:00)?(\.0+)?", rest):
        raise BadValue(_("Une date seule est attendue ici, comme %(hint)s.") % {"hint": _DATE_HINT})
    return _date_of(found)


def read_moment(cell: object) -> dt.datetime:
    """Return the aware moment in one cell, as ``16/05/2022 09:10``, ``16-05-2022 9h10`` or ISO.

    Raises:
        BadValue: unreadable, without an hour, or an hour that the clock change makes
            impossible or ambiguous.
    """
    if isinstance(cell, dt.datetime):
        return _aware(cell)
    if isinstance(cell, dt.date):
        raise _hour_missing()
    if _is_serial(cell):
        return _aware(_from_serial(cell))  # type: ignore[arg-type]
    text = _text(cell)
    found = _DATE.match(text)
    if not found:
        raise BadValue(_("Moment illisible : écrivez %(hint)s.") % {"hint": _MOMENT_HINT})
    rest = text[found.end() :].lstrip("Tt, \t-à")
    if not rest:
        raise _hour_missing()
    return _joined(_date_of(found), rest)


def read_date_and_time(date_cell: object, time_cell: object) -> dt.datetime:
    """Return the aware moment written in two columns.

    Raises:
        BadValue: as for ``read_moment``.
    """
    if isinstance(date_cell, dt.datetime):
        date_cell = date_cell.date()  # Excel keeps midnight beside a date
    day = read_date(date_cell)
    if isinstance(time_cell, dt.datetime):
        return _aware(dt.datetime.combine(day, time_cell.time()))
    if isinstance(time_cell, dt.time):
        return _aware(dt.datetime.combine(day, time_cell))
    if isinstance(time_cell, dt.timedelta):
        time_cell = time_cell / dt.timedelta(days=1)
    if isinstance(time_cell, float) and 0 <= time_cell < 1:
        return _aware(_from_serial((day - _EXCEL_EPOCH.date()).days + time_cell))
    text = _text(time_cell)
    if not text:
        raise _hour_missing()
    return _joined(day, text)


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
                "Cette heure existe deux fois ce jour-là (passage à l'heure d'hiver) : ajoutez "
                "+02:00 pour la première ou +01:00 pour la seconde."
            )
        )
    raise BadValue(
        _("Cette heure n'existe pas ce jour-là (passage à l'heure d'été) : corrigez l'heure.")
    )


def _joined(day: dt.date, text: str) -> dt.datetime:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise BadValue(_("Heure illisible : écrivez 09:10 ou 9h10."))
    try:
        time = dt.time(
            int(found["hour"]),
            int(found["minute"] or found["minute2"] or 0),
            int(found["second"] or 0),
        )
    except ValueError:
        raise BadValue(_("Cette heure n'existe pas : écrivez de 00:00 à 23:59.")) from None
    moment = dt.datetime.combine(_plausible(day, _OLDEST_AGENDA), time)
    if not found["zone"]:
        return localise(moment)
    zone = found["zone"].upper().replace("Z", "+00:00").replace(":", "")
    offset = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
    if offset >= dt.timedelta(hours=15):
        raise BadValue(_("Décalage horaire impossible : écrivez +02:00 en été, +01:00 en hiver."))
    zone_info = dt.timezone(-offset if zone[0] == "-" else offset)
    return moment.replace(tzinfo=zone_info).astimezone(BRUSSELS)


def _date_of(found: re.Match[str]) -> dt.date:
    year = int(found["year"] or found["year2"])
    month = int(found["month"] or found["month2"])
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


def _hour_missing() -> BadValue:
    return BadValue(_("L'heure manque : écrivez %(hint)s.") % {"hint": _MOMENT_HINT})


def _is_serial(cell: object) -> bool:
    """Whether a number can be an Excel date: days since 1900, up to the year 2100."""
    return isinstance(cell, float) and math.isfinite(cell) and 1 <= cell < 73_051


def _from_serial(days: float) -> dt.datetime:
    return _EXCEL_EPOCH + dt.timedelta(seconds=round(days * 86_400))


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())
