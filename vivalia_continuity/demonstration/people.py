"""The people's actions in the demonstration once the bulletin is in force."""

from collections import Counter

from django.db.models import QuerySet

from appointments.decisions import keeping
from appointments.demo.hospital import BULLETIN_DAY
from appointments.models import Appointment, Outcome, Priority, ProtectedGroup, Service, Status
from appointments.operations import services as operations
from notifications.calls import services as calls
from staff.models import User

KEPT_BY_EACH = {"docteur1": 4, "docteur2": 3, "docteur3": 2}
CALLS = 12
_CANNOT_WAIT = frozenset(
    {ProtectedGroup.ONCOLOGY, ProtectedGroup.CHEMOTHERAPY, ProtectedGroup.PREGNANCY}
)


def user(name: str) -> User:
    """Return one of the demo's accounts."""
    return User.objects.get(username=name)


def planned(service: Service) -> QuerySet[Appointment]:
    """Return the appointments of a service on the day of the bulletin, in order of time."""
    return Appointment.objects.filter(
        day=BULLETIN_DAY, service=service, status=Status.BOOKED
    ).order_by("starts_at", "pk")


def doctors_keep() -> dict[str, int]:
    """Let each doctor keep the first patients of their day; return how many, by name."""
    kept = {}
    for name, number in KEPT_BY_EACH.items():
        doctor = user(name)
        mine = planned(Service.CONSULTATION).filter(practitioner__user=doctor)
        for appointment in mine[:number]:
            keeping.keep(
                appointment_id=appointment.pk, by=doctor, reason="Le suivi ne peut attendre"
            )
        first = mine.first()
        if first:
            keeping.contacted(appointment_id=first.pk, by=doctor)
        kept[str(doctor)] = min(number, mine.count())
    return kept


def operations_are_ruled_on() -> Counter[str]:
    """Let surgeon and nurse give opinions on each operation, and the Medical Director decide."""
    surgeon, nurse, director = user("chirurgien"), user("infirmiere"), user("directeur")
    ruled: Counter[str] = Counter()
    for operation in planned(Service.SURGERY):
        cannot_wait = operation.priority != Priority.ROUTINE or operation.groups & _CANNOT_WAIT
        view = "maintain" if cannot_wait else "cancel"
        if operation.practitioner and operation.practitioner.user_id == surgeon.pk:
            operations.give_opinion(
                appointment_id=operation.pk, by=surgeon, role="surgeon", view=view
            )
        operations.give_opinion(
            appointment_id=operation.pk, by=nurse, role="nurse", view="maintain"
        )
        outcome = Outcome.MAINTAINED if cannot_wait else Outcome.CANCELLED
        operations.rule(
            appointment_id=operation.pk,
            by=director,
            outcome=outcome,
            reason="Ne peut attendre" if cannot_wait else "Peut attendre",
        )
        ruled[outcome] += 1
    return ruled


def agent_calls() -> Counter[str]:
    """Let the call agent work through the start of the list; return the results of the calls."""
    agent = user("agent")
    results: Counter[str] = Counter()
    for place in range(CALLS):
        call = calls.take_next(by=agent)
        if call is None:
            break
        no_answer = place % 4 == 3  # one in four is not at home
        result = calls.CallResult.NO_ANSWER if no_answer else calls.CallResult.REACHED
        calls.log(delivery_id=call.pk, by=agent, result=result)
        results[result] += 1
    return results
