"""The rules of a crisis, as pure functions: no database, no clock; of Django, choices alone.

- ``decide``: what a bulletin orders for an appointment, and by which clause.
- ``may_keep``: who may keep a consultation or rule on an operation, and until when;
  ``may_undo``: who may take that back.
- ``told_over``: who is told what, over which channel.
- ``ruling_is_overdue``: from when an operation without a ruling is said loudly.
- ``telling_rank``: who is told first among the patients of one day.

Days are local dates in Europe/Brussels, moments are aware datetimes. Reasons are French
sentences and serve as message keys for other languages.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from appointments.vocabulary import Basis, KeptBy, Outcome, Ruling, Service, Tell
from notifications.vocabulary import Channel

BRUSSELS = ZoneInfo("Europe/Brussels")
OUTCOME_OF: Mapping[str, Outcome] = {
    Ruling.CANCEL: Outcome.CANCELLED,
    Ruling.MAINTAIN: Outcome.MAINTAINED,
    Ruling.CASE_BY_CASE: Outcome.UNDER_REVIEW,
}
TOLD_OUTCOMES: Mapping[str, set[Outcome]] = {
    Tell.CANCELLED: {Outcome.CANCELLED},
    Tell.MAINTAINED: {Outcome.MAINTAINED},
    Tell.BOTH: {Outcome.CANCELLED, Outcome.MAINTAINED},
    Tell.NOBODY: set(),
}
# Ranked by what a patient does or omits because of the appointment.
TELLING_RANKS = {
    Service.SURGERY: 0,  # fasts, stops anticoagulants, and must know whether to come at all
    Service.EMERGENCY: 0,  # nobody is written to; if ever, then first
    Service.DIALYSIS: 1,  # cannot go without: another place has to be found the same day
    Service.DAY_HOSPITAL: 1,  # a treatment prepared for this patient, often fasting
    Service.NUCLEAR_MEDICINE: 2,  # a tracer ordered for the hour, medicines stopped, fasting
    Service.RADIOLOGY: 3,  # fasts or drinks contrast for some examinations
    Service.CONSULTATION: 4,
    Service.OTHER: 4,  # unknown: ranked as the most common act
    Service.BLOOD_SAMPLING: 5,  # fasts at most, and can come on any morning
    Service.COVID_CENTRE: 6,  # comes without preparation, and another centre does it too
}
NOTHING_TO_KEEP = "Aucun bulletin ne vise ce rendez-vous : il n'y a rien à garder."
ALREADY_MAINTAINED = "Le bulletin maintient ce rendez-vous."
NOBODY_MAY = "Le bulletin ne laisse personne garder ce rendez-vous."
ONLY_THE_DOCTOR = "Seul le médecin concerné, ou son délégué, peut garder ce rendez-vous."
ONLY_THE_DIRECTOR = "Seul le Directeur médical décide de cette opération."
TOO_LATE = "Le délai pour garder ce rendez-vous est passé. Appelez la cellule de crise."
LEFT_TO_NOBODY = (NOTHING_TO_KEEP, ALREADY_MAINTAINED, NOBODY_MAY)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at in an appointment."""

    service: str
    site: str
    unit: str
    day: dt.date
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ClauseTerms:
    """The selectors and the orders of a clause, stored or only drafted.

    An empty selector selects everything. Terms that select and order the same are equal, wherever
    they stand: ``position`` counts the clauses of a bulletin from 1, ``id`` and ``bulletin_id``
    are 0 for what is not stored.
    """

    ruling: str
    tell: str = Tell.NOBODY
    channel: str = Channel.SMS
    kept_by: str = KeptBy.NOBODY
    keep_until: dt.datetime | None = None
    services: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    days: tuple[dt.date, ...] = ()
    groups: tuple[str, ...] = ()
    position: int = field(default=0, compare=False)
    id: int = field(default=0, compare=False)
    bulletin_id: int = field(default=0, compare=False)

    def selects(self, facts: Facts) -> bool:
        """Whether the clause speaks of such an appointment; one shared group is enough."""
        return (
            (not self.services or facts.service in self.services)
            and (not self.sites or facts.site in self.sites)
            and (not self.units or facts.unit in self.units)
            and (not self.days or facts.day in self.days)
            and (not self.groups or not facts.groups.isdisjoint(self.groups))
        )


def numbered(clauses: Iterable[ClauseTerms]) -> tuple[ClauseTerms, ...]:
    """Return clauses with their positions, in the order in which they come."""
    return tuple(replace(clause, position=n) for n, clause in enumerate(clauses, start=1))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for an appointment, and by which clause."""

    outcome: Outcome
    clause: ClauseTerms


def specificity(clause: ClauseTerms) -> tuple[bool, ...]:
    """How narrowly a clause speaks; the greater tuple wins.

    A protected group is the narrowest word, because it names patients who may come to harm;
    then the unit, the site, the day, and last the service.
    """
    return (
        bool(clause.groups),
        bool(clause.units),
        bool(clause.sites),
        bool(clause.days),
        bool(clause.services),
    )


def decide(facts: Facts, clauses: Iterable[ClauseTerms]) -> Verdict | None:
    """Return what the clauses order: the most specific wins, then the first on the page.

    Without a clause there is no decision. Emergency is never cancelled, whatever a clause says.
    """
    selected = [clause for clause in clauses if clause.selects(facts)]
    if not selected:
        return None
    narrowest = max(map(specificity, selected))
    clause = min(
        (c for c in selected if specificity(c) == narrowest), key=lambda clause: clause.position
    )
    if facts.service == Service.EMERGENCY:
        return Verdict(Outcome.MAINTAINED, clause)
    return Verdict(OUTCOME_OF[clause.ruling], clause)


@dataclass(frozen=True, slots=True)
class Keeper:
    """The person who would decide: whose patients they answer for, and in which office."""

    practitioner_ids: frozenset[int] = field(default_factory=frozenset)
    is_medical_director: bool = False


@dataclass(frozen=True, slots=True)
class KeepAnswer:
    """Whether a person may decide otherwise than the clause; if not, why not."""

    allowed: bool
    why: str = ""
    until: dt.datetime | None = None


def may_keep(
    *,
    verdict: Verdict | None,
    service: str,
    practitioner_id: int | None,
    starts_at: dt.datetime,
    keeper: Keeper,
    now: dt.datetime,
    is_sent_back: bool = False,
) -> KeepAnswer:
    """Answer who may keep, and until when.

    Args:
        verdict: what the bulletin orders for the appointment, or None.
        service: what is planned; on an operation the Medical Director rules, whatever its
            clause says.
        practitioner_id: whose appointment it is.
        starts_at: the appointment's start; nothing is kept after it.
        keeper: who asks.
        now: the current moment.
        is_sent_back: a person's decision was sent back to be made anew: no bulletin is needed.
    """
    if verdict is None and not is_sent_back:
        return KeepAnswer(False, NOTHING_TO_KEEP)
    until = min((verdict and verdict.clause.keep_until) or starts_at, starts_at)
    if verdict and verdict.outcome == Outcome.MAINTAINED:
        return KeepAnswer(False, ALREADY_MAINTAINED, until)
    kept_by = verdict.clause.kept_by if verdict else KeptBy.DOCTOR
    if service == Service.SURGERY:
        kept_by = KeptBy.MEDICAL_DIRECTOR
    if kept_by == KeptBy.NOBODY:
        return KeepAnswer(False, NOBODY_MAY, until)
    if kept_by == KeptBy.DOCTOR and practitioner_id not in keeper.practitioner_ids:
        return KeepAnswer(False, ONLY_THE_DOCTOR, until)
    if kept_by == KeptBy.MEDICAL_DIRECTOR and not keeper.is_medical_director:
        return KeepAnswer(False, ONLY_THE_DIRECTOR, until)
    if now > until:
        return KeepAnswer(False, TOO_LATE, until)
    return KeepAnswer(True, "", until)


def may_undo(
    *, may_decide: KeepAnswer, is_theirs: bool, starts_at: dt.datetime, now: dt.datetime
) -> KeepAnswer:
    """Answer who may take a person's decision back, and until when.

    Whoever may decide now; where no bulletin leaves it to anybody, whoever decided. Else what a
    person cancelled would stay so for good once its bulletin is withdrawn.

    Args:
        may_decide: the answer of ``may_keep``.
        is_theirs: the one who asks decided it.
        starts_at: the appointment's start; nothing is taken back after it.
        now: the current moment.
    """
    if may_decide.allowed or not is_theirs or may_decide.why not in LEFT_TO_NOBODY:
        return may_decide
    if now > starts_at:
        return KeepAnswer(False, TOO_LATE, starts_at)
    return KeepAnswer(True, "", starts_at)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a patient heard from us about one appointment, held against what holds (ADR 0014).

    Attributes:
        word: the last one about the appointment's day; None for nothing.
        says_so: it says just what holds, also the hour and the day given instead.
        gave_a_day: it gave another day instead.
        in_doubt: it may not have arrived.
        in_vain: a later try to say just what holds reached nobody.
        of_another_day: the last word about the appointment was about another day.
    """

    word: Outcome | None = None
    says_so: bool = False
    gave_a_day: bool = False
    in_doubt: bool = False
    in_vain: bool = False
    of_another_day: bool = False


NOTHING_HEARD = Heard()


@dataclass(frozen=True, slots=True)
class Telling:
    """How a patient is told: over which channel, and if the doctor who kept them does it."""

    channel: Channel
    by_doctor: bool = False


BY_PHONE = Telling(Channel.PHONE)


def told_over(
    *,
    clause: ClauseTerms | None,
    service: str,
    outcome: Outcome,
    basis: Basis,
    is_postponed: bool = False,
    heard: Heard = NOTHING_HEARD,
    back_by_sms: bool = False,
) -> Telling | None:
    """Answer whether a patient is owed a word, and how it is said: the table of ADR 0014.

    Args:
        clause: the clause that rules the appointment now, if any.
        service: what is planned; emergency patients are never written to.
        outcome: what now holds; ``under_review`` is told to nobody before it is ruled.
        basis: on what it rests.
        is_postponed: whether a cancelled patient is given another day.
        heard: what the patient heard before.
        back_by_sms: whoever withdrew the bulletin chose SMS for "maintained after all", and what
            this patient heard before arrived for certain.

    Whoever heard something else is told the change, whatever the clause says; a cancelled
    patient who must come after all hears it by phone. A kept consultation is told by phone, by
    the doctor who kept it. What a person ruled on case by case is told by phone, either way, and
    so is what a person cancelled where no clause cancels any more: their word stands. Another
    day is told by phone, since the patient may not be able to come on it.
    """
    if outcome == Outcome.UNDER_REVIEW or heard.in_vain:
        return None
    if heard.says_so and not heard.in_doubt:
        return None
    if heard.in_doubt or is_postponed or heard.gave_a_day:
        return BY_PHONE
    if clause and clause.ruling == Ruling.CASE_BY_CASE and service != Service.EMERGENCY:
        return BY_PHONE
    if outcome == Outcome.MAINTAINED:
        if back_by_sms and heard.word == Outcome.CANCELLED and basis != Basis.PERSON:
            return Telling(Channel.SMS)
        return _maintained_over(clause, service, basis, heard)
    return _cancelled_over(clause, basis, heard)


def _maintained_over(
    clause: ClauseTerms | None, service: str, basis: Basis, heard: Heard
) -> Telling | None:
    if heard.word is not None or heard.of_another_day:
        return BY_PHONE
    if clause is None or basis == Basis.LAPSE or service == Service.EMERGENCY:
        return None
    if basis == Basis.PERSON and clause.ruling == Ruling.CANCEL:
        return Telling(Channel.PHONE, by_doctor=True)
    if Outcome.MAINTAINED in TOLD_OUTCOMES[clause.tell]:
        return Telling(Channel(clause.channel))
    return None


def _cancelled_over(clause: ClauseTerms | None, basis: Basis, heard: Heard) -> Telling | None:
    if clause is None or clause.ruling != Ruling.CANCEL:
        return BY_PHONE if basis == Basis.PERSON or heard.word is not None else None
    if heard.word is not None or Outcome.CANCELLED in TOLD_OUTCOMES[clause.tell]:
        return Telling(Channel(clause.channel))
    return None


def ruling_is_overdue(day: dt.date, now: dt.datetime, due_at: dt.time) -> bool:
    """Answer whether an operation of a day should have been ruled on by now.

    Args:
        day: when the patient is operated.
        now: the current moment.
        due_at: the hour of the evening before, in Brussels, by which it is ruled on.
    """
    return now >= dt.datetime.combine(day - dt.timedelta(days=1), due_at, tzinfo=BRUSSELS)


def telling_rank(service: str) -> int:
    """Return how urgent it is to tell a patient about such an act, among those of its day.

    Args:
        service: what is planned.

    Returns:
        0 (the most urgent) to 9. The order is ours, by what not knowing costs the patient; the
        crisis cell orders the rest by day and hour.
    """
    return TELLING_RANKS[Service(service)]
