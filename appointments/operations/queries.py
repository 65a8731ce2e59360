"""Operations by day and theatre, with the opinions on them and what waits for a ruling.

Also the days on which a Belgian hospital does not operate as planned. Legal holidays: the ten of
the law of 4 January 1974 and the royal decree of 18 April 1974 (article 1).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.utils.translation import gettext_lazy as _

from appointments.decisions.in_force import (
    Told,
    keep_answers,
    keeper_of,
    may_be_undone,
    standing_decisions,
    told_of,
)
from appointments.models import (
    CALLED_OFF,
    Appointment,
    Basis,
    Decision,
    Opinion,
    OpinionRole,
    Outcome,
    Priority,
    Service,
)
from appointments.rules import ONLY_THE_DIRECTOR, KeepAnswer, ruling_is_overdue
from notifications.models import NoticeItem
from staff import clock
from staff.access import AccessScope, Capability, may, scope_of
from staff.lookups import numbers_of
from staff.models import Role, User

C = Capability
OPENED_BY = (C.GIVE_OPINION, C.RULE_ON_OPERATIONS, C.SEE_BOARD)
# Their holders see on every page that a ruling is overdue.
ANSWERED_BY = (C.RULE_ON_OPERATIONS, C.SEE_BOARD)
DAYS_AHEAD = 14
# What waits for a ruling first; then theatre by theatre, the most urgent first.
ORDER = ("is_others", "is_settled", "unit__site__name", "unit__name", "urgency", "starts_at", "id")
AWAITING = Q(outcome=Outcome.UNDER_REVIEW)
DAY_REFUSED = Q(is_day_refused=True)
_URGENCY = {Priority.STAT: 0, Priority.ASAP: 1, Priority.URGENT: 2}
BY_DAY = ("day", "unit__site__name", "unit__name", "urgency", "starts_at", "id")
SPEAKS_AS = {
    Role.SURGEON: (OpinionRole.SURGEON, OpinionRole.ANAESTHETIST),
    Role.NURSE: (OpinionRole.NURSE,),
    Role.MEDICAL_DIRECTOR: (OpinionRole.SURGEON, OpinionRole.ANAESTHETIST),
}


@dataclass(frozen=True)
class Operation:
    """One operation as those who decide see it.

    ``opinions`` holds the newest opinion by role, one entry for each role, None where nobody
    spoke. ``answer`` is what the bulletin and their scope allow the reader.
    ``may_undo``: the reader may take the ruling back, also without a bulletin.
    ``own_surgeon``: what the patient's own surgeon thinks, where another spoke after them.
    ``is_overdue``: by now it should have been ruled on; ``has_begun``: its hour has come.
    """

    appointment: Appointment
    answer: KeepAnswer
    told: Told
    may_speak: bool
    decision: Decision | None = None
    opinions: dict[str, Opinion | None] = field(default_factory=dict)
    refusal: str = ""
    is_overdue: bool = False
    has_begun: bool = False
    may_undo: bool = False
    own_surgeon: Opinion | None = None

    @property
    def own_surgeon_id(self) -> int | None:
        """The account of the patient's own surgeon, as far as the agenda and the app know it."""
        own = self.appointment.practitioner
        return own.user_id if own else None

    @property
    def own_surgeon_is_silent(self) -> bool:
        """Whether another surgeon spoke and the patient's own, who could, did not."""
        spoken = self.opinions.get(OpinionRole.SURGEON)
        is_others = spoken is not None and spoken.given_by_id != self.own_surgeon_id
        return is_others and bool(self.own_surgeon_id) and self.own_surgeon is None

    @property
    def may_rule(self) -> bool:
        """Whether the reader may rule on it."""
        return self.answer.allowed

    @property
    def first_new_day(self) -> dt.date:
        """The first day to which it can be postponed."""
        return postponed_from(self.appointment.day)

    @property
    def is_mine(self) -> bool:
        """Whether it is one of the reader's own patients."""
        return getattr(self.appointment, "is_others", 1) == 0

    @property
    def is_awaiting(self) -> bool:
        """Whether nobody has ruled yet."""
        return self.appointment.outcome == Outcome.UNDER_REVIEW

    @property
    def newest_opinion(self) -> int:
        """The number of the last opinion on it; 0 while nobody spoke."""
        return max((one.pk for one in self.opinions.values() if one), default=0)

    @property
    def is_day_refused(self) -> bool:
        """Whether the patient cannot come on the day given instead: another is to be given."""
        return getattr(self.appointment, "is_day_refused", False)

    @property
    def ruled(self) -> str:
        """The outcome that a person ruled, or nothing."""
        by_person = self.appointment.outcome_basis == Basis.PERSON
        return self.appointment.outcome if by_person else ""


@dataclass(frozen=True)
class OperatingDay:
    """How many operations a day has, and how many of them wait for a ruling, or too long."""

    day: dt.date
    total: int
    awaiting: int
    is_overdue: bool = False


@dataclass(frozen=True)
class Overdue:
    """How many operations of today and tomorrow should have been ruled on; since which day."""

    count: int
    first_day: dt.date


def operations_for(user: User) -> QuerySet[Appointment]:
    """Return the operations of the places where the user speaks, rules or watches."""
    return (
        _planned(user, OPENED_BY)
        .select_related("patient", "unit__site", "practitioner")
        .annotate(
            is_others=Case(When(_own(user), then=0), default=1, output_field=IntegerField()),
            is_day_refused=_day_refused(),
            is_settled=Case(
                When(AWAITING, then=0),
                When(DAY_REFUSED, then=0),
                default=1,
                output_field=IntegerField(),
            ),
            urgency=Case(
                *(When(priority=priority, then=rank) for priority, rank in _URGENCY.items()),
                default=Value(len(_URGENCY)),
                output_field=IntegerField(),
            ),
        )
    )


def _own(user: User) -> Q:
    """Narrow to the patients of somebody who gives opinions: by their practitioner, or their unit.

    A director has no patients of their own. Those of a nurse are in the units of their role, if it
    names units.
    """
    if may(user, C.RULE_ON_OPERATIONS):
        return Q(pk__in=[])
    own = Q(practitioner__in=keeper_of(user).practitioner_ids)
    scope = scope_of(user, C.GIVE_OPINION)
    return own if scope.everywhere else own | Q(unit__in=scope.unit_ids)


def _day_refused() -> Exists:
    """Whether the patient said no to the day given instead, since it was given."""
    given = Decision.objects.filter(
        appointment=OuterRef(OuterRef("pk")), version=OuterRef(OuterRef("decision_version"))
    )
    return Exists(
        NoticeItem.objects.filter(
            subject_id=OuterRef("pk"),
            postponed_to=OuterRef("postponed_to"),
            new_day_suits=False,
            new_day_answered_at__gte=Subquery(given.values("decided_at")[:1]),
        )
    )


def _planned(user: User, capabilities: Iterable[Capability]) -> QuerySet[Appointment]:
    """Return the operations where the user holds one of these, as far as the source plans them."""
    seen = Q(pk__in=[])
    for capability in capabilities:
        seen |= scope_of(user, capability).units()
    operations = Appointment.objects.filter(seen, service=Service.SURGERY)
    return operations.exclude(status__in=CALLED_OFF)


def overdue(user: User) -> Overdue | None:
    """Return what of today and tomorrow should have been ruled on where the user answers for it.

    None when there is nothing, without a query for whoever answers for no operation.
    """
    if not any(scope_of(user, capability) for capability in ANSWERED_BY):
        return None
    today = clock.today()
    days = [day for day in (today, today + dt.timedelta(days=1)) if _is_overdue(day)]
    waiting = _planned(user, ANSWERED_BY).filter(AWAITING, day__in=days)
    found = waiting.aggregate(count=Count("pk"), first_day=Min("day"))
    return Overdue(**found) if found["count"] else None


def _is_overdue(day: dt.date) -> bool:
    return ruling_is_overdue(day, clock.now(), settings.RULINGS_DUE_AT)


def coming(operations: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Narrow operations to today and the days ahead that are counted."""
    today = clock.today()
    return operations.filter(day__gte=today, day__lt=today + dt.timedelta(days=DAYS_AHEAD))


def operating_days(operations: QuerySet[Appointment]) -> list[OperatingDay]:
    """Return today and the coming days on which somebody is operated (two queries).

    Also those to which an operation was postponed, though nothing was planned for them.
    """
    rows = (
        coming(operations)
        .order_by("day")
        .values("day")
        .annotate(total=Count("pk"), awaiting=Count("pk", filter=AWAITING))
    )
    days = [
        OperatingDay(**row, is_overdue=bool(row["awaiting"]) and _is_overdue(row["day"]))
        for row in rows
    ]
    postponed = operations.filter(postponed_to__gte=clock.today())
    given = {day for (day,) in postponed.values_list("postponed_to") if day}
    others = given - {one.day for one in days}
    return sorted([*days, *(OperatingDay(day, 0, 0) for day in others)], key=attrgetter("day"))


def first_day(days: list[OperatingDay]) -> dt.date:
    """Return the day to open on: the first with something to rule on, else the first at all."""
    waiting = [day for day in days if day.awaiting]
    return next(iter([*waiting, *days]), OperatingDay(clock.today(), 0, 0)).day


def with_opinions(
    appointments: Iterable[Appointment], user: User, *, refusal: str = ""
) -> list[Operation]:
    """Return operations with opinions, decisions and whether the user may rule (five queries)."""
    listed, now = list(appointments), clock.now()
    answers = keep_answers(listed, keeper_of(user), now)
    decisions, told = standing_decisions(listed), told_of(listed)
    speaks, rules = scope_of(user, C.GIVE_OPINION), scope_of(user, C.RULE_ON_OPERATIONS)
    opinions, of_own = _newest_opinions(listed)
    return [
        Operation(
            appointment=appointment,
            answer=_answer(answers[appointment.pk], rules_here=_covers(rules, appointment)),
            told=told[appointment.pk],
            may_speak=_covers(speaks, appointment),
            decision=decisions.get(appointment.pk),
            opinions={role: opinions.get((appointment.pk, role)) for role in OpinionRole},
            own_surgeon=of_own.get(appointment.pk),
            refusal=refusal,
            is_overdue=_is_overdue(appointment.day),
            has_begun=appointment.starts_at <= now,
            may_undo=_covers(rules, appointment)
            and may_be_undone(
                appointment, decisions.get(appointment.pk), answers[appointment.pk], user, now
            ),
        )
        for appointment in listed
    ]


def postponed_here(user: User, day: dt.date) -> list[Appointment]:
    """Return the operations of other days that were postponed to this one (one query)."""
    postponed = operations_for(user).filter(postponed_to=day)
    return list(postponed.order_by("unit__site__name", "unit__name", "starts_at", "id"))


def postponed_from(day: dt.date) -> dt.date:
    """Return the first day to which an operation of a day can be postponed."""
    return max(day + dt.timedelta(days=1), clock.today())


def _newest_opinions(
    operations: list[Appointment],
) -> tuple[dict[tuple[int, str], Opinion], dict[int, Opinion]]:
    """Return the last opinion by operation and role (one query).

    And by operation that of the patient's own surgeon, where another surgeon spoke later: it is
    not to be hidden by a colleague's.
    """
    surgeons = {one.pk: one.practitioner.user_id for one in operations if one.practitioner}
    opinions = Opinion.objects.filter(appointment__in=list({one.pk for one in operations}))
    listed = list(opinions.select_related("given_by").order_by("given_at", "id"))
    newest = {(opinion.appointment_id, opinion.role): opinion for opinion in listed}
    of_own = {
        opinion.appointment_id: opinion
        for opinion in listed
        if opinion.role == OpinionRole.SURGEON
        and opinion.given_by_id == surgeons.get(opinion.appointment_id)
    }
    later = {pk: one for pk, one in of_own.items() if newest[pk, OpinionRole.SURGEON] != one}
    return newest, later


def _answer(answer: KeepAnswer, *, rules_here: bool) -> KeepAnswer:
    """Return the answer of the bulletin, refused where the reader directs elsewhere only."""
    if answer.allowed and not rules_here:
        return KeepAnswer(False, ONLY_THE_DIRECTOR, answer.until)
    return answer


def _covers(scope: AccessScope, appointment: Appointment) -> bool:
    return scope.covers(site_id=appointment.unit.site_id, unit_id=appointment.unit_id)


def awaiting_ruling(operations: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Narrow ``operations_for`` to what waits for a word of the director, from today on.

    What nobody ruled on, and what was postponed to a day that does not suit the patient.
    """
    arms = coming(operations).filter(AWAITING), _refused(operations)
    return operations.filter(pk__in=numbers_of(*arms))


def days_refused(operations: QuerySet[Appointment]) -> int:
    """Return how many operations have a new day on which the patient cannot come."""
    return _refused(operations).count()


def _refused(operations: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return operations.filter(DAY_REFUSED, postponed_to__gte=clock.today())


def opinion_roles(user: User) -> list[OpinionRole]:
    """Return the opinion roles of the user, from their own roles (one query)."""
    roles = user.role_assignments.values_list("role", flat=True).distinct()
    spoken = {as_role for role in roles for as_role in SPEAKS_AS.get(Role(role), ())}
    return [role for role in OpinionRole if role in spoken]


class DayOff(TextChoices):
    """Why a day is no working day."""

    NEW_YEAR = "new_year", _("Nouvel An")
    EASTER_MONDAY = "easter_monday", _("lundi de Pâques")
    LABOUR_DAY = "labour_day", _("fête du Travail")
    ASCENSION = "ascension", _("Ascension")
    WHIT_MONDAY = "whit_monday", _("lundi de Pentecôte")
    NATIONAL_DAY = "national_day", _("fête nationale")
    ASSUMPTION = "assumption", _("Assomption")
    ALL_SAINTS = "all_saints", _("Toussaint")
    ARMISTICE = "armistice", _("Armistice")
    CHRISTMAS = "christmas", _("Noël")
    SATURDAY = "saturday", _("samedi")
    SUNDAY = "sunday", _("dimanche")


_FIXED = {
    (1, 1): DayOff.NEW_YEAR,
    (5, 1): DayOff.LABOUR_DAY,
    (7, 21): DayOff.NATIONAL_DAY,
    (8, 15): DayOff.ASSUMPTION,
    (11, 1): DayOff.ALL_SAINTS,
    (11, 11): DayOff.ARMISTICE,
    (12, 25): DayOff.CHRISTMAS,
}
# Days after Easter Sunday. Easter and Whit Sunday are Sundays anyway.
_AFTER_EASTER = {1: DayOff.EASTER_MONDAY, 39: DayOff.ASCENSION, 50: DayOff.WHIT_MONDAY}
_WEEKEND = {5: DayOff.SATURDAY, 6: DayOff.SUNDAY}


def easter(year: int) -> dt.date:
    """Return Easter Sunday of a year of the Gregorian calendar.

    Source: the anonymous algorithm of "Nature", 20 April 1876, as in J. Meeus, "Astronomical
    Algorithms", chapter 8.
    """
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon + 15) % 30
    quads, years = divmod(of_century, 4)
    weekday = (32 + 2 * rest + 2 * quads - epact - years) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return dt.date(year, month, day + 1)


def day_off(day: dt.date) -> DayOff | None:
    """Return why a day is no working day in Belgium, None of a working day.

    A holiday at a weekend is named as the holiday; the day that an employer gives instead is
    each hospital's own and not known here.
    """
    holiday = _FIXED.get((day.month, day.day)) or _AFTER_EASTER.get((day - easter(day.year)).days)
    return holiday or _WEEKEND.get(day.weekday())


@dataclass(frozen=True)
class NewDay:
    """What a theatre has on a day to which an operation may be postponed.

    ``planned`` are those of the day itself that are not cancelled, ``postponed`` those that were
    given the day instead of theirs; ``why_off`` says why it is no working day.
    """

    day: dt.date
    planned: int
    postponed: int
    why_off: str = ""


@dataclass(frozen=True)
class Theatre:
    """How many operations a theatre has on a day, and how many of them wait for a ruling."""

    unit_id: int
    name: str
    site: str
    total: int
    awaiting: int

    @property
    def ruled(self) -> int:
        """How many are decided."""
        return self.total - self.awaiting


def theatres_of(operations: QuerySet[Appointment], day: dt.date) -> list[Theatre]:
    """Return the theatres in which somebody is operated on a day (one query)."""
    rows = (
        operations.filter(day=day)
        .order_by("unit__site__name", "unit__name", "unit_id")
        .values_list("unit_id", "unit__name", "unit__site__name")
        .annotate(total=Count("pk"), awaiting=Count("pk", filter=AWAITING))
    )
    return [Theatre(*row) for row in rows]


def new_day_of(operation: Appointment, day: dt.date) -> NewDay:
    """Return what the theatre of an operation has on another day, without it (one query)."""
    others = Appointment.objects.filter(unit=operation.unit_id, service=Service.SURGERY)
    others = others.exclude(status__in=CALLED_OFF)
    found = others.exclude(pk=operation.pk).aggregate(
        planned=Count("pk", filter=Q(day=day) & ~Q(outcome=Outcome.CANCELLED)),
        postponed=Count("pk", filter=Q(postponed_to=day)),
    )
    off = day_off(day)
    return NewDay(day, **found, why_off=str(off.label) if off else "")


def mark_of(operations: QuerySet[Appointment], day: dt.date, user: User) -> str:
    """Return what changes when somebody else speaks, rules or loads (three queries).

    Actions of the reader do not count.
    """
    todays = operations.filter(day=day).order_by().values("pk")
    opinions = Opinion.objects.filter(appointment__in=todays).exclude(given_by=user)
    decisions = Decision.objects.filter(
        Q(decided_by__isnull=True) | ~Q(decided_by=user), appointment__in=todays
    )
    return f"{todays.count()}-{opinions.count()}-{decisions.count()}"
