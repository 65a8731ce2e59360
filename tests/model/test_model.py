"""Random stories: whatever happens, in whatever order, model and application agree.

After each step both must say the same of what holds and of what waits to be said; what is said must
hold at that moment; a preview must be what approving does. In the end everything is sent and every
call answered, and everybody knows what holds, by one word (``story``, ``plain``, ``driver``).

The suite tells the same stories each time. ``make proof`` tells other ones, many more.
"""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.builders import at
from tests.model.driver import ANSWERS, DOCTORS, Staff
from tests.model.plain import DIRECTOR, Bulletin, Clause, Row, Word
from tests.model.story import SATURDAY_NOON, Step, Story, shortest, told

STEPS = 25
STORIES = 100
PROOF_STORIES = int(os.environ.get("PROOF_STORIES", "2000"))
PROOF_SEED = int(os.environ.get("PROOF_SEED", "0"))

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2022, 5, day) for day in (16, 17, 18))
SUNDAY_EVENING = at("2022-05-15 18:00")
services = st.sampled_from(["consultation", "consultation", "surgery", "radiology", "emergency"])
days = st.sampled_from([MONDAY, MONDAY, TUESDAY, WEDNESDAY])
hours = st.sampled_from([9, 11, 15])


@st.composite
def rows(draw: st.DrawFn) -> Row:
    day, hour = draw(days), draw(hours)
    return Row(
        patient=draw(st.sampled_from([1, 1, 2, 2, 3, 4])),
        service=draw(services),
        starts_at=at(f"{day} {hour:02}:10"),
        site=draw(st.sampled_from(["arlon", "arlon", "marche"])),
        doctor=draw(st.sampled_from(DOCTORS)),
        groups=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"oncology"})])),
    )


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    """Draw a clause as a crisis cell may write one."""
    ruling = draw(st.sampled_from(["cancel", "cancel", "case_by_case", "maintain"]))
    services = draw(st.sampled_from([("consultation",), ("surgery",), ("radiology",), ()]))
    whom, keepers, channels = {
        "cancel": (["cancelled", "cancelled", "nobody"], ["doctor", "nobody"], ["sms", "phone"]),
        "maintain": (["nobody", "maintained"], ["nobody"], ["sms", "phone"]),
        "case_by_case": (["both"], ["medical_director"], ["phone"]),
    }[ruling]
    kept_by = draw(st.sampled_from(keepers[-1:] if "surgery" in services else keepers))
    return Clause(
        ruling=ruling,
        tell=draw(st.sampled_from(whom)),
        channel=draw(st.sampled_from(channels)),
        kept_by=kept_by,
        keep_until=None if kept_by == "nobody" else draw(st.sampled_from([None, SUNDAY_EVENING])),
        services=services,
        sites=draw(st.sampled_from([(), (), ("arlon",), ("marche",)])),
        groups=draw(st.sampled_from([(), (), (), ("oncology",)])),
    )


@st.composite
def bulletins(draw: st.DrawFn) -> Bulletin:
    orders = draw(st.lists(clauses(), min_size=1, max_size=3))
    return Bulletin(*draw(windows), tuple(orders))


windows = st.sampled_from([(MONDAY, MONDAY), (MONDAY, TUESDAY), (TUESDAY, TUESDAY)])
releases = st.sampled_from([SATURDAY_NOON, at("2022-05-14 18:00"), SUNDAY_EVENING])
KEPT = st.sampled_from([Word("maintained"), Word("cancelled")])
RULINGS = st.sampled_from(
    [Word("maintained"), Word("cancelled"), Word("cancelled", dt.date(2022, 5, 20))]
)


class Machine(RuleBasedStateMachine):
    """Draws what happens next, among what can happen."""

    staff: Staff
    failed: tuple[list[Step], dict[str, bool]] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.time = time_machine.travel(SATURDAY_NOON, tick=False)
        self.story = Story(self.staff, self.time.start())
        self.gateway: dict[str, bool] = {}
        self.steps: list[Step] = []

    def tell(self, what: str, **facts) -> None:
        self.steps.append(Step(what, facts))
        with self.keeping_what_fails():
            self.story.tell(self.steps[-1])

    @contextmanager
    def keeping_what_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            Machine.failed = self.steps, self.gateway
            raise

    @initialize(
        agenda=st.lists(rows(), min_size=2, max_size=4),
        first=bulletins(),
        release_at=releases,
        repeats=st.booleans(),
    )
    def begin(self, agenda: list[Row], first: Bulletin, release_at, repeats: bool) -> None:
        self.gateway = {"honours_reference": repeats}
        self.story.real.gateway.honours_reference = repeats
        for number, row in enumerate(agenda, 1):
            self.tell("agenda", act=number, row=row)
        self.tell("approve", bulletin=first, release_at=release_at)

    @rule(data=st.data())
    def happens(self, data: st.DataObject) -> None:
        what = data.draw(st.sampled_from(list(self.possible())))
        drawn = getattr(self, what, None)
        name, facts = drawn(data.draw) if drawn else (what, {})
        self.tell(name, **facts)

    def possible(self) -> Iterator[str]:
        """Yield what can happen now, the likelier the more often."""
        plain, real = self.story.plain, self.story.real
        yield from ["agenda", "agenda", "agenda", "approve", "wait", "ring_in", "ring_in"]
        if any(one.is_in_force for one in plain.bulletins):
            yield from ["withdraw", "decide_whoever"]
        if any(self.deciders(act) for act in plain.acts):
            yield from ["decide"] * 5
        if any(act.ruling for act in plain.acts.values()):
            yield from ["undo", "undo", "contacted", "not_contacted"]
        due = real.can_do()
        yield from [f"{what}" for what in due for _ in range(5)]
        if real.talk:
            yield from ["log_call"] * 5
        if real.leaving:
            yield from ["answer"] * 6
        if real.left:
            yield from ["receipt", "receipt", "receipt", "by_hand", "sweep", "sweep"]
        if real.waits_for():
            yield from ["wait_for_what_waits", "stop", "pause"]

    def deciders(self, act: int) -> list[str]:
        return [by for by in (*DOCTORS, DIRECTOR) if self.story.plain.may_decide(act, by)]

    def an_act(self, draw, *, which=lambda act: True) -> int:
        return draw(st.sampled_from([n for n in sorted(self.story.plain.acts) if which(n)]))

    def approve(self, draw):
        return "approve", {"bulletin": draw(bulletins()), "release_at": draw(releases)}

    def withdraw(self, draw):
        plain = self.story.plain
        in_force = [n for n, one in enumerate(plain.bulletins) if one.is_in_force]
        bulletin = draw(st.sampled_from(in_force))
        return "withdraw", {
            "bulletin": bulletin,
            "restores": draw(st.sampled_from([None, *plain.restorable(bulletin)])),
            "sends_back": draw(st.booleans()),
            "by_sms": draw(st.booleans()),
        }

    def decide(self, draw):
        act = self.an_act(draw, which=self.deciders)
        return self._decided(draw, act, draw(st.sampled_from(self.deciders(act))))

    def decide_whoever(self, draw):
        return self._decided(draw, self.an_act(draw), draw(st.sampled_from([*DOCTORS, DIRECTOR])))

    def _decided(self, draw, act, by):
        return "decide", {"act": act, "by": by, "word": draw(RULINGS if by == DIRECTOR else KEPT)}

    def undo(self, draw):
        act = self.an_act(draw, which=lambda act: self.story.plain.acts[act].ruling)
        people = [*DOCTORS, DIRECTOR]
        by = self.story.plain.acts[act].ruling.by
        author = [by] * 4 if by in people else []
        return "undo", {"act": act, "by": draw(st.sampled_from([*author, *people]))}

    def wait(self, draw):
        return "wait", {"minutes": draw(st.sampled_from([1, 5, 31, 121, 6 * 60, 18 * 60]))}

    def wait_for_what_waits(self, draw):
        moments = [one for one in self.story.real.waits_for() if one > self.story.now]
        minutes = (min(moments, default=self.story.now) - self.story.now) // dt.timedelta(minutes=1)
        return "wait", {"minutes": minutes + 1}

    def answer(self, draw):
        nth = draw(st.integers(0, len(self.story.real.leaving) - 1))
        answers = ["accepted"] * 5 + list(ANSWERS)
        return "answer", {"nth": nth, "answer": draw(st.sampled_from(answers))}

    def receipt(self, draw):
        nth = draw(st.integers(0, len(self.story.real.left) - 1))
        return "receipt", {"nth": nth, "state": draw(st.sampled_from(["delivered", "failed"]))}

    def by_hand(self, draw):
        nth = draw(st.integers(0, len(self.story.real.left) - 1))
        return "by_hand", {"nth": nth, "how": draw(st.sampled_from(["resend", "call", "told"]))}

    def stop(self, draw):
        return "stop", {"patient": draw(st.sampled_from([1, 2]))}

    def ring_in(self, draw):
        patients = sorted({act.row.patient for act in self.story.plain.acts.values()})
        return "ring_in", {"patient": draw(st.sampled_from(patients))}

    def log_call(self, draw):
        results = ["reached"] * 4 + ["no_answer", "no_answer", "wrong_number", "call_back_later"]
        return "log_call", {"result": draw(st.sampled_from(results))}

    def contacted(self, draw):
        act = self.an_act(draw)
        return "contacted", {"act": act, "by": self.story.plain.acts[act].row.doctor}

    def not_contacted(self, draw):
        return "not_contacted", self.contacted(draw)[1]

    def agenda(self, draw):
        """A new appointment, or something about a known one that changes."""
        plain = self.story.plain
        act, other = draw(st.sampled_from([*sorted(plain.acts), len(plain.acts) + 1])), draw(rows())
        if act not in plain.acts:
            return "agenda", {"act": act, "row": other}
        row = plain.acts[act].row
        changes = [
            {"starts_at": dt.datetime.combine(row.day, other.starts_at.timetz())},
            {"starts_at": other.starts_at},
            {"is_planned": not row.is_planned},
            {"patient": other.patient},
            {"service": other.service},
        ]
        return "agenda", {"act": act, "row": replace(row, **draw(st.sampled_from(changes)))}

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                with self.keeping_what_fails():
                    self.story.settle()
        finally:
            self.time.stop()
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)


def tell_stories(seed_number: int, examples: int) -> None:
    """Draw stories until one goes wrong; show the shortest that goes wrong in that way."""
    with time_machine.travel(SATURDAY_NOON, tick=False):
        Machine.staff = Staff()
    Machine.failed = None
    try:
        run_state_machine_as_test(
            seed(seed_number)(Machine),
            settings=settings(
                max_examples=examples,
                stateful_step_count=STEPS,
                phases=[Phase.generate],  # ``shortest`` knows better what may be left out
                report_multiple_bugs=False,
                print_blob=False,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Exception:
        if Machine.failed is None:
            raise
        steps, gateway = Machine.failed
        story, fault = told(Machine.staff, shortest(Machine.staff, steps, **gateway), **gateway)
        if not fault:
            raise
        pytest.fail(f"seed {seed_number}, {gateway}:\n{story}\n{fault}", pytrace=False)


@pytest.mark.django_db
@pytest.mark.parametrize("part", range(4))
def test_the_application_agrees_with_the_model(part):
    tell_stories(part, STORIES // 4)


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(8))
def test_the_application_agrees_with_the_model_in_many_stories(part):
    tell_stories(PROOF_SEED + part, PROOF_STORIES // 8)
