"""Take in what a feed yields: the good records land, set by set, all of them or none.

Nothing is deleted and the source's own status is never written over; the same records twice
change nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.feeds.records import RowFault, ScheduleRecord
from appointments.models import Feed, ImportState, RejectedRow, ScheduleImport
from appointments.services import importing_write
from appointments.services.importing_plan import Planner
from appointments.services.importing_write import Writer
from appointments.services.refused_rows import keep_refused
from appointments.services.rulings import rule_on
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

CHUNK = 500
MOST_REJECTED = 20_000  # beyond this the file is not what it should be, and memory has an end
MOST_REMARKS = 20_000  # that are listed; all are counted, and none refuses the file

Entries = Iterable[ScheduleRecord | RowFault]


@dataclass
class LoadResult:
    """What a load did, or would do.

    Attributes:
        created, updated, moved, unchanged: records, each counted once.
        missing: appointments that disappeared from a full export.
        with_phone: records with a number that can be dialled.
        rejected: one or more faults for each row that was not taken.
        remarks: faults of rows that were taken without a value, the first of them.
        remarks_counted: all of them.
    """

    created: int = 0
    updated: int = 0
    moved: int = 0
    unchanged: int = 0
    missing: int = 0
    with_phone: int = 0
    rejected: list[RowFault] = field(default_factory=list)
    remarks: list[RowFault] = field(default_factory=list)
    remarks_counted: int = 0

    @property
    def rows_rejected(self) -> int:
        """Rows that were not taken, however many faults each has."""
        return len({fault.line for fault in self.rejected})

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.created + self.updated + self.moved + self.unchanged + self.rows_rejected

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
            "missing": self.missing,
            "rejected": self.rows_rejected,
            "remarks": self.remarks_counted,
        }


def load_records(
    *,
    feed_name: str,
    records: Entries,
    is_full_export: bool,
    by: User | None = None,
    schedule_import: ScheduleImport | None = None,
    dry_run: bool = False,
    headings: Mapping[str, str] | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> LoadResult:
    """Write records, or only say what they would change.

    Args:
        feed_name: the source, made when it is new.
        records: read once, a few hundred at a time; faults found by a reader pass through.
        is_full_export: what it does not name, within its days and sites, has disappeared.
        by: who loads; None for the system.
        schedule_import: where the counts and faults are kept, for the pages.
        dry_run: plan only; no lock, no transaction, and nothing of the schedule is written.
        headings: the file's own column headings, for the faults.
        progress: is told the number of rows read, every few hundred.

    Raises:
        Refusal: far too many rows are wrong; nothing was written.
    """
    load = _Load(feed_name=feed_name, is_full_export=is_full_export, headings=headings or {}, by=by)
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
    is_full_export: bool
    headings: Mapping[str, str]
    by: User | None
    result: LoadResult = field(default_factory=LoadResult)

    def check(self, entries: Entries, progress: Callable[[int], None]) -> LoadResult:
        """Count what the load would do."""
        feed = Feed.objects.filter(name=self.feed_name).first()
        planner = Planner(feed, self.headings)
        for _plan in self._plans(planner, entries, progress):
            pass
        if self.is_full_export and feed is not None:
            self.result.missing = len(importing_write.missing_from(feed, planner.coverage))
        return self.result

    @transaction.atomic
    def write(
        self,
        entries: Entries,
        progress: Callable[[int], None],
        schedule_import: ScheduleImport | None,
    ) -> LoadResult:
        """Load for good, in one transaction: a crash half-way leaves nothing behind."""
        now = clock.now()
        # First of all locks, as everywhere: whoever decides about a patient takes it first too.
        lock_rulings(shared=False)
        feed = Feed.objects.get_or_create(name=self.feed_name)[0]
        planner, writer = Planner(feed, self.headings), Writer(feed, now)
        changed: list[int] = []
        for plan in self._plans(planner, entries, progress):
            changed += writer.write(plan)
        if self.is_full_export:
            missing = importing_write.missing_from(feed, planner.coverage)
            importing_write.flag_missing(missing, now)
            self.result.missing = len(missing)
        rule_on(appointment_ids=changed)
        Feed.objects.filter(pk=feed.pk).update(heard_at=now)
        keep_refused(
            feed=feed,
            faults=self.result.rejected,
            landed=planner.coverage.lines,
            schedule_import=schedule_import,
        )
        digest = schedule_import.file_digest if schedule_import else ""
        if schedule_import is not None:
            keep_result(schedule_import, self.result, ImportState.LOADED)
        audit.record(
            action="schedule.loaded",
            by=self.by,
            subject=schedule_import or feed,
            feed=feed.name,
            file_sha256=digest,
            is_full_export=self.is_full_export,
            with_phone=self.result.with_phone,
            **self.result.counts(),
        )
        return self.result

    def _plans(
        self, planner: Planner, entries: Entries, progress: Callable[[int], None]
    ) -> Iterator:
        """Yield the plan of each chunk, and count it."""
        coming = iter(entries)
        while chunk := list(islice(coming, CHUNK)):
            found = [entry for entry in chunk if isinstance(entry, RowFault)]
            planner.coverage.refused.update(f.source_id for f in found if not f.landed)
            records = [entry for entry in chunk if isinstance(entry, ScheduleRecord)]
            self.result.with_phone += sum(bool(record.phones) for record in records)
            plan = planner.plan(records)
            self._count(found + plan.faults)
            self.result.created += len(plan.created)
            self.result.updated += len(plan.updated) + len(plan.back)
            self.result.moved += len(plan.moved)
            self.result.unchanged += plan.unchanged
            yield plan
            progress(self.result.rows)

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


@transaction.atomic
def keep_result(schedule_import: ScheduleImport, result: LoadResult, state: ImportState) -> None:
    """Keep counts and faults beside the load, for its page."""
    counts = result.counts()
    schedule_import.rows_total = schedule_import.rows_done = counts.pop("rows")
    for name, count in counts.items():
        setattr(schedule_import, f"rows_{name}", count)
    schedule_import.rows_with_phone = result.with_phone
    schedule_import.state = state
    schedule_import.finished_at = clock.now()
    schedule_import.save()
    schedule_import.rejected_rows.all().delete()
    RejectedRow.objects.bulk_create(
        (
            RejectedRow(
                schedule_import=schedule_import,
                line=fault.line,
                column=fault.column[:80],
                value=fault.value[:200],
                why=fault.why[:300],
                landed=fault.landed,
            )
            for fault in sorted(result.rejected + result.remarks, key=lambda fault: fault.line)
        ),
        batch_size=CHUNK,
    )
