"""Load the records of a feed: the good records are written, set by set, all of them or none.

Nothing is deleted, and the source's own status is never overwritten. Loading the same records
twice changes nothing. If a file of unknown age contradicts a known appointment, its row waits until
a person accepts or refuses it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import transaction

from appointments.decisions import appending as deciding
from appointments.decisions.in_force import ruled_from
from appointments.decisions.rulings import rule_on
from appointments.feeds import file_terms
from appointments.feeds.file_terms import NOTHING, Area, Coverage, Declared
from appointments.feeds.importing import write as importing_write
from appointments.feeds.importing.people import Practitioners
from appointments.feeds.importing.plan import ChunkPlan, Planned, Planner
from appointments.feeds.importing.results import (
    CHUNK,
    MOST_REMARKS,
    LoadResult,
    Terms,
    Unanswered,
    codes_of,
    keep_refused,
    keep_result,
)
from appointments.feeds.importing.write import Pair, Writer
from appointments.feeds.records import RowFault, ScheduleRecord, SheetRead
from appointments.models import Conflict, ConflictState, Extent, Feed, ImportState, ScheduleImport
from notifications.sending import estimate as estimating
from notifications.sending.estimate import Opened
from patients.services.registration import known_patients
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.services import audit

MOST_REJECTED = 20_000  # more means another kind of file, and memory is limited

Entries = Iterable[ScheduleRecord | RowFault]


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
            ruled = _ruled_part(plan, ruled_days)
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
        area = file_terms.area_of(self.result.declared, coverage)
        if area is not None:
            self.result.area = area
            known, self.result.disappeared = importing_write.disappeared_from(
                feed, coverage, area, known_until=known_until
            )
            self.result.too_many = file_terms.too_many(
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
        span = file_terms.span_of(coverage.rows_by_day)
        if not self.terms.proposes or span is None:
            return NOTHING
        units = importing_write.planned_units(feed, *span)
        return Declared(file_terms.proposed_extent(coverage, planned_units=units))

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
        if file_terms.speaks_for_all(planned, coverage, area):
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
    shared = deciding.share(appointment_ids)
    if shared:
        audit.record(action="decision.shared", by=by, appointments=shared)
    rule_on(appointment_ids=appointment_ids, also=also)
    return estimating.opened_since(last_notice, clock.now())


def _ruled_part(plan: ChunkPlan, ruled_days: Collection[dt.date]) -> ChunkPlan | None:
    """Return the rows of a plan that a bulletin in force may touch; None without any."""

    def concerns(one: Planned) -> bool:
        days = [one.record.starts_at] + ([one.known.starts_at] if one.known else [])
        is_decided = one.known is not None and bool(one.known.outcome)
        if is_decided or one.who.joins:
            return True
        return any(clock.local_day(moment) in ruled_days for moment in days)

    part = ChunkPlan(
        created=list(filter(concerns, plan.created)),
        updated=list(filter(concerns, plan.updated)),
        moved=list(filter(concerns, plan.moved)),
        back=list(filter(concerns, plan.back)),
    )
    return part if part.created or part.updated or part.moved or part.back else None


def accept_conflicts(*, conflict_ids: Collection[int], by: User) -> int:
    """Load the rows that waited like any others; skip those that another person settled.

    Each source has its own transaction: a load takes the head of the trail last.

    Args:
        conflict_ids: which.
        by: the person who confirms them.

    Returns:
        how many were accepted.

    Raises:
        Refusal: a row can no longer be taken, for instance because its unit is gone; nothing of
            its source is written.
    """
    feeds = Feed.objects.filter(conflicts__in=conflict_ids).distinct().order_by("id")
    return sum(_accept_of_feed(feed, conflict_ids, by) for feed in feeds)


@transaction.atomic
def _accept_of_feed(feed: Feed, conflict_ids: Collection[int], by: User) -> int:
    lock_rulings(shared=False)
    accepted = _settle_conflicts(conflict_ids, ConflictState.ACCEPTED, by, feed=feed)
    if not accepted:
        return 0
    result = load_records(
        feed_name=feed.name,
        records=[ScheduleRecord.from_kept(conflict.record) for conflict in accepted],
        terms=Terms(by_hand=True, declared=NOTHING),
        by=by,
    )
    if result.rejected:
        fault = result.rejected[0]
        why = _("%(column)s « %(value)s » : %(why)s")
        raise Refusal(why % {"column": fault.column, "value": fault.value, "why": fault.why})
    _record_conflicts(accepted, ConflictState.ACCEPTED, by)
    return len(accepted)


@transaction.atomic
def refuse_conflicts(*, conflict_ids: Collection[int], by: User) -> int:
    """Keep the known appointments and refuse these rows for good; return how many."""
    refused = _settle_conflicts(conflict_ids, ConflictState.REFUSED, by)
    if refused:
        _record_conflicts(refused, ConflictState.REFUSED, by)
    return len(refused)


def _settle_conflicts(
    conflict_ids: Collection[int], state: ConflictState, by: User, feed: Feed | None = None
) -> list[Conflict]:
    waiting = Conflict.objects.filter(pk__in=conflict_ids, state=ConflictState.WAITING)
    if feed is not None:
        waiting = waiting.filter(feed=feed)
    settled = list(waiting.select_for_update().order_by("id"))
    Conflict.objects.filter(pk__in=[conflict.pk for conflict in settled]).update(
        state=state, settled_at=clock.now(), settled_by=by
    )
    return settled


def _record_conflicts(settled: list[Conflict], state: ConflictState, by: User) -> None:
    audit.record(
        action=f"conflict.{state}",
        by=by,
        appointments=[conflict.appointment_id for conflict in settled],
    )
