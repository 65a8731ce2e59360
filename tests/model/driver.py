"""The real services, used as people, agendas and gateways use them, and what the patients hear."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from django.db.models import Max
from django.test import Client
from django.urls import reverse

from appointments.board.queries import board
from appointments.bulletins import services as bulletins
from appointments.bulletins import withdrawals
from appointments.bulletins.preview import preview
from appointments.bulletins.public_text import orders_of
from appointments.bulletins.queries import places
from appointments.decisions import keeping
from appointments.decisions.effective_orders import Statement
from appointments.decisions.rulings import clauses_of
from appointments.feeds.records import ScheduleRecord
from appointments.incoming import queries as incoming
from appointments.models import Appointment
from appointments.models import Bulletin as Bulletins
from appointments.operations import services as operations
from appointments.paper.content import RosterRow
from appointments.paper.queries import roster_contents
from appointments.rules import ClauseTerms
from notifications.calls import services as calls
from notifications.calls.queries import said_together
from notifications.gateways import (
    Accepted,
    Inbound,
    NotSent,
    ReceiptReport,
    Refused,
    Throttled,
    Unknown,
)
from notifications.lifecycle import delivery_states, notice_states
from notifications.models import (
    LIVE,
    WITHDRAWABLE,
    Delivery,
    Failure,
    Notice,
    NoticeItem,
    ReceiptState,
)
from notifications.receipts import receive as receiving
from notifications.sending import handover
from notifications.sending import sweep as sweeping
from notifications.sending import switch as sending
from notifications.telling import by_hand as settling_by_hand
from patients.models import PatientIdentifier
from staff import clock
from staff.errors import AccessRefused, Refusal
from staff.models import Unit
from tests.appointments.feeds.loads import load
from tests.builders import a_practitioner, a_unit, a_user
from tests.model.plain import (
    DIRECTOR,
    DOUBTFUL,
    HEARD,
    MAINTAINED,
    NOT_HEARD,
    ON_ITS_WAY,
    Bulletin,
    Row,
    Word,
)
from tests.notifications.builders import FakeGateway

UNITS = {
    ("consultation", "arlon"): "arlon-cardio",
    ("consultation", "marche"): "marche-cardio",
    ("radiology", "arlon"): "arlon-radio",
    ("radiology", "marche"): "marche-radio",
    ("surgery", "arlon"): "arlon-bloc",
    ("surgery", "marche"): "marche-bloc",
    ("emergency", "arlon"): "arlon-urgences",
    ("emergency", "marche"): "marche-urgences",
}
KINDS = {"surgery": "operating_theatre", "radiology": "imaging_room", "emergency": "emergency"}
DOCTORS = ("dr-1", "dr-2")
# One with a mobile, one with two telephones, one with a landline, one with none.
PHONES = {1: ("0470000001",), 2: ("0470000002", "063000002"), 3: ("063000003",), 4: ()}
ANSWERS = {
    "accepted": lambda: Accepted(""),
    "refused": lambda: Refused(Failure.INVALID_NUMBER),
    "refused for now": lambda: Refused(Failure.REJECTED, permanent=False),
    "too fast": lambda: Throttled(5.0),
    "not sent": lambda: NotSent("nobody there"),
    "unknown": lambda: Unknown("no answer"),
}
MAY_HAVE_LEFT = ("accepted", "unknown")


@dataclass
class Message:
    """An SMS that was given to the gateway."""

    delivery: int
    notice: int
    reference: str
    patient: int
    day: dt.date
    items: list[tuple[int, Word]]
    worker: str
    again: bool
    may_have_left: bool = True  # until the gateway says that it did not


@dataclass
class Talk:
    """What an agent reads out in one call."""

    delivery: int
    duties: list["Duty"]
    said: list[int]  # the calls that the page shows together


@dataclass
class Try:
    """One try of a notice, as it lies in the database."""

    pk: int
    channel: str
    state: str
    may_have_left: bool
    not_before: dt.datetime
    lease_until: dt.datetime | None

    @property
    def is_live(self) -> bool:
        """Whether something may still become of it."""
        return self.state in LIVE


@dataclass
class Duty:
    """One notice, as it lies in the database."""

    pk: int
    state: str
    patient: int
    day: dt.date
    items: list[tuple[int, Word]] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)


@dataclass
class Seen:
    """What lies in the database: what holds, and the notices."""

    held: dict[int, tuple[str, dt.date | None]] = field(default_factory=dict)
    duties: dict[int, Duty] = field(default_factory=dict)

    @property
    def tries(self) -> list[Try]:
        """The tries of all notices."""
        return [one for duty in self.duties.values() for one in duty.tries]

    @property
    def last_try(self) -> int:
        """The number of the newest try."""
        return max((one.pk for one in self.tries), default=0)


class Staff:
    """Places and people that all examples share; made once."""

    def __init__(self) -> None:
        for (service, site), code in UNITS.items():
            a_unit(code, site=site, kind=KINDS.get(service, "clinic"))
        self.drafter = a_user("crise1", "crisis_cell")
        self.approver = a_user("crise2", "crisis_cell")
        self.agent = a_user("agent", "call_agent")
        self.people = {DIRECTOR: a_user("direction", "medical_director")}
        for code in DOCTORS:
            self.people[code] = a_user(code, "doctor")
            a_practitioner(code, user=self.people[code])


@dataclass
class Real:
    """The application."""

    staff: Staff
    gateway: FakeGateway
    numbers: list[int] = field(default_factory=list)  # of the bulletins
    leaving: list[Message] = field(default_factory=list)  # with the gateway, not answered yet
    left: dict[int, Message] = field(default_factory=dict)
    talk: Talk | None = None
    steps: int = 0
    is_paused: bool = False
    seen: Seen = field(default_factory=Seen)

    # --- Deciding ------------------------------------------------------------------------

    def agenda(self, number: int, row: Row) -> None:
        """Load one line of the agenda."""
        result = load(record(number, row), full=False)
        assert not result.rejected, result.rejected

    def approve(self, bulletin: Bulletin, release_at: dt.datetime) -> None:
        """Draft, preview and approve a bulletin: what was shown is what happens."""
        draft = bulletins.draft(
            by=self.staff.drafter,
            title="Essai",
            first_day=bulletin.first_day,
            last_day=bulletin.last_day,
            release_at=release_at,
            clauses=[ClauseTerms(**vars(clause)) for clause in bulletin.clauses],
        )
        bulletins.ready(bulletin_id=draft.pk, by=self.staff.drafter)
        shown = preview(draft.pk)
        last = Notice.objects.aggregate(last=Max("pk"))["last"] or 0
        # What was tried in vain was said by nobody: it is given up, not held back.
        pending = set(Notice.objects.filter(state="open").values_list("pk", flat=True))
        before = dict(Appointment.objects.values_list("pk", "outcome"))
        bulletins.approve(bulletin_id=draft.pk, by=self.staff.approver)
        self.numbers.append(draft.pk)
        tries = Delivery.objects.filter(notice__pk__gt=last)
        now_withdrawn = Notice.objects.filter(state="withdrawn", pk__in=pending)
        changed = sum(
            before[pk] != outcome
            for pk, outcome in Appointment.objects.values_list("pk", "outcome")
        )
        did = {
            "sms": tries.filter(channel="sms").count(),
            "phone": tries.filter(channel="phone").count(),
            "withdrawn": now_withdrawn.count(),
            "changed": changed,
        }
        said = {
            "sms": shown.patients_by_sms,
            "phone": shown.patients_by_phone,
            "withdrawn": shown.notices_withdrawn,
            "changed": shown.appointments_changed,
        }
        assert did == said, f"preview said {said}, approving did {did}"

    def withdraw(
        self, number: int, *, restores: int | None, sends_back: bool, by_sms: bool
    ) -> None:
        """Lift a bulletin: one member of the crisis cell asks for it, another one does it."""
        withdrawals.ask_withdrawal(
            bulletin_id=self.numbers[number],
            by=self.staff.drafter,
            reason="Essai",
            restores=None if restores is None else self.numbers[restores],
            sends_decisions_back=sends_back,
            by_sms=by_sms,
        )
        withdrawals.withdraw(bulletin_id=self.numbers[number], by=self.staff.approver)

    def decide(self, number: int, by: str, word: Word) -> bool:
        """Keep, let go, rule; return whether it was allowed."""
        person, pk = self.staff.people[by], self._pk(number)
        try:
            if by == DIRECTOR:
                operations.rule(
                    appointment_id=pk,
                    by=person,
                    outcome=word.outcome,
                    postponed_to=word.postponed_to,
                )
            else:
                verb = keeping.keep if word.outcome == "maintained" else keeping.let_go
                verb(appointment_id=pk, by=person)
        except (Refusal, AccessRefused):
            return False
        return True

    def undo(self, number: int, by: str) -> bool:
        """Take a decision back; return whether it was allowed."""
        undo = operations.undo if by == DIRECTOR else keeping.undo
        try:
            undo(appointment_id=self._pk(number), by=self.staff.people[by])
        except (Refusal, AccessRefused):
            return False
        return True

    # --- Sending -------------------------------------------------------------------------

    def release(self) -> None:
        """Let the SMS go before their time."""
        with suppress(Refusal):  # nothing waits
            bulletins.release_now(by=self.staff.approver)

    def pause(self) -> None:
        """Hold all sending."""
        sending.pause(by=self.staff.approver)
        self.is_paused = True

    def resume(self) -> None:
        """Let sending go on."""
        sending.resume(by=self.staff.approver)
        self.is_paused = False

    def sms_leave(self) -> list[Message]:
        """Give the gateway what is due; its answers are still to come."""
        self.steps += 1
        worker = f"w{self.steps}"
        delivery_states.promote()
        ids = delivery_states.claim(worker=worker, limit=100, gateway=self.gateway.name)
        handed = handover.hand_over(ids=ids, worker=worker, gateway=self.gateway)
        messages = []
        for one in handed or ():
            duty = self.seen.duties[one.notice_id]
            before = self.left.get(one.delivery_id)
            assert bool(before and before.may_have_left) == one.again
            message = Message(
                one.delivery_id,
                one.notice_id,
                one.message.reference,
                duty.patient,
                duty.day,
                before.items if before and one.again else duty.items,
                worker,
                one.again,
            )
            messages.append(message)
            self.left[one.delivery_id] = message
        self.leaving += messages
        return messages

    def answer(self, nth: int, answer: str) -> None:
        """Let the gateway answer for one of the messages that it has."""
        message = self.leaving.pop(nth)
        is_in_time = self._state(message.delivery) in ("submitting", "unknown")
        if is_in_time and answer not in MAY_HAVE_LEFT and not message.again:
            message.may_have_left = False
        results = {message.delivery: (ANSWERS[answer](), message.again)}
        handover.record(worker=message.worker, gateway=self.gateway, results=results)
        notice_states.answer()  # the next sweep does, some seconds later

    def receipt(self, delivery: int, state: str) -> None:
        """Let the gateway say what became of a message."""
        message = self.left[delivery]
        report = ReceiptReport(
            state=ReceiptState(state), reference=message.reference, key=f"r{self.steps}-{delivery}"
        )
        self.steps += 1
        receiving.receive(gateway=self.gateway.name, reports=[report])
        notice_states.answer()

    def stop(self, patient: int) -> None:
        """A patient writes STOP."""
        self.steps += 1
        phone = f"+32{PHONES[patient][0][1:]}"
        inbound = Inbound(phone=phone, text="STOP", key=f"s{self.steps}")
        receiving.receive(gateway=self.gateway.name, reports=[inbound])

    def sweep(self) -> None:
        """Let beat put right what hangs."""
        sweeping.sweep(gateways=[self.gateway])

    def by_hand(self, delivery: int, how: str) -> bool:
        """Settle an SMS by hand; return whether anything was moved."""
        verbs = {
            "resend": settling_by_hand.resend,
            "call": settling_by_hand.call_instead,
            "told": settling_by_hand.count_as_told,
        }
        done = verbs[how](delivery_ids=[delivery], by=self.staff.approver, reason="Essai")
        return bool(done.done)

    # --- Calling -------------------------------------------------------------------------

    def take_call(self) -> Talk | None:
        """The agent takes the next call; return what they read out."""
        call = calls.take_next(by=self.staff.agent)
        if call is None:
            return None
        call = Delivery.objects.select_related("notice__patient").get(pk=call.pk)
        together = said_together(call, self.staff.agent)
        self.talk = Talk(
            call.pk,
            [self.seen.duties[one.notice_id] for one in together],
            said=[one.pk for one in together],
        )
        return self.talk

    def log_call(self, result: str) -> Talk | None:
        """The agent notes what came of it; return what was said, if the patient was reached."""
        talk, self.talk = self.talk, None
        assert talk
        try:
            calls.log(delivery_id=talk.delivery, by=self.staff.agent, result=result, said=talk.said)
        except Refusal:
            return None
        notice_states.answer()  # as the page does: what was heard may call for another word
        return talk if result == "reached" else None

    def contacted(self, number: int, by: str) -> Duty | None:
        """The doctor notes that they called; return what they told, if they did."""
        try:
            notice = keeping.contacted(appointment_id=self._pk(number), by=self.staff.people[by])
        except (Refusal, AccessRefused):
            return None
        before = self.seen.duties[notice.pk]
        return before if before.state == "open" else None  # else they knew, nobody called

    def not_contacted(self, number: int, by: str) -> int | None:
        """The doctor takes that back; return the notice."""
        try:
            notice = keeping.not_contacted(
                appointment_id=self._pk(number), by=self.staff.people[by]
            )
        except (Refusal, AccessRefused):
            return None
        return notice.pk

    def ring_in(self, patient: int) -> list[tuple[dt.date, str, bool]]:
        """A patient rings; return by day what is read out, and whether it counts as told."""
        found = PatientIdentifier.objects.filter(value=f"P{patient}").first()
        if found is None:
            return []
        answers, client = [], Client()
        client.force_login(self.staff.agent)
        for day in incoming.days_of(found.patient, self.staff.agent):
            if day.day is None:
                continue
            data = {"day": day.day.isoformat(), "seen": day.seen}
            address = reverse("incoming_answer", args=[found.patient_id])
            page = client.post(address, data)
            assert page.url == reverse("incoming_patient", args=[found.patient_id]), page.url
            answers.append((day.day, day.said, day.answer == "told"))
        return answers

    # --- What can be seen from outside ---------------------------------------------------

    def look(self) -> None:
        """Read what lies in the database, in four queries."""
        numbers, held = {}, {}
        for pk, source_id, status, *holds in Appointment.objects.values_list(
            "pk", "source_id", "status", "outcome", "postponed_to"
        ):
            numbers[pk] = int(source_id[1:])
            if status == "booked":
                held[numbers[pk]] = tuple(holds)
        duties = {
            pk: Duty(pk, state, int(name.removeprefix("Essai")), day)
            for pk, state, name, day in Notice.objects.order_by("pk").values_list(
                "pk", "state", "patient__family_name", "day"
            )
        }
        for notice, subject, word, new_day, starts_at in NoticeItem.objects.order_by(
            "pk"
        ).values_list("notice", "subject_id", "word", "postponed_to", "starts_at"):
            said = Word(word, new_day, starts_at if word == MAINTAINED else None)
            duties[notice].items.append((numbers[subject], said))
        for notice, pk, channel, state, reference, *moments in Delivery.objects.order_by(
            "pk"
        ).values_list(
            "notice", "pk", "channel", "state", "client_reference", "not_before", "lease_until"
        ):
            duties[notice].tries.append(Try(pk, channel, state, bool(reference), *moments))
        self.seen = Seen(held, duties)

    def pending(self) -> dict[tuple[int, dt.date], tuple[dict[int, Word], Try]]:
        """Return what waits to be said: (patient, day) → the words by appointment, and the try."""
        waiting: dict[tuple[int, dt.date], tuple[dict[int, Word], Try]] = {}
        for duty in self.seen.duties.values():
            live = [one for one in duty.tries if one.is_live]
            assert len(live) == (duty.state == "open"), f"{len(live)} live tries: {duty}"
            if live and live[0].state in WITHDRAWABLE and not live[0].may_have_left:
                about = duty.patient, duty.day
                assert about not in waiting, f"two notices wait for {about}"
                waiting[about] = dict(duty.items), live[0]
        return waiting

    def fates(self) -> Iterator[tuple[str, str]]:
        """Yield what became of each notice of which an SMS left, as far as the house knows."""
        for notice in {one.notice for one in self.left.values()}:
            yield f"notice {notice}", self._fate(self.seen.duties[notice])

    def _fate(self, duty: Duty) -> str:
        tried = [(one, self.left[one.pk]) for one in duty.tries if one.pk in self.left]
        if any(one.state == "delivered" for one, _message in tried):
            return HEARD
        if any(one.is_live and message.may_have_left for one, message in tried):
            return ON_ITS_WAY
        return DOUBTFUL if any(message.may_have_left for _one, message in tried) else NOT_HEARD

    def in_state(self, state: str) -> list[Duty]:
        """Return the notices in a state."""
        return [duty for duty in self.seen.duties.values() if duty.state == state]

    def is_out(self, delivery: int) -> bool:
        """Whether an SMS is with the gateway, and nobody knows yet if it arrived."""
        return self._state(delivery) in ("accepted", "unknown")

    def _state(self, delivery: int) -> str:
        return next(one.state for one in self.seen.tries if one.pk == delivery)

    def waits_for(self) -> list[dt.datetime]:
        """Return the moments before which nothing becomes of what waits."""
        live = [one for one in self.seen.tries if one.is_live]
        leases = [one.lease_until + dt.timedelta(seconds=1) for one in live if one.lease_until]
        return [one.not_before for one in live] + leases

    def can_do(self) -> Iterator[str]:
        """Yield what would come to something: SMS that leave, calls, and the switches."""
        if self.is_paused:
            yield "resume"
        live = [one for one in self.seen.tries if one.is_live]
        if any(one.state == "held" for one in live):
            yield "release"
        due = [one for one in live if one.not_before <= clock.now()]
        if any(one.channel == "sms" and one.state in ("held", "queued") for one in due):
            yield "sms_leave"
        if self.talk is None and any(one.channel == "phone" for one in due):
            yield "take_call"

    # --- What people read ----------------------------------------------------------------

    def on_the_board(self, day: dt.date) -> Counter[tuple[str, str, str]]:
        """Return how many appointments the board shows, by service, site and outcome."""
        shown: Counter[tuple[str, str, str]] = Counter()
        for row in board(self.staff.approver, day=day).rows:
            for cell in row.cells:
                for outcome, number in cell.tally.parts:
                    shown[row.service.value, cell.site.code, outcome] += number
        return shown

    def on_the_sheets(self, day: dt.date) -> dict[int, RosterRow]:
        """Return the rows of all sheets of a day, by appointment."""
        units = Unit.objects.values_list("pk", flat=True)
        sheets = roster_contents(unit_ids=units, day=day).values()
        numbers = dict(Appointment.objects.values_list("pk", "source_id"))
        return {int(numbers[row.appointment_id][1:]): row for sheet in sheets for row in sheet.rows}

    def read_to(self, patient: int) -> Iterator[tuple[dt.date, str]]:
        """Yield what is read out about each day to a patient who rings in; nothing is noted."""
        for identifier in PatientIdentifier.objects.filter(value=f"P{patient}"):
            for day in incoming.days_of(identifier.patient, self.staff.agent):
                if day.day:
                    yield day.day, day.said

    def in_public(self, bulletin: int, days: list[dt.date]) -> list[Statement]:
        """Return what the public text of a bulletin says of the days that it rules."""
        found = Bulletins.objects.get(pk=self.numbers[bulletin])
        clauses = clauses_of(found)
        return list(orders_of(clauses, places().names, days).said)

    def _pk(self, number: int) -> int:
        return Appointment.objects.values_list("pk", flat=True).get(source_id=f"A{number}")


def record(number: int, row: Row) -> ScheduleRecord:
    """Return a line of the agenda as a reader of files yields it."""
    return ScheduleRecord(
        line=2,
        source_id=f"A{number}",
        patient_id=f"P{row.patient}",
        family_name=f"Essai{row.patient}",
        given_name="Anne",
        birth_date=dt.date(1950 + row.patient, 1, row.patient),
        language="fr",
        phones=PHONES[row.patient],
        site=row.site,
        unit=UNITS[row.service, row.site],
        service=row.service,
        practitioner_code=row.doctor,
        practitioner_name=row.doctor.upper(),
        starts_at=row.starts_at,
        status="booked" if row.is_planned else "cancelled",
        protected_groups=row.groups,
    )
