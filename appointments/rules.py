"""The rules of a crisis, as pure functions: no database, no clock, no Django.

- ``decide``: what a bulletin orders for an appointment, and by which clause.
- ``may_keep``: who may keep a consultation or rule on an operation, and until when.
- ``told_over``: who is told what, over which channel.
- ``ruling_is_overdue``: from when an operation without a ruling is said loudly.
- ``telling_rank``: who is told first among the patients of one day.

Days are local dates in Europe/Brussels, moments are aware datetimes. Reasons are French
sentences and serve as message keys for other languages.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appointments.vocabulary import Basis, Channel, KeptBy, Outcome, Ruling, Service, Tell

BRUSSELS = ZoneInfo("Europe/Brussels")
OUTCOME_OF = {
    Ruling.CANCEL: Outcome.CANCELLED,
    Ruling.MAINTAIN: Outcome.MAINTAINED,
    Ruling.CASE_BY_CASE: Outcome.UNDER_REVIEW,
}
TOLD_OUTCOMES = {
    Tell.CANCELLED: {Outcome.CANCELLED},
    Tell.MAINTAINED: {Outcome.MAINTAINED},
    Tell.BOTH: {Outcome.CANCELLED, Outcome.MAINTAINED},
    Tell.NOBODY: set(),
}
# By what a patient does, or leaves, because they believe in the appointment.
TELLING_RANKS = {
    Service.SURGERY: 0,  # fasts, stops anticoagulants, and must know whether to come at all
    Service.EMERGENCY: 0,  # nobody is written to; if ever, then first
    Service.DIALYSIS: 1,  # cannot go without: another place has to be found the same day
    Service.DAY_HOSPITAL: 1,  # a treatment prepared for this patient, often fasting
    Service.NUCLEAR_MEDICINE: 2,  # a tracer ordered for the hour, medicines stopped, fasting
    Service.RADIOLOGY: 3,  # fasts or drinks contrast for some examinations
    Service.CONSULTATION: 4,
    Service.OTHER: 4,  # nothing is known of it: as the most common act
    Service.BLOOD_SAMPLING: 5,  # fasts at most, and can come on any morning
    Service.COVID_CENTRE: 6,  # comes without preparation, and another centre does it too
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at in an appointment."""

    service: str
    site: str
    unit: str
    day: dt.date
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Clause:
    """One line of a bulletin; an empty selector selects everything."""

    position: int
    ruling: Ruling
    tell: Tell = Tell.NOBODY
    channel: Channel = Channel.SMS
    kept_by: KeptBy = KeptBy.NOBODY
    keep_until: dt.datetime | None = None
    services: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    days: frozenset[dt.date] = frozenset()
    groups: frozenset[str] = frozenset()
    id: int = 0
    bulletin_id: int = 0

    def selects(self, facts: Facts) -> bool:
        """Whether the clause speaks of such an appointment; one shared group is enough."""
        return (
            (not self.services or facts.service in self.services)
            and (not self.sites or facts.site in self.sites)
            and (not self.units or facts.unit in self.units)
            and (not self.days or facts.day in self.days)
            and (not self.groups or bool(self.groups & facts.groups))
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for an appointment, and by which clause."""

    outcome: Outcome
    clause: Clause


def specificity(clause: Clause) -> tuple[bool, ...]:
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


def decide(facts: Facts, clauses: Iterable[Clause]) -> Verdict | None:
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


NOTHING_TO_KEEP = "Aucun bulletin ne vise ce rendez-vous : il a lieu comme prévu."
ALREADY_MAINTAINED = "Le bulletin maintient ce rendez-vous."
NOBODY_MAY = "Le bulletin ne laisse personne garder ce rendez-vous."
ONLY_THE_DOCTOR = "Seul le médecin concerné, ou son délégué, peut garder ce rendez-vous."
ONLY_THE_DIRECTOR = "Seul le Directeur médical se prononce sur cette opération."
TOO_LATE = "Le délai pour garder ce rendez-vous est passé. Appelez la cellule de crise."


def may_keep(
    *,
    verdict: Verdict | None,
    service: str,
    practitioner_id: int | None,
    starts_at: dt.datetime,
    keeper: Keeper,
    now: dt.datetime,
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
    """
    if verdict is None:
        return KeepAnswer(False, NOTHING_TO_KEEP)
    clause = verdict.clause
    until = min(clause.keep_until or starts_at, starts_at)
    if verdict.outcome == Outcome.MAINTAINED:
        return KeepAnswer(False, ALREADY_MAINTAINED, until)
    kept_by = KeptBy.MEDICAL_DIRECTOR if service == Service.SURGERY else clause.kept_by
    if kept_by == KeptBy.NOBODY:
        return KeepAnswer(False, NOBODY_MAY, until)
    if kept_by == KeptBy.DOCTOR and practitioner_id not in keeper.practitioner_ids:
        return KeepAnswer(False, ONLY_THE_DOCTOR, until)
    if kept_by == KeptBy.MEDICAL_DIRECTOR and not keeper.is_medical_director:
        return KeepAnswer(False, ONLY_THE_DIRECTOR, until)
    if now > until:
        return KeepAnswer(False, TOO_LATE, until)
    return KeepAnswer(True, "", until)


def told_over(
    *,
    clause: Clause | None,
    service: str,
    outcome: Outcome,
    basis: Basis,
    heard: Outcome | None,
    postponed_to: dt.date | None = None,
    heard_postponed_to: dt.date | None = None,
) -> Channel | None:
    """Answer whether a patient must be told an outcome, and over which channel.

    Args:
        clause: the clause that rules the appointment's day, if any.
        service: what is planned; emergency patients are never written to.
        outcome: what now holds; ``under_review`` is told to nobody before it is ruled.
        basis: on what it rests.
        heard: what the patient was last told about this appointment, if anything.
        postponed_to: the day that a cancelled patient is given instead.
        heard_postponed_to: the day that they were told, if any.

    Whoever heard something else is told the change, whatever the clause says; a cancelled
    patient who must come after all hears it by phone. A kept consultation is told by phone, by
    the doctor who kept it. What a person ruled on case by case is told by phone, either way;
    so is another day, since the patient may not be able to come on it.
    """
    is_heard = (heard, heard_postponed_to) == (outcome, postponed_to)
    if outcome == Outcome.UNDER_REVIEW or is_heard:
        return None
    if postponed_to or heard_postponed_to:
        return Channel.PHONE
    if clause and clause.ruling == Ruling.CASE_BY_CASE and service != Service.EMERGENCY:
        return Channel.PHONE
    if heard is not None:
        if outcome == Outcome.MAINTAINED or clause is None:
            return Channel.PHONE
        return clause.channel
    if clause is None or basis == Basis.LAPSE or service == Service.EMERGENCY:
        return None
    if basis == Basis.PERSON and outcome == Outcome.MAINTAINED and clause.ruling == Ruling.CANCEL:
        return Channel.PHONE
    return clause.channel if outcome in TOLD_OUTCOMES[clause.tell] else None


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
