"""One appointment: who may open it, and everything that is known about it."""

from django.db.models import Q, QuerySet

from appointments.models import Appointment, Decision, Service
from appointments.queries.in_force import keeper_of
from notifications.models import NoticeItem, NoticeState
from staff.access import Capability, Scope, scope_of
from staff.models import User

DETAILS = ("patient", "unit__site", "practitioner", "feed")


def visible_to(user: User) -> QuerySet[Appointment]:
    """Return the appointments that a user may open.

    Those of the schedule they see, those of the practitioners they answer for, and the
    operations on which their opinion or ruling is asked.
    """
    seen = inside(scope_of(user, Capability.SEE_SCHEDULE))
    if keeper := keeper_of(user).practitioner_ids:
        seen |= Q(practitioner__in=keeper)
    for capability in (Capability.GIVE_OPINION, Capability.RULE_ON_OPERATIONS):
        seen |= Q(service=Service.SURGERY) & inside(scope_of(user, capability))
    return Appointment.objects.filter(seen).select_related(*DETAILS)


def inside(scope: Scope) -> Q:
    """Return the filter for a scope that can be joined with others by "or".

    ``Scope.units`` answers an empty filter for "everywhere", which "or" would ignore.
    """
    if scope.everywhere:
        return Q(pk__isnull=False)
    return scope.units() if scope else Q(pk__in=[])


def standing_decisions(appointments: list[Appointment]) -> dict[int, Decision]:
    """Return the decision that holds for each appointment that has one (one query)."""
    decided = [a.pk for a in appointments if a.decision_version]
    decisions = (
        Decision.objects.filter(appointment__in=decided)
        .select_related("decided_by", "bulletin", "clause")
        .order_by("version")
    )
    return {decision.appointment_id: decision for decision in decisions}


def last_words(appointments: list[Appointment]) -> dict[int, NoticeItem]:
    """Return for each appointment the newest word that was or is to be told (one query).

    Each item comes with its notice; withdrawn notices do not count.
    """
    items = (
        NoticeItem.objects.filter(subject_id__in=[a.pk for a in appointments])
        .exclude(notice__state=NoticeState.WITHDRAWN)
        .select_related("notice__reserved_for", "notice__settled_by")
        .order_by("notice__created_at", "notice__version")
    )
    return {item.subject_id: item for item in items}
