"""Any order of commits: decisions, workers that die, answers, receipts, agents, sweeps.

Each rule is what one process commits, so that between any two of them another one may come, or
the process dies. After each the promises are looked at (DESIGN, section 6).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from notifications.calls import services as calls
from notifications.gateways import (
    Accepted,
    Inbound,
    NotSent,
    ReceiptReport,
    Refused,
    Throttled,
    Unknown,
)
from notifications.lifecycle import delivery_states, notice_states, opening
from notifications.models import LIVE, Delivery, DeliveryState, Failure, Notice
from notifications.receipts import receive as receiving
from notifications.sending import sweep as sweeping
from notifications.sending.handover import HandedOver, hand_over, record
from notifications.telling import by_hand
from patients.models import Patient
from staff import clock
from staff.database import as_parameter, temporary_tables
from tests.builders import a_patient, a_site, a_user, at
from tests.notifications.builders import RELEASE, SUNDAY, FakeGateway

pytestmark = pytest.mark.django_db

DAY = dt.date(2022, 5, 16)
HOUR = at("2022-05-16 09:10")
HOLDS = """subject_id bigint PRIMARY KEY, patient_id bigint NOT NULL, day date NOT NULL,
    starts_at timestamptz NOT NULL, word varchar(12) NOT NULL, postponed_to date"""
# Who has a mobile, a mobile and a landline, and a landline only.
PHONES = (
    {"mobile": "+32470000001"},
    {"mobile": "+32470000002", "landline": "+3263000002"},
    {"mobile": "", "landline": "+3263000003"},
)
ANSWERS = {
    "accepted": Accepted("n1"),
    "refused": Refused(Failure.INVALID_NUMBER),
    "refused for now": Refused(Failure.REJECTED, permanent=False),
    "too fast": Throttled(5.0),
    "not sent": NotSent("nobody there"),
    "unknown": Unknown("no answer"),
}
MAY_HAVE_LEFT = ("accepted", "unknown")
# The drawing in ``Delivery``, and what receipts, people and slips do.
EDGES = {
    "held": ("queued", "withdrawn", "suppressed", "expired"),
    "queued": ("claimed", "withdrawn", "suppressed", "expired", "failed", "delivered", "accepted"),
    "claimed": (
        "queued",
        "submitting",
        "withdrawn",
        "suppressed",
        "expired",
        "delivered",
        "failed",
    ),
    "submitting": ("accepted", "delivered", "failed", "expired", "queued", "unknown", "withdrawn"),
    "accepted": ("delivered", "failed", "expired", "unknown"),
    "unknown": ("accepted", "delivered", "failed", "expired", "queued", "withdrawn"),
    "failed": ("delivered",),
    "expired": ("delivered",),
    "delivered": (),
    "withdrawn": (),
    "suppressed": (),
}


def reachable(state: str) -> set[str]:
    """Return the states that a try may have some moves later."""
    found = {state}
    while more := {then for one in found for then in EDGES[one]} - found:
        found |= more
    return found


class Crash(Exception):
    """The process died."""


@dataclass(frozen=True)
class OfPatient:
    """The scope of one patient's day."""

    patient_id: int

    def condition(self, alias: str) -> str:
        """Return the SQL condition on a table that has ``patient_id``."""
        return f"{alias}.patient_id = %s"

    @property
    def parameters(self) -> list[int]:
        """The value of the condition's placeholder."""
        return [self.patient_id]


class Life(RuleBasedStateMachine):
    """Three patients with one appointment each, and all that tells them."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.time = time_machine.travel(SUNDAY, tick=False)
        self.clock = self.time.start()
        receiving.forget()
        self.site = a_site()
        self.patients = [a_patient(**phones) for phones in PHONES]
        self.words = {patient.pk: "maintained" for patient in self.patients}
        self.agents = [a_user(f"agent{n}", "call_agent") for n in range(2)]
        self.chief = a_user("chief", "crisis_cell")
        self.gateway = FakeGateway(has_receipts=True, honours_reference=True)
        self.workers = 0
        self.claimed: dict[str, list[int]] = {}
        self.leaving: dict[str, Sequence[HandedOver]] = {}
        self.sent: list[HandedOver] = []
        self.may_have_left: dict[int, set[str]] = defaultdict(set)
        self.before: dict[int, str] = {}
        self.answerers = list(notice_states._answerers)
        notice_states.answer_with(self.align)

    def teardown(self) -> None:
        """Nobody is lost: once all have tried, each notice has an end."""
        try:
            self.finish()
        finally:
            notice_states._answerers[:] = self.answerers
            self.time.stop()
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def finish(self) -> None:
        """Let time pass, and agents ring who are never answered."""
        for _round in range(12):
            self.clock.shift(3 * 3600)
            sweeping.sweep(gateways=[self.gateway])
            while call := calls.take_next(by=self.agents[0]):
                calls.log(delivery_id=call.pk, by=self.agents[0], result="no_answer")
            self.the_promises_hold()
        assert not Notice.objects.filter(state="open").exists()

    # --- what is decided --------------------------------------------------------------------

    def align(self, pairs: Iterable[tuple[int, dt.date]]) -> None:
        """Open and withdraw notices as what holds now asks for."""
        for patient_id, _day in sorted(set(pairs)):
            if clock.now() < HOUR:
                self.align_one(patient_id)

    @transaction.atomic
    def align_one(self, patient_id: int) -> None:
        notice_states.lock_patient(patient_id)
        scope, word = OfPatient(patient_id), self.words[patient_id]
        with temporary_tables(**opening.TABLES, holds=HOLDS) as cursor:
            opening.lock_pending(cursor, scope)
            opening.find_known(cursor, scope)
            fact: list[Any] = [patient_id, DAY.isoformat(), as_parameter(HOUR), word]
            cursor.execute(
                """INSERT INTO holds (subject_id, patient_id, day, starts_at, word)
                   VALUES (1, %s, %s, %s, %s)""",
                fact,
            )
            vain = Notice.objects.filter(patient=patient_id, state="unreachable")
            stale = vain.exclude(items__word=word).values_list("pk", flat=True)
            cursor.executemany("INSERT INTO stale_vain VALUES (%s)", [[pk] for pk in stale])
            cursor.execute("SELECT word, is_in_doubt FROM heard")
            if channel := self.owed(patient_id, cursor.fetchone()):
                cursor.execute(
                    """INSERT INTO wanted (subject_id, patient_id, day, starts_at, word, site_id,
                           channel, not_before, rank, ignores_quiet_hours)
                       VALUES (1, %s, %s, %s, %s, %s, %s, %s, 1, 1)""",
                    [*fact, self.site.pk, channel, as_parameter(RELEASE)],
                )
            opening.align(cursor, clock.now())

    def owed(self, patient_id: int, heard: tuple[str, int] | None) -> str:
        """Return over what a patient is owed what holds; empty for nothing (ADR 0014)."""
        word = self.words[patient_id]
        last = Notice.objects.filter(patient=patient_id).exclude(state="withdrawn")
        newest = last.order_by("-version").first()
        if newest and newest.state == "unreachable" and newest.items.get().word == word:
            return ""
        if heard is None:
            return "sms" if word == "cancelled" else ""
        return "" if heard[0] == word and not heard[1] else "phone"

    @rule(who=st.integers(0, 2), word=st.sampled_from(["cancelled", "cancelled", "maintained"]))
    def decide(self, who: int, word: str) -> None:
        """A bulletin rules, or a doctor keeps the patient."""
        patient: Patient = self.patients[who]
        self.words[patient.pk] = word
        self.align([(patient.pk, DAY)])

    # --- workers ----------------------------------------------------------------------------

    @rule()
    def claim(self) -> None:
        """A new worker claims what is due."""
        self.workers += 1
        delivery_states.promote()
        worker = f"w{self.workers}"
        self.claimed[worker] = delivery_states.claim(worker=worker, limit=5, gateway="fake")

    @rule(data=st.data())
    def hand_over(self, data: st.DataObject) -> None:
        """A worker commits to what leaves."""
        if not self.claimed:
            return
        worker = data.draw(st.sampled_from(sorted(self.claimed)))
        ids = self.claimed.pop(worker)
        self.leaving[worker] = hand_over(ids=ids, worker=worker, gateway=self.gateway) or []
        for one in self.leaving[worker]:
            notice = Notice.objects.get(pk=one.notice_id)
            assert Delivery.objects.get(pk=one.delivery_id).state == DeliveryState.SUBMITTING
            assert notice.handed_over_at is not None
            assert notice.items.get().word == self.words[notice.patient_id]
            out, reference = self.may_have_left[notice.pk], one.message.reference
            assert out <= {reference}, "a second SMS for what may have left already"
            assert one.again == (reference in out)
            out.add(reference)
            self.sent.append(one)

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """The gateway answers a worker."""
        if not self.leaving:
            return
        worker = data.draw(st.sampled_from(sorted(self.leaving)))
        results = {}
        for one in self.leaving.pop(worker):
            name = data.draw(st.sampled_from(sorted(ANSWERS)))
            results[one.delivery_id] = ANSWERS[name], one.again
            if name not in MAY_HAVE_LEFT and not one.again:
                self.may_have_left[one.notice_id].discard(one.message.reference)
        record(worker=worker, gateway=self.gateway, results=results)

    @rule()
    def workers_die(self) -> None:
        """What they claimed, or handed over, is for the sweep."""
        self.claimed.clear()
        self.leaving.clear()

    @rule(data=st.data(), says=st.sampled_from(["on_its_way", "delivered", "failed", "expired"]))
    def receive(self, data: st.DataObject, says: str) -> None:
        """A receipt comes, perhaps again or late; never for what did not leave."""
        left = [
            one for one in self.sent if one.message.reference in self.may_have_left[one.notice_id]
        ]
        if left:
            one = data.draw(st.sampled_from(left))
            report = ReceiptReport(state=says, reference=one.message.reference)  # type: ignore[arg-type]
            receiving.receive(gateway="fake", reports=[report])

    @rule(who=st.integers(0, 1))
    def stop(self, who: int) -> None:
        """A patient wants no SMS any more."""
        phone = self.patients[who].mobile
        receiving.receive(gateway="fake", reports=[Inbound(phone=phone, text="STOP")])

    # --- people -----------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), result=st.sampled_from(["reached", "no_answer", "wrong_number"]))
    def ring(self, who: int, result: str) -> None:
        """An agent takes a call, and notes what came of it unless it changed meanwhile."""
        if call := calls.take_next(by=self.agents[who]):
            calls.log(delivery_id=call.pk, by=self.agents[who], result=result)

    @rule(who=st.integers(0, 1))
    def take(self, who: int) -> None:
        """An agent takes a call and lets it lie."""
        calls.take_next(by=self.agents[who])

    @rule(tell=st.booleans())
    def settle(self, tell: bool) -> None:
        """The crisis cell settles what nobody knows."""
        unknown = list(Delivery.objects.filter(state="unknown").values_list("pk", flat=True))
        settle = by_hand.count_as_told if tell else by_hand.call_instead
        settle(delivery_ids=unknown, by=self.chief, reason="essai")

    # --- time -------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([5, 120, 1200, 7300]))
    def time_passes(self, seconds: int) -> None:
        """Leases run out, waits end."""
        self.clock.shift(seconds)

    @rule()
    def sweep(self) -> None:
        """Beat puts right what hangs."""
        sweeping.sweep(gateways=[self.gateway])

    @rule(steps=st.integers(0, 6))
    def sweep_that_dies(self, steps: int) -> None:
        """The same, killed between two of its commits."""
        left, move_on = [steps], sweeping._each

        def each(*args: Any) -> int:
            if not left[0]:
                raise Crash
            left[0] -= 1
            return move_on(*args)

        with mock.patch.object(sweeping, "_each", each), pytest.raises(Crash):
            sweeping.sweep(gateways=[self.gateway])

    # --- promises ---------------------------------------------------------------------------

    @invariant()
    def the_promises_hold(self) -> None:
        """An open notice has one live try, a closed one none; no try goes where none is drawn."""
        tries = list(Delivery.objects.values_list("pk", "notice", "state"))
        live = [notice for _pk, notice, state in tries if state in LIVE]
        still_open = Notice.objects.filter(state="open").values_list("pk", flat=True)
        assert sorted(live) == sorted(still_open)
        for pk, _notice, state in tries:
            assert state in reachable(self.before.get(pk, state)), (self.before[pk], state)
        self.before = {pk: state for pk, _notice, state in tries}


def test_the_promises_hold_whatever_comes_next() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=6,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
