"""What a feed gives: its records and faults, what they are complete for, and when they were made.

Every format (CSV, XLSX, later HL7 and FHIR) becomes these records, and
``appointments/feeds/importing/services.py`` writes them. No database, no clock.

A file is complete for a unit and a day only when somebody declared it, or the source's setting says
so. What is known there, is not named and was not refused in this file has disappeared from the
source: it is flagged with its name, still ruled on and told, and never deleted.

The age of the data is the age of what the source said last, never the moment of loading (DESIGN.md,
promise 11). A file shows it in four places, the surest first: a title line above the headings, its
name, its newest change, and the date at which it was written. The last one says when it was copied
as often as when it was made, so it is only proposed.
"""

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from appointments.vocabulary import AgeFrom, AgeRule, Extent
from staff.clock import BRUSSELS
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

SHEET_LENGTH = 31  # the longest name that Excel allows
# A row further than this from the others is a typing error or a check-up next year: the file does
# not cover the days between.
FAR_OFF = dt.timedelta(days=7)
# If more than this number and share of a site and day disappeared, a person must confirm it.
MOST_UNASKED = 5
LARGEST_SHARE = 0.10
SiteDay = tuple[str, dt.date]
_BETWEEN = re.compile(r"""[\s;,|"']+""")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """One planned act, in our words, with the source's own numbers.

    Attributes:
        line: where it begins in the file, counted from 1 as editors and spreadsheets do; for a
            feed of messages, the number of the message.
        source_id: the source's number of the appointment, stable from one export to the next.
        patient_id: the source's number of the patient (record number).
        language: ``fr``, ``nl``, ``de`` or ``en``; empty when the source does not say.
        national_number: digits as found, possibly wrong; empty when the source does not say.
        phones: one number each as ``patients.phones.read_cell`` understands it, with its label:
            ``0495 12 34 56 (fille)`` or E.164; in the source's order, the patient's own first.
        site, unit: codes of ``staff.models.Site`` and ``Unit``.
        unit_name: what the source calls the unit, for the people who read a fault.
        service: value of ``vocabulary.Service``.
        practitioner_code: the source's code; empty when nobody is named.
        starts_at: aware.
        minutes: length, None when unknown.
        status: FHIR R4 ``Appointment.status`` as in ``models.Status``.
        priority: FHIR R4 ``RequestPriority`` as in ``models.Priority``.
        protected_groups: values of ``vocabulary.ProtectedGroup``.
        changed_at: when the source last changed it, aware; None when it does not say. It tells
            the age of the file, and is no part of what the record says.
        sheet: name of the sheet of a workbook; empty for other files.
        is_name_certain: the names are as the source holds them. When not (a name is missing, or
            an export lost its accents), they never replace names that are known.
    """

    line: int
    source_id: str
    patient_id: str
    family_name: str
    site: str
    unit: str
    service: str
    starts_at: dt.datetime
    given_name: str = ""
    birth_date: dt.date | None = None
    language: str = ""
    national_number: str = ""
    phones: tuple[str, ...] = ()
    unit_name: str = ""
    practitioner_code: str = ""
    practitioner_name: str = ""
    minutes: int | None = None
    act: str = ""
    status: str = "booked"
    priority: str = "routine"
    protected_groups: frozenset[str] = frozenset()
    sheet: str = ""
    is_name_certain: bool = True
    changed_at: dt.datetime | None = None

    def as_kept(self) -> dict[str, Any]:
        """Return the record as JSON values, for a row that waits."""
        return asdict(self) | {"protected_groups": sorted(self.protected_groups)}

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> Self:
        """Return the record that was kept by ``as_kept``."""
        born, changed = kept["birth_date"], kept["changed_at"]
        return cls(
            **dict(kept)
            | {
                "starts_at": dt.datetime.fromisoformat(kept["starts_at"]),
                "birth_date": dt.date.fromisoformat(born) if born else None,
                "changed_at": dt.datetime.fromisoformat(changed) if changed else None,
                "phones": tuple(kept["phones"]),
                "protected_groups": frozenset(kept["protected_groups"]),
            }
        )

    @property
    def where(self) -> Stored:
        """The line, and in a workbook of several sheets the sheet, for the reader of a fault."""
        return where(self.sheet, self.line)


@dataclass(frozen=True, slots=True)
class Readable:
    """The patient and the moment of a refused row, as far as they can be read; the rest is empty.

    Attributes:
        record_number: the source's number of the patient.
        name: family name and given name as written.
        phones: as written.
        day: of the appointment.
        moment: date and time as written.
        place: unit and site as written.
    """

    record_number: str = ""
    name: str = ""
    phones: str = ""
    day: dt.date | None = None
    moment: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with one row.

    Attributes:
        line: as in ``ScheduleRecord``.
        column: the heading as the file writes it.
        value: what was found there.
        why: what is wrong and what to do.
        landed: the row was taken all the same, without this value.
        source_id: the appointment that the row is about, when it says so: its row is wrong, but
            it has not disappeared from the source.
        row: what can be read of a row that was not taken.
        is_repeated: the row says again what another row of the file said: nobody is lost.
        sheet: as in ``ScheduleRecord``.
        written: the row as it is written, where no number could be read: what it names has not
            disappeared either.
    """

    line: int
    column: str
    value: str
    why: Stored
    landed: bool = False
    source_id: str = ""
    row: Readable | None = None
    is_repeated: bool = False
    sheet: str = ""
    written: str = ""


def where(sheet: str, line: int) -> Stored:
    """Return a line as it is named to people: ``3``, or ``3 (feuille « Mardi »)``."""
    if not sheet:
        return str(line)
    return _("%(line)s (feuille « %(sheet)s »)") % {"line": line, "sheet": sheet[:SHEET_LENGTH]}


@dataclass(slots=True)
class SheetRead:
    """What became of one sheet of a workbook.

    Attributes:
        name: as the workbook shows it.
        rows: rows read, taken or not.
        left_out: why it was not read at all; empty when it was.
    """

    name: str
    rows: int = 0
    left_out: Stored = ""

    def as_kept(self) -> dict[str, Any]:
        """Return what the load keeps of it, in ``ScheduleImport.sheets``."""
        return {"name": self.name, "rows": self.rows, "left_out": self.left_out}


@dataclass(frozen=True)
class Declared:
    """What somebody says that a file is complete for.

    Attributes:
        extent: which units.
        unit_ids: those of ``Extent.CHOSEN``, which the file need not name.
        first_day, last_day: between which days, both included; None for the days of the file.
    """

    extent: Extent = Extent.NOTHING
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    unit_ids: frozenset[int] = frozenset()


NOTHING = Declared()


@dataclass(frozen=True)
class Area:
    """Units and days for which a file is complete; no ``unit_ids`` and ``site_ids``: all."""

    first_day: dt.date
    last_day: dt.date
    unit_ids: frozenset[int] | None = None
    site_ids: frozenset[int] | None = None

    def covers(self, *, unit_id: int, site_id: int, day: dt.date) -> bool:
        """Whether the file should name what takes place there and then."""
        return (
            self.first_day <= day <= self.last_day
            and (self.unit_ids is None or unit_id in self.unit_ids)
            and (self.site_ids is None or site_id in self.site_ids)
        )


@dataclass
class Coverage:
    """What a file names.

    Attributes:
        lines: number at the source → the line that was taken.
        refused: numbers on rows that could not be taken.
        words: of the refused rows without a number, what stands between their separators.
        rows_by_day: how many rows were taken for each day.
        sites: unit id → site id, of the units named.
    """

    lines: dict[str, object] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    rows_by_day: Counter[dt.date] = field(default_factory=Counter)
    sites: dict[int, int] = field(default_factory=dict)

    def take(
        self, source_id: str, line: object, *, day: dt.date, unit_id: int, site_id: int
    ) -> None:
        """Note a row that was taken."""
        self.lines[source_id] = line
        self.rows_by_day[day] += 1
        self.sites[unit_id] = site_id

    def refuse(self, source_id: str, written: str = "") -> None:
        """Note a row that was not taken; without a number, as it is written."""
        if source_id:
            self.refused.add(source_id)
        else:
            self.words.update(_BETWEEN.split(written))

    def mentions(self, source_id: str) -> bool:
        """Whether the file names an appointment, also on a row that could not be taken."""
        return source_id in self.lines or source_id in self.refused or source_id in self.words


def span_of(rows_by_day: Mapping[dt.date, int]) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day that a file names; None for a file without rows.

    Days more than ``FAR_OFF`` from the next one stand apart: the group with the most rows counts,
    the earliest of those with as many.
    """
    groups: list[list[dt.date]] = []
    for day in sorted(rows_by_day):
        if groups and day - groups[-1][-1] <= FAR_OFF:
            groups[-1].append(day)
        else:
            groups.append([day])
    if not groups:
        return None
    densest = max(groups, key=lambda days: sum(rows_by_day[day] for day in days))
    return densest[0], densest[-1]


def area_of(declared: Declared, coverage: Coverage) -> Area | None:
    """Return where a file is complete, or None where it is not."""
    span = span_of(coverage.rows_by_day)
    is_chosen = declared.extent is Extent.CHOSEN
    if is_chosen and declared.first_day and declared.last_day:
        span = declared.first_day, declared.last_day  # also of a unit in which nothing is planned
    if declared.extent is Extent.NOTHING or span is None:
        return None
    first_day, last_day = declared.first_day or span[0], declared.last_day or span[1]
    units: frozenset[int] | None = None
    sites: frozenset[int] | None = None
    if is_chosen:
        units = declared.unit_ids
    elif declared.extent is Extent.UNITS:
        units = frozenset(coverage.sites)
    elif declared.extent is Extent.SITES:
        sites = frozenset(coverage.sites.values())
    return Area(first_day, last_day, units, sites)


def proposed_extent(coverage: Coverage, *, planned_units: Mapping[int, int]) -> Extent:
    """Return what to propose that a file is complete for.

    Args:
        coverage: what the file names.
        planned_units: unit id → site id, of those where the source is known to plan something in
            the days of the file.

    Returns:
        the sites that it names, where it names every unit of theirs in which something is
        planned; else nothing: one unit's list is not the whole, and of a source or days of which
        nothing is known nobody can tell what the whole is.
    """
    sites = set(coverage.sites.values())
    expected = {unit for unit, site in planned_units.items() if site in sites}
    is_whole = bool(expected) and expected <= coverage.sites.keys()
    return Extent.SITES if is_whole else Extent.NOTHING


def too_many(
    disappeared: Iterable[SiteDay], known: Mapping[SiteDay, int]
) -> dict[SiteDay, tuple[int, int]]:
    """Return the sites and days of which so much disappeared that a person must confirm it.

    Args:
        disappeared: site and day of each appointment that disappeared.
        known: how many are known for each site and day, the disappeared among them.

    Returns:
        site and day → how many disappeared, of how many.
    """
    return {
        place: (number, known[place])
        for place, number in Counter(disappeared).items()
        if number > MOST_UNASKED and number > LARGEST_SHARE * known[place]
    }


def speaks_for_all(
    planned: Collection[tuple[str, int, int, dt.date]], coverage: Coverage, area: Area | None
) -> bool:
    """Whether a file covers all that the source plans soon: only then it sets the age of the data.

    Args:
        planned: number at the source, unit id, site id and day of each.
        coverage: what the file names.
        area: where the file is complete.
    """
    return all(
        (area is not None and area.covers(unit_id=unit_id, site_id=site_id, day=day))
        or coverage.mentions(source_id)
        for source_id, unit_id, site_id, day in planned
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


def export_moment(evidence: Evidence, *, now: dt.datetime, rule: AgeRule) -> ExportMoment:
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
