"""Load a file, or the records of any feed: the good records are written, all of them or none.

Nothing is deleted, and the source's own status is never overwritten. Loading the same records
twice changes nothing. If a file of unknown age contradicts a known appointment, its row waits until
a person accepts or refuses it (``conflicts.py``).
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction

from appointments.decisions import acts
from appointments.decisions.rulings import rule_on, ruled_from
from appointments.feeds.files.headings import COLUMNS
from appointments.feeds.files.schedule_file import ScheduleFile, open_schedule
from appointments.feeds.importing import write as importing_write
from appointments.feeds.importing.links import Pair
from appointments.feeds.importing.people import Practitioners
from appointments.feeds.importing.plan import ChunkPlan, Planner
from appointments.feeds.importing.results import (
    CHUNK,
    MOST_REMARKS,
    LoadResult,
    Terms,
    Unanswered,
    about_unused,
    codes_of,
    keep_refused,
    keep_result,
)
from appointments.feeds.importing.write import Writer
from appointments.feeds.records import (
    AHEAD,
    NOTHING,
    Area,
    Coverage,
    Declared,
    Evidence,
    ExportMoment,
    RowFault,
    ScheduleRecord,
    SheetRead,
    area_of,
    export_moment,
    proposed_extent,
    span_of,
    speaks_for_all,
    too_many,
)
from appointments.models import AgeRule, Extent, Feed, ImportState, ScheduleImport
from notifications.sending import estimate as estimating
from notifications.sending.estimate import Opened
from patients.services.registration import known_patients
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.services import audit

UNATTENDED = Terms()
_SOURCE_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
MOST_REJECTED = 20_000  # more means another kind of file, and memory is limited

Entries = Iterable[ScheduleRecord | RowFault]
Progress = Callable[[int, int], None]  # rows read, rows expected


@dataclass(frozen=True)
class FileLoad:
    """What became of a file.

    Attributes:
        result: counts and faults.
        unused: headings that the reader does not know, as the file writes them.
        file_sha256: hex digest.
        terms: what the load went by; how old the file is.
        proposal: what the age would be if the date of the file were believed.
    """

    result: LoadResult
    unused: tuple[str, ...]
    file_sha256: str
    terms: Terms
    proposal: ExportMoment


def load_file(
    *,
    path: Path,
    feed_name: str,
    file_format: str = "auto",
    terms: Terms = UNATTENDED,
    dry_run: bool = False,
    by: User | None = None,
    progress: Progress = lambda rows, expected: None,
) -> FileLoad:
    """Load a file for good, or only say what it would do.

    Args:
        path: the file.
        feed_name: the source; letters, digits, ``-`` and ``_``.
        file_format: ``auto``, ``csv`` or ``xlsx``.
        terms: how old it is and what it is complete for; what they leave open is taken from the
            file and the source's rules.
        dry_run: nothing at all is written.
        by: who loads; None for the system.
        progress: is told rows read and rows expected, every few hundred.

    Raises:
        Refusal: the file cannot be read, the name of the source is unusable, or the moment of
            the export is still to come.
        Unanswered: it would undo newer word, or much would disappear, and nobody accepted it.
    """
    check_source_name(feed_name)
    file = open_schedule(path, file_format=file_format)
    digest = sha256_of(path)
    evidence = evidence_of(file, path, file_name=path.name, file_date=written_at(path))
    known = Feed.objects.filter(name=feed_name).first()
    terms = replace(terms, was_loaded_before=known is not None and was_loaded_before(known, digest))
    if terms.exported_at is None and not terms.age_is_unknown:
        rule = AgeRule(known.age_rule) if known else AgeRule.FILE
        found = export_moment(evidence, now=clock.now(), rule=rule)
        terms = replace(terms, exported_at=found.at, age_from=found.found_in)
    check_exported_at(terms.exported_at)
    proposal = export_moment(evidence, now=clock.now(), rule=AgeRule.FILE_DATE)
    if dry_run:
        result = take_in(file, feed_name, terms, progress=progress, dry_run=True)
        return FileLoad(result, file.unused, digest, terms, proposal)
    with transaction.atomic():
        lock_rulings(shared=False)  # before any row, in the order of every load
        feed = Feed.objects.get_or_create(name=feed_name)[0]
        schedule_import = ScheduleImport.objects.create(
            feed=feed,
            state=ImportState.RUNNING,
            file_name=path.name[:200],
            file_digest=digest,
            file_date=evidence.file_date,
            exported_at=terms.exported_at,
            age_from=terms.age_from,
            accepts_older=terms.accepts_older,
            accepts_disappeared=terms.accepts_disappeared,
            message=about_unused(file.unused),
            started_at=clock.now(),
            started_by=by,
        )
        result = take_in(file, feed_name, terms, progress=progress, kept_in=schedule_import, by=by)
    return FileLoad(result, file.unused, digest, terms, proposal)


def take_in(
    file: ScheduleFile,
    feed_name: str,
    terms: Terms,
    *,
    progress: Progress = lambda rows, expected: None,
    kept_in: ScheduleImport | None = None,
    dry_run: bool = False,
    by: User | None = None,
) -> LoadResult:
    """Give the rows of an opened file to ``load_records``."""
    return load_records(
        feed_name=feed_name,
        records=file.entries(),
        terms=terms,
        by=by,
        schedule_import=kept_in,
        dry_run=dry_run,
        headings={column.key: file.headings.title_of(column.key) for column in COLUMNS},
        sheets=file.sheets,
        progress=lambda rows: progress(rows, file.rows_expected),
    )


def load_records(
    *,
    feed_name: str,
    records: Entries,
    terms: Terms,
    by: User | None = None,
    schedule_import: ScheduleImport | None = None,
    dry_run: bool = False,
    headings: Mapping[str, str] | None = None,
    sheets: Sequence[SheetRead] = (),
    progress: Callable[[int], None] = lambda rows: None,
) -> LoadResult:
    """Write records, or only say what they would change.

    Args:
        feed_name: the source, made when it is new.
        records: read once, a few hundred at a time; faults found by a reader pass through.
        terms: how old they are, what they are complete for, what was accepted.
        by: who loads; None for the system.
        schedule_import: where the counts and faults are kept, for the pages.
        dry_run: nothing of the schedule is written. Where bulletins rule on what changes, those
            rows are written and ruled on as for good and taken back, to count who would be told.
        headings: the file's own column headings, for the faults.
        sheets: of a workbook; their rows are counted while the records are read.
        progress: is told the number of rows read, every few hundred.

    Raises:
        Refusal: far too many rows are wrong; nothing was written.
        Unanswered: it would undo newer word, or much would disappear, and nobody accepted it.
    """
    load = _Load(feed_name=feed_name, terms=terms, headings=headings or {}, by=by)
    load.result.sheets = sheets
    if dry_run:
        result = load.check(records, progress)
        if schedule_import is not None:
            keep_result(schedule_import, result, ImportState.CHECKED)
        return result
    return load.write(records, progress, schedule_import)


@dataclass
class _Load:
    """One load of one feed."""

    feed_name: str
    terms: Terms
    headings: Mapping[str, str]
    by: User | None
    result: LoadResult = field(default_factory=LoadResult)

    def check(self, entries: Entries, progress: Callable[[int], None]) -> LoadResult:
        """Count what the load would do."""
        feed = Feed.objects.filter(name=self.feed_name).first()
        practitioners = Practitioners()
        planner = Planner(feed, self.headings, practitioners, is_age_known=self._is_age_known)
        ruled_days = ruled_from()
        touching = []
        for plan in self._plans(planner, entries, progress):
            written = plan.created + plan.updated + plan.moved
            practitioners.note_unknown(one.record for one in written)
            ruled = plan.ruled_part(ruled_days)
            if ruled is not None:
                touching.append(ruled)
        self._count_made(planner, practitioners)
        self.result.units_named = sorted(planner.coverage.sites)
        if feed is not None:
            self._look_back(feed, planner.coverage, importing_write.last_appointment())
        if touching:
            self.result.telling = self._would_tell(touching)
        return self.result

    def _would_tell(self, plans: list[ChunkPlan]) -> Opened:
        """Write and rule on what the bulletins in force may touch, count, and take it back."""
        with transaction.atomic():
            lock_rulings(shared=False)
            feed = Feed.objects.get_or_create(name=self.feed_name)[0]
            writer = self._writer(feed, clock.now())
            changed: list[int] = []
            for plan in plans:
                # The chunk before may have made patients of this one known.
                written = plan.created + plan.updated + plan.moved
                numbers = {one.record.patient_id for one in written}
                plan.patients = known_patients(system=feed.name, numbers=numbers)
                changed += writer.write(plan)
            told = _rule_on(changed, writer.to_ask)
            transaction.set_rollback(True)
        return told

    @transaction.atomic
    def write(
        self,
        entries: Entries,
        progress: Callable[[int], None],
        schedule_import: ScheduleImport | None,
    ) -> LoadResult:
        """Load for good, in one transaction: a crash half-way leaves nothing behind."""
        now = clock.now()
        # The first of all locks, as everywhere: deciding about a patient takes it first too.
        lock_rulings(shared=False)
        feed = Feed.objects.get_or_create(name=self.feed_name)[0]
        writer = self._writer(feed, now)
        planner = Planner(
            feed, self.headings, writer.practitioners, is_age_known=self._is_age_known
        )
        known_until = importing_write.last_appointment()
        changed: list[int] = []
        for plan in self._plans(planner, entries, progress):
            changed += writer.write(plan)
            writer.hold(plan.waiting, schedule_import)
        self._count_made(planner, writer.practitioners)
        self.result.units_named = sorted(planner.coverage.sites)
        area = self._look_back(feed, planner.coverage, known_until)
        questions = self.result.questions(self.terms)
        if questions:
            raise Unanswered(questions, self.result)
        importing_write.flag_missing([one.appointment_id for one in self.result.disappeared], now)
        self.result.telling = _rule_on(changed, writer.to_ask, by=self.by)
        if not self.terms.by_hand:
            self._keep_age(feed, planner.coverage, area, now)
        if self._is_age_known:
            writer.supersede(planner.coverage)
        keep_refused(
            feed=feed,
            faults=self.result.rejected,
            landed=planner.coverage.lines,
            schedule_import=schedule_import,
        )
        digest = schedule_import.file_digest if schedule_import else ""
        if schedule_import is not None:
            keep_result(schedule_import, self.result, ImportState.LOADED)
        self._tell_links(writer, schedule_import or feed)
        audit.record(
            action="schedule.loaded",
            by=self.by,
            subject=schedule_import or feed,
            feed=feed.name,
            file_sha256=digest,
            exported_at=self.terms.exported_at,
            complete_for=self.result.declared.extent,
            complete_units=codes_of(self.result.declared),
            patients_told=self.result.telling.patients,
            with_phone=self.result.with_phone,
            practitioners_made=self.result.practitioners_made,
            sheets_left_out=[sheet.name for sheet in self.result.sheets_left_out],
            **self.result.counts(),
        )
        return self.result

    @property
    def _is_age_known(self) -> bool:
        return self.terms.by_hand or self.terms.exported_at is not None

    def _writer(self, feed: Feed, now: dt.datetime) -> Writer:
        return Writer(feed, now, is_newest=self._is_age_known and not self._is_older(feed))

    def _is_older(self, feed: Feed) -> bool:
        """Whether the source exported something later, or the last load is later."""
        said = [moment for moment in (feed.newest_at, feed.heard_at) if moment]
        latest = max(said) if said else feed.loaded_at
        exported_at = self.terms.exported_at
        if self.terms.by_hand:
            return False
        if exported_at is None or latest is None:
            return self.terms.was_loaded_before
        return exported_at < latest or (self.terms.was_loaded_before and exported_at == latest)

    def _look_back(self, feed: Feed, coverage: Coverage, known_until: int) -> Area | None:
        """Find what disappeared and what an older file would undo; return where it is complete.

        Appointments after ``known_until`` were not known before this load.
        """
        self.result.declared = self._declared(feed, coverage)
        if self._is_older(feed):
            # It cannot know what was planned later, so nothing disappears because of it.
            self.result.undone = self.result.moved + self.result.updated
            return None
        area = area_of(self.result.declared, coverage)
        if area is not None:
            self.result.area = area
            known, self.result.disappeared = importing_write.disappeared_from(
                feed, coverage, area, known_until=known_until
            )
            self.result.too_many = too_many(
                [(one.site, one.day) for one in self.result.disappeared], known
            )
        return area

    def _declared(self, feed: Feed, coverage: Coverage) -> Declared:
        if self.result.sheets_left_out:
            return NOTHING  # nobody knows which appointments they name
        if self.terms.declared is not None:
            return self.terms.declared
        if feed.complete_for:
            return Declared(Extent(feed.complete_for))
        span = span_of(coverage.rows_by_day)
        if not self.terms.proposes or span is None:
            return NOTHING
        units = importing_write.planned_units(feed, *span)
        return Declared(proposed_extent(coverage, planned_units=units))

    def _keep_age(
        self, feed: Feed, coverage: Coverage, area: Area | None, now: dt.datetime
    ) -> None:
        """Keep the age of the source's data: of all that it plans, and of its newest file.

        A file of unknown age that changes nothing leaves the known age as it is.
        """
        exported_at = self.terms.exported_at
        planned = importing_write.planned_soon(feed, clock.local_day(now))
        result = self.result
        is_changed = result.created or result.updated or result.moved or result.missing
        if speaks_for_all(planned, coverage, area):
            if exported_at is None and is_changed:
                feed.heard_at = None
            elif exported_at is not None and (result.undone or not feed.heard_at):
                feed.heard_at = exported_at
            elif exported_at is not None and feed.heard_at:
                feed.heard_at = max(feed.heard_at, exported_at)
        if exported_at is not None:
            feed.newest_at = max(feed.newest_at or exported_at, exported_at)
        feed.loaded_at = now
        feed.save(update_fields=["heard_at", "newest_at", "loaded_at"])

    def _tell_links(self, writer: Writer, subject: Feed | ScheduleImport) -> None:
        """Write to the trail which record numbers were linked to whom, some hundred an event."""
        listed: list[dict[str, Any]] = [
            {"record": number, "patient": patient_id}
            for number, patient_id in sorted(writer.linked.items())
        ]
        listed += [
            {
                "record": record.value,
                "source": record.system,
                "patient": record.patient_id,
                "was_patient": leaving_id,
            }
            for leaving_id, record in sorted(writer.joined.items())
        ]
        for start in range(0, len(listed), CHUNK):
            some = listed[start : start + CHUNK]
            audit.record(
                action="patients.linked",
                by=self.by,
                subject=subject,
                source=self.feed_name,
                links=some,
            )

    def _plans(
        self, planner: Planner, entries: Entries, progress: Callable[[int], None]
    ) -> Iterator[ChunkPlan]:
        """Yield the plan of each chunk, and count it."""
        coming = iter(entries)
        while chunk := list(islice(coming, CHUNK)):
            found = [entry for entry in chunk if isinstance(entry, RowFault)]
            for fault in found:
                if not fault.landed:
                    planner.coverage.refuse(fault.source_id, fault.written)
            records = [entry for entry in chunk if isinstance(entry, ScheduleRecord)]
            self.result.with_phone += sum(bool(record.phones) for record in records)
            plan = planner.plan(records)
            self._count(found + plan.faults)
            self.result.created += len(plan.created)
            self.result.updated += len(plan.updated) + len(plan.back)
            self.result.moved += len(plan.moved)
            self.result.waiting += len(plan.waiting)
            self.result.unchanged += plan.unchanged
            yield plan
            progress(self.result.rows)

    def _count_made(self, planner: Planner, practitioners: Practitioners) -> None:
        """Count the practitioners made, and name those who look like others in a remark."""
        self.result.practitioners_made = practitioners.made
        why = _(
            "Nouveau praticien créé. S'il est l'un de ceux-ci, écrivez son code ou son nom complet "
            "et rechargez : %(others)s."
        )
        self._count(
            [
                planner.remark(
                    record,
                    "practitioner_name" if record.practitioner_name else "practitioner_code",
                    record.practitioner_name or record.practitioner_code,
                    why % {"others": others},
                )
                for record, others in practitioners.alike
            ]
        )

    def _count(self, faults: list[RowFault]) -> None:
        remarks = [fault for fault in faults if fault.landed]
        self.result.rejected += [fault for fault in faults if not fault.landed]
        self.result.remarks_counted += len(remarks)
        self.result.remarks += remarks[: MOST_REMARKS - len(self.result.remarks)]
        if len(self.result.rejected) > MOST_REJECTED:
            raise Refusal(
                _(
                    "Plus de %(limit)s défauts : ce fichier n'a pas la forme attendue. Rien n'a "
                    "été chargé ; comparez-le au modèle."
                )
                % {"limit": MOST_REJECTED}
            )


def _rule_on(
    appointment_ids: list[int], also: Collection[Pair], *, by: User | None = None
) -> Opened:
    """Apply the bulletins in force to appointments; return how many patients are told.

    A person's decision about the same act in another source comes first.
    """
    last_notice = estimating.last_notice()
    shared = acts.share(appointment_ids)
    if shared:
        audit.record(action="decision.shared", by=by, appointments=shared)
    rule_on(appointment_ids=appointment_ids, also=also)
    return estimating.opened_since(last_notice, clock.now())


def evidence_of(
    file: ScheduleFile, path: Path, *, file_name: str, file_date: dt.datetime | None
) -> Evidence:
    """Return what a file shows of the moment at which it was made.

    A file with a column of changes is read once more for its newest: the rows of ``file`` are
    still to be read by the load.
    """
    newest = None
    if any("changed_at" in table.headings.places for table in file.tables):
        changes = (
            entry.changed_at
            for entry in open_schedule(path).entries()
            if isinstance(entry, ScheduleRecord) and entry.changed_at
        )
        newest = max(changes, default=None)
    return Evidence(file.titles, file_name, newest, file_date)


def written_at(path: Path) -> dt.datetime:
    """Return when a file was written, on the hospital's clock."""
    return clock.of_host(dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC))


def was_loaded_before(feed: Feed, digest: str) -> bool:
    """Whether this very file was loaded before, and another one since: this one is then older."""
    loaded = ScheduleImport.objects.filter(feed=feed, state=ImportState.LOADED).order_by("-id")
    newest = loaded.values_list("file_digest", flat=True).first()
    return newest != digest and loaded.filter(file_digest=digest).exists()


def check_exported_at(moment: dt.datetime | None) -> None:
    """Refuse an export that is still to be made.

    Raises:
        Refusal: as said.
    """
    if moment is not None and moment > clock.now() + AHEAD:
        raise Refusal(
            _("L'export ne peut pas dater de l'avenir : vérifiez le jour et l'heure."),
            field="exported_at",
        )


def check_source_name(name: str) -> None:
    """Refuse a name that cannot name a source.

    Raises:
        Refusal: as said.
    """
    if not _SOURCE_NAME.fullmatch(name):
        raise Refusal(
            _("Le nom d'une source compte de 1 à 40 lettres sans accent, chiffres ou tirets."),
            field="source",
        )


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
