"""What the feeds brought: explained where it was refused, on the right day, of a known age."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import TruncDate

from appointments.models import Appointment, Feed, RejectedRow, ScheduleImport
from staff.clock import BRUSSELS
from vivalia_continuity.promises.sentences import sentence


def rejected_without_a_reason() -> Iterator[str]:
    """A load that refused rows without keeping which ones and why."""
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
    """A feed that brought appointments and has neither an age nor a load: it would look new.

    An age that nobody knows is said on every page, as loudly as one too old.
    """
    brought = Appointment.objects.filter(feed=OuterRef("pk"))
    yield from sentence(
        Feed.objects.filter(Exists(brought), heard_at__isnull=True, loaded_at__isnull=True),
        "sources dont l'âge des données est inconnu",
        field="name",
    )
