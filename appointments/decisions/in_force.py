"""The clauses of bulletins in force, what they let a person decide, and what stands."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from appointments.models import (
    Appointment,
    Basis,
    Bulletin,
    BulletinState,
    Clause,
    Decision,
    KeptBy,
    Outcome,
    ProtectedGroup,
    Ruling,
    Service,
    Tell,
)
from appointments.rules import (
    ClauseTerms,
    Facts,
    KeepAnswer,
    Keeper,
    Verdict,
    decide,
    may_keep,
    may_undo,
)
from notifications.models import NoticeItem, NoticeState, Word
from notifications.telling.progress import standing_or_heard
from notifications.vocabulary import Channel
from staff import clock
from staff.access import Capability, may, scope_of
from staff.errors import Refusal
from staff.models import Site, Unit, User

Clauses = tuple[ClauseTerms, ...]
DETAILS = ("patient", "unit__site", "practitioner", "feed")


def terms_of(clause: Clause) -> ClauseTerms:
    """Return a stored clause in the form of the rules."""
    return ClauseTerms(
        ruling=clause.ruling,
        tell=clause.tell,
        channel=clause.channel,
        kept_by=clause.kept_by,
        keep_until=clause.keep_until,
        services=tuple(clause.services),
        sites=tuple(clause.sites),
        units=tuple(clause.units),
        days=tuple(map(dt.date.fromisoformat, clause.days)),
        groups=tuple(clause.groups),
        position=clause.position,
        id=clause.pk,
        bulletin_id=clause.bulletin_id,
    )


def clauses_of(bulletin: Bulletin) -> Clauses:
    """Return what a bulletin orders, in its order; no query where its clauses are loaded."""
    return tuple(map(terms_of, bulletin.clauses.all()))


def check_clauses(clauses: Sequence[ClauseTerms], *, first_day: dt.date, last_day: dt.date) -> None:
    """Refuse clauses that name something unknown or that no bulletin may order.

    Raises:
        Refusal: one sentence per fault, each naming its clause.
    """
    if not clauses:
        raise Refusal(_("Le bulletin n'a aucun point : ajoutez-en au moins un."), field="clauses")
    known: dict[str, set[str]] = {
        "services": set(Service),
        "sites": set(Site.objects.values_list("code", flat=True)),
        "units": set(Unit.objects.values_list("code", flat=True)),
        "groups": set(ProtectedGroup.values),
    }
    faults = [
        _("Point %(number)s : %(fault)s") % {"number": number, "fault": fault}
        for number, clause in enumerate(clauses, start=1)
        for fault in _faults_of_clause(clause, known, first_day, last_day)
    ]
    if faults:
        raise Refusal(" ".join(faults), field="clauses")


def _faults_of_clause(
    clause: ClauseTerms, known: dict[str, set[str]], first_day: dt.date, last_day: dt.date
) -> Iterator[str]:
    words = {"ruling": Ruling, "tell": Tell, "channel": Channel, "kept_by": KeptBy}
    for name, choices in words.items():
        if getattr(clause, name) not in set(choices):
            yield _("%(name)s vaut « %(value)s » ; choisissez parmi %(choices)s.") % {
                "name": name,
                "value": getattr(clause, name),
                "choices": ", ".join(choices),
            }
    for name, codes in known.items():
        for code in getattr(clause, name):
            if code not in codes:
                yield _("%(name)s : « %(value)s » est inconnu.") % {"name": name, "value": code}
    for day in clause.days:
        if not first_day <= day <= last_day:
            yield _("le jour %(day)s est hors de la période du bulletin.") % {
                "day": f"{day:%d/%m/%Y}"
            }
    yield from _disorders(clause)


def _disorders(clause: ClauseTerms) -> Iterator[str]:
    """Yield what no bulletin may order."""
    if Service.EMERGENCY in clause.services and clause.ruling != Ruling.MAINTAIN:
        yield _("aucun bulletin ne peut annuler les urgences ; maintenez-les.")
    if clause.ruling == Ruling.CASE_BY_CASE and clause.kept_by == KeptBy.NOBODY:
        yield _(
            "« au cas par cas » demande quelqu'un qui tranche ; choisissez qui peut garder : le "
            "médecin concerné ou, pour les opérations, le Directeur médical."
        )
    is_open = clause.ruling != Ruling.MAINTAIN
    if Service.SURGERY in clause.services and is_open and clause.kept_by == KeptBy.DOCTOR:
        yield _(
            "seul le Directeur médical décide des opérations ; choisissez-le sous "
            "« Peut garder », au besoin dans un point à part."
        )


def store_clauses(bulletin: Bulletin, clauses: Sequence[ClauseTerms]) -> None:
    """Replace the clauses of a draft, in one statement each way."""
    bulletin.clauses.all().delete()
    Clause.objects.bulk_create(
        Clause(
            bulletin=bulletin,
            position=position,
            services=list(draft.services),
            sites=list(draft.sites),
            units=list(draft.units),
            days=[day.isoformat() for day in draft.days],
            groups=list(draft.groups),
            ruling=draft.ruling,
            tell=draft.tell,
            channel=draft.channel,
            kept_by=draft.kept_by,
            keep_until=draft.keep_until,
        )
        for position, draft in enumerate(clauses, start=1)
    )


def ruling_bulletins(
    days: Iterable[dt.date], *, without: int = 0, restored: int = 0
) -> dict[dt.date, Bulletin]:
    """Return for each ruled day its bulletin: the one approved last among those in force.

    Args:
        days: which.
        without: the number of a bulletin that is taken for withdrawn.
        restored: the number of one that is taken for put back in force.
    """
    wanted = sorted(set(days))
    if not wanted:
        return {}
    bulletins = list(
        Bulletin.objects.filter(
            Q(state=BulletinState.IN_FORCE) | Q(pk=restored),
            first_day__lte=wanted[-1],
            last_day__gte=wanted[0],
        )
        .exclude(pk=without)
        .order_by("approved_at", "id")
        .prefetch_related("clauses")
    )
    return {
        day: bulletin
        for bulletin in bulletins
        for day in wanted
        if bulletin.first_day <= day <= bulletin.last_day
    }


def ruled_from(*, since: dt.date = dt.date.min) -> set[dt.date]:
    """Return the days from one on that some bulletin in force rules (one query)."""
    windows = Bulletin.objects.filter(
        state=BulletinState.IN_FORCE, last_day__gte=since
    ).values_list("first_day", "last_day")
    return {
        day
        for first_day, last_day in windows
        for day in clock.days_between(max(first_day, since), last_day)
    }


def clauses_for(days: Iterable[dt.date]) -> dict[dt.date, Clauses]:
    """Return the clauses that rule each of the days; days without a bulletin are absent."""
    ruling = ruling_bulletins(days)
    clauses = {bulletin.pk: clauses_of(bulletin) for bulletin in ruling.values()}
    return {day: clauses[bulletin.pk] for day, bulletin in ruling.items()}


def facts_of(appointment: Appointment) -> Facts:
    """Return what the rules look at; the unit and its site must be loaded."""
    return Facts(
        service=appointment.service,
        site=appointment.unit.site.code,
        unit=appointment.unit.code,
        day=appointment.day,
        groups=appointment.groups,
    )


def verdict_for(appointment: Appointment, clauses: Mapping[dt.date, Clauses]) -> Verdict | None:
    """Return what the bulletin in force orders for an appointment, whatever people decided."""
    return decide(facts_of(appointment), clauses.get(appointment.day, ()))


def keeper_of(user: User) -> Keeper:
    """Return which patients a user may decide about (two queries, then cached on the user)."""
    keeper: Keeper | None = getattr(user, "_keeper", None)
    if keeper is None:
        has_own = may(user, Capability.KEEP) and hasattr(user, "practitioner")
        own = [user.practitioner.pk] if has_own else []
        lent = user.delegations.filter(revoked_at__isnull=True)
        as_delegate = may(user, Capability.KEEP_AS_DELEGATE)
        others = lent.values_list("practitioner_id", flat=True) if as_delegate else ()
        keeper = Keeper(
            practitioner_ids=frozenset([*own, *others]),
            is_medical_director=may(user, Capability.RULE_ON_OPERATIONS),
        )
        user._keeper = keeper  # type: ignore[attr-defined]
    return keeper


def doctor_of(user: User) -> Keeper:
    """Return ``keeper_of`` without the office of Medical Director.

    The director of one site may have patients at another. A ruling is given on the operations'
    page only, which checks the place.
    """
    return replace(keeper_of(user), is_medical_director=False)


def keep_answers(
    appointments: Iterable[Appointment], keeper: Keeper, now: dt.datetime
) -> dict[int, KeepAnswer]:
    """Return for each appointment whether somebody may keep it, and until when.

    Args:
        appointments: with unit and site loaded.
        keeper: who would.
        now: the current moment.
    """
    listed = list(appointments)
    clauses = clauses_for(one.day for one in listed)
    return {one.pk: keep_answer(one, verdict_for(one, clauses), keeper, now) for one in listed}


def keep_answer(
    appointment: Appointment, verdict: Verdict | None, keeper: Keeper, now: dt.datetime
) -> KeepAnswer:
    """Return whether somebody may keep an appointment; the verdict is that of ``verdict_for``."""
    return may_keep(
        verdict=verdict,
        service=appointment.service,
        practitioner_id=appointment.practitioner_id,
        starts_at=appointment.starts_at,
        keeper=keeper,
        now=now,
        is_sent_back=is_sent_back(appointment),
    )


def may_be_undone(
    appointment: Appointment,
    decision: Decision | None,
    answer: KeepAnswer,
    user: User,
    now: dt.datetime,
) -> bool:
    """Whether a user may take back what a person decided, also without a bulletin.

    Args:
        appointment: what it is about.
        decision: the standing one.
        answer: of ``keep_answers``, to the same user.
        user: who looks.
        now: the current moment.
    """
    if decision is None or decision.basis != Basis.PERSON or is_sent_back(appointment):
        return False
    return may_undo(
        may_decide=answer,
        is_theirs=decision.decided_by_id == user.pk,
        starts_at=appointment.starts_at,
        now=now,
    ).allowed


def is_sent_back(appointment: Appointment) -> bool:
    """Whether what a person decided about it was sent back to be decided anew."""
    standing = (appointment.outcome_basis, appointment.outcome)
    return standing == (Basis.PERSON, Outcome.UNDER_REVIEW)


def visible_to(user: User) -> QuerySet[Appointment]:
    """Return the appointments that a user may open.

    Those of the schedule they see, those of the practitioners they answer for, and the
    operations on which their opinion or ruling is asked.
    """
    seen = scope_of(user, Capability.SEE_SCHEDULE).units()
    if keeper := keeper_of(user).practitioner_ids:
        seen |= Q(practitioner__in=keeper)
    for capability in (Capability.GIVE_OPINION, Capability.RULE_ON_OPERATIONS):
        seen |= Q(service=Service.SURGERY) & scope_of(user, capability).units()
    return Appointment.objects.filter(seen).select_related(*DETAILS)


def standing_decisions(appointments: list[Appointment]) -> dict[int, Decision]:
    """Return the decision that holds for each appointment that has one (one query)."""
    decided = [a.pk for a in appointments if a.decision_version]
    decisions = (
        Decision.objects.filter(appointment__in=decided)
        .select_related("decided_by", "bulletin", "clause")
        .order_by("version")
    )
    return {decision.appointment_id: decision for decision in decisions}


@dataclass(frozen=True)
class Words:
    """What a patient is to be told about an appointment, and what has left for them.

    ``newest`` may still be waiting; ``heard`` was handed over last. Each comes with its notice.
    """

    newest: NoticeItem | None = None
    heard: NoticeItem | None = None


@dataclass(frozen=True)
class Told:
    """What a patient knows of what now holds."""

    words: Words
    outcome: str
    postponed_to: dt.date | None = None
    starts_at: dt.datetime | None = None

    @property
    def word(self) -> NoticeItem | None:
        """The newest word, when it says what now holds."""
        newest = self.words.newest
        return newest if newest and self._holds(newest) else None

    def _holds(self, item: NoticeItem) -> bool:
        is_hour = item.word != Word.MAINTAINED or self.starts_at in (None, item.starts_at)
        return is_hour and (item.word, item.postponed_to) == (self.outcome, self.postponed_to)

    @property
    def is_open(self) -> bool:
        """Whether the patient is still to be told what now holds."""
        return self.word is not None and self.word.notice.state == NoticeState.OPEN

    @property
    def is_told(self) -> bool:
        """Whether the patient knows what now holds."""
        return self.word is not None and self.word.notice.state == NoticeState.TOLD

    @property
    def is_on_its_way(self) -> bool:
        """Whether a message about what now holds has left, and nobody knows if it arrived."""
        return self.is_open and self.has_left

    @property
    def is_to_be_told(self) -> bool:
        """Whether nobody has begun to tell the patient what now holds."""
        return self.is_open and not self.has_left

    @property
    def is_unreachable(self) -> bool:
        """Whether all tries to tell the patient what now holds were in vain."""
        return self.word is not None and self.word.notice.state == NoticeState.UNREACHABLE

    @property
    def heard_otherwise(self) -> NoticeItem | None:
        """The last word that left, when it says something else than what now holds."""
        heard = self.words.heard
        return heard if heard and not self._holds(heard) else None

    @property
    def has_left(self) -> bool:
        """Whether a message about what now holds has left."""
        return self.word is not None and self.word.notice.handed_over_at is not None


def told_of(appointments: list[Appointment]) -> dict[int, Told]:
    """Return for each appointment what its patient knows (one query)."""
    words = words_of(appointments)
    return {
        one.pk: Told(words.get(one.pk, Words()), one.outcome, one.postponed_to, one.starts_at)
        for one in appointments
    }


def words_of(appointments: list[Appointment]) -> dict[int, Words]:
    """Return the words that notices say of each appointment, if any (one query).

    Only words to the present patient about the present day count. A withdrawn notice counts as
    heard if it arrived all the same (ADR 0014), never as the newest.
    """
    expected = {one.pk: (one.patient_id, one.day) for one in appointments}
    items = (
        NoticeItem.objects.filter(subject_id__in=[a.pk for a in appointments])
        .filter(standing_or_heard())
        .select_related("notice__reserved_for", "notice__settled_by")
        .order_by("notice__created_at", "notice__version")
    )
    words: dict[int, Words] = {}
    for item in items:
        if (item.notice.patient_id, item.notice.day) != expected[item.subject_id]:
            continue
        before = words.get(item.subject_id, Words())
        is_withdrawn = item.notice.state == NoticeState.WITHDRAWN
        newest = before.newest if is_withdrawn else item
        words[item.subject_id] = Words(newest, _later(before.heard, item))
    return words


def _later(heard: NoticeItem | None, item: NoticeItem) -> NoticeItem | None:
    """Return which of two words was handed over last, if any was."""
    at = item.notice.handed_over_at
    if at is None:
        return heard
    before = heard.notice.handed_over_at if heard else None
    return item if before is None or before <= at else heard
