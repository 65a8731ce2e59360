"""Bulletins as people may read them, and as the editor and the sentences need them."""

import datetime as dt
import hashlib
import json
from dataclasses import astuple, dataclass, replace
from itertools import islice

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Min, Q, QuerySet

from appointments.bulletins.sentences import PlaceNames, doubtful_moments, in_words
from appointments.decisions.rulings import clauses_of, ruling_bulletins
from appointments.models import RULED, Appointment, Bulletin, BulletinState
from appointments.rules import ClauseTerms, numbered
from notifications.rules import QuietHours
from staff import clock
from staff.access import Capability, may, scope_of
from staff.models import AuditEvent, Site, Unit, User
from staff.paging import KeyPage, page_by_key

MOST_RESTORABLE = 3
"""How many earlier bulletins are offered when one is withdrawn."""
SWITCHED = ("sending.paused", "sending.resumed")
_DRAFT_READERS = (
    Capability.DRAFT_BULLETIN,
    Capability.APPROVE_BULLETIN,
    Capability.SEE_TRAIL,
)


def sees_drafts(user: User) -> bool:
    """Whether the user may read drafts: only with a role for the whole group."""
    return any(scope_of(user, capability).everywhere for capability in _DRAFT_READERS)


def visible(user: User) -> QuerySet[Bulletin]:
    """Return the bulletins that the user may read, with the people who made them."""
    bulletins = Bulletin.objects.select_related(
        "drafted_by",
        "ready_by",
        "approved_by",
        "released_by",
        "withdrawal_asked_by",
        "withdrawn_by",
        "restored_by",
    )
    if not may(user, Capability.SEE_BULLETINS):
        return bulletins.none()
    return bulletins if sees_drafts(user) else bulletins.exclude(state=BulletinState.DRAFT)


def in_force(user: User) -> list[Bulletin]:
    """Return what is in force, approved last first; few, since a newer one supersedes."""
    return list(visible(user).filter(state=BulletinState.IN_FORCE).order_by("-approved_at", "-id"))


def not_in_force(user: User, *, cursor: str = "") -> KeyPage[Bulletin]:
    """Return one page of drafts and history, newest first."""
    others = visible(user).exclude(state=BulletinState.IN_FORCE)
    return page_by_key(others, keys=("-id",), cursor=cursor, size=25)


def days_ruled(bulletin: Bulletin) -> tuple[dt.date, ...]:
    """Return the days that a bulletin in force rules, or that another would once approved."""
    days = tuple(bulletin.days)
    if bulletin.state != BulletinState.IN_FORCE:
        return days
    ruling = ruling_bulletins(days)
    return tuple(day for day in days if day in ruling and ruling[day].pk == bulletin.pk)


def restorable(bulletin: Bulletin) -> list[Bulletin]:
    """Return the bulletins that could come back in place of another, approved last first.

    Superseded ones that would rule a day from today on; at most ``MOST_RESTORABLE``.
    """
    today = clock.today()
    found = Bulletin.objects.filter(
        state=BulletinState.SUPERSEDED,
        first_day__lte=bulletin.last_day,
        last_day__gte=max(bulletin.first_day, today),
    )
    useful = (
        one
        for one in found.order_by("-approved_at", "-pk")
        if any(day >= today for day in days_restored(bulletin, one))
    )
    return list(islice(useful, MOST_RESTORABLE))


def days_restored(bulletin: Bulletin, restored: Bulletin) -> list[dt.date]:
    """Return the days that a superseded bulletin would rule if another were withdrawn."""
    days = restored.days
    ruling = ruling_bulletins(days, without=bulletin.pk, restored=restored.pk)
    return [day for day in days if ruling[day].pk == restored.pk]


def odd_moments(bulletin: Bulletin, clauses: tuple[ClauseTerms, ...]) -> list[str]:
    """Return which moments of a draft make no sense, in sentences (one query); else none."""
    if bulletin.state != BulletinState.DRAFT:
        return []
    found = doubtful_moments(
        days=days_ruled(bulletin),
        release_at=bulletin.release_at,
        clauses=numbered(clauses),
        first_starts=first_starts(bulletin.first_day, bulletin.last_day),
        now=clock.now(),
    )
    return list(map(in_words, found))


def first_starts(first_day: dt.date, last_day: dt.date) -> dict[dt.date, dt.datetime]:
    """Return when the first appointment of each day begins; days without any are absent."""
    lines = (
        Appointment.objects.filter(day__gte=first_day, day__lte=last_day, status__in=RULED)
        .order_by()
        .values_list("day")
        .annotate(first=Min("starts_at"))
    )
    return dict(lines)


def quiet_hours_of(bulletin: Bulletin) -> QuietHours:
    """Return the quiet hours of a bulletin: none with an override reason."""
    if bulletin.quiet_hours_override_reason:
        return QuietHours()
    return QuietHours.parse(settings.SMS_QUIET_HOURS)


def fingerprint(bulletin: Bulletin, clauses: tuple[ClauseTerms, ...]) -> str:
    """Return a digest of the content, to detect that two people edit it at once."""
    content = (
        bulletin.title,
        bulletin.first_day,
        bulletin.last_day,
        bulletin.release_at.astimezone(dt.UTC),
        bulletin.source_text,
        bulletin.quiet_hours_override_reason,
        [astuple(replace(one, position=0, id=0, bulletin_id=0)) for one in clauses],
    )
    text = json.dumps(content, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def events_of(bulletin: Bulletin) -> list[AuditEvent]:
    """Return what the trail says about a bulletin, oldest first.

    Pauses of all sending are included for the time in which the bulletin sent messages.
    """
    mine = Q(object_type="bulletin", object_id=str(bulletin.pk))
    if bulletin.approved_at:
        ends = bulletin.withdrawn_at or clock.midnight(bulletin.last_day + dt.timedelta(days=1))
        mine |= Q(action__in=SWITCHED, at__gte=bulletin.approved_at, at__lt=ends)
    return list(AuditEvent.objects.filter(mine).order_by("sequence"))


@dataclass(frozen=True)
class Places:
    """The sites and units that a clause may name, each in the order of the reference data."""

    sites: tuple[Site, ...]
    units: tuple[Unit, ...]

    @property
    def names(self) -> PlaceNames:
        """The names by code."""
        return PlaceNames(
            sites={site.code: site.name for site in self.sites},
            units={unit.code: str(unit) for unit in self.units},
            site_of={unit.code: unit.site.code for unit in self.units},
        )


def places() -> Places:
    """Return the reference data of the clauses, in two queries."""
    return Places(tuple(Site.objects.all()), tuple(Unit.objects.select_related("site")))


@dataclass(frozen=True)
class Replaced:
    """One bulletin in force, or None for the days that none rules.

    Attributes:
        bulletin: what rules now.
        clauses: what it orders, in its order.
        days: the days that the draft would take.
        still: the days that it would go on ruling.
    """

    bulletin: Bulletin | None
    clauses: tuple[ClauseTerms, ...]
    days: tuple[dt.date, ...]
    still: tuple[dt.date, ...]


def replaced_by(draft: Bulletin) -> list[Replaced]:
    """Return what the draft would replace, by its first day (at most four queries)."""
    window = draft.days
    ruling = ruling_bulletins(window)
    old = {bulletin.pk: bulletin for bulletin in ruling.values()}
    kept = ruling_bulletins(
        {day for bulletin in old.values() for day in bulletin.days} - set(window)
    )
    found = [
        Replaced(
            bulletin=bulletin,
            clauses=clauses_of(bulletin),
            days=tuple(day for day in window if day in ruling and ruling[day].pk == pk),
            still=tuple(sorted(day for day, one in kept.items() if one.pk == pk)),
        )
        for pk, bulletin in old.items()
    ]
    if free := tuple(day for day in window if day not in ruling):
        found.append(Replaced(None, (), free, ()))
    return sorted(found, key=lambda one: one.days)
