"""What stands on a unit's sheet for a day, and what happened since, as plain values.

Knows no database. Rows hold codes, not words: the digest of a sheet is the same in every language.
"""

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from appointments.feeds.data_age import DataAge
from appointments.models import Attendance
from appointments.vocabulary import CALLED_OFF, Attended, Outcome

SECTIONS = (Outcome.MAINTAINED, Outcome.UNDER_REVIEW, Outcome.CANCELLED)


@dataclass(frozen=True)
class RosterRow:
    """One appointment as the ward reads it.

    Attributes:
        starts_at: aware, in Europe/Brussels.
        record_number: by which the source that planned it knows the patient.
        outcome: code of what holds, empty while nothing is decided.
        basis: code of what the decision rests on, empty without a decision.
        clause: position of the clause in its bulletin.
        decided_by: name of the person who decided.
        status: what the source says (FHIR R4 Appointment.status).
        phones: E.164 and label of each, in the order in which to try them.
        told: state of the newest notice about it, empty when nobody has to be told.
        told_word: what that notice says (``cancelled`` or ``maintained``).
        told_day: the other day that it gives.
        postponed_to: the day that a person gave instead of the one planned.
        minutes: how long the act takes, as far as the source says.
        groups: codes of the protected groups of the patient.
        priority: code of the urgency.
        language: code of the patient's language.
        reason: why the person who decided did so, in their words.
        also_in: other sources that plan the same act, each with its number: one appointment.
        is_postponed_here: whether the sheet is that other day's; ``starts_at`` is then the hour
            that no longer holds.
    """

    appointment_id: int
    starts_at: dt.datetime
    family_name: str
    given_name: str
    birth_date: dt.date | None
    record_number: str
    service: str
    act: str
    practitioner: str
    outcome: str = ""
    basis: str = ""
    bulletin: int | None = None
    clause: int | None = None
    decided_by: str = ""
    status: str = "booked"
    moved_from: dt.datetime | None = None
    missing_since: dt.datetime | None = None
    phones: tuple[tuple[str, str], ...] = ()
    told: str = ""
    told_word: str = ""
    told_day: dt.date | None = None
    postponed_to: dt.date | None = None
    is_postponed_here: bool = False
    minutes: int | None = None
    groups: tuple[str, ...] = ()
    priority: str = "routine"
    language: str = "fr"
    reason: str = ""
    also_in: tuple[str, ...] = ()

    @property
    def is_off_at_source(self) -> bool:
        """Whether the source itself cancelled it, whatever the crisis cell decided."""
        return self.status in CALLED_OFF

    @property
    def section(self) -> Outcome:
        """Its heading; without a decision the appointment takes place as planned."""
        if self.is_off_at_source:
            return Outcome.CANCELLED
        if self.is_postponed_here:
            return Outcome.MAINTAINED
        return Outcome(self.outcome or Outcome.MAINTAINED)

    @property
    def is_told_otherwise(self) -> bool:
        """Whether the patient heard something that no longer holds."""
        known = (self.told_word, self.told_day)
        return self.told == "told" and known != (self.outcome, self.postponed_to)

    def age_on(self, day: dt.date) -> tuple[int, int] | None:
        """Return the age in whole years and, below two years, in whole months; else 0 months."""
        if self.birth_date is None or self.birth_date > day:
            return None
        born = self.birth_date
        months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
        return months // 12, months if months < 24 else 0


@dataclass(frozen=True)
class RosterContent:
    """One unit's sheet for a day.

    ``version`` is 0 while the content stands under no number; ``replaces`` is 0 when nothing
    was printed before. ``trail_mark`` says how far the audit trail had come: ``verify --head``
    finds by it a trail that was cut or rewritten after the sheet was printed. Build it with
    ``arranged``, which puts the rows in their order.
    """

    unit_id: int
    unit_code: str
    unit: str
    site_code: str
    site: str
    callback_number: str
    day: dt.date
    made_at: dt.datetime
    feeds: tuple[DataAge, ...] = ()
    rows: tuple[RosterRow, ...] = ()
    version: int = 0
    replaces: int = 0
    trail_mark: str = ""

    @property
    def sections(self) -> list[tuple[Outcome, list[RosterRow]]]:
        """The headings in their order, each with its rows; empty ones are left out."""
        grouped = {code: [row for row in self.rows if row.section is code] for code in SECTIONS}
        return [(code, rows) for code, rows in grouped.items() if rows]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows stand under each heading, by its code."""
        return {str(code): sum(row.section is code for row in self.rows) for code in SECTIONS}

    @property
    def is_old(self) -> bool:
        """Whether a feed behind the sheet was silent for too long, or none is known."""
        return not self.feeds or any(feed.is_old for feed in self.feeds)

    @property
    def content_digest(self) -> str:
        """SHA-256 of everything printed that is not the time of printing."""
        return self._digest([_printed(row) for row in self.rows])

    @property
    def plan_digest(self) -> str:
        """The same without who was told."""
        untold = {"told": "", "told_word": "", "told_day": None}
        return self._digest([_printed(row) | untold for row in self.rows])

    @property
    def file_stem(self) -> str:
        """The name of its file, without extension: ``arlon-cardiologie-2022-05-16-v1``."""
        return file_stem(self.site_code, self.unit_code, self.day, self.version)

    def numbered(self, version: int) -> "RosterContent":
        """Return the sheet under a version, which replaces the one before."""
        return replace(self, version=version, replaces=version - 1)

    def _digest(self, rows: list[dict[str, Any]]) -> str:
        printed = [self.site, self.unit, self.callback_number, self.day, rows]
        canonical = json.dumps(printed, sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _printed(row: RosterRow) -> dict[str, Any]:
    """Return what counts for a digest; that of sheets printed before ``also_in`` stays the same."""
    return {name: value for name, value in vars(row).items() if value or name != "also_in"}


def arranged(rows: Iterable[RosterRow]) -> tuple[RosterRow, ...]:
    """Return rows as they are printed: by heading, then time, then name."""
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                SECTIONS.index(row.section),
                row.starts_at,
                row.family_name,
                row.given_name,
                row.appointment_id,
            ),
        )
    )


def file_stem(site_code: str, unit_code: str, day: dt.date, version: int) -> str:
    """Return a file name that says what the paper is, without extension."""
    prefix = f"{site_code}-"
    place = prefix + unit_code.removeprefix(prefix)
    return f"{place}-{day:%Y-%m-%d}-v{version}"


@dataclass(frozen=True)
class WardLine:
    """One appointment on its day.

    Attributes:
        latest: what was noted last, also when that took a mistake back; None before.
        arrival: the note of the arrival that came before what holds; None without one.
        kept_by: code of who may still keep it, as the bulletin that cancels it says.
    """

    row: RosterRow
    latest: Attendance | None = None
    arrival: Attendance | None = None
    kept_by: str = ""

    @property
    def version(self) -> int:
        """The version of what was noted last; 0 before."""
        return self.latest.version if self.latest else 0

    @property
    def standing(self) -> Attendance | None:
        """What holds; nothing once a note was taken back."""
        return self.latest if self.latest and self.latest.what != Attended.CLEARED else None

    @property
    def what(self) -> str:
        """Code of what holds; empty while nobody noted anything."""
        return self.standing.what if self.standing else ""

    @property
    def notes(self) -> list[Attendance]:
        """What holds, in the order in which it happened."""
        return [one for one in (self.arrival, self.standing) if one]

    @property
    def is_called_off(self) -> bool:
        """Whether this patient should not come."""
        return self.row.section == Outcome.CANCELLED

    @property
    def stands_there(self) -> bool:
        """Whether a patient came who should not have."""
        return self.is_called_off and self.what == Attended.ARRIVED


@dataclass(frozen=True)
class AttendanceCounts:
    """How a day stands: each appointment that holds is in one of the first five.

    ``despite`` are patients who stand there although their appointment is cancelled;
    ``called_off`` those who should not come, and of whom nothing is noted.
    """

    expected: int = 0
    arrived: int = 0
    done: int = 0
    absent: int = 0
    left: int = 0
    despite: int = 0
    called_off: int = 0

    @property
    def total(self) -> int:
        """How many were to come."""
        return self.expected + self.arrived + self.done + self.absent + self.left


@dataclass(frozen=True)
class WardDay:
    """One unit's day: its sheet, and the same lines with what happened."""

    content: RosterContent
    lines: tuple[WardLine, ...]

    @property
    def counts(self) -> AttendanceCounts:
        """How the day stands."""
        return counted((line.is_called_off, line.what) for line in self.lines)


def counted(days: Iterable[tuple[bool, str]]) -> AttendanceCounts:
    """Count appointments, each given as whether it is called off and the code of what holds."""
    numbers: Counter[str] = Counter()
    for is_called_off, what in days:
        if is_called_off and what == Attended.ARRIVED:
            numbers["despite"] += 1
        else:
            numbers[what or ("called_off" if is_called_off else "expected")] += 1
    return AttendanceCounts(**numbers)
