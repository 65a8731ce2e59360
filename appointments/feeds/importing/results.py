"""What a load did or would do, what must be answered first, and what is kept of it.

Of what is kept, the refused rows are an open list until somebody handles them
(``refused_rows.py``).
"""

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from appointments.feeds.files.headings import shortened
from appointments.feeds.importing.write import Disappeared
from appointments.feeds.records import (
    NOTHING,
    SHEET_LENGTH,
    Area,
    Declared,
    Readable,
    RowFault,
    SheetRead,
    SiteDay,
)
from appointments.models import (
    DisappearedRow,
    Feed,
    ImportState,
    RefusedRow,
    RefusedState,
    RejectedRow,
    ScheduleImport,
)
from notifications.sending.estimate import Opened
from staff import clock
from staff.errors import Refusal
from staff.models import Unit
from staff.sentences import ShownDay, Stored, joined, ngettext_stored
from staff.sentences import gettext_stored as _

CHUNK = 500
MOST_REMARKS = 20_000  # remarks that are listed; all are counted, and none refuses the file
_WRITTEN = [
    *("source_id", "record_number", "name", "phones", "day", "moment", "place", "why"),
    *("schedule_import", "sheet", "line", "content", "state", "refused_at"),
    *("settled_at", "settled_by", "note"),
]
# Of a file without any telephone: said first, since nobody in it can be told.
ABOUT_NO_PHONE = _(
    "Aucun numéro de téléphone dans ce fichier : personne ne pourra être prévenu par SMS ni "
    "appelé d'après lui. Vérifiez le titre de la colonne (par exemple « GSM » ou "
    "« Téléphone ») ou demandez un export qui les contient."
)


@dataclass(frozen=True)
class Terms:
    """What is said of a file, and what of its effect was accepted.

    Attributes:
        exported_at: when the source made it; None when nobody knows.
        age_from: where that was found.
        age_is_unknown: somebody says that nobody knows it: the file is not asked.
        declared: what it is complete for; None for the source's setting, and nothing without one.
        proposes: where nobody declared anything, take what the file looks like (a dry run only).
        accepts_older: an older file may undo what a newer one said.
        accepts_disappeared: much of a site and day may have disappeared.
        shown: ids of what a person saw disappear when the file was checked; more of it asks again.
        was_loaded_before: this very file was loaded before, and another one since.
        by_hand: rows that a person accepted one by one, of no matter what age.
    """

    exported_at: dt.datetime | None = None
    age_from: str = ""
    age_is_unknown: bool = False
    declared: Declared | None = None
    proposes: bool = False
    accepts_older: bool = False
    accepts_disappeared: bool = False
    shown: frozenset[int] = frozenset()
    was_loaded_before: bool = False
    by_hand: bool = False


@dataclass
class LoadResult:
    """What a load did, or would do.

    Attributes:
        created, updated, moved, unchanged: records, each counted once.
        waiting: records that say otherwise of a known appointment, in a file of unknown age.
        undone: records by which an older file changes back what a newer one said.
        disappeared: appointments that the file should name and does not.
        too_many: site and day → how many disappeared of how many, where that asks first.
        declared: what the file was taken as complete for.
        units_named: the units of the rows that can be taken, by number.
        area: where and when that is; None where it is complete for nothing.
        telling: who is told because of it.
        with_phone: records with a number that can be dialled.
        practitioners_made: practitioners whom nobody knew, made from their name or code.
        rejected: one or more faults for each row that was not taken.
        remarks: faults of rows that were taken without a value, the first of them.
        remarks_counted: all of them.
        sheets: of a workbook, each sheet with the rows read or why it was left out.
    """

    created: int = 0
    updated: int = 0
    moved: int = 0
    unchanged: int = 0
    waiting: int = 0
    undone: int = 0
    disappeared: list[Disappeared] = field(default_factory=list)
    too_many: dict[SiteDay, tuple[int, int]] = field(default_factory=dict)
    declared: Declared = NOTHING
    units_named: list[int] = field(default_factory=list)
    area: Area | None = None
    telling: Opened = field(default_factory=Opened)
    with_phone: int = 0
    practitioners_made: int = 0
    rejected: list[RowFault] = field(default_factory=list)
    remarks: list[RowFault] = field(default_factory=list)
    remarks_counted: int = 0
    sheets: Sequence[SheetRead] = ()

    @property
    def missing(self) -> int:
        """How many appointments disappeared."""
        return len(self.disappeared)

    @property
    def rows_rejected(self) -> int:
        """Rows that were not taken, however many faults each has."""
        return len({(fault.sheet, fault.line) for fault in self.rejected})

    @property
    def sheets_left_out(self) -> list[SheetRead]:
        """Sheets that were not read: as serious as rejected rows, of an unknown number."""
        return [sheet for sheet in self.sheets if sheet.left_out]

    @property
    def rows(self) -> int:
        """Rows read."""
        taken = self.created + self.updated + self.moved + self.unchanged + self.waiting
        return taken + self.rows_rejected

    @property
    def has_no_phone(self) -> bool:
        """Whether rows were taken and not one of them says how to reach its patient."""
        return self.rows > self.rows_rejected and not self.with_phone

    def counts(self) -> dict[str, int]:
        """Return the numbers for people, scripts and the trail."""
        return {
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "moved": self.moved,
            "unchanged": self.unchanged,
            "waiting": self.waiting,
            "undone": self.undone,
            "missing": self.missing,
            "rejected": self.rows_rejected,
            "remarks": self.remarks_counted,
        }

    def questions(self, terms: Terms) -> dict[str, Stored]:
        """Return what must be answered before this is written: name in ``Terms`` → sentence."""
        asked: dict[str, Stored] = {}
        if self.undone and not terms.accepts_older:
            asked["accepts_older"] = about_older(self.undone)
        is_shown = terms.shown.issuperset(one.appointment_id for one in self.disappeared)
        if self.too_many and not terms.accepts_disappeared and not is_shown:
            asked["accepts_disappeared"] = joined(about_too_many(self.too_many))
        return asked


class Unanswered(Refusal):
    """A load that somebody must confirm first; nothing was written."""

    def __init__(self, questions: Mapping[str, Stored], result: LoadResult) -> None:
        super().__init__(joined(questions.values()), field=next(iter(questions)))
        self.questions = questions
        self.result = result


def codes_of(declared: Declared) -> list[str]:
    """Return the codes of the units that were declared one by one (one query; else none)."""
    if not declared.unit_ids:
        return []
    return sorted(Unit.objects.filter(pk__in=declared.unit_ids).values_list("code", flat=True))


def units_called(codes: Sequence[str]) -> frozenset[int]:
    """Return the units of these codes, by number.

    Raises:
        Refusal: there is no such unit; says which.
    """
    found = dict(Unit.objects.filter(code__in=codes).values_list("code", "id"))
    unknown = sorted(set(codes) - found.keys())
    if unknown:
        raise Refusal(
            _("Unité inconnue : %(codes)s. Écrivez le code des données de référence.")
            % {"codes": ", ".join(unknown)},
            field="units",
        )
    return frozenset(found.values())


def about_unused(names: Sequence[str]) -> Stored:
    """Return the sentence on unused columns; a misspelt one would lose telephones."""
    if not names:
        return ""
    return _("Colonnes non utilisées : %(names)s.") % {"names": shortened(", ".join(names), 250)}


def about_older(undone: int) -> Stored:
    """Return the sentence about an older file that would undo newer data."""
    return ngettext_stored(
        "Ce fichier est plus ancien que ce qui est déjà chargé : il remplacerait %(n)s "
        "rendez-vous par ce que la source disait avant.",
        "Ce fichier est plus ancien que ce qui est déjà chargé : il remplacerait %(n)s "
        "rendez-vous par ce que la source disait avant.",
        undone,
    ) % {"n": undone}


def about_too_many(too_many: Mapping[SiteDay, tuple[int, int]]) -> list[Stored]:
    """Return a sentence for each site and day of which much disappeared."""
    sentence = _("%(site)s, %(day)s : %(n)s des %(known)s rendez-vous connus ont disparu.")
    return [
        sentence % {"site": site, "day": ShownDay(day, "l j F Y"), "n": number, "known": known}
        for (site, day), (number, known) in sorted(too_many.items())
    ]


def _in_order(result: LoadResult) -> list[RowFault]:
    """Return all faults as they stand in the file, sheet after sheet."""
    place = {sheet.name: number for number, sheet in enumerate(result.sheets)}
    faults = result.rejected + result.remarks
    return sorted(faults, key=lambda fault: (place.get(fault.sheet, 0), fault.line))


@transaction.atomic
def keep_result(schedule_import: ScheduleImport, result: LoadResult, state: ImportState) -> None:
    """Keep counts and faults beside the load, for its page."""
    counts = result.counts()
    schedule_import.rows_total = schedule_import.rows_done = counts.pop("rows")
    for name, count in counts.items():
        setattr(schedule_import, f"rows_{name}", count)
    schedule_import.rows_with_phone = result.with_phone
    schedule_import.practitioners_made = result.practitioners_made
    declared, telling = result.declared, result.telling
    schedule_import.complete_for = declared.extent
    schedule_import.first_day, schedule_import.last_day = declared.first_day, declared.last_day
    schedule_import.complete_units = sorted(declared.unit_ids)
    schedule_import.units_named = result.units_named
    schedule_import.covers_from = result.area.first_day if result.area else None
    schedule_import.covers_until = result.area.last_day if result.area else None
    schedule_import.too_many_missing = about_too_many(result.too_many)
    schedule_import.patients_told = telling.patients
    schedule_import.told_by_sms_now = telling.sms_now
    schedule_import.sms_now = telling.messages_now
    schedule_import.sms_later = telling.messages_later
    schedule_import.told_by_sms_later = telling.sms_later
    schedule_import.told_by_phone = telling.by_phone
    schedule_import.sheets = [sheet.as_kept() for sheet in result.sheets]
    schedule_import.state = state
    schedule_import.finished_at = clock.now()
    schedule_import.save()
    schedule_import.rejected_rows.all().delete()
    RejectedRow.objects.bulk_create(
        (
            RejectedRow(
                schedule_import=schedule_import,
                sheet=fault.sheet[:SHEET_LENGTH],
                line=fault.line,
                column=fault.column[:80],
                value=fault.value[:200],
                why=fault.why,
                landed=fault.landed,
            )
            for fault in _in_order(result)
        ),
        batch_size=CHUNK,
    )
    schedule_import.disappeared_rows.all().delete()
    DisappearedRow.objects.bulk_create(
        (
            DisappearedRow(schedule_import=schedule_import, appointment_id=one.appointment_id)
            for one in result.disappeared
        ),
        batch_size=CHUNK,
    )


@transaction.atomic
def keep_refused(
    *,
    feed: Feed,
    faults: Iterable[RowFault],
    landed: Collection[str],
    schedule_import: ScheduleImport | None = None,
) -> None:
    """Keep the rows that a load refused until somebody handles them, and close those it corrected.

    The same row twice is kept once. A closed row stays closed, unless it now says something else.
    A number that was loaded closes its row, but not while another row of the same file has that
    number and is refused. Part of the load, whose trail event names the counts.

    Args:
        feed: the source.
        faults: of the rows that were not taken.
        landed: the numbers at the source of the rows that were.
        schedule_import: the load.
    """
    now = clock.now()
    rows = _rows(feed, faults)
    for row in rows:
        row.schedule_import, row.refused_at = schedule_import, now
    for start in range(0, len(rows), CHUNK):
        _keep(feed, rows[start : start + CHUNK])
    refused = {row.source_id for row in rows}
    mended = [
        pk
        for pk, source_id in RefusedRow.objects.filter(feed=feed, state=RefusedState.OPEN)
        .exclude(source_id="")
        .values_list("pk", "source_id")
        if source_id in landed and source_id not in refused
    ]
    for start in range(0, len(mended), CHUNK):
        RefusedRow.objects.filter(pk__in=mended[start : start + CHUNK]).update(
            state=RefusedState.MENDED, settled_at=now
        )


def _rows(feed: Feed, faults: Iterable[RowFault]) -> list[RefusedRow]:
    """Return one row for each line that was refused, with all that is wrong with it."""
    by_line: dict[tuple[str, int], list[RowFault]] = defaultdict(list)
    for fault in faults:
        if not fault.is_repeated:
            by_line[fault.sheet, fault.line].append(fault)
    rows: dict[str, RefusedRow] = {}
    for (_sheet, line), found in by_line.items():
        row = _row(feed, line, found)
        if row.key in rows:  # two people under one number of an appointment
            row.key = f"{row.key[:80]} {row.content}"
        rows[row.key] = row
    return list(rows.values())


def _row(feed: Feed, line: int, faults: list[RowFault]) -> RefusedRow:
    said = next((fault.row for fault in faults if fault.row), None)
    # Without known cells, use what the file says at that place.
    read = said or Readable(name=faults[0].value[:170])
    source_id = next((fault.source_id for fault in faults if fault.source_id), "")[:80]
    reasons = (
        _("%(column)s : %(why)s") % {"column": fault.column, "why": fault.why}
        if fault.column
        else fault.why
        for fault in faults
    )
    row = RefusedRow(
        feed=feed,
        source_id=source_id,
        line=line,
        sheet=faults[0].sheet[:SHEET_LENGTH],
        record_number=read.record_number[:80],
        name=read.name[:170],
        phones=read.phones[:200],
        day=read.day,
        moment=read.moment[:80],
        place=read.place[:160],
        why=joined(dict.fromkeys(reasons)),
    )
    said_of_them = [row.record_number, row.name, row.phones, row.moment, row.place]
    if not said:
        said_of_them.append(f"{row.sheet} {line}".strip())
    row.content = hashlib.sha256(json.dumps([source_id, *said_of_them]).encode()).hexdigest()[:32]
    row.key = source_id or f"# {row.content}"
    return row


def _keep(feed: Feed, rows: list[RefusedRow]) -> None:
    """Write a few hundred rows: the new ones, and those that were open or say something else."""
    known = {
        key: (content, state)
        for key, content, state in RefusedRow.objects.filter(
            feed=feed, key__in=[row.key for row in rows]
        ).values_list("key", "content", "state")
    }
    stay_closed = {RefusedState.CALLED, RefusedState.DISMISSED}
    written = [
        row
        for row in rows
        if row.key not in known
        or known[row.key][0] != row.content
        or known[row.key][1] not in stay_closed
    ]
    RefusedRow.objects.bulk_create(
        written, update_conflicts=True, unique_fields=["feed", "key"], update_fields=_WRITTEN
    )
