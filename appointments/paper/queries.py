"""What to print for units and a day, and the sheets of a day as their screen lists them.

The number of queries grows neither with the units nor with the rows.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet

from appointments.access import expected_on, in_units, units_of
from appointments.decisions.acts import others_by_id
from appointments.feeds.data_age import age_of
from appointments.models import Appointment, Feed, Roster, RosterState
from appointments.paper.content import RosterContent, RosterRow, arranged
from notifications.models import NoticeItem, NoticeState
from notifications.telling.progress import standing_or_heard
from patients.models import PatientIdentifier
from staff import clock
from staff.access import Capability, scope_of
from staff.models import Unit, User
from staff.sentences import Stored
from staff.services import audit

# How far ahead the next day with appointments is looked for.
HORIZON = dt.timedelta(days=31)
FRIDAY = 5
NOON = 12


class NoticeWord(NamedTuple):
    """What a notice says of an appointment, and where it stands; empty where there is none."""

    state: str = ""
    word: str = ""
    postponed_to: dt.date | None = None


def roster_contents(*, unit_ids: Collection[int], day: dt.date) -> dict[int, RosterContent]:
    """Return the sheet of each unit, without a version, in the order of site and unit.

    Five queries, whatever the number of units and rows, and one more where several sources plan.
    Asks for nobody's rights: the caller narrows ``unit_ids`` to what the reader may print.
    """
    units = (
        Unit.objects.filter(id__in=unit_ids).select_related("site").order_by("site__name", "name")
    )
    now, trail_mark = clock.now(), str(audit.mark())
    ages = {feed.pk: age_of(feed, now) for feed in Feed.objects.all()}
    planned = list(_appointments(unit_ids, day))
    others = others_by_id(planned) if len(ages) > 1 else {}
    told = _told(unit_ids, day, {one.id for listed in others.values() for one in listed})
    numbers = _record_numbers(unit_ids, day)
    rows, heard = defaultdict(list), defaultdict(set)
    for appointment in planned:
        age = ages[appointment.feed_id]
        mine = numbers.get(appointment.patient_id, {})
        record_number = mine.get(age.feed) or next(iter(mine.values()), "")
        also = others.get(appointment.pk, [])
        of_whom = appointment.patient_id, appointment.day
        entries = [appointment.pk, *(one.id for one in also)]  # one act: what was said of any
        said = [told[pk, *of_whom] for pk in entries if (pk, *of_whom) in told]
        row = replace(
            _row(appointment, record_number, said[0] if said else NoticeWord()),
            is_postponed_here=appointment.day != day,
            also_in=tuple(f"{one.source} {one.source_id}" for one in also),
        )
        rows[appointment.unit_id].append(row)
        heard[appointment.unit_id].add(age)
    return {
        unit.pk: RosterContent(
            unit_id=unit.pk,
            unit_code=unit.code,
            unit=unit.name,
            site_code=unit.site.code,
            site=unit.site.name,
            callback_number=unit.site.callback_number,
            day=day,
            made_at=now,
            trail_mark=trail_mark,
            # An empty sheet is as old as everything that could have filled it.
            feeds=tuple(sorted(heard[unit.pk] or ages.values(), key=lambda age: age.feed)),
            rows=arranged(rows[unit.pk]),
        )
        for unit in units
    }


def _appointments(unit_ids: Collection[int], day: dt.date) -> QuerySet[Appointment]:
    """The day's appointments, each with the one decision that stands (outer join)."""
    return (
        _of_day(unit_ids, day)
        .select_related("patient", "practitioner", "unit")
        .prefetch_related("patient__phones")
        .annotate(
            standing=FilteredRelation(
                "decisions", condition=Q(decisions__version=F("decision_version"))
            ),
            ruled_by_bulletin=F("standing__bulletin"),
            ruled_by_clause=F("standing__clause__position"),
            decider_reason=F("standing__reason"),
            decider_given=F("standing__decided_by__first_name"),
            decider_family=F("standing__decided_by__last_name"),
            decider_account=F("standing__decided_by__username"),
        )
    )


def _of_day(unit_ids: Collection[int], day: dt.date) -> QuerySet[Appointment]:
    return expected_on(Appointment.objects.filter(unit__in=unit_ids), day)


def _told(
    unit_ids: Collection[int], day: dt.date, others: Collection[int]
) -> dict[tuple[int, int, dt.date], NoticeWord]:
    """What the patient is to hear or heard last, by appointment, patient and day spoken of.

    A withdrawn notice counts where it arrived all the same (ADR 0014): then it was told.
    ``others``: ids of other sources' entries of the same acts.
    """
    appointments = _of_day(unit_ids, day)
    items = (
        NoticeItem.objects.filter(
            Q(subject_id__in=appointments.values("id")) | Q(subject_id__in=others)
        )
        .filter(standing_or_heard())
        .order_by(F("notice__handed_over_at").asc(nulls_last=True), "notice__version")
        .values_list(
            *("subject_id", "notice__patient", "notice__day"),
            *("notice__state", "word", "postponed_to"),
        )
    )
    return {
        (subject, patient, spoken_of): NoticeWord(
            NoticeState.TOLD if state == NoticeState.WITHDRAWN else state, word, postponed_to
        )
        for subject, patient, spoken_of, state, word, postponed_to in items
    }


def _record_numbers(unit_ids: Collection[int], day: dt.date) -> dict[int, dict[str, str]]:
    """Each patient's numbers, by source."""
    patients = _of_day(unit_ids, day).values("patient")
    numbers: dict[int, dict[str, str]] = defaultdict(dict)
    found = PatientIdentifier.objects.filter(patient__in=patients).order_by("system", "value")
    for patient, system, value in found.values_list("patient", "system", "value"):
        numbers[patient].setdefault(system, value)
    return numbers


def _row(appointment: Appointment, record_number: str, told: NoticeWord) -> RosterRow:
    patient = appointment.patient
    decider: Any = appointment  # the annotations of _appointments
    full_name = f"{decider.decider_given or ''} {(decider.decider_family or '').upper()}".strip()
    return RosterRow(
        appointment_id=appointment.pk,
        starts_at=appointment.starts_at.astimezone(clock.BRUSSELS),
        family_name=patient.family_name,
        given_name=patient.given_name,
        birth_date=patient.birth_date,
        record_number=record_number,
        service=appointment.service,
        act=appointment.act,
        practitioner=str(appointment.practitioner or ""),
        outcome=appointment.outcome,
        basis=appointment.outcome_basis,
        bulletin=decider.ruled_by_bulletin,
        clause=decider.ruled_by_clause,
        decided_by=full_name or decider.decider_account or "",
        status=appointment.status,
        moved_from=_in_brussels(appointment.moved_from),
        missing_since=_in_brussels(appointment.missing_since),
        phones=tuple((one.number, one.label) for one in patient.numbers),
        told=told.state,
        told_word=told.word,
        told_day=told.postponed_to,
        postponed_to=appointment.postponed_to,
        minutes=appointment.minutes,
        groups=tuple(appointment.protected_groups.split()),
        priority=appointment.priority,
        language=patient.language,
        reason=decider.decider_reason or "",
    )


def _in_brussels(moment: dt.datetime | None) -> dt.datetime | None:
    return moment and moment.astimezone(clock.BRUSSELS)


@dataclass(frozen=True)
class UnitRoster:
    """One unit's line: what would be printed now, and what was printed last (None: nothing)."""

    content: RosterContent
    latest: Roster | None

    @property
    def is_plan_changed(self) -> bool:
        """Whether the sheet on the ward no longer says what holds."""
        return self.latest is not None and self.latest.plan_digest != self.content.plan_digest

    @property
    def is_telling_changed(self) -> bool:
        """Whether only the column of told patients changed."""
        return (
            self.latest is not None
            and not self.is_plan_changed
            and self.latest.content_digest != self.content.content_digest
        )

    @property
    def can_issue(self) -> bool:
        """Whether a new sheet can be issued: the first one, a newer one, or a second try."""
        if self.latest is None or self.latest.state == RosterState.FAILED:
            return True
        is_changed = self.is_plan_changed or self.is_telling_changed
        return is_changed and self.latest.state == RosterState.READY


@dataclass(frozen=True)
class RosterDay:
    """All rosters of a day that a person may print, by site."""

    day: dt.date
    sites: list[tuple[str, list[UnitRoster]]]

    @property
    def units(self) -> list[UnitRoster]:
        """Every line, site after site."""
        return [unit for _site, units in self.sites for unit in units]

    @property
    def asked(self) -> int:
        """How many units have a version, whatever became of it."""
        return sum(unit.latest is not None for unit in self.units)

    @property
    def waiting(self) -> int:
        """How many are still to be drawn."""
        return sum(
            unit.latest is not None and unit.latest.state == RosterState.WAITING
            for unit in self.units
        )

    @property
    def drawn(self) -> int:
        """How many are done, with or without success."""
        return self.asked - self.waiting

    @property
    def failures(self) -> list[Stored]:
        """Why some have no PDF, each reason once."""
        messages = (
            unit.latest.message
            for unit in self.units
            if unit.latest and unit.latest.state == RosterState.FAILED
        )
        return list(dict.fromkeys(messages))


def roster_day(user: User, day: dt.date) -> RosterDay:
    """Return the units that ``user`` may print on a day: with appointments, or printed before."""
    unit_ids = list(printable_units(user).filter(_has_paper(day)).values_list("id", flat=True))
    latest = latest_rosters(unit_ids, day)
    sites: dict[str, list[UnitRoster]] = {}
    for unit_id, content in roster_contents(unit_ids=unit_ids, day=day).items():
        sites.setdefault(content.site, []).append(UnitRoster(content, latest.get(unit_id)))
    return RosterDay(day=day, sites=list(sites.items()))


def printable_units(user: User) -> QuerySet[Unit]:
    """Return the units whose rosters a person may print."""
    return units_of(scope_of(user, Capability.PRINT_ROSTERS))


def units_with_paper(day: dt.date) -> QuerySet[Unit]:
    """Return every unit with appointments on a day or a roster printed for it (for commands)."""
    return Unit.objects.filter(_has_paper(day))


def latest_rosters(unit_ids: Iterable[int], day: dt.date) -> dict[int, Roster]:
    """Return the highest version of each unit's roster for a day; units without are absent."""
    rosters = Roster.objects.filter(unit__in=unit_ids, day=day).order_by("version")
    return {roster.unit_id: roster for roster in rosters}


def opening_day(user: User) -> dt.date:
    """Return the day on which the sheets open: until noon today, if anybody is expected.

    The next one is printed in the afternoon, and read in the morning.
    """
    now = clock.now()
    if now.hour < NOON and printable_units(user).filter(_has_paper(now.date())).exists():
        return now.date()
    return next_roster_day(user)


def next_roster_day(user: User) -> dt.date:
    """Return the next weekday on which units of ``user`` expect somebody; else tomorrow."""
    mine = Appointment.objects.filter(scope_of(user, Capability.PRINT_ROSTERS).units())
    # Few are postponed: the index of those is read, and not that of the units.
    first = _first(mine, "day"), _first(in_units(printable_units(user)), "postponed_to")
    return min(filter(None, first), default=clock.today() + dt.timedelta(days=1))


def _first(rows: QuerySet[Appointment], day: str) -> dt.date | None:
    """Return the first weekday ahead that is written in a column."""
    today = clock.today()
    ahead = {"gt": today, "lte": today + HORIZON, "iso_week_day__lte": FRIDAY}
    rows = rows.filter(**{f"{day}__{bound}": value for bound, value in ahead.items()})
    return rows.order_by(day).values_list(day, flat=True).first()


def _has_paper(day: dt.date) -> Q:
    mine = OuterRef("pk")
    return (
        Q(Exists(Appointment.objects.filter(unit=mine, day=day)))
        | Q(Exists(Appointment.objects.filter(unit=mine, postponed_to=day)))
        | Q(Exists(Roster.objects.filter(unit=mine, day=day)))
    )
