"""A doctor's own appointments that a bulletin touches, with what is needed to judge.

Of a patient's other visits the doctor sees the moment, the site and the outcome, but not the act:
that is between the patient and the colleague.

Also the doctors who may still keep patients and have not looked since these were cancelled.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast

from appointments.decisions.in_force import (
    Told,
    doctor_of,
    is_sent_back,
    keep_answers,
    keeper_of,
    may_be_undone,
    standing_decisions,
    told_of,
    verdict_for,
)
from appointments.decisions.rulings import clauses_of, ruling_bulletins
from appointments.models import Appointment, Basis, Decision, Outcome, Service, Status, Tell
from appointments.operations.queries import DAYS_AHEAD, OPENED_BY
from appointments.rules import ClauseTerms, KeepAnswer, Keeper, Verdict, may_keep
from notifications.models import NoticeItem, NoticeState, Word
from staff import clock
from staff.access import Capability, scope_of
from staff.models import AuditEvent, Delegation, Practitioner, User

DAYS_AROUND = 7
MOST_SHOWN = 3
BY_DEADLINE = ("due", "starts_at", "id")
MOST_LAPSED = 60
_DECIDED, _NO_DEADLINE = 2**62, 2**61  # due after every deadline in seconds
LOOKED = "doctor_day.viewed"
AHEAD = dt.timedelta(days=DAYS_AHEAD)


@dataclass(frozen=True)
class OtherVisits:
    """A patient's other visits: the nearest few, in order of time, and how many more."""

    shown: tuple[Appointment, ...] = ()
    more: int = 0


NO_OTHERS = OtherVisits()


def other_visits(appointments: Collection[Appointment]) -> dict[int, OtherVisits]:
    """Return, by appointment, the patient's other booked visits around its day (one query)."""
    if not appointments:
        return {}
    around = dt.timedelta(days=DAYS_AROUND)
    days = [one.day for one in appointments]
    booked = Appointment.objects.filter(
        patient__in={one.patient_id for one in appointments},
        day__range=(max(min(days) - around, clock.today()), max(days) + around),
        status=Status.BOOKED,
    )
    by_patient: dict[int, list[Appointment]] = defaultdict(list)
    for visit in booked.select_related("unit__site").order_by("starts_at", "id"):
        by_patient[visit.patient_id].append(visit)
    return {one.pk: _around(one, by_patient[one.patient_id]) for one in appointments}


def _around(appointment: Appointment, visits: list[Appointment]) -> OtherVisits:
    near = [
        one
        for one in visits
        if one.pk != appointment.pk and abs((one.day - appointment.day).days) <= DAYS_AROUND
    ]
    nearest = sorted(near, key=lambda one: abs(one.starts_at - appointment.starts_at))[:MOST_SHOWN]
    shown = tuple(sorted(nearest, key=lambda one: (one.starts_at, one.pk)))
    return OtherVisits(shown, len(near) - len(shown))


@dataclass(frozen=True)
class Card:
    """One appointment as its doctor sees it.

    ``told`` is what the patient knows of it. ``refusal`` says why what was just asked
    cannot be done. ``opens_operation``: it is an operation, which the reader may open as such.
    ``reader_id`` is who looks; ``may_undo``: they may take a person's decision back, also where
    no bulletin leaves it to anybody any more; ``others`` where else the patient is expected
    around that day.
    """

    appointment: Appointment
    answer: KeepAnswer
    decision: Decision | None
    told: Told
    refusal: str = ""
    opens_operation: bool = False
    reader_id: int | None = None
    may_undo: bool = False
    others: OtherVisits = NO_OTHERS

    @property
    def is_by_person(self) -> bool:
        """Whether somebody decided it in person."""
        return self.appointment.outcome_basis == Basis.PERSON

    @property
    def is_kept(self) -> bool:
        """Whether somebody kept it."""
        return self.is_by_person and self.appointment.outcome == Outcome.MAINTAINED

    @property
    def may_be_chosen(self) -> bool:
        """Whether it can be decided together with others."""
        return _waits(self.appointment, self.answer)

    @property
    def until(self) -> dt.datetime | None:
        """Until when it can be decided, while it still waits for that."""
        return self.answer.until if self.may_be_chosen else None

    @property
    def heading(self) -> tuple[dt.date, bool, dt.datetime | None]:
        """Its heading: the day, whether it waits for a decision, and until when."""
        return self.appointment.day, self.may_be_chosen, self.until

    @property
    def is_sent_back(self) -> bool:
        """Whether a person's decision was sent back, to be made anew."""
        return is_sent_back(self.appointment)

    @property
    def is_to_be_contacted(self) -> bool:
        """Whether the doctor who kept the patient still has to reach them."""
        return self.is_kept and self.told.is_open

    @property
    def may_take_contact_back(self) -> bool:
        """Whether the reader noted that the kept patient was reached, and still may say no."""
        word = self.told.word
        noted_by = word.notice.settled_by_id if word and self.told.is_told else None
        is_theirs = noted_by is not None and noted_by == self.reader_id
        return self.is_kept and is_theirs and self.appointment.starts_at > clock.now()


@dataclass(frozen=True)
class DoctorDay:
    """One day of the strip: how many patients a bulletin touches on it."""

    day: dt.date
    patients: int


@dataclass(frozen=True)
class KeepCounts:
    """What stands at the top of the page: how many are touched, kept, still to be contacted."""

    touched: int
    kept: int
    to_contact: int


@dataclass(frozen=True)
class Review:
    """What still waits for the doctor's choice, and what silence means.

    ``deadlines``: of those that wait, the moment after which each can be kept no more; None
    without one. ``until``: the first of them. ``are_told``: every
    patient whom silence leaves cancelled is told so, from ``told_from`` on; nothing of it where
    some clause tells nobody, or nothing is cancelled.
    """

    deadlines: Mapping[int, dt.datetime | None]
    cancels: bool = False
    are_told: bool = False
    told_from: dt.datetime | None = None

    @property
    def until(self) -> dt.datetime | None:
        """The first moment after which one of them can be kept no more."""
        return min((moment for moment in self.deadlines.values() if moment), default=None)

    @property
    def number(self) -> int:
        """How many."""
        return len(self.deadlines)

    @property
    def are_told_already(self) -> bool:
        """Whether the telling has begun."""
        return self.told_from is not None and self.told_from <= clock.now()


def practitioners_of(user: User) -> list[Practitioner]:
    """Return the practitioners in whose name the user may keep, their own first."""
    mine = Practitioner.objects.filter(pk__in=keeper_of(user).practitioner_ids)
    return sorted(mine, key=lambda p: (p.user_id != user.pk, p.family_name, p.given_name))


def answered_for(user: User) -> QuerySet[Appointment]:
    """Return the appointments of all practitioners in whose name the user may keep."""
    return (
        Appointment.objects.filter(practitioner__in=keeper_of(user).practitioner_ids)
        .select_related("patient", "unit__site", "practitioner")
        .prefetch_related("patient__phones")
    )


def touched(user: User, practitioner: Practitioner) -> QuerySet[Appointment]:
    """Return a practitioner's appointments of today and later about which something is decided.

    Without those whose bulletin lapsed: they are as planned again, and nobody decides them.
    """
    return _decided_about(user, practitioner).exclude(outcome_basis=Basis.LAPSE)


def lapsed(user: User, practitioner: Practitioner) -> list[Appointment]:
    """Return the next of a practitioner's appointments whose bulletin rules no more (two queries).

    At most ``MOST_LAPSED``.
    """
    rows = _decided_about(user, practitioner).filter(outcome_basis=Basis.LAPSE)
    return list(rows.prefetch_related(None).order_by("starts_at", "id")[:MOST_LAPSED])


def _decided_about(user: User, practitioner: Practitioner) -> QuerySet[Appointment]:
    return answered_for(user).filter(
        practitioner=practitioner,
        day__gte=clock.today(),
        decision_version__gte=1,
        status=Status.BOOKED,
    )


def by_deadline(appointments: QuerySet[Appointment], review: Review) -> QuerySet[Appointment]:
    """Give each of ``touched`` when it is ``due``: what waits for a choice first, by its deadline.

    Args:
        appointments: of ``touched``.
        review: what of them waits.
    """
    by_moment: dict[int, list[int]] = defaultdict(list)
    for pk, until in review.deadlines.items():
        by_moment[int(until.timestamp()) if until else _NO_DEADLINE].append(pk)
    due = [When(pk__in=pks, then=Value(moment)) for moment, pks in by_moment.items()]
    return appointments.annotate(
        due=Case(*due, default=Value(_DECIDED), output_field=BigIntegerField())
    )


def knows_any(user: User, practitioner: Practitioner) -> bool:
    """Whether any coming appointment of a practitioner is known, ruled or not (one query)."""
    own = answered_for(user).filter(practitioner=practitioner, day__gte=clock.today())
    return own.filter(status=Status.BOOKED).exists()


def days_of(appointments: QuerySet[Appointment]) -> list[DoctorDay]:
    """Return the days of what ``touched`` lists, the next one first (one query)."""
    days = appointments.order_by("day").values_list("day")
    counted = days.annotate(patients=Count("patient", distinct=True))
    return [DoctorDay(day, patients) for day, patients in counted]


def counts_of(appointments: QuerySet[Appointment]) -> KeepCounts:
    """Count what ``touched`` lists, as its cards do (two queries)."""
    kept = Q(outcome=Outcome.MAINTAINED, outcome_basis=Basis.PERSON)
    counts = appointments.aggregate(touched=Count("pk"), kept=Count("pk", filter=kept))
    waiting = NoticeItem.objects.filter(
        subject_id__in=appointments.filter(kept).order_by().values("pk"),
        word=Word.MAINTAINED,
        notice__state=NoticeState.OPEN,
    )
    return KeepCounts(to_contact=waiting.count(), **counts)


def review_of(appointments: QuerySet[Appointment], user: User) -> Review:
    """Return what of ``touched`` still waits for a choice (five queries, whatever their number).

    Args:
        appointments: of ``touched``.
        user: who would choose.
    """
    listed = list(
        appointments.select_related(None).prefetch_related(None).select_related("unit__site")
    )
    answers = keep_answers(listed, doctor_of(user), clock.now())
    waiting = [one for one in listed if _waits(one, answers[one.pk])]
    ruling = ruling_bulletins(one.day for one in waiting)
    clauses = {day: clauses_of(one) for day, one in ruling.items()}
    cancelled = [one for one in waiting if one.outcome == Outcome.CANCELLED]
    verdicts = [verdict_for(one, clauses) for one in cancelled]
    are_told = all(one and one.clause.tell in (Tell.CANCELLED, Tell.BOTH) for one in verdicts)
    release = [ruling[one.day].leaves_at for one in cancelled if one.day in ruling]
    return Review(
        deadlines={one.pk: answers[one.pk].until for one in waiting},
        cancels=bool(cancelled),
        are_told=bool(cancelled) and are_told,
        told_from=min(release, default=None),
    )


def _waits(appointment: Appointment, answer: KeepAnswer) -> bool:
    """Whether somebody may still decide it."""
    by_person = appointment.outcome_basis == Basis.PERSON
    return answer.allowed and (not by_person or is_sent_back(appointment))


def cards_of(
    appointments: Iterable[Appointment], user: User, *, refusals: Mapping[int, str] | None = None
) -> list[Card]:
    """Return the cards of appointments whose patient, unit and site are loaded (five queries).

    Args:
        appointments: in the order of the cards.
        user: who looks.
        refusals: what to say of some of them, by id.
    """
    listed = list(appointments)
    now = clock.now()
    answers = keep_answers(listed, doctor_of(user), now)
    decisions = standing_decisions(listed)
    told = told_of(listed)
    others = other_visits(listed)
    return [
        Card(
            appointment=appointment,
            answer=answers[appointment.pk],
            decision=decisions.get(appointment.pk),
            told=told[appointment.pk],
            refusal=(refusals or {}).get(appointment.pk, ""),
            opens_operation=_opens_operation(user, appointment),
            reader_id=user.pk,
            may_undo=may_be_undone(
                appointment, decisions.get(appointment.pk), answers[appointment.pk], user, now
            ),
            others=others.get(appointment.pk, NO_OTHERS),
        )
        for appointment in listed
    ]


def _opens_operation(user: User, appointment: Appointment) -> bool:
    unit = appointment.unit
    return appointment.service == Service.SURGERY and any(
        scope_of(user, capability).covers(site_id=unit.site_id, unit_id=unit.pk)
        for capability in OPENED_BY
    )


@dataclass(frozen=True)
class WaitingDoctor:
    """A doctor who has not looked.

    Attributes:
        practitioner: who.
        patients: how many of their cancelled appointments they may still keep.
        decided_at: when the last of these was cancelled.
        keep_until: the first deadline that ends for one of them.
        has_access: whether they, or a delegate, have a sign-in; else somebody must call them.
    """

    practitioner: Practitioner
    patients: int
    decided_at: dt.datetime
    keep_until: dt.datetime
    has_access: bool


def waiting_doctors(user: User) -> list[WaitingDoctor]:
    """Return who has not looked, the first deadline first (two queries).

    Args:
        user: counts the appointments of the sites that they watch.
    """
    waiting = _may_be_kept(user)
    found = []
    for practitioner in _with_last_look(list(waiting)):
        kept, looked_at = waiting[practitioner.pk], practitioner.looked_at
        if looked_at is None or looked_at < kept.last:
            has_access = practitioner.user_id is not None or practitioner.is_lent
            found.append(
                WaitingDoctor(practitioner, kept.patients, kept.last, kept.until, has_access)
            )
    return sorted(found, key=lambda one: (one.keep_until, -one.patients, str(one.practitioner)))


def _may_be_kept(user: User) -> dict[int, "_Kept"]:
    """Return what each practitioner may still keep, by ``rules.may_keep`` (one query).

    The rule is asked once for each practitioner, clause and service; of appointments that have
    not begun, the first one's answer is that of all.
    """
    now, today = clock.now(), clock.today()
    lines = (
        Decision.objects.filter(
            scope_of(user, Capability.SEE_BOARD).units("appointment__unit"),
            version=F("appointment__decision_version"),
            outcome=Outcome.CANCELLED,
            basis=Basis.CLAUSE,
            appointment__practitioner__isnull=False,
            appointment__status=Status.BOOKED,
            appointment__starts_at__gte=now,
            appointment__starts_at__lt=clock.midnight(today + AHEAD),
            appointment__day__gte=today,
            appointment__day__lt=today + AHEAD,
        )
        .order_by()
        .values(
            *("appointment__practitioner", "appointment__service"),
            *("clause__ruling", "clause__kept_by", "clause__keep_until"),
        )
        .annotate(patients=Count("pk"), last=Max("decided_at"), first=Min("appointment__starts_at"))
    )
    kept: dict[int, _Kept] = {}
    for line in lines:
        practitioner_id = line["appointment__practitioner"]
        answer = may_keep(
            verdict=Verdict(
                Outcome.CANCELLED,
                ClauseTerms(
                    ruling=line["clause__ruling"],
                    kept_by=line["clause__kept_by"],
                    keep_until=line["clause__keep_until"],
                ),
            ),
            service=line["appointment__service"],
            practitioner_id=practitioner_id,
            starts_at=line["first"],
            keeper=Keeper(frozenset({practitioner_id})),
            now=now,
        )
        if answer.allowed and answer.until:
            before = kept.get(practitioner_id, _Kept(0, line["last"], answer.until))
            kept[practitioner_id] = _Kept(
                before.patients + line["patients"],
                max(before.last, line["last"]),
                min(before.until, answer.until),
            )
    return kept


@dataclass(frozen=True)
class _Kept:
    """How many patients may be kept, when the last was cancelled, and the first deadline."""

    patients: int
    last: dt.datetime
    until: dt.datetime


def _with_last_look(practitioner_ids: list[int]) -> QuerySet[Any]:
    """Return practitioners with ``looked_at`` and whether somebody keeps in their name."""
    looks = (
        AuditEvent.objects.filter(
            object_type="practitioner",
            object_id=Cast(OuterRef("pk"), CharField()),
            action=LOOKED,
        )
        .order_by()
        .values("object_id")
        .annotate(last=Max("at"))
        .values("last")
    )
    lent = Delegation.objects.filter(practitioner=OuterRef("pk"), revoked_at__isnull=True)
    return Practitioner.objects.filter(pk__in=practitioner_ids).annotate(
        looked_at=Subquery(looks), is_lent=Exists(lent)
    )
