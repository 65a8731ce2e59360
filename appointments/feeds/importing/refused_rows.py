"""The open list of rows that loads refused: the only writer of ``RefusedRow.state``."""

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, DateField, F, QuerySet, Value
from django.db.models.functions import Coalesce

from appointments.feeds.records import SHEET_LENGTH, Readable, RowFault
from appointments.models import Feed, RefusedRow, RefusedState, ScheduleImport
from staff import clock
from staff.access import Capability, require_everywhere, scope_of
from staff.errors import Refusal
from staff.models import User
from staff.paging import KeyPage, page_by_key
from staff.sentences import Stored, joined
from staff.sentences import gettext_stored as _
from staff.services import audit

_CHUNK = 500
_WRITTEN = [
    *("source_id", "record_number", "name", "phones", "day", "moment", "place", "why"),
    *("schedule_import", "sheet", "line", "content", "state", "refused_at"),
    *("settled_at", "settled_by", "note"),
]
# The last of days: after all others, where no day can be read.
_NO_DAY = dt.date.max


@transaction.atomic
def keep_refused(
    *,
    feed: Feed,
    faults: Iterable[RowFault],
    landed: Collection[str],
    schedule_import: ScheduleImport | None = None,
) -> None:
    """Keep what a load refused until somebody sees to it, and close what it mended.

    The same row twice is kept once, and stays closed once somebody closed it, unless it now says
    something else. A number that landed mends its row, but not while another row of the same
    file bears it and is refused. Set by set; part of the load, whose trail names the counts.

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
    for start in range(0, len(rows), _CHUNK):
        _keep(feed, rows[start : start + _CHUNK])
    refused = {row.source_id for row in rows}
    mended = [
        pk
        for pk, source_id in RefusedRow.objects.filter(feed=feed, state=RefusedState.OPEN)
        .exclude(source_id="")
        .values_list("pk", "source_id")
        if source_id in landed and source_id not in refused
    ]
    for start in range(0, len(mended), _CHUNK):
        RefusedRow.objects.filter(pk__in=mended[start : start + _CHUNK]).update(
            state=RefusedState.MENDED, settled_at=now
        )


def note_call(*, refused_row_id: int, by: User, note: str = "") -> RefusedRow:
    """Note that somebody called the patient of a refused row by hand.

    Raises:
        Refusal: the row is no longer open.
    """
    return _settle(refused_row_id, RefusedState.CALLED, by, note)


def dismiss(*, refused_row_id: int, by: User, reason: str) -> RefusedRow:
    """Note by name why nothing needs doing about a refused row.

    Raises:
        Refusal: no reason, or the row is no longer open.
    """
    if not reason.strip():
        raise Refusal(_("Dites pourquoi cette ligne n'appelle rien de plus."), field="note")
    return _settle(refused_row_id, RefusedState.DISMISSED, by, reason)


@transaction.atomic
def _settle(pk: int, state: RefusedState, by: User, note: str) -> RefusedRow:
    require_everywhere(by, Capability.LOAD_FEEDS)
    row = RefusedRow.objects.select_for_update(of=("self",)).select_related("feed").get(pk=pk)
    if row.state != RefusedState.OPEN:
        raise Refusal(
            _("Cette ligne est déjà close : %(state)s.") % {"state": row.get_state_display()}
        )
    row.state, row.settled_by, row.settled_at = state, by, clock.now()
    row.note = note.strip()[:300]
    row.save()
    audit.record(
        action=f"schedule.refused_row_{state.value}",
        by=by,
        subject=row,
        feed=row.feed.name,
        source_id=row.source_id,
        note=row.note,
    )
    return row


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
    # Where not even the cells are known, what the file says at that place must do.
    read = said or Readable(name=faults[0].value[:170])
    source_id = next((fault.source_id for fault in faults if fault.source_id), "")[:80]
    reasons = (_reason(fault) for fault in faults)
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


def _reason(fault: RowFault) -> Stored:
    if not fault.column:
        return fault.why
    return _("%(column)s : %(why)s") % {"column": fault.column, "why": fault.why}


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


@dataclass(frozen=True)
class RefusedCount:
    """How many rows are open; how many on ruled days; how many have no day that can be read."""

    open: int = 0
    on_ruled_days: int = 0
    without_day: int = 0

    def __bool__(self) -> bool:
        return bool(self.open)


def refused_by_day() -> dict[dt.date | None, int]:
    """Return how many rows are open on each day; None where none can be read (one query)."""
    counted = RefusedRow.objects.filter(state=RefusedState.OPEN).order_by().values_list("day")
    return dict(counted.annotate(Count("pk")))


def count_refused(days: Collection[dt.date]) -> RefusedCount:
    """Return the open rows, and those of some ruled days among them (one query)."""
    by_day = refused_by_day()
    return RefusedCount(
        open=sum(by_day.values()),
        on_ruled_days=sum(number for day, number in by_day.items() if day in days),
        without_day=by_day.get(None, 0),
    )


def refused_rows(user: User) -> QuerySet[RefusedRow]:
    """Return the rows that a user may see: a file concerns the whole group."""
    found = RefusedRow.objects.select_related("feed", "schedule_import", "settled_by")
    return found if scope_of(user, Capability.LOAD_FEEDS).everywhere else found.none()


def refused_page(user: User, *, is_open: bool, cursor: str) -> KeyPage[RefusedRow]:
    """Return a page of the open rows, by day, or of the closed ones, the newest first."""
    rows = refused_rows(user)
    if not is_open:
        closed = rows.exclude(state=RefusedState.OPEN)
        return page_by_key(closed, keys=("-settled_at", "-id"), cursor=cursor, size=50)
    return page_by_key(
        rows.filter(state=RefusedState.OPEN).annotate(
            by_day=Coalesce(F("day"), Value(_NO_DAY), output_field=DateField())
        ),
        keys=("by_day", "id"),
        cursor=cursor,
        size=50,
    )
