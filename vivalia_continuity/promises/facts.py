"""Checks of the loaded appointments, the decisions and the trail.

Feeds: each refused row has a reason, each appointment the right day, each feed a known age.
Decisions: complete, equal to what is shown, and never against an emergency. The trail: unbroken,
with an event for every decision of a person.
"""

from collections.abc import Iterator

from django.db.models import CharField, Count, Exists, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Cast, TruncDate

from appointments.models import (
    Appointment,
    Basis,
    Bulletin,
    Decision,
    Feed,
    ImportState,
    Outcome,
    RejectedRow,
    ScheduleImport,
    Service,
)
from staff import append_only
from staff.clock import BRUSSELS
from staff.models import AuditEvent
from staff.services import audit
from vivalia_continuity.promises.sentences import SHOWN, sentence
from vivalia_continuity.promises.told import STANDING, new_day


def rejected_without_a_reason() -> Iterator[str]:
    """A load that refused rows without storing which ones and why."""
    kept = RejectedRow.objects.filter(schedule_import=OuterRef("pk"))
    yield from sentence(
        ScheduleImport.objects.filter(~Exists(kept), rows_rejected__gt=0),
        "chargements dont les lignes rejetées ne sont pas nommées",
    )
    yield from sentence(
        RejectedRow.objects.filter(why=""), "lignes rejetées sans raison", field="line"
    )


def wrong_day() -> Iterator[str]:
    """An appointment whose day is not the local date on which it starts."""
    local = Appointment.objects.annotate(local_day=TruncDate("starts_at", tzinfo=BRUSSELS))
    yield from sentence(
        local.exclude(day=F("local_day")), "rendez-vous rangés à un autre jour que le leur"
    )


def age_unknown() -> Iterator[str]:
    """A feed with appointments but without an age and a load: it would look new.

    Every page shows an unknown age as clearly as one too old.
    """
    brought = Appointment.objects.filter(feed=OuterRef("pk"))
    yield from sentence(
        Feed.objects.filter(Exists(brought), heard_at__isnull=True, loaded_at__isnull=True),
        "sources dont l'âge des données est inconnu",
        field="name",
    )


def emergency_cancelled() -> Iterator[str]:
    """An emergency with another outcome than maintained.

    A decision made before the source marked it as an emergency does not count.
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
    """An appointment whose outcome differs from its latest decision."""
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
    """An appointment whose decision versions are not 1, 2, 3…"""
    counted = Appointment.objects.annotate(
        number=Count("decisions"), last=Max("decisions__version")
    )
    yield from sentence(
        counted.filter(last__isnull=False).exclude(number=F("last")),
        "rendez-vous dont une décision manque",
    )


def two_people() -> Iterator[str]:
    """A bulletin drafted and approved by one person."""
    yield from sentence(
        Bulletin.objects.filter(approved_by=F("drafted_by")),
        "bulletins approuvés par la personne qui les a rédigés",
    )


def for_another_day() -> Iterator[str]:
    """A moved appointment with an outcome decided for its old day."""
    for_its_day = Decision.objects.filter(
        appointment=OuterRef("pk"), version=OuterRef("decision_version"), day=OuterRef("day")
    )
    yield from sentence(
        Appointment.objects.filter(~Exists(for_its_day), status__in=STANDING).exclude(outcome=""),
        "rendez-vous déplacés qui gardent la décision de l'ancien jour",
    )


def chain() -> Iterator[str]:
    """An event changed, removed or inserted."""
    faults = list(audit.faults())
    yield from (f"journal : {fault}" for fault in faults[:SHOWN])
    if len(faults) > SHOWN:
        yield f"journal : {len(faults) - SHOWN} autres ruptures"


def orders_and_loads_without_an_event() -> Iterator[str]:
    """A bulletin or a load without an event: the trail was emptied or restarted."""
    loaded = ScheduleImport.objects.filter(state=ImportState.LOADED)
    for rows, action, said in (
        (Bulletin.objects.all(), "bulletin.drafted", "bulletins"),
        (loaded, "schedule.loaded", "chargements"),
    ):
        event = AuditEvent.objects.filter(
            object_type=rows.model._meta.model_name,
            object_id=Cast(OuterRef("pk"), CharField()),
            action=action,
        )
        yield from sentence(rows.filter(~Exists(event)), f"{said} dont le journal ne sait rien")


def guards_gone() -> Iterator[str]:
    """An append-only table without its guard in the database."""
    for table in append_only.unguarded():
        yield f"{table} : la base n'y refuse plus les changements (déclencheur absent)"


def decisions_without_an_event() -> Iterator[str]:
    """A person's decision without an event in the trail."""
    event = AuditEvent.objects.filter(
        object_type="appointment",
        object_id=Cast(OuterRef("appointment_id"), CharField()),
        actor=OuterRef("decided_by"),
    )
    yield from sentence(
        Decision.objects.filter(~Exists(event), basis=Basis.PERSON),
        "décisions de personnes dont le journal ne sait rien",
    )
