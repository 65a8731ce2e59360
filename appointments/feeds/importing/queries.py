"""Loads of schedule files and the age of each source, for those who load them."""

from django.db.models import F, Q, QuerySet

from appointments.feeds.data_age import DataAge, every_age
from appointments.models import (
    Appointment,
    Conflict,
    ConflictState,
    DisappearedRow,
    Feed,
    RejectedRow,
    ScheduleImport,
)
from patients.models import Likeness, LinkProposal, PatientIdentifier
from staff.access import Capability, scope_of
from staff.models import Unit, User
from staff.paging import KeyPage, page_by_key


def feed_ages(user: User) -> list[DataAge]:
    """Return every source with its age (one query)."""
    return every_age() if _sees_all(user) else []


def sources(user: User) -> QuerySet[Feed]:
    """Return the sources whose rules a user may set."""
    return Feed.objects.all() if _sees_all(user) else Feed.objects.none()


def imports(user: User) -> QuerySet[ScheduleImport]:
    """Return the loads that a user may see: a file concerns the whole group."""
    found = ScheduleImport.objects.select_related("feed", "started_by")
    return found if _sees_all(user) else found.none()


def imports_page(user: User, *, cursor: str) -> KeyPage[ScheduleImport]:
    """Return a page of loads, newest first (one query)."""
    return page_by_key(imports(user), keys=("-id",), cursor=cursor, size=20)


def faults_page(schedule_import: ScheduleImport, *, cursor: str) -> KeyPage[RejectedRow]:
    """Return a page of the faults of a file the user already opened (one query)."""
    rows = schedule_import.rejected_rows.all()
    return page_by_key(rows, keys=("id",), cursor=cursor)


def disappeared_page(
    schedule_import: ScheduleImport, *, cursor: str, size: int = 50
) -> KeyPage[DisappearedRow]:
    """Return a page of what disappeared by a load the user already opened (one query)."""
    rows = schedule_import.disappeared_rows.annotate(starts_at=F("appointment__starts_at"))
    return page_by_key(
        rows.select_related("appointment__unit__site", "appointment__patient"),
        keys=("starts_at", "id"),
        cursor=cursor,
        size=size,
    )


def units_to_choose(schedule_import: ScheduleImport) -> QuerySet[Unit]:
    """Return the units of which a checked file may say everything: those of the sites it names.

    Also those that were declared, and those in which its source is known to plan something.
    """
    named = [*schedule_import.units_named, *schedule_import.complete_units]
    planned = Appointment.objects.filter(feed=schedule_import.feed_id).order_by()
    sites = Unit.objects.filter(pk__in=named).values("site")
    return (
        Unit.objects.filter(Q(site__in=sites) | Q(pk__in=planned.values("unit")))
        .select_related("site")
        .order_by("site__name", "name")
    )


def units_declared(schedule_import: ScheduleImport) -> list[Unit]:
    """Return the units that were declared one by one (one query; none without any)."""
    if not schedule_import.complete_units:
        return []
    units = Unit.objects.filter(pk__in=schedule_import.complete_units).select_related("site")
    return list(units.order_by("site__name", "name"))


def conflicts_page(user: User, *, cursor: str) -> KeyPage[Conflict]:
    """Return a page of what waits for a person, the earliest appointment first (one query)."""
    rows = _waiting(user).annotate(held_at=F("appointment__starts_at"))
    return page_by_key(
        rows.select_related("feed", "appointment__unit__site", "appointment__patient"),
        keys=("held_at", "id"),
        cursor=cursor,
    )


def conflicts_waiting(user: User) -> int:
    """Return how many conflicts wait for a person (one query)."""
    return _waiting(user).count()


def _waiting(user: User) -> QuerySet[Conflict]:
    found = Conflict.objects.filter(state=ConflictState.WAITING)
    return found if _sees_all(user) else found.none()


def _sees_all(user: User) -> bool:
    return scope_of(user, Capability.LOAD_FEEDS).everywhere


def links(user: User) -> QuerySet[PatientIdentifier]:
    """Return the linked record numbers that a user may see: a source has no one site."""
    found = PatientIdentifier.objects.filter(linked_at__isnull=False).select_related("patient")
    return found if _sees_all(user) else found.none()


def links_page(user: User, *, cursor: str) -> KeyPage[PatientIdentifier]:
    """Return a page of linked record numbers, newest first, each with its patient's others."""
    found = links(user).prefetch_related("patient__identifiers")
    return page_by_key(found, keys=("-linked_at", "-id"), cursor=cursor, size=50)


def likenesses(user: User) -> QuerySet[LinkProposal]:
    """Return the pairs that look alike and nobody put aside."""
    found = LinkProposal.objects.filter(dismissed_at__isnull=True).select_related(
        "record__patient", "other"
    )
    return found if _sees_all(user) else found.none()


def likenesses_page(user: User, *, cursor: str) -> KeyPage[LinkProposal]:
    """Return a page of pairs that look alike, newest first."""
    found = likenesses(user).prefetch_related("other__identifiers")
    return page_by_key(found, keys=("-id",), cursor=cursor, size=50)


def count_told_twice(user: User) -> int:
    """Return how many pairs are equal in everything and linked by nobody (one query).

    Each is one person for all that is known, and gets what is told to each of the two.
    """
    return likenesses(user).filter(likeness=Likeness.ALL).count()
