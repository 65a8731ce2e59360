"""The records of a feed: one per planned act, or the fault of a row.

Every format (CSV, XLSX, later HL7 and FHIR) becomes these records, and
``appointments/feeds/importing/services.py`` writes it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from staff.sentences import Stored
from staff.sentences import gettext_stored as _

SHEET_LENGTH = 31  # the longest name that Excel allows


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
