"""Decisions: whole, agreeing with what is shown, and never against an emergency."""

from collections.abc import Iterator

from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery

from appointments.models import Appointment, Bulletin, Decision, Outcome, Service
from vivalia_continuity.promises.sentences import sentence
from vivalia_continuity.promises.told import STANDING, new_day


def emergency_cancelled() -> Iterator[str]:
    """An emergency for which anything but maintained holds.

    What was decided before the source called it an emergency is history.
    """
    yield from sentence(
        Appointment.objects.filter(service=Service.EMERGENCY).exclude(
            outcome__in=["", Outcome.MAINTAINED]
        ),
        "urgences qui ne sont pas maintenues",
    )
    yield from sentence(
        Decision.objects.filter(
            appointment__service=Service.EMERGENCY, version=F("appointment__decision_version")
        ).exclude(outcome=Outcome.MAINTAINED),
        "décisions contre une urgence",
    )


def outcome_differs() -> Iterator[str]:
    """An appointment that shows something else than its latest decision."""
    latest = Decision.objects.filter(appointment=OuterRef("pk")).order_by("-version")
    shown = Appointment.objects.annotate(
        latest_version=Subquery(latest.values("version")[:1]),
        latest_outcome=Subquery(latest.values("outcome")[:1]),
        latest_basis=Subquery(latest.values("basis")[:1]),
        latest_new_day=new_day(Subquery(latest.values("postponed_to")[:1])),
    )
    undecided = Q(latest_version__isnull=True)
    differs = (undecided & ~Q(decision_version=0)) | (
        ~undecided
        & ~Q(
            decision_version=F("latest_version"),
            outcome=F("latest_outcome"),
            outcome_basis=F("latest_basis"),
            latest_new_day=new_day("postponed_to"),
        )
    )
    yield from sentence(
        shown.filter(differs), "rendez-vous qui montrent autre chose que leur dernière décision"
    )


def version_gap() -> Iterator[str]:
    """An appointment whose decisions do not count 1, 2, 3…"""
    counted = Appointment.objects.annotate(
        number=Count("decisions"), last=Max("decisions__version")
    )
    yield from sentence(
        counted.filter(last__isnull=False).exclude(number=F("last")),
        "rendez-vous dont une décision manque",
    )


def two_people() -> Iterator[str]:
    """A bulletin that somebody both drafted and approved."""
    yield from sentence(
        Bulletin.objects.filter(approved_by=F("drafted_by")),
        "bulletins approuvés par la personne qui les a rédigés",
    )


def for_another_day() -> Iterator[str]:
    """An appointment that moved and still shows what was decided for the day before."""
    for_its_day = Decision.objects.filter(
        appointment=OuterRef("pk"), version=OuterRef("decision_version"), day=OuterRef("day")
    )
    yield from sentence(
        Appointment.objects.filter(~Exists(for_its_day), status__in=STANDING).exclude(outcome=""),
        "rendez-vous déplacés qui gardent la décision de l'ancien jour",
    )
