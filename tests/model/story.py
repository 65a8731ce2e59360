"""One story told twice: to the model and to the application, step by step, and compared.

A story is a list of steps as data, so that one that goes wrong can be read, kept and told again:
``Story(...).tell(Step("decide", {"act": 1, ...}), ...)``.
"""

import datetime as dt
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import time_machine
from django.db import transaction

from appointments.decisions.effective_orders import Place
from tests.builders import at
from tests.model.driver import Duty, Message, Real, Staff
from tests.model.plain import (
    ASKED,
    CANCELLED,
    DOUBTFUL,
    HEARD,
    IN_VAIN,
    MAINTAINED,
    ON_ITS_WAY,
    Bulletin,
    Owed,
    Plain,
    Row,
    Word,
)
from tests.notifications.builders import FakeGateway
from vivalia_continuity.promises import PROMISES

SATURDAY_NOON = at("2022-05-14 12:00")
A_MOMENT = dt.timedelta(milliseconds=1)
MOST_ROUNDS = 30


@dataclass(frozen=True)
class Step:
    """One thing that happens."""

    what: str
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.what} {', '.join(f'{k}={_short(v)}' for k, v in self.facts.items())}"


def _short(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return f"{value:%a %d %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%a %d}"
    if isinstance(value, frozenset | tuple):
        return f"({' '.join(map(_short, sorted(value, key=str)))})"
    if hasattr(value, "__dataclass_fields__"):
        given = {k: v for k, v in vars(value).items() if v not in ((), None, "", frozenset())}
        return f"<{' '.join(f'{k}={_short(v)}' for k, v in given.items())}>"
    return str(value)


class Story:
    """A hospital in which things happen.

    Args:
        staff: who works there.
        clock: stopped at Saturday noon.
        gateway: what the gateway can do, as for ``FakeGateway``.
    """

    def __init__(self, staff: Staff, clock: time_machine.Traveller, **gateway: bool) -> None:
        self.clock = clock
        self.now = SATURDAY_NOON
        clock.move_to(self.now)
        self.plain = Plain(now=self.now)
        self.real = Real(staff, FakeGateway(has_receipts=True, **gateway))
        self.steps: list[str] = []
        self.spoken: set[str] = set()
        self.given_up: set[int] = set()
        self.doubted: dict[str, int] = {}  # the newest try when a word became doubtful
        self.resent: set[int] = set()  # what a person had sent once more, whatever the doubt

    def tell(self, *steps: Step) -> None:
        """Let these things happen, and look after each whether all agree."""
        for step in steps:
            self._move_to(self.now + A_MOMENT)  # no two things are said at the same instant
            self.steps.append(f"{self.now:%a %H:%M}  {step}")
            self._move_to(self.now + dt.timedelta(seconds=1))  # no two things happen at once
            getattr(self, f"_{step.what}")(**step.facts)
            self._catch_up()
            self._compare()

    def __str__(self) -> str:
        return "\n".join(self.steps)

    # --- Deciding ------------------------------------------------------------------------

    def _agenda(self, act: int, row: Row) -> None:
        self.plain.agenda(act, row)
        self.real.agenda(act, row)

    def _approve(self, bulletin: Bulletin, release_at: dt.datetime) -> None:
        self.plain.approve(bulletin)
        self.real.approve(bulletin, release_at)

    def _withdraw(self, bulletin: int, **asked: Any) -> None:
        known = self.plain.bulletins
        if bulletin >= len(known) or not known[bulletin].is_in_force:
            return
        if asked["restores"] not in [None, *self.plain.restorable(bulletin)]:
            return
        self.plain.withdraw(bulletin, **asked)
        self.real.withdraw(bulletin, **asked)

    def _decide(self, act: int, by: str, word: Word) -> None:
        if act not in self.plain.acts:
            return
        may = self.plain.decide(act, by, word)
        assert self.real.decide(act, by, word) == may, f"the model says {may}"

    def _undo(self, act: int, by: str) -> None:
        if act not in self.plain.acts or not self.plain.acts[act].ruling:
            return
        may = self.plain.undo(act, by)
        assert self.real.undo(act, by) == may, f"the model says {may}"

    # --- Sending -------------------------------------------------------------------------

    def _wait(self, minutes: int) -> None:
        self._move_to(self.now + dt.timedelta(minutes=minutes))

    def _move_to(self, moment: dt.datetime) -> None:
        self.now = max(moment, self.now)
        self.plain.now = self.now
        self.clock.move_to(self.now)

    def _release(self) -> None:
        self.real.release()

    def _pause(self) -> None:
        self.real.pause()

    def _resume(self) -> None:
        self.real.resume()

    def _sms_leave(self) -> None:
        for message in self.real.sms_leave():
            if not message.again:
                self._must_hold("an SMS", message)
                self._say(f"notice {message.notice}", message, ON_ITS_WAY)

    def _answer(self, nth: int, answer: str) -> None:
        if nth < len(self.real.leaving):
            self.real.answer(nth, answer)

    def _receipt(self, nth: int, state: str) -> None:
        left = [pk for pk, one in self.real.left.items() if one.may_have_left]
        if nth < len(left):
            self.real.receipt(left[nth], state)

    def _stop(self, patient: int) -> None:
        self.real.stop(patient)

    def _sweep(self) -> None:
        self.real.sweep()

    def _by_hand(self, nth: int, how: str) -> None:
        left = list(self.real.left)
        if nth >= len(left) or not self.real.by_hand(left[nth], how):
            return
        if how == "told":
            message = self.real.left[left[nth]]
            self._spoken(self.real.seen.duties[message.notice])
        elif how == "resend":
            last = self.real.seen.last_try
            self.real.look()
            self.resent |= {one.pk for one in self.real.seen.tries if one.pk > last}

    # --- Calling -------------------------------------------------------------------------

    def _take_call(self) -> None:
        if self.real.talk is None and (talk := self.real.take_call()):
            for duty in talk.duties:
                self._must_hold("the call", duty)

    def _log_call(self, result: str) -> None:
        if self.real.talk is None:
            return
        standing = {pk for pk, one in self.real.seen.duties.items() if one.state != "withdrawn"}
        if talk := self.real.log_call(result):
            for duty in talk.duties:
                self._spoken(duty, is_stale=duty.pk not in standing)

    def _contacted(self, act: int, by: str) -> None:
        if act not in self.plain.acts:
            return
        if done := self.real.contacted(act, by):
            self._spoken(done)

    def _not_contacted(self, act: int, by: str) -> None:
        if act in self.plain.acts and (notice := self.real.not_contacted(act, by)):
            self.spoken.discard(f"notice {notice}")
            if f"notice {notice}" not in dict(self.real.fates()):
                self.plain.unsay(f"notice {notice}")

    def _ring_in(self, patient: int) -> None:
        waiting = [
            duty
            for duty in [*self.real.in_state("open"), *self.real.in_state("unreachable")]
            if duty.patient == patient
        ]
        known = set(self.real.seen.duties)
        answers = self.real.ring_in(patient)
        self.real.look()
        told = {duty.pk for duty in self.real.in_state("told")}
        for day, said, counts_as_told in answers:
            self._must_read_what_holds(patient, day, said)
            for duty in waiting:
                # An SMS that is out stays out: it is not told by what is read beside it.
                if counts_as_told and duty.day == day and duty.pk in told:
                    self._spoken(duty)
        for duty in self.real.in_state("told"):
            if duty.pk not in known:  # what no notice spoke of, and was read out all the same
                self._must_hold("what is kept of an answer", duty)
                self.spoken.add(f"{ASKED} {duty.pk}")
                self._say(f"{ASKED} {duty.pk}", duty, HEARD)

    # --- Comparing -----------------------------------------------------------------------

    def _say(self, key: str, said: Message | Duty, fate: str, *, is_stale: bool = False) -> None:
        self.plain.unsay(key)
        for act, word in said.items:
            self.plain.say(key, act, said.patient, said.day, word, fate, is_stale=is_stale)

    def _spoken(self, duty: Duty, *, is_stale: bool = False) -> None:
        """Somebody spoke with the patient."""
        key = f"notice {duty.pk}"
        if key not in self.spoken:
            self.spoken.add(key)
            self._say(key, duty, HEARD, is_stale=is_stale)

    def _catch_up(self) -> None:
        """Tell the model what became of what was said."""
        last, doubtful = self.real.seen.last_try, self._doubtful()
        self.real.look()
        for key, fate in self.real.fates():
            self.plain.became(key, HEARD if key in self.spoken else fate)
        for duty in self.real.in_state("unreachable"):
            if duty.pk not in self.given_up:
                self.given_up.add(duty.pk)
                self._say(f"notice {duty.pk} in vain", duty, IN_VAIN)
        self.plain.forget_what_is_tried_again()
        self.doubted |= dict.fromkeys(self._doubtful() - doubtful, last)

    def _doubtful(self) -> set[str]:
        return {one.key for one in self.plain.said if one.fate == DOUBTFUL}

    def _must_hold(self, what: str, said: Message | Duty) -> None:
        """Nothing is said but what holds."""
        for act, word in said.items:
            assert self.plain.says_what_holds(act, said.patient, said.day, word), (
                f"{what} says that {act} is {word}, but {self.plain.holds(act)} holds"
            )

    def _must_read_what_holds(self, patient: int, day: dt.date, said: str) -> None:
        """Whoever rings in hears of each appointment what holds, and nothing else."""
        outcomes = {
            self.plain.holds(number).outcome
            for number, act in self.plain.acts.items()
            if act.row.is_planned and (act.row.patient, act.row.day) == (patient, day)
        }
        called_off = any(
            not act.row.is_planned and (act.row.patient, act.row.day) == (patient, day)
            for act in self.plain.acts.values()
        ) or any((one.patient, one.day) == (patient, day) for one in self.plain.said)
        if outcomes:
            is_cancelled, is_on = "ne venez pas" in said, "venez comme prévu" in said
            may_cancel = called_off or CANCELLED in outcomes
            assert is_cancelled <= may_cancel, f"{said!r}, but {outcomes} hold"
            assert is_on <= (MAINTAINED in outcomes), f"{said!r}, but {outcomes} hold"

    def _compare(self) -> None:
        held = {
            number: (one.outcome, one.postponed_to)
            for number, act in self.plain.acts.items()
            if act.row.is_planned and (one := self.plain.holds(number))
        }
        assert self.real.seen.held == held, f"{self.real.seen.held} hold, the model says {held}"
        heard = {one.key for one in self.plain.said if one.fate == HEARD}
        for duty in self.real.in_state("told"):
            assert {f"notice {duty.pk}", f"{ASKED} {duty.pk}"} & heard, (
                f"nobody heard what counts as told: {duty}"
            )
        self._compare_waiting()

    def _compare_waiting(self) -> None:
        owed, pending = self.plain.all_owed(), self.real.pending()
        for patient, day in owed.keys() | pending.keys():
            words, waits = pending.get((patient, day), ({}, None))
            of_use = {
                number: word
                for number, word in words.items()
                if not self.plain.has_begun(number, patient, day)
            }
            due = owed.get((patient, day), {})
            said = {number: one.word for number, one in due.items()}
            who = f"patient {patient} on {day:%d}"
            assert of_use == said, f"{who}: {_words(of_use)} waits, {_words(said)} is owed"
            if waits and any(self._needs_a_person(one, waits.pk) for one in due.values()):
                assert waits.channel == "phone", f"{who} must be told by a person"

    def _needs_a_person(self, owed: Owed, waits: int) -> bool:
        """Whether what is owed must be said in person.

        A doubt changes nothing about a try that waited before it arose, or that a person sent.
        """
        is_excused = owed.doubt and (waits in self.resent or waits <= self.doubted[owed.doubt])
        return owed.channel == "phone" and not is_excused

    # --- In the end ----------------------------------------------------------------------

    def settle(self) -> None:
        """Send all that is due and answer every call; then see what everybody knows."""
        self.steps.append(f"{self.now:%a %H:%M}  everything is sent and every call answered")
        self.real.resume()
        for _round in range(MOST_ROUNDS):
            if not self._settle_some():
                break
        else:
            raise AssertionError("there is always more to send or to call")
        self._judge()

    def _settle_some(self) -> bool:
        """Do what can be done now; return whether to go on."""
        before = len(self.steps)
        self._do_all()
        if waiting := self._next_moment():
            self._move_to(waiting)
            return True
        return len(self.steps) > before

    def _do_all(self) -> None:
        real = self.real
        if real.talk:
            self._settling("log_call", result="reached")
        self._quietly("sms_leave")
        while real.leaving:
            self._settling("answer", nth=0, answer="accepted")
        for pk in [pk for pk, one in real.left.items() if real.is_out(pk)]:
            self._settling("receipt", nth=self._nth(pk), state="delivered")
        self._quietly("sweep")
        while True:
            self._quietly("take_call")
            if real.talk is None:
                break
            self._settling("log_call", result="reached")

    def _nth(self, delivery: int) -> int:
        return [pk for pk, one in self.real.left.items() if one.may_have_left].index(delivery)

    def _settling(self, what: str, **facts: Any) -> None:
        self.tell(Step(what, facts))

    def _quietly(self, what: str) -> None:
        """A step that is worth a line only if something came of it."""
        before = self.real.seen
        self.tell(Step(what))
        if self.real.seen == before:
            self.steps.pop()

    def _next_moment(self) -> dt.datetime | None:
        moments = [one for one in self.real.waits_for() if one > self.now]
        return min(moments, default=None)

    def _judge(self) -> None:
        faults = [*self.plain.left_untold(), *self.plain.told_twice()]
        faults += [fault for promise in PROMISES for fault in promise.faults()]
        assert not faults, "\n".join(faults)
        days = sorted({act.row.day for act in self.plain.acts.values()})
        for day in days:
            self._judge_board(day)
            self._judge_sheets(day)
            self._judge_public_text(day)
        for patient in {act.row.patient for act in self.plain.acts.values()}:
            for day, said in self.real.read_to(patient):
                self._must_read_what_holds(patient, day, said)

    def _planned(self, day: dt.date) -> dict[int, Row]:
        return {
            number: act.row
            for number, act in self.plain.acts.items()
            if act.row.is_planned and act.row.day == day
        }

    def _judge_board(self, day: dt.date) -> None:
        counted = Counter(
            (row.service, row.site, self.plain.holds(number).outcome or "none")
            for number, row in self._planned(day).items()
        )
        shown = self.real.on_the_board(day)
        assert shown == counted, f"the board shows {shown}, there are {counted}"

    def _judge_sheets(self, day: dt.date) -> None:
        sheets = self.real.on_the_sheets(day)
        for number in self._planned(day):
            row, held = sheets[number], self.plain.holds(number)
            assert (row.outcome, row.postponed_to) == (held.outcome, held.postponed_to)
            if self.plain.word(number) and not self.plain.has_begun(number, *self._of(number)):
                assert not row.is_told_otherwise, f"the sheet warns of {number}: {row}"

    def _of(self, number: int) -> tuple[int, dt.date]:
        row = self.plain.acts[number].row
        return row.patient, row.day

    def _judge_public_text(self, day: dt.date) -> None:
        """What a bulletin says to everybody is what it orders for each."""
        ruling = self.plain.ruling_bulletin(day)
        if ruling is None:
            return
        number = next(n for n, one in enumerate(self.plain.bulletins) if one is ruling)
        statements = self.real.in_public(number, [day])
        for act, row in self._planned(day).items():
            if row.service == "emergency":
                continue
            said = {
                effect.outcome.value if (effect := one.said.to(row.groups)) else ""
                for one in statements
                if row.service in one.services and Place(row.site) in one.places and day in one.days
            }
            ordered = self.plain.ordered(act)
            assert said - {""} == {ordered} - {""}, f"{act}: {said} in public, {ordered} ordered"


def told(staff: Staff, steps: list[Step], **gateway: bool) -> tuple[str, str]:
    """Tell a story from the beginning to its end; return the story, and what is wrong if anything.

    Nothing of it stays in the database.
    """
    with transaction.atomic(), time_machine.travel(SATURDAY_NOON, tick=False) as clock:
        story, fault = Story(staff, clock, **gateway), ""
        try:
            story.tell(*steps)
            story.settle()
        except Exception as found:
            fault = f"{type(found).__name__}: {found}"
        transaction.set_rollback(True)
    return str(story), fault


def shortest(staff: Staff, steps: list[Step], seconds: float = 60.0, **gateway: bool) -> list[Step]:
    """Leave out of a story that goes wrong whatever is not needed for it to go wrong that way."""
    _story, fault = told(staff, steps, **gateway)
    ends = time.perf_counter() + seconds
    size = max(1, len(steps) // 2)
    while size:
        start = 0
        while start < len(steps) and time.perf_counter() < ends:
            fewer = steps[:start] + steps[start + size :]
            if _alike(told(staff, fewer, **gateway)[1], fault):
                steps = fewer
            else:
                start += size
        size //= 2
    return steps


def _alike(one: str, other: str) -> bool:
    """Whether two faults are of one kind: the same but for names, days and numbers."""
    return bool(other) and re.sub(r"[\d\s]+", "", one)[:60] == re.sub(r"[\d\s]+", "", other)[:60]


def _words(words: dict[int, Word]) -> str:
    return ", ".join(f"{number} {word}" for number, word in sorted(words.items())) or "nothing"
