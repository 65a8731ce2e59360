"""The rules of deciding and telling, said a second time: plain Python that reads like the text.

Nothing here comes from the application. It is slow, it starts from the beginning each time it is
asked, and that is the point: what the application works out set by set in SQL must agree with it.

Three questions are answered: what holds for an appointment (``holds``), what its patient heard of
it (``heard``), and what they are still owed (``owed``).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
CANCELLED, MAINTAINED, UNDER_REVIEW, UNDECIDED = "cancelled", "maintained", "under_review", ""
RULED = {"cancel": CANCELLED, "maintain": MAINTAINED, "case_by_case": UNDER_REVIEW}
SMS, PHONE = "sms", "phone"
DIRECTOR, CRISIS_CELL = "director", "crisis cell"

# What may have become of something that was said.
ON_ITS_WAY, HEARD, DOUBTFUL, NOT_HEARD, IN_VAIN = (
    "on its way",
    "heard",
    "doubtful",
    "not heard",
    "in vain",
)
ASKED = "answer"  # how the key begins of what was read out to somebody who rang in
MOST_RESTORABLE = 3
MAY_BE_HEARD = (ON_ITS_WAY, HEARD, DOUBTFUL)


@dataclass(frozen=True)
class Row:
    """What the agenda says of one appointment."""

    patient: int
    service: str
    starts_at: dt.datetime
    site: str = "arlon"
    doctor: str = "dr-1"
    groups: frozenset[str] = frozenset()
    is_planned: bool = True

    @property
    def day(self) -> dt.date:
        """The local day."""
        return self.starts_at.astimezone(BRUSSELS).date()


@dataclass(frozen=True)
class Clause:
    """One line of a bulletin; an empty selector selects everything."""

    ruling: str
    tell: str = "nobody"
    channel: str = SMS
    kept_by: str = "nobody"
    keep_until: dt.datetime | None = None
    services: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    days: tuple[dt.date, ...] = ()
    groups: tuple[str, ...] = ()

    def selects(self, row: Row) -> bool:
        """Whether it speaks of such an appointment."""
        return (
            (not self.services or row.service in self.services)
            and (not self.sites or row.site in self.sites)
            and (not self.days or row.day in self.days)
            and (not self.groups or any(group in row.groups for group in self.groups))
        )

    def tells(self, outcome: str) -> bool:
        """Whether patients with this outcome are told."""
        return self.tell in (outcome, "both")


@dataclass
class Bulletin:
    """An order for some days; the one approved last rules a day alone."""

    first_day: dt.date
    last_day: dt.date
    clauses: tuple[Clause, ...]
    is_in_force: bool = True
    is_withdrawn: bool = False

    def covers(self, day: dt.date) -> bool:
        """Whether a day lies in its window."""
        return self.first_day <= day <= self.last_day

    @property
    def days(self) -> list[dt.date]:
        """Every day of its window."""
        length = (self.last_day - self.first_day).days + 1
        return [self.first_day + dt.timedelta(days=n) for n in range(length)]


@dataclass(frozen=True)
class Word:
    """What is said of an appointment: it is cancelled (until another day, perhaps) or it stands.

    Who is told to come is told the hour, too.
    """

    outcome: str
    postponed_to: dt.date | None = None
    at: dt.datetime | None = None

    def __str__(self) -> str:
        if self.at:
            return f"{self.outcome} at {self.at.astimezone(BRUSSELS):%H:%M}"
        return f"postponed to {self.postponed_to:%d}" if self.postponed_to else self.outcome


@dataclass(frozen=True)
class Ruling:
    """What a person decided, for one day."""

    word: Word
    day: dt.date
    by: str


@dataclass
class Act:
    """An appointment: what the agenda says, and what was decided."""

    row: Row
    ruling: Ruling | None = None
    was_ruled: bool = False

    @property
    def is_cancelled(self) -> bool:
        """Whether a person cancelled it, for good or until another day."""
        return self.ruling is not None and self.ruling.word.outcome == CANCELLED

    @property
    def is_sent_back(self) -> bool:
        """Whether a person's decision was sent back, to be made again."""
        return self.ruling is not None and self.ruling.word.outcome == UNDER_REVIEW


@dataclass(frozen=True)
class Held:
    """What holds for an appointment, and whether a person, a clause or neither says so."""

    outcome: str
    basis: str = ""
    postponed_to: dt.date | None = None


@dataclass
class Said:
    """Something said, or tried, to a patient about an appointment on a day."""

    key: str
    act: int
    patient: int
    day: dt.date
    word: Word
    fate: str
    is_stale: bool = False  # withdrawn by then; whoever was speaking could not be stopped
    is_late: bool = False  # it seemed to have failed before it turned out to have arrived

    @property
    def about(self) -> tuple[int, int, dt.date]:
        """Of which appointment it speaks, to whom, and about which day."""
        return self.act, self.patient, self.day


@dataclass(frozen=True)
class Owed:
    """What is owed; ``channel`` is SMS only if nobody has to say it in person.

    ``doubt`` is the key of what only may have been heard, where that is why a person says it.
    """

    word: Word
    channel: str
    doubt: str = ""


@dataclass
class Plain:
    """The hospital, as a short story would tell it."""

    now: dt.datetime
    acts: dict[int, Act] = field(default_factory=dict)
    bulletins: list[Bulletin] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    may_maintain_by_sms: bool = False

    # --- Deciding ------------------------------------------------------------------------

    def agenda(self, number: int, row: Row) -> None:
        """The agenda says this of an appointment from now on."""
        act = self.acts.setdefault(number, Act(row))
        act.row = row
        self._settle()

    def approve(self, bulletin: Bulletin) -> None:
        """A bulletin comes into force; one that rules no day any more comes back only if asked."""
        self.bulletins.append(replace(bulletin))
        for one in self.bulletins:
            if all(self.ruling_bulletin(day) is not one for day in one.days):
                one.is_in_force = False
        self._settle()

    def withdraw(
        self, number: int, *, restores: int | None, sends_back: bool, by_sms: bool
    ) -> None:
        """A bulletin is lifted; an earlier one may come back to its old place among the others.

        What people cancelled on its days may be sent back to them, to be decided anew.
        """
        bulletin = self.bulletins[number]
        bulletin.is_in_force, bulletin.is_withdrawn = False, True
        if restores is not None:
            self.bulletins[restores].is_in_force = True
        for act in self.acts.values():
            is_to_come = act.row.is_planned and act.row.starts_at > self.now
            if sends_back and is_to_come and bulletin.covers(act.row.day) and act.is_cancelled:
                act.ruling = Ruling(Word(UNDER_REVIEW), act.row.day, CRISIS_CELL)
        self.may_maintain_by_sms |= by_sms
        self._settle()

    def restorable(self, number: int) -> list[int]:
        """The replaced bulletins that would rule a day of another one's if that were lifted.

        Only the last few are offered.
        """
        lifted, today = self.bulletins[number], self.now.astimezone(BRUSSELS).date()
        found = []
        for n, one in enumerate(self.bulletins):
            newer = [two for two in self.bulletins[n + 1 :] if two.is_in_force]
            newer = [two for two in newer if two is not lifted]
            days = [day for day in one.days if day >= today and lifted.covers(day)]
            is_replaced = not one.is_in_force and not one.is_withdrawn
            if is_replaced and any(not any(two.covers(day) for two in newer) for day in days):
                found.append(n)
        return found[-MOST_RESTORABLE:]

    def may_decide(self, number: int, by: str) -> bool:
        """Whether somebody may decide otherwise than the clause, now."""
        act, clause = self.acts[number], self.clause_for(number)
        row, kept_by, until = act.row, "nobody", act.row.starts_at
        if clause is not None:
            kept_by, until = clause.kept_by, min(clause.keep_until or until, until)
        elif act.is_sent_back:
            kept_by = "doctor"  # no bulletin is needed to decide again
        if row.service == "surgery" and (clause is not None or act.is_sent_back):
            kept_by = "medical_director"
        if self.ordered(number) == MAINTAINED or self.now > until:
            return False
        if kept_by == "doctor":
            return by == row.doctor
        return kept_by == "medical_director" and by == DIRECTOR

    def decide(self, number: int, by: str, word: Word) -> bool:
        """A person decides; return whether they may."""
        act = self.acts[number]
        if not self.may_decide(number, by):
            return False
        act.ruling = Ruling(word, act.row.day, by)
        act.was_ruled = True
        return True

    def undo(self, number: int, by: str) -> bool:
        """A person takes their decision back; return whether they may.

        Where no bulletin leaves it to anybody, whoever decided may.
        """
        act = self.acts[number]
        is_theirs = act.ruling is not None and act.ruling.by == by
        if not self.may_decide(number, by) and (
            not is_theirs or self._is_left_to_somebody(number) or self.now > act.row.starts_at
        ):
            return False
        act.ruling = None
        return True

    def _is_left_to_somebody(self, number: int) -> bool:
        clause = self.clause_for(number)
        if clause is None or self.ordered(number) == MAINTAINED:
            return self.acts[number].is_sent_back
        return self.acts[number].row.service == "surgery" or clause.kept_by != "nobody"

    def clause_for(self, number: int) -> Clause | None:
        """The clause that rules an appointment: the narrowest, then the first on the page."""
        row = self.acts[number].row
        bulletin = self.ruling_bulletin(row.day)
        if bulletin is None:
            return None
        found = [clause for clause in bulletin.clauses if clause.selects(row)]
        # Whom it names stands above where, when and what.
        return max(
            found,
            key=lambda c: (bool(c.groups), bool(c.sites), bool(c.days), bool(c.services)),
            default=None,
        )

    def holds(self, number: int) -> Held:
        """What holds: an emergency always stands; a person stands above a clause."""
        act = self.acts[number]
        if act.ruling and act.row.service != "emergency":
            return Held(act.ruling.word.outcome, "person", act.ruling.word.postponed_to)
        outcome = self.ordered(number)
        if outcome:
            return Held(outcome, "clause")
        return Held(MAINTAINED, "lapse") if act.was_ruled else Held(UNDECIDED)

    def ordered(self, number: int) -> str:
        """What the bulletin orders for an appointment, whatever people decided."""
        clause = self.clause_for(number)
        if clause is None:
            return UNDECIDED
        if self.acts[number].row.service == "emergency":
            return MAINTAINED
        return RULED[clause.ruling]

    def ruling_bulletin(self, day: dt.date) -> Bulletin | None:
        """The bulletin that rules a day: the one approved last."""
        found = [one for one in self.bulletins if one.is_in_force and one.covers(day)]
        return found[-1] if found else None

    def _settle(self) -> None:
        """A person decided for a day, and for no other; an emergency needs nobody."""
        for number, act in self.acts.items():
            if not act.row.is_planned:
                continue
            is_emergency = act.row.service == "emergency"
            if act.ruling and (act.ruling.day != act.row.day or is_emergency):
                act.ruling = None
            is_ruled = self.clause_for(number) is not None
            act.was_ruled |= is_ruled
            if is_ruled and act.is_sent_back:
                act.ruling = None  # a bulletin decides what was to be decided anew

    # --- Telling -------------------------------------------------------------------------

    def say(
        self,
        key: str,
        act: int,
        patient: int,
        day: dt.date,
        word: Word,
        fate: str,
        *,
        is_stale: bool = False,
    ) -> None:
        """Something was said, or is on its way; ``became`` changes its fate."""
        self.said.append(Said(key, act, patient, day, word, fate, is_stale))

    def became(self, key: str, fate: str) -> None:
        """What was said under a key came to this."""
        for one in self.said:
            if one.key == key:
                one.is_late |= fate == HEARD and one.fate in (NOT_HEARD, DOUBTFUL)
                one.fate = fate

    def unsay(self, key: str) -> None:
        """It was noted by mistake: nothing was said."""
        self.said = [one for one in self.said if one.key != key]

    def heard(self, act: int, patient: int, day: dt.date) -> Said | None:
        """The last word that the patient has, or may have, about an appointment on a day."""
        about = (act, patient, day)
        words = [one for one in self.said if one.about == about and one.fate in MAY_BE_HEARD]
        return words[-1] if words else None

    def says_what_holds(self, act: int, patient: int, day: dt.date, word: Word) -> bool:
        """Whether a word is true: on another day, or of another patient's, nothing takes place."""
        row = self.acts[act].row
        if row.is_planned and (row.patient, row.day) == (patient, day):
            return self.word(act) == word
        return word == Word(CANCELLED)

    def word(self, act: int) -> Word | None:
        """What there is to say of an appointment; of what is under review or undecided, nothing."""
        held = self.holds(act)
        if held.outcome == MAINTAINED:
            return Word(MAINTAINED, at=self.acts[act].row.starts_at)
        return Word(CANCELLED, held.postponed_to) if held.outcome == CANCELLED else None

    def forget_what_is_tried_again(self) -> None:
        """What was tried in vain is not tried again, for as long as all of it holds."""
        stale = {
            one.key
            for one in self.said
            if one.fate == IN_VAIN
            and not self.says_what_holds(one.act, one.patient, one.day, one.word)
        }
        self.said = [one for one in self.said if one.fate != IN_VAIN or one.key not in stale]

    def owed(self, act: int) -> Owed | None:
        """What is owed to the patient of an appointment about its day, if anything."""
        row, held, word = self.acts[act].row, self.holds(act), self.word(act)
        if word is None or not row.is_planned or row.starts_at <= self.now:
            return None
        if self._is_in_vain(act, row.patient, row.day, word):
            return None
        heard = self.heard(act, row.patient, row.day)
        if heard and heard.fate == DOUBTFUL:
            return Owed(word, PHONE, heard.key)
        if heard and heard.word == word:
            return None
        if channel := self._channel(act, held, heard):
            return Owed(word, channel)
        return None

    def _channel(self, act: int, held: Held, heard: Said | None) -> str:
        """How what holds is told to somebody who did not hear it; empty for not at all."""
        row, clause = self.acts[act].row, self.clause_for(act)
        is_cancelling = clause is not None and clause.ruling == "cancel"
        if held.postponed_to or (heard and heard.word.postponed_to):
            return PHONE
        if held.outcome == MAINTAINED and (heard or self._heard_of_another_day(act)):
            is_sure = heard is not None and heard.fate == HEARD and held.basis != "person"
            return SMS if self.may_maintain_by_sms and is_sure else PHONE
        if row.service != "emergency" and clause and clause.ruling == "case_by_case":
            return PHONE
        if heard:  # maintained, and now it is cancelled
            return clause.channel if clause and is_cancelling else PHONE
        if held.outcome == CANCELLED:
            if clause and is_cancelling:
                return clause.channel if clause.tells(CANCELLED) else ""
            return PHONE  # by a person alone: their word is owed
        if row.service == "emergency" or clause is None:
            return ""
        if held.basis == "person" and is_cancelling:
            return PHONE
        return clause.channel if clause.ruling == "maintain" and clause.tells(MAINTAINED) else ""

    def _heard_of_another_day(self, act: int) -> bool:
        row = self.acts[act].row
        return any(
            one.act == act
            and one.patient == row.patient
            and one.fate in MAY_BE_HEARD
            and one.day != row.day
            for one in self.said
        )

    def _is_in_vain(self, act: int, patient: int, day: dt.date, word: Word) -> bool:
        tried = [one for one in self.said if one.about == (act, patient, day)]
        return any(one.fate == IN_VAIN and one.word == word for one in tried)

    def owed_on_days_left(self) -> Iterator[tuple[int, int, dt.date]]:
        """Whoever was asked to come on a day on which nothing takes place for them any more.

        Of another day that was given, as long as the appointment stands on its own: there, the
        patient is told what holds instead.
        """
        for act, patient in sorted({(one.act, one.patient) for one in self.said}):
            for day, said_of, hour in self.claims(act, patient):
                has_passed = (hour or dt.datetime.combine(day, dt.time(), BRUSSELS)) <= self.now
                is_in_vain = self._is_in_vain(act, patient, day, Word(CANCELLED))
                row = self.acts[act].row
                stands = row.is_planned and row.patient == patient and row.day in (day, said_of)
                if not (has_passed or is_in_vain or stands):
                    yield act, patient, day

    def claims(
        self, act: int, patient: int
    ) -> Iterator[tuple[dt.date, dt.date, dt.datetime | None]]:
        """The days on which a patient believes to be expected, by the last word about each.

        With the day of which the word was said, and the hour, if one was.
        """
        asked: dict[dt.date, tuple[dt.date, dt.datetime | None]] = {}
        for one in self.said:
            if (one.act, one.patient) != (act, patient) or one.fate not in MAY_BE_HEARD:
                continue
            asked = {day: by for day, by in asked.items() if one.day not in (day, by[0])}
            if one.word.outcome == MAINTAINED:
                asked[one.day] = one.day, one.word.at
            elif one.word.postponed_to:
                asked[one.word.postponed_to] = one.day, None
        yield from ((day, said_of, hour) for day, (said_of, hour) in asked.items())

    def has_begun(self, act: int, patient: int, day: dt.date) -> bool:
        """Whether it is too late to tell anything more about an appointment on a day."""
        row = self.acts[act].row
        if (row.patient, row.day) == (patient, day):
            return row.starts_at <= self.now
        said = [one.word.at for one in self.said if one.about == (act, patient, day)]
        hours = [hour for hour in said if hour]
        midnight = dt.datetime.combine(day, dt.time(), BRUSSELS)
        return (hours[-1] if hours else midnight) <= self.now

    def all_owed(self) -> dict[tuple[int, dt.date], dict[int, Owed]]:
        """What is owed to each patient about each day."""
        owed: dict[tuple[int, dt.date], dict[int, Owed]] = defaultdict(dict)
        for act, patient, day in self.owed_on_days_left():
            owed[patient, day][act] = Owed(Word(CANCELLED), PHONE)
        for number, act in self.acts.items():
            if one := self.owed(number):
                owed[act.row.patient, act.row.day][number] = one
        return dict(owed)

    # --- In the end ----------------------------------------------------------------------

    def left_untold(self) -> Iterator[str]:
        """Whoever is still owed a word when everything due was sent and every call answered."""
        for (patient, day), owed in self.all_owed().items():
            for number, one in owed.items():
                yield f"patient {patient} is not told that {number} on {day:%d} is {one.word}"

    def told_twice(self) -> Iterator[str]:
        """Whoever heard the same word twice, with nothing else between the two."""
        last: dict[tuple, Said] = {}
        for one in self.said:
            if one.fate == HEARD:
                before = last.get(one.about)
                is_excused = one.is_stale or one.key.startswith(ASKED)
                if before and before.word == one.word and not (is_excused or before.is_late):
                    yield f"patient {one.patient} heard twice that {one.act} is {one.word}"
                last[one.about] = one
            elif one.fate != NOT_HEARD:
                last.pop(one.about, None)
