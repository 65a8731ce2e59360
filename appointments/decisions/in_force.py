"""What bulletins in force let a person decide, what stands, and what patients know of it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from appointments.decisions.rulings import Clauses, clauses_for
from appointments.models import (
    Appointment,
    Basis,
    Decision,
    Outcome,
    Service,
)
from appointments.rules import (
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
from staff.access import Capability, may, scope_of
from staff.models import User

DETAILS = ("patient", "unit__site", "practitioner", "feed")


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
