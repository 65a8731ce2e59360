"""Refused rows: the open list, and how a person closes a row of it."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, DateField, F, QuerySet, Value
from django.db.models.functions import Coalesce

from appointments.models import RefusedRow, RefusedState
from staff import clock
from staff.access import Capability, require_everywhere, scope_of
from staff.errors import Refusal
from staff.models import User
from staff.paging import KeyPage, page_by_key
from staff.sentences import gettext_stored as _
from staff.services import audit

# Rows without a readable day stand after all others.
_NO_DAY = dt.date.max


def note_call(*, refused_row_id: int, by: User, note: str = "") -> RefusedRow:
    """Note that somebody called the patient of a refused row by hand.

    Raises:
        Refusal: the row is no longer open.
    """
    return _settle(refused_row_id, RefusedState.CALLED, by, note)


def dismiss(*, refused_row_id: int, by: User, note: str) -> RefusedRow:
    """Note by name why nothing needs doing about a refused row: the ``note`` says it.

    Raises:
        Refusal: no note, or the row is no longer open.
    """
    if not note.strip():
        raise Refusal(_("Dites pourquoi cette ligne n'appelle rien de plus."), field="note")
    return _settle(refused_row_id, RefusedState.DISMISSED, by, note)


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
