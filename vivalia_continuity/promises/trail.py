"""The trail: whole, and telling of every decision that a person took."""

from collections.abc import Iterator

from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast

from appointments.models import Basis, Bulletin, Decision, ImportState, ScheduleImport
from staff import append_only
from staff.models import AuditEvent
from staff.services import audit
from vivalia_continuity.promises.sentences import SHOWN, sentence


def chain() -> Iterator[str]:
    """An event changed, removed or inserted."""
    faults = list(audit.faults())
    yield from (f"journal : {fault}" for fault in faults[:SHOWN])
    if len(faults) > SHOWN:
        yield f"journal : {len(faults) - SHOWN} autres ruptures"


def orders_and_loads_without_an_event() -> Iterator[str]:
    """A bulletin or a load of which the trail knows nothing: it was emptied, or begun anew."""
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
    """A table whose rows the database no longer refuses to change."""
    for table in append_only.unguarded():
        yield f"{table} : la base n'y refuse plus les changements (déclencheur absent)"


def decisions_without_an_event() -> Iterator[str]:
    """A decision said to be a person's, of which the trail knows nothing."""
    event = AuditEvent.objects.filter(
        object_type="appointment",
        object_id=Cast(OuterRef("appointment_id"), CharField()),
        actor=OuterRef("decided_by"),
    )
    yield from sentence(
        Decision.objects.filter(~Exists(event), basis=Basis.PERSON),
        "décisions de personnes dont le journal ne sait rien",
    )
