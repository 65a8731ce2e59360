"""When an export was made, as far as the file shows it. Pure: no Django, no clock.

The age of the data is the age of what the source said last, never the moment of loading
(DESIGN.md, promise 11). A file shows it in four places, the surest first: a title line above the
headings, its name, its newest change, and the date at which it was written. The last one says
when it was copied as often as when it was made, so it is only proposed.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appointments.vocabulary import AgeFrom, AgeRule

BRUSSELS = ZoneInfo("Europe/Brussels")
# Two clocks differ a little; a moment further ahead than this cannot be an export's.
AHEAD = dt.timedelta(minutes=5)
_OLDEST = 1990

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier januari january januar",
            "fevrier februari february februar",
            "mars maart march marz maerz",
            "avril april",
            "mai mei may",
            "juin juni june",
            "juillet juli july",
            "aout augustus august",
            "septembre september",
            "octobre oktober october",
            "novembre november",
            "decembre december dezember",
        ),
        start=1,
    )
    for name in names.split()
}
_SAYS_EXPORT = re.compile(
    r"\b(?:export\w*|geexporteerd|extrait\w*|extract\w*|edite\w*|edition|imprim\w*|impression"
    r"|genere\w*|generat\w*|generiert|tire le|situation|etat au|a jour|cree le"
    r"|afgedrukt|uitgevoerd|aangemaakt|gemaakt|toestand|stand|bijgewerkt|printed|created"
    r"|as of|gedruckt|erstellt|exportiert)\b"
)
_DATE = re.compile(
    rf"""(?<!\d)(?:
        (?P<year>(?:19|20)\d\d)[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)
      | (?P<day2>\d{{1,2}})[-/.](?P<month2>\d{{1,2}})[-/.](?P<year2>(?:19|20)\d\d)
      | (?P<day3>\d{{1,2}})(?:er)?\.?\s+(?P<name>{"|".join(_MONTHS)})\s+(?P<year3>(?:19|20)\d\d)
    )(?!\d)""",
    re.VERBOSE,
)
_TIME = re.compile(
    r"(?:[\s,t]|\b(?:a|om|at|um)\b)*(?P<hour>[01]?\d|2[0-3])\s?[:hu.]\s?(?P<minute>[0-5]\d)"
)
_UNTIL = re.compile(r"\s*(?:au|tot(?: en met)?|t/m|to|until|bis|-|–)\s*(?:le\s+)?")
_IN_A_NAME = re.compile(
    r"""(?<!\d)(?:
        (?P<year>20\d\d)(?P<dash>[-_.]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)
      | (?P<day2>\d\d)[-_.](?P<month2>\d\d)[-_.](?P<year2>20\d\d)
    )
    (?: [-_.\sTtàa]* (?P<hour>[01]\d|2[0-3]) [-_.:hu]? (?P<minute>[0-5]\d)
        (?: [-_.:]? (?P<second>[0-5]\d) )? (?![-_.]?\d) | (?!\d) )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Evidence:
    """What a file shows of the moment at which it was made.

    Attributes:
        titles: the lines above the headings.
        file_name: with or without folder and extension.
        newest_change: the latest moment at which the source changed a row, from its own column.
        file_date: when the file was written.
    """

    titles: Sequence[str] = ()
    file_name: str = ""
    newest_change: dt.datetime | None = None
    file_date: dt.datetime | None = None


@dataclass(frozen=True)
class ExportMoment:
    """When an export was made, and where that was found; unknown without ``at``."""

    at: dt.datetime | None = None
    found_in: AgeFrom = AgeFrom.UNKNOWN


def found(evidence: Evidence, *, now: dt.datetime, rule: AgeRule) -> ExportMoment:
    """Return the moment that a load takes when nobody says it.

    A person is proposed that of ``AgeRule.FILE_DATE``.

    A date without an hour is the beginning of its day: data may look older than they are, never
    younger. What changed at a moment was exported after it.

    Args:
        evidence: what the file shows.
        now: no export is made later.
        rule: of the source; ``LOADING`` takes ``now`` for what the file does not say.
    """
    latest = now + AHEAD
    change = evidence.newest_change
    if change is not None and change > latest:
        change = None
    file_date = evidence.file_date if rule is AgeRule.FILE_DATE else None
    candidates = (
        (AgeFrom.TITLE, _in_titles(evidence.titles)),
        (AgeFrom.FILE_NAME, _in_name(evidence.file_name)),
        (AgeFrom.NEWEST_CHANGE, change),
        (AgeFrom.FILE_DATE, file_date),
        (AgeFrom.LOADING, now if rule is AgeRule.LOADING else None),
    )
    for found_in, moment in candidates:
        if moment is None or moment > latest:
            continue
        if change is not None and change > moment:
            return ExportMoment(change, AgeFrom.NEWEST_CHANGE)
        return ExportMoment(min(moment, now), found_in)
    return ExportMoment()


def _in_titles(titles: Sequence[str]) -> dt.datetime | None:
    """Return the moment that follows a word like *exporté* or *imprimé*; a span of days is none."""
    for title in titles:
        text = _plain(title)
        for word in _SAYS_EXPORT.finditer(text):
            match = _DATE.search(text, word.end())
            if match is None:
                continue
            until = _UNTIL.match(text, match.end())
            if until and _DATE.match(text, until.end()):
                continue
            time = _TIME.match(text, match.end())
            moment = _moment(_date_parts(match), time)
            if moment is not None:
                return moment
    return None


def _in_name(name: str) -> dt.datetime | None:
    """Return the moment in the name of a file; a name with two dates says which days it holds."""
    moments = [
        moment
        for match in _IN_A_NAME.finditer(name)
        if (moment := _moment(_date_parts(match), match)) is not None
    ]
    return moments[0] if len(moments) == 1 else None


def _date_parts(match: re.Match[str]) -> tuple[int, int, int]:
    groups = {name: value for name, value in match.groupdict().items() if value}
    month = next(_numbers(groups, "month", "month2"), 0) or _MONTHS[groups.get("name", "mai")]
    year = next(_numbers(groups, "year", "year2", "year3"))
    return year, month, next(_numbers(groups, "day", "day2", "day3"))


def _numbers(groups: dict[str, str], *names: str) -> Iterator[int]:
    yield from (int(groups[name]) for name in names if name in groups)


def _moment(date: tuple[int, int, int], time: re.Match[str] | None) -> dt.datetime | None:
    given = time.groupdict() if time else {}
    hour, minute = int(given.get("hour") or 0), int(given.get("minute") or 0)
    try:
        moment = dt.datetime(*date, hour, minute, tzinfo=BRUSSELS)
    except ValueError:
        return None
    return moment if moment.year >= _OLDEST else None


def _plain(text: str) -> str:
    """Return a text in small letters without accents; punctuation stays."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(one for one in decomposed if not unicodedata.combining(one))
