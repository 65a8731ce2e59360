"""A doctor's own appointments that a bulletin touches, with what is needed to judge."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from appointments.models import Appointment, Basis, Decision, Outcome, Status
from appointments.queries.appointment import Words, standing_decisions, words_of
from appointments.queries.in_force import keep_answers, keeper_of
from appointments.rules import KeepAnswer
from notifications.models import Notice, NoticeItem, NoticeState
from staff import clock
from staff.models import Practitioner, User


@dataclass(frozen=True)
class Card:
    """One appointment as its doctor sees it.

    ``words`` is what the patient was or is to be told. ``refusal`` says why what was just asked
    cannot be done.
    """

    appointment: Appointment
    answer: KeepAnswer
    decision: Decision | None
    words: Words
    refusal: str = ""

    @property
    def is_by_person(self) -> bool:
        """Whether somebody decided it in person."""
        return self.appointment.outcome_basis == Basis.PERSON

    @property
    def is_kept(self) -> bool:
        """Whether somebody kept it."""
        return self.is_by_person and self.appointment.outcome == Outcome.MAINTAINED

    @property
    def word(self) -> NoticeItem | None:
        """The newest word, when it says what now holds."""
        newest = self.words.newest
        return newest if newest and newest.word == self.appointment.outcome else None

    @property
    def is_told(self) -> bool:
        """Whether the patient knows what now holds."""
        return self.word is not None and self.word.notice.state == NoticeState.TOLD

    @property
    def is_on_its_way(self) -> bool:
        """Whether a message about what now holds has left, and nobody knows if it arrived."""
        left = self.word is not None and self.word.notice.handed_over_at is not None
        return left and not self.is_told

    @property
    def is_to_be_contacted(self) -> bool:
        """Whether the doctor who kept the patient still has to reach them."""
        return self.is_kept and self.word is not None and not self.is_told

    @property
    def heard_otherwise(self) -> NoticeItem | None:
        """The last word that left, when it says something else than what now holds."""
        heard = self.words.heard
        return heard if heard and heard.word != self.appointment.outcome else None


@dataclass(frozen=True)
class DayCounts:
    """What stands at the top of the page: how many are touched, kept, still to be contacted."""

    touched: int
    kept: int
    to_contact: int


def practitioners_of(user: User) -> list[Practitioner]:
    """Return the practitioners in whose name the user may keep, their own first."""
    mine = Practitioner.objects.filter(pk__in=keeper_of(user).practitioner_ids)
    return sorted(mine, key=lambda p: (p.user_id != user.pk, p.family_name, p.given_name))


def answered_for(user: User) -> QuerySet[Appointment]:
    """Return the appointments of all practitioners in whose name the user may keep."""
    return Appointment.objects.filter(
        practitioner__in=keeper_of(user).practitioner_ids
    ).select_related("patient", "unit__site", "practitioner")


def touched(user: User, practitioner: Practitioner) -> QuerySet[Appointment]:
    """Return a practitioner's appointments of today and later about which something is decided."""
    return answered_for(user).filter(
        practitioner=practitioner,
        day__gte=clock.today(),
        decision_version__gte=1,
        status=Status.BOOKED,
    )


def counts_of(appointments: QuerySet[Appointment], practitioner: Practitioner) -> DayCounts:
    """Count what ``touched`` lists (two queries)."""
    kept = Q(outcome=Outcome.MAINTAINED, outcome_basis=Basis.PERSON)
    counts = appointments.aggregate(touched=Count("pk"), kept=Count("pk", filter=kept))
    waiting = Notice.objects.filter(
        reserved_for=practitioner, state=NoticeState.OPEN, day__gte=clock.today()
    )
    return DayCounts(to_contact=waiting.count(), **counts)


def cards_of(appointments: Iterable[Appointment], user: User, *, refusal: str = "") -> list[Card]:
    """Return the cards of appointments whose patient, unit and site are loaded (four queries)."""
    listed = list(appointments)
    answers = keep_answers(listed, user, clock.now())
    decisions = standing_decisions(listed)
    words = words_of(listed)
    return [
        Card(
            appointment=appointment,
            answer=answers[appointment.pk],
            decision=decisions.get(appointment.pk),
            words=words.get(appointment.pk, Words()),
            refusal=refusal,
        )
        for appointment in listed
    ]
